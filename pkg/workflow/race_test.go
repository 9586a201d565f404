package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
	"github.com/originhub/originhub/pkg/wiring"
)

// contested is the world of one origin that admit and a teardown look at in the same moment: its team takes the tag away and
// sets it again just so that each sees what makes it act. One function gets the other's whole run in between its own calls.
type contested struct {
	Owner
	shares

	record  []byte // as it is kept
	version int
	calls   int
	cutIn   int // before this call …
	other   func()
	undone  string // what was done that cannot be undone

	unshared bool // as the teardown sees it; the team has shared it again by the time when admit looks
}

// ownerShares keeps apart two ports that the world is at once.
type ownerShares struct{ w *contested }

func (w *contested) call() {
	if w.calls++; w.calls == w.cutIn {
		w.other()
	}
}

func (w *contested) get() origin.Record {
	var o origin.Record
	if err := json.Unmarshal(w.record, &o); err != nil {
		panic(err)
	}
	o.Version = w.version
	return o
}

func (w *contested) Load(context.Context) (origin.Snapshot, error) {
	w.call()
	return origin.Snapshot{
		Now: now, Records: []origin.Record{w.get()}, Refusals: map[string][]origin.Reason{}, Tallies: map[string]origin.Tally{},
		Distributions: []origin.Distribution{{Name: origin.Main, Identity: origin.Identity{ID: "E1"}, Observation: origin.Observation{ObservedAt: now}}},
	}, nil
}

func (w *contested) LoadOrigins(ctx context.Context, _, _, _, _ []string) (origin.Snapshot, error) {
	return w.Load(ctx)
}

func (w *contested) Find(context.Context, []string) ([]origin.Record, error) {
	w.call()
	return nil, nil
}

func (w *contested) Move(context.Context, origin.Record, time.Time) error {
	w.call()
	return nil
}

func (w *contested) PutFleet(context.Context, origin.Fleet) error {
	w.call()
	return nil
}

func (w *contested) PutRecord(_ context.Context, o origin.Record) (origin.Record, error) {
	w.call()
	if o.Version != w.version {
		return o, &fault.Reread{Err: errors.New("somebody else wrote")}
	}
	w.version++
	o.Version = w.version
	w.record, _ = json.Marshal(o)
	return o, nil
}

func (w *contested) MoveRecord(ctx context.Context, _ string, o origin.Record) (origin.Record, error) {
	return w.PutRecord(ctx, o)
}

func (w *contested) PutRefusal(context.Context, string, []origin.Reason, time.Time) error { return nil }

func (w *contested) PutTally(context.Context, origin.Tally, time.Time) error { return nil }

// What admit sees: an origin that is shared, with a claim and without the teardown tag.

func (w *contested) Invitations(context.Context) ([]origin.Invitation, error) {
	w.call()
	return nil, nil
}

func (w *contested) Shares(context.Context) ([]origin.Share, error) {
	w.call()
	return []origin.Share{{ARN: "share", Owner: "222222222222"}}, nil
}

func (w *contested) Memberships(context.Context) (map[string]origin.Membership, error) {
	w.call()
	return map[string]origin.Membership{"share": origin.Inside}, nil
}

func (w *contested) Resources(context.Context) ([]origin.Resource, error) {
	w.call()
	return []origin.Resource{{Share: "share", ARN: w.get().ARN, Type: admission.VPCOrigin}}, nil
}

func (w *contested) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	w.call()
	return []origin.VpcOrigin{{Ref: w.get().Ref, Deployed: true}}, nil
}

type claimed struct{ w *contested }

func (c claimed) Tags(context.Context, string) (map[string]string, error) {
	c.w.call()
	return map[string]string{contract.TagHost: "b.example.com", contract.TagPaths: "/b/", contract.TagDomain: "internal.example.com"}, nil
}

// What the teardown sees: an origin with the tag, out of every distribution.

func (w *contested) VpcOrigin(context.Context, string) (origin.VpcOrigin, error) {
	w.call()
	return origin.VpcOrigin{Ref: w.get().Ref, Deployed: true, Endpoint: "endpoint"}, nil
}

func (w *contested) Tags(context.Context, string) (map[string]string, error) {
	w.call()
	return map[string]string{contract.TagTeardown: "now"}, nil
}

func (w *contested) UsersOf(context.Context, string) ([]origin.User, error) {
	w.call()
	return nil, nil
}

func (w *contested) DeleteVpcOrigin(context.Context, string, string) error {
	w.call()
	return w.irrevocably("deleted")
}

func (w *contested) Distribution(context.Context, string) (origin.Served, error) {
	w.call()
	return origin.Served{ID: "E1", Deployed: true, Config: wiring.Base(wiring.BaseSpec{}).Bytes()}, nil
}

func (s ownerShares) Associations(context.Context) ([]origin.Association, error) {
	s.w.call()
	if s.w.unshared {
		return nil, nil
	}
	return []origin.Association{{Share: "share", Name: "originhub-share", Resource: s.w.get().ARN, Status: "ASSOCIATED"}}, nil
}

func (s ownerShares) DeleteShare(context.Context, string) error {
	s.w.call()
	return s.w.irrevocably("unshared")
}

func (s ownerShares) Disassociate(context.Context, string, string) error {
	s.w.call()
	return s.w.irrevocably("unshared")
}

func (w *contested) irrevocably(what string) error {
	w.undone = what
	return nil
}

func (w *contested) Send(context.Context, string, time.Duration) error { return nil }

func (w *contested) admit() error {
	a := &Admit{
		Past: w,
		Policy: admission.Policy{
			Domain: "example.com", Distribution: admission.Distribution{Adopt: []string{"E1"}},
			Teams: []admission.Team{{
				Name: "team-b", Accounts: []string{"222222222222"}, Spoke: true,
				Grants: []admission.Grant{{Host: "b.example.com", Paths: []string{"/b/*"}}},
			}},
		},
		Registry: w, Shares: w, CloudFront: w, Spoke: func(string) Spoke { return claimed{w} },
		Queue: w, WireQueue: w, Bus: quiet{}, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler),
	}
	return a.Run(context.Background(), []inbound.Message{inbound.Sweep{}})
}

func (w *contested) tearDown(phase teardown.Phase, redrives int) error {
	t := &Teardown{
		Registry: w, CloudFront: w, Owner: func(string) Owner { return w }, Shares: func(string) OwnerShares { return ownerShares{w} },
		WireQueue: w, Bus: quiet{}, Meter: noMeter{}, Log: slog.New(slog.DiscardHandler),
	}
	_, err := t.Step(context.Background(), inbound.Task{Phase: string(phase), Origin: "vo_1", Generation: 1, Redrives: &redrives})
	return err
}

// An origin is either wired again or unshared and deleted, whichever of the two functions cuts in on the other, and where.
func TestNoOriginIsWiredAgainAndDeleted(t *testing.T) {
	ref, err := origin.ParseARN("arn:aws:cloudfront::222222222222:vpcorigin/vo_1")
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	for _, start := range []struct {
		recorded, task teardown.Phase
		redrives       int // a redriven execution goes on where it was blocked
	}{
		{teardown.Record, teardown.Unshare, 0},
		{teardown.Unshare, teardown.Unshare, 1},
		{teardown.Unshare, teardown.Delete, 1},
		{teardown.Delete, teardown.Delete, 1},
	} {
		for _, outer := range []string{"admit", "teardown"} {
			for cutIn := 1; ; cutIn++ {
				td := &origin.Teardown{Value: "now", Phase: string(start.recorded), Since: now, VPC: "vpc-1", Recorded: true}
				if start.redrives > 0 {
					td.Ended, td.Outcome, td.Because = true, string(teardown.Blocked), origin.Reason{Code: "in-the-way", Message: "something was"}
				}
				record, err := json.Marshal(origin.Record{
					Ref: ref, Distribution: origin.Main, Team: "team-b", Share: "share", Intent: origin.Detach, State: origin.Detached, Generation: 1,
					Claim:    origin.Claim{Hosts: []string{"b.example.com"}, Paths: []string{"/b/*"}, Domain: "internal.example.com"},
					Teardown: td,
				})
				if err != nil {
					t.Fatal(err)
				}
				w := &contested{record: record, version: 1, cutIn: cutIn, unshared: start.task == teardown.Delete}
				cut := false
				admit, tearDown := w.admit, func() error { return w.tearDown(start.task, start.redrives) }
				run, other := admit, tearDown
				if outer == "teardown" {
					run, other = tearDown, admit
				}
				w.other = func() { cut = true; _ = other() }
				err = run()
				if !cut {
					break // it makes fewer calls
				}
				if fault.Is[*fault.Reread](err) {
					err = run()
				}
				if err != nil {
					t.Errorf("%s in %s: %v", outer, start.recorded, err)
				}
				back := w.get().Intent == origin.Wire
				outcomes[fmt.Sprintf("back %t, %s", back, w.undone)]++
				if back && w.undone != "" {
					t.Errorf("%s had its call %d interrupted in phase %s: the origin is to be wired, and %s",
						outer, cutIn, start.recorded, w.undone)
				}
			}
		}
	}
	for _, each := range []string{"back true, ", "back false, unshared", "back false, deleted"} {
		if outcomes[each] == 0 {
			t.Errorf("never seen: %s; but %v", each, outcomes)
		}
	}
}
