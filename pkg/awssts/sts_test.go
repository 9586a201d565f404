package awssts_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/awssts"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
)

const roleTemplate = `{"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
  "RoleName": "spoke",
  "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::` + rig.Hub + `:root"},
    "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}]},
  "Policies": [{"PolicyName": "read", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "ram:GetResourceShares", "Resource": "*"}]}}]}}}}`

const role = "arn:aws:iam::" + rig.Team + ":role/spoke"

func TestRoleAcceptsItsExternalIDOnly(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	rig.Must[map[string]string](t)(s.Deploy(rig.Team, rig.Region, "spoke", []byte(roleTemplate), nil))
	for id, want := range map[string]bool{"secret": true, contract.CurrentExternalID("secret"): false} {
		if got, err := awssts.Accepts(ctx, s.Config(rig.Hub, rig.Region), role, contract.Session, id); got != want || err != nil {
			t.Errorf("%s: %t, %v, want %t", id, got, err, want)
		}
	}
}

func TestAssumedRoleActsInTheOtherAccount(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	rig.Must[map[string]string](t)(s.Deploy(rig.Team, rig.Region, "spoke", []byte(roleTemplate), nil))
	assumed := awssts.Assume(s.Config(rig.Hub, rig.Region), role, contract.Session, "secret")
	for range 2 {
		who := rig.Must[*sts.GetCallerIdentityOutput](t)(sts.NewFromConfig(assumed).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
		if want := "arn:aws:sts::" + rig.Team + ":assumed-role/spoke/" + contract.Session; aws.ToString(who.Arn) != want {
			t.Errorf("acts as %s, want %s", aws.ToString(who.Arn), want)
		}
	}
	if _, err := awsram.New(assumed).Shares(ctx); err != nil {
		t.Error(err)
	}
	_, err := awsram.New(assumed).Invitations(ctx)
	rig.Want[*fault.GiveUp](t, "what the role may not do", err)
	assumptions := 0
	for _, c := range s.Calls() {
		if c.Operation == "AssumeRole" {
			assumptions++
		}
	}
	if assumptions != 1 {
		t.Errorf("the role was assumed %d times", assumptions)
	}
	who := rig.Must[*sts.GetCallerIdentityOutput](t)(sts.NewFromConfig(s.Config(rig.Hub, rig.Region)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if aws.ToString(who.Account) != rig.Hub {
		t.Errorf("the hub acts in %s", aws.ToString(who.Account))
	}
}

// TestRoleThatCannotBeAssumed checks how adapters that use the credentials classify errors of AssumeRole, which the SDK passes
// on.
func TestRoleThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	rig.Must[map[string]string](t)(s.Deploy(rig.Team, rig.Region, "spoke", []byte(roleTemplate), nil))
	for what, c := range map[string]struct{ account, role, externalID string }{
		"wrong ExternalId": {rig.Hub, role, "guess"},
		"another account":  {rig.Peer, role, "secret"},
		"missing role":     {rig.Hub, role + "-none", "secret"},
		"no ARN":           {rig.Hub, "spoke", "secret"},
	} {
		_, err := awsram.New(awssts.Assume(s.Config(c.account, rig.Region), c.role, contract.Session, c.externalID)).Shares(ctx)
		rig.Want[*fault.GiveUp](t, what, err)
	}
	rig.Refuse(s, "AssumeRole", "Throttling", 400)
	_, err := awsram.New(awssts.Assume(s.Config(rig.Hub, rig.Region), role, contract.Session, "secret")).Shares(ctx)
	rig.Want[*fault.Retry](t, "throttled", err)
}
