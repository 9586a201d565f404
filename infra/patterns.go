package main

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
	return calls(forwardedSources(), "TagResource", "UntagResource", "CreateVpcOrigin",
		"CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare", "DeleteResourceShare")
}

// tagCalls match the forwarded calls that may ask for a teardown or call it off.
func tagCalls() pattern { return calls([]string{"aws.cloudfront"}, "TagResource", "UntagResource") }

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

// alarms match what originhub itself says that somebody must look at.
func alarms() pattern {
	return pattern{
		"source": []string{contract.EventSource},
		"detail": map[string]any{"severity": []string{contract.SeverityAlarm}},
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
