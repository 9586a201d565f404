package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
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
func newBus(scope constructs.Construct, id string, in inputs, key awskms.IKey, unreadable awssqs.Queue) awsevents.EventBus {
	bus := awsevents.NewEventBus(scope, jsii.String(id), &awsevents.EventBusProps{
		EventBusName: jsii.String(contract.BusName(in.hub)),
		Description:  jsii.String("originhub: events that the spokes forward, and events about what the hub decides"),
		// An event that cannot be decrypted goes there, still encrypted. Without a queue it would be lost.
		// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html
		DeadLetterQueue: unreadable,
	})
	// The prop KmsKey of EventBus would add a statement to the key's policy, which newKey writes completely.
	bus.Node().DefaultChild().(awsevents.CfnEventBus).SetKmsKeyIdentifier(key.KeyArn()) //nolint:errcheck // NewEventBus made it
	parts.SendFrom(unreadable, []string{*bus.EventBusArn()})
	admit := func(id string, only awscdk.CfnCondition, principal any, when parts.Condition) {
		policy := awsevents.NewCfnEventBusPolicy(bus, jsii.String(id), &awsevents.CfnEventBusPolicyProps{
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
		policy.CfnOptions().SetCondition(only)
	}
	inside := parts.Condition(hubpolicy.OnlyForwarded())
	inside["StringEquals"] = map[string]any{"aws:PrincipalOrgID": in.organization}
	admit(hubpolicy.StatementOrganization, in.inOrganization, "*", inside)
	admit(hubpolicy.StatementAccounts, in.hasOutside, wrapped("arn:aws:iam::", in.accounts, ":root"), hubpolicy.OnlyForwarded())
	return bus
}
