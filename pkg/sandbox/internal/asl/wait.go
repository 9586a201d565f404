package asl

import (
	"encoding/json"
	"time"
)

type wait struct{ seconds, timestamp *template }

func parseWait(o *object, _ *state) behaviour {
	w := &wait{seconds: o.secondsField("Seconds", 0), timestamp: o.textField("Timestamp")}
	if (w.seconds == nil) == (w.timestamp == nil) {
		o.complain("", "a Wait state has exactly one of Seconds and Timestamp")
	}
	if t := w.timestamp; t != nil && t.kind == literalTemplate {
		var s string
		if json.Unmarshal(t.literal, &s) == nil {
			if _, err := time.Parse(time.RFC3339, s); err != nil {
				o.complain("Timestamp", "must be an RFC 3339 instant such as 2035-01-08T09:00:00Z, or JSONata")
			}
		}
	}
	return w
}

func (*wait) targets() []target { return nil }

// enter sleeps. A time in the past does not delay.
// https://states-language.net/#wait-state
func (w *wait) enter(r *Run) Action {
	until := r.now
	if w.seconds != nil {
		n, err := w.seconds.seconds(r.scope())
		if err != nil {
			return r.evaluationFailed(err)
		}
		until = until.Add(time.Duration(n) * time.Second)
	} else {
		text, err := w.timestamp.text(r.scope())
		if err != nil {
			return r.evaluationFailed(err)
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return r.evaluationFailed(w.timestamp.fail("returned '%s', which is not a timestamp.", text))
		}
		if t.After(until) {
			until = t.UTC()
		}
	}
	r.phase = waiting
	return Sleep{Until: until, Why: "wait"}
}
