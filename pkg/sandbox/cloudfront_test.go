package sandbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
)

func distributionConfig() *types.DistributionConfig {
	return &types.DistributionConfig{
		CallerReference: aws.String("originhub"), Comment: aws.String("a <comment> & more"), Enabled: aws.Bool(true),
		Origins: &types.Origins{Quantity: aws.Int32(1), Items: []types.Origin{{
			Id: aws.String("placeholder"), DomainName: aws.String("placeholder.example.com"),
			CustomOriginConfig: &types.CustomOriginConfig{
				HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443), OriginProtocolPolicy: types.OriginProtocolPolicyHttpsOnly,
			},
		}}},
		DefaultCacheBehavior: &types.DefaultCacheBehavior{
			TargetOriginId: aws.String("placeholder"), ViewerProtocolPolicy: types.ViewerProtocolPolicyRedirectToHttps,
			CachePolicyId: aws.String("4135ea2d-6df8-44a3-9df3-4b5a84be39ad"), // CachingDisabled
		},
	}
}

func TestDistributionsWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := cloudfront.NewFromConfig(s.Config(hub, "eu-west-1"))
	made := ok[*cloudfront.CreateDistributionOutput](t)(client.CreateDistribution(ctx, &cloudfront.CreateDistributionInput{
		DistributionConfig: distributionConfig(),
	}))
	id := made.Distribution.Id
	if got := aws.ToString(made.Distribution.DistributionConfig.Comment); got != "a <comment> & more" {
		t.Errorf("comment %q", got)
	}
	if got := aws.ToString(made.Distribution.Status); got != "InProgress" {
		t.Errorf("status %s", got)
	}
	s.UntilIdle()
	read := ok[*cloudfront.GetDistributionConfigOutput](t)(client.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: id}))
	if aws.ToString(read.ETag) != aws.ToString(made.ETag) {
		t.Errorf("ETag %s, after creation %s", aws.ToString(read.ETag), aws.ToString(made.ETag))
	}
	config := read.DistributionConfig
	config.Comment = aws.String("second")
	change := func(etag string) error {
		_, err := client.UpdateDistribution(ctx, &cloudfront.UpdateDistributionInput{Id: id, IfMatch: aws.String(etag), DistributionConfig: config})
		return err
	}
	if err := change(aws.ToString(read.ETag)); err != nil {
		t.Fatal(err)
	}
	var stale *types.PreconditionFailed
	if err := change(aws.ToString(read.ETag)); !errors.As(err, &stale) {
		t.Errorf("update with a stale ETag: %v", err)
	}
	got := ok[*cloudfront.GetDistributionOutput](t)(client.GetDistribution(ctx, &cloudfront.GetDistributionInput{Id: id})).Distribution
	if aws.ToString(got.Status) != "InProgress" || aws.ToString(got.DistributionConfig.Comment) != "second" {
		t.Errorf("after the update: %s %q", aws.ToString(got.Status), aws.ToString(got.DistributionConfig.Comment))
	}
	list := ok[*cloudfront.ListDistributionsOutput](t)(client.ListDistributions(ctx, &cloudfront.ListDistributionsInput{})).DistributionList
	if len(list.Items) != 1 || aws.ToString(list.Items[0].Id) != aws.ToString(id) {
		t.Errorf("list %+v", list)
	}
	var absent *types.NoSuchDistribution
	_, err := client.GetDistribution(ctx, &cloudfront.GetDistributionInput{Id: aws.String("ENONE")})
	if !errors.As(err, &absent) {
		t.Errorf("absent distribution: %v", err)
	}
}

func TestConcurrentEditsByRule(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := cloudfront.NewFromConfig(s.Config(hub, region))
	made := ok[*cloudfront.CreateDistributionOutput](t)(client.CreateDistribution(ctx, &cloudfront.CreateDistributionInput{
		DistributionConfig: distributionConfig(),
	}))
	if err := s.Faults().Add(Rule{Fault: "foreign-edit", Hook: "distribution-comment", Operation: "UpdateDistribution", Times: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := client.UpdateDistribution(ctx, &cloudfront.UpdateDistributionInput{
		Id: made.Distribution.Id, IfMatch: made.ETag, DistributionConfig: distributionConfig(),
	})
	if code(err) != "PreconditionFailed" {
		t.Errorf("update after a foreign edit: %v", err)
	}
	read := ok[*cloudfront.GetDistributionConfigOutput](t)(client.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: made.Distribution.Id}))
	if got := aws.ToString(read.DistributionConfig.Comment); got != "edited by hand, 1" {
		t.Errorf("comment %q", got)
	}
}

const balancer = "arn:aws:elasticloadbalancing:eu-west-1:" + team + ":loadbalancer/app/team-a/50dc6c495c0c9188"

func endpointConfig() *types.VpcOriginEndpointConfig {
	return &types.VpcOriginEndpointConfig{
		Name: aws.String("team-a"), Arn: aws.String(balancer), HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443),
		OriginProtocolPolicy: types.OriginProtocolPolicyHttpsOnly,
		OriginSslProtocols:   &types.OriginSslProtocols{Quantity: aws.Int32(1), Items: []types.SslProtocol{types.SslProtocolTLSv12}},
	}
}

func TestVpcOriginsWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := cloudfront.NewFromConfig(s.Config(team, region))
	made := ok[*cloudfront.CreateVpcOriginOutput](t)(client.CreateVpcOrigin(ctx, &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: endpointConfig(),
		Tags:                    &types.Tags{Items: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}},
	}))
	get := func() *cloudfront.GetVpcOriginOutput {
		return ok[*cloudfront.GetVpcOriginOutput](t)(client.GetVpcOrigin(ctx, &cloudfront.GetVpcOriginInput{Id: made.VpcOrigin.Id}))
	}
	if got := aws.ToString(get().VpcOrigin.Status); got != "Deploying" {
		t.Errorf("status %s", got)
	}
	s.Advance(10 * time.Minute)
	got := get()
	if aws.ToString(got.VpcOrigin.Status) != "Deployed" || aws.ToString(got.VpcOrigin.AccountId) != team ||
		aws.ToString(got.VpcOrigin.VpcOriginEndpointConfig.Arn) != balancer || got.VpcOrigin.CreatedTime.IsZero() {
		t.Errorf("origin %+v", got.VpcOrigin)
	}
	ok[*cloudfront.TagResourceOutput](t)(client.TagResource(ctx, &cloudfront.TagResourceInput{
		Resource: made.VpcOrigin.Arn, Tags: &types.Tags{Items: []types.Tag{{Key: aws.String("more"), Value: aws.String("b")}}},
	}))
	ok[*cloudfront.UntagResourceOutput](t)(client.UntagResource(ctx, &cloudfront.UntagResourceInput{
		Resource: made.VpcOrigin.Arn, TagKeys: &types.TagKeys{Items: []string{"team"}},
	}))
	tags := ok[*cloudfront.ListTagsForResourceOutput](t)(client.ListTagsForResource(ctx, &cloudfront.ListTagsForResourceInput{Resource: made.VpcOrigin.Arn})).Tags
	if len(tags.Items) != 1 || aws.ToString(tags.Items[0].Key) != "more" {
		t.Errorf("tags %+v", tags)
	}
	_, err := client.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: made.VpcOrigin.Id, IfMatch: aws.String("E2QWRUHAPOMQZL")})
	var stale *types.PreconditionFailed
	if !errors.As(err, &stale) {
		t.Errorf("delete with a stale ETag: %v", err)
	}
	ok[*cloudfront.DeleteVpcOriginOutput](t)(client.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: made.VpcOrigin.Id, IfMatch: get().ETag}))
	s.UntilIdle()
	var absent *types.EntityNotFound
	_, err = client.GetVpcOrigin(ctx, &cloudfront.GetVpcOriginInput{Id: made.VpcOrigin.Id})
	if !errors.As(err, &absent) {
		t.Errorf("deleted origin: %v", err)
	}
}
