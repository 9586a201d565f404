package outcome

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

const (
	// maxReported is how many refusals of one account are published within an hour, each as an event.
	maxReported = 5
	// maxCounted is how many refusals beyond these are distinguished, which limits the size of a tally.
	maxCounted = 200
	// tallied is the time for which a tally counts.
	tallied = time.Hour
)

// refusals are the types of the events that any account can cause any number of times.
var refusals = []string{contract.ShareRefused, contract.OriginRefused, contract.OriginDeferred, contract.TeardownTagRefused, contract.EventRefused}

// Tallied returns o with the events about refusals that are published, the tally of each account that o changes, and whether an event was
// left out: the caller then does not remember the refusal as reported. member reports whether an account belongs to a team; all others have one tally
// together, since there may be any number of them. So no account hides the first refusals of a team.
//
//	event                             reported within the hour  then
//	any other                         -                         published
//	about a refusal                   fewer than five           published
//	the same                          five                      counted, if this refusal was not counted before, and not published
//	the same                          the hour is over          published; a new hour begins, and what was counted and not told is told first
//
// A refusal that was only counted is decided again by every sweep, so it is reported in a later hour if its cause still exists. An event that was
// refused does not come again, so it stays counted.
func (o Outcome) Tallied(known map[string]origin.Tally, member func(account string) bool, now time.Time) (is Outcome, changed []origin.Tally, leftOut bool) {
	is.Triggers = o.Triggers
	tallies := map[string]origin.Tally{}
	again := 0.0
	for _, e := range o.Events {
		if !slices.Contains(refusals, e.Type) {
			is.Events = append(is.Events, e)
			continue
		}
		account := e.Detail.Account
		if !member(account) {
			account = ""
		}
		t, begun := tallies[account]
		if !begun {
			t = known[account]
		}
		if t.Account = account; now.Sub(t.Since) >= tallied {
			is.Add(tell(t))
			t = origin.Tally{Account: account, Since: now}
		}
		before := t.Reported + t.Counted
		t = add(t, e)
		switch {
		case t.Reported+t.Counted == before:
			leftOut, again = true, again+1
			continue
		case t.Counted > 0:
			leftOut = true
		default:
			is.Events = append(is.Events, e)
		}
		tallies[account] = t
	}
	for _, account := range slices.Sorted(maps.Keys(tallies)) {
		changed = append(changed, tallies[account])
	}
	for _, m := range o.Metrics {
		if m.Name == contract.MetricRefusal {
			m.Value = max(0, m.Value-again)
		}
		is.Metrics = append(is.Metrics, m)
	}
	return is, changed, leftOut
}

// add returns t with the refusal of e. It returns t unchanged if e was counted before, or cannot be distinguished any more.
func add(t origin.Tally, e Event) origin.Tally {
	name := e.fingerprint()
	switch {
	case t.Reported < maxReported:
		t.Reported++
	case slices.Contains(t.Seen, name) || len(t.Seen) >= maxCounted:
	default:
		t.Counted++
		if e.Type != contract.EventRefused { // an event does not come again
			t.Seen = append(slices.Clone(t.Seen), name)
		}
	}
	return t
}

// fingerprint returns a short name of what is refused and of the reasons.
func (e Event) fingerprint() string {
	h := fnv.New64a()
	for _, part := range []string{e.Type, e.Resource, e.Detail.Origin, e.Detail.Why} {
		fmt.Fprintf(h, "%q", part)
	}
	return fmt.Sprintf("%x", h.Sum64())
}

// Tell returns what a sweep publishes of tallies: for each account one event with the number of refusals that were only counted.
//
//	counted and not told  told before  the hour is over  then
//	none                  -            -                 nothing
//	some                  no           -                 Refusals Counted
//	some                  yes          no                nothing
//	some                  yes          yes               Refusals Counted
func Tell(known map[string]origin.Tally, now time.Time) (o Outcome, changed []origin.Tally) {
	for _, t := range known {
		if t.Counted == t.Told || t.Told > 0 && now.Sub(t.Since) < tallied {
			continue
		}
		o.Add(tell(t))
		t.Told = t.Counted
		changed = append(changed, t)
	}
	slices.SortFunc(changed, func(a, b origin.Tally) int { return strings.Compare(a.Account, b.Account) })
	slices.SortFunc(o.Events, func(a, b Event) int { return strings.Compare(a.Detail.Account, b.Detail.Account) })
	return o, changed
}

// tell returns the event about what was counted and not told.
func tell(t origin.Tally) (o Outcome) {
	if t.Counted == t.Told {
		return o
	}
	of, least := "account "+t.Account, ""
	if t.Account == "" {
		of = "accounts that belong to no team"
	}
	if len(t.Seen) >= maxCounted {
		least = "at least "
	}
	o.Inform(contract.RefusalsCounted, "", Detail{Account: t.Account, Why: fmt.Sprintf("since %s, the hub has refused %s%d shares, claims, tags or events of %s; it reported the "+
		"first %d of them, and reports the others in a later hour if their causes still exist: find out what repeats them", t.Since.UTC().Format(time.RFC3339), least, t.Reported+t.Counted, of, t.Reported)})
	return o
}
