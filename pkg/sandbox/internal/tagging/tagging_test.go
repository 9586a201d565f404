package tagging_test

import (
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/tagging"
)

// shelf has the tags of one resource.
type shelf map[string]string

func (s shelf) Tag(_ *cloud.Call, arn string, tags map[string]string) error {
	if arn != "arn" {
		return cloud.Errorf(404, "NoSuchResource", "there is no %s", arn)
	}
	for k, v := range tags {
		s[k] = v
	}
	return nil
}

func (s shelf) Untag(_ *cloud.Call, _ string, keys []string) error {
	for _, k := range keys {
		delete(s, k)
	}
	return nil
}

// One record of a call is in CloudTrail, that of the tagging API itself, with the ARNs of all resources.
func TestAssumption_TAG_01_OneRecord(t *testing.T) {
	w := cloud.New(cloud.Options{Seed: 1})
	s := shelf{}
	w.Register(tagging.New(s).API())
	var events []cloud.Event
	w.Emit = func(e cloud.Event) { events = append(events, e) }
	call := func(operation string, in any) *tagging.Output {
		t.Helper()
		out, err := w.Invoke(cloud.Root("111111111111"), "us-east-1", "tagging", operation, in)
		if err != nil {
			t.Fatal(err)
		}
		return out.(*tagging.Output)
	}
	out := call("TagResources", &tagging.TagResourcesInput{ResourceARNList: []string{"arn", "another"}, Tags: map[string]string{"a": "1", "b": "2"}})
	if s["a"] != "1" || len(out.FailedResourcesMap) != 1 || out.FailedResourcesMap["another"].StatusCode != 404 {
		t.Errorf("%v, %+v", s, out)
	}
	call("UntagResources", &tagging.UntagResourcesInput{ResourceARNList: []string{"arn"}, TagKeys: []string{"a"}})
	if _, still := s["a"]; still || s["b"] != "2" {
		t.Errorf("untagged: %v", s)
	}
	var names []string
	for _, e := range events {
		detail := e.Detail.(map[string]any)
		names = append(names, e.Source+" "+detail["eventName"].(string))
		if list := detail["requestParameters"].(map[string]any)["resourceARNList"].([]string); list[0] != "arn" {
			t.Errorf("the record names %v", list)
		}
	}
	if !slices.Equal(names, []string{"aws.tagging TagResources", "aws.tagging UntagResources"}) {
		t.Errorf("records: %v", names)
	}
	if _, err := w.Invoke(cloud.Root("111111111111"), "us-east-1", "tagging", "TagResources", &tagging.TagResourcesInput{}); err == nil {
		t.Error("a call without ARNs was accepted")
	}
}
