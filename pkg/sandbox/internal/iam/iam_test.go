package iam

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const (
	hub  = "100000000000"
	team = "111111111111"
)

func newService(t testing.TB) (*Service, *cloud.World) {
	t.Helper()
	w := cloud.New(cloud.Options{Seed: 1})
	s := New(w)
	w.Authorizer = s
	w.AddAccount(cloud.Account{ID: hub, InOrganization: true})
	w.AddAccount(cloud.Account{ID: team})
	return s, w
}

func deploy(t testing.TB, s *Service, w *cloud.World, account, typeName, id, properties string) (*cloud.Resource, error) {
	t.Helper()
	for _, rt := range s.ResourceTypes() {
		if rt.Name == typeName {
			return rt.Create(&cloud.ResourceRequest{
				World: w, Account: account, Region: "us-east-1", Stack: "stack", LogicalID: id, Properties: json.RawMessage(properties),
			})
		}
	}
	t.Fatalf("no type %s", typeName)
	return nil, nil
}

// session deploys a role with one inline policy and returns a session of it.
func session(t testing.TB, s *Service, w *cloud.World, account, name, trust, policy string) cloud.Principal {
	t.Helper()
	policies := ""
	if policy != "" {
		policies = `,"Policies":[{"PolicyName":"P","PolicyDocument":` + document(policy) + `}]`
	}
	r, err := deploy(t, s, w, account, "AWS::IAM::Role", name,
		`{"RoleName":"`+name+`","AssumeRolePolicyDocument":`+document(trust)+policies+`}`)
	if err != nil {
		t.Fatal(err)
	}
	return cloud.AssumedRole(account, r.Attributes["Arn"], name, "session")
}

func document(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

const lambdaTrust = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`

func authorize(s *Service, w *cloud.World, r cloud.Request) (d cloud.Decision) {
	w.Do(func() { d = s.Authorize(r) })
	return d
}

// White space does not count, and all inline policies of a role count together.
func TestInlinePoliciesOfARoleHaveALimit(t *testing.T) {
	statement := func(size int) string {
		const empty = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::"}]}`
		return strings.Replace(empty, `arn:aws:s3:::`, `arn:aws:s3:::`+strings.Repeat("x", size-len(empty)), 1)
	}
	for name, c := range map[string]struct {
		role, policy int
		space        string
		fits         bool
	}{
		"one policy of the longest size":   {10_240, 0, "", true},
		"one more":                         {10_241, 0, "", false},
		"white space":                      {10_240, 0, strings.Repeat(" ", 1000), true},
		"two policies of the longest size": {5_120, 5_120, "", true},
		"two policies, and one more":       {5_120, 5_121, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newService(t)
			_, err := deploy(t, s, w, hub, "AWS::IAM::Role", "R", `{"RoleName":"r","AssumeRolePolicyDocument":`+document(lambdaTrust)+
				`,"Policies":[{"PolicyName":"P","PolicyDocument":`+c.space+statement(c.role)+`}]}`)
			if c.policy > 0 && err == nil {
				_, err = deploy(t, s, w, hub, "AWS::IAM::Policy", "Q", `{"PolicyName":"Q","Roles":["r"],"PolicyDocument":`+statement(c.policy)+`}`)
			}
			if (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r") {
				t.Error(err)
			}
		})
	}
}

func TestIdentityPolicies(t *testing.T) {
	for name, tc := range map[string]struct {
		policy           string
		action, resource string
		context          map[string][]string
		want             bool
		statement        string
	}{
		"exact action and resource": {
			policy: `{"Sid":"Send","Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:100000000000:q"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q", want: true, statement: "r/P#Send",
		},
		"actions ignore case": {
			policy: `{"Effect":"Allow","Action":"SQS:sendmessage","Resource":"*"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q", want: true, statement: "r/P#1",
		},
		"another queue": {
			policy: `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:100000000000:q"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q2", statement: "none",
		},
		"a deny wins over a later allow": {
			policy: `{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"No","Effect":"Deny","Action":"sqs:*","Resource":"*"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q", statement: "r/P#No",
		},
		"NotAction": {
			policy: `{"Effect":"Allow","NotAction":["iam:*","sqs:Delete*"],"Resource":"*"}`,
			action: "sqs:SendMessage", resource: "*", want: true, statement: "r/P#1",
		},
		"NotResource": {
			policy: `{"Effect":"Allow","Action":"sqs:*","NotResource":"arn:aws:sqs:*:*:secret-*"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:secret-q", statement: "none",
		},
		"a star inside a segment stays inside it": {
			policy: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-*-1:100000000000:q"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:1:x-1:100000000000:q", statement: "none",
		},
		"a star at the end of a segment reaches further": {
			policy: `{"Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:*:log-group:x"}`,
			action: "logs:PutLogEvents", resource: "arn:aws:logs:us-east-1:100000000000:log-group:x", want: true, statement: "r/P#1",
		},
		"a policy variable": {
			policy: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:*"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q", want: true, statement: "r/P#1",
		},
		"a missing policy variable matches nothing": {
			policy: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:${aws:RequestTag/name}"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q", statement: "none",
		},
		"a policy variable with a default": {
			policy: `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:${aws:RequestTag/name, 'q'}"}`,
			action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:100000000000:q", want: true, statement: "r/P#1",
		},
		"the teardown tag allows the delete": {
			policy: `{"Effect":"Allow","Action":"cloudfront:DeleteVpcOrigin","Resource":"*","Condition":{"Null":{"aws:ResourceTag/originhub:teardown":"false"}}}`,
			action: "cloudfront:DeleteVpcOrigin", resource: "arn:aws:cloudfront::100000000000:vpcorigin/vo_1",
			context: map[string][]string{"aws:ResourceTag/originhub:teardown": {"now"}}, want: true, statement: "r/P#1",
		},
		"no teardown tag, no delete": {
			policy: `{"Effect":"Allow","Action":"cloudfront:DeleteVpcOrigin","Resource":"*","Condition":{"Null":{"aws:ResourceTag/originhub:teardown":"false"}}}`,
			action: "cloudfront:DeleteVpcOrigin", resource: "arn:aws:cloudfront::100000000000:vpcorigin/vo_1", statement: "none",
		},
		"ram keys come with the request": {
			policy: `{"Effect":"Allow","Action":"ram:AcceptResourceShareInvitation","Resource":"*","Condition":{"StringEquals":{"ram:ShareOwnerAccountId":["111111111111","222222222222"]}}}`,
			action: "ram:AcceptResourceShareInvitation", resource: "arn:aws:ram:us-east-1:111111111111:resource-share-invitation/x",
			context: map[string][]string{"ram:ShareOwnerAccountId": {"111111111111"}}, want: true, statement: "r/P#1",
		},
		"another account's resource without a resource policy asks the identity side only": {
			policy: `{"Effect":"Allow","Action":"cloudfront:GetVpcOrigin","Resource":"arn:aws:cloudfront::*:vpcorigin/*"}`,
			action: "cloudfront:GetVpcOrigin", resource: "arn:aws:cloudfront::111111111111:vpcorigin/vo_1", want: true, statement: "r/P#1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newService(t)
			p := session(t, s, w, hub, "r", lambdaTrust, tc.policy)
			d := authorize(s, w, cloud.Request{Principal: p, Action: tc.action, Resource: tc.resource, Context: tc.context, Region: "us-east-1"})
			if d.Allowed != tc.want || d.Statement != tc.statement {
				t.Errorf("got %+v", d)
			}
			if !d.Allowed && d.Reason == "" {
				t.Error("a refusal says why")
			}
		})
	}
}

func TestConditionOperators(t *testing.T) {
	key := "test:Key"
	for _, tc := range []struct {
		operator, values string
		have             []string
		want             bool
	}{
		{"StringEquals", `"a"`, []string{"a"}, true},
		{"StringEquals", `["a","b"]`, []string{"b"}, true},
		{"StringEquals", `"a*"`, []string{"ab"}, false},
		{"StringEquals", `"a"`, nil, false},
		{"StringEqualsIfExists", `"a"`, nil, true},
		{"StringEqualsIfExists", `"a"`, []string{"b"}, false},
		{"StringNotEquals", `["a","b"]`, []string{"b"}, false},
		{"StringNotEquals", `["a","b"]`, []string{"c"}, true},
		{"StringNotEquals", `"a"`, nil, true},
		{"StringEqualsIgnoreCase", `"A"`, []string{"a"}, true},
		{"StringNotEqualsIgnoreCase", `"A"`, []string{"a"}, false},
		{"StringLike", `"a?c*"`, []string{"abcde"}, true},
		{"StringLike", `"a?c"`, []string{"ac"}, false},
		{"StringNotLike", `"a*"`, []string{"abc"}, false},
		{"ArnLike", `"arn:aws:iam::*:role/x-*"`, []string{"arn:aws:iam::100000000000:role/x-1"}, true},
		{"ArnEquals", `"arn:aws:iam::*:role/x-*"`, []string{"arn:aws:iam::100000000000:role/x-1"}, true},
		{"ArnLike", `"arn:aws:*:role/x"`, []string{"arn:aws:iam::100000000000:role/x"}, false},
		{"ArnLike", `"arn:aws:iam::1:role/x"`, []string{"not an arn"}, false},
		{"ArnNotLike", `"arn:aws:iam::*:role/x"`, []string{"arn:aws:iam::1:role/y"}, true},
		{"Bool", `true`, []string{"true"}, true},
		{"Bool", `"false"`, []string{"true"}, false},
		{"Null", `"true"`, nil, true},
		{"Null", `true`, []string{"x"}, false},
		{"NumericLessThanEquals", `3600`, []string{"3600"}, true},
		{"NumericLessThan", `"3600"`, []string{"3600"}, false},
		{"NumericGreaterThan", `1`, []string{"2"}, true},
		{"NumericGreaterThanEquals", `3`, []string{"2"}, false},
		{"NumericEquals", `2.0`, []string{"2"}, true},
		{"NumericNotEquals", `2`, []string{"2"}, false},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "b"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "c"}, false},
		{"ForAllValues:StringEquals", `["a"]`, nil, true},
		{"ForAnyValue:StringEquals", `["a"]`, []string{"c", "a"}, true},
		{"ForAnyValue:StringEquals", `["a"]`, nil, false},
		{"ForAnyValue:StringNotEquals", `["a"]`, []string{"a"}, false},
		{"ForAllValues:StringNotLike", `["a*"]`, []string{"b", "ab"}, false},
	} {
		conditions, err := parseConditions(json.RawMessage(`{"`+tc.operator+`":{"`+key+`":`+tc.values+`}}`), true)
		if err != nil {
			t.Fatalf("%s: %v", tc.operator, err)
		}
		context := map[string][]string{}
		if tc.have != nil {
			context[strings.ToLower(key)] = tc.have
		}
		got, err := conditions[0].holds(func() map[string][]string { return context })
		if err != nil || got != tc.want {
			t.Errorf("%s %s against %v: got %v, %v", tc.operator, tc.values, tc.have, got, err)
		}
	}
}

func TestResourcePoliciesAndAccounts(t *testing.T) {
	const queue = "arn:aws:sqs:us-east-1:100000000000:q"
	allowed := `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`
	statement := func(principal, rest string) string {
		return document(`{"Sid":"S","Effect":"Allow","Principal":` + principal + `,"Action":"sqs:SendMessage","Resource":"` + queue + `"` + rest + `}`)
	}
	rule := cloud.Principal{Service: "events.amazonaws.com", ARN: "events.amazonaws.com", SourceARN: "arn:aws:events:us-east-1:100000000000:rule/r"}
	for name, tc := range map[string]struct {
		caller   string // root, role (of the hub), outside root, outside role, service
		identity string
		policy   string
		want     bool
	}{
		"root needs no policy":                         {"root", "", "", true},
		"root is stopped by a deny":                    {"root", "", document(`{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}`), false},
		"a role lives by its identity policy":          {"role", allowed, "", true},
		"a role without policy is refused":             {"role", "", "", false},
		"a role that the resource names needs no more": {"role", "", statement(`{"AWS":"arn:aws:iam::100000000000:role/r"}`, ""), true},
		"a session that the resource names":            {"role", "", statement(`{"AWS":"arn:aws:sts::100000000000:assumed-role/r/session"}`, ""), true},
		"naming the account is not naming the role":    {"role", "", statement(`{"AWS":"100000000000"}`, ""), false},
		"a outside role needs both sides":              {"outside role", allowed, statement(`{"AWS":"arn:aws:iam::111111111111:root"}`, ""), true},
		"a outside role, identity side missing":        {"outside role", "", statement(`{"AWS":"arn:aws:iam::111111111111:role/r"}`, ""), false},
		"a outside role, resource side missing":        {"outside role", allowed, "", false},
		"a outside root needs the resource's word":     {"outside root", "", "", false},
		"a outside root that the resource lets in":     {"outside root", "", statement(`{"AWS":"111111111111"}`, ""), true},
		"outside the organization":                     {"outside root", "", statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}`), false},
		"inside the organization":                      {"role", "", statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}`), true},
		"a service without a policy":                   {"service", "", "", false},
		"a service for the right rule":                 {"service", "", statement(`{"Service":"events.amazonaws.com"}`, `,"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:100000000000:rule/r"}}`), true},
		"a service for another rule":                   {"service", "", statement(`{"Service":"events.amazonaws.com"}`, `,"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:100000000000:rule/x"}}`), false},
		"a service for its account":                    {"service", "", statement(`{"Service":"events.amazonaws.com"}`, `,"Condition":{"StringEquals":{"aws:SourceAccount":"100000000000"}}`), true},
		"another service":                              {"service", "", statement(`{"Service":"sns.amazonaws.com"}`, ""), false},
		"only encrypted transport":                     {"role", allowed, document(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newService(t)
			var p cloud.Principal
			switch tc.caller {
			case "root":
				p = cloud.Root(hub)
			case "outside root":
				p = cloud.Root(team)
			case "service":
				p = rule
			case "role":
				p = session(t, s, w, hub, "r", lambdaTrust, tc.identity)
			case "outside role":
				p = session(t, s, w, team, "r", lambdaTrust, tc.identity)
			}
			d := authorize(s, w, cloud.Request{
				Principal: p, Action: "sqs:SendMessage", Resource: queue, ResourceAccount: hub, ResourcePolicy: tc.policy, Region: "us-east-1",
			})
			if d.Allowed != tc.want {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestTrust(t *testing.T) {
	assume := `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`
	external := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::100000000000:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}`
	for name, tc := range map[string]struct {
		identity, trust, externalID, account string
		want                                 bool
	}{
		"both sides and the external id":             {assume, external, "secret", team, true},
		"a wrong external id":                        {assume, external, "guess", team, false},
		"no external id":                             {assume, external, "", team, false},
		"no identity policy":                         {"", external, "secret", team, false},
		"own account, trusted by account":            {assume, external, "secret", hub, true},
		"own account, by account, identity missing":  {"", external, "secret", hub, false},
		"own account, trusted by name":               {"", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::100000000000:role/r"},"Action":"sts:AssumeRole"}`, "", hub, true},
		"own account, not trusted":                   {assume, lambdaTrust, "", hub, false},
		"another account, trusted by name, identity": {assume, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::100000000000:role/r"},"Action":"sts:AssumeRole"}`, "", team, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newService(t)
			p := session(t, s, w, hub, "r", lambdaTrust, tc.identity)
			target := session(t, s, w, tc.account, "spoke", tc.trust, "")
			stored, ok := s.Role(target.RoleARN)
			if !ok {
				t.Fatal("role not stored")
			}
			context := map[string][]string{}
			if tc.externalID != "" {
				context["sts:ExternalId"] = []string{tc.externalID}
			}
			d := authorize(s, w, cloud.Request{
				Principal: p, Action: AssumeRole, Resource: target.RoleARN, ResourceAccount: tc.account, ResourcePolicy: stored.Trust, Context: context,
			})
			if d.Allowed != tc.want {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestParseRefusesByName(t *testing.T) {
	for _, tc := range []struct {
		kind      Kind
		statement string
		names     string
	}{
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Resourcee":"*"}`, "Resourcee"},
		{Identity, `{"Effect":"Maybe","Action":"a:b","Resource":"*"}`, "Maybe"},
		{Identity, `{"Effect":"Allow","Action":"SendMessage","Resource":"*"}`, "SendMessage"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"queue"}`, "queue"},
		{Identity, `{"Effect":"Allow","Action":"a:b"}`, "Resource"},
		{Identity, `{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}`, "Principal"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringMatches":{"aws:PrincipalArn":"x"}}}`, "StringMatches"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"IpAddress":{"aws:PrincipalArn":"x"}}}`, "IpAddress"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"PrincipalArn":"x"}}}`, "PrincipalArn"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"aws:SourceIp":"x"}}}`, "aws:SourceIp"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"yes"}}}`, "yes"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"NumericEquals":{"test:n":"x"}}}`, "number"},
		{Identity, `{"Effect":"Allow","Action":"a:b","Resource":"arn:aws:s3:::${aws:FederatedProvider}"}`, "aws:FederatedProvider"},
		{Identity, `{"Sid":"not good","Effect":"Allow","Action":"a:b","Resource":"*"}`, "not good"},
		{Identity, `{"Sid":"A","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"a:b","Resource":"*"}`, "unique"},
		{Resource, `{"Effect":"Allow","NotPrincipal":"*","Action":"a:b","Resource":"*"}`, "NotPrincipal"},
		{Resource, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1*:role/x"},"Action":"a:b","Resource":"*"}`, "1*"},
		{Trust, `{"Effect":"Allow","Principal":{"Federated":"x"},"Action":"sts:AssumeRole"}`, "Federated"},
		{Trust, `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`, "Resource"},
	} {
		_, err := Parse(tc.kind, []byte(document(tc.statement)))
		if err == nil || !strings.Contains(err.Error(), tc.names) {
			t.Errorf("%s: got %v, want an error that names %s", tc.statement, err, tc.names)
		}
	}
}

func TestTemplateRefusesByName(t *testing.T) {
	s, w := newService(t)
	for _, tc := range []struct{ typeName, properties, names string }{
		{"AWS::IAM::Role", `{"AssumeRolePolicyDocument":` + document(lambdaTrust) + `,"PermissionsBoundary":"x"}`, "PermissionsBoundary"},
		{"AWS::IAM::Role", `{"AssumeRolePolicyDocument":` + document(lambdaTrust) + `,"ManagedPolicyArns":["arn:aws:iam::aws:policy/AdministratorAccess"]}`, "AdministratorAccess"},
		{"AWS::IAM::Role", `{"AssumeRolePolicyDocument":` + document(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/nobody"},"Action":"sts:AssumeRole"}`) + `}`, "nobody"},
		{"AWS::IAM::Policy", `{"PolicyName":"p","PolicyDocument":` + document(`{"Effect":"Allow","Action":"a:b","Resource":"*"}`) + `,"Roles":["nobody"]}`, "nobody"},
		{"AWS::IAM::Policy", `{"PolicyName":"p","PolicyDocument":` + document(`{"Effect":"Allow","Action":"a:b","Resource":"*"}`) + `,"Users":["x"]}`, "Users"},
	} {
		_, err := deploy(t, s, w, hub, tc.typeName, "X", tc.properties)
		if err == nil || !strings.Contains(err.Error(), tc.names) {
			t.Errorf("%s: got %v, want an error that names %s", tc.properties, err, tc.names)
		}
	}
}

func TestPoliciesComeAndGoWithTheirStack(t *testing.T) {
	s, w := newService(t)
	p := session(t, s, w, hub, "r", lambdaTrust, "")
	request := cloud.Request{Principal: p, Action: "a:B", Resource: "*"}
	properties := `{"PolicyName":"Default","PolicyDocument":` + document(`{"Effect":"Allow","Action":"a:B","Resource":"*"}`) + `,"Roles":["r"]}`
	policy, err := deploy(t, s, w, hub, "AWS::IAM::Policy", "DefaultPolicy", properties)
	if err != nil {
		t.Fatal(err)
	}
	if got := authorize(s, w, request); !got.Allowed || got.Statement != "r/Default#1" {
		t.Fatalf("with the policy: %+v", got)
	}
	// Updating the role keeps what other resources attached to it.
	rr := &cloud.ResourceRequest{
		World: w, Account: hub, Region: "us-east-1", Stack: "stack", LogicalID: "r",
		Properties: json.RawMessage(`{"RoleName":"r","AssumeRolePolicyDocument":` + document(lambdaTrust) + `}`),
	}
	if _, err := s.updateRole(rr, &cloud.Resource{Ref: "r", Attributes: map[string]string{"Arn": p.RoleARN}}); err != nil {
		t.Fatal(err)
	}
	if got := authorize(s, w, request); !got.Allowed {
		t.Fatalf("after the role's update: %+v", got)
	}
	err = s.deletePolicy(&cloud.ResourceRequest{World: w, Account: hub, Region: "us-east-1", Stack: "stack", LogicalID: "DefaultPolicy"}, policy)
	if err != nil {
		t.Fatal(err)
	}
	if got := authorize(s, w, request); got.Allowed {
		t.Fatalf("without the policy: %+v", got)
	}
	managed, err := deploy(t, s, w, hub, "AWS::IAM::ManagedPolicy", "M",
		`{"ManagedPolicyName":"m","PolicyDocument":`+document(`{"Effect":"Allow","Action":"a:*","Resource":"*"}`)+`,"Roles":["r"]}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := authorize(s, w, request); got.Statement != managed.Ref+"#1" {
		t.Fatalf("with the managed policy: %+v", got)
	}
}

func TestPermissionsTellWhichWereNeeded(t *testing.T) {
	s, w := newService(t)
	p := session(t, s, w, hub, "r", lambdaTrust,
		`{"Sid":"Used","Effect":"Allow","Action":["a:B","a:Get*"],"Resource":"*"},{"Sid":"Idle","Effect":"Allow","Action":"a:C","Resource":"*"}`)
	authorize(s, w, cloud.Request{Principal: p, Action: "a:B", Resource: "*"})
	authorize(s, w, cloud.Request{Principal: p, Action: "a:D", Resource: "*"})
	want := map[string]bool{"r/P#Used a:b": true, "r/P#Used a:get*": false, "r/P#Idle a:c": false}
	if got := s.Permissions(hub); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFunctionCredentials(t *testing.T) {
	s, w := newService(t)
	p := session(t, s, w, hub, "r", lambdaTrust, "")
	var c Credential
	var err error
	w.Do(func() {
		c, err = s.MintForFunction(p.RoleARN, "wire", "arn:aws:lambda:us-east-1:100000000000:function:wire")
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Invocation(c.AccessKeyID, "request-1")
	got, ok := s.Credentials(c.AccessKeyID)
	want := cloud.Principal{
		Account: hub, RoleARN: p.RoleARN, ARN: "arn:aws:sts::100000000000:assumed-role/r/wire", Function: "wire", Invocation: "request-1",
	}
	if !ok || got != want {
		t.Errorf("got %+v", got)
	}
	untrusting := session(t, s, w, hub, "other", `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}`, "")
	w.Do(func() { _, err = s.MintForFunction(untrusting.RoleARN, "wire", "arn") })
	if err == nil {
		t.Error("a role that does not trust Lambda serves no function")
	}
}

func TestAssumption_IAM_01_SeveralValuesNeedASetOperator(t *testing.T) {
	s, w := newService(t)
	p := session(t, s, w, hub, "r", lambdaTrust,
		`{"Sid":"S","Effect":"Allow","Action":"a:B","Resource":"*","Condition":{"StringEquals":{"aws:TagKeys":"x"}}}`)
	d := authorize(s, w, cloud.Request{Principal: p, Action: "a:B", Resource: "*", Context: map[string][]string{"aws:TagKeys": {"x", "y"}}})
	if d.Allowed || !strings.Contains(d.Reason, "ForAnyValue") || !strings.Contains(d.Reason, "r/P#S") {
		t.Errorf("got %+v", d)
	}
}

func TestAssumption_IAM_02_TheAccountsKeyMayAssumeRoles(t *testing.T) {
	s, w := newService(t)
	target := session(t, s, w, team, "spoke", `{"Effect":"Allow","Principal":{"AWS":"100000000000"},"Action":"sts:AssumeRole"}`, "")
	var err error
	w.Do(func() { _, err = s.Assume(cloud.Root(hub), target.RoleARN, "s") })
	if err != nil {
		t.Error(err)
	}
	w.Do(func() { _, err = s.Assume(cloud.Root("999999999999"), target.RoleARN, "s") })
	if err == nil {
		t.Error("a stranger was let in")
	}
}

func TestAssumption_IAM_03_CredentialsOutliveTheirExpiry(t *testing.T) {
	s, w := newService(t)
	p := session(t, s, w, hub, "r", lambdaTrust, "")
	c := s.Mint(p, time.Hour)
	w.Clock.Advance(2 * time.Hour)
	if _, ok := s.Credentials(c.AccessKeyID); !ok || !c.Expiration.Before(w.Clock.Now()) {
		t.Error("the keys should have expired and still work")
	}
}

// A pattern made of a string by putting wildcards into it covers that string.
func TestPatternCoversWhatItWasMadeFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-z:/-]{0,20}`).Draw(t, "s")
		var p strings.Builder
		for i := 0; i < len(s); {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				p.WriteByte(s[i])
				i++
			case 1:
				p.WriteByte('?')
				i++
			default:
				p.WriteByte('*')
				i += rapid.IntRange(0, len(s)-i).Draw(t, "skip")
			}
		}
		compiled, err := compile(p.String(), true, true)
		if err != nil {
			t.Fatal(err)
		}
		if !compiled.match(s, false) {
			t.Fatalf("%q does not cover %q", p.String(), s)
		}
	})
}

// Somebody without credentials lives by the resource's policy alone, and may be told by the endpoint that he comes through.
func TestAnonymous(t *testing.T) {
	_, w := newService(t)
	const api = "arn:aws:execute-api:us-east-1:" + team + ":abc/live/GET/x"
	open := `{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"` + api + `"}`
	bound := open + `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"execute-api:Invoke","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}`
	named := `{"Effect":"Allow","Principal":{"AWS":"` + team + `"},"Action":"execute-api:Invoke","Resource":"*"}`
	for _, test := range []struct {
		policy, endpoint string
		want             bool
	}{
		{"", "vpce-1", false},
		{document(open), "", true},
		{document(bound), "vpce-1", true},
		{document(bound), "vpce-2", false},
		{document(bound), "", false},
		{document(named), "vpce-1", false},
	} {
		r := cloud.Request{Principal: cloud.Anonymous(), Action: "execute-api:Invoke", Resource: api, ResourceAccount: team, ResourcePolicy: test.policy}
		if test.endpoint != "" {
			r.Context = map[string][]string{"aws:SourceVpce": {test.endpoint}}
		}
		if d := w.Authorizer.Authorize(r); d.Allowed != test.want {
			t.Errorf("%s through %q: %+v", test.policy, test.endpoint, d)
		}
	}
}

// A pattern covers a string, and no other, as the regular expression of the same meaning does.
func TestPatternIsARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab:*?]{0,6}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab:]{0,6}`).Draw(t, "s")
		compiled, err := compile(text, true, false)
		if err != nil {
			t.Fatal(err)
		}
		same := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(text) + "$")
		if got := compiled.match(s, false); got != same.MatchString(s) {
			t.Fatalf("%q covers %q: %v", text, s, got)
		}
	})
}
