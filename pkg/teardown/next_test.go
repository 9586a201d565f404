package teardown_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const (
	owner = "222222222222"
	arn   = "arn:aws:cloudfront::222222222222:vpcorigin/vo_b"
	other = "arn:aws:cloudfront::222222222222:vpcorigin/vo_c"
)

// at is a teardown whose task works on a phase, with nothing in the way of the phases before. It began an hour ago.
func at(phase teardown.Phase) teardown.Observed {
	return teardown.Observed{
		Now: start.Add(time.Hour), Phase: phase, Generation: 3, Known: true, Tag: teardown.TagPresent, Value: "now", Exists: true, Deployed: true, ETag: "E2",
		Endpoint: "alb", Place: origin.Endpoint{Region: "eu-west-1", VPC: "vpc-1", Subnets: []string{"subnet-1"}},
		Shares: []origin.Association{{Share: "share-1", Name: "originhub-b", Resource: arn, Status: "ASSOCIATED"}},
		Record: origin.Record{
			Ref: origin.Ref{ID: "vo_b", Account: owner, ARN: arn}, Generation: 3, Intent: origin.Detach, State: origin.Detached, Token: "old",
			Teardown: &origin.Teardown{
				Value: "now", Requested: start, Due: start, Phase: string(phase), Since: start.Add(time.Hour), ETag: "E2",
				Region: "eu-west-1", VPC: "vpc-1", ENIs: []string{"eni-1", "eni-2"}, Recorded: index(phase) > index(teardown.Record),
			},
		},
	}
}

// live is a teardown that has begun nothing.
func live(phase teardown.Phase) teardown.Observed {
	o := at(phase)
	o.Record.Intent, o.Record.State = origin.Wire, origin.Live
	return o
}

// gone is a teardown whose VPC origin is deleted.
func gone(enis ...string) teardown.Observed {
	o := at(teardown.Verify)
	o.Exists, o.Deployed, o.Shares = false, false, nil
	for _, id := range enis {
		o.ENIs = append(o.ENIs, origin.ENI{ID: id, VPC: "vpc-1", Subnet: "subnet-1"})
	}
	return o
}

func adopted(o *teardown.Observed) { o.Adopted = true }

func usedUnmanaged(o *teardown.Observed) { o.Unmanaged = []string{"origin theirs", "behavior /x"} }

// but is o with a change.
func but(o teardown.Observed, change func(*teardown.Observed)) teardown.Observed {
	t := *o.Record.Teardown
	o.Record.Teardown = &t
	change(&o)
	return o
}

// but ended in its phase.
func ended(o teardown.Observed, how teardown.Outcome, why string) teardown.Observed {
	return but(o, func(o *teardown.Observed) {
		o.Record.Teardown.Ended, o.Record.Teardown.Outcome = true, string(how)
		o.Record.Teardown.Because = origin.Reason{Code: "some-reason", Message: why}
	})
}

var facts = []teardown.Fact{
	teardown.Tag, teardown.Naming, teardown.Usage, teardown.Sharing, teardown.Existence, teardown.Placement, teardown.Interfaces,
	teardown.OtherOrigins,
}

// decide observes whatever Next asks for, and returns what it decides then and what was observed.
func decide(t interface{ Fatalf(string, ...any) }, o teardown.Observed) (teardown.Step, []teardown.Fact) {
	var looked []teardown.Fact
	o.Has = map[teardown.Fact]bool{}
	for {
		s := teardown.Next(o)
		if s.Verdict != teardown.Observe {
			return s, looked
		}
		if !slices.Contains(facts, s.Fact) || o.Has[s.Fact] || s.Phase != o.Phase {
			t.Fatalf("in phase %s, wants to look at %q again: %+v", o.Phase, s.Fact, s)
		}
		o.Has[s.Fact] = true
		looked = append(looked, s.Fact)
	}
}

func index(p teardown.Phase) int { return slices.Index(teardown.Phases(), p) }

func TestNext(t *testing.T) {
	used := func(o *teardown.Observed) { o.Users = []origin.User{{Distribution: "E2", Account: "444444444444"}} }
	untagged := func(o *teardown.Observed) { o.Tag = teardown.TagAbsent }
	later := func(d time.Duration) func(*teardown.Observed) {
		return func(o *teardown.Observed) { o.Now = o.Now.Add(d) }
	}
	both := func(changes ...func(*teardown.Observed)) func(*teardown.Observed) {
		return func(o *teardown.Observed) {
			for _, c := range changes {
				c(o)
			}
		}
	}
	status := func(words ...string) func(*teardown.Observed) {
		return func(o *teardown.Observed) {
			o.Shares = nil
			for i, w := range words {
				o.Shares = append(o.Shares, origin.Association{Share: "share-" + string(rune('1'+i)), Resource: arn, Status: w})
			}
		}
	}
	did := func(o *teardown.Observed) { o.ActDone = true }
	for name, c := range map[string]struct {
		seen    teardown.Observed
		change  func(*teardown.Observed)
		verdict teardown.Verdict
		phase   teardown.Phase
		outcome teardown.Outcome
		says    []string
	}{
		// any phase
		"out of date": {
			seen: at(teardown.Confirm), change: func(o *teardown.Observed) { o.Generation = 2 },
			verdict: teardown.End, phase: teardown.Confirm, outcome: teardown.Cancelled, says: []string{"generation 2", "generation 3"},
		},
		"out of date where nothing can be cancelled": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Generation = 2 }, verdict: teardown.Move, phase: teardown.Unshare,
		},
		"out of date where no way leads back": {
			seen: at(teardown.Verify), change: func(o *teardown.Observed) { o.Generation = 2 },
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.OutOfDate, says: []string{"generation 3"},
		},
		"unknown": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Known, o.Record = false, origin.Record{} },
			verdict: teardown.End, phase: teardown.Record, outcome: teardown.OutOfDate, says: []string{"the next sweep restores"},
		},
		"nobody asked for it, as far as the registry knows": {
			seen: live(teardown.Detach), change: func(o *teardown.Observed) { o.Record.Teardown = nil },
			verdict: teardown.End, phase: teardown.Detach, outcome: teardown.OutOfDate, says: []string{"set the tag originhub:teardown again"},
		},
		"no such phase": {seen: at("nonsense"), verdict: teardown.End, phase: "nonsense", outcome: teardown.OutOfDate},
		"torn down before": {
			seen: gone(), change: func(o *teardown.Observed) { o.Record.State, o.Record.Teardown = origin.Deleted, nil },
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean,
		},
		"torn down before, seen in another phase": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Record.State, o.Record.Teardown = origin.Deleted, nil },
			verdict: teardown.Move, phase: teardown.Verify,
		},
		"said before": {
			seen: ended(at(teardown.Confirm), teardown.Blocked, "as before"), verdict: teardown.End, phase: teardown.Confirm, outcome: teardown.Blocked,
			says: []string{"as before"},
		},
		// warn
		"just requested": {
			seen: live(teardown.Warn), verdict: teardown.Act, phase: teardown.Warn, says: []string{"begins now", "originhub:teardown"},
		},
		"just requested, with a delay": {
			seen: live(teardown.Warn), change: func(o *teardown.Observed) { o.Record.Teardown.Due = o.Now.Add(time.Hour) },
			verdict: teardown.Act, phase: teardown.Warn, says: []string{"begins at ", "its team can cancel it", "originhub:teardown"},
		},
		"warned, and due": {
			seen: live(teardown.Warn), change: func(o *teardown.Observed) { o.Record.Teardown.Phase = "grace"; o.Now = start.Add(time.Second) },
			verdict: teardown.Move, phase: teardown.Detach,
		},
		// grace
		"grace": {
			seen: live(teardown.Grace), change: func(o *teardown.Observed) { o.Record.Teardown.Due = o.Now.Add(time.Second) },
			verdict: teardown.Wait, phase: teardown.Grace, says: []string{"2026-11-22T09:00:01Z"},
		},
		"due": {seen: live(teardown.Grace), verdict: teardown.Move, phase: teardown.Detach},
		"due, and the registry forgot that it was announced": {
			seen: live(teardown.Grace), change: func(o *teardown.Observed) { o.Record.Teardown.Phase = "" }, verdict: teardown.Move, phase: teardown.Detach,
		},
		"tag removed during grace": {
			seen: live(teardown.Grace), change: both(untagged, func(o *teardown.Observed) { o.Record.Teardown.Requested = start.Add(-time.Hour) }),
			verdict: teardown.End, phase: teardown.Grace, outcome: teardown.Cancelled, says: []string{"stays as it is"},
		},
		"tag moved during grace": {
			seen: live(teardown.Grace), change: func(o *teardown.Observed) {
				o.Value, o.Record.Teardown.Requested = "3h", start.Add(-time.Hour)
			},
			verdict: teardown.Wait, phase: teardown.Grace, says: []string{"2026-11-22T12:00:00Z"},
		},
		// detach
		"has to leave": {seen: live(teardown.Detach), verdict: teardown.Act, phase: teardown.Detach},
		"out of the configuration, not Deployed": {
			seen: at(teardown.Detach), change: func(o *teardown.Observed) { o.Record.State = origin.Detaching }, verdict: teardown.Act, phase: teardown.Detach,
		},
		"used by drift in the hub's own distribution": {
			seen: live(teardown.Detach), change: usedUnmanaged, verdict: teardown.Act, phase: teardown.Detach,
		},
		"used by an unmanaged part of an adopted distribution": {
			seen: live(teardown.Detach), change: both(adopted, usedUnmanaged),
			verdict: teardown.End, phase: teardown.Detach, outcome: teardown.Blocked, says: []string{"origin theirs, behavior /x; remove them"},
		},
		"asked wire": {seen: live(teardown.Detach), change: did, verdict: teardown.Await, phase: teardown.Detach},
		"detached":   {seen: at(teardown.Detach), verdict: teardown.Move, phase: teardown.Record},
		"put back":   {seen: at(teardown.Detach), change: func(o *teardown.Observed) { o.Named = true }, verdict: teardown.Act, phase: teardown.Detach},
		"removed meanwhile": {
			seen: live(teardown.Detach), change: untagged, verdict: teardown.Move, phase: teardown.Record, says: []string{"stays as it is"},
		},
		"grace again, by what the registry knows": {
			seen: live(teardown.Detach), change: func(o *teardown.Observed) { o.Record.Teardown.Due = o.Now.Add(time.Hour) },
			verdict: teardown.Move, phase: teardown.Record,
		},
		// record
		"not recorded": {seen: at(teardown.Record), verdict: teardown.Act, phase: teardown.Record, says: []string{"vpc-1"}},
		"recorded": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Record.Teardown.Recorded = true }, verdict: teardown.Move, phase: teardown.Unshare,
		},
		"nothing to record": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Exists = false }, verdict: teardown.Act, phase: teardown.Record,
			says: []string{"cannot be recorded"},
		},
		"nothing behind it to record": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Place = origin.Endpoint{} }, verdict: teardown.Act, phase: teardown.Record,
			says: []string{"cannot be recorded"},
		},
		"not out after all": {
			seen: at(teardown.Record), change: func(o *teardown.Observed) { o.Record.State = origin.Detaching }, verdict: teardown.Move, phase: teardown.Detach,
		},
		"tag removed while detaching": {
			seen: at(teardown.Record), change: both(untagged, func(o *teardown.Observed) { o.Record.State = origin.Detaching }),
			verdict: teardown.End, phase: teardown.Record, outcome: teardown.Cancelled, says: []string{"wires the origin again"},
		},
		"grace again, where the machine cannot wait for it": {
			seen: live(teardown.Record), change: func(o *teardown.Observed) { o.Record.Teardown.Due = o.Now.Add(time.Hour) },
			verdict: teardown.End, phase: teardown.Record, outcome: teardown.Cancelled, says: []string{"the next sweep starts it again"},
		},
		// confirm
		"used elsewhere": {seen: at(teardown.Confirm), change: used, verdict: teardown.Wait, phase: teardown.Confirm},
		"used elsewhere for too long": {
			seen: at(teardown.Confirm), change: both(used, later(10*time.Minute)), verdict: teardown.End, phase: teardown.Confirm, outcome: teardown.Blocked,
			says: []string{"distribution E2 in account 444444444444", "was not unshared", "set the tag originhub:teardown again"},
		},
		"unused": {seen: at(teardown.Confirm), verdict: teardown.Move, phase: teardown.Unshare},
		"not recorded, and no edge leads to that": {
			seen: at(teardown.Confirm), change: func(o *teardown.Observed) { o.Record.Teardown.Recorded = false }, verdict: teardown.Move, phase: teardown.Unshare,
		},
		// unshare
		"still shared": {seen: at(teardown.Unshare), verdict: teardown.Act, phase: teardown.Unshare, says: []string{"deleted share share-1"}},
		"shared together with another origin": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) {
				o.Shares = append(o.Shares, origin.Association{Share: "share-1", Resource: other, Status: "ASSOCIATED"})
			},
			verdict: teardown.Act, phase: teardown.Unshare, says: []string{"removed it from share share-1"},
		},
		"deleted by hand while shared": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) { o.Exists = false }, verdict: teardown.Act, phase: teardown.Unshare,
		},
		"ending": {seen: at(teardown.Unshare), change: status("DISASSOCIATING"), verdict: teardown.Wait, phase: teardown.Unshare},
		"asked RAM": {
			seen: at(teardown.Unshare), change: both(status("DISASSOCIATING"), did), verdict: teardown.Move, phase: teardown.Delete,
		},
		"one of two shares is ending": {
			seen: at(teardown.Unshare), change: status("DISASSOCIATING", "ASSOCIATED"), verdict: teardown.Act, phase: teardown.Unshare,
			says: []string{"share-2"},
		},
		"RAM never finishes": {
			seen: at(teardown.Unshare), change: both(status("DISASSOCIATING"), later(30*time.Minute)),
			verdict: teardown.End, phase: teardown.Unshare, outcome: teardown.Blocked, says: []string{"share-1"},
		},
		"RAM does not let it go": {
			seen: at(teardown.Unshare), change: later(30 * time.Minute),
			verdict: teardown.End, phase: teardown.Unshare, outcome: teardown.Blocked, says: []string{"share-1"},
		},
		"unshared": {seen: at(teardown.Unshare), change: status(), verdict: teardown.Move, phase: teardown.Delete},
		"tag removed before unsharing": {
			seen: at(teardown.Unshare), change: untagged,
			verdict: teardown.End, phase: teardown.Unshare, outcome: teardown.Cancelled, says: []string{"wires the origin again"},
		},
		"tag removed while unsharing": {
			seen: at(teardown.Unshare), change: both(untagged, status("DISASSOCIATING")), verdict: teardown.Wait, phase: teardown.Unshare,
		},
		"tag removed when one of two shares is ending": {
			seen: at(teardown.Unshare), change: both(untagged, status("ASSOCIATED", "DISASSOCIATING")),
			verdict: teardown.End, phase: teardown.Unshare, outcome: teardown.Blocked, says: []string{"share the origin with the hub again"},
		},
		"put back before unsharing": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) { o.Named = true }, verdict: teardown.Move, phase: teardown.Detach,
		},
		"used before unsharing": {seen: at(teardown.Unshare), change: used, verdict: teardown.Move, phase: teardown.Confirm},
		"used for too long, seen in another phase": {
			seen: at(teardown.Unshare), change: both(used, func(o *teardown.Observed) {
				o.Record.Teardown.Phase, o.Record.Teardown.Since = string(teardown.Confirm), start
			}),
			verdict: teardown.Move, phase: teardown.Confirm,
		},
		"not recorded before unsharing": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) { o.Record.Teardown.Recorded = false }, verdict: teardown.Move, phase: teardown.Record,
		},
		"deleted before": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) { o.Record.Teardown.Phase = string(teardown.Verify) },
			verdict: teardown.Move, phase: teardown.Verify,
		},
		// delete
		"after the origin was unshared": {seen: at(teardown.Delete), change: status(), verdict: teardown.Act, phase: teardown.Delete},
		"deletion began":                {seen: at(teardown.Delete), change: both(status(), did), verdict: teardown.Wait, phase: teardown.Delete},
		"being deleted": {
			seen: at(teardown.Delete), change: both(status(), func(o *teardown.Observed) { o.Deployed = false }), verdict: teardown.Wait, phase: teardown.Delete,
		},
		"has another status": {
			seen: at(teardown.Delete), change: both(status(), func(o *teardown.Observed) { o.Deployed, o.OtherStatus = false, "Failed" }), verdict: teardown.Act, phase: teardown.Delete,
		},
		"has another status and is not deleted": {
			seen: at(teardown.Delete), change: both(status(), later(time.Hour), func(o *teardown.Observed) { o.Deployed, o.OtherStatus = false, "Failed" }),
			verdict: teardown.End, phase: teardown.Delete, outcome: teardown.Dirty, says: []string{"VPC origin vo_b still exists with status Failed", owner},
		},
		"deletion never ends": {
			seen: at(teardown.Delete), change: both(status(), later(time.Hour), func(o *teardown.Observed) { o.Deployed = false }),
			verdict: teardown.End, phase: teardown.Delete, outcome: teardown.Dirty, says: []string{"VPC origin vo_b still exists", owner},
		},
		"never deleted": {
			seen: at(teardown.Delete), change: both(status(), later(time.Hour)),
			verdict: teardown.End, phase: teardown.Delete, outcome: teardown.Dirty, says: []string{"delete it by hand", owner},
		},
		"tag removed after unsharing": {
			seen: at(teardown.Delete), change: both(untagged, status()),
			verdict: teardown.End, phase: teardown.Delete, outcome: teardown.Blocked, says: []string{"after the origin was unshared"},
		},
		"shared again before the deletion": {seen: at(teardown.Delete), verdict: teardown.Move, phase: teardown.Unshare},
		"RAM is slow": {
			seen: at(teardown.Delete), change: both(status("DISASSOCIATING"), func(o *teardown.Observed) { o.Record.Teardown.Phase = string(teardown.Unshare) }),
			verdict: teardown.Move, phase: teardown.Unshare,
		},
		"wires the origin again, and no edge leads back to detach": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Record.State = origin.Detaching }, verdict: teardown.Move, phase: teardown.Unshare,
		},
		"deleted": {seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Exists = false }, verdict: teardown.Move, phase: teardown.Verify},
		"deleted, but nobody knows whether it is clean": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Exists, o.Record.Teardown.VPC = false, "" }, verdict: teardown.Move, phase: teardown.Verify,
		},
		"moved since its interfaces were recorded": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Shares, o.ETag = nil, "E3" }, verdict: teardown.Move, phase: teardown.Record,
		},
		"moved, and CloudFront deploys that": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Shares, o.ETag, o.Deployed = nil, "E3", false }, verdict: teardown.Wait, phase: teardown.Delete,
		},
		// verify
		"nobody knows whether it is clean": {
			seen: gone(), change: func(o *teardown.Observed) { o.Record.Teardown.VPC = "" },
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Dirty, says: []string{"the hub cannot verify", owner},
		},
		"interfaces left": {seen: gone("eni-2"), verdict: teardown.Wait, phase: teardown.Verify, says: []string{"eni-2"}},
		"interfaces left that nobody recorded": {
			seen: gone("eni-9"), verdict: teardown.Wait, phase: teardown.Verify, says: []string{"eni-9"},
		},
		"an interface never goes": {
			seen: gone("eni-2", "eni-1"), change: later(45 * time.Minute),
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Dirty, says: []string{"eni-1, eni-2", "vpc-1", "eu-west-1", owner},
		},
		"no interface left": {seen: gone(), verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean, says: []string{"vpc-1"}},
		"another origin in the VPC needs them": {
			seen: gone("eni-1", "eni-2"), change: needs(2), verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean,
		},
		"another origin in the VPC came with more": {
			seen: gone("eni-8", "eni-9"), change: needs(1), verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean,
		},
		"more than another origin in the VPC needs": {
			seen: gone("eni-1", "eni-2", "eni-3"), change: needs(2), verdict: teardown.Wait, phase: teardown.Verify,
			says: []string{"1 of the interfaces eni-1, eni-2 in vpc-1 (eu-west-1)", "(other VPC origins use the rest)"},
		},
		"in a subnet that no other origin needs": {
			seen: gone("eni-1"), change: func(o *teardown.Observed) {
				o.OtherOrigins = []teardown.Neighbor{{Endpoint: origin.Endpoint{Region: "eu-west-1", VPC: "vpc-1", Subnets: []string{"subnet-2"}}, Deployed: true}}
				o.ENIs = append(o.ENIs, origin.ENI{ID: "eni-9", VPC: "vpc-1", Subnet: "subnet-2"})
			},
			verdict: teardown.Wait, phase: teardown.Verify, says: []string{"are left: eni-1 in vpc-1 (eu-west-1) of account " + owner},
		},
		"another origin that is not Deployed needs none": {
			seen: gone("eni-1"), change: func(o *teardown.Observed) {
				needs(1)(o)
				o.OtherOrigins[0].Deployed = false
			},
			verdict: teardown.Wait, phase: teardown.Verify, says: []string{"are left: eni-1"},
		},
		"left where the origin was before it moved": {
			seen: gone(), change: func(o *teardown.Observed) {
				o.Record.Teardown.Earlier = []origin.Place{{Region: "us-east-1", VPC: "vpc-0", ENIs: []string{"eni-0"}}}
				o.ENIs = []origin.ENI{{ID: "eni-0", VPC: "vpc-0", Subnet: "subnet-0"}}
			},
			verdict: teardown.Wait, phase: teardown.Verify, says: []string{"are left: eni-0 in vpc-0 (us-east-1)"},
		},
		"nothing left in both": {
			seen: gone(), change: func(o *teardown.Observed) {
				o.Record.Teardown.Earlier = []origin.Place{{Region: "us-east-1", VPC: "vpc-0", ENIs: []string{"eni-0"}}}
			},
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean, says: []string{"vpc-1 (eu-west-1)", "vpc-0 (us-east-1)"},
		},
		"another origin in another VPC needs none": {
			seen: gone("eni-1"), change: func(o *teardown.Observed) {
				o.OtherOrigins = []teardown.Neighbor{{Endpoint: origin.Endpoint{Region: "eu-west-1", VPC: "vpc-2", Subnets: []string{"subnet-1"}}, Deployed: true}}
			},
			verdict: teardown.Wait, phase: teardown.Verify,
		},
		"an empty share is left": {
			seen: gone(), change: func(o *teardown.Observed) { o.Record.Teardown.SharesLeft = []string{"share-1"} },
			verdict: teardown.Act, phase: teardown.Verify, says: []string{"share-1"},
		},
		"an empty share is left that the hub may not delete": {
			seen: gone(), change: func(o *teardown.Observed) { o.Record.Teardown.SharesKept = []string{"share-1"} },
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean,
			says: []string{"share share-1 is empty", "delete-resource-share --region us-east-1 --resource-share-arn share-1"},
		},
		"a share is left that is not empty": {
			seen: gone(), change: func(o *teardown.Observed) {
				o.Record.Teardown.SharesLeft = []string{"share-1"}
				o.Shares = []origin.Association{{Share: "share-1", Resource: other}}
			},
			verdict: teardown.End, phase: teardown.Verify, outcome: teardown.Clean,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.seen = but(c.seen, c.change)
			}
			got, _ := decide(t, c.seen)
			if got.Phase != c.phase || got.Verdict != c.verdict || got.Outcome != c.outcome {
				t.Errorf("got %+v", got)
			}
			for _, words := range c.says {
				if !strings.Contains(got.Message, words) {
					t.Errorf("says %q, without %q", got.Message, words)
				}
			}
		})
	}
}

// needs lets another origin in the same VPC need so many interfaces.
func needs(n int) func(*teardown.Observed) {
	return func(o *teardown.Observed) {
		o.OtherOrigins = slices.Repeat([]teardown.Neighbor{{Endpoint: origin.Endpoint{Region: "eu-west-1", VPC: "vpc-1", Subnets: []string{"subnet-1"}}, Deployed: true}}, n)
	}
}

// What a step costs: each fact is a call or two, and every origin pays for it.
func TestPhaseLooksOnlyAtWhatItRestsOn(t *testing.T) {
	just := func(o *teardown.Observed) {
		o.Shares, o.Record.Teardown.Phase, o.Record.Teardown.Unshared = nil, string(teardown.Unshare), o.Now
	}
	passed := func(o *teardown.Observed) {
		o.Record.Teardown.Phase, o.Record.Teardown.Recorded = string(teardown.Verify), true
	}
	for name, c := range map[string]struct {
		seen   teardown.Observed
		change func(*teardown.Observed)
		looks  []teardown.Fact
	}{
		"warning": {seen: live(teardown.Warn)},
		"a tag that was seen a moment ago": {
			seen: live(teardown.Grace), change: func(o *teardown.Observed) { o.Record.Teardown.Requested = o.Now.Add(-time.Second) },
		},
		"end of grace": {
			seen: live(teardown.Grace), change: func(o *teardown.Observed) { o.Record.Teardown.Requested = start.Add(-time.Hour) },
			looks: []teardown.Fact{teardown.Tag},
		},
		"detaching": {seen: live(teardown.Detach), looks: []teardown.Fact{teardown.Tag}},
		"detaching from an adopted distribution": {
			seen: live(teardown.Detach), change: adopted, looks: []teardown.Fact{teardown.Tag, teardown.Naming},
		},
		"detached, or put back": {seen: at(teardown.Detach), looks: []teardown.Fact{teardown.Naming}},
		"recording":             {seen: at(teardown.Record), looks: []teardown.Fact{teardown.Existence, teardown.Placement, teardown.Interfaces}},
		"confirming":            {seen: at(teardown.Confirm), looks: []teardown.Fact{teardown.Usage}},
		"unsharing":             {seen: at(teardown.Unshare), looks: []teardown.Fact{teardown.Sharing, teardown.Tag, teardown.Naming, teardown.Usage}},
		"waiting for RAM": {
			seen: at(teardown.Unshare), change: func(o *teardown.Observed) { o.Shares[0].Status = "DISASSOCIATING" },
			looks: []teardown.Fact{teardown.Sharing},
		},
		"deleting": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Shares = nil },
			looks: []teardown.Fact{teardown.Existence, teardown.Sharing, teardown.Tag},
		},
		"deleting right after unsharing": {seen: at(teardown.Delete), change: just, looks: []teardown.Fact{teardown.Sharing}},
		"deleting when unsharing took long": {
			seen:   at(teardown.Delete),
			change: func(o *teardown.Observed) { just(o); o.Now = o.Now.Add(time.Minute) },
			looks:  []teardown.Fact{teardown.Sharing, teardown.Existence, teardown.Tag},
		},
		"deleting after a redrive": {
			seen: at(teardown.Delete),
			change: func(o *teardown.Observed) {
				just(o)
				o.Record.Teardown.Unshared = start
				o.Record, _ = teardown.Restart(o.Record, o.Generation, 1, o.Now)
			},
			looks: []teardown.Fact{teardown.Sharing, teardown.Existence, teardown.Tag},
		},
		"waiting for the deletion": {
			seen: at(teardown.Delete), change: func(o *teardown.Observed) { o.Deployed = false }, looks: []teardown.Fact{teardown.Existence},
		},
		"verifying":                      {seen: gone(), looks: []teardown.Fact{teardown.Interfaces}},
		"verifying what others may need": {seen: gone("eni-1"), looks: []teardown.Fact{teardown.Interfaces, teardown.OtherOrigins}},
		// What the registry has passed is passed through.
		"passing warn":    {seen: at(teardown.Warn), change: passed},
		"passing grace":   {seen: at(teardown.Grace), change: passed},
		"passing detach":  {seen: at(teardown.Detach), change: passed},
		"passing record":  {seen: at(teardown.Record), change: passed},
		"passing confirm": {seen: at(teardown.Confirm), change: passed},
		"passing unshare": {seen: at(teardown.Unshare), change: passed},
		"passing delete":  {seen: at(teardown.Delete), change: passed},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.seen = but(c.seen, c.change)
			}
			if step, looked := decide(t, c.seen); !slices.Equal(looked, c.looks) {
				t.Errorf("%s looks at %v, want %v", step.Phase, looked, c.looks)
			}
		})
	}
}

// What each act asks for, and what the registry holds before it is done.
func TestWhatIsRecordedBeforeItIsDone(t *testing.T) {
	step := func(o teardown.Observed) teardown.Step { s, _ := decide(t, o); return s }

	s := step(live(teardown.Warn))
	if s.Record.Teardown.Phase != "grace" || len(s.BeforeWrite.Events) != 1 || s.BeforeWrite.Events[0].Type != "Teardown Announced" {
		t.Errorf("warning records %+v and says %+v", s.Record.Teardown, s.BeforeWrite)
	}
	s = step(but(live(teardown.Detach), func(o *teardown.Observed) { o.Token = "new" }))
	if s.Record.Intent != origin.Detach || s.Record.Token != "new" || s.Record.State != origin.Live || len(s.BeforeWrite.Triggers) != 1 || len(s.AfterAct.Events) != 1 {
		t.Errorf("detaching records %+v", s.Record)
	}
	s = step(but(at(teardown.Detach), func(o *teardown.Observed) { o.Token, o.Named = "new", true }))
	if s.Record.Token != "new" || s.Record.State != origin.Detaching {
		t.Errorf("what was put back counts as detached, so that its token is completed at once: %+v", s.Record)
	}
	s = step(but(at(teardown.Record), func(o *teardown.Observed) {
		o.ENIs = []origin.ENI{{ID: "eni-7", VPC: "vpc-1", Subnet: "subnet-1"}, {ID: "eni-8", VPC: "vpc-1", Subnet: "subnet-9"}}
	}))
	if got := s.Record.Teardown; !got.Recorded || !slices.Equal(got.ENIs, []string{"eni-7"}) || got.VPC != "vpc-1" || got.ETag != "E2" {
		t.Errorf("recording records %+v", got)
	}
	s = step(but(at(teardown.Record), func(o *teardown.Observed) { o.ENIs = []origin.ENI{} }))
	if !s.Record.Teardown.Recorded || s.Message != "VPC origin vo_b has no network interfaces in vpc-1" {
		t.Errorf("without interfaces it says %s", s.Message)
	}
	s = step(but(at(teardown.Unshare), func(o *teardown.Observed) {
		o.Shares = append(o.Shares, origin.Association{Share: "share-1", Name: "originhub-b", Resource: other, Status: "ASSOCIATED"})
	}))
	if got := s.Record.Teardown; s.Share != "share-1" || s.Whole || !slices.Equal(got.SharesLeft, []string{"share-1"}) || !got.Unshared.Equal(start.Add(time.Hour)) {
		t.Errorf("leaving a share that others are in asks for %+v and records %+v", s, got)
	}
	if s = step(at(teardown.Unshare)); s.Share != "share-1" || !s.Whole || len(s.Record.Teardown.SharesLeft) != 0 {
		t.Errorf("leaving a share that nobody else is in asks for %+v", s)
	}
	s = step(but(at(teardown.Unshare), func(o *teardown.Observed) {
		o.Shares = []origin.Association{{Share: "share-1", Name: "orders", Resource: arn, Status: "ASSOCIATED"}}
	}))
	if got := s.Record.Teardown; s.Share != "share-1" || s.Whole || len(got.SharesLeft) != 0 || !slices.Equal(got.SharesKept, []string{"share-1"}) {
		t.Errorf("leaving a share that the hub may not delete asks for %+v and records %+v", s, got)
	}
	if s = step(but(at(teardown.Delete), func(o *teardown.Observed) { o.Shares = nil })); s.ETag != "E2" {
		t.Errorf("deleting asks for the version %q that was not seen", s.ETag)
	}
	just := but(at(teardown.Delete), func(o *teardown.Observed) {
		o.Shares, o.Record.Teardown.Phase, o.Record.Teardown.Unshared = nil, string(teardown.Unshare), o.Now
	})
	if s = step(just); !s.Unconfirmed || s.ETag != "E2" || s.Record.Teardown.Phase != "delete" {
		t.Errorf("right after unsharing, the deletion asks for %+v", s)
	}
	just.Record = s.Record // it was refused
	if s = step(just); s.Unconfirmed || s.ETag != "E2" {
		t.Errorf("after a refusal, the deletion asks for %+v", s)
	}
	s = step(but(at(teardown.Delete), func(o *teardown.Observed) { o.Exists = false }))
	if got := s.Record.Teardown; got.Phase != "verify" || !got.Since.Equal(start.Add(time.Hour)) {
		t.Errorf("that it is deleted is not recorded: %+v", got)
	}
}

// Two shares are left one after the other, and a failure to remove an empty one stops nothing.
func TestOneEffectForEachDecision(t *testing.T) {
	o := at(teardown.Unshare)
	o.Shares = append(o.Shares, origin.Association{Share: "share-2", Resource: arn, Status: "ASSOCIATED"})
	var left []string
	for range 3 {
		s, _ := decide(t, o)
		if s.Verdict != teardown.Act {
			if s.Verdict != teardown.Move || s.Phase != teardown.Delete || s.Wait != 15*time.Second || s.Record.Teardown.Phase != "unshare" {
				t.Errorf("after the last share: %+v", s)
			}
			break
		}
		left = append(left, s.Share)
		o = o.After(s)
	}
	if !slices.Equal(left, []string{"share-1", "share-2"}) {
		t.Errorf("left %v", left)
	}

	o = but(gone(), func(o *teardown.Observed) {
		o.Record.Teardown.SharesLeft = []string{"share-1"}
		o.Unread = map[teardown.Fact]bool{teardown.Sharing: true}
	})
	if s, _ := decide(t, o); s.Outcome != teardown.Clean {
		t.Errorf("that shares cannot be read spoils the outcome: %+v", s)
	}
	o.Unread = nil
	s, _ := decide(t, o)
	if s.Share != "share-1" || !s.Whole || !s.Optional {
		t.Errorf("an empty share: %+v", s)
	}
	if after, _ := decide(t, o.After(s)); after.Outcome != teardown.Clean || strings.Contains(after.Message, "share-1") {
		t.Errorf("after it: %+v", after)
	}
	if s, _ = decide(t, o.AfterFailure(s)); s.Outcome != teardown.Clean || !strings.Contains(s.Message, "delete-resource-share --region us-east-1 --resource-share-arn share-1") {
		t.Errorf("after it failed: %+v", s)
	}
}

func TestConsent(t *testing.T) {
	bounds := teardown.Bounds{Default: time.Hour, Maximum: 100 * time.Hour}
	for name, c := range map[string]struct {
		intent origin.Intent
		tag    teardown.TagState
		value  string
		ends   bool          // as cancelled
		due    time.Duration // after start
	}{
		"removed before anything has begun": {origin.Wire, teardown.TagAbsent, "", true, 0},
		"gone with its origin":              {origin.Wire, teardown.TagGone, "", false, 0},
		"empty":                             {origin.Wire, teardown.TagPresent, "", true, 0},
		"as it was, and policy's least grace longer": {origin.Wire, teardown.TagPresent, "now", false, time.Hour},
		"moved":                             {origin.Wire, teardown.TagPresent, "3h", false, 5 * time.Hour},
		"mistyped":                          {origin.Wire, teardown.TagPresent, "soon", true, 0},
		"beyond the longest grace":          {origin.Wire, teardown.TagPresent, "101h", true, 0},
		"removed when something has begun":  {origin.Detach, teardown.TagAbsent, "", true, 0},
		"moved when something has begun":    {origin.Detach, teardown.TagPresent, "3h", false, 0},
		"unconfirmed":                       {origin.Wire, teardown.TagUnconfirmed, "now", true, 0},
		"mistyped when something has begun": {origin.Detach, teardown.TagPresent, "soon", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := but(at(teardown.Record), func(o *teardown.Observed) {
				o.Now, o.Grace, o.Tag, o.Value = start.Add(2*time.Hour), bounds, c.tag, c.value
				o.Record.Intent, o.Record.State = c.intent, origin.Live
				o.Has = map[teardown.Fact]bool{teardown.Tag: true}
			})
			s := teardown.Next(o)
			if moved := c.due > 2*time.Hour; (s.Outcome == teardown.Cancelled) != (c.ends || moved) {
				t.Errorf("got %+v", s)
			}
			o.Phase = teardown.Grace
			s = teardown.Next(o)
			if (s.Outcome == teardown.Cancelled) != c.ends {
				t.Errorf("got %+v", s)
			}
			if !c.ends && !s.Record.Teardown.Due.Equal(start.Add(c.due)) {
				t.Errorf("due %v, want %v", s.Record.Teardown.Due, start.Add(c.due))
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	due := start.Add(time.Hour + time.Millisecond)
	waits := but(live(teardown.Grace), func(o *teardown.Observed) { o.Record.Teardown.Due = due })
	s, _ := decide(t, waits)
	if got, want := s.Answer(), (teardown.Answer{Phase: "grace", Message: s.Message, Resume: "2026-11-22T09:00:01Z"}); got != want {
		t.Errorf("grace answers %+v, want %+v: the task after it must not come too early", got, want)
	}
	s, _ = decide(t, but(at(teardown.Delete), func(o *teardown.Observed) { o.Deployed = false }))
	if got, want := s.Answer(), (teardown.Answer{Phase: "delete", Wait: 120, Message: s.Message}); got != want {
		t.Errorf("a poll answers %+v, want %+v", got, want)
	}
	s, _ = decide(t, gone())
	if got, want := s.Answer(), (teardown.Answer{Phase: "report", Outcome: "clean", Message: s.Message}); got != want {
		t.Errorf("the end answers %+v, want %+v", got, want)
	}
}

// A VPC origin that moved to another VPC after its interfaces were recorded is recorded again, and both VPCs are verified.
func TestMovedOriginIsRecordedAgain(t *testing.T) {
	o := but(at(teardown.Delete), func(o *teardown.Observed) { o.Shares, o.ETag = nil, "E3" })
	s, _ := decide(t, o)
	if s.Verdict != teardown.Move || s.Phase != teardown.Record || s.Record.Teardown.Recorded {
		t.Fatalf("got %+v", s)
	}
	o = but(at(teardown.Record), func(o *teardown.Observed) {
		o.Record, o.ETag, o.Shares = s.Record, "E3", nil
		o.Place = origin.Endpoint{Region: "us-east-1", VPC: "vpc-2", Subnets: []string{"subnet-2"}}
		o.ENIs = []origin.ENI{{ID: "eni-7", VPC: "vpc-2", Subnet: "subnet-2"}}
	})
	s, _ = decide(t, o)
	is := s.Record.Teardown
	want := []origin.Place{{Region: "us-east-1", VPC: "vpc-2", ENIs: []string{"eni-7"}}, {Region: "eu-west-1", VPC: "vpc-1", ENIs: []string{"eni-1", "eni-2"}}}
	if !is.Recorded || is.ETag != "E3" || !reflect.DeepEqual(is.Places(), want) {
		t.Errorf("records %+v", is)
	}
}
