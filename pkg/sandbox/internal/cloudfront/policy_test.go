package cloudfront_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/smithy-go"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

func client(w *world, account string) *sdk.Client {
	return sdk.NewFromConfig(wiretest.Config(w.T, w.World, "cloudfront", account, "us-east-1"))
}

// code returns the code of an API error, or "".
func code(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return ""
}

func cachePolicy(name string) *sdk.CreateCachePolicyInput {
	return &sdk.CreateCachePolicyInput{CachePolicyConfig: &types.CachePolicyConfig{
		Name: aws.String(name), MinTTL: aws.Int64(1),
		ParametersInCacheKeyAndForwardedToOrigin: &types.ParametersInCacheKeyAndForwardedToOrigin{
			EnableAcceptEncodingGzip: aws.Bool(true),
			HeadersConfig: &types.CachePolicyHeadersConfig{
				HeaderBehavior: types.CachePolicyHeaderBehaviorWhitelist,
				Headers:        &types.Headers{Quantity: aws.Int32(1), Items: []string{"X-Tenant"}},
			},
			CookiesConfig:      &types.CachePolicyCookiesConfig{CookieBehavior: types.CachePolicyCookieBehaviorNone},
			QueryStringsConfig: &types.CachePolicyQueryStringsConfig{QueryStringBehavior: types.CachePolicyQueryStringBehaviorAll},
		},
	}}
}

func originRequestPolicy(name string, behavior types.OriginRequestPolicyHeaderBehavior, headers ...string) *sdk.CreateOriginRequestPolicyInput {
	in := &sdk.CreateOriginRequestPolicyInput{OriginRequestPolicyConfig: &types.OriginRequestPolicyConfig{
		Name:               aws.String(name),
		HeadersConfig:      &types.OriginRequestPolicyHeadersConfig{HeaderBehavior: behavior},
		CookiesConfig:      &types.OriginRequestPolicyCookiesConfig{CookieBehavior: types.OriginRequestPolicyCookieBehaviorNone},
		QueryStringsConfig: &types.OriginRequestPolicyQueryStringsConfig{QueryStringBehavior: types.OriginRequestPolicyQueryStringBehaviorNone},
	}}
	if len(headers) > 0 {
		in.OriginRequestPolicyConfig.HeadersConfig.Headers = &types.Headers{Quantity: aws.Int32(int32(len(headers))), Items: headers}
	}
	return in
}

func responseHeadersPolicy(name string) *sdk.CreateResponseHeadersPolicyInput {
	return &sdk.CreateResponseHeadersPolicyInput{ResponseHeadersPolicyConfig: &types.ResponseHeadersPolicyConfig{
		Name: aws.String(name), Comment: aws.String("ours"),
		CustomHeadersConfig: &types.ResponseHeadersPolicyCustomHeadersConfig{Quantity: aws.Int32(1), Items: []types.ResponseHeadersPolicyCustomHeader{
			{Header: aws.String("X-Team"), Value: aws.String("a"), Override: aws.Bool(true)},
		}},
		ServerTimingHeadersConfig: &types.ResponseHeadersPolicyServerTimingHeadersConfig{Enabled: aws.Bool(true), SamplingRate: aws.Float64(12.5)},
	}}
}

// TestPolicies: an account creates policies of each kind, reads them as written and with their defaults, uses them in a
// distribution, and cannot delete them as long as it does.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	ctx, c := context.Background(), client(w, hub)
	cache, err := c.CreateCachePolicy(ctx, cachePolicy("cache"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := c.CreateOriginRequestPolicy(ctx, originRequestPolicy("request", types.OriginRequestPolicyHeaderBehaviorWhitelist, "Host"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.CreateResponseHeadersPolicy(ctx, responseHeadersPolicy("response"))
	if err != nil {
		t.Fatal(err)
	}

	gotCache, err := c.GetCachePolicy(ctx, &sdk.GetCachePolicyInput{Id: cache.CachePolicy.Id})
	if err != nil || *gotCache.ETag != *cache.ETag {
		t.Fatalf("%v %+v", err, gotCache)
	}
	if p := gotCache.CachePolicy.CachePolicyConfig; *p.Name != "cache" || *p.MinTTL != 1 || *p.DefaultTTL != 86400 || *p.MaxTTL != 31536000 ||
		p.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers.Items[0] != "X-Tenant" {
		t.Errorf("%+v", p)
	}
	gotRequest, err := c.GetOriginRequestPolicyConfig(ctx, &sdk.GetOriginRequestPolicyConfigInput{Id: request.OriginRequestPolicy.Id})
	if err != nil || gotRequest.OriginRequestPolicyConfig.HeadersConfig.Headers.Items[0] != "Host" || *gotRequest.ETag != *request.ETag {
		t.Errorf("%v %+v", err, gotRequest)
	}
	gotResponse, err := c.GetResponseHeadersPolicy(ctx, &sdk.GetResponseHeadersPolicyInput{Id: response.ResponseHeadersPolicy.Id})
	if err != nil || *gotResponse.ResponseHeadersPolicy.ResponseHeadersPolicyConfig.ServerTimingHeadersConfig.SamplingRate != 12.5 {
		t.Errorf("%v %+v", err, gotResponse)
	}

	lists, err := c.ListCachePolicies(ctx, &sdk.ListCachePoliciesInput{Type: types.CachePolicyTypeCustom})
	if err != nil || len(lists.CachePolicyList.Items) != 1 || *lists.CachePolicyList.Items[0].CachePolicy.Id != *cache.CachePolicy.Id ||
		lists.CachePolicyList.Items[0].Type != types.CachePolicyTypeCustom {
		t.Errorf("%v %+v", err, lists)
	}
	all, err := c.ListResponseHeadersPolicies(ctx, &sdk.ListResponseHeadersPoliciesInput{})
	if err != nil || len(all.ResponseHeadersPolicyList.Items) != 6 {
		t.Errorf("%v %+v", err, all)
	}

	behavior := "<CacheBehavior><PathPattern>/a</PathPattern><TargetOriginId>placeholder</TargetOriginId>" +
		"<ViewerProtocolPolicy>https-only</ViewerProtocolPolicy><CachePolicyId>" + *cache.CachePolicy.Id + "</CachePolicyId>" +
		"<OriginRequestPolicyId>" + *request.OriginRequestPolicy.Id + "</OriginRequestPolicyId>" +
		"<ResponseHeadersPolicyId>" + *response.ResponseHeadersPolicy.Id + "</ResponseHeadersPolicyId></CacheBehavior>"
	id := w.distribution(hub, config{behaviors: []string{behavior}})
	remove := func() [3]string {
		_, first := c.DeleteCachePolicy(ctx, &sdk.DeleteCachePolicyInput{Id: cache.CachePolicy.Id, IfMatch: cache.ETag})
		_, second := c.DeleteOriginRequestPolicy(ctx, &sdk.DeleteOriginRequestPolicyInput{Id: request.OriginRequestPolicy.Id, IfMatch: request.ETag})
		_, third := c.DeleteResponseHeadersPolicy(ctx, &sdk.DeleteResponseHeadersPolicyInput{Id: response.ResponseHeadersPolicy.Id, IfMatch: response.ETag})
		return [3]string{code(first), code(second), code(third)}
	}
	if got := remove(); got != [3]string{"CachePolicyInUse", "OriginRequestPolicyInUse", "ResponseHeadersPolicyInUse"} {
		t.Errorf("deletion of policies in use: %q", got)
	}
	if err := w.update(hub, id, config{}); err != nil {
		t.Fatal(err)
	}
	if got := remove(); got != [3]string{} {
		t.Errorf("deletion: %q", got)
	}
	refused(t, w.update(hub, id, config{behaviors: []string{behavior}}), 404, "NoSuchCachePolicy")
}

func TestPolicyRefusals(t *testing.T) {
	w := newWorld(t)
	ctx, c := context.Background(), client(w, hub)
	if _, err := c.CreateCachePolicy(ctx, cachePolicy("taken")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*types.CachePolicyConfig)
		code   string
	}{
		"name taken":           {func(p *types.CachePolicyConfig) { p.Name = aws.String("taken") }, "CachePolicyAlreadyExists"},
		"no name":              {func(p *types.CachePolicyConfig) { p.Name = aws.String("") }, "InvalidArgument"},
		"long comment":         {func(p *types.CachePolicyConfig) { p.Comment = aws.String(fmt.Sprintf("%0129d", 0)) }, "InvalidArgument"},
		"minimum over maximum": {func(p *types.CachePolicyConfig) { p.MaxTTL = aws.Int64(0) }, "InvalidArgument"},
		"quantity differs": {func(p *types.CachePolicyConfig) {
			p.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers.Quantity = aws.Int32(2)
		}, "InconsistentQuantities"},
		"list without a whitelist": {func(p *types.CachePolicyConfig) {
			p.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.HeaderBehavior = types.CachePolicyHeaderBehaviorNone
		}, "InvalidArgument"},
		"whitelist without a list": {func(p *types.CachePolicyConfig) {
			p.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers = nil
		}, "InvalidArgument"},
		"11 headers": {func(p *types.CachePolicyConfig) {
			p.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers = &types.Headers{
				Quantity: aws.Int32(11), Items: repeat(11, func(i int) string { return fmt.Sprintf("X-%d", i) }),
			}
		}, "TooManyHeadersInCachePolicy"},
	} {
		t.Run(name, func(t *testing.T) {
			in := cachePolicy("new")
			test.change(in.CachePolicyConfig)
			if _, err := c.CreateCachePolicy(ctx, in); code(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
	managed, err := c.GetCachePolicy(ctx, &sdk.GetCachePolicyInput{Id: aws.String(cachingDisabled)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.DeleteCachePolicy(ctx, &sdk.DeleteCachePolicyInput{Id: managed.CachePolicy.Id, IfMatch: managed.ETag})
	if code(err) != "IllegalDelete" {
		t.Errorf("deletion of a managed policy: %v", err)
	}
	for i := range 19 {
		if _, err := c.CreateCachePolicy(ctx, cachePolicy(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.CreateCachePolicy(ctx, cachePolicy("21st")); code(err) != "TooManyCachePolicies" {
		t.Errorf("the 21st policy: %v", err)
	}
	if _, err := c.CreateOriginRequestPolicy(ctx, originRequestPolicy("taken", types.OriginRequestPolicyHeaderBehaviorNone)); err != nil {
		t.Errorf("each kind has its own names and its own quota: %v", err)
	}
}

func TestAssumption_CF_32_PoliciesOfOtherAccounts(t *testing.T) {
	w := newWorld(t)
	made, err := client(w, teamA).CreateCachePolicy(context.Background(), cachePolicy("theirs"))
	if err != nil {
		t.Fatal(err)
	}
	theirs := *made.CachePolicy.Id
	if _, err := client(w, hub).GetCachePolicy(context.Background(), &sdk.GetCachePolicyInput{Id: &theirs}); code(err) != "NoSuchCachePolicy" {
		t.Errorf("read by another account: %v", err)
	}
	_, err = w.create(hub, config{behaviors: []string{
		"<CacheBehavior><PathPattern>/a</PathPattern><TargetOriginId>placeholder</TargetOriginId>" +
			"<ViewerProtocolPolicy>https-only</ViewerProtocolPolicy><CachePolicyId>" + theirs + "</CachePolicyId></CacheBehavior>",
	}})
	refused(t, err, 404, "NoSuchCachePolicy")
}

// TestAssumption_CF_33_ManagedPolicies reads every managed policy with AWS's client: each has all members that AWS requires.
func TestAssumption_CF_33_ManagedPolicies(t *testing.T) {
	w := newWorld(t)
	ctx, c := context.Background(), client(w, hub)
	caches, err := c.ListCachePolicies(ctx, &sdk.ListCachePoliciesInput{Type: types.CachePolicyTypeManaged})
	if err != nil || len(caches.CachePolicyList.Items) != 7 {
		t.Fatalf("%v %+v", err, caches)
	}
	for _, p := range caches.CachePolicyList.Items {
		config := p.CachePolicy.CachePolicyConfig
		key := config.ParametersInCacheKeyAndForwardedToOrigin
		if config.MinTTL == nil || config.DefaultTTL == nil || config.MaxTTL == nil || key.EnableAcceptEncodingGzip == nil ||
			key.HeadersConfig.HeaderBehavior == "" || key.CookiesConfig.CookieBehavior == "" || key.QueryStringsConfig.QueryStringBehavior == "" {
			t.Errorf("%s: %+v", *config.Name, config)
		}
	}
	requests, err := c.ListOriginRequestPolicies(ctx, &sdk.ListOriginRequestPoliciesInput{Type: types.OriginRequestPolicyTypeManaged})
	if err != nil || len(requests.OriginRequestPolicyList.Items) != 8 {
		t.Fatalf("%v %+v", err, requests)
	}
	for _, p := range requests.OriginRequestPolicyList.Items {
		config := p.OriginRequestPolicy.OriginRequestPolicyConfig
		if config.HeadersConfig.HeaderBehavior == "" || config.CookiesConfig.CookieBehavior == "" || config.QueryStringsConfig.QueryStringBehavior == "" {
			t.Errorf("%s: %+v", *config.Name, config)
		}
	}
	preflight, err := c.GetResponseHeadersPolicy(ctx, &sdk.GetResponseHeadersPolicyInput{Id: aws.String("eaab4381-ed33-4a86-88ca-d9558dc6cd63")})
	if err != nil {
		t.Fatal(err)
	}
	config := preflight.ResponseHeadersPolicy.ResponseHeadersPolicyConfig
	if len(config.CorsConfig.AccessControlAllowMethods.Items) != 7 || config.SecurityHeadersConfig.FrameOptions.FrameOption != types.FrameOptionsListSameorigin {
		t.Errorf("%+v", config)
	}
}

func TestForwardsHost(t *testing.T) {
	w := newWorld(t)
	ctx, c := context.Background(), client(w, hub)
	custom := func(behavior types.OriginRequestPolicyHeaderBehavior, headers ...string) string {
		made, err := c.CreateOriginRequestPolicy(ctx, originRequestPolicy(fmt.Sprint(behavior, headers), behavior, headers...))
		if err != nil {
			t.Fatal(err)
		}
		return *made.OriginRequestPolicy.Id
	}
	in := cachePolicy("host in the key")
	in.CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers.Items[0] = "HOST"
	key, err := c.CreateCachePolicy(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	none := custom("none")
	tests := []struct {
		name, cache, request string
		want                 bool
	}{
		{"no request policy", cachingDisabled, "", false},
		{"managed, all", cachingDisabled, allViewer, true},
		{"managed, all but Host", cachingDisabled, "b689b0a8-53d0-40ab-baf2-68738e2966ac", false},
		{"managed, all and more", cachingDisabled, "33f36d7e-f396-46d9-90e0-52428a34d9dc", true},
		{"managed, Host only", cachingDisabled, "bf0718e1-ba1e-49d1-88b1-f726733018ae", true},
		{"all", cachingDisabled, custom("allViewer"), true},
		{"whitelist with Host", cachingDisabled, custom("whitelist", "Accept", "Host"), true},
		{"whitelist without Host", cachingDisabled, custom("whitelist", "Accept"), false},
		{"all but Host", cachingDisabled, custom("allExcept", "host"), false},
		{"all but something else", cachingDisabled, custom("allExcept", "Accept"), true},
		{"none", cachingDisabled, none, false},
		{"none, and Host in the key", *key.CachePolicy.Id, none, true},
		{"Host in the managed policy", "83da9c7e-98b4-4e11-a168-04f0df8e2c65", "", true},
	}
	var behaviors []string
	for i, test := range tests {
		request := ""
		if test.request != "" {
			request = "<OriginRequestPolicyId>" + test.request + "</OriginRequestPolicyId>"
		}
		behaviors = append(behaviors, fmt.Sprintf("<CacheBehavior><PathPattern>/%d</PathPattern><TargetOriginId>placeholder</TargetOriginId>"+
			"<ViewerProtocolPolicy>https-only</ViewerProtocolPolicy><CachePolicyId>%s</CachePolicyId>%s</CacheBehavior>", i, test.cache, request))
	}
	w.distribution(hub, config{behaviors: behaviors})
	w.Clock.Advance(cloudfront.DistributionDeployment)
	w.Do(func() {
		served := w.cf.Served()[0]
		for i, b := range served.Config.Items("CacheBehaviors") {
			if got := w.cf.ForwardsHost(served.Account, b); got != tests[i].want {
				t.Errorf("%s: got %t", tests[i].name, got)
			}
		}
	})
}
