package ram

import (
	"fmt"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the type of shares. API calls create them, so that CloudTrail has records.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{{Name: typeShare, Create: deployShare, Update: redeployShare, Delete: removeShare}}
}

const typeShare = "AWS::RAM::ResourceShare"

// shareProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ram-resourceshare.html
type shareProperties struct {
	Name                    string
	AllowExternalPrincipals *cloud.Bool
	PermissionArns          []string
	Principals              []string
	ResourceArns            []string
	Tags                    []cloud.Tag
}

func readShare(r *cloud.ResourceRequest) (shareProperties, error) {
	var p shareProperties
	err := r.DecodeProperties(typeShare, &p)
	return p, err
}

func (p shareProperties) external() *bool {
	allowed := p.AllowExternalPrincipals == nil || bool(*p.AllowExternalPrincipals)
	return &allowed
}

func (p shareProperties) tags() []Tag {
	var list []Tag
	for _, t := range p.Tags {
		list = append(list, Tag(t))
	}
	return list
}

func deployShare(r *cloud.ResourceRequest) (*cloud.Resource, error) {
	p, err := readShare(r)
	if err != nil {
		return nil, err
	}
	out, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "ram", "CreateResourceShare", &CreateResourceShareInput{
		Name: p.Name, ResourceArns: p.ResourceArns, Principals: p.Principals, PermissionArns: p.PermissionArns,
		AllowExternalPrincipals: p.external(), Tags: p.tags(),
	})
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	arn := out.(*CreateResourceShareOutput).ResourceShare.ResourceShareArn
	return &cloud.Resource{Ref: arn, Attributes: map[string]string{"Arn": arn}}, nil
}

func redeployShare(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	p, err := readShare(r)
	if err != nil {
		return nil, err
	}
	call := func(operation string, in any) (any, error) {
		out, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "ram", operation, in)
		if err != nil {
			return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
		}
		return out, nil
	}
	if _, err := call("UpdateResourceShare", &UpdateResourceShareInput{
		ResourceShareArn: old.Ref, Name: p.Name, AllowExternalPrincipals: p.external(),
	}); err != nil {
		return nil, err
	}
	now := map[string][]string{}
	for _, kind := range []string{"PRINCIPAL", "RESOURCE"} {
		out, err := call("GetResourceShareAssociations", &GetResourceShareAssociationsInput{
			AssociationType: kind, ResourceShareArns: []string{old.Ref},
		})
		if err != nil {
			return nil, err
		}
		for _, a := range out.(*GetResourceShareAssociationsOutput).ResourceShareAssociations {
			if a.Status == associating || a.Status == associated {
				now[kind] = append(now[kind], a.AssociatedEntity)
			}
		}
	}
	gone := DisassociateResourceShareInput{
		ResourceShareArn: old.Ref, Principals: without(now["PRINCIPAL"], p.Principals),
		ResourceArns: without(now["RESOURCE"], p.ResourceArns),
	}
	if len(gone.Principals)+len(gone.ResourceArns) > 0 {
		if _, err := call("DisassociateResourceShare", &gone); err != nil {
			return nil, err
		}
	}
	come := AssociateResourceShareInput{
		ResourceShareArn: old.Ref, Principals: without(p.Principals, now["PRINCIPAL"]),
		ResourceArns: without(p.ResourceArns, now["RESOURCE"]),
	}
	if len(come.Principals)+len(come.ResourceArns) > 0 {
		if _, err := call("AssociateResourceShare", &come); err != nil {
			return nil, err
		}
	}
	if len(p.Tags) > 0 {
		if _, err := call("TagResource", &TagResourceInput{ResourceShareArn: old.Ref, Tags: p.tags()}); err != nil {
			return nil, err
		}
	}
	return old, nil
}

func removeShare(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "ram", "DeleteResourceShare",
		&DeleteResourceShareInput{ResourceShareArn: old.Ref})
	if err != nil && cloud.AsError(err).Code != "UnknownResourceException" {
		return fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	return nil
}

func without(list, remove []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(e string) bool { return slices.Contains(remove, e) })
}
