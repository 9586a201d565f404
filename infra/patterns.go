package infra

import (
	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// tagCalls matches the forwarded calls that may start or cancel a teardown.
func tagCalls() parts.Pattern {
	return parts.Calls([]string{"aws.cloudfront", "aws.tagging"}, "TagResource", "UntagResource")
}

// lossCalls matches the forwarded calls that may take an origin, or what is behind it, away from the hub without a teardown, or use the origin in
// another distribution than the hub's. Teardowns make some of these calls with the spoke's role; the pattern excludes that role.
func lossCalls(hub string) parts.Pattern {
	p := parts.Calls(parts.ForwardedSources(), append(parts.DistributionCalls(),
		"DisassociateResourceShare", "DeleteResourceShare", "UpdateResourceShare", "DeleteVpcOrigin", "DeleteLoadBalancer")...)
	return notBy(p, "arn:aws:iam::*:role/"+contract.SpokeRoleName(hub))
}

// editCalls matches, in the hub's own account, the calls that may undo what function wire wrote, use a team's origin in another distribution, or answer an
// invitation, except calls by the hub itself. CloudFront and Route 53 are global services, so their CloudTrail records are in us-east-1; invitations are answered there.
func editCalls(hub string) parts.Pattern {
	p := parts.Calls([]string{"aws.cloudfront", "aws.route53", "aws.ram"}, "UpdateDistribution", "DeleteDistribution", "ChangeResourceRecordSets",
		"AssociateAlias", "UpdateDomainAssociation", "CreateDistribution", "CopyDistribution", "PublishFunction", "AcceptResourceShareInvitation", "RejectResourceShareInvitation")
	return notBy(p, "arn:aws:iam::*:role"+contract.RolePath(hub)+"*")
}

// ownChanges matches, in the hub's own account, the calls that change a role or a function of the hub, or create a role that the spokes trust,
// except those that CloudFormation makes. Such a role or function can act as the hub. IAM is a global service, so its CloudTrail records are in us-east-1
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html). CloudFormation makes its calls from its own address
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-api-logging-cloudtrail.html).
func ownChanges(hub string) parts.Pattern {
	p := parts.Calls([]string{"aws.iam", "aws.lambda"}, "AttachRolePolicy", "CreateRole", "DeleteRole", "DetachRolePolicy", "PutRolePermissionsBoundary", "PutRolePolicy",
		"UpdateAssumeRolePolicy", "UpdateRole", "AddPermission", "CreateEventSourceMapping", "DeleteFunction", "PutFunctionConcurrency",
		"UpdateFunctionCode", "UpdateFunctionConfiguration")
	own := func(key, wildcard string) any {
		return map[string]any{"requestParameters": map[string]any{key: []any{map[string]any{"wildcard": wildcard}}}}
	}
	detail := p["detail"].(map[string]any)
	detail["sourceIPAddress"] = []any{map[string]any{"anything-but": "cloudformation.amazonaws.com"}}
	detail["$or"] = []any{own("roleName", stackName(hub)+"-*"), own("path", contract.RolePath(hub)+"*"), own("functionName", "*"+stackName(hub)+"-*")}
	return p
}

// notBy excludes from p the calls by sessions of a role. Calls by users and by root have no session issuer.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func notBy(p parts.Pattern, role string) parts.Pattern {
	issuer := func(condition map[string]any) map[string]any {
		return map[string]any{"userIdentity": map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{
			"arn": []any{condition},
		}}}}
	}
	p["detail"].(map[string]any)["$or"] = []any{
		issuer(map[string]any{"anything-but": map[string]any{"wildcard": role}}),
		issuer(map[string]any{"exists": false}),
	}
	return p
}

// shareChanges matches RAM's own event. AWS does not document its detail, so every such event triggers an observation. The detail
// type excludes CloudTrail's records of the hub's own calls, which would trigger admit again.
// https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html
func shareChanges() parts.Pattern {
	return parts.Pattern{"source": []string{"aws.ram"}, "detail-type": []string{"Resource Sharing State Change"}}
}

// alarms matches the events of originhub that have severity alarm, except those that are replayed from the archive.
func alarms() parts.Pattern {
	return parts.Pattern{
		"source":      []string{contract.EventSource},
		"replay-name": []any{map[string]any{"exists": false}},
		"detail":      map[string]any{"severity": []string{contract.SeverityAlarm}},
	}
}

// failedExecutions matches executions that failed, timed out or were aborted. Most teardowns also publish an event of their own, which
// says more. An execution that was aborted, or whose function does not answer, cannot do that.
func failedExecutions(machineARN string) parts.Pattern {
	return parts.Pattern{
		"source":      []string{"aws.states"},
		"detail-type": []string{"Step Functions Execution Status Change"},
		"detail": map[string]any{
			"stateMachineArn": []string{machineARN},
			"status":          []string{"FAILED", "TIMED_OUT", "ABORTED"},
		},
	}
}
