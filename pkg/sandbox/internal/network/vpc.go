package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// vpc is a VPC that a template created.
type vpc struct {
	id, account, region     string
	block                   netip.Prefix
	dnsSupport, dnsHostname bool
	defaultGroup            string
	tags                    map[string]string
}

// vpcSubnet is one subnet of a VPC.
type vpcSubnet struct {
	subnet
	account, region, vpc string
	tags                 map[string]string
}

type gateway struct {
	id, account, region string
	vpc                 string // the VPC that it is attached to
	tags                map[string]string
}

type routeTable struct{ id, account, region, vpc string }

type association struct{ id, subnet, table string }

// inPlace returns a resource type with properties P, whose functions change state without an API call. They run with the world
// locked. A nil update means that the sandbox cannot update the resource.
func inPlace[P any](s *Service, name string, create func(r *cloud.ResourceRequest, p P) (*cloud.Resource, error),
	update func(r *cloud.ResourceRequest, p P, old *cloud.Resource) (*cloud.Resource, error), remove func(id string) error,
) cloud.ResourceType {
	locked := func(r *cloud.ResourceRequest, f func(p P) (*cloud.Resource, error)) (*cloud.Resource, error) {
		var p P
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		var made *cloud.Resource
		var err error
		s.world.Do(func() { made, err = f(p) })
		if err != nil {
			return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
		}
		return made, nil
	}
	t := cloud.ResourceType{
		Name: name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) {
			return locked(r, func(p P) (*cloud.Resource, error) { return create(r, p) })
		},
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			var err error
			s.world.Do(func() { err = remove(old.Ref) })
			if err != nil {
				return fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
			}
			return nil
		},
	}
	if update != nil {
		t.Update = func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
			return locked(r, func(p P) (*cloud.Resource, error) { return update(r, p, old) })
		}
	}
	return t
}

// mine returns what a template names. In another account or Region it does not exist.
func mine[T any](all map[string]T, id string, r *cloud.ResourceRequest, of func(T) (account, region string), code, kind string) (T, error) {
	if found, ok := all[id]; ok {
		if account, region := of(found); account == r.Account && region == r.Region {
			return found, nil
		}
	}
	var none T
	return none, cloud.Errorf(400, code, "The %s ID '%s' does not exist", kind, id)
}

func (s *Service) myVpc(id string, r *cloud.ResourceRequest) (*vpc, error) {
	return mine(s.vpcs, id, r, func(v *vpc) (string, string) { return v.account, v.region }, "InvalidVpcID.NotFound", "vpc")
}

func (s *Service) mySubnet(id string, r *cloud.ResourceRequest) (*vpcSubnet, error) {
	return mine(s.subnets, id, r, func(n *vpcSubnet) (string, string) { return n.account, n.region }, "InvalidSubnetID.NotFound", "subnet")
}

// dependency returns the error of deleting what is still in use.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func dependency(kind, id string) error {
	return cloud.Errorf(400, "DependencyViolation", "The %s '%s' has dependencies and cannot be deleted.", kind, id)
}

// cidr reads an IPv4 CIDR block with a size that a VPC or subnet can have.
func cidr(text, code string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() || p.Masked() != p {
		return netip.Prefix{}, cloud.Errorf(400, "InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	}
	if p.Bits() < 16 || p.Bits() > 28 {
		return netip.Prefix{}, cloud.Errorf(400, code, "The CIDR '%s' is invalid.", text)
	}
	return p, nil
}

// vpcProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpc.html
type vpcProperties struct {
	CidrBlock          string
	EnableDnsSupport   *cloud.Bool
	EnableDnsHostnames cloud.Bool
	InstanceTenancy    string
	Tags               []cloud.Tag
}

func (s *Service) vpcType() cloud.ResourceType {
	update := func(_ *cloud.ResourceRequest, p vpcProperties, old *cloud.Resource) (*cloud.Resource, error) {
		v := s.vpcs[old.Ref]
		if p.CidrBlock != v.block.String() {
			return nil, fmt.Errorf("a new CidrBlock needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		v.dnsSupport, v.dnsHostname, v.tags = p.EnableDnsSupport == nil || bool(*p.EnableDnsSupport), bool(p.EnableDnsHostnames), tagMap(p.Tags)
		return old, nil
	}
	create := func(r *cloud.ResourceRequest, p vpcProperties) (*cloud.Resource, error) {
		block, err := cidr(p.CidrBlock, "InvalidVpc.Range")
		if err != nil {
			return nil, err
		}
		if p.InstanceTenancy != "" && p.InstanceTenancy != "default" {
			return nil, cloud.Errorf(400, "InvalidParameterValue", "the sandbox knows InstanceTenancy default only, not %s", p.InstanceTenancy)
		}
		v := &vpc{id: "vpc-" + s.world.IDs.Hex(17), account: r.Account, region: r.Region, block: block}
		g := &group{
			id: "sg-" + s.world.IDs.Hex(17), name: "default", description: "default VPC security group", account: r.Account, region: r.Region, vpc: v.id,
			egress: []permission{anywhere()},
		}
		g.ingress = []permission{{protocol: allProtocols, group: g.id}}
		v.defaultGroup = g.id
		s.vpcs[v.id], s.groups[g.id] = v, g
		made := &cloud.Resource{Ref: v.id, Attributes: map[string]string{
			"VpcId": v.id, "CidrBlock": block.String(), "DefaultSecurityGroup": g.id,
		}}
		return update(r, p, made)
	}
	return inPlace(s, "AWS::EC2::VPC", create, update, func(id string) error {
		v := s.vpcs[id]
		used := func(other string) bool { return other == id }
		for _, n := range s.subnets {
			if used(n.vpc) {
				return dependency("vpc", id)
			}
		}
		for _, g := range s.gateways {
			if used(g.vpc) {
				return dependency("vpc", id)
			}
		}
		for _, t := range s.routeTables {
			if used(t.vpc) {
				return dependency("vpc", id)
			}
		}
		for _, g := range s.groups {
			if used(g.vpc) && g.id != v.defaultGroup {
				return dependency("vpc", id)
			}
		}
		if s.serviceGroups[id] != nil {
			return dependency("vpc", id)
		}
		delete(s.groups, v.defaultGroup)
		delete(s.vpcs, id)
		return nil
	})
}

// subnetProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-subnet.html
type subnetProperties struct {
	VpcId               string
	CidrBlock           string
	AvailabilityZone    string
	AvailabilityZoneId  string
	MapPublicIpOnLaunch cloud.Bool
	Tags                []cloud.Tag
}

func (s *Service) subnetType() cloud.ResourceType {
	update := func(_ *cloud.ResourceRequest, p subnetProperties, old *cloud.Resource) (*cloud.Resource, error) {
		n := s.subnets[old.Ref]
		zone, err := p.zone(n.region)
		if err != nil {
			return nil, err
		}
		if p.CidrBlock != n.block.String() || p.VpcId != n.vpc || zone != n.zone {
			return nil, fmt.Errorf("a new CidrBlock, VpcId or Availability Zone needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		n.tags = tagMap(p.Tags)
		return old, nil
	}
	create := func(r *cloud.ResourceRequest, p subnetProperties) (*cloud.Resource, error) {
		v, err := s.myVpc(p.VpcId, r)
		if err != nil {
			return nil, err
		}
		block, err := cidr(p.CidrBlock, "InvalidSubnet.Range")
		if err != nil {
			return nil, err
		}
		if !v.block.Contains(block.Addr()) || block.Bits() < v.block.Bits() {
			return nil, cloud.Errorf(400, "InvalidSubnet.Range", "The CIDR '%s' is invalid.", p.CidrBlock)
		}
		for _, other := range s.subnets {
			if other.vpc == v.id && other.block.Overlaps(block) {
				return nil, cloud.Errorf(400, "InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", p.CidrBlock)
			}
		}
		zone, err := p.zone(r.Region)
		if err != nil {
			return nil, err
		}
		n := &vpcSubnet{subnet{"subnet-" + s.world.IDs.Hex(17), zone, block}, r.Account, r.Region, v.id, nil}
		s.subnets[n.id] = n
		return update(r, p, &cloud.Resource{Ref: n.id, Attributes: map[string]string{
			"SubnetId": n.id, "VpcId": v.id, "CidrBlock": block.String(), "AvailabilityZone": zone,
		}})
	}
	return inPlace(s, "AWS::EC2::Subnet", create, update, func(id string) error {
		for _, a := range s.associations {
			if a.subnet == id {
				return dependency("subnet", id)
			}
		}
		if slices.ContainsFunc(s.interfaces, func(n *eni) bool { return n.subnet.id == id }) {
			return dependency("subnet", id)
		}
		delete(s.subnets, id)
		return nil
	})
}

// zone returns the template's zone of the subnet, or the Region's first zone by default. Assumption NET-08.
func (p subnetProperties) zone(region string) (string, error) {
	for i, letter := range []string{"a", "b", "c"} {
		name := region + letter
		switch {
		case p.AvailabilityZone != "" && p.AvailabilityZoneId != "":
			return "", cloud.Errorf(400, "InvalidParameterCombination", "Only one of AvailabilityZone and AvailabilityZoneId may be specified")
		case p.AvailabilityZone == name, p.AvailabilityZoneId == fmt.Sprintf("%s-az%d", zonePrefix(region), i+1),
			p.AvailabilityZone+p.AvailabilityZoneId == "":
			return name, nil
		}
	}
	return "", cloud.Errorf(400, "InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. %s has the zones a to c, whose ids are %s-az1 to -az3.",
		p.AvailabilityZone+p.AvailabilityZoneId, region, zonePrefix(region))
}

// zonePrefix returns the short form of a Region in zone ids: use1 for us-east-1, apse2 for ap-southeast-2.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
func zonePrefix(region string) string {
	short := strings.NewReplacer("northeast", "ne", "northwest", "nw", "southeast", "se", "southwest", "sw", "north", "n", "south", "s", "east", "e",
		"west", "w", "central", "c", "-", "")
	return short.Replace(region)
}

// routeTableProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-routetable.html
type routeTableProperties struct {
	VpcId string
	Tags  []cloud.Tag
}

func (s *Service) routeTableType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p routeTableProperties) (*cloud.Resource, error) {
		v, err := s.myVpc(p.VpcId, r)
		if err != nil {
			return nil, err
		}
		t := &routeTable{"rtb-" + s.world.IDs.Hex(17), r.Account, r.Region, v.id}
		s.routeTables[t.id] = t
		return &cloud.Resource{Ref: t.id, Attributes: map[string]string{"RouteTableId": t.id}}, nil
	}
	return inPlace(s, "AWS::EC2::RouteTable", create, nil, func(id string) error {
		for _, a := range s.associations {
			if a.table == id {
				return dependency("routeTable", id)
			}
		}
		delete(s.routeTables, id)
		return nil
	})
}

// routeTableAssociationProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-subnetroutetableassociation.html
type routeTableAssociationProperties struct{ SubnetId, RouteTableId string }

func (s *Service) routeTableAssociationType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p routeTableAssociationProperties) (*cloud.Resource, error) {
		n, err := s.mySubnet(p.SubnetId, r)
		if err != nil {
			return nil, err
		}
		t, err := mine(s.routeTables, p.RouteTableId, r, func(t *routeTable) (string, string) { return t.account, t.region },
			"InvalidRouteTableID.NotFound", "routeTable")
		if err != nil {
			return nil, err
		}
		if t.vpc != n.vpc {
			return nil, cloud.Errorf(400, "InvalidParameterValue", "route table %s and subnet %s belong to different networks", t.id, n.id)
		}
		for _, a := range s.associations {
			if a.subnet == n.id {
				return nil, cloud.Errorf(400, "Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.id)
			}
		}
		a := &association{"rtbassoc-" + s.world.IDs.Hex(17), n.id, t.id}
		s.associations[a.id] = a
		return &cloud.Resource{Ref: a.id, Attributes: map[string]string{"Id": a.id}}, nil
	}
	return inPlace(s, "AWS::EC2::SubnetRouteTableAssociation", create, nil, func(id string) error {
		delete(s.associations, id)
		return nil
	})
}

// internetGatewayProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-internetgateway.html
type internetGatewayProperties struct{ Tags []cloud.Tag }

func (s *Service) internetGatewayType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p internetGatewayProperties) (*cloud.Resource, error) {
		g := &gateway{id: "igw-" + s.world.IDs.Hex(17), account: r.Account, region: r.Region, tags: tagMap(p.Tags)}
		s.gateways[g.id] = g
		return &cloud.Resource{Ref: g.id, Attributes: map[string]string{"InternetGatewayId": g.id}}, nil
	}
	return inPlace(s, "AWS::EC2::InternetGateway", create, nil, func(id string) error {
		if s.gateways[id].vpc != "" {
			return dependency("internetGateway", id)
		}
		delete(s.gateways, id)
		return nil
	})
}

// gatewayAttachmentProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcgatewayattachment.html
type gatewayAttachmentProperties struct{ VpcId, InternetGatewayId string }

func (s *Service) gatewayAttachmentType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p gatewayAttachmentProperties) (*cloud.Resource, error) {
		v, err := s.myVpc(p.VpcId, r)
		if err != nil {
			return nil, err
		}
		g, err := mine(s.gateways, p.InternetGatewayId, r, func(g *gateway) (string, string) { return g.account, g.region },
			"InvalidInternetGatewayID.NotFound", "internetGateway")
		if err != nil {
			return nil, err
		}
		if g.vpc != "" {
			return nil, cloud.Errorf(400, "Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.id, g.vpc)
		}
		for _, other := range s.gateways {
			if other.vpc == v.id {
				return nil, cloud.Errorf(400, "InvalidParameterValue", "Network %s already has an internet gateway attached", v.id)
			}
		}
		g.vpc = v.id
		return &cloud.Resource{Ref: "IGW|" + v.id, Attributes: map[string]string{"AttachmentType": "IGW"}}, nil
	}
	return inPlace(s, "AWS::EC2::VPCGatewayAttachment", create, nil, func(ref string) error {
		for _, g := range s.gateways {
			if "IGW|"+g.vpc == ref {
				g.vpc = ""
			}
		}
		return nil
	})
}

// hasGateway reports whether an internet gateway is attached to the VPC.
func (s *Service) hasGateway(vpc string) bool {
	for _, g := range s.gateways {
		if g.vpc == vpc {
			return true
		}
	}
	return false
}

func tagMap(tags []cloud.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// ListInput is the input of the Describe operations that take only filters and ids.
type ListInput struct {
	Filters    []Filter `query:"Filter"`
	MaxResults int      `query:"MaxResults"`
	NextToken  string   `query:"NextToken"`
}

// DescribeVpcsInput is the input of DescribeVpcs.
type DescribeVpcsInput struct {
	ListInput
	VpcIDs []string `query:"VpcId"`
}

// DescribeVpcsOutput is the output of DescribeVpcs.
type DescribeVpcsOutput struct {
	Vpcs      []Vpc  `xml:"vpcSet>item"`
	NextToken string `xml:"nextToken,omitempty"`
}

// Vpc is the wire form of a VPC.
type Vpc struct {
	VpcID     string `xml:"vpcId"`
	OwnerID   string `xml:"ownerId"`
	State     string `xml:"state"`
	CidrBlock string `xml:"cidrBlock"`
	IsDefault bool   `xml:"isDefault"`
	Tags      []Tag  `xml:"tagSet>item"`
}

// describeVpcs implements DescribeVpcs. It returns the VPCs that templates created.
// describeVpcs implements DescribeVpcs.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
func (s *Service) describeVpcs(c *cloud.Call, in *DescribeVpcsInput) (*DescribeVpcsOutput, error) {
	out := &DescribeVpcsOutput{}
	items, next, err := describe(c, "ec2:DescribeVpcs", in.ListInput, in.VpcIDs, s.vpcs, described[*vpc]{
		"InvalidVpcID.NotFound", "vpc", &vpc{}, func(v *vpc) (string, string, string) { return v.id, v.account, v.region },
		func(v *vpc) facets {
			return facets{"vpc-id": {v.id}, "cidr": {v.block.String()}, "owner-id": {v.account}, "state": {"available"}}.withTags(v.tags)
		},
	})
	for _, v := range items {
		out.Vpcs = append(out.Vpcs, Vpc{v.id, v.account, "available", v.block.String(), false, wireTags(v.tags)})
	}
	out.NextToken = next
	return out, err
}

// described says how to find the items of a Describe operation.
type described[T any] struct {
	code, kind string // of the error for an unknown id
	zero       T
	of         func(T) (id, account, region string)
	facets     func(T) facets
}

// describe authorizes a Describe operation and returns its page.
func describe[T any](c *cloud.Call, action string, in ListInput, ids []string, all map[string]T, d described[T]) ([]T, string, error) {
	if err := authorize(c, action); err != nil {
		return nil, "", err
	}
	id := func(item T) string { id, _, _ := d.of(item); return id }
	var found []T
	for _, item := range all {
		if _, account, region := d.of(item); account == c.Account() && region == c.Region {
			found = append(found, item)
		}
	}
	if err := known(ids, found, id, d.code, d.kind); err != nil {
		return nil, "", err
	}
	found, err := choose(found, d.zero, ids, id, in.Filters, d.facets)
	if err != nil {
		return nil, "", err
	}
	return page(found, id, in.NextToken, in.MaxResults, ids)
}

// DescribeSubnetsInput is the input of DescribeSubnets.
type DescribeSubnetsInput struct {
	ListInput
	SubnetIDs []string `query:"SubnetId"`
}

// DescribeSubnetsOutput is the output of DescribeSubnets.
type DescribeSubnetsOutput struct {
	Subnets   []Subnet `xml:"subnetSet>item"`
	NextToken string   `xml:"nextToken,omitempty"`
}

// Subnet is the wire form of a subnet.
type Subnet struct {
	SubnetID         string `xml:"subnetId"`
	VpcID            string `xml:"vpcId"`
	OwnerID          string `xml:"ownerId"`
	State            string `xml:"state"`
	CidrBlock        string `xml:"cidrBlock"`
	AvailabilityZone string `xml:"availabilityZone"`
	Available        int    `xml:"availableIpAddressCount"`
	Tags             []Tag  `xml:"tagSet>item"`
}

// describeSubnets implements DescribeSubnets. It returns the subnets that templates created.
// describeSubnets implements DescribeSubnets.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html
func (s *Service) describeSubnets(c *cloud.Call, in *DescribeSubnetsInput) (*DescribeSubnetsOutput, error) {
	out := &DescribeSubnetsOutput{}
	items, next, err := describe(c, "ec2:DescribeSubnets", in.ListInput, in.SubnetIDs, s.subnets, described[*vpcSubnet]{
		"InvalidSubnetID.NotFound", "subnet", &vpcSubnet{}, func(n *vpcSubnet) (string, string, string) { return n.id, n.account, n.region },
		func(n *vpcSubnet) facets {
			return facets{
				"vpc-id": {n.vpc}, "subnet-id": {n.id}, "availability-zone": {n.zone}, "cidr-block": {n.block.String()}, "owner-id": {n.account},
			}.withTags(n.tags)
		},
	})
	for _, n := range items {
		out.Subnets = append(out.Subnets, Subnet{
			n.id, n.vpc, n.account, "available", n.block.String(), n.zone, s.available(n.subnet), wireTags(n.tags),
		})
	}
	out.NextToken = next
	return out, err
}

// available returns the number of free addresses of a subnet.
func (s *Service) available(sub subnet) int {
	free := 1<<(32-sub.block.Bits()) - 5
	for _, n := range s.interfaces {
		if n.subnet.id == sub.id {
			free--
		}
	}
	return free
}

// DescribeInternetGatewaysInput is the input of DescribeInternetGateways.
type DescribeInternetGatewaysInput struct {
	ListInput
	InternetGatewayIDs []string `query:"InternetGatewayId"`
}

// DescribeInternetGatewaysOutput is the output of DescribeInternetGateways.
type DescribeInternetGatewaysOutput struct {
	InternetGateways []InternetGateway `xml:"internetGatewaySet>item"`
	NextToken        string            `xml:"nextToken,omitempty"`
}

// InternetGateway is the wire form of an internet gateway.
type InternetGateway struct {
	InternetGatewayID string              `xml:"internetGatewayId"`
	OwnerID           string              `xml:"ownerId"`
	Attachments       []GatewayAttachment `xml:"attachmentSet>item"`
	Tags              []Tag               `xml:"tagSet>item"`
}

// GatewayAttachment is the wire form of an internet gateway's attachment.
type GatewayAttachment struct {
	VpcID string `xml:"vpcId"`
	State string `xml:"state"`
}

// describeInternetGateways implements DescribeInternetGateways. It returns the internet gateways that templates created.
// describeInternetGateways implements DescribeInternetGateways.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html
func (s *Service) describeInternetGateways(c *cloud.Call, in *DescribeInternetGatewaysInput) (*DescribeInternetGatewaysOutput, error) {
	out := &DescribeInternetGatewaysOutput{}
	items, next, err := describe(c, "ec2:DescribeInternetGateways", in.ListInput, in.InternetGatewayIDs, s.gateways, described[*gateway]{
		"InvalidInternetGatewayID.NotFound", "internetGateway", &gateway{}, func(g *gateway) (string, string, string) { return g.id, g.account, g.region },
		func(g *gateway) facets {
			f := facets{"internet-gateway-id": {g.id}, "owner-id": {g.account}, "attachment.vpc-id": nil, "attachment.state": nil}
			if g.vpc != "" {
				f["attachment.vpc-id"], f["attachment.state"] = []string{g.vpc}, []string{"available"}
			}
			return f.withTags(g.tags)
		},
	})
	for _, g := range items {
		w := InternetGateway{InternetGatewayID: g.id, OwnerID: g.account, Tags: wireTags(g.tags)}
		if g.vpc != "" {
			w.Attachments = []GatewayAttachment{{g.vpc, "available"}}
		}
		out.InternetGateways = append(out.InternetGateways, w)
	}
	out.NextToken = next
	return out, err
}
