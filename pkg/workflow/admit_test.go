package workflow

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// offering is a hub in which two teams of an organization share an origin each, three accounts invite the hub, and one origin is
// shared no longer. It notes what is done, in order, and fails at one thing.
type offering struct {
	ports
	snapshot origin.Snapshot
	class    func(error) error // of the failure
	unlisted []string          // VPC origins that CloudFront's list lacks
}

func (w *offering) call(what string) error {
	if err := w.do(what); err != nil {
		return w.class(err)
	}
	return nil
}

func refOf(account, id string) origin.Ref {
	return origin.Ref{ID: id, Account: account, ARN: "arn:aws:cloudfront::" + account + ":vpcorigin/" + id}
}

func (w *offering) Load(context.Context) (origin.Snapshot, error) { return w.snapshot, nil }

func (w *offering) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	o.Version++
	return o, w.call("write " + o.ID + " " + string(o.Intent))
}

func (w *offering) MoveRecord(_ context.Context, from string, o origin.Record) (origin.Record, error) {
	return o, w.call("move " + o.ID + " from " + from)
}

func (w *offering) PutRefusal(_ context.Context, what string, _ []origin.Reason, _ time.Time) error {
	return w.call("refuse " + what)
}

func (w *offering) Move(_ context.Context, o origin.Record, _ time.Time) error {
	return w.call("forget " + o.ID)
}

func (w *offering) Find(_ context.Context, ids []string) ([]origin.Record, error) {
	return nil, w.call("recall " + strings.Join(ids, " "))
}

func (w *offering) PutFleet(context.Context, origin.Fleet) error { return w.call("write fleet") }

func (w *offering) PutTally(context.Context, origin.Tally, time.Time) error { return nil }

func (w *offering) Invitations(context.Context) ([]origin.Invitation, error) {
	var all []origin.Invitation
	for i, sender := range []string{"1", "2", "9"} {
		account := strings.Repeat(sender, 12)
		all = append(all, origin.Invitation{ARN: "i" + sender, Share: "share-" + sender, Sender: account, Sent: now.Add(-time.Duration(i+1) * time.Minute)})
	}
	return all, w.call("list invitations")
}

func (w *offering) Open(_ context.Context, invitation string) ([]origin.Resource, error) {
	number := strings.TrimPrefix(invitation, "i")
	ref := refOf(strings.Repeat(number, 12), "vo_new"+number)
	return []origin.Resource{{Share: "share-" + number, ARN: ref.ARN, Type: admission.VPCOrigin}}, w.call("open " + invitation)
}

func (w *offering) Accept(_ context.Context, invitation string) error {
	return w.call("accept " + invitation)
}

func (w *offering) Reject(_ context.Context, invitation string) error {
	return w.call("reject " + invitation)
}

func (w *offering) Shares(context.Context) ([]origin.Share, error) {
	return []origin.Share{{ARN: "in-1", Owner: strings.Repeat("1", 12)}, {ARN: "in-2", Owner: strings.Repeat("2", 12)}}, w.call("list shares")
}

func (w *offering) Memberships(context.Context) (map[string]origin.Membership, error) {
	return nil, w.call("list memberships")
}

func (w *offering) Resources(context.Context) ([]origin.Resource, error) {
	return []origin.Resource{
		{Share: "in-1", ARN: refOf(strings.Repeat("1", 12), "vo_1").ARN, Type: admission.VPCOrigin},
		{Share: "in-2", ARN: refOf(strings.Repeat("2", 12), "vo_2").ARN, Type: admission.VPCOrigin},
	}, w.call("list resources")
}

func (w *offering) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	list := []origin.VpcOrigin{
		{Ref: refOf(strings.Repeat("1", 12), "vo_1"), Deployed: true}, {Ref: refOf(strings.Repeat("2", 12), "vo_2"), Deployed: true},
	}
	return slices.DeleteFunc(list, func(v origin.VpcOrigin) bool { return slices.Contains(w.unlisted, v.ID) }), w.call("list origins")
}

func (w *offering) VpcOrigin(_ context.Context, id string) (origin.VpcOrigin, error) {
	return origin.VpcOrigin{Ref: refOf(strings.Repeat(id[len(id)-1:], 12), id), Deployed: true}, w.call("get " + id)
}

func (w *offering) Tags(_ context.Context, arn string) (map[string]string, error) {
	id := arn[strings.LastIndex(arn, "/")+1:]
	host := id[len(id)-1:] + ".example.com"
	return map[string]string{contract.TagHost: host, contract.TagPaths: "/" + id + "/", contract.TagDomain: "internal.example.com"}, w.call("read " + id)
}

// run runs a sweep, and returns what was done apart from counting, each thing in its order.
func (w *offering) run(t *testing.T) (did []string, err error) {
	t.Helper()
	p := admission.Policy{
		Domain: "example.com", Distribution: admission.Distribution{Adopt: []string{"E1"}}, Shares: admission.Shares{External: true, Reject: true},
	}
	for _, number := range []string{"1", "2"} {
		p.Teams = append(p.Teams, admission.Team{
			Name: "team-" + number, Accounts: []string{strings.Repeat(number, 12)}, Outside: true, Spoke: true,
			Grants: []admission.Grant{{Host: number + ".example.com", Paths: []string{"/vo_" + number + "/*", "/old/*"}}},
		})
	}
	gone := origin.Record{
		Ref: refOf(strings.Repeat("1", 12), "vo_gone"), Distribution: origin.Main, Team: "team-1", Share: "in-1", Intent: origin.Wire, State: origin.Live,
		Claim:      origin.Claim{Hosts: []string{"1.example.com"}, Paths: []string{"/old/*"}, Domain: "internal.example.com"},
		Generation: 1, Version: 1,
	}
	w.snapshot = origin.Snapshot{
		Now: now, Records: []origin.Record{gone}, Distributions: []origin.Distribution{{Name: origin.Main, Identity: origin.Identity{ID: "E1"}, Observation: origin.Observation{ObservedAt: now}}},
		Refusals: map[string][]origin.Reason{}, Tallies: map[string]origin.Tally{}, Fleet: origin.Fleet{Known: true, Named: p.Distribution.Fleet()},
	}
	a := &Admit{
		Policy: p, Registry: w, Past: w, Shares: w, CloudFront: w, Spoke: func(string) Spoke { return w }, Queue: w, WireQueue: w, Bus: w, Meter: w,
		Log: slog.New(slog.DiscardHandler),
	}
	err = a.Run(context.Background(), []inbound.Message{inbound.Sweep{}})
	return slices.DeleteFunc(w.did, func(what string) bool {
		return strings.HasPrefix(what, "record ") && strings.HasSuffix(what, " "+string(outcome.Count))
	}), err
}

const (
	again = `send {"source":"originhub","detail-type":"Trigger","detail":{"why":"observe again"}} after 15s`
	wires = `send {"source":"originhub","detail-type":"Trigger","detail":{"why":"registry changed"}} after 30s`
)

// offeringDoes is what a sweep does where nothing fails.
func offeringDoes() []string {
	return []string{
		"list invitations", "open i1", "accept i1", "open i2", "accept i2",
		"record OldestPendingShare 0 Seconds",
		"list shares", "list resources", "list memberships", "recall vo_1 vo_2", "list origins", "read vo_1", "read vo_2",
		"publish Share Accepted", "publish Share Accepted", "publish Origin Admitted", "write vo_1 wire", "publish Origin Admitted", "write vo_2 wire", "publish Origin Withdrawn", "write vo_gone detach",
		"record LongestPropagation 0 Seconds", wires, again,
	}
}

// allBut is what is done if one thing fails, and what rests on it is not done.
func allBut(all []string, missing ...string) []string {
	for _, one := range missing {
		at := slices.Index(all, one)
		all = slices.Delete(all, at, at+1)
	}
	return all
}

// Whatever fails, the others do not wait for it, and what was recorded before is wired. The run fails then, and is repeated by its
// queue; so it asks for no other one.
func TestAdmitGoesOnWhateverFails(t *testing.T) {
	pending := func(age string, did []string) []string {
		did[slices.Index(did, "record OldestPendingShare 0 Seconds")] = "record OldestPendingShare " + age + " Seconds"
		return did
	}
	for broken, want := range map[string][]string{
		"":                 offeringDoes(),
		"list invitations": allBut(offeringDoes(), slices.Concat(offeringDoes()[:6], offeringDoes()[13:15], []string{again})...),
		"open i1":          pending("60", allBut(offeringDoes(), "open i1", "accept i1", "publish Share Accepted", again)),
		"accept i2":        pending("120", allBut(offeringDoes(), "accept i2", "publish Share Accepted", again)),
		"read vo_1":        allBut(offeringDoes(), "read vo_1", "publish Origin Admitted", "write vo_1 wire", again),
		"write vo_1 wire":  allBut(offeringDoes(), "write vo_1 wire", again),
		"list memberships": allBut(offeringDoes(), slices.Concat(offeringDoes()[8:13], offeringDoes()[15:21], []string{again})...),
		"recall vo_1 vo_2": allBut(offeringDoes(), slices.Concat(offeringDoes()[9:13], offeringDoes()[15:21], []string{again})...),
		"list origins":     allBut(offeringDoes(), slices.Concat(offeringDoes()[10:13], offeringDoes()[15:21], []string{again})...),
	} {
		w := &offering{ports: ports{broken: broken}, class: fault.AsRetry}
		did, err := w.run(t)
		if broken == "list invitations" { // nothing was accepted that is about to appear
			want = append(want[:len(want)-1], strings.Replace(wires, "30s", "0s", 1))
		}
		if (err != nil) != (broken != "") {
			t.Errorf("broken %q: %v", broken, err)
		}
		if !slices.Equal(did, want) {
			t.Errorf("broken %q: did\n%s\nwant\n%s", broken, strings.Join(did, "\n"), strings.Join(want, "\n"))
		}
	}
}

// An origin that CloudFront's list lacks is read by id, and no other is. If that fails, the others do not wait for it.
func TestAdmitReadsByIDWhatCloudFrontDoesNotList(t *testing.T) {
	waits := func() []string {
		return allBut(offeringDoes(), "read vo_1", "publish Origin Admitted", "write vo_1 wire")
	}
	for _, c := range []struct {
		name, broken string
		class        func(error) error
		want         []string
		fails        bool
	}{
		{"found", "", fault.AsRetry, slices.Insert(offeringDoes(), 11, "get vo_1"), false},
		{"throttled", "get vo_1", fault.AsRetry, allBut(waits(), again), true},
		{"denied", "get vo_1", fault.AsGiveUp, waits(), false},
	} {
		w := &offering{ports: ports{broken: c.broken}, class: c.class, unlisted: []string{"vo_1"}}
		did, err := w.run(t)
		if (err != nil) != c.fails || !slices.Equal(did, c.want) {
			t.Errorf("%s: %v, did\n%s\nwant\n%s", c.name, err, strings.Join(did, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// What AWS refuses for good is said, and is no failure of the run. What somebody else has answered is not said.
func TestAdmitSaysWhatItMayNotRead(t *testing.T) {
	for _, c := range []struct {
		broken string
		class  func(error) error
		want   []string
	}{
		{"read vo_1", fault.AsGiveUp, func() []string {
			did := allBut(offeringDoes(), "read vo_1", "write vo_1 wire")
			at := slices.Index(did, "publish Origin Admitted")
			return slices.Replace(did, at, at+1, "publish Origin Refused", "refuse "+refOf(strings.Repeat("1", 12), "vo_1").ARN)
		}()},
		{"open i1", fault.AsGiveUp, func() []string {
			did := allBut(offeringDoes(), "open i1", "accept i1", "publish Share Accepted")
			return slices.Insert(did, 1, "publish Share Refused", "refuse share-1")
		}()},
		{"list memberships", fault.AsGiveUp, allBut(offeringDoes(), "list memberships")}, // the policy permits both teams outside
		{"open i1", fault.AsFinished, allBut(offeringDoes(), "open i1", "accept i1", "publish Share Accepted")},
		{"accept i1", fault.AsAbsent, allBut(offeringDoes(), "accept i1", "publish Share Accepted")},
	} {
		w := &offering{ports: ports{broken: c.broken}, class: c.class}
		did, err := w.run(t)
		if err != nil || !slices.Equal(did, c.want) {
			t.Errorf("broken %q: %v, did\n%s\nwant\n%s", c.broken, err, strings.Join(did, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
