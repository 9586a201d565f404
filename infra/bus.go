package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// newBus makes the hub bus, and lets the spokes forward events of AWS to it and no others. A sender needs no permission on the key,
// because EventBridge uses the key itself.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
func newBus(scope constructs.Construct, id string, p hubpolicy.Policy, key awskms.IKey, unreadable awssqs.Queue) awsevents.EventBus {
	bus := awsevents.NewEventBus(scope, jsii.String(id), &awsevents.EventBusProps{
		EventBusName: jsii.String(contract.BusName(p.Hub)),
		Description:  jsii.String("originhub: events that the spokes forward, and events about what the hub decides"),
		// An event that cannot be decrypted goes there, still encrypted. Without a queue it would be lost.
		// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html
		DeadLetterQueue: unreadable,
	})
	// The prop KmsKey of EventBus would add a statement to the key's policy, which newKey writes completely.
	bus.Node().DefaultChild().(awsevents.CfnEventBus).SetKmsKeyIdentifier(key.KeyArn()) //nolint:errcheck // NewEventBus made it
	parts.SendFrom(unreadable, []string{*bus.EventBusArn()})
	if p.Organization != "" {
		inOrganization := parts.Condition{"StringEquals": {"aws:PrincipalOrgID": p.Organization}}
		admitForwarders(bus, "Organization", "*", inOrganization)
	}
	if accounts := p.Accounts(); len(accounts) > 0 && (p.Organization == "" || p.Shares.External) {
		admitForwarders(bus, "Accounts", principals(accounts), parts.Condition{})
	}
	return bus
}

// admitForwarders lets principals put forwarded CloudTrail events and no others. PutEvents refuses a source that begins with "aws.",
// so an event with such a source comes from a rule on the sender's default bus. ForAllValues also holds when the key is absent;
// the condition Null excludes that case.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-example-policy-cross-account-custom-bus-source.html
func admitForwarders(bus awsevents.EventBus, id string, principal any, when parts.Condition) {
	when["ForAllValues:StringEquals"] = map[string]any{
		"events:source":      parts.ForwardedSources(),
		"events:detail-type": []string{parts.CallViaCloudTrail},
	}
	when["Null"] = map[string]any{"events:source": "false", "events:detail-type": "false"}
	awsevents.NewCfnEventBusPolicy(bus, jsii.String(id), &awsevents.CfnEventBusPolicyProps{
		EventBusName: bus.EventBusName(),
		StatementId:  jsii.String(id),
		Statement: map[string]any{
			"Effect":    "Allow",
			"Principal": map[string]any{"AWS": principal},
			"Action":    "events:PutEvents",
			"Resource":  bus.EventBusArn(),
			"Condition": *when.Props(),
		},
	})
}

func principals(accounts []string) []string {
	arns := make([]string, len(accounts))
	for i, a := range accounts {
		arns[i] = "arn:aws:iam::" + a + ":root"
	}
	return arns
}
