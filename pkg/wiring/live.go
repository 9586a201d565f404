package wiring

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Codes of the reasons why viewers get less than a live origin claims.
const (
	PatternInFront       origin.Code = "pattern-in-front"      // an unmanaged behavior in front of the origin's takes a part of its paths
	DistributionDisabled origin.Code = "distribution-disabled" // the distribution is disabled, so viewers get nothing
	RecordMissing        origin.Code = "record-missing"        // a host has no DNS record
)

// kind returns what kind of distribution the configuration is of, or "" for a standard one. Neither a staging distribution nor a
// multi-tenant one accepts aliases
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/continuous-deployment-quotas-considerations.html and
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-config-options.html).
func (c *Config) kind() string {
	switch {
	case c.root().get("Staging") == "true":
		return "staging distribution of a continuous deployment"
	case c.root().get("ConnectionMode") == "tenant-only":
		return "multi-tenant distribution"
	}
	return ""
}

// inFront returns the path patterns of unmanaged behaviors that take a part of an origin's paths, because they come first.
func (c *Config) inFront(o origin.Record) (patterns []string) {
	behaviors := c.Behaviors()
	for i, b := range behaviors {
		if b.Origin != OriginID(o.ID) {
			continue
		}
		for _, early := range behaviors[:i] {
			if !Owned(early.Origin) && origin.Overlap(early.Path, b.Path) && !slices.Contains(patterns, early.Path) {
				patterns = append(patterns, early.Path)
			}
		}
	}
	return patterns
}

// shortfalls returns why viewers get less than a live origin claims. What the run has not observed of DNS counts as it was reported last.
//
//	observed                                               viewers get
//	the configuration is disabled                          nothing
//	a host has no DNS record, and the run has written none nothing on that host
//	a host has an unmanaged DNS record                     what that record leads to
//	an unmanaged pattern is in front of the origin's       what that pattern matches from elsewhere
func (r Run) shortfalls(o origin.Record) (reasons []origin.Reason) {
	c := r.Served.Config
	if !c.Enabled() {
		reasons = append(reasons, origin.Reason{Code: DistributionDisabled, Subject: r.Item.ID, Message: "viewers get nothing, because distribution " +
			r.Item.ID + " is disabled; enable it"})
	}
	reasons = append(reasons, r.unresolved(o)...)
	if patterns := c.inFront(o); len(patterns) > 0 {
		names := strings.Join(patterns, ", ")
		reasons = append(reasons, origin.Reason{Code: PatternInFront, Subject: names, Message: "requests that match " + names +
			" go elsewhere, because behaviors that originhub does not manage come first"})
	}
	return reasons
}

// unresolved returns the shortfalls of an origin that are about DNS.
func (r Run) unresolved(o origin.Record) (reasons []origin.Reason) {
	if !r.Zone.Planned || r.Zone.Hosts != nil && !r.Zone.covers(o.Claim.Hosts) {
		return slices.DeleteFunc(slices.Clone(r.Refusals[serving(o)]), func(reason origin.Reason) bool {
			return reason.Code != RecordMissing && reason.Code != RecordTaken
		})
	}
	var missing, taken []string
	for _, host := range o.Claim.Hosts {
		of := func(e origin.DNSRecord) bool { return strings.EqualFold(e.Name, host) }
		switch {
		case slices.ContainsFunc(r.Zone.Plan.Refused, of):
			taken = append(taken, host)
		case slices.ContainsFunc(r.Zone.Plan.Upsert, of) && len(hostRecords(r.Zone.Records, []string{host})) == 0:
			missing = append(missing, host)
		}
	}
	if len(missing) > 0 {
		names := strings.Join(missing, ", ")
		reasons = append(reasons, origin.Reason{Code: RecordMissing, Subject: names, Message: "viewers of " + names + " do not reach it, because that host has no DNS record"})
	}
	if len(taken) > 0 {
		names := strings.Join(taken, ", ")
		reasons = append(reasons, origin.Reason{Code: RecordTaken, Subject: names, Message: "viewers of " + names +
			" do not reach it, because an unmanaged DNS record exists for that host"})
	}
	return reasons
}

// serving returns the key under which Refusals has the reported shortfalls of an origin.
func serving(o origin.Record) string { return o.ARN + " serves" }

// reportShortfalls reports that viewers get less, or no longer less, than a live origin claims, once for each change of the reasons. The event
// of an origin that becomes live says it first: was are the records before the run.
func (r Run) reportShortfalls(step *Step, was, is []origin.Record) {
	for i, o := range is {
		if o.State != origin.Live || o.Intent != origin.Wire {
			continue
		}
		reasons := r.shortfalls(o)
		if origin.SameReasons(r.Refusals[serving(o)], reasons) {
			continue
		}
		step.Refusals = append(step.Refusals, Refusal{What: serving(o), Reasons: append([]origin.Reason{}, reasons...)})
		switch {
		case was[i].State == origin.Live:
			r.sayLive(step, o, reasons)
		case origin.HasCode(reasons, DistributionDisabled):
			r.reportDisabled(step)
		}
	}
}

// sayLive publishes what a live origin serves.
func (r Run) sayLive(step *Step, o origin.Record, reasons []origin.Reason) {
	d := outcome.About(o, wentLive(o, reasons))
	d.Codes = origin.Codes(reasons)
	step.Outcome.Inform(contract.OriginWentLive, o.ARN, d)
}

// wentLive says what a live origin serves, and why viewers get less than that.
func wentLive(o origin.Record, reasons []origin.Reason) string {
	claim := strings.Join(o.Claim.Paths, ", ") + " on " + strings.Join(o.Claim.Hosts, ", ")
	why, next := "origin "+o.ID+" serves "+claim, "; "
	if slices.ContainsFunc(reasons, func(reason origin.Reason) bool { return nothingReaches(o, reason) }) {
		why, next = "origin "+o.ID+" is wired for "+claim, ", but "
	}
	for _, reason := range reasons {
		why, next = why+next+reason.Message, "; "
	}
	return why
}

// nothingReaches reports whether a shortfall keeps all viewers from an origin.
func nothingReaches(o origin.Record, reason origin.Reason) bool {
	allHosts := (reason.Code == RecordMissing || reason.Code == RecordTaken) && reason.Subject == strings.Join(o.Claim.Hosts, ", ")
	return reason.Code == DistributionDisabled || allHosts
}

// reportDisabled raises an alarm about a distribution that was disabled before an origin became live in it. Who disables it later is reported
// by the audit.
func (r Run) reportDisabled(step *Step) {
	disabled := func(e outcome.Event) bool {
		return slices.Contains(e.Detail.Codes, DistributionDisabled) && e.Type == contract.DriftFound
	}
	if slices.ContainsFunc(step.Outcome.Events, disabled) {
		return
	}
	step.Outcome.Alarm(contract.DriftFound, "", outcome.Detail{
		What: r.Item.ID, Codes: []origin.Code{DistributionDisabled},
		Why: "distribution " + r.Item.ID + " is disabled, so viewers get nothing of the origins in it; enable the distribution, for example with the CloudFront console",
	})
}
