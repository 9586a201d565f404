// Package network emulates the part of VPCs that an origin behind CloudFront needs: EC2's networks, interfaces and security
// groups, interface endpoints, and Elastic Load Balancing. If no template created the endpoint of a VPC origin, the sandbox
// derives the endpoint from its account, Region and ARN.
package network

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

// ReleaseDelay is the time for which the interfaces of a VPC origin remain after its deletion. Assumption NET-05.
const ReleaseDelay = 45 * time.Second

const (
	originTag       = "aws.cloudfront.vpcorigin" // the tag key in AWSCloudFrontVPCOriginServiceRolePolicy
	serviceGroup    = "CloudFront-VPCOrigins-Service-SG"
	cloudfrontOwner = "vpcorigin.cloudfront.amazonaws.com"
)

// Service emulates EC2 and Elastic Load Balancing in all accounts and Regions.
type Service struct {
	world      *cloud.World
	interfaces []*eni               // in the order of their creation
	balancers  map[string]*balancer // derived load balancers that VPC origins use or used, by ARN
	instances  map[string]*instance // derived instances, by ARN
	held       map[string]bool      // VPC origins whose interfaces stay forever

	serviceGroups map[string]*group // CloudFront's service groups, by VPC

	// These were created by templates, by id.
	vpcs         map[string]*vpc
	subnets      map[string]*vpcSubnet
	gateways     map[string]*gateway
	routeTables  map[string]*routeTable
	associations map[string]*association
	groups       map[string]*group
	endpoints    map[string]*vpcEndpoint

	balancing *Balancing
}

// eni is one network interface.
type eni struct {
	id, account, region, vpc string
	subnet                   subnet
	ip                       netip.Addr

	kind, description, requester, operator string
	groups                                 []groupName
	tags                                   map[string]string

	origin, endpoint string    // set for CloudFront's interfaces
	user             string    // set for interfaces of a VPC endpoint or load balancer that a template created
	release          time.Time // when the interface is removed; zero while it is needed
}

// group is one security group.
type group struct {
	id, name, description, account, region, vpc string
	tags                                        map[string]string
	ingress, egress                             []permission
}

type groupName struct{ id, name string }

func (g *group) groupName() groupName { return groupName{g.id, g.name} }

// New returns the network of the VPC origins of cf.
func New(w *cloud.World, cf *cloudfront.Service) *Service {
	s := &Service{
		world: w, balancers: map[string]*balancer{}, instances: map[string]*instance{}, held: map[string]bool{},
		serviceGroups: map[string]*group{}, vpcs: map[string]*vpc{}, subnets: map[string]*vpcSubnet{}, gateways: map[string]*gateway{},
		routeTables: map[string]*routeTable{}, associations: map[string]*association{}, groups: map[string]*group{},
		endpoints: map[string]*vpcEndpoint{},
	}
	s.balancing = newBalancing(s)
	cf.Watch(s)
	return s
}

// VpcOriginAttached creates one interface in each subnet of the endpoint. Assumptions NET-02, NET-03 and NET-04.
func (s *Service) VpcOriginAttached(o cloudfront.VpcOriginView) {
	e, ok := parseEndpoint(o.Endpoint)
	if !ok {
		return // CloudFront accepts no other endpoint
	}
	vpc, subnets := s.place(e)
	g := s.serviceGroups[vpc]
	if g == nil {
		g = &group{
			id: "sg-" + s.world.IDs.Hex(17), name: serviceGroup, description: "CloudFront VPC origins service security group",
			account: e.account, region: e.region, vpc: vpc, tags: map[string]string{originTag: "enabled"},
		}
		s.serviceGroups[vpc] = g
	}
	for _, sub := range subnets {
		s.add(&eni{
			account: e.account, region: e.region, vpc: vpc, subnet: sub, kind: "cloudfront_managed",
			description: "CloudFront VPC origin network interface", requester: "amazon-cloudfront", operator: cloudfrontOwner,
			groups: []groupName{g.groupName()}, tags: map[string]string{originTag: "enabled"}, origin: o.ID, endpoint: o.Endpoint,
		})
	}
}

// place returns the VPC and subnets of an endpoint, as its template says or as derived.
func (s *Service) place(e endpoint) (vpc string, subnets []subnet) {
	if lb := s.balancing.balancers[e.arn]; lb != nil {
		return lb.vpc, lb.subnets
	}
	s.discover(e)
	return e.vpc(), e.subnets()
}

// VpcOriginRefused checks the prerequisites of an endpoint that a template created, and returns what is missing. Assumption
// NET-17.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
func (s *Service) VpcOriginRefused(arn string) string {
	lb := s.balancing.balancers[arn]
	switch {
	case lb == nil && s.balancing.gone[arn]:
		return "The load balancer " + arn + " does not exist."
	case lb == nil:
		return ""
	case !s.hasGateway(lb.vpc):
		return "The VPC " + lb.vpc + " of the load balancer " + arn + " has no internet gateway attached."
	}
	for _, sub := range lb.subnets {
		if _, room := s.freeAddress(sub); !room {
			return "The subnet " + sub.id + " has no available IPv4 address."
		}
	}
	return ""
}

// VpcOriginDetached schedules the removal of the interfaces some time after the VPC origin's.
func (s *Service) VpcOriginDetached(o cloudfront.VpcOriginView, at time.Time) {
	for _, n := range s.interfaces {
		if n.origin == o.ID && n.endpoint == o.Endpoint && n.release.IsZero() {
			n.release = at.Add(ReleaseDelay)
		}
	}
	wait := at.Add(ReleaseDelay).Sub(s.world.Clock.Now())
	s.world.Clock.After(wait, "network interfaces of VPC origin "+o.ID+" released", func() { s.world.Do(s.collect) })
}

// collect removes interfaces whose time has come, and the service groups that nothing uses any more.
func (s *Service) collect() {
	now := s.world.Clock.Now()
	s.interfaces = slices.DeleteFunc(s.interfaces, func(n *eni) bool {
		if n.release.IsZero() || now.Before(n.release) || s.held[n.origin] {
			return false
		}
		s.record(n.account, n.region, vpcOrigins(), "DeleteNetworkInterface", map[string]any{"networkInterfaceId": n.id})
		return true
	})
	for _, vpc := range slices.Sorted(maps.Keys(s.serviceGroups)) {
		if !slices.ContainsFunc(s.interfaces, func(n *eni) bool { return n.vpc == vpc && n.origin != "" }) {
			g := s.serviceGroups[vpc]
			delete(s.serviceGroups, vpc)
			s.record(g.account, g.region, vpcOrigins(), "DeleteSecurityGroup", map[string]any{"groupId": g.id})
		}
	}
}

// actor is an AWS service that acts in an account with its service-linked role.
type actor struct{ service, role, session string }

func vpcOrigins() actor {
	return actor{cloudfrontOwner, "AWSServiceRoleForCloudFrontVPCOrigin", "CloudFront"}
}

func privateLink() actor {
	return actor{"vpce.amazonaws.com", "AWSServiceRoleForVPCEndpoint", "PrivateLink"}
}

// record adds the CloudTrail record of a call that a service-linked role makes. Assumptions NET-06 and NET-11.
func (s *Service) record(account, region string, by actor, event string, parameters map[string]any) {
	role := "arn:aws:iam::" + account + ":role/aws-service-role/" + by.service + "/" + by.role
	s.world.Record(account, region, "aws.ec2", map[string]any{
		"eventSource": "ec2.amazonaws.com", "eventName": event, "sourceIPAddress": by.service, "userAgent": by.service,
		"requestParameters": parameters, "responseElements": map[string]any{"_return": true},
		"userIdentity": map[string]any{
			"type": "AssumedRole", "accountId": account, "invokedBy": by.service,
			"arn": "arn:aws:sts::" + account + ":assumed-role/" + by.role + "/" + by.session,
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{
				"type": "Role", "arn": role, "accountId": account, "userName": by.role,
			}},
		},
	})
}

func (s *Service) add(n *eni) {
	n.id = "eni-" + s.world.IDs.Hex(17)
	n.ip, _ = s.freeAddress(n.subnet) // callers check first that the subnet has a free address
	s.interfaces = append(s.interfaces, n)
}

// HoldENIs makes the interfaces of a VPC origin stay forever, as if CloudFront had lost them. Call without the world locked.
func (s *Service) HoldENIs(originID string) {
	s.world.Do(func() { s.held[originID] = true })
}

// ReleaseENIs undoes HoldENIs. Call without the world locked.
func (s *Service) ReleaseENIs(originID string) {
	s.world.Do(func() {
		delete(s.held, originID)
		s.collect()
	})
}

// UnmanagedENI is a network interface of another service in the VPC of derived load balancers.
type UnmanagedENI struct {
	Account     string            `json:"account"`
	Region      string            `json:"region"`
	Description string            `json:"description"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// AddUnmanagedENI adds a network interface of another service and returns its id. Call without the world locked.
func (s *Service) AddUnmanagedENI(f UnmanagedENI) (id string) {
	s.world.Do(func() {
		n := &eni{
			account: f.Account, region: f.Region, vpc: vpcID(f.Account, f.Region), subnet: subnets(f.Account, f.Region)[0],
			kind: "interface", description: f.Description, requester: "amazon-other", groups: []groupName{defaultGroup(f.Account, f.Region).groupName()},
			tags: f.Tags,
		}
		s.add(n)
		id = n.id
	})
	return id
}

// ResourceTypes returns the types of a private network.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		s.vpcType(), s.subnetType(), s.routeTableType(), s.routeTableAssociationType(), s.internetGatewayType(), s.gatewayAttachmentType(),
		s.securityGroupType(), s.ingressType(), s.egressType(), s.vpcEndpointType(),
	}
}

// Snapshot returns what the network holds for an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	interfaces := []any{}
	for _, n := range s.interfaces {
		if n.account == account {
			interfaces = append(interfaces, map[string]any{
				"id": n.id, "region": n.region, "vpc": n.vpc, "subnet": n.subnet.id, "address": n.ip.String(), "type": n.kind,
				"description": n.description, "tags": n.tags, "vpcOrigin": n.origin, "releasing": !n.release.IsZero(),
			})
		}
	}
	groups := []any{}
	for _, all := range []map[string]*group{s.serviceGroups, s.groups} {
		groups = append(groups, snapshots(all, account, func(g *group) (string, map[string]any) {
			return g.account, map[string]any{"id": g.id, "name": g.name, "vpc": g.vpc, "region": g.region}
		})...)
	}
	return map[string]any{
		"networkInterfaces": interfaces, "securityGroups": groups,
		"vpcs": snapshots(s.vpcs, account, func(v *vpc) (string, map[string]any) {
			return v.account, map[string]any{"id": v.id, "cidr": v.block.String(), "region": v.region}
		}),
		"subnets": snapshots(s.subnets, account, func(n *vpcSubnet) (string, map[string]any) {
			return n.account, map[string]any{"id": n.id, "cidr": n.block.String(), "vpc": n.vpc, "zone": n.zone}
		}),
		"routeTables": snapshots(s.routeTables, account, func(t *routeTable) (string, map[string]any) {
			return t.account, map[string]any{"id": t.id, "vpc": t.vpc}
		}),
		"internetGateways": snapshots(s.gateways, account, func(g *gateway) (string, map[string]any) {
			return g.account, map[string]any{"id": g.id, "vpc": g.vpc, "region": g.region}
		}),
		"vpcEndpoints": snapshots(s.endpoints, account, func(e *vpcEndpoint) (string, map[string]any) {
			return e.account, map[string]any{"id": e.id, "vpc": e.vpc, "service": e.service, "addresses": s.addresses(e.id)}
		}),
	}
}

// snapshots returns an account's items, by id.
func snapshots[T any](all map[string]T, account string, of func(T) (owner string, snapshot map[string]any)) []any {
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if owner, snapshot := of(all[id]); owner == account {
			list = append(list, snapshot)
		}
	}
	return list
}
