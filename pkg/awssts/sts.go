// Package awssts enters other accounts.
package awssts

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Session is what CloudTrail in the team's account shows as our session name.
const Session = "originhub"

// Assume returns cfg with the credentials of a role, fetched when first needed and kept until they expire.
func Assume(cfg aws.Config, role, externalID string) aws.Config {
	assumed := cfg.Copy()
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = Session
		o.ExternalID = &externalID
	})
	assumed.Credentials = aws.NewCredentialsCache(provider)
	return assumed
}
