package cloudfront_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

func TestAssumption_CF_37_AliasesMoveWithinAnAccount(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	client := sdk.NewFromConfig(wiretest.Config(t, w.World, "cloudfront", hub, "us-east-1"))
	from := w.distribution(hub, config{reference: "from", aliases: []string{"a.example.com", "b.example.com"}})
	to := w.distribution(hub, config{reference: "to", aliases: []string{"to.example.com"}})
	bare := w.distribution(hub, config{reference: "bare"})
	aliases := func(id string, want ...string) {
		t.Helper()
		out, err := client.GetDistributionConfig(ctx, &sdk.GetDistributionConfigInput{Id: &id})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.DistributionConfig.Aliases.Items; !slices.Equal(got, want) {
			t.Errorf("%s has aliases %v, want %v", id, got, want)
		}
	}
	var details []map[string]any
	w.Emit = func(e cloud.Event) { details = append(details, e.Detail.(map[string]any)) }
	if _, err := client.AssociateAlias(ctx, &sdk.AssociateAliasInput{TargetDistributionId: &to, Alias: aws.String("a.example.com")}); err != nil {
		t.Fatal(err)
	}
	aliases(from, "b.example.com")
	aliases(to, "to.example.com", "a.example.com")

	etag, _ := w.get(hub, to)
	move := func(target string, ifMatch *string) (*sdk.UpdateDomainAssociationOutput, error) {
		return client.UpdateDomainAssociation(ctx, &sdk.UpdateDomainAssociationInput{
			Domain: aws.String("b.example.com"), TargetResource: &types.DistributionResourceId{DistributionId: &target}, IfMatch: ifMatch,
		})
	}
	if _, err := move(to, aws.String("E1234567890")); err == nil {
		t.Error("an outdated ETag was accepted")
	}
	out, err := move(to, &etag)
	if now, _ := w.get(hub, to); err != nil || aws.ToString(out.ETag) != now || aws.ToString(out.ResourceId) != to || aws.ToString(out.Domain) != "b.example.com" {
		t.Fatalf("%v %+v, want the ETag %s", err, out, now)
	}
	aliases(from)
	aliases(to, "to.example.com", "a.example.com", "b.example.com")

	_, err = call[cloudfront.Empty](w, hub, "AssociateAlias", &cloudfront.AssociateAliasInput{TargetDistributionID: bare, Alias: "a.example.com"})
	refused(t, err, 400, "InvalidViewerCertificate")
	aliases(to, "to.example.com", "a.example.com", "b.example.com")
	other := w.distribution(teamA, config{reference: "other", aliases: []string{"other.example.com"}})
	_, err = call[cloudfront.Empty](w, teamA, "AssociateAlias", &cloudfront.AssociateAliasInput{TargetDistributionID: other, Alias: "a.example.com"})
	refused(t, err, 400, "IllegalUpdate")

	var names []string
	for _, d := range details {
		names = append(names, d["eventName"].(string))
	}
	if !slices.Contains(names, "AssociateAlias") || !slices.Contains(names, "UpdateDomainAssociation") {
		t.Errorf("CloudTrail has %v", names)
	}
}

func TestCopyDistribution(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	client := sdk.NewFromConfig(wiretest.Config(t, w.World, "cloudfront", hub, "us-east-1"))
	o := w.origin(hub, "own")
	id := w.distribution(hub, config{aliases: []string{"a.example.com"}, origins: []string{vpcOriginElement("x", o.ID, "")}})
	etag, _ := w.get(hub, id)
	in := &sdk.CopyDistributionInput{PrimaryDistributionId: &id, CallerReference: aws.String("copy"), IfMatch: &etag, Enabled: aws.Bool(false)}
	if _, err := client.CopyDistribution(ctx, in); err == nil {
		t.Error("a copy that is no staging distribution was accepted")
	}
	in.Staging = aws.Bool(true)
	out, err := client.CopyDistribution(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	c := out.Distribution.DistributionConfig
	if !*c.Staging || *c.Enabled || len(c.Aliases.Items) > 0 || *c.CallerReference != "copy" || len(c.Origins.Items) != 2 {
		t.Errorf("the copy is %+v", c)
	}
	etag = "E1234567890"
	in.CallerReference = aws.String("again")
	if _, err := client.CopyDistribution(ctx, in); err == nil {
		t.Error("an outdated ETag was accepted")
	}
}
