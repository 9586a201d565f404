// Package awsquotas is the adapter of Service Quotas: it reads an account's CloudFront quotas.
package awsquotas

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

var codes = fault.Codes{
	"NoSuchResourceException":         fault.AsGiveUp,
	"IllegalArgumentException":        fault.AsGiveUp,
	"DependencyAccessDeniedException": fault.AsGiveUp,
}

// Client is a Service Quotas client of one account.
type Client struct{ api *servicequotas.Client }

// New returns a client. The client calls us-east-1, where the quotas of global services are.
func New(cfg aws.Config) *Client {
	return &Client{servicequotas.NewFromConfig(cfg, func(o *servicequotas.Options) { o.Region = "us-east-1" })}
}

// Distribution returns the quotas of one distribution. A quota without an applied value is zero, because not every quota is
// listed.
// https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
func (c *Client) Distribution(ctx context.Context) (origin.Size, error) {
	var size origin.Size
	kinds := map[string]*int{
		origin.QuotaOrigins: &size.Origins, origin.QuotaBehaviors: &size.Behaviors, origin.QuotaAliases: &size.Aliases,
	}
	pages := servicequotas.NewListServiceQuotasPaginator(c.api, &servicequotas.ListServiceQuotasInput{
		ServiceCode: aws.String("cloudfront"), MaxResults: aws.Int32(100),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return origin.Size{}, codes.Wrap(err, "list service quotas of cloudfront")
		}
		for _, q := range page.Quotas {
			if kind := kinds[aws.ToString(q.QuotaCode)]; kind != nil && q.ErrorReason == nil {
				*kind = int(aws.ToFloat64(q.Value))
			}
		}
	}
	return size, nil
}
