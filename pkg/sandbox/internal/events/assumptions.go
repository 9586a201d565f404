package events

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions are what this package and package pattern suppose about EventBridge.
func Assumptions() []cloud.Assumption {
	const guide = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
	const api = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/"
	return []cloud.Assumption{
		{
			ID: "EV-01", Mark: "inferred",
			Claim:  "A wildcard value with more than five * is refused as too complex.",
			Source: guide + "eb-create-pattern-operators.html#eb-filtering-wildcard-matching-complexity; one recorded case",
		},
		{
			ID: "EV-02", Mark: "inferred",
			Claim:  "An event reaches the targets of a bus's rules one second after the bus has it.",
			Source: guide + "eb-rule-event-delivery.html",
		},
		{
			ID: "EV-03", Mark: "inferred",
			Claim:  "Failed deliveries are tried again after 1 s, doubled each time up to 8 minutes, 185 times in 24 hours at most.",
			Source: guide + "eb-rule-event-delivery.html (limits and exponential back-off; the pauses are ours)",
		},
		{
			ID: "EV-04", Mark: "observed",
			Claim:  "PutEvents to a bus of the caller's account that does not exist answers an event id; the event goes nowhere.",
			Source: "test_put_events_nonexistent_event_bus of LocalStack, which says that it was validated against AWS",
		},
		{
			ID: "EV-05", Mark: "inferred",
			Claim:  "A PutEvents entry whose source begins with aws. is refused with NotAuthorizedForSourceException, others with it are not.",
			Source: api + "API_PutEventsResultEntry.html (the code; its cause is inferred)",
		},
		{
			ID: "EV-06", Mark: "observed",
			Claim:  "An event that came from another bus is not forwarded to a third; it is dead-lettered as THIRD_ACCOUNT_HOP_DETECTED.",
			Source: guide + "eb-bus-to-bus.html (the limit); the code is reported from a real account",
		},
		{
			ID: "EV-07", Mark: "inferred",
			Claim: "Dead letters sort errors so: 403, and a key that may not be used, NO_PERMISSIONS, not found NO_RESOURCE, throttles THROTTLING, 5xx ERROR_FROM_TARGET, " +
				"others INVALID_PARAMETER.",
			Source: guide + "eb-rule-event-delivery.html#eb-rule-dlq (the codes)",
		},
		{
			ID: "EV-08", Mark: "inferred",
			Claim:  "A bus that denies PutEvents fails the whole call; events:source and events:detail-type hold the values of all entries.",
			Source: guide + "eb-use-conditions.html",
		},
		{
			ID: "EV-09", Mark: "inferred",
			Claim:  "A rate rule fires first one period after it was put or enabled.",
			Source: guide + "eb-rate-expressions.html",
		},
		{
			ID: "EV-10", Mark: "inferred",
			Claim:  "InputPath to something that the event lacks sends null.",
			Source: api + "API_Target.html",
		},
		{
			ID: "EV-12", Mark: "model",
			Claim:  "A replay sends all events of its time at once, a second after it began; AWS goes minute by minute, in no certain order.",
			Source: api + "API_StartReplay.html",
		},
		{
			ID: "EV-13", Mark: "inferred",
			Claim: "A bus with an archive is not deleted, because of the archive's managed rule: DeleteEventBus wants all rules of the bus " +
				"gone, though the console deletes them along.",
			Source: api + "API_DeleteEventBus.html; " + guide + "event-bus-delete.html",
		},
		{
			ID: "EV-14", Mark: "inferred",
			Claim: "A bus whose key EventBridge may not use matches nothing: what comes goes to the dead letters of the bus, encrypted. AWS says " +
				"so of custom and partner events; events of AWS's own services, which rest under another key, go there too, since the rules' patterns " +
				"rest under the bus's.",
			Source: guide + "eb-encryption-event-bus-dlq.html; " + guide + "eb-encryption-event-bus-cmkey.html",
		},
		{
			ID: "EV-15", Mark: "inferred",
			Claim:  "An archive whose key EventBridge may not use keeps nothing and says nothing; rules get the event all the same.",
			Source: guide + "encryption-archives.html",
		},
		{
			ID: "EV-16", Mark: "inferred",
			Claim: "A key that EventBridge may not describe is refused with ValidationException when a bus or an archive is given it. Rules and " +
				"targets of an encrypted bus are changed and listed without kms:Decrypt, which AWS asks for.",
			Source: guide + "eb-encryption-event-bus-cmkey.html#eb-encryption-key-permissions-bus",
		},
		{
			ID: "EV-11", Mark: "documented",
			Claim:  "A forwarded event keeps its id, time, source, Region and the account that it came from.",
			Source: guide + "eb-cross-account.html",
		},
	}
}
