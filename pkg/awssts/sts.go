// Package awssts is the adapter of STS: it assumes roles of other accounts.
package awssts

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Session is the session name of assumed roles, as CloudTrail in the team's account shows it.
const Session = "originhub"

// Assume returns cfg with the credentials of a role. The credentials are fetched when they are first used and cached until they
// expire.
func Assume(cfg aws.Config, role, externalID string) aws.Config {
	assumed := cfg.Copy()
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = Session
		o.ExternalID = &externalID
	})
	assumed.Credentials = aws.NewCredentialsCache(provider)
	return assumed
}
