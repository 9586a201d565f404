package route53

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/front"
)

func TestTheRealClientUnderstands(t *testing.T) {
	w := newZone(t)
	door, err := front.New(front.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door)
	defer server.Close()
	c := client.New(client.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(hub, "s", ""),
	})
	ctx := context.Background()
	change := func(action types.ChangeAction) (*client.ChangeResourceRecordSetsOutput, error) {
		return c.ChangeResourceRecordSets(ctx, &client.ChangeResourceRecordSetsInput{
			HostedZoneId: aws.String("/hostedzone/Z0EXAMPLE"),
			ChangeBatch: &types.ChangeBatch{Comment: aws.String("c"), Changes: []types.Change{{Action: action, ResourceRecordSet: &types.ResourceRecordSet{
				Name: aws.String("*.example.com"), Type: types.RRTypeA,
				AliasTarget: &types.AliasTarget{DNSName: aws.String("d1.cloudfront.net"), HostedZoneId: aws.String(cloudFrontZone)},
			}}}},
		})
	}
	made, err := change(types.ChangeActionUpsert)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetChange(ctx, &client.GetChangeInput{Id: made.ChangeInfo.Id})
	if err != nil || got.ChangeInfo.Status != types.ChangeStatusPending || !got.ChangeInfo.SubmittedAt.Equal(w.Clock.Now()) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = change(types.ChangeActionCreate)
	var invalid *types.InvalidChangeBatch
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("got %v", err)
	}
	var names []string
	pages := client.NewListResourceRecordSetsPaginator(c, &client.ListResourceRecordSetsInput{HostedZoneId: aws.String("Z0EXAMPLE"), MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.ResourceRecordSets {
			names = append(names, aws.ToString(r.Name)+" "+string(r.Type))
		}
	}
	if strings.Join(names, ", ") != `example.com. NS, example.com. SOA, \052.example.com. A` {
		t.Errorf("got %q", names)
	}
	zones, err := c.ListHostedZonesByName(ctx, &client.ListHostedZonesByNameInput{DNSName: aws.String("example.com")})
	if err != nil || len(zones.HostedZones) != 1 || aws.ToString(zones.HostedZones[0].Id) != "/hostedzone/Z0EXAMPLE" {
		t.Errorf("got %+v, %v", zones, err)
	}
	zone, err := c.GetHostedZone(ctx, &client.GetHostedZoneInput{Id: aws.String("Z0EXAMPLE")})
	if err != nil || aws.ToInt64(zone.HostedZone.ResourceRecordSetCount) != 3 || len(zone.DelegationSet.NameServers) != 4 {
		t.Errorf("got %+v, %v", zone, err)
	}
}
