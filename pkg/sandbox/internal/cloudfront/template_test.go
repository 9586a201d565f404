package cloudfront_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

func (w *world) resource(name, properties string) (cloud.ResourceType, *cloud.ResourceRequest) {
	for _, rt := range w.cf.ResourceTypes() {
		if rt.Name == name {
			return rt, &cloud.ResourceRequest{
				World: w.World, Account: teamA, Region: "us-east-1", Stack: "team", LogicalID: "It", Properties: json.RawMessage(properties),
			}
		}
	}
	w.Fatalf("no type %s", name)
	return cloud.ResourceType{}, nil
}

func originProperties(tag string) string {
	return `{"VpcOriginEndpointConfig":{"Arn":"` + balancer(teamA, "a") + `","Name":"a","HTTPSPort":"8443"},"Tags":[{"Key":"originhub:teardown","Value":"` + tag + `"}]}`
}

// A tag that a stack changes on an origin in use fails as it does on AWS; a direct TagResource works.
func TestStackTagChangeOnAnOriginInUse(t *testing.T) {
	w := newWorld(t)
	rt, r := w.resource("AWS::CloudFront::VpcOrigin", originProperties("no"))
	made, err := rt.Create(r)
	if err != nil {
		t.Fatal(err)
	}
	if made.Attributes["Status"] != "Deploying" || made.Attributes["AccountId"] != teamA {
		t.Errorf("attributes %v", made.Attributes)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	arn := made.Attributes["Arn"]
	w.share(arn, hub)
	id := w.distribution(hub, config{origins: []string{vpcOriginElement("a", made.Ref, teamA)}})
	tag := func() string {
		return must[cloudfront.ListTagsForResourceOutput](w, teamA, "ListTagsForResource", &cloudfront.ListTagsForResourceInput{Resource: arn}).Tags.Items[0].Value
	}

	r.Properties = json.RawMessage(originProperties("now"))
	_, err = rt.Update(r, made)
	refused(t, err, 409, "CannotUpdateEntityWhileInUse")
	if got := tag(); got != "no" {
		t.Errorf("the tag became %q", got)
	}
	must[cloudfront.Empty](w, teamA, "TagResource", &cloudfront.TagResourceInput{Resource: arn, Tags: tagSet("originhub:teardown", "now")})
	if got := tag(); got != "now" {
		t.Errorf("the tag is %q after TagResource", got)
	}

	if err := w.update(hub, id, config{}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(5 * minute)
	if made, err = rt.Update(r, made); err != nil {
		t.Fatalf("on a free origin: %v", err)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeployment)
	if err := rt.Delete(r, made); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(cloudfront.VpcOriginDeletion)
	if err := rt.Delete(r, made); err != nil {
		t.Errorf("a second deletion: %v", err)
	}
}

func TestStackProperties(t *testing.T) {
	w := newWorld(t)
	rt, r := w.resource("AWS::CloudFront::VpcOrigin", `{"VpcOriginEndpointConfig":{"Colour":"blue"}}`)
	if _, err := rt.Create(r); err == nil || !strings.Contains(err.Error(), "Colour") {
		t.Errorf("got %v, want the unknown property named", err)
	}
}

func TestStackFunction(t *testing.T) {
	w := newWorld(t)
	properties := func(code string) string {
		return `{"Name":"guard","AutoPublish":"true","FunctionCode":"` + code + `","FunctionConfig":{"Comment":"c","Runtime":"cloudfront-js-2.0"}}`
	}
	rt, r := w.resource("AWS::CloudFront::Function", properties("one"))
	made, err := rt.Create(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Properties = json.RawMessage(properties("two"))
	if made, err = rt.Update(r, made); err != nil {
		t.Fatal(err)
	}
	w.Do(func() {
		if code, _ := w.cf.FunctionCode(made.Ref); code != "two" {
			t.Errorf("runs %q", code)
		}
	})
	if err := rt.Delete(r, made); err != nil {
		t.Fatal(err)
	}
}
