package asl

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"time"
)

// retrier is one entry of Retry.
type retrier struct {
	errors             []string
	interval, maxDelay float64 // seconds; maxDelay 0 means unlimited
	backoff            float64
	attempts           int
	fullJitter         bool
}

// catcher is one entry of Catch.
type catcher struct {
	errors         []string
	next           string
	output, assign *template
	path           string
}

// Defaults and limits:
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
const (
	defaultInterval = 1
	defaultAttempts = 3
	defaultBackoff  = 2.0
	maxMaxDelay     = 31622399
)

func parseRetry(o *object) []*retrier {
	children := o.children("Retry")
	var list []*retrier
	for i, child := range children {
		r := &retrier{
			errors:   errorNames(child, i == len(children)-1),
			interval: float64(child.integer("IntervalSeconds", defaultInterval, 1, maxSeconds)),
			attempts: child.integer("MaxAttempts", defaultAttempts, 0, maxSeconds),
			backoff:  defaultBackoff,
		}
		child.text("Comment")
		if child.decode("BackoffRate", &r.backoff, "a number") && r.backoff < 1 {
			child.complain("BackoffRate", "must be at least 1.0")
		}
		if child.has("MaxDelaySeconds") {
			r.maxDelay = float64(child.integer("MaxDelaySeconds", 0, 1, maxMaxDelay))
			if r.maxDelay <= r.interval {
				child.complain("MaxDelaySeconds", "must be greater than IntervalSeconds")
			}
		}
		switch j := child.text("JitterStrategy"); j {
		case "", "NONE":
		case "FULL":
			r.fullJitter = true
		default:
			child.complain("JitterStrategy", "must be FULL or NONE, not %q", j)
		}
		child.close()
		list = append(list, r)
	}
	return list
}

func parseCatch(o *object) []*catcher {
	children := o.children("Catch")
	var list []*catcher
	for i, child := range children {
		c := &catcher{path: child.path, errors: errorNames(child, i == len(children)-1), next: child.required("Next")}
		child.text("Comment")
		c.output = child.template("Output", afterError)
		c.assign = child.assignments(afterError)
		child.close()
		list = append(list, c)
	}
	return list
}

// errorNames reads ErrorEquals. States.ALL must stand alone, in the last entry.
func errorNames(o *object, last bool) []string {
	raw := o.take("ErrorEquals")
	if raw == nil {
		o.complain("ErrorEquals", "is missing")
		return nil
	}
	var names []string
	if json.Unmarshal(raw, &names) != nil || len(names) == 0 {
		o.complain("ErrorEquals", "must be a list of at least one error name")
		return nil
	}
	for _, name := range names {
		if name == errAll && (len(names) > 1 || !last) {
			o.complain("ErrorEquals", "States.ALL must be alone and in the last entry")
		}
	}
	return names
}

// matches applies the wildcards. States.ALL and States.TaskFailed match every error except the terminal ones. States.TaskFailed
// does not match a timeout. States.Timeout matches a missed heartbeat too.
func matches(names []string, failure string) bool {
	terminal := failure == errRuntime || failure == errDataLimit
	timeout := failure == errTimeout || failure == errHeartbeatTimeout
	for _, name := range names {
		switch {
		case name == failure && failure != "":
			return true
		case name == errAll && !terminal:
			return true
		case name == errTaskFailed && !terminal && !timeout:
			return true
		case name == errTimeout && timeout:
			return true
		}
	}
	return false
}

// delay returns the time before a retry, after the given number of earlier retries.
func (r *retrier) delay(tried int, rng *rand.Rand) time.Duration {
	seconds := r.interval * math.Pow(r.backoff, float64(tried))
	if r.maxDelay > 0 {
		seconds = min(seconds, r.maxDelay)
	}
	seconds = min(seconds, maxSeconds)
	if r.fullJitter {
		seconds *= rng.Float64()
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}
