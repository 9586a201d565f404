package awscloudfront

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/originhub/originhub/pkg/origin"
)

// Distributions returns the account's distributions.
func (c *Client) Distributions(ctx context.Context) ([]origin.Listed, error) {
	var list []origin.Listed
	pages := cloudfront.NewListDistributionsPaginator(c.api, &cloudfront.ListDistributionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list distributions")
		}
		for _, d := range page.DistributionList.Items {
			list = append(list, listed(d))
		}
	}
	return list, nil
}

// ConflictingAliases returns the aliases of other distributions, of any account, that overlap an alias. distribution is one of the account's
// own, with a certificate that covers the alias.
func (c *Client) ConflictingAliases(ctx context.Context, distribution, alias string) ([]origin.AliasHolder, error) {
	var holders []origin.AliasHolder
	in := &cloudfront.ListConflictingAliasesInput{DistributionId: &distribution, Alias: &alias}
	for {
		out, err := c.api.ListConflictingAliases(ctx, in)
		if err != nil {
			return nil, codes.Wrap(err, "list the aliases that overlap %s", alias)
		}
		for _, a := range out.ConflictingAliasesList.Items {
			holders = append(holders, origin.AliasHolder{Alias: aws.ToString(a.Alias), Distribution: aws.ToString(a.DistributionId), Account: aws.ToString(a.AccountId)})
		}
		if in.Marker = out.ConflictingAliasesList.NextMarker; aws.ToString(in.Marker) == "" {
			return holders, nil
		}
	}
}

func listed(d types.DistributionSummary) origin.Listed {
	l := origin.Listed{
		ID: aws.ToString(d.Id), Domain: aws.ToString(d.DomainName), Enabled: aws.ToBool(d.Enabled), IPv6: aws.ToBool(d.IsIPV6Enabled),
		Modified: aws.ToTime(d.LastModifiedTime), Groups: map[string][]string{},
	}
	if d.Aliases != nil {
		l.Aliases = d.Aliases.Items
	}
	if d.Origins != nil {
		for _, o := range d.Origins.Items {
			one := origin.ListedOrigin{ID: aws.ToString(o.Id), Domain: aws.ToString(o.DomainName)}
			if o.VpcOriginConfig != nil {
				one.VPCOrigin = aws.ToString(o.VpcOriginConfig.VpcOriginId)
			}
			l.Origins = append(l.Origins, one)
		}
	}
	if d.OriginGroups != nil {
		for _, g := range d.OriginGroups.Items {
			for _, m := range g.Members.Items {
				l.Groups[aws.ToString(g.Id)] = append(l.Groups[aws.ToString(g.Id)], aws.ToString(m.OriginId))
			}
		}
	}
	if d.CacheBehaviors != nil {
		for _, b := range d.CacheBehaviors.Items {
			l.Behaviors = append(l.Behaviors, origin.ListedBehavior{Path: aws.ToString(b.PathPattern), Target: aws.ToString(b.TargetOriginId)})
		}
	}
	return l
}
