package cloudfront

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const (
	vpcOriginType = "AWS::CloudFront::VpcOrigin"
	functionType  = "AWS::CloudFront::Function"
	headersType   = "AWS::CloudFront::ResponseHeadersPolicy"
)

// ResourceTypes returns the types that a stack can have. Distributions are not among them, because the next update of a stack
// overwrites the distributions that it owns.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		{Name: vpcOriginType, Create: createVpcOriginResource, Update: updateVpcOriginResource, Delete: deleteVpcOriginResource},
		{Name: functionType, Create: createFunctionResource, Update: updateFunctionResource, Delete: deleteFunctionResource},
		{Name: headersType, Create: createHeadersResource, Update: updateHeadersResource, Delete: deleteHeadersResource},
	}
}

type vpcOriginProperties struct {
	VpcOriginEndpointConfig struct {
		Arn, Name            string
		HTTPPort, HTTPSPort  cloud.Int
		OriginProtocolPolicy string
		OriginSSLProtocols   []string
	}
	Tags []cloud.Tag
}

// vpcOriginResource reads the properties and fills in the defaults.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-vpcorigin-vpcoriginendpointconfig.html
func vpcOriginResource(r *cloud.ResourceRequest) (*EndpointConfig, *Tags, error) {
	p := vpcOriginProperties{}
	e := &p.VpcOriginEndpointConfig
	e.HTTPPort, e.HTTPSPort, e.OriginProtocolPolicy, e.OriginSSLProtocols = 80, 443, "match-viewer", []string{"TLSv1", "SSLv3"}
	if err := r.DecodeProperties(vpcOriginType, &p); err != nil {
		return nil, nil, err
	}
	return &EndpointConfig{
		Name: e.Name, Arn: e.Arn, HTTPPort: int(e.HTTPPort), HTTPSPort: int(e.HTTPSPort), OriginProtocolPolicy: e.OriginProtocolPolicy,
		OriginSslProtocols: &SslProtocols{Quantity: len(e.OriginSSLProtocols), Items: e.OriginSSLProtocols},
	}, resourceTags(p.Tags), nil
}

func resourceTags(tags []cloud.Tag) *Tags {
	t := &Tags{}
	for _, tag := range tags {
		t.Items = append(t.Items, Tag(tag))
	}
	return t
}

// createVpcOriginResource creates a VPC origin. Unlike CloudFormation, it does not wait for Deployed, because the clock stands
// still during a deployment.
func createVpcOriginResource(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	config, tags, err := vpcOriginResource(r)
	if err != nil {
		return nil, err
	}
	out, err := call[VpcOriginOutput](r, "CreateVpcOrigin", &CreateVpcOriginInput{VpcOriginEndpointConfig: config, Tags: tags})
	if err != nil {
		return nil, err
	}
	return vpcOriginAttributes(out.VpcOrigin), nil
}

// updateVpcOriginResource calls UpdateVpcOrigin even if only tags have changed, like AWS's resource handler
// (https://github.com/aws/aws-cdk/issues/34629 and 35765). On a VPC origin in use the call fails with 409, and the tags do not
// change.
func updateVpcOriginResource(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	config, tags, err := vpcOriginResource(r)
	if err != nil {
		return nil, err
	}
	current, err := call[VpcOriginOutput](r, "GetVpcOrigin", &VpcOriginID{ID: old.Ref})
	if err != nil {
		return nil, err
	}
	out, err := call[VpcOriginOutput](r, "UpdateVpcOrigin", &UpdateVpcOriginInput{
		ID: old.Ref, IfMatch: current.ETag, VpcOriginEndpointConfig: config,
	})
	if err != nil {
		return nil, err
	}
	if err := retag(r, out.VpcOrigin.Arn, tags); err != nil {
		return nil, err
	}
	return vpcOriginAttributes(out.VpcOrigin), nil
}

func deleteVpcOriginResource(r *cloud.ResourceRequest, old *cloud.Resource) error {
	current, err := call[VpcOriginOutput](r, "GetVpcOrigin", &VpcOriginID{ID: old.Ref})
	if err != nil {
		if cloud.AsError(err).Code == "EntityNotFound" {
			return nil
		}
		return err
	}
	_, err = call[VpcOriginOutput](r, "DeleteVpcOrigin", &DeleteVpcOriginInput{ID: old.Ref, IfMatch: current.ETag})
	return err
}

func vpcOriginAttributes(o *VpcOrigin) *cloud.Resource {
	return &cloud.Resource{Ref: o.ID, Attributes: map[string]string{
		"Id": o.ID, "Arn": o.Arn, "AccountId": o.AccountID, "Status": o.Status, "CreatedTime": o.CreatedTime,
		"LastModifiedTime": o.LastModifiedTime,
	}}
}

// retag replaces a resource's tags by those of the template.
func retag(r *cloud.ResourceRequest, arn string, want *Tags) error {
	out, err := call[ListTagsForResourceOutput](r, "ListTagsForResource", &ListTagsForResourceInput{Resource: arn})
	if err != nil {
		return err
	}
	stale, current := tagMap(out.Tags), tagMap(want)
	if maps.Equal(stale, current) {
		return nil
	}
	for k := range current {
		delete(stale, k)
	}
	if len(stale) > 0 {
		keys := &TagKeys{Items: slices.Sorted(maps.Keys(stale))}
		if _, err := call[Empty](r, "UntagResource", &UntagResourceInput{Resource: arn, TagKeys: keys}); err != nil {
			return err
		}
	}
	if len(want.Items) == 0 {
		return nil
	}
	_, err = call[Empty](r, "TagResource", &TagResourceInput{Resource: arn, Tags: want})
	return err
}

type functionProperties struct {
	Name           string
	AutoPublish    cloud.Bool
	FunctionCode   string
	FunctionConfig struct {
		Comment, Runtime          string
		KeyValueStoreAssociations []struct{ KeyValueStoreARN string }
	}
	Tags []cloud.Tag
}

func functionResource(r *cloud.ResourceRequest) (*functionProperties, *FunctionConfig, error) {
	p := &functionProperties{}
	if err := r.DecodeProperties(functionType, p); err != nil {
		return nil, nil, err
	}
	config := &FunctionConfig{Comment: p.FunctionConfig.Comment, Runtime: p.FunctionConfig.Runtime}
	if stores := p.FunctionConfig.KeyValueStoreAssociations; len(stores) > 0 {
		config.KeyValueStoreAssociations = &KeyValueStoreAssociations{Quantity: len(stores)}
		for _, store := range stores {
			config.KeyValueStoreAssociations.Items = append(config.KeyValueStoreAssociations.Items, store.KeyValueStoreARN)
		}
	}
	return p, config, nil
}

func createFunctionResource(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	p, config, err := functionResource(r)
	if err != nil {
		return nil, err
	}
	out, err := call[FunctionOutput](r, "CreateFunction", &CreateFunctionInput{
		Name: p.Name, FunctionConfig: config, FunctionCode: base64.StdEncoding.EncodeToString([]byte(p.FunctionCode)), Tags: resourceTags(p.Tags),
	})
	if err != nil {
		return nil, err
	}
	return publishResource(r, p, out.FunctionSummary, out.ETag)
}

func updateFunctionResource(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	p, config, err := functionResource(r)
	if err != nil {
		return nil, err
	}
	current, err := call[FunctionOutput](r, "DescribeFunction", &FunctionStageInput{Name: functionName(old)})
	if err != nil {
		return nil, err
	}
	if p.Name != current.FunctionSummary.Name {
		return nil, fmt.Errorf("stack %s, resource %s (%s): a new Name needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id",
			r.Stack, r.LogicalID, functionType)
	}
	out, err := call[UpdateFunctionOutput](r, "UpdateFunction", &UpdateFunctionInput{
		Name: p.Name, IfMatch: current.ETag, FunctionConfig: config, FunctionCode: base64.StdEncoding.EncodeToString([]byte(p.FunctionCode)),
	})
	if err != nil {
		return nil, err
	}
	if err := retag(r, old.Ref, resourceTags(p.Tags)); err != nil {
		return nil, err
	}
	return publishResource(r, p, out.FunctionSummary, out.ETag)
}

func publishResource(r *cloud.ResourceRequest, p *functionProperties, f *FunctionSummary, etag string) (*cloud.Resource, error) {
	if p.AutoPublish {
		if _, err := call[FunctionOutput](r, "PublishFunction", &FunctionVersionInput{Name: p.Name, IfMatch: etag}); err != nil {
			return nil, err
		}
	}
	arn := f.FunctionMetadata.FunctionARN
	return &cloud.Resource{Ref: arn, Attributes: map[string]string{
		"FunctionARN": arn, "FunctionMetadata.FunctionARN": arn, "Stage": stageDevelopment,
	}}, nil
}

func deleteFunctionResource(r *cloud.ResourceRequest, old *cloud.Resource) error {
	current, err := call[FunctionOutput](r, "DescribeFunction", &FunctionStageInput{Name: functionName(old)})
	if err != nil {
		if cloud.AsError(err).Code == "NoSuchFunctionExists" {
			return nil
		}
		return err
	}
	_, err = call[Empty](r, "DeleteFunction", &FunctionVersionInput{Name: functionName(old), IfMatch: current.ETag})
	return err
}

func functionName(r *cloud.Resource) string {
	_, _, name, _ := splitARN(r.Ref)
	return name
}

// call makes an API call as the stack's account.
func call[O any](r *cloud.ResourceRequest, operation string, in any) (*O, error) {
	out, err := r.World.Invoke(cloud.Root(r.Account), "us-east-1", "cloudfront", operation, in)
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %s: %w", r.Stack, r.LogicalID, operation, err)
	}
	return out.(*O), nil
}
