// Package policy parses and checks the hub policy file.
package policy

import (
	"bytes"
	_ "embed" // the schema
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of the policy file. A schema cannot compare two places of the file; Parse checks
// these as well.
func Schema() []byte { return bytes.Clone(schema) }

// Error is one error in a policy file.
type Error struct {
	Line, Column int // from 1
	Message      string
}

func (e Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Errors is all errors in a policy file, in the order of the file.
type Errors []Error

// mostShown is how many errors of a file a message shows.
const mostShown = 50

func (e Errors) Error() string { return e.Text(Error.Error) }

// Text returns a line for each of the first 50 errors, in the form that line gives it, and how many more there are.
func (e Errors) Text(line func(Error) string) string {
	var lines []string
	for _, one := range e[:min(len(e), mostShown)] {
		lines = append(lines, line(one))
	}
	if more := len(e) - mostShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// file is the policy file. A pointer distinguishes an absent value from zero.
type file struct {
	Version      int          `yaml:"version"`
	Hub          string       `yaml:"hub"`
	Organization string       `yaml:"organization"`
	Distribution distribution `yaml:"distribution"`
	Domain       string       `yaml:"domain"`
	Reserved     []string     `yaml:"reservedHosts"`
	HostedZone   string       `yaml:"hostedZone"`
	Certificate  string       `yaml:"certificate"`
	Aliases      string       `yaml:"aliases"`
	Shares       shares       `yaml:"shares"`
	Claims       claims       `yaml:"claims"`
	Grace        grace        `yaml:"grace"`
	Updates      updates      `yaml:"updates"`
	Limits       limits       `yaml:"limits"`
	Spokes       spokes       `yaml:"spokes"`
	Retention    *int         `yaml:"retention"`
	Teams        []team       `yaml:"teams"`
}

type distribution struct {
	Adopt       ids          `yaml:"adopt"`
	Permissions *permissions `yaml:"permissions"`
	Base        *base        `yaml:"base"`
	Mode        string       `yaml:"mode"`
}

type permissions struct {
	LogBuckets    []string `yaml:"logBuckets"`
	EdgeFunctions []string `yaml:"edgeFunctions"`
}

// ids is a list of ids, which may be written as a single id.
type ids []string

// UnmarshalYAML accepts a single id or a list of ids. Method form has checked that it is one of them.
func (i *ids) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*i = ids{one}
		return nil
	}
	return unmarshal((*[]string)(i))
}

type base struct {
	Comment     string `yaml:"comment"`
	PriceClass  string `yaml:"priceClass"`
	HTTPVersion string `yaml:"httpVersion"`
	WebACL      string `yaml:"webAcl"`
	LogBucket   string `yaml:"logBucket"`
	Headers     string `yaml:"responseHeadersPolicy"`
	Maximum     *int   `yaml:"maximum"`
}

type shares struct {
	External string `yaml:"external"`
	Refused  string `yaml:"refused"`
}

type claims struct {
	Refused string `yaml:"refused"`
}

type grace struct {
	Default *time.Duration `yaml:"default"`
	Maximum *time.Duration `yaml:"maximum"`
}

type updates struct {
	Spacing   *time.Duration `yaml:"spacing"`
	Window    *time.Duration `yaml:"window"`
	PerMinute *int           `yaml:"perMinute"`
}

type limits struct {
	Origins            *int `yaml:"origins"`
	Behaviors          *int `yaml:"behaviors"`
	Aliases            *int `yaml:"aliases"`
	OriginsPerTeam     *int `yaml:"originsPerTeam"`
	BehaviorsPerTeam   *int `yaml:"behaviorsPerTeam"`
	AliasesPerTeam     *int `yaml:"aliasesPerTeam"`
	ReadTimeout        *int `yaml:"readTimeout"`
	KeepaliveTimeout   *int `yaml:"keepaliveTimeout"`
	ConnectionAttempts *int `yaml:"connectionAttempts"`
}

type spokes struct {
	ExternalID string `yaml:"externalId"`
}

type team struct {
	Name     string   `yaml:"name"`
	Accounts []string `yaml:"accounts"`
	External bool     `yaml:"external"`
	Spoke    *bool    `yaml:"spoke"`
	CIDR     string   `yaml:"cidr"`
	Grants   []grant  `yaml:"grants"`
	Claim    *claim   `yaml:"claim"`

	ConfirmTeardown bool `yaml:"confirmTeardown"`
}

type grant struct {
	Host  string   `yaml:"host"`
	Paths []string `yaml:"paths"`
}

type claim struct {
	Hosts  []string `yaml:"hosts"`
	Paths  []string `yaml:"paths"`
	Domain string   `yaml:"domain"`

	ReadTimeout        *int `yaml:"readTimeout"`
	KeepaliveTimeout   *int `yaml:"keepaliveTimeout"`
	ConnectionAttempts *int `yaml:"connectionAttempts"`
}

// claim returns the claim in the file.
func (c claim) claim() origin.Claim {
	return origin.Claim{Hosts: c.Hosts, Paths: c.Paths, Domain: c.Domain, Settings: origin.Settings{
		ReadTimeout: either(c.ReadTimeout, 0), KeepaliveTimeout: either(c.KeepaliveTimeout, 0), ConnectionAttempts: either(c.ConnectionAttempts, 0),
	}}
}

// Most is the maximum size of a policy file in bytes.
const Most = 1 << 20

// modest returns an error for data that is not like a policy and for which the YAML parser would need minutes or gigabytes.
func modest(data []byte) error {
	const deepest, furthest = 50, 200
	if len(data) > Most {
		return Errors{{1, 1, "the file has more than 1 MiB, which is more than a policy can have: name the policy file"}}
	}
	line, column, depth, begun := 1, 0, 0, false
	for _, r := range string(data) {
		column++
		switch {
		case r == '\n':
			line, column, begun = line+1, 0, false
			continue
		case r == utf8.RuneError:
			return Errors{{line, column, "the text is not valid UTF-8: save the file in UTF-8"}}
		case r < ' ' && r != '\t' && r != '\r':
			return Errors{{line, column, fmt.Sprintf("the text contains the control character %U: remove the character", r)}}
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		}
		begun = begun || !strings.ContainsRune(" \t-?:", r) // each of these characters can begin another level of nesting
		if depth > deepest {
			return Errors{{line, column, fmt.Sprintf("brackets are nested more than %d deep: close the brackets", deepest)}}
		} else if !begun && column > furthest {
			return Errors{{line, column, fmt.Sprintf("the line begins after column %d, and nothing in a policy is nested so deep: indent the line less", furthest)}}
		}
	}
	return nil
}

// Parse parses and checks a policy file. Its error is of type Errors and contains all errors in the form of the file, or, if there are
// none, all errors in the values.
func Parse(data []byte) (hubpolicy.Policy, error) {
	root, err := read(data)
	if err != nil {
		return hubpolicy.Policy{}, err
	}
	return parse(root)
}

// Review parses and checks a policy file as Parse does. It also returns an error for each value that is still that of an example. Such a
// value is valid, but the owner of an example's account could share origins with the hub, and everybody knows an example's external id.
func Review(data []byte) (p hubpolicy.Policy, examples Errors, err error) {
	root, err := read(data)
	if err != nil {
		return hubpolicy.Policy{}, nil, err
	}
	c := checker{root: root}
	c.placeholders(root, nil)
	p, err = parse(root)
	return p, c.sorted(), err
}

func parse(root ast.Node) (hubpolicy.Policy, error) {
	var f file
	c := checker{root: root}
	c.form(c.root, reflect.TypeOf(f), nil)
	if err := c.sorted(); err != nil {
		return hubpolicy.Policy{}, err
	}
	if err := yaml.NodeToValue(c.root, &f, yaml.Strict()); err != nil {
		return hubpolicy.Policy{}, located(err)
	}
	p := f.policy()
	c.check(f, p)
	if err := c.sorted(); err != nil {
		return hubpolicy.Policy{}, err
	}
	return p, nil
}

func read(data []byte) (ast.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := modest(data); err != nil {
		return nil, err
	}
	if err := crowded(data); err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, located(err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, severalDocuments(1)
	}
	return tree.Docs[0].Body, nil
}

// policy returns the policy in the file, with defaults for absent values.
func (f file) policy() hubpolicy.Policy {
	p := hubpolicy.Policy{
		Policy: admission.Policy{
			Domain:       f.Domain,
			Reserved:     slices.Sorted(slices.Values(f.Reserved)),
			Aliases:      admission.AliasMode(or(f.Aliases, string(admission.Wildcard))),
			Distribution: admission.Distribution{Adopt: f.Distribution.Adopt, DryRun: f.Distribution.Mode == admission.ModeDryRun},
			Shares:       admission.Shares{External: f.Shares.External == "allow", Reject: f.Shares.Refused == "reject"},
			Claims:       admission.Claims{Wait: f.Claims.Refused == "wait"},
			Limits: admission.Limits{
				Size:    origin.Size{Origins: either(f.Limits.Origins, 0), Behaviors: either(f.Limits.Behaviors, 0), Aliases: either(f.Limits.Aliases, 0)},
				PerTeam: f.Limits.perTeam(),
				Settings: origin.Settings{
					ReadTimeout: either(f.Limits.ReadTimeout, 0), KeepaliveTimeout: either(f.Limits.KeepaliveTimeout, 0),
					ConnectionAttempts: either(f.Limits.ConnectionAttempts, 0),
				},
			},
		},
		Hub: f.Hub, Organization: f.Organization, HostedZone: f.HostedZone, Certificate: f.Certificate, ExternalID: f.Spokes.ExternalID,
		Grace: f.Grace.bounds(),
		Updates: hubpolicy.Updates{
			Spacing: either(f.Updates.Spacing, 30*time.Second), Window: either(f.Updates.Window, 5*time.Second), PerMinute: either(f.Updates.PerMinute, 2),
		},
		Networks: map[string]netip.Prefix{}, Retention: either(f.Retention, 365),
	}
	if b := f.Distribution.Base; b != nil {
		p.Distribution.Create = either(b.Maximum, 1)
		p.Created = hubpolicy.Created{Comment: b.Comment, PriceClass: b.PriceClass, HTTPVersion: b.HTTPVersion, WebACL: b.WebACL, LogBucket: b.LogBucket, ResponseHeaders: b.Headers}
	}
	if d := f.Distribution.Permissions; d != nil {
		p.Permissions = origin.Permissions{LogBuckets: d.LogBuckets, EdgeFunctions: d.EdgeFunctions}
	}
	for _, t := range f.Teams {
		out := admission.Team{Name: t.Name, Accounts: t.Accounts, Outside: t.External || f.Organization == "", Spoke: either(t.Spoke, true), ConfirmTeardown: t.ConfirmTeardown}
		if t.External {
			p.External = append(p.External, t.Name)
		}
		if network, err := netip.ParsePrefix(t.CIDR); err == nil {
			p.Networks[t.Name] = network
		}
		for _, g := range t.Grants {
			out.Grants = append(out.Grants, admission.Grant{Host: g.Host, Paths: g.Paths})
		}
		if t.Claim != nil {
			claim := admission.Normal(t.Claim.claim())
			out.Claim = &claim
		}
		p.Teams = append(p.Teams, out)
	}
	slices.SortStableFunc(p.Teams, func(a, b admission.Team) int { return strings.Compare(a.Name, b.Name) })
	p.Policy = p.Indexed()
	return p
}

// perTeam returns what one team may have. The defaults are a third of CloudFront's default quotas of behaviors and aliases, and as many
// origins as behaviors, since an origin has at least one path. A policy that permits more origins permits a path and a host for each.
func (l limits) perTeam() origin.Size {
	quotas := origin.Distribution{}.Quotas()
	origins := either(l.OriginsPerTeam, quotas.Behaviors/3)
	return origin.Size{
		Origins: origins, Behaviors: either(l.BehaviorsPerTeam, max(quotas.Behaviors/3, origins)), Aliases: either(l.AliasesPerTeam, max(quotas.Aliases/3, origins)),
	}
}

// bounds returns the shortest and the longest grace. A policy that has only a maximum, of less than the default of the shortest grace, has no
// other grace.
func (g grace) bounds() teardown.Bounds {
	longest := either(g.Maximum, 720*time.Hour)
	return teardown.Bounds{Default: either(g.Default, min(15*time.Minute, longest)), Maximum: longest}
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func either[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// twice matches the message of the YAML library about a duplicate key.
var twice = regexp.MustCompile(`^mapping key (".*") already defined at \[(\d+):\d+\]$`)

// located converts an error of the YAML library into Errors.
func located(err error) Errors {
	e := Error{1, 1, err.Error()}
	var y yaml.Error
	if errors.As(err, &y) {
		e.Message = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
		}
	}
	if found := twice.FindStringSubmatch(e.Message); found != nil {
		e.Message = fmt.Sprintf("key %s is on line %s already: write the key once", found[1], found[2])
	} else {
		e.Message = fmt.Sprintf("the file is not valid YAML (%s): check indentation, colons, quotes and brackets in this line and the line before", e.Message)
	}
	return Errors{e}
}
