package network

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// API returns the EC2 operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	return &cloud.Service{
		Name: "ec2", Protocol: cloud.EC2Query, EventSource: "ec2.amazonaws.com", Version: "2016-11-15",
		Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
		Operations: []cloud.Operation{
			cloud.Op(read("DescribeNetworkInterfaces"), s.describeNetworkInterfaces),
			cloud.Op(read("DescribeSecurityGroups"), s.describeSecurityGroups),
			cloud.Op(read("DescribeInstances"), s.describeInstances),
			cloud.Op(read("DescribeVpcs"), s.describeVpcs),
			cloud.Op(read("DescribeSubnets"), s.describeSubnets),
			cloud.Op(read("DescribeInternetGateways"), s.describeInternetGateways),
			cloud.Op(read("DescribeVpcEndpoints"), s.describeVpcEndpoints),
			cloud.Op(read("DescribeManagedPrefixLists"), s.describeManagedPrefixLists),
		},
	}
}

// DescribeNetworkInterfacesInput is the input of DescribeNetworkInterfaces.
type DescribeNetworkInterfacesInput struct {
	Filters             []Filter `query:"Filter"`
	NetworkInterfaceIDs []string `query:"NetworkInterfaceId"`
	// IncludeManagedResources has no effect (assumption NET-07).
	IncludeManagedResources bool   `query:"IncludeManagedResources"`
	MaxResults              int    `query:"MaxResults"`
	NextToken               string `query:"NextToken"`
}

// DescribeNetworkInterfacesOutput is the output of DescribeNetworkInterfaces.
type DescribeNetworkInterfacesOutput struct {
	NetworkInterfaces []NetworkInterface `xml:"networkInterfaceSet>item"`
	NextToken         string             `xml:"nextToken,omitempty"`
}

// NetworkInterface is the wire form of a network interface.
type NetworkInterface struct {
	NetworkInterfaceID string      `xml:"networkInterfaceId"`
	SubnetID           string      `xml:"subnetId"`
	VpcID              string      `xml:"vpcId"`
	AvailabilityZone   string      `xml:"availabilityZone"`
	Description        string      `xml:"description"`
	OwnerID            string      `xml:"ownerId"`
	RequesterID        string      `xml:"requesterId,omitempty"`
	RequesterManaged   bool        `xml:"requesterManaged"`
	Status             string      `xml:"status"`
	PrivateIPAddress   string      `xml:"privateIpAddress"`
	InterfaceType      string      `xml:"interfaceType"`
	SourceDestCheck    bool        `xml:"sourceDestCheck"`
	Groups             []GroupID   `xml:"groupSet>item"`
	Attachment         *Attachment `xml:"attachment"`
	Tags               []Tag       `xml:"tagSet>item"`
	Operator           *Operator   `xml:"operator"`
}

// GroupID is the wire form of a reference to a security group.
type GroupID struct {
	GroupID   string `xml:"groupId"`
	GroupName string `xml:"groupName"`
}

// Attachment is the wire form of an interface's attachment.
type Attachment struct {
	AttachmentID        string `xml:"attachmentId"`
	InstanceOwnerID     string `xml:"instanceOwnerId"`
	DeleteOnTermination bool   `xml:"deleteOnTermination"`
	Status              string `xml:"status"`
}

// Operator is the wire form of the service that manages an interface.
type Operator struct {
	Managed   bool   `xml:"managed"`
	Principal string `xml:"principal,omitempty"`
}

// Tag is the wire form of a tag.
type Tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// describeNetworkInterfaces implements DescribeNetworkInterfaces.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
func (s *Service) describeNetworkInterfaces(c *cloud.Call, in *DescribeNetworkInterfacesInput) (*DescribeNetworkInterfacesOutput, error) {
	if err := authorize(c, "ec2:DescribeNetworkInterfaces"); err != nil {
		return nil, err
	}
	var found []*eni
	for _, n := range s.interfaces {
		if n.account == c.Account() && n.region == c.Region {
			found = append(found, n)
		}
	}
	if err := known(in.NetworkInterfaceIDs, found, func(n *eni) string { return n.id },
		"InvalidNetworkInterfaceID.NotFound", "networkInterface"); err != nil {
		return nil, err
	}
	found, err := choose(found, &eni{}, in.NetworkInterfaceIDs, func(n *eni) string { return n.id }, in.Filters, (*eni).facets)
	if err != nil {
		return nil, err
	}
	items, next, err := page(found, func(n *eni) string { return n.id }, in.NextToken, in.MaxResults, in.NetworkInterfaceIDs)
	if err != nil {
		return nil, err
	}
	out := &DescribeNetworkInterfacesOutput{NextToken: next}
	for _, n := range items {
		out.NetworkInterfaces = append(out.NetworkInterfaces, n.wire())
	}
	return out, nil
}

func (n *eni) wire() NetworkInterface {
	owner := n.account
	if n.requester != "" {
		owner = "amazon-aws"
	}
	w := NetworkInterface{
		NetworkInterfaceID: n.id, SubnetID: n.subnet.id, VpcID: n.vpc, AvailabilityZone: n.subnet.zone, Description: n.description,
		OwnerID: n.account, RequesterID: n.requester, RequesterManaged: n.requester != "", Status: "in-use", PrivateIPAddress: n.ip.String(),
		InterfaceType: n.kind, SourceDestCheck: true, Tags: wireTags(n.tags),
		Attachment: &Attachment{AttachmentID: "eni-attach-" + digest(n.id), InstanceOwnerID: owner, Status: "attached"},
		Operator:   &Operator{n.operator != "", n.operator},
	}
	for _, g := range n.groups {
		w.Groups = append(w.Groups, GroupID{g.id, g.name})
	}
	return w
}

func (n *eni) facets() facets {
	f := facets{
		"vpc-id": {n.vpc}, "subnet-id": {n.subnet.id}, "availability-zone": {n.subnet.zone}, "network-interface-id": {n.id},
		"description": {n.description}, "interface-type": {n.kind}, "status": {"in-use"}, "attachment.status": {"attached"},
		"requester-id": {n.requester}, "requester-managed": {strconv.FormatBool(n.requester != "")}, "owner-id": {n.account},
		"private-ip-address": {n.ip.String()}, "operator.managed": {strconv.FormatBool(n.operator != "")}, "operator.principal": {n.operator},
		"group-id": nil, "group-name": nil,
	}
	for _, g := range n.groups {
		f["group-id"], f["group-name"] = append(f["group-id"], g.id), append(f["group-name"], g.name)
	}
	return f.withTags(n.tags)
}

// DescribeSecurityGroupsInput is the input of DescribeSecurityGroups.
type DescribeSecurityGroupsInput struct {
	Filters    []Filter `query:"Filter"`
	GroupIDs   []string `query:"GroupId"`
	MaxResults int      `query:"MaxResults"`
	NextToken  string   `query:"NextToken"`
}

// DescribeSecurityGroupsOutput is the output of DescribeSecurityGroups.
type DescribeSecurityGroupsOutput struct {
	SecurityGroups []SecurityGroup `xml:"securityGroupInfo>item"`
	NextToken      string          `xml:"nextToken,omitempty"`
}

// SecurityGroup is the wire form of a security group.
type SecurityGroup struct {
	OwnerID          string       `xml:"ownerId"`
	GroupID          string       `xml:"groupId"`
	GroupName        string       `xml:"groupName"`
	GroupDescription string       `xml:"groupDescription"`
	VpcID            string       `xml:"vpcId"`
	Ingress          []Permission `xml:"ipPermissions>item"`
	Egress           []Permission `xml:"ipPermissionsEgress>item"`
	Tags             []Tag        `xml:"tagSet>item"`
	SecurityGroupArn string       `xml:"securityGroupArn"`
}

// describeSecurityGroups implements DescribeSecurityGroups.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
func (s *Service) describeSecurityGroups(c *cloud.Call, in *DescribeSecurityGroupsInput) (*DescribeSecurityGroupsOutput, error) {
	if err := authorize(c, "ec2:DescribeSecurityGroups"); err != nil {
		return nil, err
	}
	all := slices.Concat([]*group{defaultGroup(c.Account(), c.Region)}, slices.Collect(maps.Values(s.serviceGroups)),
		slices.Collect(maps.Values(s.groups)))
	for _, b := range s.balancers {
		all = append(all, b.group())
	}
	all = slices.DeleteFunc(all, func(g *group) bool { return g.account != c.Account() || g.region != c.Region })
	if err := known(in.GroupIDs, all, func(g *group) string { return g.id }, "InvalidGroup.NotFound",
		"security group"); err != nil {
		return nil, err
	}
	found, err := choose(all, &group{}, in.GroupIDs, func(g *group) string { return g.id }, in.Filters, (*group).facets)
	if err != nil {
		return nil, err
	}
	items, next, err := page(found, func(g *group) string { return g.id }, in.NextToken, in.MaxResults, in.GroupIDs)
	if err != nil {
		return nil, err
	}
	out := &DescribeSecurityGroupsOutput{NextToken: next}
	for _, g := range items {
		out.SecurityGroups = append(out.SecurityGroups, SecurityGroup{
			OwnerID: g.account, GroupID: g.id, GroupName: g.name, GroupDescription: g.description, VpcID: g.vpc, Tags: wireTags(g.tags),
			Ingress: wirePermissions(g.ingress, g.account), Egress: wirePermissions(g.egress, g.account),
			SecurityGroupArn: "arn:aws:ec2:" + g.region + ":" + g.account + ":security-group/" + g.id,
		})
	}
	return out, nil
}

func (g *group) facets() facets {
	return facets{
		"vpc-id": {g.vpc}, "group-id": {g.id}, "group-name": {g.name}, "description": {g.description}, "owner-id": {g.account},
	}.withTags(g.tags)
}

// DescribeInstancesInput is the input of DescribeInstances.
type DescribeInstancesInput struct {
	InstanceIDs []string `query:"InstanceId"`
}

// DescribeInstancesOutput is the output of DescribeInstances.
type DescribeInstancesOutput struct {
	Reservations []Reservation `xml:"reservationSet>item"`
}

// Reservation is the wire form of one launch.
type Reservation struct {
	ReservationID string     `xml:"reservationId"`
	OwnerID       string     `xml:"ownerId"`
	Instances     []Instance `xml:"instancesSet>item"`
}

// Instance is the wire form of an instance.
type Instance struct {
	InstanceID       string        `xml:"instanceId"`
	State            InstanceState `xml:"instanceState"`
	PrivateDNSName   string        `xml:"privateDnsName"`
	PrivateIPAddress string        `xml:"privateIpAddress"`
	SubnetID         string        `xml:"subnetId"`
	VpcID            string        `xml:"vpcId"`
	LaunchTime       string        `xml:"launchTime"`
}

// InstanceState is the wire form of an instance's state.
type InstanceState struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

// describeInstances implements DescribeInstances. It returns the instances that VPC origins point to.
// describeInstances implements DescribeInstances.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
func (s *Service) describeInstances(c *cloud.Call, in *DescribeInstancesInput) (*DescribeInstancesOutput, error) {
	if err := authorize(c, "ec2:DescribeInstances"); err != nil {
		return nil, err
	}
	var found []*instance
	for _, arn := range slices.Sorted(maps.Keys(s.instances)) {
		if i := s.instances[arn]; i.account == c.Account() && i.region == c.Region {
			found = append(found, i)
		}
	}
	if err := known(in.InstanceIDs, found, func(i *instance) string { return i.name }, "InvalidInstanceID.NotFound",
		"instance"); err != nil {
		return nil, err
	}
	out := &DescribeInstancesOutput{}
	for _, i := range found {
		if len(in.InstanceIDs) > 0 && !slices.Contains(in.InstanceIDs, i.name) {
			continue
		}
		out.Reservations = append(out.Reservations, Reservation{
			ReservationID: "r-" + digest("reservation", i.arn), OwnerID: i.account, Instances: []Instance{{
				InstanceID: i.name, State: InstanceState{16, "running"}, PrivateIPAddress: i.ip,
				SubnetID: i.subnets()[0].id, VpcID: i.vpc(),
				PrivateDNSName: "ip-" + strings.ReplaceAll(i.ip, ".", "-") + "." + i.region + ".compute.internal",
				LaunchTime:     i.created.Format("2006-01-02T15:04:05.000Z"),
			}},
		})
	}
	return out, nil
}

// authorize checks the permission of an EC2 read, which has no resources.
func authorize(c *cloud.Call, action string) error {
	return c.Authorize(action, "*", map[string][]string{"ec2:Region": {c.Region}})
}

func known[T any](ids []string, items []T, id func(T) string, code, kind string) error {
	for _, want := range ids {
		if !slices.ContainsFunc(items, func(item T) bool { return id(item) == want }) {
			return cloud.Errorf(400, code, "The %s ID '%s' does not exist", kind, want)
		}
	}
	return nil
}

// choose returns the items with the given ids that match the filters, by id.
func choose[T any](items []T, zero T, ids []string, id func(T) string, filters []Filter, of func(T) facets) ([]T, error) {
	// The zero item checks the names of the filters even if there are no items.
	if _, err := of(zero).matches(filters); err != nil {
		return nil, err
	}
	var kept []T
	for _, item := range items {
		ok, err := of(item).matches(filters)
		if err != nil {
			return nil, err
		}
		if ok && (len(ids) == 0 || slices.Contains(ids, id(item))) {
			kept = append(kept, item)
		}
	}
	sort.Slice(kept, func(i, j int) bool { return id(kept[i]) < id(kept[j]) })
	return kept, nil
}

func wireTags(tags map[string]string) []Tag {
	var list []Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, Tag{k, tags[k]})
	}
	return list
}
