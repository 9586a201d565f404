package network

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// vpcEndpoint is an interface endpoint that a template created.
type vpcEndpoint struct {
	id, account, region, vpc string
	service                  string // "com.amazonaws.eu-west-1.execute-api"
	subnets                  []subnet
	groups                   []groupName
	privateDNS               bool
	policy                   string // JSON
	created                  time.Time
	tags                     map[string]string
}

// fullAccess is the default policy of an endpoint.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
const fullAccess = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

// vpcEndpointProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpoint.html
type vpcEndpointProperties struct {
	ServiceName       string
	VpcEndpointType   string
	VpcId             string
	SubnetIds         []string
	SecurityGroupIds  []string
	PrivateDnsEnabled cloud.Bool
	PolicyDocument    json.RawMessage
	Tags              []cloud.Tag
}

func (s *Service) vpcEndpointType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p vpcEndpointProperties) (*cloud.Resource, error) {
		v, err := s.myVpc(p.VpcId, r)
		if err != nil {
			return nil, err
		}
		if err := s.checkEndpoint(r, p, v); err != nil {
			return nil, err
		}
		e := &vpcEndpoint{
			id: "vpce-" + s.world.IDs.Hex(17), account: r.Account, region: r.Region, vpc: v.id, service: p.ServiceName,
			privateDNS: bool(p.PrivateDnsEnabled), policy: fullAccess, created: s.world.Clock.Now(), tags: tagMap(p.Tags),
		}
		if len(p.PolicyDocument) > 0 {
			e.policy = string(p.PolicyDocument)
		}
		ids := p.SecurityGroupIds
		if len(ids) == 0 {
			ids = []string{v.defaultGroup}
		}
		if e.groups, err = s.myGroups(ids, v.id, r); err != nil {
			return nil, err
		}
		if e.subnets, err = s.mySubnets(p.SubnetIds, v.id, r); err != nil {
			return nil, err
		}
		s.endpoints[e.id] = e
		s.attach(e)
		return &cloud.Resource{Ref: e.id, Attributes: map[string]string{"Id": e.id, "CreationTimestamp": e.created.Format(time.RFC3339)}}, nil
	}
	update := func(r *cloud.ResourceRequest, p vpcEndpointProperties, old *cloud.Resource) (*cloud.Resource, error) {
		e := s.endpoints[old.Ref]
		subnets, err := s.mySubnets(p.SubnetIds, e.vpc, r)
		switch {
		case err != nil:
			return nil, err
		case p.VpcId != e.vpc || p.ServiceName != e.service || !slices.Equal(subnets, e.subnets) || bool(p.PrivateDnsEnabled) != e.privateDNS:
			return nil, fmt.Errorf("the sandbox can update only SecurityGroupIds, PolicyDocument and Tags of an endpoint")
		}
		groups, err := s.myGroups(p.SecurityGroupIds, e.vpc, r)
		if err != nil {
			return nil, err
		}
		e.groups, e.tags, e.policy = groups, tagMap(p.Tags), fullAccess
		if len(p.PolicyDocument) > 0 {
			e.policy = string(p.PolicyDocument)
		}
		for _, n := range s.interfaces {
			if n.user == e.id {
				n.groups = groups
			}
		}
		return old, nil
	}
	return inPlace(s, "AWS::EC2::VPCEndpoint", create, update, func(id string) error {
		s.drop(id)
		delete(s.endpoints, id)
		return nil
	})
}

func (s *Service) checkEndpoint(r *cloud.ResourceRequest, p vpcEndpointProperties, v *vpc) error {
	service, known := strings.CutPrefix(p.ServiceName, "com.amazonaws."+r.Region+".")
	switch {
	case p.VpcEndpointType != "Interface":
		return cloud.Errorf(400, "InvalidParameter", "the sandbox makes endpoints with VpcEndpointType Interface only, not %q", p.VpcEndpointType)
	case !known || service == "":
		return cloud.Errorf(400, "InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", p.ServiceName)
	case len(p.SubnetIds) == 0:
		return cloud.Errorf(400, "InvalidParameter", "the sandbox needs SubnetIds: without an interface an endpoint answers nobody")
	case !bool(p.PrivateDnsEnabled):
		return nil
	case !v.dnsSupport || !v.dnsHostname:
		return cloud.Errorf(400, "InvalidParameter",
			"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", v.id)
	}
	for _, other := range s.endpoints {
		if other.vpc == v.id && other.service == p.ServiceName && other.privateDNS {
			return cloud.Errorf(400, "InvalidParameter",
				"private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", p.ServiceName, v.id)
		}
	}
	return nil
}

// mySubnets returns subnets of one VPC in different zones, each with a free address.
func (s *Service) mySubnets(ids []string, vpc string, r *cloud.ResourceRequest) ([]subnet, error) {
	var list []subnet
	for _, id := range ids {
		n, err := s.mySubnet(id, r)
		switch {
		case err != nil:
			return nil, err
		case n.vpc != vpc:
			return nil, cloud.Errorf(400, "InvalidParameter", "Subnet %s does not belong to VPC %s", id, vpc)
		case slices.ContainsFunc(list, func(other subnet) bool { return other.zone == n.zone }):
			return nil, cloud.Errorf(400, "DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s", id)
		}
		if _, room := s.freeAddress(n.subnet); !room {
			return nil, cloud.Errorf(400, "InsufficientFreeAddressesInSubnet", "Insufficient Free Addresses in subnet '%s'.", id)
		}
		list = append(list, n.subnet)
	}
	return list, nil
}

// attach creates one interface in each subnet of an endpoint.
// https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
func (s *Service) attach(e *vpcEndpoint) {
	for _, sub := range e.subnets {
		s.add(&eni{
			account: e.account, region: e.region, vpc: e.vpc, subnet: sub, kind: "vpc_endpoint", description: "VPC Endpoint Interface " + e.id,
			requester: "amazon-vpce", groups: e.groups, user: e.id,
		})
		s.record(e.account, e.region, privateLink(), "CreateNetworkInterface", map[string]any{
			"subnetId": sub.id, "description": "VPC Endpoint Interface " + e.id,
		})
	}
}

// drop removes the interfaces of an endpoint or a load balancer. Assumption NET-10.
func (s *Service) drop(user string) {
	s.interfaces = slices.DeleteFunc(s.interfaces, func(n *eni) bool { return n.user == user })
}

// ReplaceInterfaces gives an interface endpoint other interfaces with other addresses, as AWS may do at any time. It returns the
// new addresses. Call without the world locked.
func (s *Service) ReplaceInterfaces(endpointID string) (addresses []string, err error) {
	s.world.Do(func() { addresses, err = s.replaceInterfaces(endpointID) })
	return addresses, err
}

// ReplaceAllInterfaces is ReplaceInterfaces for every endpoint of an account in a Region.
func (s *Service) ReplaceAllInterfaces(account, region string) {
	s.world.Do(func() {
		for _, id := range slices.Sorted(maps.Keys(s.endpoints)) {
			if e := s.endpoints[id]; e.account == account && e.region == region {
				_, _ = s.replaceInterfaces(id) // an endpoint without free addresses keeps its interfaces
			}
		}
	})
}

func (s *Service) replaceInterfaces(id string) ([]string, error) {
	e := s.endpoints[id]
	if e == nil {
		return nil, cloud.Errorf(400, "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", id)
	}
	for _, sub := range e.subnets {
		if _, room := s.freeAddress(sub); !room {
			return nil, cloud.Errorf(400, "InsufficientFreeAddressesInSubnet", "Insufficient Free Addresses in subnet '%s'.", sub.id)
		}
	}
	old := slices.Clone(s.interfaces)
	s.attach(e) // while the old interfaces still have their addresses
	for _, n := range old {
		if n.user == id {
			s.interfaces = slices.DeleteFunc(s.interfaces, func(other *eni) bool { return other == n })
			s.record(n.account, n.region, privateLink(), "DeleteNetworkInterface", map[string]any{"networkInterfaceId": n.id})
		}
	}
	return s.addresses(id), nil
}

// addresses returns the addresses of a VPC endpoint's or load balancer's interfaces.
func (s *Service) addresses(user string) []string {
	list := []string{}
	for _, n := range s.interfaces {
		if n.user == user {
			list = append(list, n.ip.String())
		}
	}
	return list
}

// EndpointView is an interface endpoint as API Gateway sees it.
type EndpointView struct {
	ID, Account, Region, Vpc string
	Service                  string // "com.amazonaws.eu-west-1.execute-api"
	Policy                   string // JSON
}

// Endpoint returns an interface endpoint by id. Call with the world locked.
func (s *Service) Endpoint(id string) (EndpointView, bool) {
	e := s.endpoints[id]
	if e == nil {
		return EndpointView{}, false
	}
	return e.view(), true
}

func (e *vpcEndpoint) view() EndpointView {
	return EndpointView{ID: e.id, Account: e.account, Region: e.region, Vpc: e.vpc, Service: e.service, Policy: e.policy}
}

// DescribeVpcEndpointsInput is the input of DescribeVpcEndpoints.
type DescribeVpcEndpointsInput struct {
	ListInput
	VpcEndpointIDs []string `query:"VpcEndpointId"`
}

// DescribeVpcEndpointsOutput is the output of DescribeVpcEndpoints.
type DescribeVpcEndpointsOutput struct {
	VpcEndpoints []VpcEndpoint `xml:"vpcEndpointSet>item"`
	NextToken    string        `xml:"nextToken,omitempty"`
}

// VpcEndpoint is the wire form of an endpoint.
type VpcEndpoint struct {
	VpcEndpointID       string     `xml:"vpcEndpointId"`
	VpcEndpointType     string     `xml:"vpcEndpointType"`
	VpcID               string     `xml:"vpcId"`
	ServiceName         string     `xml:"serviceName"`
	State               string     `xml:"state"`
	PolicyDocument      string     `xml:"policyDocument"`
	SubnetIDs           []string   `xml:"subnetIdSet>item"`
	Groups              []GroupID  `xml:"groupSet>item"`
	PrivateDNSEnabled   bool       `xml:"privateDnsEnabled"`
	RequesterManaged    bool       `xml:"requesterManaged"`
	NetworkInterfaceIDs []string   `xml:"networkInterfaceIdSet>item"`
	DNSEntries          []DNSEntry `xml:"dnsEntrySet>item"`
	CreationTimestamp   string     `xml:"creationTimestamp"`
	OwnerID             string     `xml:"ownerId"`
	Tags                []Tag      `xml:"tagSet>item"`
}

// DNSEntry is the wire form of a DNS name of an endpoint.
type DNSEntry struct {
	DNSName string `xml:"dnsName"`
}

// describeVpcEndpoints implements DescribeVpcEndpoints.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html
func (s *Service) describeVpcEndpoints(c *cloud.Call, in *DescribeVpcEndpointsInput) (*DescribeVpcEndpointsOutput, error) {
	out := &DescribeVpcEndpointsOutput{}
	items, next, err := describe(c, "ec2:DescribeVpcEndpoints", in.ListInput, in.VpcEndpointIDs, s.endpoints, described[*vpcEndpoint]{
		"InvalidVpcEndpointId.NotFound", "VPC endpoint", &vpcEndpoint{}, func(e *vpcEndpoint) (string, string, string) { return e.id, e.account, e.region },
		func(e *vpcEndpoint) facets {
			return facets{
				"vpc-id": {e.vpc}, "vpc-endpoint-id": {e.id}, "service-name": {e.service}, "vpc-endpoint-type": {"Interface"},
				"vpc-endpoint-state": {"available"},
			}.withTags(e.tags)
		},
	})
	for _, e := range items {
		w := VpcEndpoint{
			VpcEndpointID: e.id, VpcEndpointType: "Interface", VpcID: e.vpc, ServiceName: e.service, State: "available", PolicyDocument: e.policy,
			PrivateDNSEnabled: e.privateDNS, OwnerID: e.account, Tags: wireTags(e.tags), CreationTimestamp: e.created.Format("2006-01-02T15:04:05.000Z"),
			DNSEntries: []DNSEntry{{e.id + "-" + digest(e.id)[:8] + "." + e.service[strings.LastIndex(e.service, ".")+1:] + "." + e.region + ".vpce.amazonaws.com"}},
		}
		for _, sub := range e.subnets {
			w.SubnetIDs = append(w.SubnetIDs, sub.id)
		}
		for _, g := range e.groups {
			w.Groups = append(w.Groups, GroupID{g.id, g.name})
		}
		for _, n := range s.interfaces {
			if n.user == e.id {
				w.NetworkInterfaceIDs = append(w.NetworkInterfaceIDs, n.id)
			}
		}
		out.VpcEndpoints = append(out.VpcEndpoints, w)
	}
	out.NextToken = next
	return out, err
}
