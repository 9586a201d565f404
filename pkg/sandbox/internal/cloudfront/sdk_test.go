package cloudfront_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

// The lists, the use of an origin and the life of a function, read by AWS's own client.
func TestSDK(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	client := sdk.NewFromConfig(wiretest.Config(t, w.World, "cloudfront", hub, "us-east-1"))
	owner := sdk.NewFromConfig(wiretest.Config(t, w.World, "cloudfront", teamA, "us-east-1"))

	first, second := w.origin(teamA, "a"), w.origin(teamA, "b")
	w.share(first.Arn, hub)
	w.share(second.Arn, hub)
	page, err := client.ListVpcOrigins(ctx, &sdk.ListVpcOriginsInput{MaxItems: aws.Int32(1)})
	if err != nil || !*page.VpcOriginList.IsTruncated || len(page.VpcOriginList.Items) != 1 {
		t.Fatalf("%v %+v", err, page)
	}
	rest, err := client.ListVpcOrigins(ctx, &sdk.ListVpcOriginsInput{Marker: page.VpcOriginList.NextMarker})
	if err != nil || *rest.VpcOriginList.IsTruncated || len(rest.VpcOriginList.Items) != 1 || *rest.VpcOriginList.Items[0].Id == *page.VpcOriginList.Items[0].Id {
		t.Fatalf("%v %+v", err, rest)
	}
	if o := rest.VpcOriginList.Items[0]; *o.AccountId != teamA || *o.Status != "Deployed" || *o.OriginEndpointArn == "" || o.CreatedTime == nil {
		t.Errorf("%+v", o)
	}

	fn, err := client.CreateFunction(ctx, &sdk.CreateFunctionInput{
		Name: aws.String("f"), FunctionCode: []byte("function handler(e) { return e.request }"),
		FunctionConfig: &types.FunctionConfig{Comment: aws.String("c"), Runtime: types.FunctionRuntimeCloudfrontJs20},
	})
	if err != nil {
		t.Fatal(err)
	}
	updated, err := client.UpdateFunction(ctx, &sdk.UpdateFunctionInput{
		Name: aws.String("f"), IfMatch: fn.ETag, FunctionCode: []byte("function handler() {}"), FunctionConfig: fn.FunctionSummary.FunctionConfig,
	})
	if err != nil {
		t.Fatal(err)
	}
	published, err := client.PublishFunction(ctx, &sdk.PublishFunctionInput{Name: aws.String("f"), IfMatch: updated.ETag})
	if err != nil || published.FunctionSummary.FunctionMetadata.Stage != types.FunctionStageLive {
		t.Fatalf("%v %+v", err, published)
	}
	live, err := client.GetFunction(ctx, &sdk.GetFunctionInput{Name: aws.String("f"), Stage: types.FunctionStageLive})
	if err != nil || string(live.FunctionCode) != "function handler() {}" {
		t.Errorf("%v %s", err, live.FunctionCode)
	}
	functions, err := client.ListFunctions(ctx, &sdk.ListFunctionsInput{Stage: types.FunctionStageLive})
	if err != nil || *functions.FunctionList.Quantity != 1 || *functions.FunctionList.Items[0].FunctionConfig.Comment != "c" {
		t.Errorf("%v %+v", err, functions)
	}

	id := w.distribution(hub, config{
		aliases: []string{"*.example.com"}, origins: []string{vpcOriginElement("a", first.ID, teamA)},
		functions: function("viewer-request", *published.FunctionSummary.FunctionMetadata.FunctionARN),
	})
	got, err := client.GetDistribution(ctx, &sdk.GetDistributionInput{Id: aws.String(id)})
	if err != nil || got.Distribution.DistributionConfig.Aliases.Items[0] != "*.example.com" ||
		*got.Distribution.DistributionConfig.Origins.Items[1].VpcOriginConfig.OwnerAccountId != teamA {
		t.Errorf("%v %+v", err, got)
	}
	byOrigin, err := client.ListDistributionsByVpcOriginId(ctx, &sdk.ListDistributionsByVpcOriginIdInput{VpcOriginId: aws.String(first.ID)})
	if err != nil || len(byOrigin.DistributionIdList.Items) != 1 || byOrigin.DistributionIdList.Items[0] != id {
		t.Errorf("%v %+v", err, byOrigin)
	}
	owned, err := owner.ListDistributionsByOwnedResource(ctx, &sdk.ListDistributionsByOwnedResourceInput{ResourceArn: aws.String(first.Arn)})
	if err != nil || len(owned.DistributionList.Items) != 1 || *owned.DistributionList.Items[0].OwnerAccountId != hub {
		t.Errorf("%v %+v", err, owned)
	}
	var busy *types.CannotDeleteEntityWhileInUse
	_, err = owner.DeleteVpcOrigin(ctx, &sdk.DeleteVpcOriginInput{Id: aws.String(first.ID), IfMatch: aws.String(w.getOrigin(teamA, first.ID).ETag)})
	if !errors.As(err, &busy) {
		t.Errorf("delete in use: %v", err)
	}
	_, err = owner.UpdateVpcOrigin(ctx, &sdk.UpdateVpcOriginInput{
		Id: aws.String(second.ID), IfMatch: aws.String(w.getOrigin(teamA, second.ID).ETag), VpcOriginEndpointConfig: &types.VpcOriginEndpointConfig{
			Name: aws.String("c"), Arn: aws.String(balancer(teamA, "b")), HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443),
			OriginProtocolPolicy: types.OriginProtocolPolicyHttpOnly,
			OriginSslProtocols:   &types.OriginSslProtocols{Quantity: aws.Int32(1), Items: []types.SslProtocol{types.SslProtocolTLSv12}},
		},
	})
	if err != nil {
		t.Error(err)
	}
	conflicts, err := client.ListConflictingAliases(ctx, &sdk.ListConflictingAliasesInput{DistributionId: aws.String(id), Alias: aws.String("a.example.com")})
	if err != nil || *conflicts.ConflictingAliasesList.Quantity != 0 {
		t.Errorf("%v %+v", err, conflicts)
	}
}

func TestSnapshot(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a", "team", "a")
	w.share(o.Arn, hub)
	id := w.distribution(hub, config{origins: []string{vpcOriginElement("a", o.ID, teamA)}, behaviors: []string{behavior("/a/*", "a", "")}})
	w.Do(func() {
		distributions := w.cf.Snapshot(hub)["distributions"].([]any)
		d := distributions[0].(map[string]any)
		if d["id"] != id || d["status"] != "InProgress" || d["pathPatterns"].([]string)[0] != "/a/*" {
			t.Errorf("%v", d)
		}
		v := w.cf.Snapshot(teamA)["vpcOrigins"].([]any)[0].(map[string]any)
		if v["id"] != o.ID || v["usedBy"].([]string)[0] != hub+"/"+id {
			t.Errorf("%v", v)
		}
	})
}
