package team

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// SpokeProps names the hub that a spoke belongs to. Each value may be a token.
type SpokeProps struct {
	HubAccount string // Networking account, 12 digits
	HubName    string // the value of hub in the hub policy
	ExternalID string // the value of spokes.externalId in the hub policy
}

// NewSpoke makes what the hub needs in a team account (a spoke): a rule that forwards CloudTrail's events about changed shares, VPC
// origins, tags and distributions to the hub, and a role with which the hub reads VPC origins and tears down those that their team tagged for teardown.
// It returns the role. Its stack must be in us-east-1. An account can have one such role for each hub, because the hub's name is part of
// the role's name.
func NewSpoke(scope constructs.Construct, id string, p SpokeProps) awsiam.Role {
	self := constructs.NewConstruct(scope, jsii.String(id))
	hubBus := fmt.Sprintf("arn:aws:events:%s:%s:event-bus/%s", parts.Region, p.HubAccount, contract.BusName(p.HubName))
	forwarder := awsiam.NewRole(self, jsii.String("ForwarderRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
	})
	parts.Inline(forwarder, "forward", []parts.Permission{parts.Allow([]string{"events:PutEvents"}, hubBus)})
	parts.NewRules(self, parts.NewDeadLetters(self, "UndeliveredEvents", nil), parts.Rule{
		ID: "Forward", Description: "Forwards calls to the originhub hub that may have changed a share, a VPC origin or its tags, or used it in a distribution",
		Pattern: parts.ForwardedCalls(),
		Targets: []*parts.Target{{ID: "HubBus", ARN: hubBus, RoleARN: *forwarder.RoleArn()}},
	})
	return newSpokeRole(self, "HubRole", p)
}
