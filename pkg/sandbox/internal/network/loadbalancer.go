package network

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// loadBalancer is an Application Load Balancer that a template created.
type loadBalancer struct {
	endpoint
	vpc, scheme string
	subnets     []subnet
	groups      []groupName
	attributes  map[string]string
	created     time.Time
}

func (lb *loadBalancer) dnsName() string {
	prefix := ""
	if lb.scheme == "internal" {
		prefix = "internal-"
	}
	return fmt.Sprintf("%s%s-%010d.%s.elb.amazonaws.com", prefix, lb.name, number("dns", lb.arn)%1e10, lb.region)
}

// fullName returns app/<name>/<id>.
func (lb *loadBalancer) fullName() string {
	_, name, _ := strings.Cut(lb.arn, "loadbalancer/")
	return name
}

func (lb *loadBalancer) wire() LoadBalancer {
	w := LoadBalancer{
		LoadBalancerArn: lb.arn, DNSName: lb.dnsName(), CanonicalHostedZoneID: loadBalancerZone, LoadBalancerName: lb.name, Scheme: lb.scheme,
		CreatedTime: lb.created.Format("2006-01-02T15:04:05.000Z"), VpcID: lb.vpc, State: LoadBalancerState{"active"}, Type: "application",
		IPAddressType: "ipv4",
	}
	for _, g := range lb.groups {
		w.SecurityGroups = append(w.SecurityGroups, g.id)
	}
	for _, sub := range lb.subnets {
		w.AvailabilityZones = append(w.AvailabilityZones, AvailabilityZone{sub.zone, sub.id})
	}
	return w
}

// Attribute is one attribute of a load balancer or a target group in a template.
type Attribute struct{ Key, Value string }

// loadBalancerProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-loadbalancer.html
type loadBalancerProperties struct {
	Name                   string
	Scheme                 string
	Type                   string
	Subnets                []string
	SecurityGroups         []string
	IpAddressType          string
	LoadBalancerAttributes []Attribute
	Tags                   []cloud.Tag
}

// loadBalancerAttributes returns the names of the attributes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
func loadBalancerAttributes() []string {
	return []string{
		"deletion_protection.enabled", "access_logs.s3.enabled", "access_logs.s3.bucket", "access_logs.s3.prefix",
		"connection_logs.s3.enabled", "connection_logs.s3.bucket", "connection_logs.s3.prefix", "idle_timeout.timeout_seconds",
		"client_keep_alive.seconds", "routing.http.desync_mitigation_mode", "routing.http.drop_invalid_header_fields.enabled",
		"routing.http.preserve_host_header.enabled", "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
		"routing.http.xff_client_port.enabled", "routing.http.xff_header_processing.mode", "routing.http2.enabled",
		"waf.fail_open.enabled", "load_balancing.cross_zone.enabled", "zonal_shift.config.enabled",
	}
}

func attributes(list []Attribute, known []string) (map[string]string, error) {
	m := map[string]string{}
	for _, a := range list {
		if !slices.Contains(known, a.Key) {
			return nil, cloud.Errorf(400, "ValidationError", "The attribute key '%s' is not recognized", a.Key)
		}
		m[a.Key] = a.Value
	}
	return m, nil
}

var balancerName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)

// checkName checks a name of a load balancer or target group.
func checkName(name string) error {
	if !balancerName.MatchString(name) || strings.HasPrefix(name, "internal-") {
		return cloud.Errorf(400, "ValidationError", "The name '%s' must be 1 to 32 letters, digits and hyphens, without a hyphen at either end "+
			"and without internal- in front", name)
	}
	return nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (b *Balancing) arn(r *cloud.ResourceRequest, resource string) string {
	return "arn:aws:elasticloadbalancing:" + r.Region + ":" + r.Account + ":" + resource + "/" + b.network.world.IDs.Hex(16)
}

func (b *Balancing) loadBalancerType() cloud.ResourceType {
	s := b.network
	change := func(r *cloud.ResourceRequest, p loadBalancerProperties, lb *loadBalancer) error {
		attributes, err := attributes(p.LoadBalancerAttributes, loadBalancerAttributes())
		if err != nil {
			return err
		}
		groups, err := s.myGroups(p.SecurityGroups, lb.vpc, r)
		switch {
		case err != nil:
			return err
		case len(groups) == 0:
			return cloud.Errorf(400, "InvalidSecurityGroup", "the sandbox needs SecurityGroups of a load balancer")
		}
		lb.attributes, lb.groups = attributes, groups
		for _, n := range s.interfaces {
			if n.user == lb.arn {
				n.groups = groups
			}
		}
		return nil
	}
	update := func(r *cloud.ResourceRequest, p loadBalancerProperties, old *cloud.Resource) (*cloud.Resource, error) {
		lb := b.balancers[old.Ref]
		var subnets []string
		for _, sub := range lb.subnets {
			subnets = append(subnets, sub.id)
		}
		if p.Name != "" && p.Name != lb.name || orElse(p.Scheme, "internet-facing") != lb.scheme || !slices.Equal(p.Subnets, subnets) {
			return nil, fmt.Errorf("the sandbox can update only LoadBalancerAttributes and SecurityGroups of a load balancer")
		}
		return old, change(r, p, lb)
	}
	create := func(r *cloud.ResourceRequest, p loadBalancerProperties) (*cloud.Resource, error) {
		name := p.Name
		if name == "" {
			name = r.Name(32)
		}
		if err := b.checkBalancer(r, p, name); err != nil {
			return nil, err
		}
		first, err := s.mySubnet(p.Subnets[0], r)
		if err != nil {
			return nil, err
		}
		subnets, err := s.mySubnets(p.Subnets, first.vpc, r)
		if err != nil {
			return nil, err
		}
		for _, sub := range subnets {
			// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets
			if sub.block.Bits() > 27 || s.available(sub) < 8 {
				return nil, cloud.Errorf(400, "InvalidSubnet", "Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", sub.id)
			}
		}
		lb := &loadBalancer{
			endpoint: endpoint{arn: b.arn(r, "loadbalancer/app/"+name), account: r.Account, region: r.Region, kind: "app", name: name},
			vpc:      first.vpc, scheme: orElse(p.Scheme, "internet-facing"), subnets: subnets, created: s.world.Clock.Now(),
		}
		if err := change(r, p, lb); err != nil {
			return nil, err
		}
		b.balancers[lb.arn] = lb
		for _, sub := range subnets {
			s.add(&eni{
				account: lb.account, region: lb.region, vpc: lb.vpc, subnet: sub, kind: "interface", description: "ELB " + lb.fullName(),
				requester: "amazon-elb", groups: lb.groups, user: lb.arn,
			})
		}
		return &cloud.Resource{Ref: lb.arn, Attributes: map[string]string{
			"LoadBalancerArn": lb.arn, "DNSName": lb.dnsName(), "LoadBalancerFullName": lb.fullName(), "LoadBalancerName": name,
			"CanonicalHostedZoneID": loadBalancerZone,
		}}, nil
	}
	return inPlace(s, "AWS::ElasticLoadBalancingV2::LoadBalancer", create, update, b.remove)
}

// remove deletes a load balancer with its listeners. It does nothing if the load balancer is deleted already.
func (b *Balancing) remove(arn string) error {
	if lb := b.balancers[arn]; lb != nil && lb.attributes["deletion_protection.enabled"] == "true" {
		return cloud.Errorf(400, "OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", arn)
	}
	for _, l := range slices.Collect(maps.Values(b.listeners)) {
		if l.balancer.arn == arn {
			b.removeListener(l.arn)
		}
	}
	b.network.drop(arn)
	delete(b.balancers, arn)
	b.gone[arn] = true
	return nil
}

// DeleteLoadBalancerInput is the input of DeleteLoadBalancer.
type DeleteLoadBalancerInput struct {
	LoadBalancerArn string
}

// DeleteLoadBalancerOutput is the output of DeleteLoadBalancer. It has no member that is ever set; with one, the response has the empty
// element that the SDK looks for.
type DeleteLoadBalancerOutput struct {
	Unused string `xml:"Unused,omitempty"`
}

// deleteLoadBalancer implements DeleteLoadBalancer. A VPC origin does not prevent it (assumption NET-14).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
func (b *Balancing) deleteLoadBalancer(c *cloud.Call, in *DeleteLoadBalancerInput) (*DeleteLoadBalancerOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DeleteLoadBalancer", in.LoadBalancerArn, nil); err != nil {
		return nil, err
	}
	e, ok := parseEndpoint(in.LoadBalancerArn)
	switch {
	case !ok || e.kind == "instance":
		return nil, cloud.Errorf(400, "ValidationError", "'%s' is not a valid load balancer ARN", in.LoadBalancerArn)
	case e.account != c.Account() || e.region != c.Region:
		return nil, cloud.Errorf(400, "LoadBalancerNotFound", "One or more load balancers not found: %s", in.LoadBalancerArn)
	}
	return &DeleteLoadBalancerOutput{}, b.remove(in.LoadBalancerArn)
}

// checkBalancer checks the properties of a new load balancer.
// checkBalancer implements CreateLoadBalancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
func (b *Balancing) checkBalancer(r *cloud.ResourceRequest, p loadBalancerProperties, name string) error {
	switch {
	case p.Type != "" && p.Type != "application":
		return cloud.Errorf(400, "ValidationError", "the sandbox makes load balancers with Type application only, not %s", p.Type)
	case p.IpAddressType != "" && p.IpAddressType != "ipv4":
		return cloud.Errorf(400, "ValidationError", "the sandbox makes load balancers with IpAddressType ipv4 only, not %s", p.IpAddressType)
	case p.Scheme != "" && p.Scheme != "internal" && p.Scheme != "internet-facing":
		return cloud.Errorf(400, "InvalidScheme", "The load balancer scheme '%s' is not valid", p.Scheme)
	case len(p.Subnets) < 2:
		return cloud.Errorf(400, "ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	for _, other := range b.balancers {
		if other.name == name && other.account == r.Account && other.region == r.Region {
			return cloud.Errorf(400, "DuplicateLoadBalancerName", "A load balancer with the name '%s' already exists", name)
		}
	}
	return checkName(name)
}
