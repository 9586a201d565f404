package iam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// AssumeRole is the action that a role's trust policy grants.
const AssumeRole = "sts:AssumeRole"

// verdict is the result of one side, identity or resource.
type verdict struct {
	deny    string // the statement that denies
	allow   string // the statement that allows
	direct  bool   // the allowing statement names the caller, not merely its account
	matched []*statement
	problem string // the side could not be evaluated
}

// Authorize decides as AWS does. An explicit deny on either side wins. Within an account, the identity policies or the resource's
// policy must allow; across accounts, both must. For service principals and anonymous callers, only the resource's policy counts.
//
// A role can be assumed only if its trust policy allows it. If the trust policy names only the caller's account, the caller's own
// policies must allow it too. The same is true of a KMS key: unless its policy delegates to the account, no identity policy
// counts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//
// Without Request.ResourceAccount and Request.ResourcePolicy, only the identity side counts, whatever account the ARN names. This
// is for resources that are shared otherwise, such as with RAM.
func (s *Service) Authorize(r cloud.Request) cloud.Decision {
	q := &inquiry{Request: r, action: strings.ToLower(r.Action), service: s}
	identity := s.identitySide(q)
	resource := s.resourceSide(q)
	for _, side := range []struct {
		verdict
		name string
	}{{identity, "an identity-based policy"}, {resource, "a resource-based policy"}} {
		if side.problem != "" {
			return cloud.Decision{Statement: "none", Reason: side.problem}
		}
		if side.deny != "" {
			return cloud.Decision{Statement: side.deny, Reason: "of an explicit deny in " + side.name}
		}
	}
	needIdentity, needResource := r.Principal.Service == "" && !r.Principal.IsAnonymous(), true
	switch {
	case !needIdentity:
	case r.Action == AssumeRole:
		needIdentity = !resource.direct || owner(r) != r.Principal.Account
	case owner(r) != r.Principal.Account:
	case strings.HasPrefix(r.Action, "kms:") && r.Resource != "*":
		// An action without a key, such as kms:ListKeys, is a matter of identity policies alone.
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
		// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
		needIdentity = !resource.direct
	case resource.allow != "" && resource.direct:
		needIdentity = false
	default:
		needResource = false
	}
	if needResource && resource.allow == "" {
		return cloud.Decision{Statement: "none", Reason: "no resource-based policy allows the " + r.Action + " action"}
	}
	if needIdentity && identity.allow == "" {
		return cloud.Decision{Statement: "none", Reason: "no identity-based policy allows the " + r.Action + " action"}
	}
	for _, st := range identity.matched {
		for i, action := range st.actions {
			if action.match(q.action, false) != st.notAction {
				st.used[i] = true
			}
		}
	}
	var by []string
	if identity.allow != "" {
		by = append(by, identity.allow)
	}
	if needResource || resource.direct {
		by = append(by, resource.allow)
	}
	return cloud.Decision{Allowed: true, Statement: strings.Join(by, " and ")}
}

// owner returns the account whose resource policy counts.
func owner(r cloud.Request) string {
	if r.ResourceAccount != "" {
		return r.ResourceAccount
	}
	if r.ResourcePolicy != "" && cloud.AccountOf(r.Resource) != "" {
		return cloud.AccountOf(r.Resource)
	}
	return r.Principal.Account
}

// inquiry is a request, with what the evaluation of its statements needs.
type inquiry struct {
	cloud.Request
	action  string // in lower case
	service *Service
	known   map[string][]string // see method context
}

// context returns the values of condition keys and variables. Most statements need neither.
func (q *inquiry) context() map[string][]string {
	if q.known == nil {
		q.known = q.service.context(q.Request)
	}
	return q.known
}

func (s *Service) identitySide(q *inquiry) verdict {
	p := q.Principal
	if p.Service != "" || p.IsAnonymous() {
		return verdict{}
	}
	if p.IsRoot() {
		return verdict{allow: "account " + p.Account}
	}
	role := s.roles[p.RoleARN]
	if role == nil {
		return verdict{problem: "the role " + p.RoleARN + " does not exist"}
	}
	var v verdict
	for _, attached := range s.policiesOf(role) {
		for _, st := range attached.document.statements {
			v.consider(q, st, attached.name, true)
		}
	}
	return v
}

func (s *Service) resourceSide(q *inquiry) verdict {
	if q.ResourcePolicy == "" {
		return verdict{}
	}
	kind, name := Resource, "policy of "+q.Resource
	if q.Action == AssumeRole {
		kind, name = Trust, "trust policy of "+q.Resource
	}
	document, err := s.resourcePolicy(kind, q.ResourcePolicy)
	if err != nil {
		return verdict{problem: fmt.Sprintf("the %s cannot be evaluated: %v", name, err)}
	}
	var v verdict
	for _, st := range document.statements {
		if names, direct := st.principals.cover(q.Principal); names {
			v.consider(q, st, name, direct)
		}
	}
	return v
}

// consider adds the result of one statement. A statement that names the caller itself takes precedence over one that names its
// account.
func (v *verdict) consider(q *inquiry, st *statement, policy string, direct bool) {
	ok, err := st.applies(q)
	switch {
	case err != nil:
		v.problem = policy + "#" + st.id + ": " + err.Error()
	case !ok:
	case !st.allow:
		if v.deny == "" {
			v.deny = policy + "#" + st.id
		}
	default:
		v.matched = append(v.matched, st)
		if v.allow == "" || direct && !v.direct {
			v.allow, v.direct = policy+"#"+st.id, direct
		}
	}
}

func (st *statement) applies(q *inquiry) (bool, error) {
	if slices.ContainsFunc(st.actions, func(p pattern) bool { return p.match(q.action, false) }) == st.notAction {
		return false, nil
	}
	if st.resources != nil {
		covers := func(p pattern) bool {
			want, ok := p.expand(q.context)
			return ok && want.match(q.Resource, true)
		}
		if slices.ContainsFunc(st.resources, covers) == st.notResource {
			return false, nil
		}
	}
	for i := range st.conditions {
		if ok, err := st.conditions[i].holds(q.context); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// cover reports whether the principals include p, and whether they name p rather than its account.
func (ps *principals) cover(p cloud.Principal) (names, direct bool) {
	switch {
	case ps.everybody:
		return true, true
	case p.Service != "":
		in := slices.Contains(ps.services, p.Service)
		return in, in
	case slices.Contains(ps.arns, p.ARN), p.RoleARN != "" && slices.Contains(ps.arns, p.RoleARN):
		return true, true
	}
	return slices.Contains(ps.accounts, p.Account), false
}

// context returns the values of condition keys and variables by lower-case key: those of the request and the global ones.
func (s *Service) context(r cloud.Request) map[string][]string {
	const global = 14 // maximum number of keys
	c := make(map[string][]string, len(r.Context)+global)
	for key, values := range r.Context {
		c[strings.ToLower(key)] = values
	}
	single := make([]string, 0, global) // one allocation for the values of all keys
	set := func(key, value string) {
		if value != "" {
			single = append(single, value)
			c[key] = single[len(single)-1 : len(single) : len(single)]
		}
	}
	p := r.Principal
	set("aws:requestedregion", r.Region)
	set("aws:securetransport", "true")
	set("aws:viaawsservice", "false")
	set("aws:principalisawsservice", strconv.FormatBool(p.Service != ""))
	resourceAccount := r.ResourceAccount
	if resourceAccount == "" {
		resourceAccount = cloud.AccountOf(r.Resource)
	}
	if resourceAccount == "" {
		resourceAccount = p.Account
	}
	set("aws:resourceaccount", resourceAccount)
	set("aws:resourceorgid", s.organizationOf(resourceAccount))
	if p.Service != "" {
		set("aws:principalservicename", p.Service)
		set("aws:sourcearn", p.SourceARN)
		set("aws:sourceaccount", cloud.AccountOf(p.SourceARN))
		set("aws:sourceorgid", s.organizationOf(cloud.AccountOf(p.SourceARN)))
		return c
	}
	if p.IsAnonymous() {
		set("aws:principaltype", "Anonymous")
		return c
	}
	set("aws:principalaccount", p.Account)
	set("aws:principalorgid", s.organizationOf(p.Account))
	set("aws:principalarn", p.ARN)
	set("aws:principaltype", "Account")
	if p.RoleARN != "" {
		set("aws:principalarn", p.RoleARN)
		set("aws:principaltype", "AssumedRole")
		if role := s.roles[p.RoleARN]; role != nil {
			set("aws:userid", role.id+":"+p.ARN[strings.LastIndexByte(p.ARN, '/')+1:])
			for _, tag := range role.tags {
				c["aws:principaltag/"+strings.ToLower(tag.Key)] = []string{tag.Value}
			}
		}
	}
	return c
}

func (s *Service) organizationOf(account string) string {
	if account == "" || !s.w.Account(account).InOrganization {
		return ""
	}
	return s.w.Organization
}

// resourcePolicy parses a resource's policy once.
func (s *Service) resourcePolicy(kind Kind, text string) (*Document, error) {
	key := policyText{kind, text}
	if d := s.parsed[key]; d != nil {
		return d, nil
	}
	d, err := Parse(kind, []byte(text))
	if err != nil {
		return nil, err
	}
	s.parsed[key] = d
	return d, nil
}
