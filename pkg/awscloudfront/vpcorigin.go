package awscloudfront

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

const deployed = "Deployed"

// otherStatus returns a status that is neither Deploying nor Deployed, or "".
func otherStatus(status *string) string {
	if s := aws.ToString(status); s != deployed && s != "Deploying" {
		return s
	}
	return ""
}

// VpcOrigins returns the account's own VPC origins and those shared with it, without ETags.
func (c *Client) VpcOrigins(ctx context.Context) ([]origin.VpcOrigin, error) {
	var list []origin.VpcOrigin
	in := &cloudfront.ListVpcOriginsInput{}
	for {
		page, err := c.api.ListVpcOrigins(ctx, in)
		if err != nil {
			return nil, codes.Wrap(err, "list VPC origins")
		}
		for _, o := range page.VpcOriginList.Items {
			list = append(list, origin.VpcOrigin{
				Ref:      origin.Ref{ID: aws.ToString(o.Id), ARN: aws.ToString(o.Arn), Account: aws.ToString(o.AccountId)},
				Deployed: aws.ToString(o.Status) == deployed, OtherStatus: otherStatus(o.Status),
				Endpoint: aws.ToString(o.OriginEndpointArn),
				Created:  aws.ToTime(o.CreatedTime),
				Modified: aws.ToTime(o.LastModifiedTime),
			})
		}
		if !aws.ToBool(page.VpcOriginList.IsTruncated) {
			return list, nil
		}
		in.Marker = page.VpcOriginList.NextMarker
	}
}

// VpcOrigin returns a VPC origin. It returns a *fault.Absent if the VPC origin does not exist or is not shared with this account.
func (c *Client) VpcOrigin(ctx context.Context, id string) (origin.VpcOrigin, error) {
	out, err := c.api.GetVpcOrigin(ctx, &cloudfront.GetVpcOriginInput{Id: &id})
	if err != nil {
		return origin.VpcOrigin{}, codes.Wrap(err, "read VPC origin %s", id)
	}
	o := out.VpcOrigin
	seen := origin.VpcOrigin{
		Ref:      origin.Ref{ID: aws.ToString(o.Id), ARN: aws.ToString(o.Arn), Account: aws.ToString(o.AccountId)},
		Deployed: aws.ToString(o.Status) == deployed, OtherStatus: otherStatus(o.Status),
		ETag:     aws.ToString(out.ETag),
		Created:  aws.ToTime(o.CreatedTime),
		Modified: aws.ToTime(o.LastModifiedTime),
	}
	if o.VpcOriginEndpointConfig != nil {
		seen.Endpoint = aws.ToString(o.VpcOriginEndpointConfig.Arn)
	}
	return seen, nil
}

// DeleteVpcOrigin starts the deletion of a VPC origin. When the deletion has ended, VpcOrigin returns a *fault.Absent.
// DeleteVpcOrigin returns nil if the VPC origin does not exist, a *fault.Reread for a stale etag, and a *fault.Retry for a VPC
// origin that is in use.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteVpcOrigin.html
func (c *Client) DeleteVpcOrigin(ctx context.Context, id, etag string) error {
	_, err := c.api.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: &id, IfMatch: &etag}) // originhub:ignore[vpc-origin-deleted] the hub itself, in a teardown
	return fault.IgnoreAbsent(codes.Wrap(err, "delete VPC origin %s", id))
}

// Tags returns a VPC origin's tags. Only its owner can read them. It returns a *fault.Absent if the VPC origin does not exist.
func (c *Client) Tags(ctx context.Context, arn string) (map[string]string, error) {
	out, err := c.api.ListTagsForResource(ctx, &cloudfront.ListTagsForResourceInput{Resource: &arn})
	if err != nil {
		return nil, codes.Wrap(err, "read tags of %s", arn)
	}
	tags := map[string]string{}
	for _, t := range out.Tags.Items {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// UsersOf returns the distributions, of all accounts, that use one of the caller's VPC origins. It returns a *fault.Absent if the
// VPC origin does not exist.
func (c *Client) UsersOf(ctx context.Context, arn string) ([]origin.User, error) {
	var users []origin.User
	in := &cloudfront.ListDistributionsByOwnedResourceInput{ResourceArn: &arn}
	for {
		out, err := c.api.ListDistributionsByOwnedResource(ctx, in)
		if err != nil {
			return nil, codes.Wrap(err, "list the distributions that use %s", arn)
		}
		for _, d := range out.DistributionList.Items {
			users = append(users, origin.User{
				Distribution: aws.ToString(d.DistributionId), Account: aws.ToString(d.OwnerAccountId),
			})
		}
		if !aws.ToBool(out.DistributionList.IsTruncated) {
			return users, nil
		}
		in.Marker = out.DistributionList.NextMarker
	}
}
