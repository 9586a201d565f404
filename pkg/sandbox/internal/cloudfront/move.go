package cloudfront

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strconv"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// AssociateAliasInput is the input of AssociateAlias.
type AssociateAliasInput struct {
	TargetDistributionID string `loc:"uri" name:"TargetDistributionId"`
	Alias                string `loc:"query" name:"Alias"`
}

// TrailRecord returns the names of the API's parameters. Assumption CF-37.
func (in *AssociateAliasInput) TrailRecord() any {
	return map[string]any{"targetDistributionId": in.TargetDistributionID, "alias": in.Alias}
}

// associateAlias implements AssociateAlias.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AssociateAlias.html
func (s *Service) associateAlias(c *cloud.Call, in *AssociateAliasInput) (*Empty, error) {
	target, err := s.distribution(c, "cloudfront:AssociateAlias", in.TargetDistributionID)
	if err != nil {
		return nil, err
	}
	return &Empty{}, s.moveAlias(c, in.Alias, target)
}

// UpdateDomainAssociationInput is the input of UpdateDomainAssociation.
type UpdateDomainAssociationInput struct {
	IfMatch        string                 `loc:"header" name:"If-Match"`
	Domain         string                 `xml:"Domain"`
	TargetResource DistributionResourceID `xml:"TargetResource"`
}

// DistributionResourceID names a distribution or a distribution tenant. The sandbox has no tenants.
type DistributionResourceID struct {
	DistributionID       string `xml:"DistributionId,omitempty"`
	DistributionTenantID string `xml:"DistributionTenantId,omitempty"`
}

// TrailRecord returns the names of the API's parameters. Assumption CF-37.
func (in *UpdateDomainAssociationInput) TrailRecord() any {
	return map[string]any{"domain": in.Domain, "targetResource": map[string]any{"distributionId": in.TargetResource.DistributionID}}
}

// UpdateDomainAssociationOutput is the output of UpdateDomainAssociation.
type UpdateDomainAssociationOutput struct {
	ETag   string             `loc:"header" name:"ETag"`
	Result *DomainAssociation `loc:"payload"`
}

// DomainAssociation is the wire form of a domain that was moved.
type DomainAssociation struct {
	XMLName    xml.Name `xml:"UpdateDomainAssociationResult" json:"-"`
	Domain     string   `xml:"Domain"`
	ResourceID string   `xml:"ResourceId"`
}

// updateDomainAssociation implements UpdateDomainAssociation, between distributions of one account.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDomainAssociation.html
func (s *Service) updateDomainAssociation(c *cloud.Call, in *UpdateDomainAssociationInput) (*UpdateDomainAssociationOutput, error) {
	if in.TargetResource.DistributionID == "" || in.TargetResource.DistributionTenantID != "" {
		return nil, invalidArgument("the sandbox moves domains to distributions only, not to tenants: set TargetResource.DistributionId")
	}
	var target *distribution
	// Both permissions are required:
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/alternate-domain-names-move-options.html
	for _, action := range []string{"cloudfront:UpdateDomainAssociation", "cloudfront:UpdateDistribution"} {
		var err error
		if target, err = s.distribution(c, action, in.TargetResource.DistributionID); err != nil {
			return nil, err
		}
	}
	if in.IfMatch != "" {
		if err := checkIfMatch(in.IfMatch, target.etag); err != nil {
			return nil, err
		}
	}
	if err := s.moveAlias(c, in.Domain, target); err != nil {
		return nil, err
	}
	return &UpdateDomainAssociationOutput{target.etag, &DomainAssociation{Domain: in.Domain, ResourceID: target.id}}, nil
}

// moveAlias takes an alias off the distribution that has it and adds it to another one, which must have a certificate. Between two
// accounts, CloudFront also requires a TXT record and a disabled source; the sandbox refuses that move (assumption CF-37).
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/alternate-domain-names-move-create-target.html
func (s *Service) moveAlias(c *cloud.Call, alias string, target *distribution) error {
	var source *distribution
	for _, d := range s.distributions {
		if d != target && slices.Contains(d.config().Values("Aliases"), alias) {
			source = d
		}
	}
	aliases := target.config().Values("Aliases")
	if source == nil && slices.Contains(aliases, alias) {
		return nil
	}
	if target.config().Value("ConnectionMode") == "tenant-only" {
		return illegalUpdate("The operation supports standard distributions only.")
	}
	if source != nil && source.account != c.Account() {
		return illegalUpdate("The alias %s is on a distribution of another account, and the sandbox moves aliases within an account only.", alias)
	}
	added, err := withAliases(target.config(), append(slices.Clone(aliases), alias))
	if err != nil {
		return err
	}
	if err := s.validateOwn(c.Account(), target, source, added); err != nil {
		return err
	}
	if source != nil {
		removed, err := withAliases(source.config(), slices.DeleteFunc(source.config().Values("Aliases"), func(a string) bool { return a == alias }))
		if err != nil {
			return err
		}
		s.write(source, removed)
	}
	s.write(target, added)
	return nil
}

// validateOwn checks the new configuration of a distribution as if source did not exist.
func (s *Service) validateOwn(account string, d, source *distribution, config *Element) error {
	if source != nil {
		delete(s.distributions, source.id)
		defer func() { s.distributions[source.id] = source }()
	}
	return s.validate(account, d.id, config)
}

// withAliases returns a configuration with other aliases. Every other byte stays.
func withAliases(config *Element, aliases []string) (*Element, error) {
	var b bytes.Buffer
	b.WriteString("<Aliases><Quantity>" + strconv.Itoa(len(aliases)) + "</Quantity>")
	if len(aliases) > 0 {
		b.WriteString("<Items>")
		for _, alias := range aliases {
			writeText(&b, "CNAME", alias)
		}
		b.WriteString("</Items>")
	}
	b.WriteString("</Aliases>")
	return parseElement(config.withElement("Aliases", b.Bytes()))
}

// CopyDistributionInput is the input of CopyDistribution.
type CopyDistributionInput struct {
	PrimaryDistributionID string `loc:"uri" name:"PrimaryDistributionId"`
	Staging               bool   `loc:"header" name:"Staging"`
	IfMatch               string `loc:"header" name:"If-Match"`
	CallerReference       string `xml:"CallerReference"`
	Enabled               *bool  `xml:"Enabled"`
}

// TrailRecord returns the names of the API's parameters. Assumption CF-37.
func (in *CopyDistributionInput) TrailRecord() any {
	return map[string]any{"primaryDistributionId": in.PrimaryDistributionID, "staging": in.Staging, "ifMatch": in.IfMatch, "callerReference": in.CallerReference}
}

// copyDistribution implements CopyDistribution. The copy is a staging distribution with the configuration of the primary one, without
// its aliases (assumption CF-34).
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CopyDistribution.html
func (s *Service) copyDistribution(c *cloud.Call, in *CopyDistributionInput) (*DistributionOutput, error) {
	var primary *distribution
	for _, action := range []string{"cloudfront:CopyDistribution", "cloudfront:GetDistribution"} {
		var err error
		if primary, err = s.distribution(c, action, in.PrimaryDistributionID); err != nil {
			return nil, err
		}
	}
	if err := s.authorize(c, access{action: "cloudfront:CreateDistribution", arn: newDistributionARN(c)}); err != nil {
		return nil, err
	}
	if err := checkIfMatch(in.IfMatch, primary.etag); err != nil {
		return nil, err
	}
	if !in.Staging || primary.config().Value("ConnectionMode") == "tenant-only" {
		return nil, invalidArgument("The parameter Staging must be true, and the primary distribution a standard distribution.")
	}
	config, err := withAliases(primary.config(), nil)
	if err != nil {
		return nil, err
	}
	for _, member := range [][2]string{
		{"CallerReference", in.CallerReference},
		{"Enabled", strconv.FormatBool(in.Enabled == nil || *in.Enabled)},
		{"Staging", "true"},
	} {
		if config, err = parseElement(config.withText(member[0], member[1])); err != nil {
			return nil, err
		}
	}
	return s.create(c, config, nil)
}
