// Package awssts is the adapter of STS: it assumes roles of other accounts.
package awssts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/originhub/originhub/pkg/fault"
)

var codes = fault.Codes{}

// Assume returns cfg with the credentials of a session of a role. The credentials are fetched when they are first used and cached until they
// expire.
func Assume(cfg aws.Config, role, session, externalID string) aws.Config {
	assumed := cfg.Copy()
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = session
		o.ExternalID = &externalID
	})
	assumed.Credentials = aws.NewCredentialsCache(provider)
	return assumed
}

// Accepts reports whether a role lets the caller begin a session with an external id.
func Accepts(ctx context.Context, cfg aws.Config, role, session, externalID string) (bool, error) {
	_, err := sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &session, ExternalId: &externalID})
	if fault.Code(err) == "AccessDenied" {
		return false, nil
	}
	return err == nil, codes.Wrap(err, "assume %s", role)
}
