package awscloudfront

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// Function returns the published code of a function. It returns a *fault.Absent if the function is not published.
func (c *Client) Function(ctx context.Context, name string) (origin.Function, error) {
	out, err := c.api.GetFunction(ctx, &cloudfront.GetFunctionInput{Name: &name, Stage: types.FunctionStageLive})
	if err != nil {
		return origin.Function{}, codes.Wrap(err, "read function %s", name)
	}
	return origin.Function{Name: name, Code: string(out.FunctionCode)}, nil
}

// EnsureFunction creates and publishes a CloudFront function unless it exists, and returns its ARN. An existing function keeps
// its code; different code needs a different name.
func (c *Client) EnsureFunction(ctx context.Context, name, comment, code string) (string, error) {
	live, err := c.api.DescribeFunction(ctx, &cloudfront.DescribeFunctionInput{Name: &name, Stage: types.FunctionStageLive})
	if err == nil {
		return aws.ToString(live.FunctionSummary.FunctionMetadata.FunctionARN), nil
	}
	var missing *types.NoSuchFunctionExists
	if !errors.As(err, &missing) {
		return "", codes.Wrap(err, "read function %s", name)
	}
	_, err = c.api.CreateFunction(ctx, &cloudfront.CreateFunctionInput{
		Name: &name, FunctionCode: []byte(code),
		FunctionConfig: &types.FunctionConfig{Comment: &comment, Runtime: types.FunctionRuntimeCloudfrontJs20},
	})
	if err := fault.IgnoreExists(codes.Wrap(err, "create function %s", name)); err != nil {
		return "", err
	}
	draft, err := c.api.DescribeFunction(ctx, &cloudfront.DescribeFunctionInput{Name: &name})
	if err != nil {
		return "", codes.Wrap(err, "read function %s", name)
	}
	if _, err := c.api.PublishFunction(ctx, &cloudfront.PublishFunctionInput{Name: &name, IfMatch: draft.ETag}); err != nil {
		return "", codes.Wrap(err, "publish function %s", name)
	}
	return aws.ToString(draft.FunctionSummary.FunctionMetadata.FunctionARN), nil
}

// RestoreFunction publishes code in an existing function unless this code is published already.
func (c *Client) RestoreFunction(ctx context.Context, name, comment, code string) error {
	live, err := c.Function(ctx, name)
	if err != nil || live.Code == code {
		return err
	}
	draft, err := c.api.DescribeFunction(ctx, &cloudfront.DescribeFunctionInput{Name: &name})
	if err != nil {
		return codes.Wrap(err, "read function %s", name)
	}
	updated, err := c.api.UpdateFunction(ctx, &cloudfront.UpdateFunctionInput{
		Name: &name, IfMatch: draft.ETag, FunctionCode: []byte(code),
		FunctionConfig: &types.FunctionConfig{Comment: &comment, Runtime: types.FunctionRuntimeCloudfrontJs20},
	})
	if err != nil {
		return codes.Wrap(err, "update function %s", name)
	}
	_, err = c.api.PublishFunction(ctx, &cloudfront.PublishFunctionInput{Name: &name, IfMatch: updated.ETag})
	return codes.Wrap(err, "publish function %s", name)
}
