package wiring

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// RecordTaken is the code of a host for which no DNS record is written, because an unmanaged record exists.
const RecordTaken origin.Code = "record-taken"

// Zone is what a run knows about the hosted zone.
type Zone struct {
	Read    bool
	Hosts   []string           // whose records were read; nil if all were
	Records []origin.DNSRecord // those of the hosts of this distribution's origins, as they were read
	Planned bool
	Plan    DNSPlan // the changes to make, or those that were made
	Failed  bool    // the zone could not be read or changed
}

// Settle decides what follows from an observed distribution: the state of each record, the events to publish, the teardown tasks to
// complete, and which parts of the distribution the registry does not know. DNS is changed before that, because an origin is live only
// once viewers reach it. No teardown waits for DNS.
//
//	a record's hosts concern DNS                       hosted zone    then
//	no                                                 -              conclude
//	yes, but only rechecks triggered the run, and no   -              conclude: DNS is repaired in other runs
//	state changes
//	yes, but the run is narrow, no state changes, and  -              the same
//	no host is released
//	yes                                                not observed   observe it: in a narrow run, for released hosts and those of what changes
//	yes                                                differs        record which DNS records are owned, and change the zone
//	yes                                                as planned     conclude
//	yes                                                failed         conclude, but no origin becomes live
func (r Run) Settle() (Run, Step) {
	if r.settled {
		return r.end()
	}
	is, changed := r.states()
	concerns := slices.ContainsFunc(is, func(o origin.Record) bool {
		return o.State == origin.Live || o.State == origin.Detaching || o.State == origin.Detached || len(o.ReleasedHosts) > 0
	})
	hosts := r.concerned(is, changed)
	switch z := r.Zone; {
	case !concerns && r.Planned == nil, len(changed) == 0 && (r.Quiet || r.Narrow && r.Planned == nil && len(hosts) == 0), z.Failed, z.Planned:
		return r.conclude(is, changed)
	case !z.covers(hosts):
		return r, Step{Do: ReadZone{Hosts: hosts}}
	}
	return r.changeDNS(is, Run.Settle)
}

// concerned returns the hosts whose DNS records a run has to know: in a narrow run those that are released, and those of the records that
// change; else nil, for all.
func (r Run) concerned(is []origin.Record, changed []int) []string {
	if !r.Narrow || r.Planned != nil {
		return nil
	}
	hosts := append([]string{}, r.Zone.Hosts...)
	for _, o := range is {
		hosts = append(hosts, o.ReleasedHosts...)
	}
	for _, i := range changed {
		hosts = append(hosts, is[i].Claim.Hosts...)
	}
	return sortedSet(hosts)
}

// covers reports whether the records of these hosts were read; nil stands for all hosts.
func (z Zone) covers(hosts []string) bool {
	if !z.Read || z.Hosts == nil || hosts == nil {
		return z.Read && z.Hosts == nil
	}
	return !slices.ContainsFunc(hosts, func(h string) bool { return !slices.Contains(z.Hosts, h) })
}

// states returns the records as they are now, and the indexes of those that change or that a teardown task waits for.
func (r Run) states() (is []origin.Record, changed []int) {
	is = slices.Clone(r.Records)
	for i, was := range r.Records {
		o := &is[i]
		if !r.pending(was) {
			o.State = nextState(was, r.extent(was), r.Served.Deployed)
		}
		switch o.State {
		case was.State:
		case origin.Wired, origin.Detaching:
			o.Written = r.Item.UpdateSent
		default:
			o.Written = time.Time{}
		}
		if o.State == origin.Detached && was.Placed() {
			o.ReleasedHosts = was.WithClaim(origin.Claim{}).ReleasedHosts // so that DNS is still repaired if changing it fails now
		}
		if o.State != was.State || taskWaits(*o) {
			changed = append(changed, i)
		}
	}
	return is, changed
}

// pending reports whether an origin waits for a later update, or was excluded from this one. An older version of it may still be in the
// configuration. Nothing follows for a record that policy does not permit.
func (r Run) pending(o origin.Record) bool {
	waits := o.State == origin.Pending || o.State == origin.Quarantined
	later := r.Deferred && (r.Item.Search == nil || !slices.Contains(r.Item.Search.Accepted, o.ID))
	return r.unpermitted(o) || o.Intent == origin.Wire && waits && (later || r.coolingDown(o) || slices.Contains(r.Excluded, o.ID))
}

// nextState returns the state of a record whose distribution was observed. Only status Deployed of a configuration that needs no change for
// the origin proves that an origin is live: updates reach the edges in order
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToUpdateDistribution.html). Time proves nothing.
//
//	intent  in config  deployed  state
//	any     -          -         deleted stays deleted
//	wire    no         -         pending if it was in the distribution before, else unchanged
//	wire    in part    -         pending if it was to be detached before, else unchanged: an update has to complete it
//	wire    yes        no        wired, but live stays live
//	wire    yes        yes       live
//	detach  yes        -         unchanged
//	detach  no         no        detaching, but detached stays detached
//	detach  no         yes       detached
func nextState(o origin.Record, in extent, deployed bool) origin.State {
	left := o.State == origin.Detaching || o.State == origin.Detached
	switch {
	case o.State == origin.Deleted:
		return origin.Deleted
	case o.Intent == origin.Wire && in == complete:
		if deployed || o.State == origin.Live {
			return origin.Live
		}
		return origin.Wired
	case o.Intent == origin.Wire:
		if left || in == absent && (o.State == origin.Wired || o.State == origin.Live) {
			return origin.Pending
		}
		return o.State
	case in != absent:
		return o.State
	case deployed || o.State == origin.Detached:
		return origin.Detached
	default:
		return origin.Detaching
	}
}

// taskWaits reports whether a teardown task waits for the state of o: the origin is detached, or has to be wired again.
func taskWaits(o origin.Record) bool {
	return o.Token != "" && (o.State == origin.Detached || o.Intent == origin.Wire)
}

// conclude returns the last step of Settle.
func (r Run) conclude(is []origin.Record, changed []int) (Run, Step) {
	c := r.Served.Config
	r.settled = true
	r.Item.Domain = r.Served.Domain
	if r.Item.PendingUpdate == nil { // otherwise that update may have added aliases after c was read
		r.Item.OwnedAliases = slices.DeleteFunc(slices.Clone(r.Item.OwnedAliases), func(a string) bool { return !slices.Contains(c.Aliases(), a) })
	}
	spec := r.Terms.Spec(r.Item, c)
	size, aliases := c.Others(r.allRecords(), spec)
	r = r.recordContents(size, aliases, c.Orphans(r.allRecords()))
	var step Step
	r = r.reportObstacles(&step)
	step.Outcome.Percent(contract.MetricQuotaUse, fullest(c.Size(), spec.Limits),
		contract.Dimension{Name: contract.DimensionDistribution, Value: r.Item.Name})
	for _, o := range is {
		if o.State == origin.Wired || o.State == origin.Detaching {
			r = r.recheckWithin(NextRecheck(r.Now.Sub(r.Item.UpdateSent)))
		}
	}
	r.reportPlan(&step)
	if !r.Terms.DryRun {
		r.Item.PlanReported = ""
	} else if r.Planned != nil && r.Zone.Planned {
		r.Item.PlanReported = fingerprintOf(r.planText())
	}
	if len(changed) > 0 || r.Planned != nil { // otherwise it was reported when the origin became live
		r.reportRefusedRecords(&step)
	}
	r.reportDelay(&step, is)
	return r.recordStates(step, is, changed)
}

// recordStates returns step with the changed records and their events, and with the released hosts that are gone.
func (r Run) recordStates(step Step, is []origin.Record, changed []int) (Run, Step) {
	switch c := r.Served.Config; {
	case len(changed) == 0 && r.Quiet:
	case r.Zone.Failed:
		changed = slices.DeleteFunc(changed, func(i int) bool { return is[i].State == origin.Live && !taskWaits(is[i]) })
	case r.Served.Deployed:
		r, changed = r.dropReleasedHosts(is, changed, r.Terms.Spec(r.Item, c).Releasable(c.Aliases()))
	}
	if r.Zone.Failed { // no origin becomes live
		r.reportShortfalls(&step, r.Records, alreadyLive(r.Records, is))
	} else {
		r.reportShortfalls(&step, r.Records, is)
	}
	r.reportUnpermitted(&step)
	for _, i := range changed {
		leaves := is[i].State == origin.Detaching || is[i].State == origin.Detached
		r.CapacityFreed = r.CapacityFreed || leaves && is[i].State != r.Records[i].State && r.originWaits()
		r.announce(&step, r.Records[i], is[i])
		step.Records = append(step.Records, r.observation(r.Records[i], is[i]))
	}
	return r, step
}

// recordContents records what the distribution holds besides the registry's origins. CapacityFreed becomes true if:
//
//	the distribution was    and                                             because
//	never observed          the hub has others, or this one has orphans     admit places no origin before all are observed
//	unavailable             -                                               admit may place origins there again
//	observed                an origin waits, and it holds less than before  the origin may fit now
func (r Run) recordContents(size origin.Size, aliases []string, orphans []origin.Ref) Run {
	r.CapacityFreed = r.CapacityFreed || r.Item.ObservedAt.IsZero() && (!r.Alone || len(orphans) > 0) || r.Item.Unavailable.Code != "" ||
		r.originWaits() && grown(size, r.Item.Others)
	r.Item.Unavailable = origin.Reason{}
	r.Item.ObservedAt, r.Item.Others, r.Item.OtherAliases, r.Item.Orphans = r.Now, size, aliases, orphans
	return r
}

// fullest returns the highest percentage of any limit that is in use.
func fullest(size, limits origin.Size) float64 {
	return max(
		100*float64(size.Origins)/float64(limits.Origins), 100*float64(size.Behaviors)/float64(limits.Behaviors),
		100*float64(size.Aliases)/float64(limits.Aliases),
	)
}

// dropReleasedHosts removes from the records the released hosts whose alias no longer exists, and whose DNS records were read, and so removed, by this
// run.
func (r Run) dropReleasedHosts(is []origin.Record, changed []int, aliases []string) (Run, []int) {
	known, waits := map[int]bool{}, r.originWaits()
	for _, i := range changed {
		known[i] = true
	}
	were := slices.Clone(is)
	StillReleased(is, aliases)
	for i, was := range were {
		if !r.Zone.covers(was.ReleasedHosts) {
			is[i].ReleasedHosts = was.ReleasedHosts
		}
		if len(is[i].ReleasedHosts) == len(was.ReleasedHosts) {
			continue
		}
		r.CapacityFreed = r.CapacityFreed || waits
		if !known[i] {
			changed = append(changed, i)
		}
	}
	return r, changed
}

// changeDNS makes the hosted zone follow the records. A zone of an adopted distribution may hold records of others that lead there, so
// the item records which DNS records originhub owns before they are written. If there is nothing to change, the run goes on with then.
func (r Run) changeDNS(is []origin.Record, then func(Run) (Run, Step)) (Run, Step) {
	c := r.Served.Config
	if r.Terms.DryRun {
		return r.planDNS(is)
	}
	plan := r.dnsPlan(is)
	var step Step
	if !r.Terms.Spec(r.Item, c).Created {
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
		r.reportShortfalls(&step, r.Records, alreadyLive(r.Records, is)) // before the change, which may fail
		step.Do = ChangeZone{Plan: plan}
	}
	if step.empty() {
		return then(r)
	}
	return r, step
}

// dnsPlan returns what function wire may change in the hosted zone, so that it follows the records.
func (r Run) dnsPlan(is []origin.Record) DNSPlan {
	c := r.Served.Config
	plan := Records(r.permittedHosts(is), r.Served.Domain, r.Item.Former, r.Domains, c.IPv6(), r.Zone.Records).Under(r.Terms.Domain)
	if !r.Terms.Spec(r.Item, c).Created {
		plan = plan.Only(r.Item.OwnedRecords)
	}
	if r.Zone.Hosts != nil {
		plan = plan.about(r.Zone.Hosts)
	}
	return plan
}

// alreadyLive returns is with the origins that were live before. Those that become live now are reported when the zone has been changed.
func alreadyLive(was, is []origin.Record) []origin.Record {
	live := slices.Clone(is)
	for i := range live {
		if was[i].State != origin.Live {
			live[i] = was[i]
		}
	}
	return live
}

// zoneAnswered takes in the result of reading or changing the hosted zone.
func (r Run) zoneAnswered(do Action, a Answer) Run {
	if a.Class != OK {
		r.Zone.Failed, r.Failed = true, errors.Join(r.Failed, a.Err)
		return r
	}
	if read, is := do.(ReadZone); is {
		r.Zone.Hosts = read.Hosts
	}
	change, changed := do.(ChangeZone)
	if !changed {
		r.Zone.Read, r.Zone.Records = true, r.ownRecords(a.Zone)
		return r
	}
	r.Zone.Records = change.Plan.apply(r.Zone.Records)
	deleted := map[string]bool{}
	for _, record := range change.Plan.Delete {
		deleted[RecordKey(record)] = true
	}
	r.Item.OwnedRecords = slices.DeleteFunc(slices.Clone(r.Item.OwnedRecords), func(name string) bool { return deleted[name] })
	return r
}

// ownRecords returns those of a zone's records that are about hosts of this distribution's origins.
func (r Run) ownRecords(zone []origin.DNSRecord) (own []origin.DNSRecord) {
	var hosts []string
	for _, o := range r.Records {
		hosts = append(append(hosts, o.Claim.Hosts...), o.ReleasedHosts...)
	}
	wanted := lowered(hosts)
	for _, e := range zone {
		if wanted[strings.ToLower(e.Name)] {
			own = append(own, e)
		}
	}
	return own
}

// reportRefusedRecords reports each unmanaged DNS record that exists where originhub has to write one. It reports each once.
func (r Run) reportRefusedRecords(step *Step) {
	for _, record := range r.Zone.Plan.Refused {
		what := record.Name + " " + record.Type
		why := "originhub does not write DNS record " + what + " in hosted zone " + r.Terms.HostedZone +
			", because a record with that name exists that it does not manage"
		if record.Target != "" {
			why += " (it leads to " + record.Target + ")"
		}
		why += "; if the host is to lead to the hub, remove the record, and the next sweep writes the hub's record"
		reasons := []origin.Reason{{Code: RecordTaken, Subject: record.Target, Message: why}}
		if origin.SameReasons(r.Refusals[what], reasons) {
			continue
		}
		step.Outcome.Alarm(contract.DNSRecordRefused, "", outcome.Detail{What: what}.Because(reasons))
		step.Refusals = append(step.Refusals, Refusal{What: what, Reasons: reasons})
	}
}

// announce reports the new state of an origin:
//
//	new state  reported
//	live       Origin Went Live with what viewers get; the first time, how long it took
//	detached   Origin Detached
//	any other  -
func (r Run) announce(step *Step, was, is origin.Record) {
	if was.State == is.State {
		return
	}
	switch is.State {
	case origin.Live:
		if is.WasLive.Before(is.Admitted) {
			step.Outcome.Seconds(contract.MetricOnboardingLatency, r.Now.Sub(is.Admitted))
		}
		r.sayLive(step, is, r.shortfalls(is))
	case origin.Detached:
		step.Outcome.Inform(contract.OriginDetached, is.ARN, outcome.About(is, "origin "+is.ID+" is no longer in distribution "+r.Item.ID+", which is Deployed"))
	}
}

// observation returns the record to write: is, with its history, and with the token of the teardown task to complete.
func (r Run) observation(was, is origin.Record) Observation {
	var s Observation
	if taskWaits(is) {
		s.Token, s.Fact = is.Token, "origin "+is.ID+" is in no distribution of the hub"
		if r.Item.ID != "" {
			s.Fact = "origin " + is.ID + " is no longer in distribution " + r.Item.ID + ", which is Deployed"
		}
		if is.Intent == origin.Wire {
			s.Fact = "origin " + is.ID + " has to be wired again"
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
