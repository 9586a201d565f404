package network

import (
	"maps"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Balancing is Elastic Load Balancing over the same network.
type Balancing struct{ network *Service }

// Balancing is the network's other API.
func (s *Service) Balancing() *Balancing { return &Balancing{s} }

// ResourceTypes are none: load balancers are derived, not deployed.
func (b *Balancing) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot tells which load balancers of an account are in use. Call with the world locked.
func (b *Balancing) Snapshot(account string) map[string]any {
	balancers := []any{}
	for _, arn := range slices.Sorted(maps.Keys(b.network.balancers)) {
		if lb := b.network.balancers[arn]; lb.account == account {
			balancers = append(balancers, map[string]any{
				"arn": lb.arn, "name": lb.name, "dnsName": lb.dnsName(),
				"region": lb.region, "vpc": lb.vpc(),
			})
		}
	}
	return map[string]any{"loadBalancers": balancers}
}

// API is the table of Elastic Load Balancing operations that the sandbox implements.
func (b *Balancing) API() *cloud.Service {
	return &cloud.Service{
		Name: "elasticloadbalancing", Protocol: cloud.Query, EventSource: "elasticloadbalancing.amazonaws.com", Version: "2015-12-01",
		Namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "DescribeLoadBalancers", ReadOnly: true}, b.network.describeLoadBalancers),
		},
	}
}

// DescribeLoadBalancersInput is the input of DescribeLoadBalancers.
type DescribeLoadBalancersInput struct {
	LoadBalancerArns []string `query:"LoadBalancerArns.member"`
	Names            []string `query:"Names.member"`
}

// DescribeLoadBalancersOutput is the output of DescribeLoadBalancers.
type DescribeLoadBalancersOutput struct {
	LoadBalancers []LoadBalancer `xml:"LoadBalancers>member"`
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

// AvailabilityZone is the wire form of a load balancer's place in one zone.
type AvailabilityZone struct {
	ZoneName string `xml:"ZoneName"`
	SubnetID string `xml:"SubnetId"`
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html
//
// By ARN, any load balancer of the account and Region is there (assumption NET-01); otherwise those that VPC origins
// point or pointed at.
func (s *Service) describeLoadBalancers(c *cloud.Call, in *DescribeLoadBalancersInput) (*DescribeLoadBalancersOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DescribeLoadBalancers", "*", nil); err != nil {
		return nil, err
	}
	var found []*balancer
	for _, arn := range in.LoadBalancerArns {
		e, ok := parseEndpoint(arn)
		if !ok || e.kind == "instance" {
			return nil, cloud.Errorf(400, "ValidationError", "'%s' is not a valid load balancer ARN", arn)
		}
		if e.account != c.Account() || e.region != c.Region {
			return nil, cloud.Errorf(400, "LoadBalancerNotFound", "One or more load balancers not found: %s", arn)
		}
		b := s.balancers[arn]
		if b == nil {
			b = &balancer{e, c.Now()}
		}
		found = append(found, b)
	}
	if len(in.LoadBalancerArns) == 0 {
		for _, arn := range slices.Sorted(maps.Keys(s.balancers)) {
			b := s.balancers[arn]
			if b.account == c.Account() && b.region == c.Region && (len(in.Names) == 0 || slices.Contains(in.Names, b.name)) {
				found = append(found, b)
			}
		}
		if len(found) < len(in.Names) {
			return nil, cloud.Errorf(400, "LoadBalancerNotFound", "One or more load balancers not found: %v", in.Names)
		}
	}
	out := &DescribeLoadBalancersOutput{}
	for _, b := range found {
		out.LoadBalancers = append(out.LoadBalancers, b.wire())
	}
	return out, nil
}

func (b *balancer) wire() LoadBalancer {
	kind := map[string]string{"app": "application", "net": "network"}[b.kind]
	w := LoadBalancer{
		LoadBalancerArn: b.arn, DNSName: b.dnsName(), CanonicalHostedZoneID: "Z35SXDOTRQ7X7K", LoadBalancerName: b.name, Scheme: "internal",
		CreatedTime: b.created.Format("2006-01-02T15:04:05.000Z"), VpcID: b.vpc(), State: LoadBalancerState{"active"}, Type: kind,
		SecurityGroups: []string{b.group().id}, IPAddressType: "ipv4",
	}
	for _, sub := range b.subnets() {
		w.AvailabilityZones = append(w.AvailabilityZones, AvailabilityZone{sub.zone, sub.id})
	}
	return w
}
