package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Kind is what a policy document is attached to.
type Kind int

// These are the kinds of policies that the sandbox evaluates.
const (
	Identity Kind = iota // of a role: no Principal
	Resource             // of a queue, bus, topic or function: Principal and Resource
	Trust                // of a role: Principal, no Resource
)

// Document is a parsed policy.
type Document struct {
	statements []*statement
}

type statement struct {
	id          string // Sid, or the position counted from 1
	allow       bool
	principals  *principals
	actions     []pattern
	notAction   bool
	resources   []pattern
	notResource bool
	conditions  []condition
	used        []bool // by action: it has allowed a call
}

// principals are the principals of a resource or trust policy. A principal "*" is everybody.
type principals struct {
	everybody bool
	accounts  []string // account ids; the account may delegate the permission to its identities
	arns      []string // roles, users and sessions; the permission is theirs
	services  []string
}

// Parse reads a policy document strictly: an element, operator or key that the sandbox does not evaluate is an error that names
// it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
func Parse(kind Kind, document []byte) (*Document, error) {
	var top struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := strictly(document, &top); err != nil {
		return nil, fmt.Errorf("parse policy: %w", err)
	}
	switch top.Version {
	case "", "2008-10-17", "2012-10-17":
	default:
		return nil, fmt.Errorf("parse policy: Version %q is neither 2012-10-17 nor 2008-10-17", top.Version)
	}
	raws, err := oneOrMany(top.Statement)
	if err != nil || len(raws) == 0 {
		return nil, fmt.Errorf("parse policy: Statement is missing or empty")
	}
	d := &Document{}
	sids := map[string]bool{}
	for i, raw := range raws {
		// Before 2012-10-17 policy variables are plain text.
		s, err := parseStatement(kind, raw, top.Version == "2012-10-17")
		if err != nil {
			return nil, fmt.Errorf("parse policy: statement %d: %w", i+1, err)
		}
		if s.id == "" {
			s.id = strconv.Itoa(i + 1)
		} else if sids[s.id] {
			return nil, fmt.Errorf("parse policy: statement %d: Sid %q is not unique", i+1, s.id)
		}
		sids[s.id] = true
		d.statements = append(d.statements, s)
	}
	return d, nil
}

var (
	sidForm    = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionForm = regexp.MustCompile(`^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$`)
)

func parseStatement(kind Kind, raw json.RawMessage, variables bool) (*statement, error) {
	var in struct {
		Sid          string
		Effect       string
		Principal    json.RawMessage
		NotPrincipal json.RawMessage
		Action       json.RawMessage
		NotAction    json.RawMessage
		Resource     json.RawMessage
		NotResource  json.RawMessage
		Condition    json.RawMessage
	}
	if err := strictly(raw, &in); err != nil {
		return nil, err
	}
	s := &statement{id: in.Sid, notAction: in.NotAction != nil, notResource: in.NotResource != nil}
	if kind != Resource && !sidForm.MatchString(in.Sid) {
		return nil, fmt.Errorf("element Sid %q holds more than letters and digits", in.Sid)
	}
	switch in.Effect {
	case "Allow":
		s.allow = true
	case "Deny":
	default:
		return nil, fmt.Errorf("element Effect %q is neither Allow nor Deny", in.Effect)
	}
	if in.NotPrincipal != nil {
		return nil, fmt.Errorf("the sandbox does not evaluate NotPrincipal")
	}
	if (kind == Identity) != (in.Principal == nil) {
		return nil, fmt.Errorf("element Principal belongs in resource and trust policies, and only there")
	}
	var err error
	if in.Principal != nil {
		if s.principals, err = parsePrincipals(in.Principal); err != nil {
			return nil, fmt.Errorf("element Principal: %w", err)
		}
	}
	if s.actions, err = parseActions(in.Action, in.NotAction); err != nil {
		return nil, err
	}
	s.used = make([]bool, len(s.actions))
	if kind == Trust {
		if in.Resource != nil || in.NotResource != nil {
			return nil, fmt.Errorf("a trust policy has no Resource")
		}
	} else if s.resources, err = parseResources(in.Resource, in.NotResource, variables); err != nil {
		return nil, err
	}
	if in.Condition != nil {
		if s.conditions, err = parseConditions(in.Condition, variables); err != nil {
			return nil, fmt.Errorf("element Condition: %w", err)
		}
	}
	return s, nil
}

func parseActions(action, notAction json.RawMessage) ([]pattern, error) {
	list, err := eitherOr("Action", action, notAction)
	if err != nil {
		return nil, err
	}
	var out []pattern
	for _, a := range list {
		if !actionForm.MatchString(a) {
			return nil, fmt.Errorf("element Action: %q is not of the form service:Action", a)
		}
		p, err := compile(strings.ToLower(a), true, false)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parseResources(resource, notResource json.RawMessage, variables bool) ([]pattern, error) {
	list, err := eitherOr("Resource", resource, notResource)
	if err != nil {
		return nil, err
	}
	var out []pattern
	for _, r := range list {
		p, err := compile(r, true, variables)
		if err != nil {
			return nil, fmt.Errorf("element Resource: %w", err)
		}
		if _, isARN := p.segments(); r != "*" && (!isARN || !strings.HasPrefix(r, "arn:")) {
			return nil, fmt.Errorf("element Resource: %q is neither * nor an ARN", r)
		}
		out = append(out, p)
	}
	return out, nil
}

var (
	rootForm = regexp.MustCompile(`^arn:aws:iam::(\d{12}):root$`)
	awsForm  = regexp.MustCompile(`^arn:aws:(iam::\d{12}:(role|user)|sts::\d{12}:assumed-role)/[^*?]+$`)
)

func parsePrincipals(raw json.RawMessage) (*principals, error) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		if word != "*" {
			return nil, fmt.Errorf("%q is neither * nor an object", word)
		}
		return &principals{everybody: true}, nil
	}
	var block map[string]json.RawMessage
	if err := json.Unmarshal(raw, &block); err != nil {
		return nil, err
	}
	p := &principals{}
	for _, kind := range slices.Sorted(maps.Keys(block)) {
		list, err := stringsOf(block[kind])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		switch kind {
		case "Service":
			p.services = append(p.services, list...)
		case "AWS":
			for _, e := range list {
				root := rootForm.FindStringSubmatch(e)
				switch {
				case e == "*":
					p.everybody = true
				case cloud.IsAccount(e):
					p.accounts = append(p.accounts, e)
				case root != nil:
					p.accounts = append(p.accounts, root[1])
				case awsForm.MatchString(e):
					p.arns = append(p.arns, e)
				default:
					return nil, fmt.Errorf("AWS principal %q is neither *, an account, a role, a user nor a session", e)
				}
			}
		default:
			return nil, fmt.Errorf("the sandbox does not know %s principals", kind)
		}
	}
	return p, nil
}

// eitherOr reads an element or its Not… form. Exactly one of them must be present.
func eitherOr(name string, plain, not json.RawMessage) ([]string, error) {
	if (plain == nil) == (not == nil) {
		return nil, fmt.Errorf("exactly one of %s and Not%s is needed", name, name)
	}
	if plain == nil {
		plain, name = not, "Not"+name
	}
	list, err := stringsOf(plain)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

func stringsOf(raw json.RawMessage) ([]string, error) {
	raws, err := oneOrMany(raw)
	if err != nil {
		return nil, err
	}
	if len(raws) == 0 {
		return nil, fmt.Errorf("is empty")
	}
	out := make([]string, len(raws))
	for i, r := range raws {
		if err := json.Unmarshal(r, &out[i]); err != nil {
			return nil, fmt.Errorf("%s is not a string", r)
		}
	}
	return out, nil
}

func oneOrMany(raw json.RawMessage) ([]json.RawMessage, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		if len(raw) == 0 {
			return nil, nil
		}
		return []json.RawMessage{raw}, nil
	}
	var list []json.RawMessage
	err := json.Unmarshal(raw, &list)
	return list, err
}

func strictly(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}
