package rehearsal

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// part is an XML element of a configuration, byte for byte, or the bytes between two elements. The comparison of unmanaged parts uses no code
// of package wiring, so that it cannot repeat a mistake of the hub.
type part struct {
	name       string // "" for the bytes between elements
	start, end []byte
	parts      []*part
}

// parseParts returns the elements of a document.
func parseParts(document []byte) (*part, error) {
	decoder := xml.NewDecoder(bytes.NewReader(document))
	open := []*part{{}}
	for {
		from := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return open[0], nil
		}
		if err != nil {
			return nil, err
		}
		source, top := document[from:decoder.InputOffset()], open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			p := &part{name: token.Name.Local, start: source}
			top.parts, open = append(top.parts, p), append(open, p)
		case xml.EndElement:
			top.end, open = source, open[:len(open)-1]
		default:
			top.parts = append(top.parts, &part{start: source})
		}
	}
}

func (p *part) bytes() []byte {
	if p == nil {
		return nil
	}
	text := slices.Clone(p.start)
	for _, each := range p.parts {
		text = append(text, each.bytes()...)
	}
	return append(text, p.end...)
}

// at returns the first element on a path of names, or nil.
func (p *part) at(names ...string) *part {
	for _, name := range names {
		if p == nil {
			return nil
		}
		i := slices.IndexFunc(p.parts, func(each *part) bool { return each.name == name })
		if i < 0 {
			return nil
		}
		p = p.parts[i]
	}
	return p
}

// value returns the text of the element on a path of names.
func (p *part) value(names ...string) string {
	var text strings.Builder
	if p = p.at(names...); p != nil {
		for _, each := range p.parts {
			text.Write(each.start)
		}
	}
	return text.String()
}

// items returns the entries of a list of the configuration.
func (p *part) items(list string) (items []*part) {
	if all := p.at("DistributionConfig", list, "Items"); all != nil {
		items = slices.DeleteFunc(slices.Clone(all.parts), func(each *part) bool { return each.name == "" })
	}
	return items
}

// drop removes entries of a list. If that leaves no entry, the list becomes empty in CloudFront's form, or absent if original lacks it.
func (p *part) drop(list string, original *part, gone func(*part) bool) {
	root, count := p.at("DistributionConfig"), len(p.items(list))
	all := root.at(list)
	if count > 0 {
		items := all.at("Items")
		items.parts = slices.DeleteFunc(items.parts, func(each *part) bool { return each.name != "" && gone(each) })
	}
	left := len(p.items(list))
	if left == count {
		return
	}
	all.at("Quantity").parts = []*part{{start: []byte(strconv.Itoa(left))}}
	if left == 0 {
		all.parts = slices.DeleteFunc(all.parts, func(each *part) bool { return each.name == "Items" })
	}
	if left == 0 && original.at("DistributionConfig", list) == nil {
		root.parts = slices.DeleteFunc(root.parts, func(each *part) bool { return each == all })
	}
}

// unmanaged is what a story knows about the unmanaged part of an adopted distribution.
type unmanaged struct {
	config  []byte   // as somebody other than the hub wrote it last
	aliases []string // those of config that the hub did not add
	seen    []string // the aliases after the last line of the story
	// forgotten are aliases of which the hub does not know any more whether it added them.
	forgotten []string
	writes    int // calls of CloudFront by somebody other than the hub, when config was read
}

// observeUnmanaged keeps the configuration of each adoptable distribution when somebody other than the hub has changed something of CloudFront in the last line
// of the story. It reads nothing while there are fault rules, which would hit its calls.
func (s *story) observeUnmanaged() error {
	if s.Stage == nil || len(s.adoptable) == 0 || len(s.Faults().Rules()) > 0 {
		return nil
	}
	writes := 0
	for _, c := range s.Calls() {
		if c.Function == "" && c.Error == "" && c.Service == "cloudfront" && !c.ReadOnly {
			writes++
		}
	}
	for name, id := range s.adoptable {
		served, err := s.hub.Distribution(s.ctx, id)
		if fault.Is[*fault.Absent](err) {
			continue
		}
		if err != nil {
			return err
		}
		config, err := parseParts(served.Config)
		if err != nil {
			return err
		}
		u := s.unmanaged[name]
		var is []string
		for _, a := range config.items("Aliases") {
			is = append(is, a.value())
		}
		if u.writes != writes {
			for _, a := range is {
				if !slices.Contains(u.seen, a) {
					u.aliases = append(u.aliases, a)
				}
			}
			u.config, u.writes = served.Config, writes
		}
		u.seen = is
		s.unmanaged[name] = u
	}
	return nil
}

// checkUnmanaged checks that the unmanaged parts of all adoptable distributions are as somebody other than the hub wrote them last, byte for
// byte.
func (s *story) checkUnmanaged() error {
	if s.Stage == nil || len(s.adoptable) == 0 {
		return nil
	}
	s.Faults().Reset()
	known, err := s.snapshot()
	if err != nil {
		return err
	}
	m := managedPart{records: known.Records}
	if s.policy.Aliases == admission.Wildcard {
		m.wildcard = "*." + s.policy.Domain
	}
	var failed []error
	for name, id := range s.adoptable {
		served, err := s.hub.Distribution(s.ctx, id)
		switch {
		case fault.Is[*fault.Absent](err):
			continue
		case err == nil:
			err = m.changed(s.unmanaged[name], served.Config)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("distribution %s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// managedPart is what the hub may have in a distribution: the origins of its registry that are not out, and the aliases that these need. The
// wildcard alias stays when the last origin leaves.
type managedPart struct {
	records  []origin.Record
	wildcard string // the only alias that the hub adds; "" if it adds the hosts
}

// changed returns an error if a configuration without its managed part differs from u without it. An origin that was wired by hand may have been
// taken over: then the unmanaged behaviors with its paths that led to the same VPC origin are gone, and so are origins that only these
// needed.
func (m managedPart) changed(u unmanaged, config []byte) error {
	was, err := parseParts(u.config)
	if err != nil {
		return err
	}
	is, err := parseParts(config)
	if err != nil {
		return err
	}
	m.dropTakenOver(was, is)
	hosts := []string{m.wildcard}
	out := map[string]bool{}
	for _, r := range m.records {
		if out["originhub-"+r.ID] = r.State == origin.Detached || r.State == origin.Deleted; !out["originhub-"+r.ID] {
			hosts = append(hosts, r.Claim.Hosts...)
		}
		hosts = append(hosts, r.ReleasedHosts...)
	}
	for _, p := range []*part{was, is} {
		managed := func(id string) bool {
			gone, known := out[id]
			return known && (p == was || !gone)
		}
		p.drop("Origins", was, func(o *part) bool { return managed(o.value("Id")) })
		p.drop("CacheBehaviors", was, func(b *part) bool { return managed(b.value("TargetOriginId")) })
		p.drop("Aliases", was, func(a *part) bool {
			added := p == was || slices.Contains(hosts, a.value()) || slices.Contains(u.forgotten, a.value())
			return !slices.Contains(u.aliases, a.value()) && added
		})
	}
	if !bytes.Equal(was.bytes(), is.bytes()) {
		return fmt.Errorf("the unmanaged part changed from\n%s\nto\n%s", was.bytes(), is.bytes())
	}
	return nil
}

// dropTakenOver removes from was what the hub has taken over in is.
func (m managedPart) dropTakenOver(was, is *part) {
	for _, r := range m.records {
		led := map[string]bool{} // unmanaged origins of the VPC origin
		for _, o := range was.items("Origins") {
			if id := o.value("Id"); o.value("VpcOriginConfig", "VpcOriginId") == r.ID && !strings.HasPrefix(id, "originhub-") {
				led[id] = true
			}
		}
		stays := func(list, key string, p *part) bool {
			return slices.ContainsFunc(is.items(list), func(other *part) bool {
				return other.value(key) == p.value(key) && led[other.value("TargetOriginId")] == (list != "Origins")
			})
		}
		was.drop("CacheBehaviors", was, func(b *part) bool {
			return led[b.value("TargetOriginId")] && slices.Contains(r.Claim.Paths, b.value("PathPattern")) && !stays("CacheBehaviors", "PathPattern", b)
		})
		was.drop("Origins", was, func(o *part) bool { return led[o.value("Id")] && !stays("Origins", "Id", o) })
	}
}

// The check of the unmanaged part finds what the hub must not leave behind, and nothing else.
func TestChangesOfTheUnmanagedPartAreFound(t *testing.T) {
	list := func(name, entries string) string {
		n := strings.Count(entries, "</"+map[string]string{"Origins": "Origin", "CacheBehaviors": "CacheBehavior", "Aliases": "CNAME"}[name]+">")
		if n == 0 {
			return "<" + name + "><Quantity>0</Quantity></" + name + ">"
		}
		return "<" + name + "><Quantity>" + strconv.Itoa(n) + "</Quantity><Items>" + entries + "</Items></" + name + ">"
	}
	of := func(id, vpcOrigin string) string {
		return "<Origin><Id>" + id + "</Id><VpcOriginConfig><VpcOriginId>" + vpcOrigin + "</VpcOriginId></VpcOriginConfig></Origin>"
	}
	to := func(path, target string) string {
		return "<CacheBehavior><PathPattern>" + path + "</PathPattern><TargetOriginId>" + target + "</TargetOriginId></CacheBehavior>"
	}
	document := func(parts ...string) string {
		return "<DistributionConfig>" + strings.Join(parts, "") + "<Comment></Comment></DistributionConfig>"
	}
	site, behaviors := of("s", ""), to("/1", "s")+to("/2", "s")
	base := document(list("Origins", site), list("CacheBehaviors", behaviors), list("Aliases", "<CNAME>x</CNAME>"))
	bare := document(list("Origins", site))
	byHand := document(list("Origins", site+of("hand", "vo_1")), list("CacheBehaviors", to("/a", "hand")))
	wired := site + of("originhub-vo_1", "vo_1")
	for name, c := range map[string]struct {
		was, is string
		state   origin.State
		ok      bool
	}{
		"nothing changed":                {base, base, origin.Live, true},
		"an origin is live":              {base, document(list("Origins", wired), list("CacheBehaviors", to("/1", "s")+to("/a", "originhub-vo_1")+to("/2", "s")), list("Aliases", "<CNAME>x</CNAME><CNAME>a.example.com</CNAME>")), origin.Live, true},
		"an origin is live in a list":    {bare, document(list("Origins", wired), list("CacheBehaviors", to("/a", "originhub-vo_1"))), origin.Live, true},
		"an empty list is left":          {bare, document(list("Origins", site), list("CacheBehaviors", "")), origin.Detached, false},
		"an element is shorter":          {base, strings.Replace(base, "<Comment></Comment>", "<Comment/>", 1), origin.Live, false},
		"the order changed":              {base, strings.Replace(base, behaviors, to("/2", "s")+to("/1", "s"), 1), origin.Live, false},
		"an alias is gone":               {base, strings.Replace(base, list("Aliases", "<CNAME>x</CNAME>"), list("Aliases", ""), 1), origin.Live, false},
		"an alias is left":               {base, strings.Replace(base, list("Aliases", "<CNAME>x</CNAME>"), list("Aliases", "<CNAME>x</CNAME><CNAME>a.example.com</CNAME>"), 1), origin.Detached, false},
		"an alias is of nobody":          {base, strings.Replace(base, list("Aliases", "<CNAME>x</CNAME>"), list("Aliases", "<CNAME>x</CNAME><CNAME>b.example.com</CNAME>"), 1), origin.Live, false},
		"an origin is left":              {base, strings.Replace(base, list("Origins", site), list("Origins", wired), 1), origin.Detached, false},
		"an unknown origin":              {base, strings.Replace(base, list("Origins", site), list("Origins", site+of("originhub-vo_2", "vo_2")), 1), origin.Live, false},
		"taken over":                     {byHand, document(list("Origins", wired), list("CacheBehaviors", to("/a", "originhub-vo_1"))), origin.Live, true},
		"taken over with another path":   {strings.Replace(byHand, "/a", "/b", 1), document(list("Origins", wired), list("CacheBehaviors", to("/a", "originhub-vo_1"))), origin.Live, false},
		"taken over, and then torn down": {byHand, document(list("Origins", site), list("CacheBehaviors", "")), origin.Deleted, true},
	} {
		m := managedPart{records: []origin.Record{{Ref: origin.Ref{ID: "vo_1"}, State: c.state, Claim: origin.Claim{Hosts: []string{"a.example.com"}, Paths: []string{"/a"}}}}}
		if err := m.changed(unmanaged{config: []byte(c.was), aliases: []string{"x"}}, []byte(c.is)); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
