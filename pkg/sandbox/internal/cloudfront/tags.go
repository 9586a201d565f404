package cloudfront

import (
	"encoding/xml"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
const (
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
	reservedPrefix = "aws:"
)

// Tag is one tag.
type Tag struct {
	Key   string `xml:"Key" json:"key"`
	Value string `xml:"Value" json:"value"`
}

// Tags is the wire form of a set of tags.
type Tags struct {
	XMLName xml.Name `xml:"Tags" json:"-"`
	Items   []Tag    `xml:"Items>Tag" json:"items,omitempty"`
}

// TagKeys is the wire form of a set of tag keys.
type TagKeys struct {
	XMLName xml.Name `xml:"TagKeys" json:"-"`
	Items   []string `xml:"Items>Key" json:"items,omitempty"`
}

// TagResourceInput is the input of TagResource.
type TagResourceInput struct {
	Resource string `loc:"query" name:"Resource"`
	Tags     *Tags  `loc:"payload"`
}

// TrailRecord returns the form expected by analogy with the record of ListTagsForResource. Assumption CF-15.
func (in *TagResourceInput) TrailRecord() any {
	items := []any{}
	for _, t := range tagItems(in.Tags) {
		items = append(items, map[string]any{"key": t.Key, "value": t.Value})
	}
	return map[string]any{"resource": in.Resource, "tags": map[string]any{"items": items}}
}

// UntagResourceInput is the input of UntagResource.
type UntagResourceInput struct {
	Resource string   `loc:"query" name:"Resource"`
	TagKeys  *TagKeys `loc:"payload"`
}

// TrailRecord returns the form of TagResource's record, with keys only. Assumption CF-15.
func (in *UntagResourceInput) TrailRecord() any {
	items := []any{}
	if in.TagKeys != nil {
		for _, k := range in.TagKeys.Items {
			items = append(items, k)
		}
	}
	return map[string]any{"resource": in.Resource, "tagKeys": map[string]any{"items": items}}
}

// ListTagsForResourceInput is the input of ListTagsForResource.
type ListTagsForResourceInput struct {
	Resource string `loc:"query" name:"Resource"`
}

// ListTagsForResourceOutput is the output of ListTagsForResource.
type ListTagsForResourceOutput struct {
	Tags *Tags `loc:"payload"`
}

// Empty is an output without a body.
type Empty struct{}

// tagResource implements TagResource.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_TagResource.html
func (s *Service) tagResource(c *cloud.Call, in *TagResourceInput) (*Empty, error) {
	resource, err := s.taggable(c, "cloudfront:TagResource", in.Resource, tagMap(in.Tags), nil)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(*resource)
	if merged == nil {
		merged = map[string]string{}
	}
	if err := mergeTags(merged, in.Tags); err != nil {
		return nil, err
	}
	*resource = merged
	return &Empty{}, nil
}

// Tag is TagResource for the Resource Groups Tagging API. CloudFront's guide says that Tag Editor is not supported for CloudFront
// (assumption TAG-01).
func (s *Service) Tag(c *cloud.Call, arn string, tags map[string]string) error {
	in := &Tags{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		in.Items = append(in.Items, Tag{k, tags[k]})
	}
	_, err := s.tagResource(c, &TagResourceInput{Resource: arn, Tags: in})
	return err
}

// Untag is UntagResource for the Resource Groups Tagging API.
func (s *Service) Untag(c *cloud.Call, arn string, keys []string) error {
	_, err := s.untagResource(c, &UntagResourceInput{Resource: arn, TagKeys: &TagKeys{Items: keys}})
	return err
}

// untagResource implements UntagResource.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UntagResource.html
func (s *Service) untagResource(c *cloud.Call, in *UntagResourceInput) (*Empty, error) {
	var keys []string
	if in.TagKeys != nil {
		keys = in.TagKeys.Items
	}
	resource, err := s.taggable(c, "cloudfront:UntagResource", in.Resource, nil, keys)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return nil, err
		}
	}
	left := maps.Clone(*resource)
	for _, k := range keys {
		delete(left, k)
	}
	*resource = left
	return &Empty{}, nil
}

// listTagsForResource implements ListTagsForResource.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListTagsForResource.html
func (s *Service) listTagsForResource(c *cloud.Call, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	resource, err := s.taggable(c, "cloudfront:ListTagsForResource", in.Resource, nil, nil)
	if err != nil {
		return nil, err
	}
	out := &Tags{}
	for _, k := range slices.Sorted(maps.Keys(*resource)) {
		out.Items = append(out.Items, Tag{k, (*resource)[k]})
	}
	return &ListTagsForResourceOutput{out}, nil
}

// taggable finds the tags of the resource with an ARN and authorizes the call. Tags of another account's resources are out of
// reach, shared or not (assumption CF-16).
func (s *Service) taggable(c *cloud.Call, action, arn string, requestTags map[string]string, keys []string) (*map[string]string, error) {
	account, kind, id, ok := splitARN(arn)
	if !ok {
		// A malformed ARN is an error for every caller.
		if err := s.authorize(c, access{action: action, arn: arn}); err != nil {
			return nil, err
		}
		return nil, invalidArgument("Invalid ARN: %q", arn)
	}
	var tags *map[string]string
	switch kind {
	case "distribution":
		if d := s.distributions[id]; d != nil && d.account == account {
			tags = &d.tags
		}
	case "vpcorigin":
		if o := s.origin(id); o != nil && o.account == account {
			tags = &o.tags
		}
	case "function":
		if f := s.functions[arn]; f != nil {
			tags = &f.tags
		}
	}
	a := access{action: action, arn: arn, owner: account, requestTags: requestTags, tagKeys: keys}
	if tags != nil {
		a.tags = *tags
	}
	if err := s.authorize(c, a); err != nil {
		return nil, err
	}
	if tags == nil {
		return nil, noSuchResource(arn)
	}
	return tags, nil
}

// splitARN reads arn:aws:cloudfront::<account>:<kind>/<id>.
func splitARN(arn string) (account, kind, id string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "cloudfront" || parts[3] != "" {
		return "", "", "", false
	}
	kind, id, ok = strings.Cut(parts[5], "/")
	return parts[4], kind, id, ok && id != "" && len(parts[4]) == 12
}

func tagItems(t *Tags) []Tag {
	if t == nil {
		return nil
	}
	return t.Items
}

func tagMap(t *Tags) map[string]string {
	m := map[string]string{}
	for _, tag := range tagItems(t) {
		m[tag.Key] = tag.Value
	}
	return m
}

// tagText matches the characters that keys and values may have. Assumption CF-26.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// checkKey checks keys that are set or removed.
func checkKey(key string) error {
	switch {
	case !tagText.MatchString(key):
		return invalidTagging("the key %q holds other characters than letters, digits, spaces and _.:/=+-@", key)
	case strings.HasPrefix(strings.ToLower(key), reservedPrefix):
		return invalidTagging("the key %q begins with %s, which is reserved", key, reservedPrefix)
	}
	return nil
}

// mergeTags adds tags to a resource's, within the limits of
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/tagging.html
func mergeTags(into map[string]string, t *Tags) error {
	seen := map[string]bool{}
	for _, tag := range tagItems(t) {
		if err := checkKey(tag.Key); err != nil {
			return err
		}
		switch {
		case tag.Key == "" || len([]rune(tag.Key)) > maxTagKey:
			return invalidTagging("the key %q must have 1 to %d characters", tag.Key, maxTagKey)
		case len([]rune(tag.Value)) > maxTagValue:
			return invalidTagging("the value of %q must have at most %d characters", tag.Key, maxTagValue)
		case !tagText.MatchString(tag.Value):
			return invalidTagging("the value %q of %q holds other characters than letters, digits, spaces and _.:/=+-@", tag.Value, tag.Key)
		case seen[tag.Key]:
			return invalidTagging("the key %q occurs twice", tag.Key)
		}
		seen[tag.Key] = true
		into[tag.Key] = tag.Value
	}
	if len(into) > maxTags {
		return invalidTagging("a resource can have at most %d tags", maxTags)
	}
	return nil
}

func invalidTagging(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "InvalidTagging", "The specified tagging for a CloudFront resource is invalid: "+format, args...)
}
