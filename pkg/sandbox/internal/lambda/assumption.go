package lambda

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// Assumptions of Lambda.
func Assumptions() []cloud.Assumption {
	const guide = "https://docs.aws.amazon.com/lambda/latest/dg/"
	return []cloud.Assumption{
		{
			ID:     "LAMBDA-01",
			Claim:  "An invocation takes no virtual time; an event that is queued is handled at the same virtual instant.",
			Source: "the sandbox's model of time", Mark: "model",
		},
		{
			ID:     "LAMBDA-02",
			Claim:  "A function on a custom runtime fails with X-Amz-Function-Error: Unhandled, whatever the error.",
			Source: guide + "runtimes-api.html", Mark: "observed",
		},
		{
			ID:     "LAMBDA-03",
			Claim:  "A synchronous answer holds 6291556 bytes at most; a larger one is Function.ResponseSizeTooLarge.",
			Source: guide + "gettingstarted-limits.html (\"6 MB\"); the figure is that of AWS's error message", Mark: "observed",
		},
		{
			ID: "LAMBDA-04", Claim: "An invocation is over when the process asks for the next one, not when it answers.",
			Source: guide + "lambda-runtime-environment.html", Mark: "documented",
		},
		{
			ID:     "LAMBDA-05",
			Claim:  "A failed event is tried again after one minute and after two more, then goes to the on-failure destination and the dead-letter queue.",
			Source: guide + "invocation-async-error-handling.html", Mark: "documented",
		},
		{
			ID:     "LAMBDA-06",
			Claim:  "A throttled event is tried again after 1 second, doubling to 5 minutes, until its maximum age; no try counts as an attempt.",
			Source: guide + "invocation-async-error-handling.html", Mark: "documented",
		},
		{
			ID:     "LAMBDA-07",
			Claim:  "An event source mapping that may not read its queue looks again a minute later, after a throttle 10 seconds later.",
			Source: guide + "services-sqs-errorhandling.html", Mark: "not found",
		},
		{
			ID: "LAMBDA-08", Claim: "$LATEST is the only version of a function; there are no aliases.",
			Source: "the sandbox's templates use no others", Mark: "model",
		},
		{
			ID:     "LAMBDA-09",
			Claim:  "The batching window begins when the first message is received; from then on the message is in flight.",
			Source: guide + "invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching", Mark: "documented",
		},
		{
			ID:     "LAMBDA-10",
			Claim:  "One poller per queue hands over one batch at a time, so MaximumConcurrency changes nothing.",
			Source: guide + "services-sqs-scaling.html (AWS starts with five pollers)", Mark: "model",
		},
		{
			ID:     "LAMBDA-11",
			Claim:  "A function runs as its asset was compiled; Architectures is reported but not compared.",
			Source: "the sandbox runs on the machine at hand", Mark: "model",
		},
		{
			ID:     "LAMBDA-12",
			Claim:  "A dead letter is the event with the message attributes RequestID, ErrorCode (200) and ErrorMessage (its first kilobyte).",
			Source: guide + "invocation-async-retain-records.html#invocation-dlq", Mark: "documented",
		},
		{
			ID:     "LAMBDA-13",
			Claim:  "A partial batch response that cannot be read, or that names a message outside the batch, fails the whole batch.",
			Source: guide + "services-sqs-errorhandling.html#services-sqs-batchfailurereporting", Mark: "documented",
		},
		{
			ID:     "LAMBDA-14",
			Claim:  "A process has its Timeout in real time, 60 seconds at most, although its deadline says the whole Timeout.",
			Source: "the sandbox's model of time", Mark: "model",
		},
	}
}
