package team

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// SpokeProps names the hub that a team account serves. Each value may be a token.
type SpokeProps struct {
	HubAccount string // Networking account, 12 digits
	HubName    string // hub: in the hub policy
	ExternalID string // spokes.externalId: in the hub policy
}

// NewSpoke makes what every team account needs: it tells the hub about shares and tags, and lets the hub read them and take
// out an origin that its team tagged for teardown. It returns the role that the hub assumes. Its stack must be in us-east-1. An
// account has one for each hub, since the role has a name that the hub knows.
func NewSpoke(scope constructs.Construct, id string, p SpokeProps) awsiam.Role {
	self := constructs.NewConstruct(scope, jsii.String(id))
	hubBus := fmt.Sprintf("arn:aws:events:%s:%s:event-bus/%s", parts.Region, p.HubAccount, contract.BusName(p.HubName))
	forwarder := awsiam.NewRole(self, jsii.String("ForwarderRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"forward": parts.Document([]parts.Permission{parts.Allow([]string{"events:PutEvents"}, hubBus)}),
		},
	})
	parts.NewRules(self, parts.NewDeadLetters(self, "UndeliveredEvents", nil), parts.Rule{
		ID: "Forward", Description: "Tells the originhub hub that a share, a VPC origin or its tags may have changed",
		Pattern: parts.ForwardedCalls(),
		Targets: []*parts.Target{{ID: "HubBus", ARN: hubBus, RoleARN: *forwarder.RoleArn()}},
	})
	return newSpokeRole(self, "HubRole", p)
}
