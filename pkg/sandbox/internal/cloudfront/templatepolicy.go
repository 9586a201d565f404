package cloudfront

import (
	"bytes"
	"fmt"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type headersProperties struct {
	ResponseHeadersPolicyConfig struct {
		Name, Comment       string
		RemoveHeadersConfig struct{ Items []struct{ Header string } }
	}
}

// createHeadersResource creates a response headers policy. The sandbox takes only those that remove headers from a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-responseheaderspolicy.html
func createHeadersResource(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	var p headersProperties
	if err := r.DecodeProperties(headersType, &p); err != nil {
		return nil, err
	}
	var headers, comment bytes.Buffer
	removed := p.ResponseHeadersPolicyConfig.RemoveHeadersConfig.Items
	for _, h := range removed {
		headers.WriteString("<ResponseHeadersPolicyRemoveHeader>")
		writeText(&headers, "Header", h.Header)
		headers.WriteString("</ResponseHeadersPolicyRemoveHeader>")
	}
	writeText(&comment, "Comment", p.ResponseHeadersPolicyConfig.Comment)
	out, err := call[PolicyOutput](r, "CreateResponseHeadersPolicy", &CreatePolicyInput{Config: cloud.RawXML(configOf("ResponseHeadersPolicyConfig",
		p.ResponseHeadersPolicyConfig.Name, comment.String(),
		fmt.Sprintf("<RemoveHeadersConfig><Quantity>%d</Quantity><Items>%s</Items></RemoveHeadersConfig>", len(removed), headers.String())))})
	if err != nil {
		return nil, err
	}
	made, err := parseElement(out.Policy)
	if err != nil {
		return nil, err
	}
	id := made.Value("Id")
	return &cloud.Resource{Ref: id, Attributes: map[string]string{"Id": id, "LastModifiedTime": made.Value("LastModifiedTime")}}, nil
}

func updateHeadersResource(r *cloud.ResourceRequest, _ *cloud.Resource) (*cloud.Resource, error) {
	return nil, fmt.Errorf("stack %s, resource %s (%s): the sandbox does not support an update: give the resource a new logical id", r.Stack, r.LogicalID, headersType)
}

func deleteHeadersResource(r *cloud.ResourceRequest, old *cloud.Resource) error {
	current, err := call[PolicyOutput](r, "GetResponseHeadersPolicy", &PolicyID{ID: old.Ref})
	if err != nil {
		if cloud.AsError(err).Code == "NoSuchResponseHeadersPolicy" {
			return nil
		}
		return err
	}
	_, err = call[Empty](r, "DeleteResponseHeadersPolicy", &DeletePolicyInput{ID: old.Ref, IfMatch: current.ETag})
	return err
}
