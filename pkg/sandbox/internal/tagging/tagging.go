// Package tagging emulates the Resource Groups Tagging API for CloudFront's resources.
package tagging

import (
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Tagger changes the tags of the resource with an ARN, after it has checked that the caller may do so.
type Tagger interface {
	Tag(c *cloud.Call, arn string, tags map[string]string) error
	Untag(c *cloud.Call, arn string, keys []string) error
}

// Service forwards calls to the service that has the tags.
type Service struct{ tagger Tagger }

// New returns the service.
func New(tagger Tagger) *Service { return &Service{tagger} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "tagging", Protocol: cloud.JSON11, EventSource: "tagging.amazonaws.com", TargetPrefix: "ResourceGroupsTaggingAPI_20170126",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "TagResources"}, s.tagResources),
			cloud.Op(cloud.Operation{Name: "UntagResources"}, s.untagResources),
		},
	}
}

// ResourceTypes returns nothing, because no template calls the API.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot returns nothing, because the tags belong to the services of the resources.
func (s *Service) Snapshot(string) map[string]any { return map[string]any{} }

// TagResourcesInput is the input of TagResources.
type TagResourcesInput struct {
	ResourceARNList []string
	Tags            map[string]string
}

// TrailRecord returns the members of the API. Assumption TAG-01.
func (in *TagResourcesInput) TrailRecord() any {
	return map[string]any{"resourceARNList": in.ResourceARNList, "tags": in.Tags}
}

// UntagResourcesInput is the input of UntagResources.
type UntagResourcesInput struct {
	ResourceARNList []string
	TagKeys         []string
}

// TrailRecord returns the members of the API. Assumption TAG-01.
func (in *UntagResourcesInput) TrailRecord() any {
	return map[string]any{"resourceARNList": in.ResourceARNList, "tagKeys": in.TagKeys}
}

// Output is the output of both operations.
type Output struct{ FailedResourcesMap map[string]Failure }

// Failure is why the tags of one resource were not changed.
type Failure struct {
	StatusCode   int
	ErrorCode    string
	ErrorMessage string
}

// tagResources implements TagResources.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
func (s *Service) tagResources(c *cloud.Call, in *TagResourcesInput) (*Output, error) {
	return each(c, "tag:TagResources", in.ResourceARNList, func(arn string) error { return s.tagger.Tag(c, arn, in.Tags) })
}

// untagResources implements UntagResources.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_UntagResources.html
func (s *Service) untagResources(c *cloud.Call, in *UntagResourcesInput) (*Output, error) {
	return each(c, "tag:UntagResources", in.ResourceARNList, func(arn string) error { return s.tagger.Untag(c, arn, in.TagKeys) })
}

// each changes one resource after the other. The failure of one is in the output. The caller needs the permission of this API and that
// of the resource's own.
func each(c *cloud.Call, action string, arns []string, change func(string) error) (*Output, error) {
	if err := c.Authorize(action, "*", nil); err != nil {
		return nil, err
	}
	if len(arns) == 0 || len(arns) > 20 {
		return nil, cloud.Errorf(400, "InvalidParameterException", "ResourceARNList must have 1 to 20 ARNs")
	}
	out := &Output{FailedResourcesMap: map[string]Failure{}}
	for _, arn := range arns {
		if err := change(arn); err != nil {
			e := cloud.AsError(err)
			out.FailedResourcesMap[arn] = Failure{e.Status, "InvalidParameterException", e.Code + ": " + e.Message}
		}
	}
	return out, nil
}
