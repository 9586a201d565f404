package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

// A limit is a quota of AWS that a resource of the hub's template may reach.
type limit struct {
	name string
	most int
	from string // AWS's page
	size func(resource) int
}

// limits returns the quotas by resource type. Sizes are of JSON without white space, with every reference as long as it can become.
func limits() map[string][]limit {
	// IAM does not count white space.
	const iam = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
	property := func(name string) func(resource) int {
		return func(r resource) int { return longest(r.Properties[name]) }
	}
	length := func(name string) func(resource) int {
		return func(r resource) int { entries, _ := r.Properties[name].([]any); return len(entries) }
	}
	return map[string][]limit{
		"AWS::IAM::Role": {
			{"inline policies", 10_240, iam, func(r resource) int {
				total := 0
				policies, _ := r.Properties["Policies"].([]any)
				for _, p := range policies {
					total += longest(p.(map[string]any)["PolicyDocument"])
				}
				return total
			}},
			{"trust policy", 2_048, iam, property("AssumeRolePolicyDocument")},
			{"managed policies", 10, iam, length("ManagedPolicyArns")},
		},
		"AWS::SNS::TopicPolicy": {{"policy", 30 * 1024, "https://docs.aws.amazon.com/general/latest/gr/sns.html", property("PolicyDocument")}},
		"AWS::SQS::QueuePolicy": {{"policy", 8_192, "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html", property("PolicyDocument")}},
		"AWS::KMS::Key":         {{"policy", 32 * 1024, "https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html", property("KeyPolicy")}},
		"AWS::Lambda::Function": {{"environment", 4 * 1024, "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html", func(r resource) int {
			environment, _ := r.Properties["Environment"].(map[string]any)
			return longest(environment["Variables"])
		}}},
		"AWS::Events::Rule": {
			{"event pattern", 2_048, "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html", property("EventPattern")},
			{"targets", 5, "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html", length("Targets")},
		},
		"AWS::StepFunctions::StateMachine": {{"definition", 1 << 20, "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html", property("DefinitionString")}},
	}
}

// longest returns the length of a value as JSON without white space, if every reference becomes as long as it can.
func longest(v any) int {
	if v == nil {
		return 0
	}
	encoded, err := json.Marshal(spelled(v))
	if err != nil {
		panic(err)
	}
	return len(encoded)
}

var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// spelled returns a value with text in the place of intrinsics. No ARN of the hub is longer than that of a rule on its bus: 41 characters,
// 30 for the name of the bus, and 64 for a name that CloudFormation generates.
func spelled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		_, ref := v["Ref"]
		_, get := v["Fn::GetAtt"]
		_, join := v["Fn::Join"]
		if len(v) == 1 && (ref || get || join) {
			s := strings.ReplaceAll(text(v), "${AWS::AccountId}", "100000000000")
			return reference.ReplaceAllString(s, strings.Repeat("x", 136))
		}
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = spelled(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = spelled(value)
		}
		return out
	}
	return v
}

// busPolicy returns the policy of the hub bus that the template's statements add up to, in the order of their ids.
func busPolicy(t *testing.T, hub template) any {
	t.Helper()
	statements := []any{}
	for _, id := range []string{"BusOrganization", "BusAccounts"} {
		for logical, r := range hub.Resources {
			if r.Type == "AWS::Events::EventBusPolicy" && strings.HasPrefix(logical, id) {
				s := maps.Clone(r.Properties["Statement"].(map[string]any))
				s["Sid"] = r.Properties["StatementId"]
				s["Resource"] = "arn:aws:events:us-east-1:100000000000:event-bus/" + hub.resource(text(r.Properties["EventBusName"])).Properties["Name"].(string)
				statements = append(statements, s)
			}
		}
	}
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, raw)
}

func decoded(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The hub's template does not depend on the number of accounts inside the organization, and a policy that the policy check accepts can be
// deployed whatever its values.
func TestEveryLimitHoldsForAThousandAccounts(t *testing.T) {
	const certificate = "arn:aws:acm:us-east-1:100000000000:certificate/1"
	long := func(n int) string { return strings.Repeat("a", n) }
	base := func(accounts int) hubpolicy.Policy {
		p := hubpolicy.Policy{
			Policy: admission.Policy{Domain: long(60) + "." + long(60) + ".example.com", Distribution: admission.Distribution{Create: 100}},
			Hub:    long(20), HostedZone: "Z" + strings.Repeat("0", 31), ExternalID: long(1000), Certificate: certificate,
		}
		for i := range accounts {
			p.Teams = append(p.Teams, admission.Team{Name: fmt.Sprintf("team-%04d", i), Accounts: []string{fmt.Sprintf("%012d", i+1)}, Spoke: true})
		}
		return p
	}
	inside := base(1000)
	inside.Organization = "o-" + long(32)
	both := base(1000)
	both.Organization, both.Shares = inside.Organization, admission.Shares{External: true, Reject: true}
	for _, team := range both.Teams[:both.BusCapacity()] {
		both.External = append(both.External, team.Name)
	}
	outside := base(base(0).BusCapacity())
	outside.Shares.External = true
	adopted := both
	adopted.Distribution = admission.Distribution{}
	for i := range hubpolicy.MostAdopted {
		adopted.Distribution.Adopt = append(adopted.Distribution.Adopt, fmt.Sprintf("E%031d", i))
	}
	for i := range hubpolicy.MostPermissions {
		adopted.Permissions.LogBuckets = append(adopted.Permissions.LogBuckets, fmt.Sprintf("%063d", i))
		adopted.Permissions.EdgeFunctions = append(adopted.Permissions.EdgeFunctions, fmt.Sprintf("arn:aws:lambda:us-east-1:100000000000:function:%064d:123456789", i))
	}
	for name, p := range map[string]hubpolicy.Policy{
		"1,000 accounts inside the organization": inside, "as many outside as fit, and the others inside": both,
		"no organization": outside, "as many adopted distributions as are permitted": adopted,
	} {
		t.Run(name, func(t *testing.T) {
			hub := hubOf(t, p)
			for _, id := range slices.Sorted(maps.Keys(hub.Resources)) {
				for _, l := range limits()[hub.Resources[id].Type] {
					size := l.size(hub.Resources[id])
					if size > l.most {
						t.Errorf("%s: %s has %d of %d (%s)", id, l.name, size, l.most, l.from)
					}
				}
			}
			if diff := cmp.Diff(decoded(t, p.BusPolicy()), busPolicy(t, hub)); diff != "" {
				t.Errorf("policy check measures another policy of the bus than the template has: %s", diff)
			}
			if n := len(p.BusPolicy()); n > hubpolicy.LongestBusPolicy {
				t.Errorf("the policy of the bus has %d characters", n)
			}
			// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
			if n := len(hub.raw); n > 1<<20 {
				t.Errorf("the template has %d bytes", n)
			}
			if n := len(hub.Parameters); n > 200 {
				t.Errorf("the template has %d parameters", n)
			}
			for name, value := range p.Parameters() {
				if len(value) > 4096 {
					t.Errorf("the value of parameter %s has %d bytes", name, len(value))
				}
			}
			if n := len(hub.Resources); n > 500 {
				t.Errorf("the template has %d resources", n)
			}
			if n := len(hub.Outputs); n > 200 {
				t.Errorf("the template has %d outputs", n)
			}
		})
	}
}
