package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// disabled finds distributions that are disabled and hold VPC origins: they answer nobody, and keep the origins from being
// deleted.
//
//	enabled  holds VPC origins  managed  changed            finding
//	yes      -                  -        -                  none
//	no       no                 -        -                  none
//	no       yes                no       less than 7 d ago  none: somebody may be about to delete it, or to enable it again
//	no       yes                no       before             distribution-disabled
//	no       yes                yes      -                  distribution-disabled, alarm
func (o Observed) disabled() []Finding {
	var found []Finding
	for _, d := range o.Listed {
		if !off(d) || !o.manages(d.ID) && o.Now.Sub(d.Modified) < unusedFor {
			continue
		}
		f := Finding{Kind: DistributionDisabled, Subject: d.ID, Account: o.Account, Since: d.Modified, Cost: unknown, In: o.Account}
		if o.manages(d.ID) {
			f.Alarm, f.Facts = true, []origin.Reason{fact(managedBy, o.enabler())}
			f.Risk, f.Repair = o.enable(d.ID)
			found = append(found, f)
			continue
		}
		var held []string
		for _, p := range d.Origins {
			if p.VPCOrigin != "" {
				held = append(held, p.VPCOrigin)
				f.Facts = append(f.Facts, fact(originIs, p.VPCOrigin))
			}
		}
		f.Risk = "it answers nobody, and its VPC origins cannot be deleted while it names them: " + strings.Join(held, ", ")
		f.Repair = fmt.Sprintf(`aws cloudfront delete-distribution --region us-east-1 --id %[1]s --if-match `+
			`"$(aws cloudfront get-distribution --region us-east-1 --id %[1]s --query ETag --output text)"`, d.ID)
		found = append(found, f)
	}
	return found
}

// off reports whether a distribution is disabled that holds VPC origins.
func off(d origin.Listed) bool {
	return !d.Enabled && slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { return p.VPCOrigin != "" })
}

// enabler is who enables a managed distribution: the hub its own, and people one that it adopted.
func (o Observed) enabler() string {
	if o.adopted() {
		return "people"
	}
	return "hub"
}

// enable returns what it means that a managed distribution is disabled, and the command that enables it.
func (o Observed) enable(distribution string) (risk, repair string) {
	risk = "somebody disabled it: every team is off the air"
	if o.adopted() {
		return risk + "; the hub enables none that it adopted: enable it in account " + o.Account, rewritten(distribution, "{Enabled: `true`}")
	}
	return risk + "; the hub enables it again", o.triggerWire()
}

// triggerWire is the command that makes function wire observe every distribution.
func (o Observed) triggerWire() string {
	return fmt.Sprintf("aws sqs send-message --region us-east-1 --queue-url %s --message-body '%s'", o.WireQueue, inbound.Trigger{Why: "repair"}.JSON())
}

// publicPaths finds behaviors of managed distributions that let viewers past the teams.
//
//	leads to a public origin, or a group with one  overlaps a claimed path  behind a private one that covers it  finding
//	no                                             -                        -                                    none
//	yes                                            no                       -                                    none
//	yes                                            yes                      yes                                  none
//	yes                                            yes                      no                                   path-public
func (o Observed) publicPaths() []Finding {
	var found []Finding
	for _, d := range o.Listed {
		if !o.manages(d.ID) {
			continue
		}
		for i, b := range d.Behaviors {
			public := publicTarget(d, b.Target)
			r, path, overlaps := o.claims(d, b.Path)
			if public == "" || !overlaps || slices.ContainsFunc(d.Behaviors[:i], func(first origin.ListedBehavior) bool {
				return publicTarget(d, first.Target) == "" && origin.Covers(first.Path, b.Path)
			}) {
				continue
			}
			found = append(found, Finding{
				Kind: PathPublic, Subject: d.ID + " " + b.Path, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Since: d.Modified, Cost: unknown,
				Risk: fmt.Sprintf("behavior %s overlaps %s of team %s and leads to %s on the public internet, past everything that keeps teams apart; "+
					"take it out in account %s", b.Path, path, r.Team, public, o.Account),
				Repair: withoutBehavior(d.ID, b.Path), In: o.Account,
				Facts: []origin.Reason{fact(pathIs, path), fact(targetIs, public)},
			})
		}
	}
	return found
}

// publicTarget is the domain name of the public origin that a behavior's target leads to, or "".
func publicTarget(d origin.Listed, target string) string {
	for _, id := range append([]string{target}, d.Groups[target]...) {
		for _, p := range d.Origins {
			if p.ID == id && p.VPCOrigin == "" {
				return p.Domain
			}
		}
	}
	return ""
}

// claims finds an origin of the distribution's with a claimed path that overlaps.
func (o Observed) claims(d origin.Listed, path string) (origin.Record, string, bool) {
	for _, r := range o.Records {
		if r.Intent != origin.Wire || !holds(d, r.ID) {
			continue
		}
		for _, claimed := range r.Claim.Paths {
			if origin.Overlap(claimed, path) {
				return r, claimed, true
			}
		}
	}
	return origin.Record{}, "", false
}

// withoutBehavior takes one behavior out of a distribution. A path pattern may hold quotes of both kinds:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
func withoutBehavior(distribution, path string) string {
	others := "Items[?PathPattern!=`" + strings.ReplaceAll(strconv.Quote(path), "'", `'\''`) + "`]"
	return rewritten(distribution, fmt.Sprintf("{CacheBehaviors: DistributionConfig.CacheBehaviors.{Items: %[1]s, Quantity: length(%[1]s)}}", others))
}

// rewritten writes a distribution's configuration as it is read but for some members, with the ETag that came with it, so that
// what somebody else writes meanwhile is not lost.
func rewritten(distribution, members string) string {
	return fmt.Sprintf(`aws cloudfront get-distribution-config --region us-east-1 --id %[1]s --output json `+
		`--query '{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, %[2]s)}' > %[1]s.json `+
		`&& aws cloudfront update-distribution --region us-east-1 --id %[1]s --cli-input-json file://%[1]s.json`, distribution, members)
}

// guardDistribution judges that a distribution was updated or deleted. A call of another account than the hub's is forged, and
// one that names an unmanaged distribution is harmless; else each managed one that it names, or each if it names none, is held
// against what is there now.
//
//	call                what is there now            finding
//	either              it is gone                   distribution-deleted
//	DeleteDistribution  it is there                  none
//	UpdateDistribution  disabled, with VPC origins   distribution-edited
//	UpdateDistribution  the managed part differs     distribution-edited
//	UpdateDistribution  a claimed path is public     path-public, also beside the two above
//	UpdateDistribution  none of these, it was named  distribution-edited; no alarm if it is adopted
//	UpdateDistribution  none of these, none named    none: it may well have been an unmanaged one
func (o Observed) guardDistribution(c inbound.CallHint) (Judgement, error) {
	switch {
	case c.Account != o.Account:
		return forged("account %s has no say in a distribution of the hub's", c.Account), nil
	case c.Target != "" && !o.manages(c.Target):
		return harmless("distribution %s is not the hub's", c.Target), nil
	}
	var found []Finding
	for _, id := range o.Managed {
		if c.Target != "" && c.Target != id {
			continue
		}
		changed, err := o.changed(id, c)
		if err != nil {
			return Judgement{}, err
		}
		found = append(found, changed...)
	}
	if len(found) == 0 {
		return harmless("every distribution of the hub's is there, and nothing of the hub's differs"), nil
	}
	return Judgement{Verdict: Found, Findings: found}, nil
}

// changed finds what the table of guardDistribution says of one managed distribution.
func (o Observed) changed(id string, c inbound.CallHint) ([]Finding, error) {
	f := Finding{Kind: DistributionEdited, Subject: id, Account: o.Account, Alarm: true, Repair: o.triggerWire(), In: o.Account}
	is := slices.IndexFunc(o.Listed, func(d origin.Listed) bool { return d.ID == id })
	if is < 0 {
		f.Kind = DistributionDeleted
		f.Risk = "distribution " + id + " is gone: its teams are off the air until the hub has made another and wired every origin into it"
		if o.adopted() {
			f.Risk = "distribution " + id + " is gone: its teams are off the air; create another, put its id in its place under " +
				"distribution.adopt in the hub policy, and deploy the hub"
			f.Repair, f.In = "", ""
		}
		return []Finding{f}, nil
	}
	if c.Call == inbound.DeleteDistribution {
		return nil, nil
	}
	differs, err := o.differs(id)
	if err != nil {
		return nil, err
	}
	public := slices.DeleteFunc(o.publicPaths(), func(f Finding) bool { return !strings.HasPrefix(f.Subject, id+" ") })
	switch {
	case off(o.Listed[is]):
		f.Risk, f.Repair = o.enable(id)
	case differs != "":
		f.Risk = "the hub puts back what is its own: " + differs
	case len(public) > 0 || c.Target == "":
		return public, nil
	default:
		f.Alarm, f.Repair, f.In = !o.adopted(), "", ""
		f.Risk = "nothing of the hub's differs now; what else the edit changed stays, and an edit of a stale copy takes teams off the air; " +
			"edit nothing of the distribution's whose id begins with originhub-"
	}
	return append([]Finding{f}, public...), nil
}

// differs returns what of the managed part of a distribution is not as the registry last saw it, in words.
//
//	configuration  origin in the registry     in the configuration  differs
//	not observed   -                          -                     no
//	observed       wired or live              as it claims          no
//	observed       wired or live              in another way        yes
//	observed       pending, or to be detached -                     no: what is still to be written is nobody's doing
func (o Observed) differs(id string) (string, error) {
	config := o.Configs[id]
	i := slices.IndexFunc(o.Distributions, func(d origin.Distribution) bool { return d.ID == id })
	if config == nil || i < 0 {
		return "", nil
	}
	d := o.Distributions[i]
	var settled []origin.Record
	for _, r := range o.In(d.Name) {
		if r.Intent == origin.Wire && (r.State == origin.Live || r.State == origin.Wired) {
			settled = append(settled, r)
		}
	}
	spec := o.Policy.Spec(d, config)
	spec.Limits = origin.Size{}
	plan, err := wiring.Diff(wiring.DesiredOf(settled, nil, spec), config)
	if err != nil {
		return "", fmt.Errorf("compare distribution %s: %w", id, err)
	}
	if plan.Empty() && len(plan.Refused) == 0 {
		return "", nil
	}
	return strings.ReplaceAll(plan.String(), "\n", "; "), nil
}
