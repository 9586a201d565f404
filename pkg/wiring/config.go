// Package wiring decides what a run of function wire does: what to change in the configuration of a CloudFront distribution and in the
// hosted zone, and what follows from what was observed.
//
// A Config keeps the XML document that CloudFront sent, and not a type with fields. Whatever a plan does not change comes out byte for
// byte as it came in, including fields that are newer than this code.
//
// The managed part of a distribution is what originhub writes there: the origins whose id begins with "originhub-", the behaviors
// that target them, and the aliases of their hosts. Everything else is unmanaged and is never changed.
package wiring

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Config is the configuration of a distribution, a DistributionConfig
// (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html). A Config is never changed in place.
type Config struct {
	doc    *node           // the root element, and what precedes and follows it
	values map[string]bool // the character data of all elements
}

// newConfig returns the configuration with the document doc, which must not change any more.
func newConfig(doc *node) *Config {
	c := &Config{doc: doc, values: map[string]bool{}}
	doc.each(func(n *node) { c.values[n.value()] = true })
	return c
}

// each calls f for n and every element below it.
func (n *node) each(f func(*node)) {
	if n.name != "" {
		f(n)
	}
	for _, k := range n.kids {
		k.each(f)
	}
}

// node is an XML element, or the text between elements. Its source is start, followed by the sources of kids and by end.
type node struct {
	name       string // of an element, with its prefix; "" for everything else
	start, end []byte
	text       string // the character data, unescaped
	kids       []*node
}

const rootName = "DistributionConfig"

// ParseConfig parses a DistributionConfig document.
func ParseConfig(document []byte) (*Config, error) {
	decoder := xml.NewDecoder(bytes.NewReader(document))
	open := []*node{{}}
	for {
		from := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("parse distribution config: %w", err)
		}
		source := document[from:decoder.InputOffset()]
		parent := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: tagName(source), start: source}
			parent.kids = append(parent.kids, n)
			open = append(open, n)
		case xml.EndElement:
			parent.end = source
			open = open[:len(open)-1]
		case xml.CharData:
			parent.kids = append(parent.kids, &node{start: source, text: string(token)})
		default:
			parent.kids = append(parent.kids, &node{start: source})
		}
	}
	c := newConfig(open[0])
	var roots []string
	for _, n := range c.doc.elements() {
		roots = append(roots, n.name)
	}
	if !slices.Equal(roots, []string{rootName}) {
		return nil, fmt.Errorf("parse distribution config: the document holds %q instead of one %s", roots, rootName)
	}
	for _, required := range []string{"Origins", "Enabled"} {
		if c.root().child(required) == nil {
			return nil, fmt.Errorf("parse distribution config: %s has no %s", rootName, required)
		}
	}
	return c, nil
}

func tagName(start []byte) string {
	name := start[1:]
	return string(name[:bytes.IndexAny(name, " \t\r\n/>")])
}

// Bytes returns the document.
func (c *Config) Bytes() []byte { return c.doc.source(nil) }

func (c *Config) root() *node { return c.doc.child(rootName) }

func (n *node) source(to []byte) []byte {
	to = append(to, n.start...)
	for _, k := range n.kids {
		to = k.source(to)
	}
	return append(to, n.end...)
}

func (n *node) clone() *node {
	out := *n
	out.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		out.kids[i] = k.clone()
	}
	return &out
}

func (n *node) elements() []*node {
	var out []*node
	for _, k := range n.kids {
		if k.name != "" {
			out = append(out, k)
		}
	}
	return out
}

// child returns the first child element with that name, or nil. For a nil n it returns nil, so that calls can be chained.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// value returns the character data directly inside the element.
func (n *node) value() string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for _, k := range n.kids {
		b.WriteString(k.text)
	}
	return strings.TrimSpace(b.String())
}

// get returns the value of the child with that name.
func (n *node) get(name string) string { return n.child(name).value() }

// set gives the child with that name a value. A child that has the value already keeps its source.
func (n *node) set(name, value string) {
	k := n.child(name)
	if k == nil {
		k = element(name)
		n.insert(k, nil)
	}
	if k.value() == value {
		return
	}
	k.kids = nil
	k.insert(text(value), nil)
}

// insert puts k before another child, or at the end if before is nil.
func (n *node) insert(k, before *node) {
	if len(n.end) == 0 { // <X/>
		n.start = append(bytes.TrimRight(bytes.TrimSuffix(slices.Clone(n.start), []byte("/>")), " \t\r\n"), '>')
		n.end = []byte("</" + n.name + ">")
	}
	at := len(n.kids)
	if before != nil {
		at = slices.Index(n.kids, before)
	}
	n.kids = slices.Insert(n.kids, at, k)
}

func (n *node) remove(k *node) {
	n.kids = slices.DeleteFunc(n.kids, func(other *node) bool { return other == k })
}

func element(name string, kids ...*node) *node {
	return &node{name: name, start: []byte("<" + name + ">"), end: []byte("</" + name + ">"), kids: kids}
}

func text(s string) *node {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a Buffer never fails
	return &node{start: b.Bytes(), text: s}
}

func leaf(name, value string) *node { return element(name, text(value)) }

// list returns an element with Items and their Quantity.
func list(name string, items ...*node) *node {
	n := element(name, leaf("Quantity", strconv.Itoa(len(items))))
	if len(items) > 0 {
		n.kids = append(n.kids, element("Items", items...))
	}
	return n
}

func (n *node) items() []*node {
	if items := n.child("Items"); items != nil {
		return items.elements()
	}
	return nil
}

// addItem puts item before another item, or after the last one if before is nil.
func (n *node) addItem(item, before *node) {
	items := n.child("Items")
	if items == nil {
		items = element("Items")
		n.insert(items, nil)
	}
	if all := items.elements(); before == nil && len(all) > 0 {
		// White space at the end of the list stays there.
		if after := slices.Index(items.kids, all[len(all)-1]) + 1; after < len(items.kids) {
			before = items.kids[after]
		}
	}
	items.insert(item, before)
	n.count()
}

func (n *node) removeItem(item *node) {
	items := n.child("Items")
	items.remove(item)
	if len(items.elements()) == 0 {
		n.remove(items)
	}
	n.count()
}

func (n *node) count() { n.set("Quantity", strconv.Itoa(len(n.items()))) }

// Behavior is the path pattern of a cache behavior and the id of its origin.
type Behavior struct {
	Path   string
	Origin string // id within the distribution
}

// OriginIDs returns the ids of all origins in order.
func (c *Config) OriginIDs() []string {
	var ids []string
	for _, o := range c.root().child("Origins").items() {
		ids = append(ids, o.get("Id"))
	}
	return ids
}

// has reports whether the configuration has an origin with that id.
func (c *Config) has(originID string) bool { return slices.Contains(c.OriginIDs(), originID) }

// Behaviors returns the cache behaviors in order, without the default one.
func (c *Config) Behaviors() []Behavior {
	var all []Behavior
	for _, b := range c.root().child("CacheBehaviors").items() {
		all = append(all, Behavior{Path: b.get("PathPattern"), Origin: b.get("TargetOriginId")})
	}
	return all
}

// Aliases returns the alternate domain names in order.
func (c *Config) Aliases() []string {
	var all []string
	for _, a := range c.root().child("Aliases").items() {
		all = append(all, a.value())
	}
	return all
}

// Enabled reports whether the distribution is enabled.
func (c *Config) Enabled() bool { return c.root().get("Enabled") == "true" }

// IPv6 reports whether the distribution serves IPv6, so that its hosts need AAAA records.
func (c *Config) IPv6() bool { return c.root().get("IsIPV6Enabled") == "true" }

// Uses reports whether any part of the configuration, managed or not, names the VPC origin.
func (c *Config) Uses(vpcOrigin string) bool {
	return c.values[vpcOrigin] || c.values[OriginID(vpcOrigin)]
}

// mentions reports whether n or an element below it has one of values.
func (n *node) mentions(values ...string) bool {
	if n.name != "" && slices.Contains(values, n.value()) {
		return true
	}
	return slices.ContainsFunc(n.kids, func(k *node) bool { return k.mentions(values...) })
}

func samePath(a, b string) bool { return origin.Canonical(a) == origin.Canonical(b) }

// Size counts all origins, behaviors and aliases.
func (c *Config) Size() origin.Size {
	return origin.Size{Origins: len(c.OriginIDs()), Behaviors: len(c.Behaviors()), Aliases: len(c.Aliases())}
}

// Others counts what the configuration holds besides the origins of records, which are those of all distributions. That part uses capacity
// here and does not go away. Others also returns the aliases that it counts, in lower case.
func (c *Config) Others(records []origin.Record, s Spec) (n origin.Size, aliases []string) {
	ids, hosts := map[string]bool{}, map[string]bool{}
	if s.Wildcard {
		hosts["*."+s.Domain] = true
	}
	for _, r := range records {
		for _, h := range r.ReleasedHosts {
			hosts[h] = true
		}
		if r.State == origin.Deleted {
			continue
		}
		ids[OriginID(r.ID)] = true
		for _, h := range r.Claim.Hosts {
			hosts[h] = true
		}
	}
	for _, id := range c.OriginIDs() {
		if !ids[id] {
			n.Origins++
		}
	}
	for _, b := range c.Behaviors() {
		if !ids[b.Origin] {
			n.Behaviors++
		}
	}
	for _, a := range c.Aliases() {
		if a = strings.ToLower(a); !hosts[a] {
			aliases = append(aliases, a)
		}
	}
	n.Aliases = len(aliases)
	return n, aliases
}

// Orphans returns the managed VPC origins that have no record. If the configuration does not name the owner of one, its Ref has only the
// id.
func (c *Config) Orphans(records []origin.Record) []origin.Ref {
	known := make(map[string]bool, len(records))
	for _, r := range records {
		known[r.ID] = true
	}
	var orphans []origin.Ref
	for _, n := range c.root().child("Origins").items() {
		vpcOrigin, managed := strings.CutPrefix(n.get("Id"), prefix)
		if !managed || known[vpcOrigin] {
			continue
		}
		ref, err := origin.ParseARN("arn:aws:cloudfront::" + n.child("VpcOriginConfig").get("OwnerAccountId") + ":vpcorigin/" + vpcOrigin)
		if err != nil {
			ref = origin.Ref{ID: vpcOrigin}
		}
		orphans = append(orphans, ref)
	}
	return orphans
}

// BaseSize returns what a distribution that originhub creates holds besides its VPC origins.
func BaseSize() origin.Size { return origin.Size{Origins: 1} }

// answersNotFound reports whether the default behavior runs the function for viewer requests.
func (c *Config) answersNotFound(function string) bool {
	return slices.ContainsFunc(c.root().child("DefaultCacheBehavior").child("FunctionAssociations").items(), func(n *node) bool {
		return n.get("FunctionARN") == function && n.get("EventType") == viewerRequest
	})
}

// CallerReference returns the caller reference with which the distribution was created.
func (c *Config) CallerReference() string { return c.root().get("CallerReference") }

// fingerprint returns a hash of the managed part. It does not depend on how CloudFront writes the document.
func (c *Config) fingerprint() string {
	h := sha256.New()
	add := func(values ...string) { fmt.Fprintf(h, "%q\n", values) }
	add(c.root().get("Enabled"))
	for _, o := range c.root().child("Origins").items() {
		if id, vpc := o.get("Id"), o.child("VpcOriginConfig"); Owned(id) {
			add("origin", id, o.get("DomainName"), vpc.get("VpcOriginId"), vpc.get("OwnerAccountId"))
		}
	}
	for _, b := range c.root().child("CacheBehaviors").items() {
		if target := b.get("TargetOriginId"); Owned(target) {
			add("behavior", b.get("PathPattern"), target, b.get("CachePolicyId"), b.get("OriginRequestPolicyId"))
		}
	}
	for _, a := range sortedSet(c.Aliases()) {
		add("alias", strings.ToLower(a))
	}
	for _, f := range c.root().child("DefaultCacheBehavior").child("FunctionAssociations").items() {
		add("function", f.get("FunctionARN"), f.get("EventType"))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
