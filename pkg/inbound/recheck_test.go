package inbound_test

import (
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
)

func TestMessagesOfADistribution(t *testing.T) {
	due := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	here, there := inbound.Recheck{Distribution: "main", Due: due}, inbound.Recheck{Distribution: "main-2", Due: due}
	for name, c := range map[string]struct {
		messages                []inbound.Message
		concerns, recheck, only bool // distribution main; all of them that concern it
	}{
		"a sweep":                     {[]inbound.Message{inbound.Sweep{}}, true, false, false},
		"a trigger":                   {[]inbound.Message{inbound.Trigger{}}, true, false, false},
		"its own":                     {[]inbound.Message{here}, true, true, true},
		"its own, of another time":    {[]inbound.Message{inbound.Recheck{Distribution: "main", Due: due.Add(time.Second)}}, true, false, true},
		"another one's":               {[]inbound.Message{there}, false, false, true},
		"another one's and its own":   {[]inbound.Message{there, here}, true, true, true},
		"its own and a trigger":       {[]inbound.Message{here, inbound.Trigger{}}, true, true, false},
		"another one's and a trigger": {[]inbound.Message{there, inbound.Trigger{}}, true, false, false},
		"its own trigger":             {[]inbound.Message{inbound.Trigger{Distribution: "main"}}, true, false, false},
		"another one's trigger":       {[]inbound.Message{inbound.Trigger{Distribution: "main-2"}}, false, false, false},
		"nothing":                     {nil, false, false, true},
	} {
		names, all := inbound.Distributions(c.messages)
		if got := all || slices.Contains(names, "main"); got != c.concerns {
			t.Errorf("%s: they ask for %q, all: %t", name, names, all)
		}
		if mine := inbound.For(c.messages, "main"); len(mine) > 0 != c.concerns {
			t.Errorf("%s: for main they are %v", name, mine)
		}
		if got := inbound.Rechecks(c.messages, "main", due); got != c.recheck {
			t.Errorf("%s: Rechecks returns %t", name, got)
		}
		if got := inbound.OnlyRechecks(c.messages); got != c.only {
			t.Errorf("%s: OnlyRechecks returns %t", name, got)
		}
	}
}
