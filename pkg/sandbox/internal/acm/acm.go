// Package acm emulates AWS Certificate Manager for load balancers and private domain names: it requests, validates, describes and
// deletes certificates, and knows who uses them.
package acm

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Validation is the time that a requested certificate is PENDING_VALIDATION. Assumption ACM-01.
const Validation = 5 * time.Minute

// Service holds the certificates of all accounts and Regions.
type Service struct {
	world        *cloud.World
	certificates map[string]*certificate // by ARN
	// Users returns who uses a certificate, given by ARN. Set while the sandbox is assembled. Called with the world locked.
	Users func(arn string) []string
}

type certificate struct {
	arn, account, region string
	names                []string // the domain name, then the alternative ones
	requested, issued    time.Time
}

func (c *certificate) status(now time.Time) string {
	if now.Before(c.issued) {
		return "PENDING_VALIDATION"
	}
	return "ISSUED"
}

// New returns an empty service.
func New(w *cloud.World) *Service {
	return &Service{world: w, certificates: map[string]*certificate{}, Users: func(string) []string { return nil }}
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "acm", Protocol: cloud.JSON11, EventSource: "acm.amazonaws.com", TargetPrefix: "CertificateManager",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "RequestCertificate"}, s.requestCertificate),
			cloud.Op(cloud.Operation{Name: "DescribeCertificate", ReadOnly: true}, s.describeCertificate),
			cloud.Op(cloud.Operation{Name: "ListCertificates", ReadOnly: true}, s.listCertificates),
			cloud.Op(cloud.Operation{Name: "DeleteCertificate"}, s.deleteCertificate),
		},
	}
}

// Snapshot returns an account's certificates. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	list := []any{}
	for _, arn := range slices.Sorted(maps.Keys(s.certificates)) {
		if c := s.certificates[arn]; c.account == account {
			list = append(list, map[string]any{"arn": arn, "names": c.names, "status": c.status(s.world.Clock.Now())})
		}
	}
	return map[string]any{"certificates": list}
}

// Names returns the names that an issued certificate covers, and false if the account has no such certificate in the Region. Call
// with the world locked.
func (s *Service) Names(arn, account, region string) ([]string, bool) {
	c := s.certificates[arn]
	if c == nil || c.account != account || c.region != region || c.status(s.world.Clock.Now()) != "ISSUED" {
		return nil, false
	}
	return c.names, true
}

// Add creates an issued certificate, like an import, and returns its ARN. Call without the world locked.
func (s *Service) Add(account, region string, names ...string) (arn string) {
	s.world.Do(func() {
		now := s.world.Clock.Now()
		c := &certificate{account: account, region: region, names: names, requested: now, issued: now}
		arn = s.keep(c)
	})
	return arn
}

var certificateARN = regexp.MustCompile(`^arn:aws:acm:([a-z0-9-]+):([0-9]{12}):certificate/[A-Za-z0-9-]+$`)

// Put creates an issued certificate with the given ARN. Call without the world locked.
func (s *Service) Put(arn string, names ...string) (err error) {
	parts := certificateARN.FindStringSubmatch(arn)
	if parts == nil {
		return fmt.Errorf("%q is not arn:aws:acm:<region>:<account>:certificate/<id>", arn)
	}
	if err := checkNames(names); err != nil {
		return err
	}
	s.world.Do(func() {
		now := s.world.Clock.Now()
		s.certificates[arn] = &certificate{arn: arn, account: parts[2], region: parts[1], names: names, requested: now, issued: now}
	})
	return nil
}

func (s *Service) keep(c *certificate) string {
	c.arn = "arn:aws:acm:" + c.region + ":" + c.account + ":certificate/" + s.world.IDs.UUID()
	s.certificates[c.arn] = c
	return c.arn
}

var nameForm = regexp.MustCompile(`^(\*\.)?(([A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+([A-Za-z0-9-]{0,62}[A-Za-z0-9])$`)

func checkNames(names []string) error {
	for _, n := range names {
		if !nameForm.MatchString(n) {
			return cloud.Errorf(400, "ValidationException", "Value '%s' at 'domainName' failed to satisfy constraint: it is not a domain name", n)
		}
	}
	return nil
}

// RequestCertificateInput is the input of RequestCertificate.
type RequestCertificateInput struct {
	DomainName              string
	SubjectAlternativeNames []string
	ValidationMethod        string
	IdempotencyToken        string
	KeyAlgorithm            string
	Tags                    []cloud.Tag
}

// CertificateARN is the output of RequestCertificate, and the input of the operations on one certificate.
type CertificateARN struct {
	CertificateArn string
}

// requestCertificate implements RequestCertificate.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
func (s *Service) requestCertificate(c *cloud.Call, in *RequestCertificateInput) (*CertificateARN, error) {
	if err := c.Authorize("acm:RequestCertificate", "*", map[string][]string{"acm:DomainNames": append([]string{in.DomainName}, in.SubjectAlternativeNames...)}); err != nil {
		return nil, err
	}
	if in.ValidationMethod != "DNS" {
		return nil, cloud.Errorf(400, "ValidationException", "the sandbox validates by DNS only, not by %q", in.ValidationMethod)
	}
	names := append([]string{in.DomainName}, in.SubjectAlternativeNames...)
	if err := checkNames(names); err != nil {
		return nil, err
	}
	arn := s.keep(&certificate{account: c.Account(), region: c.Region, names: names, requested: c.Now(), issued: c.Now().Add(Validation)})
	s.world.Clock.After(Validation, "certificate "+arn+" issued", nil)
	return &CertificateARN{arn}, nil
}

// find authorizes a call on a certificate and returns the certificate.
func (s *Service) find(c *cloud.Call, action, arn string) (*certificate, error) {
	if err := c.Authorize(action, arn, nil); err != nil {
		return nil, err
	}
	found := s.certificates[arn]
	if found == nil || found.account != c.Account() || found.region != c.Region {
		return nil, cloud.Errorf(400, "ResourceNotFoundException", "Could not find certificate %s in account %s.", arn, c.Account())
	}
	return found, nil
}

// DescribeCertificateOutput is the output of DescribeCertificate.
type DescribeCertificateOutput struct{ Certificate Detail }

// Detail is the wire form of a certificate.
type Detail struct {
	CertificateArn          string
	DomainName              string
	SubjectAlternativeNames []string
	Status                  string
	Type                    string
	CreatedAt               time.Time
	IssuedAt                *time.Time `json:",omitempty"`
	InUseBy                 []string
}

// describeCertificate implements DescribeCertificate.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html
func (s *Service) describeCertificate(c *cloud.Call, in *CertificateARN) (*DescribeCertificateOutput, error) {
	found, err := s.find(c, "acm:DescribeCertificate", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	d := Detail{
		CertificateArn: found.arn, DomainName: found.names[0], SubjectAlternativeNames: found.names, Status: found.status(c.Now()),
		Type: "AMAZON_ISSUED", CreatedAt: found.requested, InUseBy: append([]string{}, s.Users(found.arn)...),
	}
	if d.Status == "ISSUED" {
		d.IssuedAt = &found.issued
	}
	return &DescribeCertificateOutput{d}, nil
}

// ListCertificatesInput is the input of ListCertificates.
type ListCertificatesInput struct {
	CertificateStatuses []string
	NextToken           string
	MaxItems            int
}

// ListCertificatesOutput is the output of ListCertificates.
type ListCertificatesOutput struct {
	CertificateSummaryList []Summary
	NextToken              string `json:",omitempty"`
}

// Summary is one certificate of a list.
type Summary struct {
	CertificateArn string
	DomainName     string
	Status         string
}

// listCertificates implements ListCertificates.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html
func (s *Service) listCertificates(c *cloud.Call, in *ListCertificatesInput) (*ListCertificatesOutput, error) {
	if err := c.Authorize("acm:ListCertificates", "*", nil); err != nil {
		return nil, err
	}
	out := &ListCertificatesOutput{CertificateSummaryList: []Summary{}}
	for _, arn := range slices.Sorted(maps.Keys(s.certificates)) {
		found := s.certificates[arn]
		status := found.status(c.Now())
		if found.account == c.Account() && found.region == c.Region && (len(in.CertificateStatuses) == 0 || slices.Contains(in.CertificateStatuses, status)) {
			out.CertificateSummaryList = append(out.CertificateSummaryList, Summary{arn, found.names[0], status})
		}
	}
	const most = 1000
	size := in.MaxItems
	if size == 0 {
		size = most
	}
	if size < 1 || size > most {
		return nil, cloud.Errorf(400, "ValidationException", "1 validation error detected: Value '%d' at 'maxItems' must be from 1 to %d", size, most)
	}
	var ok bool
	if out.CertificateSummaryList, out.NextToken, ok = cloud.Page(out.CertificateSummaryList, in.NextToken, size); !ok {
		return nil, cloud.Errorf(400, "ValidationException", "The nextToken is not valid.")
	}
	return out, nil
}

// Empty is an output without members.
type Empty struct{}

// deleteCertificate implements DeleteCertificate.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html
func (s *Service) deleteCertificate(c *cloud.Call, in *CertificateARN) (*Empty, error) {
	found, err := s.find(c, "acm:DeleteCertificate", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if users := s.Users(found.arn); len(users) > 0 {
		return nil, cloud.Errorf(400, "ResourceInUseException", "Certificate %s is in use by %s.", found.arn, strings.Join(users, ", "))
	}
	delete(s.certificates, found.arn)
	return &Empty{}, nil
}

// properties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html
type properties struct {
	DomainName              string
	SubjectAlternativeNames []string
	ValidationMethod        string
	DomainValidationOptions []struct{ DomainName, HostedZoneId, ValidationDomain string }
	Tags                    []cloud.Tag
}

const certificateType = "AWS::CertificateManager::Certificate"

// ResourceTypes returns the type of certificates.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{{
		Name: certificateType,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) {
			var p properties
			if err := r.DecodeProperties(certificateType, &p); err != nil {
				return nil, err
			}
			names := append([]string{p.DomainName}, p.SubjectAlternativeNames...)
			if err := checkNames(names); err != nil {
				return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
			}
			if p.ValidationMethod != "DNS" {
				return nil, fmt.Errorf("stack %s, resource %s: the sandbox validates by DNS only, not by %q", r.Stack, r.LogicalID, p.ValidationMethod)
			}
			arn := s.Add(r.Account, r.Region, names...)
			return &cloud.Resource{Ref: arn, Attributes: map[string]string{"Arn": arn, "Id": arn}}, nil
		},
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			_, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "acm", "DeleteCertificate", &CertificateARN{old.Ref})
			if err != nil && cloud.AsError(err).Code != "ResourceNotFoundException" {
				return fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
			}
			return nil
		},
	}}
}
