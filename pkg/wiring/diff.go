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

// Diff compares what is desired with a configuration. It looks only at what is ours:
//
//	part          ours when                                  what of it is kept as desired
//	origin        it is desired, or to be removed            DomainName, VpcOriginId, OwnerAccountId
//	behavior      its target is ours                         TargetOriginId, CachePolicyId, OriginRequestPolicyId, order
//	alias         an origin needs it, or it was released     presence, unless what stays as it is keeps it
//	default       Desired.NotFound                           its viewer-request function, which reaches no origin
//	distribution  Desired.Toggle                             Enabled
//
// An origin that has our prefix and that nobody speaks of stays: a registry that was lost must not take teams off the air.
// Every other field of these, too, is left as somebody else may have set it. An origin that cannot be wired as a whole is
// named in Plan.Refused, and left out as a whole unless it is wired already. The error is about Desired itself.
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

	mine := d.mine()
	var p Plan
	origins, p.Refused = c.fitting(origins, d, mine)
	kept := slices.Clone(d.Kept)
	for _, o := range d.Origins {
		if !mine[OriginID(o.VPCOrigin)] {
			kept = slices.Concat(kept, o.Aliases, o.Released)
		}
	}
	stuck, problems := c.stuck(origins, mine)
	p.Refused = append(p.Refused, problems...)

	enabled := c.Enabled()
	if d.Toggle && !enabled && len(origins) > 0 {
		p.Changes = append(p.Changes, Change{Op: Enable, Kind: KindDistribution})
	}
	if d.NotFound != "" && !c.answersNotFound(d.NotFound) {
		p.Changes = append(p.Changes, Change{Op: Amend, Kind: KindDefault, ID: d.NotFound})
	}
	p.Changes = append(p.Changes, c.diffOrigins(origins, stuck, mine)...)
	p.Changes = append(p.Changes, c.diffBehaviors(origins, mine)...)
	p.Changes = append(p.Changes, c.diffAliases(origins, d.released(), kept)...)
	unknown := slices.ContainsFunc(c.OriginIDs(), func(id string) bool { return Owned(id) && !mine[id] })
	if d.Toggle && enabled && len(origins)+len(stuck) == 0 && !unknown {
		p.Changes = append(p.Changes, Change{Op: Disable, Kind: KindDistribution})
	}
	return p, nil
}

// mine are the ids of the origins that the plan may touch.
func (d Desired) mine() map[string]bool {
	ids := map[string]bool{}
	for _, o := range d.Origins {
		ids[OriginID(o.VPCOrigin)] = true
	}
	for _, id := range d.Removed {
		ids[OriginID(id)] = true
	}
	return ids
}

// released are the aliases that the plan may take away.
func (d Desired) released() []string {
	all := slices.Clone(d.Released)
	for _, o := range d.Origins {
		all = append(all, o.Released...)
	}
	return all
}

// fitting leaves out the origins that the distribution cannot take. What is wired already comes first, and nothing takes it
// out: it goes without the paths that somebody else has, and if no path is left, or there is no room for what it asks for, it
// stays as it is and so is no longer mine. Nobody else gets the paths that it keeps, whoever came first.
func (c *Config) fitting(origins []Origin, d Desired, mine map[string]bool) (fit []Origin, out []Problem) {
	order := slices.Clone(origins)
	wired := func(o Origin) bool { return c.has(OriginID(o.VPCOrigin)) }
	slices.SortStableFunc(order, func(a, b Origin) int { return rank(wired(b)) - rank(wired(a)) })
	var stay []Problem
	for {
		f := c.newFitter(d, mine)
		i := 0
		for i < len(order) && f.take(order[i]) {
			i++
		}
		if i == len(order) {
			fit, out = f.fit, slices.Concat(stay, f.out)
			break
		}
		id := order[i].VPCOrigin
		delete(mine, OriginID(id))
		for _, p := range f.out {
			if p.VPCOrigin == id {
				stay = append(stay, p)
			}
		}
		order = slices.Delete(order, i, i+1)
	}
	slices.SortFunc(fit, byID)
	slices.SortStableFunc(out, func(a, b Problem) int { return strings.Compare(a.VPCOrigin, b.VPCOrigin) })
	return fit, out
}

// fitter is a distribution with the origins that were fitted in so far.
type fitter struct {
	c       *Config
	limits  origin.Size
	used    origin.Size
	foreign []string          // path patterns of behaviors that no origin of the registry has
	owner   map[string]string // VPC origin by canonical path
	aliases map[string]bool
	fit     []Origin
	out     []Problem
}

// newFitter begins with what is not mine to change: what others have, and what stays as it is.
func (c *Config) newFitter(d Desired, mine map[string]bool) *fitter {
	f := &fitter{c: c, limits: d.Limits, owner: map[string]string{}, aliases: map[string]bool{}}
	known := map[string]string{}
	for _, o := range d.Origins {
		known[OriginID(o.VPCOrigin)] = o.VPCOrigin
	}
	for _, b := range c.Behaviors() {
		switch stays := known[b.Origin]; {
		case mine[b.Origin]:
			continue
		case stays != "":
			f.owner[origin.Canonical(b.Path)] = stays
		default:
			f.foreign = append(f.foreign, b.Path)
		}
		f.used.Behaviors++
	}
	for _, id := range c.OriginIDs() {
		if !mine[id] {
			f.used.Origins++
		}
	}
	released := d.released()
	for _, a := range c.Aliases() {
		if a = strings.ToLower(a); !slices.Contains(released, a) || slices.Contains(d.Kept, a) {
			f.aliases[a] = true
		}
	}
	return f
}

// take fits an origin in, or says why it cannot be. It reports false for one that is wired and has to stay as it is.
func (f *fitter) take(o Origin) bool {
	wired := f.c.has(OriginID(o.VPCOrigin))
	free := f.free(o)
	if len(free) < len(o.Paths) && !wired {
		return true
	}
	if len(free) == 0 {
		return false
	}
	o.Paths = free
	var had origin.Size
	if wired {
		had.Origins = 1
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
	if over := exceeded(f.used, need, had, f.limits); over.kind != "" {
		f.refuse(o, DoesNotFit, over.kind, "the distribution %s%s", over.says, remedy(over))
		return !wired
	}
	f.used = f.used.Plus(need)
	for _, a := range fresh {
		f.aliases[a] = true
	}
	for _, path := range o.Paths {
		f.owner[origin.Canonical(path)] = o.VPCOrigin
	}
	f.fit = append(f.fit, o)
	return true
}

// free lists the paths that an origin claims and nobody else has, and says of the first of the others who has it.
func (f *fitter) free(o Origin) []string {
	var free []string
	said := false
	for _, path := range o.Paths {
		taken := slices.IndexFunc(f.foreign, func(other string) bool { return samePath(other, path) })
		owner := f.owner[origin.Canonical(path)]
		switch {
		case taken < 0 && owner == "":
			free = append(free, path)
			continue
		case said:
		case taken >= 0:
			f.refuse(o, PathTaken, f.foreign[taken], "the distribution has a behavior for %s that belongs to no origin of the registry: "+
				"remove that behavior, or claim another path", f.foreign[taken])
		default:
			f.refuse(o, PathTwice, path+" "+owner, "%s has the path %s already: claim another one", owner, path)
		}
		said = true
	}
	return free
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

// stuck names the origins of ours that should go but are used by a part of the configuration that is not ours to change.
func (c *Config) stuck(desired []Origin, mine map[string]bool) (ids []string, problems []Problem) {
	for _, id := range c.OriginIDs() {
		if !mine[id] || wants(desired, id) != nil {
			continue
		}
		user := ""
		if c.root().child("DefaultCacheBehavior").get("TargetOriginId") == id {
			user = "the default behavior"
		}
		for _, group := range c.root().child("OriginGroups").items() {
			if group.names(id) {
				user = "origin group " + group.get("Id")
			}
		}
		if user != "" {
			ids = append(ids, id)
			problems = append(problems, Problem{
				strings.TrimPrefix(id, prefix),
				origin.Reason{Code: StillUsed, Subject: user, Message: user + " of the distribution uses it, which originhub did not set: point that at another origin"},
			})
		}
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

func (c *Config) diffOrigins(desired []Origin, stuck []string, mine map[string]bool) []Change {
	var add, amend, remove []Change
	existing := map[string]*node{}
	for _, n := range c.root().child("Origins").items() {
		existing[n.get("Id")] = n
	}
	for _, o := range desired {
		id := OriginID(o.VPCOrigin)
		n, exists := existing[id]
		if !exists {
			add = append(add, Change{Op: Add, Kind: KindOrigin, ID: id, Origin: &o})
			continue
		}
		vpc := n.child("VpcOriginConfig")
		domain, account := n.get("DomainName"), vpc.get("OwnerAccountId")
		if domain != o.Domain || account != o.Account || vpc.get("VpcOriginId") != o.VPCOrigin {
			amend = append(amend, Change{
				Op: Amend, Kind: KindOrigin, ID: id, Origin: &o,
				Was: fmt.Sprintf("%s of %s in account %s", domain, vpc.get("VpcOriginId"), account),
			})
		}
	}
	for _, id := range c.OriginIDs() {
		if mine[id] && wants(desired, id) == nil && !slices.Contains(stuck, id) {
			remove = append(remove, Change{Op: Remove, Kind: KindOrigin, ID: id})
		}
	}
	return slices.Concat(add, amend, remove)
}

func (c *Config) diffBehaviors(desired []Origin, mine map[string]bool) []Change {
	target := map[string]string{}
	for _, o := range desired {
		for _, path := range o.Paths {
			target[path] = OriginID(o.VPCOrigin)
		}
	}
	kept, amended, remove := c.keptBehaviors(target, mine)
	has := func(path string) bool { return slices.Contains(kept, placed{path, true}) }
	order := behaviorOrder(kept, slices.Sorted(maps.Keys(target)))
	stays := slices.DeleteFunc(slices.Clone(order), func(b placed) bool { return b.ours && !has(b.path) })
	move := !slices.Equal(stays, kept)
	changes := remove
	for i, b := range order {
		if !b.ours {
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

// keptBehaviors sorts what is there: behaviors that stay, in their order; how to amend those of ours that are not as wanted, by
// path; and those of ours that nobody wants, to remove.
func (c *Config) keptBehaviors(target map[string]string, mine map[string]bool) (kept []placed, amended map[string]Change, remove []Change) {
	amended = map[string]Change{}
	for _, n := range c.root().child("CacheBehaviors").items() {
		path, was := n.get("PathPattern"), n.get("TargetOriginId")
		if !mine[was] {
			kept = append(kept, placed{path, false})
			continue
		}
		is, wanted := target[path]
		if !wanted {
			remove = append(remove, Change{Op: Remove, Kind: KindBehavior, ID: path, Was: "to " + was})
			continue
		}
		kept = append(kept, placed{path, true})
		cache, request := n.get("CachePolicyId"), n.get("OriginRequestPolicyId")
		if is != was || cache != CachingDisabled || request != AllViewer {
			amended[path] = Change{
				Op: Amend, Kind: KindBehavior, ID: path, Target: is,
				Was: fmt.Sprintf("to %s with cache policy %q and origin request policy %q", was, cache, request),
			}
		}
	}
	return kept, amended, remove
}

// behaviorOrder returns the order in which our paths and the kept behaviors are to stand: the kept one, if it has all and is
// as good as any.
func behaviorOrder(kept []placed, ours []string) []placed {
	missing := func(path string) bool { return !slices.Contains(kept, placed{path, true}) }
	if !slices.ContainsFunc(ours, missing) && wellPlaced(kept) {
		return kept
	}
	var foreign []string
	for _, b := range kept {
		if !b.ours {
			foreign = append(foreign, b.path)
		}
	}
	return arrange(foreign, ours)
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
