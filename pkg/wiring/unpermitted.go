package wiring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// unpermitted reports whether policy does not permit what a record wants.
func (r Run) unpermitted(o origin.Record) bool {
	return o.Intent == origin.Wire && len(r.Unpermitted[o.ID]) > 0
}

// permittedHosts returns the records as DNS may follow them: a record that policy does not permit keeps the DNS records that its hosts have
// and gets no others.
func (r Run) permittedHosts(records []origin.Record) []origin.Record {
	out := slices.Clone(records)
	for i, o := range out {
		if r.unpermitted(o) {
			out[i].State = origin.Pending
		}
	}
	return out
}

// reportUnpermitted reports each record that policy does not permit and for which something would have to be written, once, and triggers
// function admit, which corrects the record. Where nothing would have to be written, policy has changed, and function admit reports that.
//
//	policy       the distribution and DNS   reported before  then
//	permits      any                        no               nothing
//	permits      any                        yes              forgotten
//	permits not  as the record wants them   any              nothing
//	permits not  otherwise                  as it is now     nothing
//	permits not  otherwise                  no               Registry Item Refused; admit is triggered
func (r Run) reportUnpermitted(step *Step) {
	for _, o := range r.Records {
		what, reasons := o.ARN+" registry", r.Unpermitted[o.ID]
		reported := r.Refusals[what]
		switch {
		case slices.ContainsFunc(step.Refusals, func(one Refusal) bool { return one.What == what }):
		case !r.unpermitted(o) && len(reported) > 0:
			step.Refusals = append(step.Refusals, Refusal{What: what, Reasons: []origin.Reason{}})
		case !r.unpermitted(o), o.State == origin.Deferred, r.extent(o) == complete && !r.lacksRecords(o), origin.SameReasons(reported, reasons):
		default:
			d := outcome.About(o, "").Because(reasons)
			d.Why = fmt.Sprintf("the record of %s in the registry claims %s on %s, which the hub policy does not permit, so originhub writes nothing for it: %s; "+
				"function admit reads the tags of %s and corrects the record, or withdraws the origin; if neither the hub policy nor a tag was changed, "+
				"find out who wrote item origin#%s in the registry", o.ID, strings.Join(o.Claim.Paths, ", "), strings.Join(o.Claim.Hosts, ", "), d.Why, o.ID, o.ID)
			step.Outcome.Alarm(contract.RegistryItemRefused, o.ARN, d)
			step.Outcome.Trigger(outcome.Admit, "a record is not permitted", 0)
			step.Refusals = append(step.Refusals, Refusal{What: what, Reasons: reasons})
		}
	}
}

// lacksRecords reports whether a host of a live origin does not lead to the distribution, as far as the hosted zone was read.
func (r Run) lacksRecords(o origin.Record) bool {
	if o.State != origin.Live || !r.Zone.Read || r.Zone.Hosts != nil && !r.Zone.covers(o.Claim.Hosts) {
		return false
	}
	there := hostRecords(r.Zone.Records, o.Claim.Hosts)
	return slices.ContainsFunc(o.Claim.Hosts, func(host string) bool {
		return !slices.ContainsFunc(there[strings.ToLower(host)], func(e origin.DNSRecord) bool { return leadsTo(e, r.Served.Domain) })
	})
}
