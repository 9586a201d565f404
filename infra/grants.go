package infra

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// grants says what each of the hub's functions may do. An action on "*" has no resource-level control in AWS's service
// authorization reference, or the resource is not known yet; the reason stands beside it.
type grants struct {
	policy hubpolicy.Policy
	table  awsdynamodb.Table
	bus    awsevents.EventBus
}

func (g grants) admit(own, wire awssqs.Queue) []parts.Permission {
	permissions := append(g.decide(),
		consumeQueue(own),
		sendMessages(own, wire),
		parts.Allow([]string{"dynamodb:DeleteItem"}, *g.table.TableArn()), // a record that moves to another distribution
		// Lists: they name no resource. What others share with the hub is in them whether policy knows them or not.
		parts.Allow([]string{"ram:GetResourceShareInvitations", "ram:GetResourceShares", "ram:ListResources"}, "*"),
		parts.Allow([]string{"cloudfront:ListVpcOrigins"}, "*"),
		// Anybody may invite the account; the hub opens any invitation, and answers those of accounts that policy knows.
		parts.Allow([]string{"ram:ListPendingInvitationResources"}, invitations),
	)
	if accounts := g.policy.Accounts(); len(accounts) > 0 {
		answers := []string{"ram:AcceptResourceShareInvitation", "ram:RejectResourceShareInvitation"}
		permissions = append(permissions, parts.Allow(answers, invitations).
			When(parts.Condition{"StringEquals": {"ram:ShareOwnerAccountId": accounts}}))
	}
	return append(permissions, g.spokes()...)
}

// invitations belong to the account that sent them.
const invitations = "arn:aws:ram:" + parts.Region + ":*:resource-share-invitation/*"

func (g grants) wire(own, admit awssqs.Queue) []parts.Permission {
	permissions := append(g.decide(),
		consumeQueue(own),
		sendMessages(own, admit),
		parts.Allow([]string{"cloudfront:GetDistribution"}, anyDistribution()), // one that policy adopts no more may still have origins, or be gone
		parts.Allow([]string{"cloudfront:UpdateDistribution"}, g.distributions()...),
		parts.Allow([]string{"servicequotas:ListServiceQuotas"}, "*"), // a list
		parts.Allow([]string{"cloudfront:ListVpcOrigins"}, "*"),       // a list
		// RAM's permission on a shared origin counts only if the hub's own role allows the same.
		parts.Allow([]string{"cloudfront:GetVpcOrigin"}, "arn:aws:cloudfront::*:vpcorigin/*"),
		parts.Allow([]string{"route53:ListResourceRecordSets"}, g.zone()),
		parts.Allow([]string{"route53:ChangeResourceRecordSets"}, g.zone()).When(parts.Condition{
			"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": []string{"A", "AAAA"}},
			"ForAllValues:StringLike": {
				"route53:ChangeResourceRecordSetsNormalizedRecordNames": []string{g.policy.Domain, "*." + g.policy.Domain},
			},
		}),
		completeTasks(),
	)
	if g.policy.Distribution.Create == 0 {
		return permissions
	}
	function := fmt.Sprintf("arn:aws:cloudfront::%s:function/%s", parts.Account(), contract.NotFoundFunction(g.policy.Hub))
	return append(permissions,
		parts.Allow([]string{"cloudfront:CreateDistribution", "cloudfront:CreateFunction"}, "*"), // what is created has no ARN yet
		parts.Allow([]string{"cloudfront:ListDistributions"}, "*"),                               // a list
		parts.Allow([]string{"cloudfront:GetDistributionConfig"}, g.distributions()...),
		parts.Allow([]string{"cloudfront:DescribeFunction", "cloudfront:PublishFunction"}, function),
	)
}

func (g grants) teardown(wire awssqs.Queue) []parts.Permission {
	permissions := append(g.decide(),
		sendMessages(wire),
		parts.Allow([]string{"cloudfront:GetDistribution"}, anyDistribution()),
		completeTasks(), // its own, when it finds that there is nothing to wait for
	)
	return append(permissions, g.spokes()...)
}

func (g grants) retire(failures awssqs.Queue, machine awsstepfunctions.CfnStateMachine) []parts.Permission {
	permissions := append(g.decide(),
		sendMessages(failures),
		parts.Allow([]string{"states:StartExecution"}, *machine.AttrArn()),
		parts.Allow([]string{"states:DescribeExecution"}, g.executions(machine)),
	)
	return append(permissions, g.spokes()...)
}

// executions are all of a state machine's.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
func (g grants) executions(machine awsstepfunctions.CfnStateMachine) string {
	return "arn:aws:states:us-east-1:" + g.policy.Account() + ":execution:" + *machine.AttrName() + ":*"
}

func (g grants) audit(failures, admit, wire awssqs.Queue) []parts.Permission {
	permissions := append(g.common(),
		sendMessages(failures, admit, wire),
		// It changes nothing but what it remembers. Null: without the key in the request, ForAllValues would hold.
		parts.Allow([]string{"dynamodb:PutItem"}, *g.table.TableArn()).When(parts.Condition{
			"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": []string{contract.RegistryAudit}},
			"Null":                      {"dynamodb:LeadingKeys": "false"},
		}),
		// Lists. What is left over may be in any distribution of the account.
		parts.Allow([]string{"cloudfront:ListDistributions", "cloudfront:ListVpcOrigins"}, "*"),
		parts.Allow([]string{"ram:ListResources"}, "*"),
		parts.Allow([]string{"cloudfront:GetDistribution"}, anyDistribution()),
		parts.Allow([]string{"route53:ListResourceRecordSets"}, g.zone()),
	)
	return append(permissions, g.spokes()...)
}

// decide is what all functions but audit do: they write their decisions into the registry and publish them.
func (g grants) decide() []parts.Permission {
	return append(g.common(), parts.Allow([]string{"dynamodb:PutItem"}, *g.table.TableArn()))
}

// common is what every function does: it reads the registry and publishes.
func (g grants) common() []parts.Permission {
	return []parts.Permission{
		parts.Allow([]string{"dynamodb:Scan"}, *g.table.TableArn()),
		parts.Allow([]string{"events:PutEvents"}, *g.bus.EventBusArn()),
	}
}

// distributions are those that policy adopts. The ids of those that the hub creates are known to the registry only.
func (g grants) distributions() []string {
	ids := g.policy.Distribution.Adopt
	if len(ids) == 0 {
		ids = []string{"*"}
	}
	var arns []string
	for _, id := range ids {
		arns = append(arns, fmt.Sprintf("arn:aws:cloudfront::%s:distribution/%s", parts.Account(), id))
	}
	return arns
}

func anyDistribution() string {
	return fmt.Sprintf("arn:aws:cloudfront::%s:distribution/*", parts.Account())
}

func (g grants) zone() string { return "arn:aws:route53:::hostedzone/" + g.policy.HostedZone }

// completeTasks names no resource: the token is the permission, and IAM has no other for it.
func completeTasks() parts.Permission { return parts.Allow([]string{"states:SendTaskSuccess"}, "*") }

func sendMessages(queues ...awssqs.Queue) parts.Permission {
	p := parts.Permission{Actions: []string{"sqs:SendMessage"}}
	for _, q := range queues {
		p.Resources = append(p.Resources, *q.QueueArn())
	}
	return p
}

// spokes lets a function assume the spoke roles; nothing, as long as no team has one.
func (g grants) spokes() []parts.Permission {
	var roles []string
	for _, team := range g.policy.Teams {
		if !team.Spoke {
			continue
		}
		for _, account := range team.Accounts {
			roles = append(roles, contract.SpokeRoleARN(g.policy.Hub, account))
		}
	}
	if len(roles) == 0 {
		return nil
	}
	return []parts.Permission{parts.Allow([]string{"sts:AssumeRole"}, roles...)}
}
