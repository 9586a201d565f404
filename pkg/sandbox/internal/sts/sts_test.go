package sts

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

const (
	hub    = "100000000000"
	team   = "111111111111"
	region = "us-east-1"
)

// world has a spoke role in the team's account that lets the hub in with an external id.
func world(t *testing.T) (*cloud.World, *iam.Service, string) {
	t.Helper()
	w := cloud.New(cloud.Options{Seed: 1})
	roles := iam.New(w)
	w.Authorizer = roles
	w.Register(New(w, roles).API())
	var arn string
	for _, rt := range roles.ResourceTypes() {
		if rt.Name != "AWS::IAM::Role" {
			continue
		}
		r, err := rt.Create(&cloud.ResourceRequest{World: w, Account: team, Region: region, Stack: "s", LogicalID: "Spoke", Properties: json.RawMessage(`{
			"RoleName": "spoke", "MaxSessionDuration": "7200",
			"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
				"Principal": {"AWS": "arn:aws:iam::100000000000:root"}, "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}]}}`)})
		if err != nil {
			t.Fatal(err)
		}
		arn = r.Attributes["Arn"]
	}
	return w, roles, arn
}

func TestAssumeRole(t *testing.T) {
	w, roles, arn := world(t)
	out, err := w.Invoke(cloud.Root(hub), region, "sts", "AssumeRole", &AssumeRoleInput{RoleArn: arn, RoleSessionName: "admit", ExternalID: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	got := out.(*AssumeRoleOutput)
	if got.AssumedRoleUser.Arn != "arn:aws:sts::111111111111:assumed-role/spoke/admit" {
		t.Errorf("session is %s", got.AssumedRoleUser.Arn)
	}
	if want := w.Clock.Now().Add(time.Hour); !got.Credentials.Expiration.Equal(want) {
		t.Errorf("expires %s, want %s", got.Credentials.Expiration, want)
	}
	p, ok := roles.Credentials(got.Credentials.AccessKeyID)
	if !ok || p.Account != team || p.RoleARN != arn {
		t.Fatalf("the keys belong to %+v", p)
	}
	out, err = w.Invoke(p, region, "sts", "GetCallerIdentity", &GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if id := out.(*GetCallerIdentityOutput); id.Account != team || id.Arn != p.ARN || id.UserID != got.AssumedRoleUser.AssumedRoleID {
		t.Errorf("the caller is %+v", id)
	}
}

func TestAssumeRoleRefusals(t *testing.T) {
	w, _, arn := world(t)
	long, short := 7201, 899
	for name, tc := range map[string]struct {
		caller string
		in     AssumeRoleInput
		code   string
	}{
		"wrong external id":  {hub, AssumeRoleInput{RoleArn: arn, RoleSessionName: "admit", ExternalID: "guess"}, "AccessDenied"},
		"no external id":     {hub, AssumeRoleInput{RoleArn: arn, RoleSessionName: "admit"}, "AccessDenied"},
		"another account":    {"999999999999", AssumeRoleInput{RoleArn: arn, RoleSessionName: "admit", ExternalID: "secret"}, "AccessDenied"},
		"no such role":       {hub, AssumeRoleInput{RoleArn: arn + "x", RoleSessionName: "admit", ExternalID: "secret"}, "AccessDenied"},
		"not a role":         {hub, AssumeRoleInput{RoleArn: "spoke", RoleSessionName: "admit"}, "ValidationError"},
		"bad session name":   {hub, AssumeRoleInput{RoleArn: arn, RoleSessionName: "a b", ExternalID: "secret"}, "ValidationError"},
		"longer than role's": {hub, AssumeRoleInput{RoleArn: arn, RoleSessionName: "admit", ExternalID: "secret", DurationSeconds: &long}, "ValidationError"},
		"too short":          {hub, AssumeRoleInput{RoleArn: arn, RoleSessionName: "admit", ExternalID: "secret", DurationSeconds: &short}, "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Invoke(cloud.Root(tc.caller), region, "sts", "AssumeRole", &tc.in)
			if err == nil || !strings.HasPrefix(err.Error(), tc.code+":") {
				t.Errorf("got %v, want %s", err, tc.code)
			}
		})
	}
}
