package wiring

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// AWS's managed policies for every behavior
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html and
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html). Without caching, no
// response of one team reaches the viewers of another. With the viewer's Host header forwarded, a team's load balancer can reject
// requests for other hosts.
const (
	CachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	AllViewer       = "216adef6-5c7f-47e4-b989-5492eafa07d3"
)

// Diff returns the changes that turn c into what d wants. It compares the managed part only:
//
//	part          managed if                                what Diff keeps as desired
//	origin        it is desired, or to be removed           DomainName, VpcOriginId, OwnerAccountId, claimed settings
//	behavior      its target is managed                     TargetOriginId, CachePolicyId, OriginRequestPolicyId, order
//	alias         an origin needs it, or it was released    presence, unless KeptAliases has it
//	default       Desired.NotFound is set                   its viewer-request function, so that no request reaches an origin
//	distribution  Desired.Toggle is set                     Enabled; how long errors are cached, if it says that for none
//	headers       Desired.ResponseHeaders is set            a response headers policy in the default behavior and in each managed one
//
// An unmanaged behavior that leads to the very VPC origin that claims its path is taken over (see takenOver). An orphan stays, because
// losing the registry must not take teams off the air. Other fields of managed parts stay as they are, too. An origin that cannot be wired
// completely is listed in Plan.Refused. It is left out completely, unless it is wired already. The error is a defect of d.
func Diff(d Desired, c *Config) (Plan, error) {
	origins := slices.Clone(d.Origins)
	slices.SortFunc(origins, byID)
	for i, o := range origins {
		if o.VPCOrigin == "" || o.Account == "" || o.Domain == "" || len(o.Paths) == 0 {
			return Plan{}, fmt.Errorf("diff distribution config: origin %q lacks its id, account, domain or paths", o.VPCOrigin)
		}
		if i > 0 && origins[i-1].VPCOrigin == o.VPCOrigin {
			return Plan{}, fmt.Errorf("diff distribution config: origin %s is desired twice", o.VPCOrigin)
		}
	}

	managed := d.managed()
	var p Plan
	origins, p.Refused = c.fitting(origins, d, managed)
	keptAliases := slices.Clone(d.KeptAliases)
	for _, o := range d.Origins {
		if !managed[OriginID(o.VPCOrigin)] {
			keptAliases = slices.Concat(keptAliases, o.Aliases, o.Released)
		}
	}
	stillUsed, problems := c.stillUsed(origins, d, managed)
	p.Refused = append(p.Refused, problems...)

	enabled := c.Enabled()
	if d.Toggle && !enabled && len(origins) > 0 {
		p.Changes = append(p.Changes, Change{Op: Enable, Kind: KindDistribution})
	}
	p.Changes = append(p.Changes, c.diffBase(d)...)
	takenOver := c.takenOver(origins)
	p.Changes = append(p.Changes, c.diffOrigins(origins, stillUsed, managed, takenOver)...)
	p.Changes = append(p.Changes, c.diffBehaviors(origins, managed, takenOver)...)
	p.Changes = append(p.Changes, c.diffAliases(origins, d.released(), keptAliases)...)
	orphan := slices.ContainsFunc(c.OriginIDs(), func(id string) bool { return Owned(id) && !managed[id] })
	if d.Toggle && enabled && len(origins)+len(stillUsed) == 0 && !orphan {
		p.Changes = append(p.Changes, Change{Op: Disable, Kind: KindDistribution})
	}
	return p, nil
}

// diffBase returns the changes to what Base gives a new distribution.
func (c *Config) diffBase(d Desired) (changes []Change) {
	if d.NotFound != "" && !c.answersNotFound(d.NotFound) {
		changes = append(changes, Change{Op: Amend, Kind: KindDefault, ID: d.NotFound})
	}
	if d.Toggle && len(c.root().child("CustomErrorResponses").items()) == 0 {
		changes = append(changes, Change{Op: Amend, Kind: KindErrors, ID: "0"})
	}
	if d.ResponseHeaders != "" && len(c.withoutHeaders()) > 0 {
		changes = append(changes, Change{Op: Add, Kind: KindHeaders, ID: d.ResponseHeaders})
	}
	return changes
}

// managed returns the ids of the origins that the plan may change or remove.
func (d Desired) managed() map[string]bool {
	ids := map[string]bool{}
	for _, o := range d.Origins {
		ids[OriginID(o.VPCOrigin)] = true
	}
	for _, id := range d.Removed {
		ids[OriginID(id)] = true
	}
	return ids
}

// released returns the aliases that the plan may remove.
func (d Desired) released() []string {
	all := slices.Clone(d.ReleasedAliases)
	for _, o := range d.Origins {
		all = append(all, o.Released...)
	}
	return all
}

// fitting returns the origins that the distribution can take, and a problem for each other one. Wired origins come first and stay wired:
// one goes without the paths that others have. If it has no path left, or there is no capacity for its new claim, it stays as it is, and
// fitting removes it from managed. No other origin gets the paths that it keeps.
func (c *Config) fitting(origins []Origin, d Desired, managed map[string]bool) (fit []Origin, out []Problem) {
	order := slices.Clone(origins)
	wired := func(o Origin) bool { return c.has(OriginID(o.VPCOrigin)) }
	slices.SortStableFunc(order, func(a, b Origin) int { return rank(wired(b)) - rank(wired(a)) })
	var unchanged []Problem
	for {
		f := c.newFitter(d, managed)
		i := 0
		for i < len(order) && f.take(order[i]) {
			i++
		}
		if i == len(order) {
			fit, out = f.fit, slices.Concat(unchanged, f.out)
			break
		}
		id := order[i].VPCOrigin
		delete(managed, OriginID(id))
		for _, p := range f.out {
			if p.VPCOrigin == id {
				unchanged = append(unchanged, p)
			}
		}
		order = slices.Delete(order, i, i+1)
	}
	slices.SortFunc(fit, byID)
	slices.SortStableFunc(out, func(a, b Problem) int { return strings.Compare(a.VPCOrigin, b.VPCOrigin) })
	return fit, out
}

// fitter is a distribution with the origins that fit so far.
type fitter struct {
	c         *Config
	limits    origin.Size
	used      origin.Size
	unmanaged []string          // path patterns of behaviors whose target has no record
	takenOver []Behavior        // those of unmanaged that lead to the VPC origin that claims their path
	owner     map[string]string // VPC origin by canonical path
	aliases   map[string]bool
	fit       []Origin
	out       []Problem
}

// newFitter returns a fitter that holds the unmanaged part and the origins that stay as they are.
func (c *Config) newFitter(d Desired, managed map[string]bool) *fitter {
	f := &fitter{c: c, limits: d.Limits, owner: map[string]string{}, aliases: map[string]bool{}}
	known := map[string]string{}
	for _, o := range d.Origins {
		known[OriginID(o.VPCOrigin)] = o.VPCOrigin
	}
	for _, b := range c.Behaviors() {
		switch stays := known[b.Origin]; {
		case managed[b.Origin]:
			continue
		case slices.ContainsFunc(d.Origins, func(o Origin) bool { return managed[OriginID(o.VPCOrigin)] && c.leads(b, o) }):
			f.takenOver = append(f.takenOver, b)
			f.unmanaged = append(f.unmanaged, b.Path)
		case stays != "":
			f.owner[origin.Canonical(b.Path)] = stays
		default:
			f.unmanaged = append(f.unmanaged, b.Path)
		}
		f.used.Behaviors++
	}
	for _, id := range c.OriginIDs() {
		if !managed[id] {
			f.used.Origins++
		}
	}
	released := d.released()
	for _, a := range c.Aliases() {
		if a = strings.ToLower(a); !slices.Contains(released, a) || slices.Contains(d.KeptAliases, a) {
			f.aliases[a] = true
		}
	}
	return f
}

// take adds an origin if it fits, and records a problem if it does not. It returns false for a wired origin that has to stay as it is.
func (f *fitter) take(o Origin) bool {
	wired := f.c.has(OriginID(o.VPCOrigin))
	free := f.freePaths(o)
	if len(free) < len(o.Paths) && !wired {
		return true
	}
	if len(free) == 0 {
		return false
	}
	o.Paths = free
	had := f.c.replaced(o)
	taken := had
	if wired {
		had.Origins++
		for _, b := range f.c.Behaviors() {
			if b.Origin == OriginID(o.VPCOrigin) {
				had.Behaviors++
			}
		}
	}
	var fresh []string
	for _, a := range o.Aliases {
		if a = strings.ToLower(a); !f.aliases[a] && !slices.Contains(fresh, a) {
			fresh = append(fresh, a)
		}
	}
	f.used.Aliases = len(f.aliases)
	need := origin.Size{Origins: 1, Behaviors: len(o.Paths), Aliases: len(fresh)}
	if short := exceeded(f.used, need, had, f.limits); short.quota != "" {
		f.refuse(o, DoesNotFit, short.quota, "the distribution %s%s", short.text, remedy(short))
		return !wired
	}
	f.used = f.used.Plus(need).Plus(origin.Size{Origins: -taken.Origins, Behaviors: -taken.Behaviors})
	for _, a := range fresh {
		f.aliases[a] = true
	}
	for _, path := range o.Paths {
		f.owner[origin.Canonical(path)] = o.VPCOrigin
	}
	f.fit = append(f.fit, o)
	return true
}

// freePaths returns the paths of an origin that no other behavior has. It records a problem for the first of the others.
func (f *fitter) freePaths(o Origin) []string {
	var free []string
	reported := false
	for _, path := range o.Paths {
		taken := slices.IndexFunc(f.unmanaged, func(other string) bool { return samePath(other, path) && !f.takes(o, other) })
		owner := f.owner[origin.Canonical(path)]
		switch {
		case taken < 0 && owner == "":
			free = append(free, path)
			continue
		case reported:
		case taken >= 0:
			f.refuse(o, PathTaken, f.unmanaged[taken], "path %s is taken by an unmanaged behavior of the distribution; claim another path, "+
				"or ask the distribution's owner to point that behavior at %s: originhub then takes it over without interruption",
				f.unmanaged[taken], o.VPCOrigin)
		default:
			f.refuse(o, PathTwice, path+" "+owner, "path %s is already taken by %s; claim another path", path, owner)
		}
		reported = true
	}
	return free
}

// takes reports whether an origin takes over the unmanaged behavior of a path.
func (f *fitter) takes(o Origin, path string) bool {
	return slices.ContainsFunc(f.takenOver, func(b Behavior) bool { return b.Path == path && f.c.leads(b, o) })
}

func (f *fitter) refuse(o Origin, code origin.Code, subject, format string, args ...any) {
	f.out = append(f.out, Problem{o.VPCOrigin, origin.Reason{Code: code, Subject: subject, Message: fmt.Sprintf(format, args...)}})
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}

// stillUsed returns the managed origins that have to be removed but that an unmanaged part of the configuration uses, and a problem for
// each VPC origin of which something unmanaged stays.
func (c *Config) stillUsed(desired []Origin, d Desired, managed map[string]bool) (ids []string, problems []Problem) {
	for _, vpcOrigin := range d.Removed {
		id := OriginID(vpcOrigin)
		if !managed[id] || wants(desired, id) != nil {
			continue
		}
		users := c.UnmanagedUsers(vpcOrigin)
		if len(users) == 0 {
			continue
		}
		if c.has(id) && c.needs(id) {
			ids = append(ids, id)
		}
		names := strings.Join(users, ", ")
		problems = append(problems, Problem{vpcOrigin, origin.Reason{Code: StillUsed, Subject: names, Message: "VPC origin " + vpcOrigin +
			" is used by unmanaged parts of the distribution: " + names + "; a platform engineer has to remove them or point them at another origin"}})
	}
	return ids, problems
}

func wants(origins []Origin, id string) *Origin {
	for i := range origins {
		if OriginID(origins[i].VPCOrigin) == id {
			return &origins[i]
		}
	}
	return nil
}

func (c *Config) diffOrigins(desired []Origin, stillUsed []string, managed, takenOver map[string]bool) []Change {
	var add, amend, remove []Change
	existing := map[string]*node{}
	for _, n := range c.root().child("Origins").items() {
		existing[n.get("Id")] = n
	}
	for _, o := range desired {
		id := OriginID(o.VPCOrigin)
		n, exists := existing[id]
		if !exists {
			from := ""
			if ids := c.unmanagedOrigins(o.VPCOrigin); len(ids) > 0 && len(c.replacedBehaviors(o)) > 0 {
				from = ids[0]
			}
			add = append(add, Change{Op: Add, Kind: KindOrigin, ID: id, Origin: &o, From: from})
			continue
		}
		if !n.isOrigin(o) {
			vpc := n.child("VpcOriginConfig")
			amend = append(amend, Change{
				Op: Amend, Kind: KindOrigin, ID: id, Origin: &o,
				Was: strings.Join(append([]string{
					fmt.Sprintf("%s of %s in account %s", n.get("DomainName"), vpc.get("VpcOriginId"), vpc.get("OwnerAccountId")),
				}, n.otherSettings(o.Settings)...), ", "),
			})
		}
	}
	for _, id := range c.OriginIDs() {
		if managed[id] && wants(desired, id) == nil && !slices.Contains(stillUsed, id) {
			remove = append(remove, Change{Op: Remove, Kind: KindOrigin, ID: id})
		}
	}
	for _, id := range c.unneeded(takenOver) {
		remove = append(remove, Change{Op: Remove, Kind: KindOrigin, ID: id, Was: "wired by hand"})
	}
	return slices.Concat(add, amend, remove)
}

func (c *Config) diffBehaviors(desired []Origin, managed, takenOver map[string]bool) []Change {
	target := map[string]string{}
	for _, o := range desired {
		for _, path := range o.Paths {
			target[path] = OriginID(o.VPCOrigin)
		}
	}
	kept, amended, remove := c.keptBehaviors(target, managed, takenOver)
	has := func(path string) bool { return slices.Contains(kept, placed{path, true}) }
	order := behaviorOrder(kept, slices.Sorted(maps.Keys(target)))
	stays := slices.DeleteFunc(slices.Clone(order), func(b placed) bool { return b.managed && !has(b.path) })
	move := !slices.Equal(stays, kept)
	changes := remove
	for i, b := range order {
		if !b.managed {
			continue
		}
		before := ""
		if i+1 < len(order) {
			before = order[i+1].path
		}
		if !has(b.path) {
			changes = append(changes, Change{Op: Add, Kind: KindBehavior, ID: b.path, Target: target[b.path], Before: before})
			continue
		}
		if change, ok := amended[b.path]; ok {
			changes = append(changes, change)
		}
		if move {
			changes = append(changes, Change{Op: Move, Kind: KindBehavior, ID: b.path, Before: before})
		}
	}
	return changes
}

// keptBehaviors sorts the existing behaviors: the ones that stay, in their order; the changes to managed ones that are not as desired,
// by path; and the removals of managed ones that are no longer wanted.
func (c *Config) keptBehaviors(target map[string]string, managed, takenOver map[string]bool) (kept []placed, amended map[string]Change, remove []Change) {
	amended = map[string]Change{}
	for _, n := range c.root().child("CacheBehaviors").items() {
		path, was := n.get("PathPattern"), n.get("TargetOriginId")
		if !managed[was] && !takenOver[path] {
			kept = append(kept, placed{path, false})
			continue
		}
		is, wanted := target[path]
		if !wanted {
			remove = append(remove, Change{Op: Remove, Kind: KindBehavior, ID: path, Was: "led to " + was})
			continue
		}
		kept = append(kept, placed{path, true})
		if is != was || !n.hasPolicies() {
			amended[path] = Change{
				Op: Amend, Kind: KindBehavior, ID: path, Target: is,
				Was: fmt.Sprintf("led to %s with cache policy %q and origin request policy %q", was, n.get("CachePolicyId"), n.get("OriginRequestPolicyId")),
			}
		}
	}
	return kept, amended, remove
}

// behaviorOrder returns the order of the managed paths and the kept behaviors. It returns the existing order if that has all paths and is
// correct.
func behaviorOrder(kept []placed, managed []string) []placed {
	missing := func(path string) bool { return !slices.Contains(kept, placed{path, true}) }
	if !slices.ContainsFunc(managed, missing) && wellPlaced(kept) {
		return kept
	}
	var unmanaged []string
	for _, b := range kept {
		if !b.managed {
			unmanaged = append(unmanaged, b.path)
		}
	}
	return arrange(unmanaged, managed)
}

func (c *Config) diffAliases(desired []Origin, released, kept []string) []Change {
	var want []string
	for _, o := range desired {
		for _, a := range o.Aliases {
			want = append(want, strings.ToLower(a))
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	var have []string
	var add, remove []Change
	for _, a := range c.Aliases() {
		have = append(have, strings.ToLower(a))
		is := func(other string) bool { return strings.EqualFold(other, a) }
		if slices.ContainsFunc(released, is) && !slices.ContainsFunc(kept, is) && !slices.ContainsFunc(want, is) {
			remove = append(remove, Change{Op: Remove, Kind: KindAlias, ID: a})
		}
	}
	for _, a := range want {
		if !slices.Contains(have, a) {
			add = append(add, Change{Op: Add, Kind: KindAlias, ID: a})
		}
	}
	return slices.Concat(add, remove)
}
