package wiring_test

import (
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// Claimed settings are written with a new origin and into an existing one. What is not claimed stays as it is.
func TestClaimedSettings(t *testing.T) {
	plain := wiring.Origin{VPCOrigin: "vo_1", Account: "1", Domain: "a.example.com", Paths: []string{"/a"}}
	asks := plain
	asks.Settings = origin.Settings{ReadTimeout: 60, KeepaliveTimeout: 50, ConnectionAttempts: 1}
	some := plain
	some.Settings = origin.Settings{ReadTimeout: 90}
	once := origin.Record{Ref: origin.Ref{ID: "vo_1", Account: "1"}, Intent: origin.Wire, Claim: origin.Claim{Domain: "a.example.com", Paths: []string{"/a"}, Settings: some.Settings}}
	none := wiring.DesiredOf([]origin.Record{once.WithClaim(origin.Claim{Domain: "a.example.com", Paths: []string{"/a"}})}, nil, wiring.Spec{}).Origins[0]
	c := parse(t, document(nil, nil))
	for _, step := range []struct {
		o       wiring.Origin
		changes int
		want    string // read timeout, keepalive timeout, attempts
	}{
		{asks, 2, "60 50 1"},
		{asks, 0, "60 50 1"},
		{plain, 0, "60 50 1"},
		{some, 1, "90 50 1"},
		{none, 1, "30 50 1"}, // claims no longer what it claimed once
	} {
		plan, err := wiring.Diff(wiring.Desired{Origins: []wiring.Origin{step.o}}, c)
		if err != nil || len(plan.Changes) != step.changes {
			t.Fatalf("%+v: %d changes, %v\n%s", step.o.Settings, len(plan.Changes), err, plan)
		}
		if c, err = wiring.Apply(plan, c); err != nil {
			t.Fatal(err)
		}
		text := string(c.Bytes())
		_, text, _ = strings.Cut(text, "originhub-vo_1")
		var got []string
		for _, name := range []string{"OriginReadTimeout", "OriginKeepaliveTimeout", "ConnectionAttempts"} {
			_, rest, _ := strings.Cut(text, "<"+name+">")
			value, _, _ := strings.Cut(rest, "<")
			got = append(got, value)
		}
		if is := strings.Join(got, " "); is != step.want {
			t.Errorf("%+v: the origin has %s, want %s", step.o.Settings, is, step.want)
		}
	}
}
