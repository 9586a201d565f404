package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const allProtocols = "-1"

// permission is one rule of a security group: protocol, ports, and one peer.
type permission struct {
	id, protocol    string // the id is for a rule with a resource of its own
	from, to        int
	cidr            netip.Prefix
	prefixList      string
	group           string
	peerDescription string
}

// anywhere returns the default rule of a group, which allows all outbound traffic.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
func anywhere() permission {
	return permission{protocol: allProtocols, from: -1, to: -1, cidr: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}
}

// peer is the other side of a connection.
type peer struct {
	address    netip.Addr // not set for CloudFront
	groups     []groupName
	prefixList string // of CloudFront
}

// admits reports whether one of the rules allows TCP to a port, from or to the peer.
func admits(rules []permission, port int, p peer) bool {
	return slices.ContainsFunc(rules, func(r permission) bool {
		if r.protocol != allProtocols && (r.protocol != "tcp" || port < r.from || port > r.to) {
			return false
		}
		return r.prefixList != "" && r.prefixList == p.prefixList ||
			r.group != "" && slices.ContainsFunc(p.groups, func(g groupName) bool { return g.id == r.group }) ||
			r.cidr.IsValid() && (r.cidr.Bits() == 0 || p.address.IsValid() && r.cidr.Contains(p.address))
	})
}

// rulesOf returns the rules of several groups. Traffic passes if one of the rules admits it.
func (s *Service) rulesOf(groups []groupName, of func(*group) []permission) []permission {
	var all []permission
	for _, g := range groups {
		if made := s.groups[g.id]; made != nil {
			all = append(all, of(made)...)
		}
	}
	return all
}

func inbound(g *group) []permission  { return g.ingress }
func outbound(g *group) []permission { return g.egress }

// OriginFacing returns the id of the managed prefix list com.amazonaws.global.cloudfront.origin-facing in a Region. Assumption
// NET-09.
func OriginFacing(region string) string {
	known := map[string]string{
		"us-east-1": "pl-3b927c52", "us-east-2": "pl-b6a144df", "us-west-1": "pl-4ea04527", "us-west-2": "pl-82a045eb",
		"eu-west-1": "pl-4fa04526", "eu-west-2": "pl-93a247fa", "eu-central-1": "pl-a3a144ca",
	}
	if id := known[region]; id != "" {
		return id
	}
	return "pl-" + digest("origin-facing", region)[:8]
}

const originFacingName = "com.amazonaws.global.cloudfront.origin-facing"

// securityGroupProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
type securityGroupProperties struct {
	GroupName            string
	GroupDescription     string
	VpcId                string
	SecurityGroupIngress []ingressProperties
	SecurityGroupEgress  []egressProperties
	Tags                 []cloud.Tag
}

type ruleProperties struct {
	GroupId          string
	IpProtocol       string
	FromPort, ToPort *cloud.Int
	CidrIp           string
	Description      string
}

// ingressProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupingress.html
type ingressProperties struct {
	ruleProperties
	SourcePrefixListId         string
	SourceSecurityGroupId      string
	SourceSecurityGroupOwnerId string
}

// egressProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupegress.html
type egressProperties struct {
	ruleProperties
	DestinationPrefixListId    string
	DestinationSecurityGroupId string
}

func (s *Service) myGroup(id string, r *cloud.ResourceRequest) (*group, error) {
	return mine(s.groups, id, r, func(g *group) (string, string) { return g.account, g.region }, "InvalidGroup.NotFound", "security group")
}

// myGroups returns security groups of one VPC by their ids.
func (s *Service) myGroups(ids []string, vpc string, r *cloud.ResourceRequest) ([]groupName, error) {
	var list []groupName
	for _, id := range ids {
		g, err := s.myGroup(id, r)
		if err != nil {
			return nil, err
		}
		if g.vpc != vpc {
			return nil, cloud.Errorf(400, "InvalidParameter", "Security group %s does not belong to VPC %s", id, vpc)
		}
		list = append(list, g.groupName())
	}
	return list, nil
}

// permission reads a rule. Its peer is a CIDR block, a prefix list or a group.
func (s *Service) permission(r *cloud.ResourceRequest, p ruleProperties, prefixList, groupID string) (permission, error) {
	rule := permission{protocol: p.IpProtocol, from: -1, to: -1, prefixList: prefixList, group: groupID, peerDescription: p.Description}
	switch p.IpProtocol {
	case allProtocols:
	case "tcp", "udp", "icmp":
		if p.FromPort == nil || p.ToPort == nil {
			return rule, cloud.Errorf(400, "InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		rule.from, rule.to = int(*p.FromPort), int(*p.ToPort)
		if p.IpProtocol != "icmp" && (rule.from < 0 || rule.from > rule.to || rule.to > 65535) {
			return rule, cloud.Errorf(400, "InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", rule.from, rule.to)
		}
	default:
		return rule, cloud.Errorf(400, "InvalidPermission.Malformed", "the sandbox knows the protocols tcp, udp, icmp and -1, not %q", p.IpProtocol)
	}
	peers := 0
	if p.CidrIp != "" {
		block, err := netip.ParsePrefix(p.CidrIp)
		if err != nil || !block.Addr().Is4() {
			return rule, cloud.Errorf(400, "InvalidParameterValue", "CIDR block %s is malformed", p.CidrIp)
		}
		rule.cidr = block.Masked()
		peers++
	}
	if prefixList != "" {
		if prefixList != OriginFacing(r.Region) {
			return rule, cloud.Errorf(400, "InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist; %s is %s in %s", prefixList,
				originFacingName, OriginFacing(r.Region), r.Region)
		}
		peers++
	}
	if groupID != "" {
		if _, err := s.anyGroup(groupID, r); err != nil {
			return rule, err
		}
		peers++
	}
	if peers != 1 {
		return rule, cloud.Errorf(400, "InvalidParameterCombination",
			"Exactly one of CidrIp, a prefix list and a security group must be specified as the peer of a rule, not %d", peers)
	}
	return rule, nil
}

// anyGroup returns a group of a template, or the service group of CloudFront.
func (s *Service) anyGroup(id string, r *cloud.ResourceRequest) (*group, error) {
	for _, g := range s.serviceGroups {
		if g.id == id && g.account == r.Account && g.region == r.Region {
			return g, nil
		}
	}
	return s.myGroup(id, r)
}

// addRule adds a rule unless it exists.
func addRule(rules []permission, rule permission) ([]permission, error) {
	same := func(r permission) bool {
		r.id, r.peerDescription = rule.id, rule.peerDescription
		return r == rule
	}
	if slices.ContainsFunc(rules, same) {
		return nil, cloud.Errorf(400, "InvalidPermission.Duplicate", "the specified rule already exists")
	}
	return append(slices.Clone(rules), rule), nil
}

func (s *Service) securityGroupType() cloud.ResourceType {
	update := func(r *cloud.ResourceRequest, p securityGroupProperties, old *cloud.Resource) (*cloud.Resource, error) {
		g := s.groups[old.Ref]
		if p.GroupDescription != g.description || p.VpcId != g.vpc || p.GroupName != "" && p.GroupName != g.name {
			return nil, fmt.Errorf("a new GroupDescription, GroupName or VpcId needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		own := func(r permission) bool { return r.id == "" }
		ingress, egress := slices.DeleteFunc(slices.Clone(g.ingress), own), slices.DeleteFunc(slices.Clone(g.egress), own)
		for _, in := range p.SecurityGroupIngress {
			rule, err := s.permission(r, in.ruleProperties, in.SourcePrefixListId, in.SourceSecurityGroupId)
			if err == nil {
				ingress, err = addRule(ingress, rule)
			}
			if err != nil {
				return nil, err
			}
		}
		for _, out := range p.SecurityGroupEgress {
			rule, err := s.permission(r, out.ruleProperties, out.DestinationPrefixListId, out.DestinationSecurityGroupId)
			if err == nil {
				egress, err = addRule(egress, rule)
			}
			if err != nil {
				return nil, err
			}
		}
		if len(p.SecurityGroupEgress) == 0 {
			egress = append(egress, anywhere())
		}
		g.ingress, g.egress, g.tags = ingress, egress, tagMap(p.Tags)
		return old, nil
	}
	create := func(r *cloud.ResourceRequest, p securityGroupProperties) (*cloud.Resource, error) {
		v, err := s.myVpc(p.VpcId, r)
		if err != nil {
			return nil, err
		}
		name := p.GroupName
		if name == "" {
			name = r.Name(255)
		}
		switch {
		case p.GroupDescription == "":
			return nil, cloud.Errorf(400, "MissingParameter", "The request must contain the parameter GroupDescription")
		case strings.HasPrefix(name, "sg-"):
			return nil, cloud.Errorf(400, "InvalidParameterValue", "Invalid group name %q: it may not begin with sg-", name)
		case strings.HasPrefix(name, serviceGroup):
			// CloudFront reserves the name:
			// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
			return nil, cloud.Errorf(400, "InvalidParameterValue", "Invalid group name %q: %s is reserved", name, serviceGroup)
		}
		for _, other := range s.groups {
			if other.vpc == v.id && other.name == name {
				return nil, cloud.Errorf(400, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, v.id)
			}
		}
		g := &group{
			id: "sg-" + s.world.IDs.Hex(17), name: name, description: p.GroupDescription, account: r.Account, region: r.Region, vpc: v.id,
		}
		s.groups[g.id] = g
		made, err := update(r, p, &cloud.Resource{Ref: g.id, Attributes: map[string]string{"GroupId": g.id, "Id": g.id, "VpcId": v.id}})
		if err != nil {
			delete(s.groups, g.id)
		}
		return made, err
	}
	return inPlace(s, "AWS::EC2::SecurityGroup", create, update, func(id string) error {
		uses := func(r permission) bool { return r.group == id }
		for _, other := range s.groups {
			if other.id != id && (slices.ContainsFunc(other.ingress, uses) || slices.ContainsFunc(other.egress, uses)) {
				return cloud.Errorf(400, "DependencyViolation", "resource %s has a dependent object", id)
			}
		}
		if slices.ContainsFunc(s.interfaces, func(n *eni) bool {
			return slices.ContainsFunc(n.groups, func(g groupName) bool { return g.id == id })
		}) {
			return cloud.Errorf(400, "DependencyViolation", "resource %s has a dependent object", id)
		}
		delete(s.groups, id)
		return nil
	})
}

func (s *Service) ingressType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p ingressProperties) (*cloud.Resource, error) {
		rule, err := s.permission(r, p.ruleProperties, p.SourcePrefixListId, p.SourceSecurityGroupId)
		if err != nil {
			return nil, err
		}
		return s.ruleResource(r, p.GroupId, rule, func(g *group) *[]permission { return &g.ingress })
	}
	return inPlace(s, "AWS::EC2::SecurityGroupIngress", create, nil, s.removeRule)
}

func (s *Service) egressType() cloud.ResourceType {
	create := func(r *cloud.ResourceRequest, p egressProperties) (*cloud.Resource, error) {
		rule, err := s.permission(r, p.ruleProperties, p.DestinationPrefixListId, p.DestinationSecurityGroupId)
		if err != nil {
			return nil, err
		}
		return s.ruleResource(r, p.GroupId, rule, func(g *group) *[]permission { return &g.egress })
	}
	return inPlace(s, "AWS::EC2::SecurityGroupEgress", create, nil, s.removeRule)
}

func (s *Service) ruleResource(r *cloud.ResourceRequest, groupID string, rule permission, of func(*group) *[]permission) (*cloud.Resource, error) {
	g, err := s.myGroup(groupID, r)
	if err != nil {
		return nil, err
	}
	rule.id = "sgr-" + s.world.IDs.Hex(17)
	rules, err := addRule(*of(g), rule)
	if err != nil {
		return nil, err
	}
	*of(g) = rules
	return &cloud.Resource{Ref: rule.id, Attributes: map[string]string{"Id": rule.id}}, nil
}

func (s *Service) removeRule(id string) error {
	this := func(r permission) bool { return r.id == id }
	for _, g := range s.groups {
		g.ingress, g.egress = slices.DeleteFunc(g.ingress, this), slices.DeleteFunc(g.egress, this)
	}
	return nil
}

// Permission is the wire form of a rule of a security group.
type Permission struct {
	IPProtocol    string           `xml:"ipProtocol"`
	FromPort      *int             `xml:"fromPort"`
	ToPort        *int             `xml:"toPort"`
	Groups        []PeerGroup      `xml:"groups>item"`
	IPRanges      []PeerRange      `xml:"ipRanges>item"`
	PrefixListIDs []PeerPrefixList `xml:"prefixListIds>item"`
}

// PeerGroup is the wire form of a group that a rule admits.
type PeerGroup struct {
	UserID      string `xml:"userId"`
	GroupID     string `xml:"groupId"`
	Description string `xml:"description,omitempty"`
}

// PeerRange is the wire form of a block that a rule admits.
type PeerRange struct {
	CidrIP      string `xml:"cidrIp"`
	Description string `xml:"description,omitempty"`
}

// PeerPrefixList is the wire form of a prefix list that a rule admits.
type PeerPrefixList struct {
	PrefixListID string `xml:"prefixListId"`
	Description  string `xml:"description,omitempty"`
}

func wirePermissions(rules []permission, account string) []Permission {
	var list []Permission
	for _, r := range rules {
		p := Permission{IPProtocol: r.protocol}
		if r.protocol != allProtocols {
			p.FromPort, p.ToPort = &r.from, &r.to
		}
		switch {
		case r.group != "":
			p.Groups = []PeerGroup{{account, r.group, r.peerDescription}}
		case r.prefixList != "":
			p.PrefixListIDs = []PeerPrefixList{{r.prefixList, r.peerDescription}}
		default:
			p.IPRanges = []PeerRange{{r.cidr.String(), r.peerDescription}}
		}
		list = append(list, p)
	}
	return list
}

// DescribeManagedPrefixListsInput is the input of DescribeManagedPrefixLists.
type DescribeManagedPrefixListsInput struct {
	ListInput
	PrefixListIDs []string `query:"PrefixListId"`
}

// DescribeManagedPrefixListsOutput is the output of DescribeManagedPrefixLists.
type DescribeManagedPrefixListsOutput struct {
	PrefixLists []ManagedPrefixList `xml:"prefixListSet>item"`
	NextToken   string              `xml:"nextToken,omitempty"`
}

// ManagedPrefixList is the wire form of a managed prefix list.
type ManagedPrefixList struct {
	PrefixListID   string `xml:"prefixListId"`
	PrefixListName string `xml:"prefixListName"`
	PrefixListArn  string `xml:"prefixListArn"`
	AddressFamily  string `xml:"addressFamily"`
	OwnerID        string `xml:"ownerId"`
}

// describeManagedPrefixLists implements DescribeManagedPrefixLists. The only prefix list is that of CloudFront's origin-facing
// servers.
// describeManagedPrefixLists implements DescribeManagedPrefixLists.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeManagedPrefixLists.html
func (s *Service) describeManagedPrefixLists(c *cloud.Call, in *DescribeManagedPrefixListsInput) (*DescribeManagedPrefixListsOutput, error) {
	if err := authorize(c, "ec2:DescribeManagedPrefixLists"); err != nil {
		return nil, err
	}
	id := OriginFacing(c.Region)
	all := map[string]string{id: originFacingName}
	ids := slices.Sorted(maps.Keys(all))
	self := func(id string) string { return id }
	if err := known(in.PrefixListIDs, ids, self, "InvalidPrefixListID.NotFound", "prefix list"); err != nil {
		return nil, err
	}
	found, err := choose(ids, "", in.PrefixListIDs, self, in.Filters, func(id string) facets {
		return facets{"prefix-list-id": {id}, "prefix-list-name": {all[id]}, "owner-id": {"AWS"}}
	})
	if err != nil {
		return nil, err
	}
	out := &DescribeManagedPrefixListsOutput{}
	for _, id := range found {
		out.PrefixLists = append(out.PrefixLists, ManagedPrefixList{
			id, all[id], "arn:aws:ec2:" + c.Region + ":aws:prefix-list/" + id, "IPv4", "AWS",
		})
	}
	return out, nil
}
