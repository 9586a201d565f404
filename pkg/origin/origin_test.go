package origin_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/origin"
)

// What an origin had in its distribution is remembered when it claims something else; what it never had there, or was seen to
// be gone, is not.
func TestReclaim(t *testing.T) {
	for name, c := range map[string]struct {
		state            origin.State
		hosts, left, now []string
		want             []string
	}{
		"another host":                {origin.Live, []string{"a"}, nil, []string{"b"}, []string{"a"}},
		"one host more":               {origin.Live, []string{"a"}, nil, []string{"a", "b"}, nil},
		"on before it is written":     {origin.Pending, []string{"b"}, []string{"a"}, []string{"c"}, []string{"a", "b"}},
		"back":                        {origin.Pending, []string{"b"}, []string{"a"}, []string{"a"}, []string{"b"}},
		"that waited for a place":     {origin.Deferred, []string{"a"}, nil, []string{"b"}, nil},
		"that is out":                 {origin.Detached, []string{"a"}, nil, []string{"b"}, nil},
		"that is out, but not of DNS": {origin.Deleted, []string{"a"}, []string{"a"}, []string{"b"}, []string{"a"}},
	} {
		was := origin.Record{State: c.state, Claim: origin.Claim{Hosts: c.hosts}, ReleasedHosts: c.left}
		is := was.WithClaim(origin.Claim{Hosts: c.now})
		if !slices.Equal(is.ReleasedHosts, c.want) || !slices.Equal(is.Claim.Hosts, c.now) {
			t.Errorf("%s: claims %v and has left %v", name, is.Claim.Hosts, is.ReleasedHosts)
		}
		if !slices.Equal(was.ReleasedHosts, c.left) || !slices.Equal(was.Claim.Hosts, c.hosts) {
			t.Errorf("%s: it was %+v before", name, was)
		}
	}
}

// A registry's documents outlive the code that wrote them.
func TestOlderDocumentsAreRead(t *testing.T) {
	var r origin.Record
	err := json.Unmarshal([]byte(`{"ID": "vo_1", "Claim": {"Hosts": ["a"], "Paths": null, "Domain": ""}, "Intent": "wire", "State": "live",
		"Teardown": {"Phase": "grace"}, "Forgotten": 1}`), &r)
	if err != nil || r.ReleasedHosts != nil || !slices.Equal(r.BoundHosts(), []string{"a"}) || r.Teardown.Ended {
		t.Errorf("%+v, %v", r, err)
	}
}

// A setting that an origin claims no longer has its default again. One that it never claimed is nobody's.
func TestSettingsOfARecord(t *testing.T) {
	s := func(read, keepalive, attempts int) origin.Settings {
		return origin.Settings{ReadTimeout: read, KeepaliveTimeout: keepalive, ConnectionAttempts: attempts}
	}
	var r origin.Record
	for i, step := range []struct{ claims, want origin.Settings }{
		{s(0, 0, 0), s(0, 0, 0)},
		{s(60, 0, 1), s(60, 0, 1)},
		{s(90, 0, 0), s(90, 0, 3)},
		{s(0, 7, 0), s(30, 7, 3)},
		{s(0, 0, 0), s(30, 5, 3)},
		{s(45, 0, 0), s(45, 5, 3)},
	} {
		r = r.WithClaim(origin.Claim{Settings: step.claims})
		if got := r.Settings(); got != step.want {
			t.Errorf("step %d: %+v, want %+v", i, got, step.want)
		}
	}
}
