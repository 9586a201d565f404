package ram

import (
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceItem is the wire form of a shared resource.
type ResourceItem struct {
	Arn                 string    `json:"arn"`
	Type                string    `json:"type"`
	ResourceShareArn    string    `json:"resourceShareArn"`
	ResourceRegionScope string    `json:"resourceRegionScope"`
	Status              string    `json:"status"`
	CreationTime        time.Time `json:"creationTime"`
	LastUpdatedTime     time.Time `json:"lastUpdatedTime"`
}

func showResource(sh *share, a *association) ResourceItem {
	t, _ := typeOf(a.entity)
	return ResourceItem{
		Arn: a.entity, Type: t.name, ResourceShareArn: sh.arn, ResourceRegionScope: t.scope(), Status: "AVAILABLE",
		CreationTime: a.created, LastUpdatedTime: a.changed,
	}
}

func checkScope(scope string) error {
	switch scope {
	case "", "ALL", "GLOBAL", "REGIONAL":
		return nil
	}
	return invalid("The resource region scope %s is not valid.", scope)
}

func inScope(scope, arn string) bool {
	t, _ := typeOf(arn)
	return scope == "" || scope == "ALL" || scope == t.scope()
}

// ListResourcesInput is the input of ListResources.
type ListResourcesInput struct {
	ResourceOwner       string   `json:"resourceOwner"`
	Principal           string   `json:"principal,omitempty"`
	ResourceType        string   `json:"resourceType,omitempty"`
	ResourceArns        []string `json:"resourceArns,omitempty"`
	ResourceShareArns   []string `json:"resourceShareArns,omitempty"`
	ResourceRegionScope string   `json:"resourceRegionScope,omitempty"`
	NextToken           string   `json:"nextToken,omitempty"`
	MaxResults          *int     `json:"maxResults,omitempty"`
}

// ListResourcesOutput is one page of resources.
type ListResourcesOutput struct {
	Resources []ResourceItem `json:"resources"`
	NextToken string         `json:"nextToken,omitempty"`
}

// membership is one association with its share.
type membership struct {
	share *share
	*association
}

// listResources implements ListResources.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListResources.html
func (s *Service) listResources(c *cloud.Call, in *ListResourcesInput) (*ListResourcesOutput, error) {
	if err := c.Authorize("ram:ListResources", "*", nil); err != nil {
		return nil, err
	}
	if err := checkOwner(in.ResourceOwner); err != nil {
		return nil, err
	}
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	if err := checkScope(in.ResourceRegionScope); err != nil {
		return nil, err
	}
	if err := s.checkFilter(c, in.ResourceShareArns); err != nil {
		return nil, err
	}
	for _, arn := range in.ResourceArns {
		if !arnForm.MatchString(arn) {
			return nil, malformedARN(arn)
		}
	}
	all := s.memberships(c, in.ResourceOwner, func(sh *share) []*association { return sh.resources })
	keep := func(m membership) bool {
		return s.held(c, m) && matches(in.ResourceArns, m.entity) && matches(in.ResourceShareArns, m.share.arn) &&
			(in.ResourceType == "" || strings.EqualFold(in.ResourceType, typeName(m.entity))) &&
			inScope(in.ResourceRegionScope, m.entity) &&
			(in.Principal == "" || s.hasPrincipal(m.share, in.Principal))
	}
	list, next, err := page(c, all, keep, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ListResourcesOutput{Resources: []ResourceItem{}, NextToken: next}
	for _, m := range list {
		out.Resources = append(out.Resources, showResource(m.share, m.association))
	}
	return out, nil
}

// memberships returns the associations of the caller's own shares, or of the shares that others have opened to the caller at any
// time.
func (s *Service) memberships(c *cloud.Call, owner string, of func(*share) []*association) []membership {
	var all []membership
	for _, sh := range s.shares {
		if sh.region != c.Region || (sh.owner == c.Account()) != (owner == self) {
			continue
		}
		invited := slices.ContainsFunc(sh.principals, func(a *association) bool {
			return a.entity == c.Account() || isOrganization(a.entity)
		})
		if owner == others && !invited {
			continue
		}
		for _, a := range of(sh) {
			all = append(all, membership{sh, a})
		}
	}
	return all
}

// held reports whether the member is in the share for the caller. An owner sees it until it is removed, others while they can use
// it.
func (s *Service) held(c *cloud.Call, m membership) bool {
	if m.share.owner == c.Account() {
		return s.status(m.association) != disassociated
	}
	return s.effective(m.association) && s.reaches(m.share, c.Account())
}

func (s *Service) hasPrincipal(sh *share, principal string) bool {
	a := sh.find(sh.principals, principal)
	return a != nil && s.status(a) != disassociated
}

// ListPrincipalsInput is the input of ListPrincipals.
type ListPrincipalsInput struct {
	ResourceOwner     string   `json:"resourceOwner"`
	Principals        []string `json:"principals,omitempty"`
	ResourceArn       string   `json:"resourceArn,omitempty"`
	ResourceType      string   `json:"resourceType,omitempty"`
	ResourceShareArns []string `json:"resourceShareArns,omitempty"`
	NextToken         string   `json:"nextToken,omitempty"`
	MaxResults        *int     `json:"maxResults,omitempty"`
}

// ListPrincipalsOutput is one page of principals.
type ListPrincipalsOutput struct {
	Principals []PrincipalItem `json:"principals"`
	NextToken  string          `json:"nextToken,omitempty"`
}

// PrincipalItem is a principal that the caller shares with, or an owner that shares with the caller.
type PrincipalItem struct {
	ID               string    `json:"id"`
	ResourceShareArn string    `json:"resourceShareArn"`
	External         bool      `json:"external"`
	CreationTime     time.Time `json:"creationTime"`
	LastUpdatedTime  time.Time `json:"lastUpdatedTime"`
}

// listPrincipals implements ListPrincipals.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPrincipals.html
func (s *Service) listPrincipals(c *cloud.Call, in *ListPrincipalsInput) (*ListPrincipalsOutput, error) {
	if err := c.Authorize("ram:ListPrincipals", "*", nil); err != nil {
		return nil, err
	}
	if err := checkOwner(in.ResourceOwner); err != nil {
		return nil, err
	}
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	if err := s.checkFilter(c, in.ResourceShareArns); err != nil {
		return nil, err
	}
	all := s.memberships(c, in.ResourceOwner, func(sh *share) []*association { return sh.principals })
	id := func(m membership) string {
		if in.ResourceOwner == others {
			return m.share.owner
		}
		return m.entity
	}
	holds := func(sh *share) bool {
		return slices.ContainsFunc(sh.resources, func(a *association) bool {
			return s.status(a) != disassociated && (in.ResourceArn == "" || in.ResourceArn == a.entity) &&
				(in.ResourceType == "" || strings.EqualFold(in.ResourceType, typeName(a.entity)))
		})
	}
	keep := func(m membership) bool {
		if in.ResourceOwner == others && m.entity != c.Account() && !isOrganization(m.entity) {
			return false
		}
		return s.held(c, m) && matches(in.Principals, id(m)) && matches(in.ResourceShareArns, m.share.arn) &&
			(in.ResourceArn+in.ResourceType == "" || holds(m.share))
	}
	list, next, err := page(c, all, keep, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ListPrincipalsOutput{Principals: []PrincipalItem{}, NextToken: next}
	for _, m := range list {
		out.Principals = append(out.Principals, PrincipalItem{
			ID: id(m), ResourceShareArn: m.share.arn, External: s.outsider(m.share, m.association), CreationTime: m.created, LastUpdatedTime: m.changed,
		})
	}
	return out, nil
}
