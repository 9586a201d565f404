package wiring

import (
	"errors"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// RecordTaken is why no DNS record is written for a host.
const RecordTaken origin.Code = "record-taken" // an unmanaged one stands there

// Zone is what a run knows of the hosted zone.
type Zone struct {
	Read    bool
	Records []origin.DNSRecord // that it had then
	Planned bool
	Plan    DNSPlan // what is to be changed, or was
	Failed  bool    // it could not be read or changed
}

// Settle decides what has become true now that a distribution was observed: the state of each record, what is said about that,
// which tasks wait for it, and what the distribution holds that the registry does not know of. DNS follows the records first: an
// origin is live only when viewers get to it, but no teardown has to wait for DNS.
//
//	a record's hosts concern DNS     hosted zone    then
//	no                               -              conclude
//	yes, but on rechecks alone that  -              conclude: DNS is repaired at events and sweeps, not at each observation of a
//	find no record changed                          propagation
//	yes                              not observed   observe it
//	yes                              differs        note which records will be the hub's, and change it
//	yes                              as it has to   conclude
//	yes                              failed         conclude, but nothing becomes live
func (r Run) Settle() (Run, Step) {
	if r.settled {
		return r.end()
	}
	is, changed := r.states()
	concerns := slices.ContainsFunc(is, func(o origin.Record) bool {
		return o.State == origin.Live || o.State == origin.Detaching || o.State == origin.Detached || len(o.ReleasedHosts) > 0
	})
	switch z := r.Zone; {
	case !concerns, len(changed) == 0 && r.Quiet, z.Failed, z.Planned:
		return r.conclude(is, changed)
	case !z.Read:
		return r, Step{Do: ReadZone{}}
	}
	return r.point(is)
}

// states are the records as they are now, and the places of those that change or that a task waits for.
func (r Run) states() (is []origin.Record, changed []int) {
	is = slices.Clone(r.Records)
	for i, was := range r.Records {
		o := &is[i]
		if !r.pending(was) {
			o.State = settled(was, r.Served.Config.Uses(was.ID), r.Served.Deployed)
		}
		if o.State == origin.Detached && was.Placed() {
			o.ReleasedHosts = was.WithClaim(origin.Claim{}).ReleasedHosts // DNS may fail, and the record be forgotten before it is repaired
		}
		if o.State != was.State || awaits(*o) {
			changed = append(changed, i)
		}
	}
	return is, changed
}

// pending reports whether what the registry wants of an origin is not in the configuration, even if something older is: it waits
// for a later update, or was kept out of this one.
func (r Run) pending(o origin.Record) bool {
	out := o.State == origin.Pending || o.State == origin.Quarantined
	return o.Intent == origin.Wire && out && (r.Deferred || r.cools(o) || slices.Contains(r.Held, o.ID))
}

// settled is the state of a record whose distribution was observed.
//
//	intent  in config  deployed   state
//	any     -          -          deleted stays deleted
//	wire    no         -          as it was, but pending if it had been wired
//	wire    yes        no         wired, but live stays live
//	wire    yes        yes        live
//	detach  yes        -          as it was
//	detach  no         no         detaching, but detached stays detached
//	detach  no         yes        detached
func settled(o origin.Record, in, deployed bool) origin.State {
	switch {
	case o.State == origin.Deleted:
		return origin.Deleted
	case o.Intent == origin.Wire && !in:
		if o.State == origin.Wired || o.State == origin.Live || o.State == origin.Detaching || o.State == origin.Detached {
			return origin.Pending
		}
		return o.State
	case o.Intent == origin.Wire && deployed:
		return origin.Live
	case o.Intent == origin.Wire:
		if o.State == origin.Live {
			return origin.Live
		}
		return origin.Wired
	case in:
		return o.State
	case deployed || o.State == origin.Detached:
		return origin.Detached
	default:
		return origin.Detaching
	}
}

// awaits reports whether a task waits for what has come about: the origin is out, or is to be wired again.
func awaits(o origin.Record) bool {
	return o.Token != "" && (o.State == origin.Detached || o.Intent == origin.Wire)
}

// conclude is the end of Settle.
func (r Run) conclude(is []origin.Record, changed []int) (Run, Step) {
	c := r.Served.Config
	r.settled = true
	r.Item.Domain = r.Served.Domain
	if r.Item.PendingUpdate == nil { // else the last update may have come through, and with it aliases that were not there when c was read
		r.Item.OwnedAliases = slices.DeleteFunc(slices.Clone(r.Item.OwnedAliases), func(a string) bool { return !slices.Contains(c.Aliases(), a) })
	}
	spec := r.Terms.Spec(r.Item, c)
	size, aliases := c.Others(r.all(), spec)
	r = r.holds(size, aliases, c.Orphans(r.all()))
	var step Step
	step.Outcome.Percent(contract.MetricQuotaUse, fullest(c.Size(), spec.Limits),
		contract.Dimension{Name: contract.DimensionDistribution, Value: r.Item.Name})
	for i, o := range is {
		if o.State == origin.Wired || o.State == origin.Detaching {
			r = r.wait(NextRecheck(r.Now.Sub(r.Item.UpdateSent)))
		}
		leaves := o.State == origin.Detaching || o.State == origin.Detached
		r.CapacityFreed = r.CapacityFreed || leaves && o.State != r.Records[i].State && r.awaited()
	}
	if len(changed) > 0 { // else it was said when the origin became live
		r.refuseRecords(&step)
	}
	switch {
	case len(changed) == 0 && r.Quiet:
	case r.Zone.Failed:
		changed = slices.DeleteFunc(changed, func(i int) bool { return is[i].State == origin.Live && !awaits(is[i]) })
	case r.Served.Deployed:
		r, changed = r.release(is, changed, spec.Releasable(c.Aliases()))
	}
	for _, i := range changed {
		r.announce(&step, r.Records[i], is[i])
		step.Records = append(step.Records, r.finish(r.Records[i], is[i]))
	}
	return r, step
}

// holds takes in what the distribution holds besides the registry's origins. Admit has something to do:
//
//	the distribution was      and                                                              since
//	never observed            the hub has others, or it holds managed origins without a record  admit gives no place before all were
//	                                                                                            observed
//	unavailable               -                                                                it may be given origins again
//	observed                  an origin waits, and less of any kind is in it than before       that may fit now
func (r Run) holds(size origin.Size, aliases []string, strays []origin.Ref) Run {
	r.CapacityFreed = r.CapacityFreed || r.Item.ObservedAt.IsZero() && (!r.Alone || len(strays) > 0) || r.Item.Unavailable.Code != "" ||
		r.awaited() && grown(size, r.Item.Others)
	r.Item.Unavailable = origin.Reason{}
	r.Item.ObservedAt, r.Item.Others, r.Item.OtherAliases, r.Item.Orphans = r.Now, size, aliases, strays
	return r
}

// fullest is the percentage in use of the limit that is used most.
func fullest(size, limits origin.Size) float64 {
	return max(
		100*float64(size.Origins)/float64(limits.Origins), 100*float64(size.Behaviors)/float64(limits.Behaviors),
		100*float64(size.Aliases)/float64(limits.Aliases),
	)
}

// release takes from the records the hosts that they have released and of which nothing is left.
func (r Run) release(is []origin.Record, changed []int, aliases []string) (Run, []int) {
	for i, o := range is {
		is[i].ReleasedHosts = StillReleased(o, is, aliases)
		if len(is[i].ReleasedHosts) == len(o.ReleasedHosts) {
			continue
		}
		r.CapacityFreed = r.CapacityFreed || r.awaited()
		if !slices.Contains(changed, i) {
			changed = append(changed, i)
		}
	}
	return r, changed
}

// point makes DNS follow the records. In the zone of a distribution that is not the hub's own there may be records of others that
// lead to it, and so the hub notes its own before it writes them.
func (r Run) point(is []origin.Record) (Run, Step) {
	c := r.Served.Config
	plan := Records(is, r.Served.Domain, r.Item.Former, r.Domains, c.IPv6(), r.Zone.Records)
	var step Step
	if !r.Terms.Spec(r.Item, c).Created {
		plan = plan.Only(r.Item.OwnedRecords)
		r.Item.OwnedRecords = slices.Clone(r.Item.OwnedRecords)
		for _, record := range plan.Upsert {
			if name := RecordKey(record); !slices.Contains(r.Item.OwnedRecords, name) {
				r.Item.OwnedRecords = append(r.Item.OwnedRecords, name)
				step.Save = true
			}
		}
	}
	r.Zone.Plan, r.Zone.Planned = plan, true
	if !plan.Empty() {
		step.Do = ChangeZone{Plan: plan}
	}
	if step.empty() {
		return r.Settle()
	}
	return r, step
}

// zoneDone takes in an answer of the hosted zone.
func (r Run) zoneDone(do Action, a Answer) Run {
	if a.Class != OK {
		r.Zone.Failed, r.Failed = true, errors.Join(r.Failed, a.Err)
		return r
	}
	change, changed := do.(ChangeZone)
	if !changed {
		r.Zone.Read, r.Zone.Records = true, a.Zone
		return r
	}
	r.Item.OwnedRecords = slices.DeleteFunc(slices.Clone(r.Item.OwnedRecords), func(name string) bool {
		return slices.ContainsFunc(change.Plan.Delete, func(record origin.DNSRecord) bool { return RecordKey(record) == name })
	})
	return r
}

// refuseRecords says, once for each record, that it stands where the hub's is to be.
func (r Run) refuseRecords(step *Step) {
	for _, record := range r.Zone.Plan.Refused {
		what := record.Name + " " + record.Type
		why := "a record that is not the hub's stands there, in hosted zone " + r.Terms.HostedZone
		if record.Target != "" {
			why += ", and leads to " + record.Target
		}
		why += ": remove it, and the next sweep writes the hub's"
		reasons := []origin.Reason{{Code: RecordTaken, Subject: record.Target, Message: why}}
		if origin.SameReasons(r.Refusals[what], reasons) {
			continue
		}
		step.Outcome.Alarm(contract.DNSRecordRefused, "", outcome.Detail{What: what}.Because(reasons))
		step.Refusals = append(step.Refusals, Refusal{What: what, Reasons: reasons})
	}
}

// announce says what has become of an origin:
//
//	state becomes  said
//	live           Origin Went Live, for which hosts and paths, and by which hosts no viewer gets there; how long it took, the first time
//	detached       Origin Detached
//	any other      -: nobody waits for it
func (r Run) announce(step *Step, was, is origin.Record) {
	if was.State == is.State {
		return
	}
	switch is.State {
	case origin.Live:
		if is.WasLive.Before(is.Admitted) {
			step.Outcome.Seconds(contract.MetricOnboardingLatency, r.Now.Sub(is.Admitted))
		}
		why := "answers for " + strings.Join(is.Claim.Hosts, ", ") + " on " + strings.Join(is.Claim.Paths, ", ")
		var astray []string
		for _, host := range is.Claim.Hosts {
			if slices.ContainsFunc(r.Zone.Plan.Refused, func(e origin.DNSRecord) bool { return strings.EqualFold(e.Name, host) }) {
				astray = append(astray, host)
			}
		}
		if len(astray) > 0 {
			why += "; but no viewer gets there by " + strings.Join(astray, ", ") + ", where a record stands that is not the hub's"
		}
		step.Outcome.Inform(contract.OriginWentLive, is.ARN, outcome.About(is, why))
	case origin.Detached:
		step.Outcome.Inform(contract.OriginDetached, is.ARN, outcome.About(is, "no longer in distribution "+r.Item.ID+", and that is Deployed"))
	}
}

// finish is a record with what it remembers of its new state, and with the task that waited for it.
func (r Run) finish(was, is origin.Record) Observation {
	var s Observation
	if awaits(is) {
		s.Token, s.Fact = is.Token, "in no distribution of the hub's"
		if r.Item.ID != "" {
			s.Fact = "out of distribution " + r.Item.ID + ", and that is Deployed"
		}
		if is.Intent == origin.Wire {
			s.Fact = "it is to be wired again"
		}
		is.Token = ""
	}
	switch is.State {
	case was.State:
	case origin.Live:
		is.Reasons = nil
		if is.WasLive.Before(is.Admitted) {
			is.WasLive = r.Now
		}
		is.Remember(r.Now, origin.DecidedLive, nil, "")
	case origin.Detached:
		is.Remember(r.Now, origin.DecidedDetached, nil, "")
	}
	s.Record = is
	return s
}
