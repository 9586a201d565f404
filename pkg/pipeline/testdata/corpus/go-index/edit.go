package edit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
)

func edit(ctx context.Context, c *cloudfront.Client, id string) error {
	out, err := c.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if err != nil {
		return err
	}
	out.DistributionConfig.CacheBehaviors.Items[0].Compress = aws.Bool(true)
	_, err = c.UpdateDistribution(ctx, &cloudfront.UpdateDistributionInput{Id: &id, IfMatch: out.ETag, DistributionConfig: out.DistributionConfig})
	return err
}
