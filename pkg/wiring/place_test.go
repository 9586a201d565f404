package wiring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

func wants(id, team string, hosts []string, paths int) origin.Record {
	r := origin.Record{Ref: origin.Ref{ID: id}, Team: team, Intent: origin.Wire, State: origin.Pending, Claim: origin.Claim{Hosts: hosts}}
	for i := range paths {
		r.Claim.Paths = append(r.Claim.Paths, fmt.Sprintf("/%s/%d", id, i))
	}
	return r
}

func wired(r origin.Record) origin.Record {
	r.State = origin.Live
	return r
}

func TestPlaces(t *testing.T) {
	documented := origin.Distribution{}.Quotas()
	one := func(id, team, host string) wiring.Request {
		return wiring.Request{Record: wants(id, team, []string{host}, 1)}
	}
	many := func(n int, team string, host func(int) string) (out []wiring.Request) {
		for i := range n {
			out = append(out, one(fmt.Sprintf("%s-%03d", team, i), team, host(i)))
		}
		return out
	}
	own := func(team string) func(int) string {
		return func(i int) string { return fmt.Sprintf("%s-%d.example.com", team, i) }
	}
	same := func(host string) func(int) string { return func(int) string { return host } }
	leaving := wired(wants("vo_old", "a", []string{"a.example.com"}, 1))
	leaving.Intent = origin.Detach
	for name, c := range map[string]struct {
		requests []wiring.Request
		rooms    []wiring.Capacity
		want     map[string]int // room, or part of a reason, to how many
	}{
		"130 origins, 65 of each of two teams": {
			slices.Concat(many(65, "a", own("a")), many(65, "b", own("b"))),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Wildcard: true, Limits: documented, Others: wiring.BaseSize()}, {Name: "main-2", Title: "distribution main-2", Limits: documented, Others: wiring.BaseSize()}},
			map[string]int{"main": 65, "main-2": 65},
		},
		"a team that fits nowhere as a whole": {
			many(152, "a", own("a")),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Wildcard: true, Limits: documented, Others: wiring.BaseSize()}, {Name: "main-2", Title: "distribution main-2", Limits: documented, Others: wiring.BaseSize()}},
			map[string]int{"main": 75, "main-2": 75, "distribution main would have 76 behaviors, and the limit is 75; distribution main-2 would have 76 behaviors, and the limit is 75": 2},
		},
		"a host goes where most of it fits": {
			many(4, "a", same("a.example.com")),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Limits: origin.Size{Origins: 1}}, {Name: "main-2", Title: "distribution main-2", Limits: origin.Size{Origins: 3}}},
			map[string]int{"main-2": 3, "host a.example.com is on distribution main-2, and distribution main-2 would have 4 origins": 1},
		},
		"a room that cannot be read is passed over": {
			many(2, "a", own("a")),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Unavailable: "it is gone"}, {Name: "main-2", Title: "distribution main-2", Limits: origin.Size{Origins: 1}}},
			map[string]int{"main-2": 1, "distribution main is unavailable (it is gone); distribution main-2 would have 2 origins": 1},
		},
		"no room can be read": {
			many(1, "a", own("a")),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Unavailable: "it is gone"}},
			map[string]int{"no distribution is available: distribution main is unavailable (it is gone)": 1},
		},
		"the room of its host cannot be read": {
			many(1, "a", same("a.example.com")),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Unavailable: "it is gone", Records: []origin.Record{wired(wants("vo_0", "a", []string{"a.example.com"}, 1))}}, {Name: "main-2", Title: "distribution main-2"}},
			map[string]int{"host a.example.com is on distribution main, which is unavailable (it is gone)": 1},
		},
		"two teams on one host": {
			append(many(2, "a", same("app.example.com")), many(2, "b", same("app.example.com"))...),
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Limits: origin.Size{Behaviors: 3}}, {Name: "main-2", Title: "distribution main-2", Limits: origin.Size{Behaviors: 4}}},
			map[string]int{"main-2": 4},
		},
		"a team goes where it is": {
			[]wiring.Request{one("vo_2", "a", "other.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main"}, {Name: "main-2", Title: "distribution main-2", Records: []origin.Record{wired(wants("vo_1", "a", []string{"a.example.com"}, 1))}}},
			map[string]int{"main-2": 1},
		},
		"hosts that are apart": {
			[]wiring.Request{{Record: wants("vo_3", "a", []string{"a.example.com", "b.example.com"}, 1)}},
			[]wiring.Capacity{
				{Name: "main", Title: "distribution main", Records: []origin.Record{wired(wants("vo_1", "a", []string{"a.example.com"}, 1))}},
				{Name: "main-2", Title: "distribution main-2", Records: []origin.Record{wired(wants("vo_2", "a", []string{"b.example.com"}, 1))}},
			},
			map[string]int{"a.example.com is on distribution main, b.example.com is on distribution main-2; claim": 1},
		},
		"room is what foreign parts leave": {
			[]wiring.Request{one("vo_1", "a", "a.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Limits: origin.Size{Aliases: 3}, Others: origin.Size{Aliases: 3}}, {Name: "E2", Title: "distribution E2", Limits: origin.Size{Aliases: 3}, Others: origin.Size{Aliases: 2}}},
			map[string]int{"E2": 1},
		},
		"what leaves keeps its host, not its room": {
			[]wiring.Request{one("vo_1", "a", "a.example.com"), one("vo_2", "b", "b.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main", Limits: origin.Size{Origins: 1}}, {Name: "main-2", Title: "distribution main-2", Limits: origin.Size{Origins: 1}, Records: []origin.Record{leaving}}},
			map[string]int{"main": 1, "main-2": 1},
		},
		"a host that was left stays where it was until it is gone": {
			[]wiring.Request{one("vo_2", "b", "old.example.com"), one("vo_3", "c", "free.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main"}, {Name: "main-2", Title: "distribution main-2", Records: []origin.Record{
				wired(wants("vo_1", "a", []string{"old.example.com"}, 1)).WithClaim(origin.Claim{Hosts: []string{"new.example.com"}}),
			}}},
			map[string]int{"main": 1, "main-2": 1},
		},
		"a host that is left in this very round, too": {
			[]wiring.Request{one("vo_0", "b", "old.example.com"), {
				Record: wants("vo_1", "a", []string{"old.example.com"}, 1).WithClaim(origin.Claim{Hosts: []string{"new.example.com"}}), Only: "main-2",
			}},
			[]wiring.Capacity{{Name: "main", Title: "distribution main"}, {Name: "main-2", Title: "distribution main-2", Records: []origin.Record{wired(wants("vo_1", "a", []string{"old.example.com"}, 1))}}},
			map[string]int{"main-2": 2},
		},
		"an alias that no record speaks of binds its host, and takes no more room": {
			[]wiring.Request{one("vo_1", "a", "old.example.com"), one("vo_2", "b", "new.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main"}, {Name: "main-2", Title: "distribution main-2", Limits: origin.Size{Aliases: 1}, Others: origin.Size{Aliases: 1}, Aliases: []string{"old.example.com"}}},
			map[string]int{"main": 1, "main-2": 1},
		},
		"what policy names no more takes nothing": {
			[]wiring.Request{one("vo_2", "a", "a.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main"}, {Name: "main-2", Title: "distribution main-2", Closed: true, Records: []origin.Record{wired(wants("vo_1", "a", []string{"a.example.com"}, 1))}}},
			map[string]int{"host a.example.com is on distribution main-2, which the hub policy no longer names": 1},
		},
		"what is wired without a record stays, whatever the limit": {
			[]wiring.Request{{Record: wants("vo_1", "a", []string{"a.example.com"}, 9), Only: "main-2", Orphaned: true}, one("vo_2", "a", "a.example.com")},
			[]wiring.Capacity{{Name: "main", Title: "distribution main"}, {Name: "main-2", Title: "distribution main-2", Limits: origin.Size{Behaviors: 10}, Others: origin.Size{Origins: 1, Behaviors: 9}}},
			map[string]int{"main-2": 2},
		},
		"no distribution of that name": {
			[]wiring.Request{{Record: wants("vo_1", "a", nil, 1), Only: "gone"}}, nil, map[string]int{"distribution gone is not in the registry": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			places := wiring.Places(c.requests, c.rooms)
			if len(places) != len(c.requests) {
				t.Errorf("%d places for %d requests", len(places), len(c.requests))
			}
			got := map[string]int{}
			for _, p := range places {
				key := p.Distribution
				for said := range c.want {
					if p.Distribution == "" && len(said) > len(key) && strings.Contains(p.Why.Message, said) {
						key = said
					}
				}
				if key == "" {
					key = p.Why.Message
				}
				got[key]++
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An origin that is wired may change its claim as far as its own distribution has room.
func TestPlacesOfWhatIsWired(t *testing.T) {
	was := wired(wants("vo_1", "a", []string{"a.example.com"}, 2))
	rooms := []wiring.Capacity{
		{Name: "main", Title: "distribution main", Limits: origin.Size{Behaviors: 2}, Records: []origin.Record{was, wired(wants("vo_2", "a", []string{"a.example.com"}, 1))}},
		{Name: "main-2", Title: "distribution main-2", Records: []origin.Record{wired(wants("vo_3", "b", []string{"b.example.com"}, 1))}},
	}
	for name, c := range map[string]struct {
		paths int
		host  string
		why   string
	}{
		"as many paths, although the limit has become lower": {2, "a.example.com", ""},
		"one path less":            {1, "a.example.com", ""},
		"one path more":            {3, "a.example.com", "distribution main would have 4 behaviors, and the limit is 2"},
		"another host":             {2, "c.example.com", ""},
		"a host that is elsewhere": {2, "b.example.com", "b.example.com is on distribution main-2"},
	} {
		is := wants("vo_1", "a", []string{c.host}, c.paths)
		got := wiring.Places([]wiring.Request{{Record: is, Only: "main"}}, rooms)["vo_1"]
		if (got.Distribution == "main") != (c.why == "") || !strings.Contains(got.Why.Message, c.why) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Two runs of admit at the same time may give origins of one host their places on two distributions.
func TestApart(t *testing.T) {
	on := func(distribution string, r origin.Record) origin.Record {
		r.Distribution = distribution
		return r
	}
	host := []string{"a.example.com"}
	moved := wired(wants("vo_1", "a", host, 1)).WithClaim(origin.Claim{Hosts: []string{"new.example.com"}})
	leaving, out := wired(wants("vo_1", "a", host, 1)), wants("vo_1", "a", host, 1)
	leaving.Intent, out.Intent, out.State = origin.Detach, origin.Detach, origin.Detached
	for name, c := range map[string]struct {
		here, there origin.Record
		apart       bool
	}{
		"another one of the host is live elsewhere":  {wants("vo_2", "b", host, 1), wired(wants("vo_1", "a", host, 1)), true},
		"another one has left the host elsewhere":    {wants("vo_2", "b", host, 1), moved, true},
		"another one still leaves elsewhere":         {wants("vo_2", "b", host, 1), leaving, true},
		"another one is out elsewhere":               {wants("vo_2", "b", host, 1), out, false},
		"both are to come, and the other is earlier": {wants("vo_2", "b", host, 1), wants("vo_1", "a", host, 1), true},
		"both are to come, and the other is later":   {wants("vo_1", "b", host, 1), wants("vo_2", "a", host, 1), false},
		"what is live stays":                         {wired(wants("vo_2", "b", host, 1)), wired(wants("vo_1", "a", host, 1)), false},
		"another host":                               {wants("vo_2", "b", []string{"b.example.com"}, 1), wired(wants("vo_1", "a", host, 1)), false},
	} {
		here := on("main", c.here)
		got := wiring.HostConflicts([]origin.Record{here}, []origin.Record{here, on("main-2", c.there)})
		if (len(got) == 1) != c.apart || c.apart && (got[0].VPCOrigin != c.here.ID || !got[0].Waits() || !strings.Contains(got[0].Message, "main-2")) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func size(rooms []wiring.Capacity, name string) (n origin.Size) {
	hosts := map[string]bool{}
	for _, room := range rooms {
		if room.Name != name {
			continue
		}
		n = n.Plus(room.Others)
		if room.Wildcard {
			n.Aliases++
		}
		for _, r := range room.Records {
			if r.Intent == origin.Wire && r.State != origin.Deferred {
				n = n.Plus(origin.Size{Origins: 1, Behaviors: len(r.Claim.Paths)})
				for _, h := range r.Claim.Hosts {
					hosts[h] = !room.Wildcard || hosts[h]
				}
			}
		}
	}
	for _, counts := range hosts {
		if counts {
			n.Aliases++
		}
	}
	return n
}

func beyond(n, limits origin.Size) bool { return n != n.Within(limits) && limits.Within(n) != n }

func TestPlacesHoldWhateverComes(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 6)
		var rooms []wiring.Capacity
		for i := range rapid.IntRange(1, 3).Draw(t, "rooms") {
			rooms = append(rooms, wiring.Capacity{
				Name: fmt.Sprintf("d%d", i), Wildcard: rapid.Bool().Draw(t, "wildcard"), Closed: i > 0 && rapid.IntRange(0, 4).Draw(t, "closed") == 0,
				Limits: origin.Size{Origins: limit.Draw(t, "origins"), Behaviors: limit.Draw(t, "behaviors"), Aliases: limit.Draw(t, "aliases")},
				Others: origin.Size{Origins: rapid.IntRange(0, 1).Draw(t, "others")},
			})
		}
		// Origins come in rounds, as they do in life; what was placed is there in the next round, and some leave.
		host := rapid.SampledFrom([]string{"a.x", "b.x", "c.x", "d.x"})
		next := 0
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			var requests []wiring.Request
			for range rapid.IntRange(0, 6).Draw(t, "requests") {
				next++
				r := wants(fmt.Sprintf("vo_%02d", next), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "team"),
					rapid.SliceOfNDistinct(host, 1, 2, rapid.ID[string]).Draw(t, "hosts"), rapid.IntRange(1, 3).Draw(t, "paths"))
				r.Admitted = start.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "admitted")) * time.Minute)
				requests = append(requests, wiring.Request{Record: r})
			}
			for _, room := range rooms {
				for _, r := range room.Records {
					if r.Intent == origin.Wire && rapid.IntRange(0, 3).Draw(t, "moves") == 0 {
						claim := r.Claim
						claim.Hosts = rapid.SliceOfNDistinct(host, 1, 2, rapid.ID[string]).Draw(t, "to")
						requests = append(requests, wiring.Request{Record: r.WithClaim(claim), Only: room.Name})
					}
				}
			}
			places := wiring.Places(requests, rooms)
			if diff := cmp.Diff(places, wiring.Places(rapid.Permutation(requests).Draw(t, "order"), rooms)); diff != "" {
				t.Fatalf("the order of requests matters: %s", diff)
			}
			before := slices.Clone(rooms)
			for i := range rooms {
				rooms[i].Records = slices.Clone(rooms[i].Records)
				for _, r := range requests {
					if places[r.ID].Distribution == rooms[i].Name {
						rooms[i].Records = slices.DeleteFunc(rooms[i].Records, func(was origin.Record) bool { return was.ID == r.ID })
						rooms[i].Records = append(rooms[i].Records, wired(r.Record))
					}
				}
			}
			check(t, requests, places, before, rooms)
			for i := range rooms {
				for j := range rooms[i].Records {
					if r := &rooms[i].Records[j]; r.State == origin.Live && rapid.IntRange(0, 3).Draw(t, "leaves") == 0 {
						r.Intent = origin.Detach
						r.State = rapid.SampledFrom([]origin.State{origin.Live, origin.Detaching, origin.Detached, origin.Deleted}).Draw(t, "state")
					}
				}
			}
		}
	})
}

func check(t *rapid.T, requests []wiring.Request, places map[string]wiring.Place, before, after []wiring.Capacity) {
	t.Helper()
	if len(places) != len(requests) {
		t.Fatalf("%d places for %d requests", len(places), len(requests))
	}
	at := map[string]string{} // host to room
	for i, room := range after {
		if slices.ContainsFunc(requests, func(r wiring.Request) bool { return r.Only == room.Name }) {
			room.Limits.Aliases = 0 // origins that had a host in common may move to one each: the plan refuses what is too many
		}
		if grown := len(room.Records) > len(before[i].Records); grown && (room.Closed || beyond(size(after, room.Name), room.Limits)) {
			t.Fatalf("%s holds %+v, and its limits are %+v", room.Name, size(after, room.Name), room.Limits)
		}
		for _, r := range room.Records {
			for _, h := range r.BoundHosts() {
				if at[h] != "" && at[h] != room.Name {
					t.Fatalf("%s is on %s and %s", h, at[h], room.Name)
				}
				at[h] = room.Name
			}
		}
	}
	for _, r := range requests {
		if p := places[r.ID]; (p.Distribution == "") == (p.Why.Code == "") {
			t.Fatalf("%s has the place %+v", r.ID, p)
		}
		// Who waits does fit nowhere, not even now alone. What would move may do so once others have.
		if places[r.ID].Distribution == "" && r.Only == "" {
			if p := wiring.Places([]wiring.Request{r}, after)[r.ID]; p.Distribution != "" {
				t.Fatalf("%s waits although %s has room", r.ID, p.Distribution)
			}
		}
	}
}
