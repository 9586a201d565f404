package off

import "github.com/aws/aws-sdk-go/service/cloudfront"

func off(svc *cloudfront.CloudFront, id string) error {
	out, err := svc.GetDistributionConfig(&cloudfront.GetDistributionConfigInput{Id: &id})
	if err != nil {
		return err
	}
	config := out.DistributionConfig
	config.SetEnabled(false)
	_, err = svc.UpdateDistribution(&cloudfront.UpdateDistributionInput{Id: &id, IfMatch: out.ETag, DistributionConfig: config})
	return err
}
