package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/ram"
)

// client.DeleteVpcOrigin is called below.
func drop(ctx context.Context, cf *cloudfront.Client, r *ram.Client, id, etag, share string) error {
	_, _ = r.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
	_, err := cf.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: &id, IfMatch: &etag})
	return err
}
