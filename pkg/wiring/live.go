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

// shortfalls returns why viewers get less than a live origin claims:
//
//	the configuration                                    viewers get
//	is disabled                                          nothing
//	has an unmanaged pattern in front of the origin's    what that pattern matches from elsewhere
func (r Run) shortfalls(o origin.Record) (reasons []origin.Reason) {
	c := r.Served.Config
	if !c.Enabled() {
		reasons = append(reasons, origin.Reason{Code: DistributionDisabled, Subject: r.Item.ID, Message: "viewers get nothing, because distribution " +
			r.Item.ID + " is disabled; enable it"})
	}
	if patterns := c.inFront(o); len(patterns) > 0 {
		names := strings.Join(patterns, ", ")
		reasons = append(reasons, origin.Reason{Code: PatternInFront, Subject: names, Message: "requests that match " + names +
			" go elsewhere, because behaviors that originhub does not manage come first"})
	}
	return reasons
}

// reportShortfalls reports that viewers get less than a live origin claims, once for each change of the reasons. The event Origin Went Live
// says it first.
func (r Run) reportShortfalls(step *Step, is []origin.Record) {
	for i, o := range is {
		if o.State != origin.Live || o.Intent != origin.Wire {
			continue
		}
		what, reasons := o.ARN+" serves", r.shortfalls(o)
		if origin.SameReasons(r.Refusals[what], reasons) {
			continue
		}
		if reasons == nil {
			reasons = []origin.Reason{}
		}
		step.Refusals = append(step.Refusals, Refusal{What: what, Reasons: reasons})
		switch r.Records[i].State {
		case origin.Live:
			d := outcome.About(o, wentLive(o, reasons))
			d.Codes = origin.Codes(reasons)
			step.Outcome.Inform(contract.OriginWentLive, o.ARN, d)
		default:
			if origin.HasCode(reasons, DistributionDisabled) {
				r.reportDisabled(step)
			}
		}
	}
}

// wentLive says what a live origin serves, and why viewers get less than that.
func wentLive(o origin.Record, reasons []origin.Reason) string {
	claim := strings.Join(o.Claim.Paths, ", ") + " on " + strings.Join(o.Claim.Hosts, ", ")
	why, next := "origin "+o.ID+" serves "+claim, "; "
	if origin.HasCode(reasons, DistributionDisabled) {
		why, next = "origin "+o.ID+" is wired for "+claim, ", but " // the first reason: see shortfalls
	}
	for _, reason := range reasons {
		why, next = why+next+reason.Message, "; "
	}
	return why
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
