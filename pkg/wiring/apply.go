package wiring

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/originhub/originhub/pkg/origin"
)

// Apply returns the configuration that results from plan p. The plan must have been made for c.
func Apply(p Plan, c *Config) (*Config, error) {
	out := &Config{doc: c.doc.clone()}
	// A behavior is inserted before its successor, so the last one is inserted first.
	changes := slices.Clone(p.Changes)
	slices.Reverse(changes)
	for _, change := range changes {
		if err := out.apply(change, c); err != nil {
			return nil, fmt.Errorf("%s: %w; the plan was made for another configuration", change, err)
		}
	}
	return newConfig(out.doc), nil
}

// apply makes one change to c, which was a copy of before when the plan began.
func (c *Config) apply(change Change, before *Config) error {
	switch change.Kind {
	case KindOrigin:
		return c.applyOrigin(change, before)
	case KindBehavior:
		return c.applyBehavior(change)
	case KindAlias:
		return c.applyAlias(change)
	case KindDefault:
		behavior := c.root().child("DefaultCacheBehavior")
		if old := behavior.child("FunctionAssociations"); old != nil {
			behavior.remove(old)
		}
		behavior.insert(notFound(change.ID), nil)
		return nil
	case KindHeaders:
		for _, behavior := range c.withoutHeaders() {
			behavior.set("ResponseHeadersPolicyId", change.ID)
		}
		return nil
	case KindErrors:
		if old := c.root().child("CustomErrorResponses"); old != nil {
			c.root().remove(old)
		}
		c.root().insert(uncachedErrors(), nil)
		return nil
	case KindDistribution:
		c.root().set("Enabled", fmt.Sprint(change.Op == Enable))
		return nil
	}
	return fmt.Errorf("unknown kind %q", change.Kind)
}

// withoutHeaders returns the default behavior and the managed behaviors that have no response headers policy.
func (c *Config) withoutHeaders() (behaviors []*node) {
	for _, n := range append(c.root().child("CacheBehaviors").items(), c.root().child("DefaultCacheBehavior")) {
		path := n.get("PathPattern")
		if n.get("ResponseHeadersPolicyId") == "" && (path == "" || Owned(n.get("TargetOriginId"))) {
			behaviors = append(behaviors, n)
		}
	}
	return behaviors
}

func (c *Config) applyOrigin(change Change, before *Config) error {
	origins := c.root().child("Origins")
	n := find(origins, "Id", change.ID)
	switch {
	case (n == nil) != (change.Op == Add):
		return presence(n)
	case change.Op == Add && change.From != "":
		from := find(before.root().child("Origins"), "Id", change.From)
		if from == nil {
			return fmt.Errorf("no origin %s", change.From)
		}
		n = from.clone()
		n.set("Id", change.ID)
		n.amendOrigin(*change.Origin)
		origins.addItem(n, nil)
	case change.Op == Add:
		n = originNode(*change.Origin)
		n.amendOrigin(*change.Origin)
		origins.addItem(n, nil)
	case change.Op == Amend:
		n.amendOrigin(*change.Origin)
	case change.Op == Remove:
		origins.removeItem(n)
	default:
		return fmt.Errorf("unknown operation %q", change.Op)
	}
	return nil
}

// amendOrigin makes n the origin o, with its other settings unchanged.
func (n *node) amendOrigin(o Origin) {
	n.set("DomainName", o.Domain)
	if n.child("VpcOriginConfig") == nil {
		n.insert(vpcOriginNode(o), nil)
	}
	n.child("VpcOriginConfig").set("VpcOriginId", o.VPCOrigin)
	n.child("VpcOriginConfig").set("OwnerAccountId", o.Account)
	n.eachSetting(o.Settings, func(parent *node, name, value string) { parent.set(name, value) })
}

// eachSetting calls f for each claimed setting of an origin, with the element that contains it.
func (n *node) eachSetting(s origin.Settings, f func(parent *node, name, value string)) {
	for _, one := range []struct {
		parent *node
		name   string
		value  int
	}{
		{n.child("VpcOriginConfig"), "OriginReadTimeout", s.ReadTimeout},
		{n.child("VpcOriginConfig"), "OriginKeepaliveTimeout", s.KeepaliveTimeout},
		{n, "ConnectionAttempts", s.ConnectionAttempts},
	} {
		if one.value > 0 {
			f(one.parent, one.name, strconv.Itoa(one.value))
		}
	}
}

// hasSettings reports whether an origin has the claimed settings.
func (n *node) hasSettings(s origin.Settings) bool { return len(n.otherSettings(s)) == 0 }

// otherSettings returns the settings that the origin has instead of the claimed ones, in words.
func (n *node) otherSettings(s origin.Settings) (other []string) {
	n.eachSetting(s, func(parent *node, name, value string) {
		if is := parent.get(name); is != value {
			other = append(other, name+" "+is)
		}
	})
	return other
}

func (c *Config) applyBehavior(change Change) error {
	behaviors := c.listOf("CacheBehaviors")
	n := find(behaviors, "PathPattern", change.ID)
	if (n == nil) != (change.Op == Add) {
		return presence(n)
	}
	switch change.Op {
	case Add:
		n = behaviorNode(change.ID, change.Target)
		// In a distribution that the hub created, the default behavior has the response headers policy of all.
		if d := c.root().child("DefaultCacheBehavior"); d.get("TargetOriginId") == Placeholder && d.get("ResponseHeadersPolicyId") != "" {
			n.insert(leaf("ResponseHeadersPolicyId", d.get("ResponseHeadersPolicyId")), nil)
		}
	case Amend:
		n.set("TargetOriginId", change.Target)
		// CloudFront does not accept these older settings together with a cache policy.
		for _, old := range []string{"ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"} {
			if k := n.child(old); k != nil {
				n.remove(k)
			}
		}
		n.set("CachePolicyId", CachingDisabled)
		n.set("OriginRequestPolicyId", AllViewer)
		return nil
	case Remove, Move:
		behaviors.removeItem(n)
		if change.Op == Remove {
			return nil
		}
	default:
		return fmt.Errorf("unknown operation %q", change.Op)
	}
	var before *node
	if change.Before != "" {
		if before = find(behaviors, "PathPattern", change.Before); before == nil {
			return fmt.Errorf("no behavior %s", change.Before)
		}
	}
	behaviors.addItem(n, before)
	return nil
}

func (c *Config) applyAlias(change Change) error {
	aliases := c.listOf("Aliases")
	var n *node
	for _, a := range aliases.items() {
		if a.value() == change.ID {
			n = a
		}
	}
	switch {
	case (n == nil) != (change.Op == Add):
		return presence(n)
	case change.Op == Add:
		aliases.addItem(leaf("CNAME", change.ID), nil)
	default:
		aliases.removeItem(n)
	}
	return nil
}

func presence(n *node) error {
	if n == nil {
		return errors.New("the element does not exist")
	}
	return errors.New("the element exists already")
}

// listOf returns the list with that name, and adds it if CloudFront left it out.
func (c *Config) listOf(name string) *node {
	if c.root().child(name) == nil {
		c.root().insert(list(name), nil)
	}
	return c.root().child(name)
}

func find(list *node, key, value string) *node {
	for _, n := range list.items() {
		if n.get(key) == value {
			return n
		}
	}
	return nil
}

// originNode returns an Origin element with every member that UpdateDistribution requires
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html).
func originNode(o Origin) *node {
	return element("Origin",
		leaf("Id", OriginID(o.VPCOrigin)),
		leaf("DomainName", o.Domain),
		element("OriginPath"),
		list("CustomHeaders"),
		vpcOriginNode(o),
		leaf("ConnectionAttempts", strconv.Itoa(origin.DefaultSettings.ConnectionAttempts)),
		leaf("ConnectionTimeout", "10"),
		element("OriginShield", leaf("Enabled", "false")),
		element("OriginAccessControlId"),
	)
}

// vpcOriginNode returns a VpcOriginConfig element. It names the owner's account: without it, CloudFront answers that the origin does not
// exist (CF-28).
func vpcOriginNode(o Origin) *node {
	return element("VpcOriginConfig",
		leaf("VpcOriginId", o.VPCOrigin),
		leaf("OwnerAccountId", o.Account),
		leaf("OriginReadTimeout", strconv.Itoa(origin.DefaultSettings.ReadTimeout)),
		leaf("OriginKeepaliveTimeout", strconv.Itoa(origin.DefaultSettings.KeepaliveTimeout)),
	)
}

// behaviorNode returns a CacheBehavior element with every member that UpdateDistribution requires
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html).
func behaviorNode(path, target string) *node {
	b := cacheBehavior("CacheBehavior", target,
		[]string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}, list("FunctionAssociations"))
	b.kids = slices.Insert(b.kids, 0, leaf("PathPattern", path))
	b.insert(leaf("OriginRequestPolicyId", AllViewer), nil)
	return b
}

func cacheBehavior(name, target string, methods []string, functions *node) *node {
	trusted := func(name string) *node { return element(name, leaf("Enabled", "false"), leaf("Quantity", "0")) }
	allowed := list("AllowedMethods", leaves("Method", methods)...)
	allowed.insert(list("CachedMethods", leaves("Method", []string{"GET", "HEAD"})...), nil)
	return element(name,
		leaf("TargetOriginId", target),
		trusted("TrustedSigners"),
		trusted("TrustedKeyGroups"),
		leaf("ViewerProtocolPolicy", "redirect-to-https"),
		allowed,
		leaf("SmoothStreaming", "false"),
		leaf("Compress", "true"),
		list("LambdaFunctionAssociations"),
		functions,
		element("FieldLevelEncryptionId"),
		leaf("CachePolicyId", CachingDisabled),
	)
}

func leaves(name string, values []string) []*node {
	var out []*node
	for _, v := range values {
		out = append(out, leaf(name, v))
	}
	return out
}
