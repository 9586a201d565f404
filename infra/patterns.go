package infra

import (
	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// tagCalls match the forwarded calls that may ask for a teardown or call it off.
func tagCalls() parts.Pattern {
	return parts.Calls([]string{"aws.cloudfront"}, "TagResource", "UntagResource")
}

// lossCalls match the forwarded calls that may take an origin away from the hub without a teardown. Teardowns make the same
// calls with the spoke's role, and are left out.
func lossCalls(hub string) parts.Pattern {
	p := parts.Calls(parts.ForwardedSources(), "DisassociateResourceShare", "DeleteResourceShare", "DeleteVpcOrigin")
	return notBy(p, "arn:aws:iam::*:role/"+contract.SpokeRoleName(hub))
}

// editCalls match, in the hub's own account, the calls that may undo what function wire wrote, unless the hub made them.
// CloudFront and Route 53 are global: their CloudTrail records are in us-east-1.
func editCalls(hub string) parts.Pattern {
	p := parts.Calls([]string{"aws.cloudfront", "aws.route53"}, "UpdateDistribution", "DeleteDistribution", "ChangeResourceRecordSets")
	return notBy(p, "arn:aws:iam::*:role"+contract.RolePath(hub)+"*")
}

// notBy leaves out of p what sessions of a role did. Users and root have no session issuer.
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

// shareChanges matches RAM's own event. Its detail is not documented, so that any of them is a reason to observe. The detail
// type keeps CloudTrail's records of the hub's own calls out, which would trigger admit again.
// https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html
func shareChanges() parts.Pattern {
	return parts.Pattern{"source": []string{"aws.ram"}, "detail-type": []string{"Resource Sharing State Change"}}
}

// alarms match what originhub itself says that somebody must look at. What comes from the archive was said before.
func alarms() parts.Pattern {
	return parts.Pattern{
		"source":      []string{contract.EventSource},
		"replay-name": []any{map[string]any{"exists": false}},
		"detail":      map[string]any{"severity": []string{contract.SeverityAlarm}},
	}
}

// failedExecutions match teardowns that did not end well. Most say so themselves, in better words; one that was aborted, or
// whose function no longer answers, cannot.
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
