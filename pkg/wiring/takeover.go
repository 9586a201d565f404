package wiring

import (
	"slices"

	"github.com/originhub/originhub/pkg/origin"
)

// takenOver returns the path patterns of the unmanaged behaviors that the origins take over. Such a behavior leads to the very VPC origin
// that claims its path: somebody wired the origin by hand before originhub managed the distribution. One update replaces the unmanaged
// origin by a managed one with the same settings and points the behavior at it, so that viewers notice nothing. To ask its owner to remove
// the behavior first would take the team off the air.
//
//	unmanaged behavior's path  leads to                                then
//	claimed                    an unmanaged origin of that VPC origin  taken over
//	claimed                    anything else                           the claim is refused: PathTaken
//	another                    any                                     stays, and so does the unmanaged origin that it needs
func (c *Config) takenOver(origins []Origin) map[string]bool {
	paths := map[string]bool{}
	for _, o := range origins {
		for _, b := range c.replacedBehaviors(o) {
			paths[b.Path] = true
		}
	}
	return paths
}

// leads reports whether an unmanaged behavior has a path of an origin and leads to its VPC origin.
func (c *Config) leads(b Behavior, o Origin) bool {
	return !Owned(b.Origin) && slices.ContainsFunc(o.Paths, func(path string) bool { return samePath(path, b.Path) }) && slices.Contains(c.unmanagedOrigins(o.VPCOrigin), b.Origin)
}

// replacedBehaviors returns the unmanaged behaviors that an origin takes over.
func (c *Config) replacedBehaviors(o Origin) []Behavior {
	return slices.DeleteFunc(c.Behaviors(), func(b Behavior) bool { return !c.leads(b, o) })
}

// replaced counts the unmanaged behaviors that an origin takes over, and the unmanaged origins that are unneeded after that.
func (c *Config) replaced(o Origin) origin.Size {
	return origin.Size{Origins: len(c.unneeded(c.takenOver([]Origin{o}))), Behaviors: len(c.replacedBehaviors(o))}
}

// unmanagedOrigins returns the ids of the unmanaged origins for a VPC origin.
func (c *Config) unmanagedOrigins(vpcOrigin string) (ids []string) {
	for _, n := range c.root().child("Origins").items() {
		if id := n.get("Id"); !Owned(id) && n.child("VpcOriginConfig").get("VpcOriginId") == vpcOrigin {
			ids = append(ids, id)
		}
	}
	return ids
}

// unneeded returns the origins that only the behaviors of these paths need.
func (c *Config) unneeded(paths map[string]bool) (ids []string) {
	if len(paths) == 0 { // the usual case, asked for each origin
		return nil
	}
	behaviors := c.Behaviors()
	for _, b := range behaviors {
		needed := func(other Behavior) bool { return other.Origin == b.Origin && !paths[other.Path] }
		if paths[b.Path] && !slices.ContainsFunc(behaviors, needed) && !c.needs(b.Origin) && !slices.Contains(ids, b.Origin) {
			ids = append(ids, b.Origin)
		}
	}
	return ids
}

// needs reports whether the default behavior or an origin group uses the origin with that id.
func (c *Config) needs(id string) bool {
	return c.root().child("DefaultCacheBehavior").get("TargetOriginId") == id ||
		slices.ContainsFunc(c.root().child("OriginGroups").items(), func(group *node) bool { return group.mentions(id) })
}

// UnmanagedUsers returns the unmanaged parts of the configuration that use a VPC origin, in words: the origins that name it, and the
// behaviors and origin groups that lead to one of these or to the managed origin.
func (c *Config) UnmanagedUsers(vpcOrigin string) (users []string) {
	ids := c.unmanagedOrigins(vpcOrigin)
	for _, id := range ids {
		users = append(users, "origin "+id)
	}
	for _, b := range c.Behaviors() {
		if slices.Contains(ids, b.Origin) {
			users = append(users, "behavior "+b.Path)
		}
	}
	ids = append(ids, OriginID(vpcOrigin))
	for _, group := range c.root().child("OriginGroups").items() {
		if slices.ContainsFunc(ids, func(id string) bool { return group.mentions(id) }) {
			users = append(users, "origin group "+group.get("Id"))
		}
	}
	if slices.Contains(ids, c.root().child("DefaultCacheBehavior").get("TargetOriginId")) {
		users = append(users, "the default behavior")
	}
	return users
}
