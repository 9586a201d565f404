package infra

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
)

// longestServiceControlPolicy is the quota of AWS Organizations, in characters
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
const longestServiceControlPolicy = 5120

// The service control policy protects what the hub is made of, under the names that it has, and denies the hub nothing that it does.
func TestServiceControlPolicyProtectsTheHub(t *testing.T) {
	text, err := os.ReadFile("scp.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > longestServiceControlPolicy {
		t.Errorf("it has %d characters", len(text))
	}
	const hub = "networking"
	var policy struct {
		Statement []struct {
			Sid, Effect      string
			Action, Resource any
			Condition        map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "HUB", hub)), &policy); err != nil {
		t.Fatal(err)
	}
	protected := map[string][]string{
		"iam:PutRolePolicy":          {"arn:aws:iam::1:role" + contract.RolePath(hub) + "x", contract.SpokeRoleARN(hub, "1")},
		"iam:UpdateAssumeRolePolicy": {"arn:aws:iam::1:role" + contract.RolePath(hub) + "x", contract.SpokeRoleARN(hub, "1")},
		"iam:CreateRole":             {"arn:aws:iam::1:role" + contract.RolePath(hub) + "x", contract.SpokeRoleARN(hub, "1")},
		"lambda:UpdateFunctionCode":  {"arn:aws:lambda:us-east-1:1:function:" + stackName(hub) + "-Wire1-2"},
		"events:DisableRule":         {"arn:aws:events:us-east-1:1:rule/" + stackName(hub) + "-Sweep1-2", "arn:aws:events:us-east-1:1:rule/" + contract.BusName(hub) + "/x", "arn:aws:events:us-east-1:1:rule/" + contract.SpokeStackName(hub) + "-x"},
		"dynamodb:PutItem":           {"arn:aws:dynamodb:us-east-1:1:table/" + stackName(hub) + "-Registry1-2"},
		"cloudfront:TagResource":     {"arn:aws:cloudfront::1:vpcorigin/vo_1"},
		"cloudfront:UntagResource":   {"arn:aws:cloudfront::1:vpcorigin/vo_1"},
	}
	for _, s := range policy.Statement {
		exempt := list(s.Condition["ArnNotLike"]["aws:PrincipalArn"])
		if s.Effect != "Deny" || len(exempt) == 0 {
			t.Errorf("%s has effect %s and exempts %q", s.Sid, s.Effect, exempt)
		}
		if keys := list(s.Condition["ForAnyValue:StringLike"]["aws:TagKeys"]); s.Sid == "TagsOfTheHub" && !slices.ContainsFunc(keys, func(key string) bool { return matches(key, contract.TagTeardown) && matches(key, contract.TagHost) }) {
			t.Errorf("%s is about the tags %q", s.Sid, keys)
		}
		for _, action := range list(s.Action) {
			protected[action] = slices.DeleteFunc(protected[action], func(arn string) bool {
				return slices.ContainsFunc(list(s.Resource), func(pattern string) bool { return matches(pattern, arn) })
			})
			for _, allowed := range templates(t).hub.allowing(action) {
				if !slices.Contains(exempt, "arn:aws:iam::*:role"+contract.RolePath(hub)+"*") {
					t.Errorf("%s denies %s, which %s needs", s.Sid, action, allowed.place)
				}
			}
		}
	}
	for action, arns := range protected {
		if len(arns) > 0 {
			t.Errorf("%s on %q is not denied", action, arns)
		}
	}
}

// matches reports whether an ARN matches a pattern with asterisks.
func matches(pattern, arn string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == arn
	}
	if !strings.HasPrefix(arn, parts[0]) || !strings.HasSuffix(arn, parts[len(parts)-1]) {
		return false
	}
	for _, part := range parts {
		_, rest, found := strings.Cut(arn, part)
		if !found {
			return false
		}
		arn = rest
	}
	return true
}
