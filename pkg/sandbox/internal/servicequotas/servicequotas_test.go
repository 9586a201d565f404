package servicequotas

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/front"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

const hub = "100000000000"

func start(t *testing.T, region string) (*Service, *client.Client) {
	w := cloud.New(cloud.Options{Seed: 1})
	w.Authorizer = iam.New(w)
	s := New()
	w.Register(s.API())
	door, err := front.New(front.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	return s, client.New(client.Options{
		Region: region, BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(hub, "s", ""),
	})
}

func values(t *testing.T, c *client.Client, page int32) map[string]float64 {
	t.Helper()
	got := map[string]float64{}
	pages := client.NewListServiceQuotasPaginator(c, &client.ListServiceQuotasInput{ServiceCode: aws.String("cloudfront"), MaxResults: &page})
	for pages.HasMorePages() {
		out, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range out.Quotas {
			got[aws.ToString(q.QuotaCode)] = aws.ToFloat64(q.Value)
			if !q.GlobalQuota || !q.Adjustable || q.QuotaAppliedAtLevel != types.AppliedLevelEnumAccount {
				t.Errorf("%+v", q)
			}
		}
	}
	return got
}

func TestTheRealClientReadsEveryPage(t *testing.T) {
	_, c := start(t, "us-east-1")
	for _, page := range []int32{1, 3, 4, 100} {
		got := values(t, c, page)
		if len(got) != 4 || got["L-B4048FB4"] != 100 || got["L-F432D044"] != 75 || got["L-AAD4943E"] != 100 || got["L-A53701DE"] != 25 {
			t.Errorf("in pages of %d: %v", page, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	_, c := start(t, "us-east-1")
	for code, in := range map[string]*client.ListServiceQuotasInput{
		"NoSuchResourceException":         {ServiceCode: aws.String("ec2")},
		"IllegalArgumentException":        {ServiceCode: aws.String("cloudfront"), MaxResults: aws.Int32(101)},
		"InvalidPaginationTokenException": {ServiceCode: aws.String("cloudfront"), NextToken: aws.String("x")},
	} {
		_, err := c.ListServiceQuotas(context.Background(), in)
		var api interface{ ErrorCode() string }
		if !errors.As(err, &api) || api.ErrorCode() != code {
			t.Errorf("want %s, got %v", code, err)
		}
	}
}

func TestAssumption_QUOTA_01_GlobalServicesAreInOneRegion(t *testing.T) {
	_, c := start(t, "eu-west-1")
	_, err := c.ListServiceQuotas(context.Background(), &client.ListServiceQuotasInput{ServiceCode: aws.String("cloudfront")})
	var missing *types.NoSuchResourceException
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

func TestAssumption_QUOTA_02_RaisedAtOnce(t *testing.T) {
	s, c := start(t, "us-east-1")
	if err := s.Set(hub, "L-F432D044", 150); err != nil {
		t.Fatal(err)
	}
	if err := s.Set("111111111111", "L-B4048FB4", 7); err != nil {
		t.Fatal(err)
	}
	if got := values(t, c, 100); got["L-F432D044"] != 150 || got["L-B4048FB4"] != 100 {
		t.Errorf("got %v", got)
	}
	if s.Value(hub, "L-F432D044") != 150 || s.Snapshot(hub)["applied"].(map[string]any)["L-F432D044"] != 150 {
		t.Error("the value is listed and not enforced")
	}
	if err := s.Set(hub, "L-0", 1); err == nil {
		t.Error("an unknown quota was set")
	}
}
