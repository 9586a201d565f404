package cloudfront

import (
	"encoding/xml"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ListDistributionsByVpcOriginIDInput is the input of ListDistributionsByVpcOriginId.
type ListDistributionsByVpcOriginIDInput struct {
	VpcOriginID string `loc:"uri" name:"VpcOriginId"`
	Marker      string `loc:"query" name:"Marker"`
	MaxItems    int    `loc:"query" name:"MaxItems"`
}

// ListDistributionsByVpcOriginIDOutput is the output of ListDistributionsByVpcOriginId.
type ListDistributionsByVpcOriginIDOutput struct {
	DistributionIDList *DistributionIDList `loc:"payload"`
}

// DistributionIDList is the wire form of a page of distribution ids.
type DistributionIDList struct {
	XMLName xml.Name `xml:"DistributionIdList" json:"-"`
	Listing
	Items []string `xml:"Items>DistributionId"`
}

// ListDistributionsByOwnedResourceInput is the input of ListDistributionsByOwnedResource.
type ListDistributionsByOwnedResourceInput struct {
	ResourceArn string `loc:"uri" name:"ResourceArn"`
	Marker      string `loc:"query" name:"Marker"`
	MaxItems    int    `loc:"query" name:"MaxItems"`
}

// ListDistributionsByOwnedResourceOutput is the output of ListDistributionsByOwnedResource.
type ListDistributionsByOwnedResourceOutput struct {
	DistributionList *DistributionIDOwnerList `loc:"payload"`
}

// DistributionIDOwnerList is the wire form of a page of distributions with their owners.
type DistributionIDOwnerList struct {
	XMLName xml.Name `xml:"DistributionIdOwnerList" json:"-"`
	Listing
	Items []DistributionIDOwner `xml:"Items>DistributionIdOwner"`
}

// DistributionIDOwner is one distribution with its owner.
type DistributionIDOwner struct {
	DistributionID string `xml:"DistributionId"`
	OwnerAccountID string `xml:"OwnerAccountId"`
}

// listDistributionsByVpcOriginID implements ListDistributionsByVpcOriginId. It returns the caller's own distributions whose
// current configuration names the VPC origin, whoever owns that.
// listDistributionsByVpcOriginID implements ListDistributionsByVpcOriginId.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributionsByVpcOriginId.html
func (s *Service) listDistributionsByVpcOriginID(
	c *cloud.Call, in *ListDistributionsByVpcOriginIDInput,
) (*ListDistributionsByVpcOriginIDOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListDistributionsByVpcOriginId", arn: "*"}); err != nil {
		return nil, err
	}
	var own []string
	for _, d := range s.users(in.VpcOriginID) {
		if d.account == c.Account() {
			own = append(own, d.id)
		}
	}
	if o := s.origin(in.VpcOriginID); len(own) == 0 && (o == nil || o.account != c.Account() && !s.shared(o.arn, c.Account())) {
		return nil, entityNotFound()
	}
	items, l := paginate(own, func(id string) string { return id }, in.Marker, in.MaxItems)
	return &ListDistributionsByVpcOriginIDOutput{&DistributionIDList{Listing: l, Items: items}}, nil
}

// listDistributionsByOwnedResource implements ListDistributionsByOwnedResource. It returns to the owner of a VPC origin the
// distributions of all accounts whose current configuration names it. Assumption CF-23.
// listDistributionsByOwnedResource implements ListDistributionsByOwnedResource.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributionsByOwnedResource.html
func (s *Service) listDistributionsByOwnedResource(
	c *cloud.Call, in *ListDistributionsByOwnedResourceInput,
) (*ListDistributionsByOwnedResourceOutput, error) {
	if err := s.authorize(c, access{action: "cloudfront:ListDistributionsByOwnedResource", arn: "*"}); err != nil {
		return nil, err
	}
	account, kind, id, ok := splitARN(in.ResourceArn)
	switch {
	case !ok || kind != "vpcorigin":
		return nil, invalidArgument("The sandbox supports only VPC origins, not %q.", in.ResourceArn)
	case account != c.Account():
		return nil, accessDenied("The resource %s does not belong to account %s.", in.ResourceArn, c.Account())
	}
	o := s.origin(id)
	if o == nil || o.account != account {
		return nil, entityNotFound()
	}
	var users []DistributionIDOwner
	for _, d := range s.users(id) {
		users = append(users, DistributionIDOwner{d.id, d.account})
	}
	items, l := paginate(users, func(u DistributionIDOwner) string { return u.DistributionID }, in.Marker, in.MaxItems)
	return &ListDistributionsByOwnedResourceOutput{&DistributionIDOwnerList{Listing: l, Items: items}}, nil
}

// ListConflictingAliasesInput is the input of ListConflictingAliases.
type ListConflictingAliasesInput struct {
	DistributionID string `loc:"query" name:"DistributionId"`
	Alias          string `loc:"query" name:"Alias"`
	Marker         string `loc:"query" name:"Marker"`
	MaxItems       int    `loc:"query" name:"MaxItems"`
}

// ListConflictingAliasesOutput is the output of ListConflictingAliases.
type ListConflictingAliasesOutput struct {
	ConflictingAliasesList *ConflictingAliasesList `loc:"payload"`
}

// ConflictingAliasesList is the wire form of a page of conflicting aliases.
type ConflictingAliasesList struct {
	XMLName    xml.Name           `xml:"ConflictingAliasesList" json:"-"`
	NextMarker string             `xml:"NextMarker,omitempty"`
	MaxItems   int                `xml:"MaxItems"`
	Quantity   int                `xml:"Quantity"`
	Items      []ConflictingAlias `xml:"Items>ConflictingAlias"`
}

// ConflictingAlias is an alias of another distribution. Its ids are partly hidden.
type ConflictingAlias struct {
	Alias          string `xml:"Alias"`
	DistributionID string `xml:"DistributionId"`
	AccountID      string `xml:"AccountId"`
}

// listConflictingAliases implements ListConflictingAliases.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListConflictingAliases.html
func (s *Service) listConflictingAliases(c *cloud.Call, in *ListConflictingAliasesInput) (*ListConflictingAliasesOutput, error) {
	d, err := s.distribution(c, "cloudfront:ListConflictingAliases", in.DistributionID)
	if err != nil {
		return nil, err
	}
	// The guide requires this permission, too:
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/alternate-domain-names-move-find-source.html
	if _, err := s.distribution(c, "cloudfront:GetDistribution", in.DistributionID); err != nil {
		return nil, err
	}
	if v := d.config().At("ViewerCertificate"); v.Value("ACMCertificateArn") == "" && v.Value("IAMCertificateId") == "" {
		// Assumption CF-38.
		return nil, invalidArgument("Distribution %s has no certificate that covers the alias %s.", d.id, in.Alias)
	}
	var found []ConflictingAlias
	for _, other := range s.distributions {
		for _, alias := range other.config().Values("Aliases") {
			if other != d && overlap(alias, in.Alias) {
				found = append(found, ConflictingAlias{alias, mask(other.id), mask(other.account)})
			}
		}
	}
	items, l := paginate(found, func(a ConflictingAlias) string { return a.Alias }, in.Marker, in.MaxItems)
	return &ListConflictingAliasesOutput{&ConflictingAliasesList{
		NextMarker: l.NextMarker, MaxItems: l.MaxItems, Quantity: l.Quantity, Items: items,
	}}, nil
}

// mask hides all but the last part of an identifier, as the page of ListConflictingAliases describes.
func mask(id string) string {
	shown := min(len(id), 6)
	masked := make([]byte, 0, len(id))
	for range len(id) - shown {
		masked = append(masked, '*')
	}
	return string(masked) + id[len(id)-shown:]
}
