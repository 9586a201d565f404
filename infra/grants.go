package infra

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// grants returns the permissions of each function of the hub. An action has resource "*" only where AWS's service authorization
// reference has no resource-level permission for it, or where the resource does not exist yet. A comment beside it says which.
type grants struct {
	in    inputs
	table awsdynamodb.Table
	past  awsdynamodb.Table
	bus   awsevents.EventBus
}

func (g grants) admit(own, wire awssqs.Queue) []parts.Permission {
	permissions := append(g.common(),
		g.write(everyDistribution, contract.RegistryUpdates),
		consumeQueue(own),
		sendMessages(own, wire),
		parts.Allow([]string{"dynamodb:DeleteItem"}, *g.table.TableArn()).When(notIn(everyDistribution, contract.RegistryUpdates, contract.RegistryRefusals, contract.RegistryFleet)), // for a record that moves to another distribution, or is over
		parts.Allow([]string{"dynamodb:BatchGetItem", "dynamodb:PutItem"}, *g.past.TableArn()),
		// Lists, which name no resource. They include shares from accounts that the policy does not name.
		parts.Allow([]string{"ram:GetResourceShareInvitations", "ram:GetResourceShares", "ram:ListPrincipals", "ram:ListResources"}, "*"),
		parts.Allow([]string{"cloudfront:ListVpcOrigins"}, "*"),
		sharedOrigins(),
		// Any account may send an invitation. The function opens and answers those from accounts that the policy names, and no others
		// (admission.DecideInvitation). The role does not list these accounts: it has no space for more than about a hundred.
		parts.Allow([]string{
			"ram:ListPendingInvitationResources", "ram:AcceptResourceShareInvitation", "ram:RejectResourceShareInvitation",
		}, invitations),
	)
	return append(permissions, g.spokes()...)
}

// invitations is the ARN pattern of RAM invitations. An invitation belongs to the account that sent it.
const invitations = "arn:aws:ram:" + parts.Region + ":*:resource-share-invitation/*"

// sharedOrigins permits to read VPC origins, those of other accounts that are shared with the hub included: RAM's permission on a shared origin takes
// effect only if the role allows the same action.
func sharedOrigins() parts.Permission {
	return parts.Allow([]string{"cloudfront:GetVpcOrigin"}, "arn:aws:cloudfront::*:vpcorigin/*")
}

func (g grants) wire(own, admit awssqs.Queue) []parts.Permission {
	permissions := append(g.common("dynamodb:BatchGetItem", "dynamodb:Query"),
		g.write(contract.RegistryRefusals, contract.RegistryFleet),
		consumeQueue(own),
		sendMessages(own, admit),
		parts.Allow([]string{"cloudfront:GetDistribution"}, anyDistribution()), // one that was dropped from the policy may still have origins
		parts.Allow([]string{"cloudfront:UpdateDistribution", "cloudfront:ListConflictingAliases"}, g.distributions()...),
		parts.Allow([]string{"servicequotas:ListServiceQuotas"}, "*"), // a list
		parts.Allow([]string{"cloudfront:ListVpcOrigins"}, "*"),       // a list
		sharedOrigins(),
		parts.Allow([]string{"route53:ListResourceRecordSets"}, g.zone()),
		parts.Allow([]string{"route53:ChangeResourceRecordSets"}, g.zone()).When(parts.Condition{
			"ForAllValues:StringEquals": {
				"route53:ChangeResourceRecordSetsRecordTypes": []string{"A", "AAAA"},
				"route53:ChangeResourceRecordSetsActions":     []string{"UPSERT", "DELETE"},
			},
			"ForAllValues:StringLike": {
				"route53:ChangeResourceRecordSetsNormalizedRecordNames": []string{g.in.domain, "*." + g.in.domain},
			},
			// ForAllValues also holds when a key is absent.
			"Null": {
				"route53:ChangeResourceRecordSetsRecordTypes": "false", "route53:ChangeResourceRecordSetsActions": "false",
				"route53:ChangeResourceRecordSetsNormalizedRecordNames": "false",
			},
		}),
		completeTasks(),
	)
	for _, p := range []parts.Permission{
		parts.Allow([]string{"cloudfront:CreateDistribution", "cloudfront:CreateFunction"}, "*"), // the resource has no ARN before it is created
		parts.Allow([]string{"cloudfront:ListDistributions"}, "*"),                               // a list
		parts.Allow([]string{"cloudfront:GetDistributionConfig"}, anyDistribution()),
		parts.Allow([]string{"cloudfront:DescribeFunction", "cloudfront:GetFunction", "cloudfront:UpdateFunction", "cloudfront:PublishFunction"}, g.function()),
	} {
		permissions = append(permissions, p.On(g.in.creates))
	}
	return append(permissions, g.partsOfDistributions()...)
}

// partsOfDistributions returns the permissions that parts of distributions require: of adopted ones those that the policy states, of created ones the
// log bucket of the policy.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html,
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html
func (g grants) partsOfDistributions() []parts.Permission {
	return []parts.Permission{
		parts.Allow([]string{"s3:GetBucketAcl", "s3:PutBucketAcl"}, entry(wrapped("arn:aws:s3:::", g.in.logBuckets, ""))).On(g.in.hasLogBuckets),
		parts.Allow([]string{"lambda:GetFunction", "lambda:EnableReplication*", "lambda:DisableReplication*"}, entry(g.in.edgeFunctions)).On(g.in.hasEdgeFunctions),
	}
}

// entry returns the single entry of a token list, which stands for all resources of a permission.
func entry(list *[]*string) string { return *(*list)[0] }

func (g grants) teardown(wire awssqs.Queue) []parts.Permission {
	permissions := append(g.common("dynamodb:BatchGetItem"),
		g.write(everyDistribution, contract.RegistryUpdates, contract.RegistryRefusals, contract.RegistryFleet),
		sendMessages(wire),
		parts.Allow([]string{"cloudfront:GetDistribution"}, anyDistribution()),
		completeTasks(), // its own task, when the origin is already out
	)
	return append(permissions, g.spokes()...)
}

func (g grants) retire(failures awssqs.Queue, machine awsstepfunctions.CfnStateMachine) []parts.Permission {
	permissions := append(g.common("dynamodb:BatchGetItem"),
		g.write(everyDistribution, contract.RegistryUpdates, contract.RegistryFleet),
		sendMessages(failures),
		parts.Allow([]string{"states:StartExecution"}, *machine.AttrArn()),
		parts.Allow([]string{"states:DescribeExecution"}, g.executions(machine)),
	)
	return append(permissions, g.spokes()...)
}

// executions returns the ARN pattern of all executions of a state machine.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
func (g grants) executions(machine awsstepfunctions.CfnStateMachine) string {
	return "arn:aws:states:us-east-1:" + parts.Account() + ":execution:" + *machine.AttrName() + ":*"
}

// function returns the ARN of the function that answers 404.
func (g grants) function() string {
	return fmt.Sprintf("arn:aws:cloudfront::%s:function/%s", parts.Account(), contract.NotFoundFunction(g.in.hub))
}

func (g grants) audit(failures, admit, wire awssqs.Queue) []parts.Permission {
	permissions := append(g.common(),
		sendMessages(failures, admit, wire),
		// Audit writes only its own partition. ForAllValues also holds when the key is absent; the condition Null excludes that case.
		parts.Allow([]string{"dynamodb:PutItem", "dynamodb:DeleteItem"}, *g.table.TableArn()).When(parts.Condition{
			"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": []string{contract.RegistryAudit}},
			"Null":                      {"dynamodb:LeadingKeys": "false"},
		}),
		// Lists. Leaks may be in any distribution of the account.
		parts.Allow([]string{"cloudfront:ListDistributions", "cloudfront:ListVpcOrigins"}, "*"),
		sharedOrigins(),
		parts.Allow([]string{"ram:ListResources", "ram:GetResourceShareInvitations"}, "*"),
		parts.Allow([]string{"cloudfront:GetDistribution"}, anyDistribution()),
		parts.Allow([]string{"cloudfront:ListConflictingAliases"}, g.distributions()...),
		parts.Allow([]string{"route53:ListResourceRecordSets"}, g.zone()),
	)
	permissions = append(permissions, parts.Allow([]string{"cloudfront:GetFunction"}, g.function()).On(g.in.creates))
	return append(permissions, g.spokes()...)
}

// Partitions of the registry, by who writes them:
//
//	partition                   written by
//	audit                       audit
//	hold                        people
//	fleet                       admit
//	distribution#<its name>     wire
//	updates                     wire
//	refusal                     admit, retire
//	<name of a distribution>    admit, retire, teardown, wire: the records, and what wire reported about them
//
// A record has several writers, since its parts have to change together.

// write returns the permission to write items, but none whose partition matches one of others.
func (g grants) write(others ...string) parts.Permission {
	return parts.Allow([]string{"dynamodb:PutItem"}, *g.table.TableArn()).When(notIn(others...))
}

// everyDistribution matches the partitions of the items of distributions.
const everyDistribution = contract.RegistryDistribution + "*"

// notIn returns the condition under which a function writes or deletes nothing of people, of the audit, or in the partitions of others.
// ForAllValues also holds when the key is absent; the condition Null excludes that case.
func notIn(others ...string) parts.Condition {
	return parts.Condition{
		"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": append([]string{contract.RegistryHolds, contract.RegistryAudit}, others...)},
		"Null":                       {"dynamodb:LeadingKeys": "false"},
	}
}

// common returns the permissions of every function: to read the registry, by single items too if actions has more than Scan, and to publish
// events.
func (g grants) common(actions ...string) []parts.Permission {
	return []parts.Permission{
		parts.Allow(append([]string{"dynamodb:Scan"}, actions...), *g.table.TableArn()),
		parts.Allow([]string{"events:PutEvents"}, *g.bus.EventBusArn()),
	}
}

// distributions returns the ARNs of the distributions that the policy adopts. It returns a pattern if the hub creates its own,
// whose ids only the registry knows.
func (g grants) distributions() []string {
	// The account is "*" because Fn::Join takes no reference as its delimiter. An id names one distribution of one account, and CloudFront
	// lets no other account update it.
	adopted := wrapped("arn:aws:cloudfront::*:distribution/", g.in.adopted, "")
	return []string{entry(awscdk.Token_AsList(parts.If(g.in.creates, []string{anyDistribution()}, adopted), nil))}
}

func anyDistribution() string {
	return fmt.Sprintf("arn:aws:cloudfront::%s:distribution/*", parts.Account())
}

func (g grants) zone() string { return "arn:aws:route53:::hostedzone/" + g.in.zone }

// completeTasks returns the permission to complete a task of an execution. The action has no resource; who has the token may use it.
func completeTasks() parts.Permission { return parts.Allow([]string{"states:SendTaskSuccess"}, "*") }

func sendMessages(queues ...awssqs.Queue) parts.Permission {
	p := parts.Permission{Actions: []string{"sqs:SendMessage"}}
	for _, q := range queues {
		p.Resources = append(p.Resources, *q.QueueArn())
	}
	return p
}

// spokes returns the permission to assume the spoke roles, or none if no team has a spoke. It does not list the accounts, since a role
// has no space for more than about a hundred. Only roles of one name can be assumed, and only with the hub's external id; inside an
// organization that accepts no invitations, only roles of this organization.
func (g grants) spokes() []parts.Permission {
	only := map[string]any{
		"sts:ExternalId":    []string{g.in.externalID, contract.CurrentExternalID(g.in.externalID)},
		"aws:ResourceOrgID": parts.If(g.in.onlyInside, g.in.organization, nil),
	}
	return []parts.Permission{
		parts.Allow([]string{"sts:AssumeRole"}, contract.SpokeRoleARN(g.in.hub, "*")).When(parts.Condition{"StringEquals": only}).On(g.in.hasSpokes),
	}
}
