package infra

import (
	"github.com/originhub/originhub/pkg/contract"
)

// pattern is an EventBridge event pattern.
type pattern map[string]any

// callViaCloudTrail is the detail type of an API call. CloudFront has no events of its own (facts/aws.md section 5).
const callViaCloudTrail = "AWS API Call via CloudTrail"

// forwardedSources are the services whose calls a spoke forwards.
func forwardedSources() []string { return []string{"aws.cloudfront", "aws.ram"} }

// forwardedCalls match, on a spoke's default bus and again on the hub bus, the calls that wake the hub: there may be an
// origin to admit, one that was lost, or a claim that changed.
func forwardedCalls() pattern {
	return calls(forwardedSources(), "TagResource", "UntagResource", "CreateVpcOrigin", "DeleteVpcOrigin",
		"CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare", "DeleteResourceShare")
}

// tagCalls match the forwarded calls that may ask for a teardown or call it off.
func tagCalls() pattern { return calls([]string{"aws.cloudfront"}, "TagResource", "UntagResource") }

// lossCalls match the forwarded calls that may take an origin away from the hub without a teardown. Teardowns make the same
// calls with the spoke's role, and are left out.
func lossCalls(hub string) pattern {
	p := calls(forwardedSources(), "DisassociateResourceShare", "DeleteResourceShare", "DeleteVpcOrigin")
	return p.notBy("arn:aws:iam::*:role/" + contract.SpokeRoleName(hub))
}

// editCalls match, in the hub's own account, the calls that may undo what function wire wrote, unless the hub made them.
// CloudFront and Route 53 are global: their CloudTrail records are in us-east-1.
func editCalls(hub string) pattern {
	p := calls([]string{"aws.cloudfront", "aws.route53"}, "UpdateDistribution", "DeleteDistribution", "ChangeResourceRecordSets")
	return p.notBy("arn:aws:iam::*:role" + contract.RolePath(hub) + "*")
}

// notBy leaves out what sessions of a role did. Users and root have no session issuer.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (p pattern) notBy(role string) pattern {
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

// calls matches names by prefix: the service model of CloudFront adds an API version to its names, CloudTrail does not
// as far as anybody has seen (facts/aws.md section 5).
func calls(sources []string, names ...string) pattern {
	prefixes := make([]any, len(names))
	for i, name := range names {
		prefixes[i] = map[string]any{"prefix": name}
	}
	return pattern{
		"source":      sources,
		"detail-type": []string{callViaCloudTrail},
		"detail":      map[string]any{"eventName": prefixes},
	}
}

// shareChanges matches RAM's own event, whose detail is not documented (facts/aws.md section 1): any of them is a reason
// to look. The detail type keeps CloudTrail's records of the hub's own calls out, which would wake admit again.
func shareChanges() pattern {
	return pattern{"source": []string{"aws.ram"}, "detail-type": []string{"Resource Sharing State Change"}}
}

// alarms match what originhub itself says that somebody must look at. What comes from the archive was said before.
func alarms() pattern {
	return pattern{
		"source":      []string{contract.EventSource},
		"replay-name": []any{map[string]any{"exists": false}},
		"detail":      map[string]any{"severity": []string{contract.SeverityAlarm}},
	}
}

// failedExecutions match teardowns that did not end well. Most say so themselves, in better words; one that was aborted, or
// whose function no longer answers, cannot.
func failedExecutions(machineARN string) pattern {
	return pattern{
		"source":      []string{"aws.states"},
		"detail-type": []string{"Step Functions Execution Status Change"},
		"detail": map[string]any{
			"stateMachineArn": []string{machineARN},
			"status":          []string{"FAILED", "TIMED_OUT", "ABORTED"},
		},
	}
}
