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

// disabled finds disabled distributions with VPC origins. They serve no viewer, and keep the origins from being deleted.
//
//	enabled  has VPC origins  managed  changed            finding
//	yes      -                -        -                  none
//	no       no               -        -                  none
//	no       admitted         no       -                  none: sideDoors finds it
//	no       none admitted    no       less than 7 d ago  none: somebody may be about to delete or enable it
//	no       none admitted    no       before             distribution-disabled
//	no       yes              yes      -                  distribution-disabled, alarm
func (o Observed) disabled() []Finding {
	var found []Finding
	for _, d := range o.Listed {
		admitted := slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { _, is := o.admitted(p.VPCOrigin); return is })
		if !disabledWithOrigins(d) || !o.manages(d.ID) && (admitted || o.Now.Sub(d.Modified) < unusedGrace) {
			continue
		}
		f := Finding{Kind: DistributionDisabled, Subject: d.ID, Account: o.Account, Since: d.Modified, Cost: unknown, In: o.Account}
		if o.manages(d.ID) {
			f.Alarm, f.Facts = true, []origin.Reason{fact(managedBy, o.enabledBy())}
			f.Risk, f.Repair = o.enable(d.ID)
			found = append(found, f)
			continue
		}
		var origins []string
		for _, p := range d.Origins {
			if p.VPCOrigin != "" {
				origins = append(origins, p.VPCOrigin)
				f.Facts = append(f.Facts, fact(originIs, p.VPCOrigin))
			}
		}
		f.Risk = "distribution " + d.ID + " is disabled: it serves no viewer, and keeps VPC origins " + strings.Join(origins, ", ") +
			" from being deleted; if nobody needs the distribution, delete it in account " + o.Account
		f.Repair = fmt.Sprintf(`aws cloudfront delete-distribution --region us-east-1 --id %[1]s --if-match `+
			`"$(aws cloudfront get-distribution --region us-east-1 --id %[1]s --query ETag --output text)"`, d.ID)
		found = append(found, f)
	}
	return found
}

// disabledWithOrigins reports whether a distribution is disabled and has VPC origins.
func disabledWithOrigins(d origin.Listed) bool {
	return !d.Enabled && slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { return p.VPCOrigin != "" })
}

// enabledBy returns who enables a managed distribution: "hub" if the hub created it, "people" if it was adopted.
func (o Observed) enabledBy() string {
	if o.adopted() {
		return "people"
	}
	return "hub"
}

// enable returns the risk of a disabled managed distribution, and the command that enables it.
func (o Observed) enable(distribution string) (risk, repair string) {
	risk = "distribution " + distribution + " was disabled by somebody, and all its teams are off the air"
	if o.adopted() {
		return risk + "; the hub does not enable an adopted distribution, so enable it in account " + o.Account, rewritten(distribution, "{Enabled: `true`}")
	}
	return risk + "; " + o.unlessPaused(distribution, "the hub enables it again"), o.triggerWire()
}

// unlessPaused returns what the hub does about a distribution, or that it does nothing because a person has paused it.
func (o Observed) unlessPaused(distribution, does string) string {
	d := origin.Distribution{Identity: origin.Identity{ID: distribution}}
	if i := slices.IndexFunc(o.Distributions, func(d origin.Distribution) bool { return d.ID == distribution }); i >= 0 {
		d = o.Distributions[i]
	}
	if h, paused := o.Paused(d); paused {
		return "the hub restores nothing until somebody deletes the item " + h.Key + " from partition hold of the registry"
	}
	return does
}

// triggerWire returns the command that makes function wire observe every distribution.
func (o Observed) triggerWire() string {
	return fmt.Sprintf("aws sqs send-message --region us-east-1 --queue-url %s --message-body '%s'", o.WireQueue, inbound.Trigger{Why: "repair"}.JSON())
}

// publicPaths finds behaviors of managed distributions that send requests for a team's path to a public origin.
//
//	public origin, or a group with one  overlaps a claimed path  after a private behavior that covers it  finding
//	no                                  -                        -                                        none
//	yes                                 no                       -                                        none
//	yes                                 yes                      yes                                      none
//	yes                                 yes                      no                                       path-public
func (o Observed) publicPaths() []Finding {
	var found []Finding
	for _, d := range o.Listed {
		if !o.manages(d.ID) {
			continue
		}
		for i, b := range d.Behaviors {
			public := publicTarget(d, b.Target)
			if public == "" {
				continue
			}
			r, path, overlaps := o.claims(d, b.Path)
			if !overlaps || slices.ContainsFunc(d.Behaviors[:i], func(first origin.ListedBehavior) bool {
				return publicTarget(d, first.Target) == "" && origin.Covers(first.Path, b.Path)
			}) {
				continue
			}
			found = append(found, Finding{
				Kind: PathPublic, Subject: d.ID + " " + b.Path, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Since: d.Modified, Cost: unknown,
				Risk: fmt.Sprintf("behavior %[1]s of distribution %[2]s overlaps path %[3]s of team %[4]s, and sends requests for it to the public origin %[5]s instead "+
					"of to the team's VPC origin; remove the behavior in account %[6]s", b.Path, d.ID, path, r.Team, public, o.Account),
				Repair: withoutBehavior(d.ID, b.Path), In: o.Account,
				Facts: []origin.Reason{fact(pathIs, path), fact(targetIs, public)},
			})
		}
	}
	return found
}

// publicTarget returns the domain name of the public origin to which a behavior's target leads, or "".
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

// claims returns an origin in distribution d with a claimed path that overlaps path, and that claimed path.
func (o Observed) claims(d origin.Listed, path string) (origin.Record, string, bool) {
	var held []int
	for _, p := range d.Origins {
		held = append(held, o.look().records[p.VPCOrigin]...)
	}
	slices.Sort(held)
	for _, i := range slices.Compact(held) {
		r := o.Records[i]
		if r.Intent != origin.Wire {
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

// withoutBehavior returns the command that removes one behavior from a distribution. A path pattern may contain quotes of both kinds
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html).
func withoutBehavior(distribution, path string) string {
	others := "Items[?PathPattern!=`" + strings.ReplaceAll(strconv.Quote(path), "'", `'\''`) + "`]"
	return rewritten(distribution, fmt.Sprintf("{CacheBehaviors: DistributionConfig.CacheBehaviors.{Items: %[1]s, Quantity: length(%[1]s)}}", others))
}

// rewritten returns the command that replaces some members of a distribution's configuration. It sends the ETag that it read, so that it
// does not overwrite a concurrent update.
func rewritten(distribution, members string) string {
	return fmt.Sprintf(`aws cloudfront get-distribution-config --region us-east-1 --id %[1]s --output json `+
		`--query '{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, %[2]s)}' > %[1]s.json `+
		`&& aws cloudfront update-distribution --region us-east-1 --id %[1]s --cli-input-json file://%[1]s.json`, distribution, members)
}

// guardDistribution judges an update or deletion of a distribution. An update by another account than the hub's, or of an
// unmanaged distribution, is judged by guardDoors; a deletion by another account is forged. Otherwise the named distribution, or every managed one if none is named, is compared with its
// current state.
//
//	call                current state                        finding
//	either              does not exist                       distribution-deleted
//	DeleteDistribution  exists                               none
//	UpdateDistribution  disabled, with VPC origins           distribution-edited
//	UpdateDistribution  the managed part differs             distribution-edited
//	UpdateDistribution  a claimed path is public             path-public, in addition to the two above
//	UpdateDistribution  none of these, named                 distribution-edited; no alarm if it is adopted
//	UpdateDistribution  none of these, none was named        none, or a side door: it may have been an unmanaged one
func (o Observed) guardDistribution(c inbound.CallHint) (Judgement, error) {
	switch {
	case c.Account != o.Account && c.Call == inbound.UpdateDistribution:
		return o.guardDoors(c), nil
	case c.Account != o.Account:
		return forged("account %s does not own the hub's distributions", c.Account), nil
	case c.Target != "" && !o.manages(c.Target):
		return o.guardDoors(c), nil
	}
	var found []Finding
	public := o.publicPaths()
	for _, id := range o.Managed {
		if c.Target != "" && c.Target != id {
			continue
		}
		changed, err := o.changed(id, c, public)
		if err != nil {
			return Judgement{}, err
		}
		found = append(found, changed...)
	}
	if c.Target == "" {
		found = append(found, o.newDoors()...)
	}
	if len(found) == 0 {
		return harmless("every managed distribution exists, and its managed part is as it should be"), nil
	}
	return Judgement{Verdict: Found, Findings: found}, nil
}

// changed returns the findings about one managed distribution according to the table of guardDistribution. public are the findings of
// publicPaths.
func (o Observed) changed(id string, c inbound.CallHint, public []Finding) ([]Finding, error) {
	f := Finding{Kind: DistributionEdited, Subject: id, Account: o.Account, Alarm: true, Repair: o.triggerWire(), In: o.Account}
	is, listed := o.look().listed[id]
	if !listed {
		f.Kind = DistributionDeleted
		f.Risk = "distribution " + id + " was deleted, and its teams are off the air; " + o.unlessPaused(id, "the hub creates another and wires every origin into it")
		if o.adopted() {
			f.Risk = "distribution " + id + " was deleted, and its teams are off the air; create another distribution, put its id in place of " + id + " in " +
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
	public = slices.DeleteFunc(slices.Clone(public), func(f Finding) bool { return !strings.HasPrefix(f.Subject, id+" ") })
	switch {
	case disabledWithOrigins(o.Listed[is]):
		f.Risk, f.Repair = o.enable(id)
	case differs != "":
		f.Risk = "the managed part of distribution " + id + " was changed; " + o.unlessPaused(id, "the hub restores it") + ": " + differs
	case len(public) > 0 || c.Target == "":
		return public, nil
	default:
		f.Alarm, f.Repair, f.In = !o.adopted(), "", ""
		f.Risk = "distribution " + id + " was edited; its managed part is as it should be, and the other changes stay; do not edit origins whose " +
			"id begins with originhub-, and start each edit from the configuration that you just read: to write back an outdated copy removes origins " +
			"and takes teams off the air"
	}
	return append([]Finding{f}, public...), nil
}

// differs returns in words how the managed part of a distribution differs from what the registry recorded as wired.
//
//	configuration  origin in the registry     in the configuration  differs
//	not observed   -                          -                     no
//	observed       wired or live              as claimed            no
//	observed       wired or live              otherwise             yes
//	observed       pending, or to be detached -                     no: the hub has not written it yet
func (o Observed) differs(id string) (string, error) {
	config := o.Configs[id]
	i := slices.IndexFunc(o.Distributions, func(d origin.Distribution) bool { return d.ID == id })
	if config == nil || i < 0 {
		return "", nil
	}
	d := o.Distributions[i]
	var wired []origin.Record
	for _, r := range o.In(d.Name) {
		if r.Intent == origin.Wire && (r.State == origin.Live || r.State == origin.Wired) {
			wired = append(wired, r)
		}
	}
	spec := o.Policy.Spec(d, config)
	spec.Limits = origin.Size{}
	plan, err := wiring.Diff(wiring.DesiredOf(wired, nil, spec), config)
	if err != nil {
		return "", fmt.Errorf("compare distribution %s: %w", id, err)
	}
	if plan.Empty() && len(plan.Refused) == 0 {
		return "", nil
	}
	return strings.ReplaceAll(plan.String(), "\n", "; "), nil
}
