package awscloudfront_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

const (
	newer   = `<NewThing a="1"><Deep> x &lt; y </Deep></NewThing>` // a field that the SDK does not know
	missing = "vo_AAAAAAAAAAAAAAAAAAAAAA"
	oldETag = "E2QWRUHAPOMQZL"
)

// document returns a configuration that no marshaller would write: it has its own comments, blanks, order and entities. Each of
// more is added beside the origin that is always there.
func document(reference, comment string, more ...string) []byte {
	return []byte(`<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">` + `
  <Comment>` + comment + `</Comment><!-- kept -->
  <CallerReference>` + reference + `</CallerReference>
  <Origins><Items>
    <Origin><DomainName>a.example.com</DomainName><Id>&#97;</Id><OriginPath></OriginPath>` + newer + `
      <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>
        <OriginProtocolPolicy>https-only</OriginProtocolPolicy></CustomOriginConfig></Origin>` + strings.Join(more, "") + `
  </Items><Quantity>` + string(rune('1'+len(more))) + `</Quantity></Origins>
  <DefaultCacheBehavior><TargetOriginId>a</TargetOriginId><ViewerProtocolPolicy>https-only</ViewerProtocolPolicy>
    <CachePolicyId>4135ea2d-6df8-44a3-9df3-4b5a84be39ad</CachePolicyId></DefaultCacheBehavior>
  <Enabled>true</Enabled>
</DistributionConfig>`)
}

// using returns an origin of a distribution that points to a VPC origin.
func using(o origin.Ref) string {
	return `<Origin><Id>` + o.ID + `</Id><DomainName>team.internal</DomainName><VpcOriginConfig><VpcOriginId>` + o.ID +
		`</VpcOriginId><OwnerAccountId>` + o.Account + `</OwnerAccountId></VpcOriginConfig></Origin>`
}

func start(t *testing.T) (ctx context.Context, s *sandbox.Sandbox, hub, peer *awscloudfront.Client) {
	t.Helper()
	ctx, s = rig.Start(t, func(o *sandbox.Options) { o.FutureFields = []string{"Origins/Items/Origin/NewThing"} })
	return ctx, s, awscloudfront.New(s.Config(rig.Hub, "eu-west-1")), awscloudfront.New(s.Config(rig.Peer, "eu-west-1"))
}

// share creates a VPC origin in the peer's account, which does not deploy before time passes, and shares it with the hub.
func share(ctx context.Context, t *testing.T, s *sandbox.Sandbox, tags map[string]string) origin.Ref {
	t.Helper()
	in := &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: &types.VpcOriginEndpointConfig{
		Name: aws.String("peer"), Arn: aws.String(balancer), HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443),
		OriginProtocolPolicy: types.OriginProtocolPolicyHttpsOnly,
	}}
	if tags != nil {
		in.Tags = &types.Tags{}
	}
	for k, v := range tags {
		in.Tags.Items = append(in.Tags.Items, types.Tag{Key: &k, Value: &v})
	}
	o := rig.Must[*cloudfront.CreateVpcOriginOutput](t)(
		cloudfront.NewFromConfig(s.Config(rig.Peer, rig.Region)).CreateVpcOrigin(ctx, in)).VpcOrigin
	rig.Must[*ram.CreateResourceShareOutput](t)(ram.NewFromConfig(s.Config(rig.Peer, rig.Region)).CreateResourceShare(ctx,
		&ram.CreateResourceShareInput{Name: aws.String("peer"), Principals: []string{rig.Hub}, ResourceArns: []string{*o.Arn}}))
	return origin.Ref{ID: *o.Id, ARN: *o.Arn, Account: rig.Peer}
}

const balancer = "arn:aws:elasticloadbalancing:eu-west-1:" + rig.Peer + ":loadbalancer/app/peer/50dc6c495c0c9188"

func TestDistributionIsTheVeryDocumentThatWasWritten(t *testing.T) {
	t.Parallel()
	ctx, s, hub, _ := start(t)
	made := rig.Must[origin.Served](t)(hub.Create(ctx, document("ref", "one &amp; only")))
	first := made.Config // CloudFront has filled in the defaults
	if !strings.Contains(string(first), newer) || made.Deployed || !strings.HasSuffix(made.Domain, ".cloudfront.net") {
		t.Errorf("made %+v\n%s", made, made.Config)
	}
	s.UntilIdle()
	read := rig.Must[origin.Served](t)(hub.Distribution(ctx, made.ID))
	if string(read.Config) != string(first) || !read.Deployed || read.ETag != made.ETag || read.Domain != made.Domain || read.ID != made.ID {
		t.Errorf("read %+v\n%s", read, read.Config)
	}
	second := []byte(strings.Replace(string(first), "one &amp; only", "another", 1))
	etag := rig.Must[string](t)(hub.Update(ctx, read.ID, read.ETag, second))
	again := rig.Must[origin.Served](t)(hub.Distribution(ctx, made.ID))
	if string(again.Config) != string(second) || again.Deployed || again.ETag != etag || etag == read.ETag {
		t.Errorf("read after the update: %+v\n%s", again, again.Config)
	}
	if !strings.Contains(string(again.Config), newer) {
		t.Error("a field that the SDK does not know was lost")
	}
}

// errorOf returns the error of an update.
func errorOf(_ string, err error) error { return err }

func TestUpdateSaysWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s, hub, _ := start(t)
	made := rig.Must[origin.Served](t)(hub.Create(ctx, document("ref", "first")))
	next := document("ref", "next")
	but := func(from, to string) []byte { return []byte(strings.Replace(string(next), from, to, 1)) }

	rig.Want[*fault.Reread](t, "stale ETag", errorOf(hub.Update(ctx, made.ID, oldETag, next)))
	rig.Want[*fault.Reread](t, "no ETag of CloudFront's", errorOf(hub.Update(ctx, made.ID, "x", next)))
	rig.Want[*fault.Reread](t, "missing distribution", errorOf(hub.Update(ctx, "ENONE", made.ETag, next)))
	for what, document := range map[string][]byte{
		"unknown VPC origin":       document("ref", "next", using(origin.Ref{ID: missing, Account: rig.Peer})),
		"wrong quantity":           but("<Quantity>1<", "<Quantity>2<"),
		"missing origin":           but("<TargetOriginId>a<", "<TargetOriginId>b<"),
		"unknown policy":           but("4135ea2d", "00000000"),
		"member of no such value":  but("https-only", "never"),
		"member that must be":      but("<Enabled>true</Enabled>", ""),
		"member that nobody knows": but("<Enabled>", "<Unheard/><Enabled>"),
		"no XML":                   []byte("<DistributionConfig>"),
		"other reference":          document("other", "next"),
		"empty":                    nil,
	} {
		rig.Want[*fault.GiveUp](t, what, errorOf(hub.Update(ctx, made.ID, made.ETag, document)))
	}
	for _, c := range []struct {
		code   string
		status int
		want   func(*testing.T, string, error)
	}{
		{"Throttling", 400, rig.Want[*fault.Retry]},
		{"ExpiredToken", 403, rig.Want[*fault.Retry]},
		{"ServiceUnavailable", 503, rig.Want[*fault.Retry]},
		{"AccessDenied", 403, rig.Want[*fault.GiveUp]},
		// The VPC origin is in as many distributions as possible, so no later attempt succeeds.
		{"EntityLimitExceeded", 400, rig.Want[*fault.GiveUp]},
		{"CNAMEAlreadyExists", 409, rig.Want[*fault.GiveUp]},
		{"TooManyOrigins", 400, rig.Want[*fault.GiveUp]},
		{"TooManyDistributionsAssociatedToCachePolicy", 400, rig.Want[*fault.GiveUp]},
		{"TooManyDistributionsWithSingleFunctionARN", 400, rig.Want[*fault.GiveUp]},
		{"InvalidOriginReadTimeout", 400, rig.Want[*fault.GiveUp]},
	} {
		s.Faults().Reset()
		rig.Refuse(s, "UpdateDistribution", c.code, c.status)
		c.want(t, c.code, errorOf(hub.Update(ctx, made.ID, made.ETag, next)))
	}
	s.Faults().Reset()

	after := rig.Must[origin.Served](t)(hub.Distribution(ctx, made.ID))
	if string(after.Config) != string(made.Config) || after.ETag != made.ETag {
		t.Errorf("a refused update left %s", after.Config)
	}
	_, err := hub.Distribution(ctx, "ENONE")
	rig.Want[*fault.Absent](t, "read a missing distribution", err)
}

func TestCreateTwiceIsDoneAndFindFinds(t *testing.T) {
	t.Parallel()
	ctx, s, hub, peer := start(t)
	other := rig.Must[origin.Served](t)(hub.Create(ctx, document("other", "same")))
	made := rig.Must[origin.Served](t)(hub.Create(ctx, document("ref", "same")))
	_, err := hub.Create(ctx, document("ref", "same"))
	rig.Want[*fault.Exists](t, "create twice", err)
	for _, c := range []struct {
		client                   *awscloudfront.Client
		reference, comment, want string
	}{
		{hub, "ref", "same", made.ID},
		{hub, "other", "same", other.ID},
		{hub, "ref", "changed", made.ID}, // the comment only decides which distribution is read first
		{hub, "none", "same", ""},
		{peer, "ref", "same", ""},
	} {
		if got := rig.Must[string](t)(c.client.Find(ctx, c.reference, c.comment)); got != c.want {
			t.Errorf("Find(%s, %s) = %q, want %q", c.reference, c.comment, got, c.want)
		}
	}
	for what, config := range map[string][]byte{
		"no XML":             []byte("<"),
		"unknown policy":     []byte(strings.Replace(string(document("new", "")), "4135ea2d", "00000000", 1)),
		"unknown VPC origin": document("new", "", using(origin.Ref{ID: missing, Account: rig.Peer})),
	} {
		_, err := hub.Create(ctx, config)
		rig.Want[*fault.GiveUp](t, "create from "+what, err)
	}
	for _, code := range []string{"InvalidViewerCertificate", "CNAMEAlreadyExists", "TooManyDistributions"} {
		s.Faults().Reset()
		rig.Refuse(s, "CreateDistribution", code, 400)
		_, err := hub.Create(ctx, document("new", ""))
		rig.Want[*fault.GiveUp](t, code, err)
	}
}

func TestVpcOriginIsSeenByThoseItIsSharedWith(t *testing.T) {
	t.Parallel()
	ctx, s, hub, peer := start(t)
	o := share(ctx, t, s, nil)
	want := origin.VpcOrigin{Ref: o, Endpoint: balancer, Created: s.Now().Truncate(time.Second), Modified: s.Now().Truncate(time.Second)}
	if got := rig.Must[[]origin.VpcOrigin](t)(peer.VpcOrigins(ctx)); !slices.Equal(got, []origin.VpcOrigin{want}) {
		t.Errorf("while it deploys: %+v", got)
	}
	s.UntilIdle()
	want.Deployed = true
	for name, c := range map[string]*awscloudfront.Client{"owner": peer, "hub": hub} {
		if got := rig.Must[[]origin.VpcOrigin](t)(c.VpcOrigins(ctx)); !slices.Equal(got, []origin.VpcOrigin{want}) {
			t.Errorf("%s lists %+v", name, got)
		}
		got := rig.Must[origin.VpcOrigin](t)(c.VpcOrigin(ctx, o.ID))
		if got.ETag == "" {
			t.Errorf("%s reads no ETag", name)
		}
		if got.ETag = ""; got != want {
			t.Errorf("%s reads %+v", name, got)
		}
		_, err := c.VpcOrigin(ctx, missing)
		rig.Want[*fault.Absent](t, name+" reads a missing one", err)
	}
	if got := rig.Must[[]origin.VpcOrigin](t)(awscloudfront.New(s.Config(rig.Team, rig.Region)).VpcOrigins(ctx)); len(got) != 0 {
		t.Errorf("a third account lists %+v", got)
	}
}

func TestDistributionsAreListedWithTheirOriginsAndBehaviors(t *testing.T) {
	t.Parallel()
	ctx, s, hub, _ := start(t)
	o := share(ctx, t, s, nil)
	s.UntilIdle()
	text := string(document("ref", "one", using(o)))
	text = strings.Replace(text, "</DistributionConfig>", `<CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior>
		<PathPattern>/team/*</PathPattern><TargetOriginId>g</TargetOriginId><ViewerProtocolPolicy>https-only</ViewerProtocolPolicy>
		<CachePolicyId>4135ea2d-6df8-44a3-9df3-4b5a84be39ad</CachePolicyId></CacheBehavior></Items></CacheBehaviors>
		<OriginGroups><Quantity>1</Quantity><Items><OriginGroup><Id>g</Id>
		<FailoverCriteria><StatusCodes><Quantity>1</Quantity><Items><StatusCode>502</StatusCode></Items></StatusCodes></FailoverCriteria>
		<Members><Quantity>2</Quantity><Items><OriginGroupMember><OriginId>`+o.ID+`</OriginId></OriginGroupMember>
		<OriginGroupMember><OriginId>a</OriginId></OriginGroupMember></Items></Members></OriginGroup></Items></OriginGroups></DistributionConfig>`, 1)
	made := rig.Must[origin.Served](t)(hub.Create(ctx, []byte(text)))
	want := []origin.Listed{{
		ID: made.ID, Domain: made.Domain, Enabled: true, Modified: s.Now().Truncate(time.Second),
		Origins: []origin.ListedOrigin{{ID: "a", Domain: "a.example.com"}, {ID: o.ID, VPCOrigin: o.ID, Domain: "team.internal"}},
		Groups:  map[string][]string{"g": {o.ID, "a"}}, Behaviors: []origin.ListedBehavior{{Path: "/team/*", Target: "g"}},
	}}
	if got := rig.Must[[]origin.Listed](t)(hub.Distributions(ctx)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	rig.Refuse(s, "ListDistributions", "AccessDenied", 403)
	_, err := hub.Distributions(ctx)
	rig.Want[*fault.GiveUp](t, "denied", err)
}

func TestDeleteVpcOriginSaysWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s, hub, peer := start(t)
	o := share(ctx, t, s, nil)
	etag := rig.Must[origin.VpcOrigin](t)(peer.VpcOrigin(ctx, o.ID)).ETag
	rig.Want[*fault.Retry](t, "still deploying", peer.DeleteVpcOrigin(ctx, o.ID, etag))
	s.UntilIdle()
	rig.Want[*fault.Reread](t, "stale ETag", peer.DeleteVpcOrigin(ctx, o.ID, oldETag))
	rig.OK(t, peer.DeleteVpcOrigin(ctx, missing, etag))
	rig.Want[*fault.GiveUp](t, "another account's", hub.DeleteVpcOrigin(ctx, o.ID, etag))
	made := rig.Must[origin.Served](t)(hub.Create(ctx, document("ref", "", using(o))))
	rig.Want[*fault.Retry](t, "in use", peer.DeleteVpcOrigin(ctx, o.ID, etag))
	rig.Must[string](t)(hub.Update(ctx, made.ID, made.ETag, document("ref", "")))
	rig.Want[*fault.Retry](t, "on its way out of the edges", peer.DeleteVpcOrigin(ctx, o.ID, etag))
	s.UntilIdle()
	rig.OK(t, peer.DeleteVpcOrigin(ctx, o.ID, etag))
	going := rig.Must[origin.VpcOrigin](t)(peer.VpcOrigin(ctx, o.ID))
	if going.Deployed {
		t.Error("it is still Deployed")
	}
	rig.Want[*fault.Reread](t, "delete again with the old ETag", peer.DeleteVpcOrigin(ctx, o.ID, etag))
	s.UntilIdle()
	_, err := peer.VpcOrigin(ctx, o.ID)
	rig.Want[*fault.Absent](t, "read what is gone", err)
	rig.OK(t, peer.DeleteVpcOrigin(ctx, o.ID, going.ETag))
}

func TestTagsAreTheOwners(t *testing.T) {
	t.Parallel()
	ctx, s, hub, peer := start(t)
	tags := map[string]string{"originhub:host": "a.example.com", "originhub:paths": "/a/ /b/"}
	o := share(ctx, t, s, tags)
	s.UntilIdle()
	if got := rig.Must[map[string]string](t)(peer.Tags(ctx, o.ARN)); !maps.Equal(got, tags) {
		t.Errorf("tags %v", got)
	}
	_, err := hub.Tags(ctx, o.ARN)
	rig.Want[*fault.GiveUp](t, "another account's tags", err)
	_, err = peer.Tags(ctx, strings.Replace(o.ARN, o.ID, missing, 1))
	rig.Want[*fault.Absent](t, "tags of what is gone", err)
	_, err = peer.Tags(ctx, "no ARN")
	rig.Want[*fault.GiveUp](t, "tags of no ARN", err)
}

func TestUsersInEveryAccount(t *testing.T) {
	t.Parallel()
	ctx, s, hub, peer := start(t)
	o := share(ctx, t, s, nil)
	s.UntilIdle()
	if got := rig.Must[[]origin.User](t)(peer.UsersOf(ctx, o.ARN)); len(got) != 0 {
		t.Errorf("users of an unused origin: %+v", got)
	}
	rig.Must[origin.Served](t)(hub.Create(ctx, document("unrelated", "")))
	ours := rig.Must[origin.Served](t)(hub.Create(ctx, document("ref", "", using(o))))
	own := rig.Must[origin.Served](t)(peer.Create(ctx, document("ref", "", using(o))))
	want := map[origin.User]bool{{Distribution: ours.ID, Account: rig.Hub}: true, {Distribution: own.ID, Account: rig.Peer}: true}
	got := map[origin.User]bool{}
	for _, u := range rig.Must[[]origin.User](t)(peer.UsersOf(ctx, o.ARN)) {
		got[u] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("users %v, want %v", got, want)
	}
	_, err := hub.UsersOf(ctx, o.ARN)
	rig.Want[*fault.GiveUp](t, "another account asks", err)
	_, err = peer.UsersOf(ctx, strings.Replace(o.ARN, o.ID, missing, 1))
	rig.Want[*fault.Absent](t, "users of what is gone", err)
}

func TestFunctionIsMadeOnce(t *testing.T) {
	t.Parallel()
	ctx, s, hub, _ := start(t)
	const code = "function handler(event) { return event.request; }"
	rig.Refuse(s, "PublishFunction", "ServiceUnavailable", 503)
	_, err := hub.EnsureFunction(ctx, "not-found", "404", code)
	rig.Want[*fault.Retry](t, "made and not published", err)
	s.Faults().Reset()
	arn := rig.Must[string](t)(hub.EnsureFunction(ctx, "not-found", "404", code))
	if want := "arn:aws:cloudfront::" + rig.Hub + ":function/not-found"; arn != want {
		t.Errorf("ARN %s, want %s", arn, want)
	}
	if again := rig.Must[string](t)(hub.EnsureFunction(ctx, "not-found", "404", "other code")); again != arn {
		t.Errorf("ARN %s, then %s", arn, again)
	}
	live := rig.Must[*cloudfront.GetFunctionOutput](t)(cloudfront.NewFromConfig(s.Config(rig.Hub, rig.Region)).GetFunction(ctx,
		&cloudfront.GetFunctionInput{Name: aws.String("not-found"), Stage: types.FunctionStageLive}))
	if string(live.FunctionCode) != code {
		t.Errorf("live code %q", live.FunctionCode)
	}
	rig.Refuse(s, "DescribeFunction", "AccessDenied", 403)
	_, err = hub.EnsureFunction(ctx, "not-found", "404", code)
	rig.Want[*fault.GiveUp](t, "denied", err)
}

func TestFunctionIsRestored(t *testing.T) {
	t.Parallel()
	ctx, s, hub, _ := start(t)
	const code = "function handler(event) { return event.request; }"
	rig.Want[*fault.Absent](t, "no function", hub.RestoreFunction(ctx, "not-found", "404", code))
	rig.Must[string](t)(hub.EnsureFunction(ctx, "not-found", "404", "other code"))
	for range 2 {
		if err := hub.RestoreFunction(ctx, "not-found", "404", code); err != nil {
			t.Fatal(err)
		}
		if live := rig.Must[origin.Function](t)(hub.Function(ctx, "not-found")); live.Code != code {
			t.Errorf("live code %q", live.Code)
		}
	}
	updates := 0
	for _, c := range s.Calls() {
		if c.Operation == "UpdateFunction" {
			updates++
		}
	}
	if updates != 1 {
		t.Errorf("%d updates: the same code is published once", updates)
	}
	for _, operation := range []string{"GetFunction", "DescribeFunction", "UpdateFunction", "PublishFunction"} {
		rig.Must[string](t)(hub.EnsureFunction(ctx, operation, "404", "other code"))
		rig.Refuse(s, operation, "AccessDenied", 403)
		rig.Want[*fault.GiveUp](t, operation, hub.RestoreFunction(ctx, operation, "404", code))
		s.Faults().Reset()
	}
}

// ConflictingAliases returns the aliases of other distributions that overlap one.
func TestConflictingAliases(t *testing.T) {
	ctx, _, hub, peer := start(t)
	certified := func(reference, aliases string) []byte {
		return []byte(strings.Replace(string(document(reference, "")), "<Enabled>", "<Aliases><Quantity>1</Quantity><Items>"+aliases+"</Items></Aliases>"+
			"<ViewerCertificate><ACMCertificateArn>arn:aws:acm:us-east-1:100000000000:certificate/1</ACMCertificateArn><SSLSupportMethod>sni-only</SSLSupportMethod></ViewerCertificate><Enabled>", 1))
	}
	own, err := hub.Create(ctx, certified("own", "<CNAME>own.example.com</CNAME>"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := peer.Create(ctx, certified("theirs", "<CNAME>a.example.com</CNAME>"))
	if err != nil {
		t.Fatal(err)
	}
	holders, err := hub.ConflictingAliases(ctx, own.ID, "a.example.com")
	h := origin.AliasHolders{List: holders}
	if hidden := h.Holder("A.example.com"); err != nil || len(holders) != 1 || !strings.HasPrefix(hidden, "*") || !strings.HasSuffix(theirs.ID, strings.Trim(hidden, "*")) {
		t.Errorf("%+v, %v", holders, err)
	}
	if holders, err := hub.ConflictingAliases(ctx, own.ID, "b.example.com"); err != nil || len(holders) != 0 {
		t.Errorf("%+v, %v", holders, err)
	}
	if _, err := hub.ConflictingAliases(ctx, theirs.ID, "a.example.com"); err == nil {
		t.Error("the hub asked with a distribution of another account")
	}
}
