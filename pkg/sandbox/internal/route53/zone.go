package route53

import (
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type zone struct {
	account, id, name string // the name is in the form of normal
	reference         string
	comment           string
	records           []RecordSet // in the order of lists
}

// CreateZone adds a zone that exists from the start. It locks the world.
func (s *Service) CreateZone(account, id, name string) {
	s.w.Do(func() { s.addZone(&zone{account: account, id: id, name: normal(name), reference: "sandbox"}) })
}

// addZone adds a zone with the two record sets that every zone has.
func (s *Service) addZone(z *zone) {
	var servers []ResourceRecord
	for _, server := range nameServers() {
		servers = append(servers, ResourceRecord{server + "."})
	}
	ns, soa := 172800, 900
	z.records = []RecordSet{
		{Name: z.name, Type: "NS", TTL: &ns, ResourceRecords: servers},
		{
			Name: z.name, Type: "SOA", TTL: &soa,
			ResourceRecords: []ResourceRecord{{servers[0].Value + " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}},
		},
	}
	s.zones = append(s.zones, z)
	slices.SortStableFunc(s.zones, func(a, b *zone) int { return strings.Compare(reversed(a.name), reversed(b.name)) })
}

func nameServers() []string {
	return []string{"ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net", "ns-2050.awsdns-66.org", "ns-2051.awsdns-67.co.uk"}
}

// open authorizes a call on a zone and returns the zone. Another account's zone is an AccessDenied error, as if it existed.
func (s *Service) open(c *cloud.Call, id string, context map[string][]string) (*zone, error) {
	id = strings.TrimPrefix(id, "/hostedzone/")
	if err := c.Authorize("route53:"+c.Operation.Name, "arn:aws:route53:::hostedzone/"+id, context); err != nil {
		return nil, err
	}
	for _, z := range s.zones {
		if z.id != id {
			continue
		}
		if z.account != c.Account() {
			return nil, cloud.Errorf(403, "AccessDenied", "User: %s is not authorized to access this resource", c.Caller.ARN)
		}
		return z, nil
	}
	return nil, cloud.Errorf(404, "NoSuchHostedZone", "No hosted zone found with ID: %s", id)
}

// HostedZone is the wire form of a zone.
type HostedZone struct {
	ID                     string `xml:"Id"`
	Name                   string
	CallerReference        string
	Config                 HostedZoneConfig
	ResourceRecordSetCount int
}

// HostedZoneConfig has a zone's comment. All zones are public.
type HostedZoneConfig struct {
	Comment     string `xml:",omitempty"`
	PrivateZone bool
}

// DelegationSet has the name servers of a zone.
type DelegationSet struct {
	NameServers []string `xml:"NameServers>NameServer"`
}

func (z *zone) show() HostedZone {
	return HostedZone{
		ID: "/hostedzone/" + z.id, Name: z.name, CallerReference: z.reference, Config: HostedZoneConfig{Comment: z.comment},
		ResourceRecordSetCount: len(z.records),
	}
}

// CreateHostedZoneInput is the input of CreateHostedZone.
type CreateHostedZoneInput struct {
	Name             string
	CallerReference  string
	HostedZoneConfig *HostedZoneConfig
}

// CreateHostedZoneOutput has the new zone.
type CreateHostedZoneOutput struct {
	HostedZone    HostedZone
	ChangeInfo    ChangeInfo
	DelegationSet DelegationSet
	Location      string `loc:"header" name:"Location"`
}

// createHostedZone implements CreateHostedZone.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html
func (s *Service) createHostedZone(c *cloud.Call, in *CreateHostedZoneInput) (*CreateHostedZoneOutput, error) {
	if err := c.Authorize("route53:CreateHostedZone", "*", nil); err != nil {
		return nil, err
	}
	z := &zone{account: c.Account(), id: "Z" + s.w.IDs.Upper(20), name: normal(in.Name), reference: in.CallerReference}
	if in.HostedZoneConfig != nil {
		if in.HostedZoneConfig.PrivateZone {
			return nil, cloud.Errorf(400, "InvalidInput", "The sandbox has no private hosted zones")
		}
		z.comment = in.HostedZoneConfig.Comment
	}
	if in.Name == "" || in.CallerReference == "" {
		return nil, cloud.Errorf(400, "InvalidInput", "A hosted zone needs a Name and a CallerReference")
	}
	for _, other := range s.zones {
		if other.account == z.account && other.reference == z.reference {
			return nil, cloud.Errorf(409, "HostedZoneAlreadyExists",
				"A hosted zone has already been created with the specified caller reference: %s", z.reference)
		}
	}
	s.addZone(z)
	return &CreateHostedZoneOutput{
		HostedZone: z.show(), ChangeInfo: s.submit(c, ""), DelegationSet: DelegationSet{nameServers()},
		Location: "https://route53.amazonaws.com/2013-04-01/hostedzone/" + z.id,
	}, nil
}

// GetHostedZoneInput is the input of GetHostedZone.
type GetHostedZoneInput struct {
	ID string `loc:"uri" name:"Id" json:"id"`
}

// GetHostedZoneOutput has a zone and its name servers.
type GetHostedZoneOutput struct {
	HostedZone    HostedZone
	DelegationSet DelegationSet
}

// getHostedZone implements GetHostedZone.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html
func (s *Service) getHostedZone(c *cloud.Call, in *GetHostedZoneInput) (*GetHostedZoneOutput, error) {
	z, err := s.open(c, in.ID, nil)
	if err != nil {
		return nil, err
	}
	return &GetHostedZoneOutput{z.show(), DelegationSet{nameServers()}}, nil
}

// ListHostedZonesInput is the input of ListHostedZones.
type ListHostedZonesInput struct {
	Marker   string `loc:"query" name:"marker" json:"marker,omitempty"`
	MaxItems string `loc:"query" name:"maxitems" json:"maxItems,omitempty"`
}

// ListHostedZonesOutput is a page of zones.
type ListHostedZonesOutput struct {
	HostedZones []HostedZone `xml:"HostedZones>HostedZone"`
	Marker      string       `xml:",omitempty"`
	IsTruncated bool
	NextMarker  string `xml:",omitempty"`
	MaxItems    int
}

// listHostedZones implements ListHostedZones.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZones.html
func (s *Service) listHostedZones(c *cloud.Call, in *ListHostedZonesInput) (*ListHostedZonesOutput, error) {
	if err := c.Authorize("route53:ListHostedZones", "*", nil); err != nil {
		return nil, err
	}
	size, err := maxItems(in.MaxItems, 100)
	if err != nil {
		return nil, err
	}
	zones := s.of(c.Account())
	if in.Marker != "" {
		i := slices.IndexFunc(zones, func(z *zone) bool { return z.id == in.Marker })
		if i < 0 {
			return nil, cloud.Errorf(400, "InvalidInput", "The marker %s is not valid", in.Marker)
		}
		zones = zones[i:]
	}
	out := &ListHostedZonesOutput{Marker: in.Marker, MaxItems: size}
	if len(zones) > size {
		out.IsTruncated, out.NextMarker = true, zones[size].id
		zones = zones[:size]
	}
	for _, z := range zones {
		out.HostedZones = append(out.HostedZones, z.show())
	}
	return out, nil
}

// ListHostedZonesByNameInput is the input of ListHostedZonesByName.
type ListHostedZonesByNameInput struct {
	DNSName      string `loc:"query" name:"dnsname" json:"dNSName,omitempty"`
	HostedZoneID string `loc:"query" name:"hostedzoneid" json:"hostedZoneId,omitempty"`
	MaxItems     string `loc:"query" name:"maxitems" json:"maxItems,omitempty"`
}

// ListHostedZonesByNameOutput is a page of zones.
type ListHostedZonesByNameOutput struct {
	HostedZones      []HostedZone `xml:"HostedZones>HostedZone"`
	DNSName          string       `xml:",omitempty"`
	HostedZoneID     string       `xml:"HostedZoneId,omitempty"`
	IsTruncated      bool
	NextDNSName      string `xml:",omitempty"`
	NextHostedZoneID string `xml:"NextHostedZoneId,omitempty"`
	MaxItems         int
}

// listHostedZonesByName implements ListHostedZonesByName.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html
func (s *Service) listHostedZonesByName(
	c *cloud.Call, in *ListHostedZonesByNameInput,
) (*ListHostedZonesByNameOutput, error) {
	if err := c.Authorize("route53:ListHostedZonesByName", "*", nil); err != nil {
		return nil, err
	}
	size, err := maxItems(in.MaxItems, 100)
	if err != nil {
		return nil, err
	}
	if in.HostedZoneID != "" && in.DNSName == "" {
		return nil, cloud.Errorf(400, "InvalidInput", "hostedzoneid needs dnsname")
	}
	zones := slices.DeleteFunc(s.of(c.Account()), func(z *zone) bool {
		if in.DNSName == "" {
			return false
		}
		order := strings.Compare(reversed(z.name), reversed(normal(in.DNSName)))
		return order < 0 || order == 0 && in.HostedZoneID != "" && z.id < in.HostedZoneID
	})
	out := &ListHostedZonesByNameOutput{DNSName: in.DNSName, HostedZoneID: in.HostedZoneID, MaxItems: size}
	if len(zones) > size {
		out.IsTruncated, out.NextDNSName, out.NextHostedZoneID = true, zones[size].name, zones[size].id
		zones = zones[:size]
	}
	for _, z := range zones {
		out.HostedZones = append(out.HostedZones, z.show())
	}
	return out, nil
}

// DeleteHostedZoneInput is the input of DeleteHostedZone.
type DeleteHostedZoneInput struct {
	ID string `loc:"uri" name:"Id" json:"id"`
}

// DeleteHostedZoneOutput has the status of the deletion.
type DeleteHostedZoneOutput struct{ ChangeInfo ChangeInfo }

// deleteHostedZone implements DeleteHostedZone.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html
func (s *Service) deleteHostedZone(c *cloud.Call, in *DeleteHostedZoneInput) (*DeleteHostedZoneOutput, error) {
	z, err := s.open(c, in.ID, nil)
	if err != nil {
		return nil, err
	}
	if len(z.records) > 2 {
		return nil, cloud.Errorf(400, "HostedZoneNotEmpty",
			"The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	s.zones = slices.DeleteFunc(s.zones, func(other *zone) bool { return other == z })
	return &DeleteHostedZoneOutput{s.submit(c, "")}, nil
}

// of returns an account's zones by name.
func (s *Service) of(account string) []*zone {
	var list []*zone
	for _, z := range s.zones {
		if z.account == account {
			list = append(list, z)
		}
	}
	return list
}

func maxItems(text string, most int) (int, error) {
	if text == "" {
		return most, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, cloud.Errorf(400, "InvalidInput", "maxitems %q is not a number from 1", text)
	}
	return min(n, most), nil
}
