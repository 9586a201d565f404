package cloudfront_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

func (w *world) deleteOrigin(account, id, etag string) error {
	_, err := call[cloudfront.VpcOriginOutput](w, account, "DeleteVpcOrigin", &cloudfront.DeleteVpcOriginInput{ID: id, IfMatch: etag})
	return err
}

func TestVpcOriginRefusals(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		change func(e *cloudfront.EndpointConfig)
		code   string
	}{
		"bucket":              {func(e *cloudfront.EndpointConfig) { e.Arn = "arn:aws:s3:::bucket" }, "InvalidArgument"},
		"of another account":  {func(e *cloudfront.EndpointConfig) { e.Arn = balancer(teamB, "x") }, "InvalidArgument"},
		"port below 1024":     {func(e *cloudfront.EndpointConfig) { e.HTTPPort = 22 }, "InvalidArgument"},
		"unknown protocol":    {func(e *cloudfront.EndpointConfig) { e.OriginProtocolPolicy = "ftp" }, "InvalidArgument"},
		"no name":             {func(e *cloudfront.EndpointConfig) { e.Name = "" }, "MalformedXML"},
		"quantity of no item": {func(e *cloudfront.EndpointConfig) { e.OriginSslProtocols = &cloudfront.SslProtocols{Quantity: 1} }, "InconsistentQuantities"},
	} {
		t.Run(name, func(t *testing.T) {
			e := endpoint(teamA, "x")
			test.change(e)
			_, err := call[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: e})
			refused(t, err, 400, test.code)
		})
	}
	for i := range 25 {
		w.origin(teamA, fmt.Sprint(i))
	}
	_, err := call[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpoint(teamA, "x")})
	refused(t, err, 400, "EntityLimitExceeded")
}

// CF-28 is what an origin without the right owner gets.
func TestAssumption_CF_02_OwnerAndShare(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	for name, test := range map[string]struct {
		owner  string
		shared bool
		status int
		code   string
	}{
		"no owner, not shared":    {"", false, 404, "EntityNotFound"},
		"no owner, shared":        {"", true, 404, "EntityNotFound"},
		"wrong owner, shared":     {teamB, true, 404, "EntityNotFound"},
		"right owner, not shared": {teamA, false, 403, "AccessDenied"},
		"right owner, shared":     {teamA, true, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			clear(w.shared)
			if test.shared {
				w.share(o.Arn, hub)
			}
			_, err := w.create(hub, config{reference: name, origins: []string{vpcOriginElement("x", o.ID, test.owner)}})
			if test.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused(t, err, test.status, test.code)
		})
	}
}

// CF-29 is the error code.
func TestAssumption_CF_03_EditLock(t *testing.T) {
	w := newWorld(t)
	a, b := w.origin(teamA, "a"), w.origin(teamB, "b")
	w.share(a.Arn, hub)
	w.share(b.Arn, hub)
	both := config{origins: []string{vpcOriginElement("a", a.ID, teamA), vpcOriginElement("b", b.ID, teamB)}}
	id := w.distribution(hub, both)
	w.Clock.Advance(5 * minute)
	clear(w.shared)
	w.share(b.Arn, hub)

	both.comment = "an edit that has nothing to do with team-a"
	refused(t, w.update(hub, id, both), 403, "AccessDenied")
	w.Do(func() {
		if served := w.cf.Served()[0].Config; len(served.Items("Origins")) != 3 {
			t.Error("the edge forgot an origin")
		}
	})
	both.origins = both.origins[1:]
	if err := w.update(hub, id, both); err != nil {
		t.Errorf("an update without the lost origin: %v", err)
	}
}

func TestAssumption_CF_09_Creation(t *testing.T) {
	w := newWorld(t)
	out := must[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpoint(teamA, "x")})
	if out.VpcOrigin.Status != "Deploying" {
		t.Errorf("status %s at once", out.VpcOrigin.Status)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeployment - 1)
	if got := w.getOrigin(teamA, out.VpcOrigin.ID).VpcOrigin.Status; got != "Deploying" {
		t.Errorf("status %s before its time", got)
	}
	w.Clock.Advance(1)
	if got := w.getOrigin(teamA, out.VpcOrigin.ID); got.VpcOrigin.Status != "Deployed" || got.ETag != out.ETag {
		t.Errorf("got %+v", got)
	}
}

func TestAssumption_CF_10_ConsumerReads(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	get := func(account string) error {
		_, err := call[cloudfront.VpcOriginOutput](w, account, "GetVpcOrigin", &cloudfront.VpcOriginID{ID: o.ID})
		return err
	}
	refused(t, get(hub), 403, "AccessDenied")
	w.share(o.Arn, hub)
	if got := w.getOrigin(hub, o.ID).VpcOrigin; got.AccountID != teamA || got.VpcOriginEndpointConfig.Arn != balancer(teamA, "a") {
		t.Errorf("the consumer reads %+v", got)
	}
	refused(t, get(stranger), 403, "AccessDenied")
	etag := w.getOrigin(teamA, o.ID).ETag
	refused(t, w.deleteOrigin(hub, o.ID, etag), 403, "AccessDenied")
	_, err := call[cloudfront.VpcOriginOutput](w, hub, "UpdateVpcOrigin",
		&cloudfront.UpdateVpcOriginInput{ID: o.ID, IfMatch: etag, VpcOriginEndpointConfig: endpoint(teamA, "b")})
	refused(t, err, 403, "AccessDenied")
}

func TestAssumption_CF_11_ListsIncludeShared(t *testing.T) {
	w := newWorld(t)
	a, own := w.origin(teamA, "a"), w.origin(hub, "own")
	w.origin(teamB, "b")
	w.share(a.Arn, hub)
	list := must[cloudfront.ListVpcOriginsOutput](w, hub, "ListVpcOrigins", &cloudfront.ListVpcOriginsInput{}).VpcOriginList
	owners := map[string]string{}
	for _, o := range list.Items {
		owners[o.ID] = o.AccountID
	}
	if len(owners) != 2 || owners[a.ID] != teamA || owners[own.ID] != hub {
		t.Errorf("listed %v", owners)
	}
}

func TestAssumption_CF_42_ListMayOmitShared(t *testing.T) {
	w := newWorld(t)
	w.cf.OmitsShared = true
	a, own := w.origin(teamA, "a"), w.origin(hub, "own")
	w.share(a.Arn, hub)
	list := must[cloudfront.ListVpcOriginsOutput](w, hub, "ListVpcOrigins", &cloudfront.ListVpcOriginsInput{}).VpcOriginList
	if len(list.Items) != 1 || list.Items[0].ID != own.ID {
		t.Errorf("listed %v", list.Items)
	}
	if got := w.getOrigin(hub, a.ID).VpcOrigin; got.AccountID != teamA {
		t.Errorf("%+v", got)
	}
}

func TestAssumption_CF_12_Deletion(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	refused(t, w.deleteOrigin(teamA, o.ID, ""), 400, "InvalidIfMatchVersion")
	refused(t, w.deleteOrigin(teamA, o.ID, "E1234567890ABC"), 412, "PreconditionFailed")
	if err := w.deleteOrigin(teamA, o.ID, w.getOrigin(teamA, o.ID).ETag); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeletion - 1)
	if got := w.getOrigin(teamA, o.ID).VpcOrigin.Status; got != "Deploying" {
		t.Errorf("status %s while being deleted", got)
	}
	_, err := w.create(teamA, config{origins: []string{vpcOriginElement("x", o.ID, "")}})
	refused(t, err, 404, "EntityNotFound")
	w.Clock.Advance(1)
	_, err = call[cloudfront.VpcOriginOutput](w, teamA, "GetVpcOrigin", &cloudfront.VpcOriginID{ID: o.ID})
	refused(t, err, 404, "EntityNotFound")
	refused(t, w.deleteOrigin(teamA, o.ID, "E1234567890ABC"), 404, "EntityNotFound")
	if w.Clock.Busy() {
		t.Error("busy after the deletion")
	}
}

func TestAssumption_CF_13_NoChangeWhileDeploying(t *testing.T) {
	w := newWorld(t)
	out := must[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpoint(teamA, "x")})
	id := out.VpcOrigin.ID
	update := func() error {
		_, err := call[cloudfront.VpcOriginOutput](w, teamA, "UpdateVpcOrigin",
			&cloudfront.UpdateVpcOriginInput{ID: id, IfMatch: w.getOrigin(teamA, id).ETag, VpcOriginEndpointConfig: endpoint(teamA, "y")})
		return err
	}
	refused(t, w.deleteOrigin(teamA, id, out.ETag), 409, "CannotDeleteEntityWhileInUse")
	refused(t, update(), 409, "CannotUpdateEntityWhileInUse")
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	if err := update(); err != nil {
		t.Fatal(err)
	}
	refused(t, w.deleteOrigin(teamA, id, w.getOrigin(teamA, id).ETag), 409, "CannotDeleteEntityWhileInUse")
}

func TestAssumption_CF_14_InUse(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	w.share(o.Arn, teamB)
	id := w.distribution(teamB, config{disabled: true, origins: []string{vpcOriginElement("a", o.ID, teamA)}})
	w.Clock.Advance(5 * minute)
	clear(w.shared)
	etag := w.getOrigin(teamA, o.ID).ETag
	err := w.deleteOrigin(teamA, o.ID, etag)
	refused(t, err, 409, "CannotDeleteEntityWhileInUse")
	if want := "The specified VPC origin is currently associated with one or more distributions. Please disassociate the VPC origin " +
		"from all distributions before updating or deleting"; !strings.Contains(err.Error(), want) {
		t.Errorf("message %v", err)
	}
	if err := w.update(teamB, id, config{disabled: true}); err != nil {
		t.Fatal(err)
	}
	refused(t, w.deleteOrigin(teamA, o.ID, etag), 409, "CannotDeleteEntityWhileInUse")
	w.Clock.Advance(5 * minute)
	if err := w.deleteOrigin(teamA, o.ID, etag); err != nil {
		t.Error(err)
	}
}

func TestAssumption_CF_15_Records(t *testing.T) {
	w := newWorld(t)
	var records []map[string]any
	w.Emit = func(e cloud.Event) {
		b, err := json.Marshal(e.Detail)
		if err != nil {
			t.Fatal(err)
		}
		var detail map[string]any
		if err := json.Unmarshal(b, &detail); err != nil {
			t.Fatal(err)
		}
		records = append(records, detail)
	}
	o := w.origin(teamA, "a", "team", "a")
	must[cloudfront.Empty](w, teamA, "TagResource", &cloudfront.TagResourceInput{Resource: o.Arn, Tags: tagSet("originhub:teardown", "now")})
	must[cloudfront.Empty](w, teamA, "UntagResource", &cloudfront.UntagResourceInput{Resource: o.Arn, TagKeys: &cloudfront.TagKeys{Items: []string{"team"}}})
	w.getOrigin(teamA, o.ID)
	w.distribution(hub, config{comment: "a secret plan", aliases: []string{"a.example.com"}})
	if len(records) != 4 {
		t.Fatalf("%d records, want 4: reads leave none", len(records))
	}
	for i, want := range []string{
		`{"tags":{"items":[{"key":"team","value":"a"}]},"vpcOriginEndpointConfig":{"arn":"` + balancer(teamA, "a") +
			`","hTTPPort":80,"hTTPSPort":443,"name":"a","originProtocolPolicy":"https-only"}}`,
		`{"resource":"` + o.Arn + `","tags":{"items":[{"key":"originhub:teardown","value":"now"}]}}`,
		`{"resource":"` + o.Arn + `","tagKeys":{"items":["team"]}}`,
	} {
		got, err := json.Marshal(records[i]["requestParameters"])
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("record %d:\n%s\nwant\n%s", i, got, want)
		}
		if records[i]["apiVersion"] != "2020_05_31" || records[i]["awsRegion"] != "us-east-1" || records[i]["recipientAccountId"] != teamA {
			t.Errorf("record %d: %v", i, records[i])
		}
	}
	if got := fmt.Sprint(records[0]["responseElements"]); !strings.Contains(got, o.Arn) {
		t.Errorf("CreateVpcOrigin answered %s", got)
	}
	b, _ := json.Marshal(records[3])
	if s := string(b); strings.Contains(s, "secret") || !strings.Contains(s, `"aCMCertificateArn":"`+certificate) || !strings.Contains(s, `"items":["a.example.com"]`) {
		t.Errorf("CreateDistribution: %s", s)
	}
}

func TestAssumption_CF_16_TagsOfAnotherAccount(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a", "originhub:host", "team-a.example.com")
	w.share(o.Arn, hub)
	_, err := call[cloudfront.ListTagsForResourceOutput](w, hub, "ListTagsForResource", &cloudfront.ListTagsForResourceInput{Resource: o.Arn})
	refused(t, err, 403, "AccessDenied")
	_, err = call[cloudfront.Empty](w, hub, "TagResource", &cloudfront.TagResourceInput{Resource: o.Arn, Tags: tagSet("originhub:teardown", "now")})
	refused(t, err, 403, "AccessDenied")
	_, err = call[cloudfront.Empty](w, hub, "UntagResource", &cloudfront.UntagResourceInput{Resource: o.Arn, TagKeys: &cloudfront.TagKeys{Items: []string{"originhub:host"}}})
	refused(t, err, 403, "AccessDenied")
}

func TestTagRules(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a", "one", "1")
	many := func(n int) []string {
		var pairs []string
		for i := range n {
			pairs = append(pairs, fmt.Sprintf("k%d", i), "v")
		}
		return pairs
	}
	for name, test := range map[string]struct {
		arn    string
		tags   []string
		status int
		code   string
	}{
		"replaces a value":      {o.Arn, []string{"one", "2"}, 0, ""},
		"longest":               {o.Arn, []string{strings.Repeat("k", 128), strings.Repeat("v", 256)}, 0, ""},
		"key too long":          {o.Arn, []string{strings.Repeat("k", 129), ""}, 400, "InvalidTagging"},
		"value too long":        {o.Arn, []string{"k", strings.Repeat("v", 257)}, 400, "InvalidTagging"},
		"empty key":             {o.Arn, []string{"", "v"}, 400, "InvalidTagging"},
		"reserved":              {o.Arn, []string{"aws:x", "v"}, 400, "InvalidTagging"},
		"key twice":             {o.Arn, []string{"k", "1", "k", "2"}, 400, "InvalidTagging"},
		"51 tags":               {o.Arn, many(50), 400, "InvalidTagging"},
		"no such origin":        {"arn:aws:cloudfront::" + teamA + ":vpcorigin/vo_none", []string{"k", "v"}, 404, "NoSuchResource"},
		"not an ARN":            {"vo_none", []string{"k", "v"}, 400, "InvalidArgument"},
		"ARN of another's name": {strings.Replace(o.Arn, teamA, teamB, 1), []string{"k", "v"}, 403, "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call[cloudfront.Empty](w, teamA, "TagResource", &cloudfront.TagResourceInput{Resource: test.arn, Tags: tagSet(test.tags...)})
			if test.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused(t, err, test.status, test.code)
		})
	}
}

func TestAssumption_CF_22_Names(t *testing.T) {
	w := newWorld(t)
	w.origin(teamA, "a")
	_, err := call[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpoint(teamA, "a")})
	refused(t, err, 409, "EntityAlreadyExists")
	w.origin(teamB, "a")
}

// CF-31 says which configuration and which IAM action count.
func TestAssumption_CF_23_OwnedResource(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	w.share(o.Arn, hub)
	in := &cloudfront.ListDistributionsByOwnedResourceInput{ResourceArn: o.Arn}
	if l := must[cloudfront.ListDistributionsByOwnedResourceOutput](w, teamA, "ListDistributionsByOwnedResource", in).DistributionList; l.Quantity != 0 {
		t.Errorf("used by %+v", l.Items)
	}
	id := w.distribution(hub, config{origins: []string{vpcOriginElement("a", o.ID, teamA)}})
	l := must[cloudfront.ListDistributionsByOwnedResourceOutput](w, teamA, "ListDistributionsByOwnedResource", in).DistributionList
	if l.Quantity != 1 || l.Items[0] != (cloudfront.DistributionIDOwner{DistributionID: id, OwnerAccountID: hub}) {
		t.Errorf("used by %+v", l.Items)
	}
	_, err := call[cloudfront.ListDistributionsByOwnedResourceOutput](w, hub, "ListDistributionsByOwnedResource", in)
	refused(t, err, 403, "AccessDenied")

	byID := &cloudfront.ListDistributionsByVpcOriginIDInput{VpcOriginID: o.ID}
	for account, want := range map[string]int{hub: 1, teamA: 0} {
		if l := must[cloudfront.ListDistributionsByVpcOriginIDOutput](w, account, "ListDistributionsByVpcOriginId", byID).DistributionIDList; l.Quantity != want {
			t.Errorf("%s has %d distributions, want %d", account, l.Quantity, want)
		}
	}
	_, err = call[cloudfront.ListDistributionsByVpcOriginIDOutput](w, stranger, "ListDistributionsByVpcOriginId", byID)
	refused(t, err, 404, "EntityNotFound")
}

func TestAssumption_CF_25_AttachWhileDeploying(t *testing.T) {
	w := newWorld(t)
	out := must[cloudfront.VpcOriginOutput](w, hub, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpoint(hub, "x")})
	if _, err := w.create(hub, config{origins: []string{vpcOriginElement("x", out.VpcOrigin.ID, "")}}); err != nil {
		t.Error(err)
	}
}

func TestAssumption_CF_26_CharactersOfTags(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	tag := func(key, value string) error {
		_, err := call[cloudfront.Empty](w, teamA, "TagResource", &cloudfront.TagResourceInput{Resource: o.Arn, Tags: tagSet(key, value)})
		return err
	}
	for _, value := range []string{"", "/team-a/ /team-b/", "a_b.c:d/e=f+g-h@i", "Größe ٣"} {
		if err := tag("originhub:paths", value); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
	for _, value := range []string{"/team-a/*", "a,b", "a\nb", `"a"`} {
		refused(t, tag("originhub:paths", value), 400, "InvalidTagging")
		refused(t, tag(value, "x"), 400, "InvalidTagging")
		_, err := call[cloudfront.VpcOriginOutput](w, teamA, "CreateVpcOrigin", &cloudfront.CreateVpcOriginInput{
			VpcOriginEndpointConfig: endpoint(teamA, "x"), Tags: tagSet("originhub:paths", value),
		})
		refused(t, err, 400, "InvalidTagging")
		_, err = call[cloudfront.Empty](w, teamA, "UntagResource", &cloudfront.UntagResourceInput{
			Resource: o.Arn, TagKeys: &cloudfront.TagKeys{Items: []string{value}},
		})
		refused(t, err, 400, "InvalidTagging")
	}
}

func TestAssumption_CF_40_OtherStatusOfAVpcOrigin(t *testing.T) {
	w := newWorld(t)
	o := w.origin(teamA, "a")
	w.cf.FailVpcOrigin(o.ID)
	got := w.getOrigin(teamA, o.ID)
	if got.VpcOrigin.Status != "Failed" {
		t.Errorf("status %s", got.VpcOrigin.Status)
	}
	if err := w.deleteOrigin(teamA, o.ID, got.ETag); err != nil {
		t.Fatal(err)
	}
	if got := w.getOrigin(teamA, o.ID).VpcOrigin.Status; got != "Deploying" {
		t.Errorf("status %s while being deleted", got)
	}
}
