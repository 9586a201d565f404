// Package awssts is the adapter of STS: it assumes roles of other accounts.
package awssts

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

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
