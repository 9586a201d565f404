package events

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions are what this package and package pattern suppose about EventBridge.
func Assumptions() []cloud.Assumption {
	const guide = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
	const api = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/"
	return []cloud.Assumption{
		{
			ID: "EV-01", Claim: "A wildcard value with more than five * is refused as too complex.",
			Source: guide + "eb-create-pattern-operators.html#eb-filtering-wildcard-matching-complexity; one recorded case", Mark: "inferred",
		},
		{
			ID: "EV-02", Claim: "An event reaches the targets of a bus's rules one second after the bus has it.",
			Source: guide + "eb-rule-event-delivery.html", Mark: "inferred",
		},
		{
			ID: "EV-03", Claim: "Failed deliveries are tried again after 1 s, doubled each time up to 8 minutes, 185 times in 24 hours at most.",
			Source: guide + "eb-rule-event-delivery.html (limits and exponential back-off; the pauses are ours)", Mark: "inferred",
		},
		{
			ID: "EV-04", Claim: "PutEvents to a bus of the caller's account that does not exist answers an event id; the event goes nowhere.",
			Source: "recorded by LocalStack's validated tests (tests/aws/services/events)", Mark: "observed",
		},
		{
			ID: "EV-05", Claim: "A PutEvents entry whose source begins with aws. is refused with NotAuthorizedForSourceException; the other entries are not.",
			Source: api + "API_PutEventsResultEntry.html (the code; its cause is inferred)", Mark: "inferred",
		},
		{
			ID: "EV-06", Claim: "An event that came from another bus is not forwarded to a third; it is dead-lettered as THIRD_ACCOUNT_HOP_DETECTED.",
			Source: guide + "eb-bus-to-bus.html (the limit); the code is reported from a real account", Mark: "observed",
		},
		{
			ID: "EV-07", Claim: "Dead letters sort errors so: 403 NO_PERMISSIONS, not found NO_RESOURCE, throttles THROTTLING, 5xx ERROR_FROM_TARGET, others INVALID_PARAMETER.",
			Source: guide + "eb-rule-event-delivery.html#eb-rule-dlq (the codes)", Mark: "inferred",
		},
		{
			ID: "EV-08", Claim: "A bus that denies PutEvents fails the whole call; events:source and events:detail-type hold the values of all entries.",
			Source: guide + "eb-use-conditions.html", Mark: "inferred",
		},
		{
			ID: "EV-09", Claim: "A rate rule fires first one period after it was put or enabled.",
			Source: guide + "eb-rate-expressions.html", Mark: "inferred",
		},
		{
			ID: "EV-10", Claim: "InputPath to something that the event lacks sends null.",
			Source: api + "API_Target.html", Mark: "inferred",
		},
		{
			ID: "EV-11", Claim: "A forwarded event keeps its id, time, source, Region and the account that it came from.",
			Source: guide + "eb-cross-account.html", Mark: "documented",
		},
	}
}
