// Package network emulates what other services see of VPCs: EC2's network interfaces, security groups and instances, and
// the load balancers that VPC origins point at. Whatever no template made is derived from its account, Region and ARN.
package network

import (
	"maps"
	"slices"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

// ReleaseDelay is how long the interfaces of a VPC origin outlive it. Assumption NET-05.
const ReleaseDelay = 45 * time.Second

const (
	originTag       = "aws.cloudfront.vpcorigin" // the key that AWSCloudFrontVPCOriginServiceRolePolicy relies on
	serviceGroup    = "CloudFront-VPCOrigins-Service-SG"
	cloudfrontOwner = "vpcorigin.cloudfront.amazonaws.com"
)

// Service is EC2 and Elastic Load Balancing of all accounts and Regions.
type Service struct {
	world      *cloud.World
	interfaces []*eni               // in the order of their creation
	groups     map[string]*group    // service groups of CloudFront, by VPC
	balancers  map[string]*balancer // that a VPC origin points or pointed at, by ARN
	instances  map[string]*instance // likewise
	held       map[string]bool      // VPC origins whose interfaces never go
}

// eni is one network interface.
type eni struct {
	id, account, region, vpc string
	subnet                   subnet
	ip                       string

	kind, description, requester, operator string
	groups                                 []groupName
	tags                                   map[string]string

	origin, endpoint string    // of CloudFront's interfaces
	release          time.Time // when it goes, zero while it is needed
}

// group is one security group.
type group struct {
	id, name, description, account, region, vpc string
	tags                                        map[string]string
}

type groupName struct{ id, name string }

func (g *group) groupName() groupName { return groupName{g.id, g.name} }

// New makes the network that the VPC origins of cf reach into.
func New(w *cloud.World, cf *cloudfront.Service) *Service {
	s := &Service{
		world: w, groups: map[string]*group{}, balancers: map[string]*balancer{}, instances: map[string]*instance{}, held: map[string]bool{},
	}
	cf.Watch(s)
	return s
}

// VpcOriginAttached makes one interface in each subnet of the endpoint. Assumptions NET-02, NET-03 and NET-04.
func (s *Service) VpcOriginAttached(o cloudfront.VpcOriginView) {
	e, ok := parseEndpoint(o.Endpoint)
	if !ok {
		return // CloudFront accepts no other endpoint
	}
	s.discover(e)
	g := s.groups[e.vpc()]
	if g == nil {
		g = &group{
			id: "sg-" + s.world.IDs.Hex(17), name: serviceGroup, description: "CloudFront VPC origins service security group",
			account: e.account, region: e.region, vpc: e.vpc(), tags: map[string]string{originTag: "enabled"},
		}
		s.groups[e.vpc()] = g
	}
	for _, sub := range e.subnets() {
		s.add(&eni{
			account: e.account, region: e.region, vpc: e.vpc(), subnet: sub, kind: "cloudfront_managed",
			description: "CloudFront VPC origin network interface", requester: "amazon-cloudfront", operator: cloudfrontOwner,
			groups: []groupName{g.groupName()}, tags: map[string]string{originTag: "enabled"}, origin: o.ID, endpoint: o.Endpoint,
		})
	}
}

// VpcOriginDetached lets the interfaces go some time after the origin has.
func (s *Service) VpcOriginDetached(o cloudfront.VpcOriginView, at time.Time) {
	for _, n := range s.interfaces {
		if n.origin == o.ID && n.endpoint == o.Endpoint && n.release.IsZero() {
			n.release = at.Add(ReleaseDelay)
		}
	}
	wait := at.Add(ReleaseDelay).Sub(s.world.Clock.Now())
	s.world.Clock.After(wait, "network interfaces of VPC origin "+o.ID+" released", func() { s.world.Do(s.collect) })
}

// collect removes what has been released, and the service groups that nothing needs any more.
func (s *Service) collect() {
	now := s.world.Clock.Now()
	s.interfaces = slices.DeleteFunc(s.interfaces, func(n *eni) bool {
		if n.release.IsZero() || now.Before(n.release) || s.held[n.origin] {
			return false
		}
		s.record(n.account, n.region, "DeleteNetworkInterface", map[string]any{"networkInterfaceId": n.id})
		return true
	})
	for _, vpc := range slices.Sorted(maps.Keys(s.groups)) {
		if !slices.ContainsFunc(s.interfaces, func(n *eni) bool { return n.vpc == vpc && n.origin != "" }) {
			g := s.groups[vpc]
			delete(s.groups, vpc)
			s.record(g.account, g.region, "DeleteSecurityGroup", map[string]any{"groupId": g.id})
		}
	}
}

// record is the CloudTrail record of the service-linked role's call, which is CloudFront's, not a caller's. Assumption NET-06.
func (s *Service) record(account, region, event string, parameters map[string]any) {
	if s.world.Account(account).NoTrail {
		return
	}
	const name = "AWSServiceRoleForCloudFrontVPCOrigin"
	role := "arn:aws:iam::" + account + ":role/aws-service-role/" + cloudfrontOwner + "/" + name
	s.world.Emit(cloud.Event{
		Account: account, Region: region, Source: "aws.ec2", DetailType: "AWS API Call via CloudTrail", Delay: cloud.TrailDelay,
		Detail: map[string]any{
			"eventVersion": "1.11", "eventID": s.world.IDs.UUID(), "eventTime": s.world.Clock.Now().Format("2006-01-02T15:04:05Z"),
			"eventSource": "ec2.amazonaws.com", "eventName": event, "awsRegion": region, "sourceIPAddress": cloudfrontOwner,
			"userAgent": cloudfrontOwner, "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management",
			"recipientAccountId": account, "requestParameters": parameters, "responseElements": map[string]any{"_return": true},
			"userIdentity": map[string]any{
				"type": "AssumedRole", "accountId": account, "invokedBy": cloudfrontOwner,
				"arn": "arn:aws:sts::" + account + ":assumed-role/" + name + "/CloudFront",
				"sessionContext": map[string]any{"sessionIssuer": map[string]any{
					"type": "Role", "arn": role, "accountId": account, "userName": name,
				}},
			},
		},
	})
}

func (s *Service) add(n *eni) {
	n.id, n.ip = "eni-"+s.world.IDs.Hex(17), s.freeAddress(n.subnet)
	s.interfaces = append(s.interfaces, n)
}

// HoldENIs makes the interfaces of a VPC origin stay for ever, as if CloudFront had lost them: a fault. Call without the
// world locked.
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

// ForeignENI is an interface of another service in the VPC that load balancers are derived into.
type ForeignENI struct {
	Account     string            `json:"account"`
	Region      string            `json:"region"`
	Description string            `json:"description"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// AddForeignENI adds such an interface and answers its id. Call without the world locked.
func (s *Service) AddForeignENI(f ForeignENI) (id string) {
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

// ResourceTypes are none: what templates need of a network is derived.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot tells what the network holds for an account. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	interfaces, groups := []any{}, []any{}
	for _, n := range s.interfaces {
		if n.account == account {
			interfaces = append(interfaces, map[string]any{
				"id": n.id, "region": n.region, "vpc": n.vpc, "subnet": n.subnet.id, "type": n.kind, "description": n.description,
				"tags": n.tags, "vpcOrigin": n.origin, "releasing": !n.release.IsZero(),
			})
		}
	}
	for _, vpc := range slices.Sorted(maps.Keys(s.groups)) {
		if g := s.groups[vpc]; g.account == account {
			groups = append(groups, map[string]any{"id": g.id, "name": g.name, "vpc": g.vpc, "region": g.region})
		}
	}
	return map[string]any{"networkInterfaces": interfaces, "securityGroups": groups}
}
