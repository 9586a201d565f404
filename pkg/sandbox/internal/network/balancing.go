package network

import (
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Balancing emulates Elastic Load Balancing in the networks of a Service.
type Balancing struct {
	network *Service
	// Certificate returns the names that a certificate covers, and false if the account has no such certificate in the Region.
	// Set while the sandbox is assembled. Called with the world locked.
	Certificate func(arn, account, region string) (names []string, ok bool)
	// Probe returns the status of a health check of what is behind an interface endpoint. Set while the sandbox is assembled.
	// Called with the world locked.
	Probe func(endpoint EndpointView, host, path string) int

	// These were created by templates, by ARN.
	balancers    map[string]*loadBalancer
	listeners    map[string]*listener
	rules        map[string]*rule
	targetGroups map[string]*targetGroup
	gone         map[string]bool // deleted load balancers, so that they are not derived from their ARN again
}

func newBalancing(s *Service) *Balancing {
	return &Balancing{
		network: s, balancers: map[string]*loadBalancer{}, listeners: map[string]*listener{}, rules: map[string]*rule{},
		targetGroups: map[string]*targetGroup{}, gone: map[string]bool{},
		Certificate: func(string, string, string) ([]string, bool) { return nil, false },
		Probe:       func(EndpointView, string, string) int { return 0 },
	}
}

// Balancing returns the network's load balancing API.
func (s *Service) Balancing() *Balancing { return s.balancing }

// ResourceTypes returns the types of an Application Load Balancer.
func (b *Balancing) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{b.loadBalancerType(), b.listenerType(), b.ruleType(), b.targetGroupType()}
}

// Snapshot returns an account's load balancers that templates created or that VPC origins use, with their listeners and target
// groups. Call with the world locked.
func (b *Balancing) Snapshot(account string) map[string]any {
	balancers := snapshots(b.network.balancers, account, func(lb *balancer) (string, map[string]any) {
		return lb.account, map[string]any{
			"arn": lb.arn, "name": lb.name, "dnsName": lb.dnsName(), "region": lb.region, "vpc": lb.vpc(),
		}
	})
	balancers = append(balancers, snapshots(b.balancers, account, func(lb *loadBalancer) (string, map[string]any) {
		return lb.account, map[string]any{
			"arn": lb.arn, "name": lb.name, "dnsName": lb.dnsName(), "region": lb.region, "vpc": lb.vpc,
			"addresses": b.network.addresses(lb.arn),
		}
	})...)
	return map[string]any{
		"loadBalancers": balancers,
		"listeners": snapshots(b.listeners, account, func(l *listener) (string, map[string]any) {
			return cloud.AccountOf(l.arn), map[string]any{"arn": l.arn, "port": l.port, "protocol": l.protocol}
		}),
		"rules": snapshots(b.rules, account, func(r *rule) (string, map[string]any) {
			return cloud.AccountOf(r.arn), map[string]any{"arn": r.arn, "priority": r.priority}
		}),
		"targetGroups": snapshots(b.targetGroups, account, func(g *targetGroup) (string, map[string]any) {
			targets := []any{}
			for _, t := range b.targetsOf(g) {
				h := b.health(g, t)
				targets = append(targets, map[string]any{"id": t.ip.String(), "port": t.port, "state": h.State, "reason": h.Reason})
			}
			return cloud.AccountOf(g.arn), map[string]any{"arn": g.arn, "name": g.name, "targets": targets}
		}),
	}
}

// API returns the Elastic Load Balancing operations that the sandbox implements.
func (b *Balancing) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	return &cloud.Service{
		Name: "elasticloadbalancing", Protocol: cloud.Query, EventSource: "elasticloadbalancing.amazonaws.com", Version: "2015-12-01",
		Namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
		Operations: []cloud.Operation{
			cloud.Op(read("DescribeLoadBalancers"), b.describeLoadBalancers),
			cloud.Op(read("DescribeListeners"), b.describeListeners),
			cloud.Op(read("DescribeRules"), b.describeRules),
			cloud.Op(read("DescribeTargetGroups"), b.describeTargetGroups),
			cloud.Op(read("DescribeTargetHealth"), b.describeTargetHealth),
			cloud.Op(cloud.Operation{Name: "RegisterTargets"}, b.registerTargets),
			cloud.Op(cloud.Operation{Name: "DeregisterTargets"}, b.deregisterTargets),
			cloud.Op(cloud.Operation{Name: "DeleteLoadBalancer"}, b.deleteLoadBalancer),
		},
	}
}

// DescribeLoadBalancersInput is the input of DescribeLoadBalancers.
type DescribeLoadBalancersInput struct {
	Marker   string
	PageSize int

	LoadBalancerArns []string `query:"LoadBalancerArns.member"`
	Names            []string `query:"Names.member"`
}

// DescribeLoadBalancersOutput is the output of DescribeLoadBalancers.
type DescribeLoadBalancersOutput struct {
	LoadBalancers []LoadBalancer `xml:"LoadBalancers>member"`
	NextMarker    string         `xml:"NextMarker,omitempty"`
}

// LoadBalancer is the wire form of a load balancer.
type LoadBalancer struct {
	LoadBalancerArn       string             `xml:"LoadBalancerArn"`
	DNSName               string             `xml:"DNSName"`
	CanonicalHostedZoneID string             `xml:"CanonicalHostedZoneId"`
	CreatedTime           string             `xml:"CreatedTime"`
	LoadBalancerName      string             `xml:"LoadBalancerName"`
	Scheme                string             `xml:"Scheme"`
	VpcID                 string             `xml:"VpcId"`
	State                 LoadBalancerState  `xml:"State"`
	Type                  string             `xml:"Type"`
	AvailabilityZones     []AvailabilityZone `xml:"AvailabilityZones>member"`
	SecurityGroups        []string           `xml:"SecurityGroups>member"`
	IPAddressType         string             `xml:"IpAddressType"`
}

// LoadBalancerState is the wire form of a load balancer's state.
type LoadBalancerState struct {
	Code string `xml:"Code"`
}

// AvailabilityZone is the wire form of a load balancer's subnet in one zone.
type AvailabilityZone struct {
	ZoneName string `xml:"ZoneName"`
	SubnetID string `xml:"SubnetId"`
}

const loadBalancerZone = "Z35SXDOTRQ7X7K"

// describeLoadBalancers implements DescribeLoadBalancers. By ARN, every load balancer of the account and Region exists
// (assumption NET-01) unless it was deleted. Without ARNs, it returns those that templates created and those that VPC origins use
// or used.
// describeLoadBalancers implements DescribeLoadBalancers.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html
func (b *Balancing) describeLoadBalancers(c *cloud.Call, in *DescribeLoadBalancersInput) (*DescribeLoadBalancersOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DescribeLoadBalancers", "*", nil); err != nil {
		return nil, err
	}
	out := &DescribeLoadBalancersOutput{}
	for _, arn := range in.LoadBalancerArns {
		lb, err := b.find(c, arn)
		if err != nil {
			return nil, err
		}
		out.LoadBalancers = append(out.LoadBalancers, *lb)
	}
	if len(in.LoadBalancerArns) > 0 {
		return out, nil
	}
	for _, arn := range slices.Sorted(maps.Keys(b.network.balancers)) {
		if lb := b.network.balancers[arn]; lb.account == c.Account() && lb.region == c.Region && !b.gone[arn] {
			out.LoadBalancers = append(out.LoadBalancers, lb.wire())
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(b.balancers)) {
		if lb := b.balancers[arn]; lb.account == c.Account() && lb.region == c.Region {
			out.LoadBalancers = append(out.LoadBalancers, lb.wire())
		}
	}
	if len(in.Names) > 0 {
		other := func(lb LoadBalancer) bool { return !slices.Contains(in.Names, lb.LoadBalancerName) }
		if out.LoadBalancers = slices.DeleteFunc(out.LoadBalancers, other); len(out.LoadBalancers) < len(in.Names) {
			return nil, cloud.Errorf(400, "LoadBalancerNotFound", "One or more load balancers not found: %s", strings.Join(in.Names, ", "))
		}
	}
	var err error
	out.LoadBalancers, out.NextMarker, err = markedPage(out.LoadBalancers, in.Marker, in.PageSize)
	return out, err
}

// find returns a load balancer of the caller by its ARN: one that a template created, or one that exists because it is named
// (assumption NET-01).
func (b *Balancing) find(c *cloud.Call, arn string) (*LoadBalancer, error) {
	e, ok := parseEndpoint(arn)
	if !ok || e.kind == "instance" {
		return nil, cloud.Errorf(400, "ValidationError", "'%s' is not a valid load balancer ARN", arn)
	}
	var found LoadBalancer
	made, derived := b.balancers[arn], b.network.balancers[arn]
	switch {
	case e.account != c.Account() || e.region != c.Region || b.gone[arn]:
		return nil, cloud.Errorf(400, "LoadBalancerNotFound", "One or more load balancers not found: %s", arn)
	case made != nil:
		found = made.wire()
	case derived == nil:
		found = (&balancer{e, c.Now()}).wire()
	default:
		found = derived.wire()
	}
	return &found, nil
}

// markedPage returns one page of a list.
func markedPage[T any](items []T, marker string, size int) (list []T, next string, err error) {
	const most = 400
	if size == 0 {
		size = most
	}
	if size < 1 || size > most {
		return nil, "", cloud.Errorf(400, "ValidationError", "1 validation error detected: Value '%d' at 'pageSize' must be from 1 to %d", size, most)
	}
	list, next, ok := cloud.Page(items, marker, size)
	if !ok {
		return nil, "", cloud.Errorf(400, "ValidationError", "'%s' is not a valid marker", marker)
	}
	return list, next, nil
}

func (b *balancer) wire() LoadBalancer {
	kind := map[string]string{"app": "application", "net": "network"}[b.kind]
	w := LoadBalancer{
		LoadBalancerArn: b.arn, DNSName: b.dnsName(), CanonicalHostedZoneID: loadBalancerZone, LoadBalancerName: b.name, Scheme: "internal",
		CreatedTime: b.created.Format("2006-01-02T15:04:05.000Z"), VpcID: b.vpc(), State: LoadBalancerState{"active"}, Type: kind,
		SecurityGroups: []string{b.group().id}, IPAddressType: "ipv4",
	}
	for _, sub := range b.subnets() {
		w.AvailabilityZones = append(w.AvailabilityZones, AvailabilityZone{sub.zone, sub.id})
	}
	return w
}
