package network

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// targetGroup is a set of addresses that requests are forwarded to.
type targetGroup struct {
	arn, name, region, vpc string
	port                   int
	protocol               string
	check                  healthCheck
	attributes             map[string]string
	targets                []target
	listed                 []target  // targets in the template
	used                   time.Time // when a load balancer began to send it requests
}

type healthCheck struct {
	protocol, path, matcher      string
	port                         string // "traffic-port" or a number
	interval, timeout            int    // seconds
	healthyAfter, unhealthyAfter int    // checks
}

type target struct {
	ip         netip.Addr
	port       int
	registered time.Time
	draining   time.Time // when it was deregistered, zero before
}

func (t target) same(other target) bool { return t.ip == other.ip && t.port == other.port }

// targetGroupProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-targetgroup.html
type targetGroupProperties struct {
	Name                       string
	TargetType                 string
	Port                       cloud.Int
	Protocol                   string
	ProtocolVersion            string
	IpAddressType              string
	VpcId                      string
	HealthCheckEnabled         *cloud.Bool
	HealthCheckIntervalSeconds cloud.Int
	HealthCheckPath            string
	HealthCheckPort            string
	HealthCheckProtocol        string
	HealthCheckTimeoutSeconds  cloud.Int
	HealthyThresholdCount      cloud.Int
	UnhealthyThresholdCount    cloud.Int
	Matcher                    *struct{ HttpCode string }
	Targets                    []struct {
		Id               string
		Port             cloud.Int
		AvailabilityZone string
	}
	TargetGroupAttributes []Attribute
	Tags                  []cloud.Tag
}

// targetGroupAttributes returns the names of the attributes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
func targetGroupAttributes() []string {
	return []string{
		drainAttribute, "stickiness.enabled", "stickiness.type", "load_balancing.algorithm.type", "load_balancing.cross_zone.enabled",
		"slow_start.duration_seconds", "target_group_health.dns_failover.minimum_healthy_targets.count",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
	}
}

const drainAttribute = "deregistration_delay.timeout_seconds"

var matcherForm = regexp.MustCompile(`^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$`)

// readCheck reads a health check and fills in the defaults.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
func readCheck(p targetGroupProperties) (healthCheck, error) {
	number := func(v cloud.Int, otherwise int) int {
		if v == 0 {
			return otherwise
		}
		return int(v)
	}
	h := healthCheck{
		protocol: orElse(p.HealthCheckProtocol, "HTTP"), path: orElse(p.HealthCheckPath, "/"), matcher: "200", port: orElse(p.HealthCheckPort, "traffic-port"),
		interval: number(p.HealthCheckIntervalSeconds, 30), timeout: number(p.HealthCheckTimeoutSeconds, 5),
		healthyAfter: number(p.HealthyThresholdCount, 5), unhealthyAfter: number(p.UnhealthyThresholdCount, 2),
	}
	if p.Matcher != nil {
		h.matcher = p.Matcher.HttpCode
	}
	invalid := func(format string, args ...any) (healthCheck, error) {
		return h, cloud.Errorf(400, "ValidationError", format, args...)
	}
	switch {
	case p.HealthCheckEnabled != nil && !bool(*p.HealthCheckEnabled):
		return invalid("Health check enabled must be true for target groups with target type 'ip'")
	case h.protocol != "HTTP" && h.protocol != "HTTPS":
		return invalid("Health check protocol '%s' must be one of HTTP, HTTPS", h.protocol)
	case !strings.HasPrefix(h.path, "/"):
		return invalid("Health check path '%s' must begin with a '/' character", h.path)
	case h.interval < 5 || h.interval > 300:
		return invalid("Health check interval '%d' must be from 5 to 300 seconds", h.interval)
	case h.timeout < 2 || h.timeout > 120 || h.timeout >= h.interval:
		return invalid("Health check timeout '%d' must be from 2 to 120 seconds and smaller than the interval '%d'", h.timeout, h.interval)
	case h.healthyAfter < 2 || h.healthyAfter > 10 || h.unhealthyAfter < 2 || h.unhealthyAfter > 10:
		return invalid("Health check thresholds must be from 2 to 10")
	case !matcherForm.MatchString(h.matcher):
		return invalid("Health check matcher HTTP code '%s' must be like '200', '200,202' or '200-299'", h.matcher)
	}
	if _, err := h.portOf(443); err != nil {
		return invalid("Health check port '%s' is neither 'traffic-port' nor a port", h.port)
	}
	return h, nil
}

func (h healthCheck) portOf(traffic int) (int, error) {
	if h.port == "traffic-port" {
		return traffic, nil
	}
	return strconv.Atoi(h.port)
}

// accepts reports whether the matcher covers a status.
func (h healthCheck) accepts(status int) bool {
	for part := range strings.SplitSeq(h.matcher, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		if s := strconv.Itoa(status); s >= low && s <= high { // each text has three digits
			return true
		}
	}
	return false
}

func (b *Balancing) targetGroupType() cloud.ResourceType {
	s := b.network
	change := func(p targetGroupProperties, g *targetGroup) error {
		check, err := readCheck(p)
		if err != nil {
			return err
		}
		attributes, err := attributes(p.TargetGroupAttributes, targetGroupAttributes())
		if err != nil {
			return err
		}
		var listed []target
		for _, t := range p.Targets {
			read, err := g.target(t.Id, int(t.Port))
			if err != nil {
				return err
			}
			listed = append(listed, read)
		}
		// A stack changes only the targets that its template lists or listed. Assumption NET-12.
		stale := slices.DeleteFunc(slices.Clone(g.listed), func(t target) bool { return slices.ContainsFunc(listed, t.same) })
		g.check, g.attributes, g.listed = check, attributes, listed
		b.deregister(g, stale)
		b.register(g, listed)
		return nil
	}
	create := func(r *cloud.ResourceRequest, p targetGroupProperties) (*cloud.Resource, error) {
		name := p.Name
		if name == "" {
			name = r.Name(32)
		}
		if err := b.checkTargetGroup(r, p, name); err != nil {
			return nil, err
		}
		g := &targetGroup{
			arn: b.arn(r, "targetgroup/"+name), name: name, region: r.Region, vpc: p.VpcId, port: int(p.Port), protocol: p.Protocol,
		}
		if err := change(p, g); err != nil {
			return nil, err
		}
		b.targetGroups[g.arn] = g
		_, full, _ := strings.Cut(g.arn, "targetgroup/")
		return &cloud.Resource{Ref: g.arn, Attributes: map[string]string{
			"TargetGroupArn": g.arn, "TargetGroupName": name, "TargetGroupFullName": "targetgroup/" + full,
		}}, nil
	}
	update := func(_ *cloud.ResourceRequest, p targetGroupProperties, old *cloud.Resource) (*cloud.Resource, error) {
		g := b.targetGroups[old.Ref]
		if p.Name != "" && p.Name != g.name || p.VpcId != g.vpc || int(p.Port) != g.port || p.Protocol != g.protocol || p.TargetType != "ip" {
			return nil, fmt.Errorf("a new Name, Port, Protocol, TargetType or VpcId needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		return old, change(p, g)
	}
	return inPlace(s, "AWS::ElasticLoadBalancingV2::TargetGroup", create, update, func(arn string) error {
		if b.userOf(b.targetGroups[arn]) != nil {
			return cloud.Errorf(400, "ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
		}
		delete(b.targetGroups, arn)
		return nil
	})
}

func (b *Balancing) checkTargetGroup(r *cloud.ResourceRequest, p targetGroupProperties, name string) error {
	if _, err := b.network.myVpc(p.VpcId, r); err != nil {
		return cloud.Errorf(400, "ValidationError", "The VPC ID '%s' is not found", p.VpcId)
	}
	switch {
	case p.TargetType != "ip":
		return cloud.Errorf(400, "ValidationError", "the sandbox makes target groups with TargetType ip only, not %q", p.TargetType)
	case p.Protocol != "HTTP" && p.Protocol != "HTTPS":
		return cloud.Errorf(400, "ValidationError", "Protocol '%s' must be one of HTTP, HTTPS", p.Protocol)
	case p.Port < 1 || p.Port > 65535:
		return cloud.Errorf(400, "ValidationError", "Port '%d' must be from 1 to 65535", p.Port)
	case p.ProtocolVersion != "" && p.ProtocolVersion != "HTTP1":
		return cloud.Errorf(400, "ValidationError", "the sandbox speaks ProtocolVersion HTTP1 only, not %s", p.ProtocolVersion)
	case p.IpAddressType != "" && p.IpAddressType != "ipv4":
		return cloud.Errorf(400, "ValidationError", "the sandbox knows IpAddressType ipv4 only, not %s", p.IpAddressType)
	}
	for _, other := range b.targetGroups {
		if other.name == name && other.region == r.Region && cloud.AccountOf(other.arn) == r.Account {
			return cloud.Errorf(400, "DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", name)
		}
	}
	return checkName(name)
}

// target reads a target, which is an IPv4 address of the VPC or of a private network.
func (g *targetGroup) target(id string, port int) (target, error) {
	ip, err := netip.ParseAddr(id)
	carrierGrade := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	if err != nil || !ip.Is4() || !ip.IsPrivate() && !carrierGrade.Contains(ip) {
		return target{}, cloud.Errorf(400, "InvalidTarget",
			"The IP address '%s' is not a valid target: it must be of the VPC, 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12 or 192.168.0.0/16", id)
	}
	if port == 0 {
		port = g.port
	}
	if port < 1 || port > 65535 {
		return target{}, cloud.Errorf(400, "InvalidTarget", "The port '%d' is not between 1 and 65535", port)
	}
	return target{ip: ip, port: port}, nil
}

// register adds targets. A registered target stays unchanged. A draining target is registered again.
func (b *Balancing) register(g *targetGroup, list []target) {
	now := b.network.world.Clock.Now()
	added := false
	for _, t := range list {
		i := slices.IndexFunc(g.targets, t.same)
		if i >= 0 && g.targets[i].draining.IsZero() {
			continue
		}
		if i >= 0 {
			g.targets = slices.Delete(g.targets, i, i+1)
		}
		t.registered, added = now, true
		g.targets = append(g.targets, t)
	}
	if added && b.userOf(g) != nil {
		b.firstCheck(g)
	}
}

// firstCheck keeps the world busy until new targets have been checked.
func (b *Balancing) firstCheck(g *targetGroup) {
	b.network.world.Clock.After(time.Duration(g.check.interval)*time.Second, "first health check in target group "+g.name, nil)
}

// deregister starts to drain targets.
func (b *Balancing) deregister(g *targetGroup, list []target) {
	for _, t := range list {
		if i := slices.IndexFunc(g.targets, t.same); i >= 0 && g.targets[i].draining.IsZero() {
			g.targets[i].draining = b.network.world.Clock.Now()
		}
	}
}

// targetsOf returns the targets of a group by address, without those that have drained. Duration of draining:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
func (b *Balancing) targetsOf(g *targetGroup) []target {
	delay, err := strconv.Atoi(orElse(g.attributes[drainAttribute], "300"))
	if err != nil {
		delay = 300
	}
	now := b.network.world.Clock.Now()
	g.targets = slices.DeleteFunc(g.targets, func(t target) bool {
		return !t.draining.IsZero() && !now.Before(t.draining.Add(time.Duration(delay)*time.Second))
	})
	list := slices.Clone(g.targets)
	slices.SortFunc(list, func(a, b target) int {
		if a.ip != b.ip {
			return a.ip.Compare(b.ip)
		}
		return a.port - b.port
	})
	return list
}

// Health is the health of a target.
type Health struct {
	State       string `xml:"State"`
	Reason      string `xml:"Reason,omitempty"`
	Description string `xml:"Description,omitempty"`
}

// health returns the result of a check at this time, after the first check has ended. Consecutive checks are not counted
// (assumption NET-13).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (b *Balancing) health(g *targetGroup, t target) Health {
	lb := b.userOf(g)
	switch {
	case !t.draining.IsZero():
		return Health{"draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"}
	case lb == nil:
		return Health{"unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}
	}
	since := t.registered
	if g.used.After(since) {
		since = g.used
	}
	if b.network.world.Clock.Now().Before(since.Add(time.Duration(g.check.interval) * time.Second)) {
		return Health{"initial", "Elb.RegistrationInProgress", "Target registration is in progress"}
	}
	port, _ := g.check.portOf(t.port) // checked when the group was created
	e, problem := b.reach(lb, t.ip, port, g.check.protocol == "HTTPS")
	if problem != "" {
		return Health{"unhealthy", "Target.Timeout", "Request timed out: " + problem}
	}
	// The load balancer sends the target's address as Host.
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
	if status := b.Probe(e, t.ip.String(), g.check.path); !g.check.accepts(status) {
		return Health{"unhealthy", "Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", status)}
	}
	return Health{State: "healthy"}
}

// group finds a target group and authorizes a change of it.
func (b *Balancing) group(c *cloud.Call, action, arn string) (*targetGroup, error) {
	if err := c.Authorize(action, arn, nil); err != nil {
		return nil, err
	}
	return b.own(c, arn)
}

func (b *Balancing) own(c *cloud.Call, arn string) (*targetGroup, error) {
	g := b.targetGroups[arn]
	if g == nil || cloud.AccountOf(arn) != c.Account() || g.region != c.Region {
		return nil, cloud.Errorf(400, "TargetGroupNotFound", "One or more target groups not found: %s", arn)
	}
	return g, nil
}

// TargetsInput is the input of RegisterTargets and DeregisterTargets.
type TargetsInput struct {
	TargetGroupArn string
	Targets        []TargetDescription `query:"Targets.member"`
}

// TargetDescription is the wire form of a target.
type TargetDescription struct {
	ID               string `query:"Id" xml:"Id" json:"Id"`
	Port             int    `xml:"Port,omitempty"`
	AvailabilityZone string `xml:"AvailabilityZone,omitempty"`
}

// TargetsOutput is the empty output of RegisterTargets and DeregisterTargets.
type TargetsOutput struct{}

func (g *targetGroup) read(in *TargetsInput) ([]target, error) {
	if len(in.Targets) == 0 {
		return nil, cloud.Errorf(400, "ValidationError", "At least one target must be specified")
	}
	var list []target
	for _, d := range in.Targets {
		t, err := g.target(d.ID, d.Port)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// registerTargets implements RegisterTargets.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
func (b *Balancing) registerTargets(c *cloud.Call, in *TargetsInput) (*TargetsOutput, error) {
	g, err := b.group(c, "elasticloadbalancing:RegisterTargets", in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	list, err := g.read(in)
	if err != nil {
		return nil, err
	}
	b.register(g, list)
	return &TargetsOutput{}, nil
}

// deregisterTargets implements DeregisterTargets. It ignores targets that are not registered.
// deregisterTargets implements DeregisterTargets.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
func (b *Balancing) deregisterTargets(c *cloud.Call, in *TargetsInput) (*TargetsOutput, error) {
	g, err := b.group(c, "elasticloadbalancing:DeregisterTargets", in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	list, err := g.read(in)
	if err != nil {
		return nil, err
	}
	b.deregister(g, list)
	return &TargetsOutput{}, nil
}

// DescribeTargetHealthInput is the input of DescribeTargetHealth.
type DescribeTargetHealthInput struct {
	TargetGroupArn string
	Targets        []TargetDescription `query:"Targets.member"`
}

// DescribeTargetHealthOutput is the output of DescribeTargetHealth.
type DescribeTargetHealthOutput struct {
	TargetHealthDescriptions []TargetHealth `xml:"TargetHealthDescriptions>member"`
}

// TargetHealth is the wire form of a target with its health.
type TargetHealth struct {
	Target          TargetDescription `xml:"Target"`
	HealthCheckPort string            `xml:"HealthCheckPort"`
	TargetHealth    Health            `xml:"TargetHealth"`
}

// describeTargetHealth implements DescribeTargetHealth.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
func (b *Balancing) describeTargetHealth(c *cloud.Call, in *DescribeTargetHealthInput) (*DescribeTargetHealthOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DescribeTargetHealth", "*", nil); err != nil {
		return nil, err
	}
	g, err := b.own(c, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	out := &DescribeTargetHealthOutput{}
	describe := func(t target, h Health) {
		port, _ := g.check.portOf(t.port)
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, TargetHealth{
			TargetDescription{ID: t.ip.String(), Port: t.port, AvailabilityZone: b.zone(g, t.ip)}, strconv.Itoa(port), h,
		})
	}
	all := b.targetsOf(g)
	if len(in.Targets) == 0 {
		for _, t := range all {
			describe(t, b.health(g, t))
		}
		return out, nil
	}
	for _, d := range in.Targets {
		t, err := g.target(d.ID, d.Port)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(all, t.same); i >= 0 {
			describe(all[i], b.health(g, all[i]))
		} else {
			describe(t, Health{"unused", "Target.NotRegistered", "Target is not registered to the target group"})
		}
	}
	return out, nil
}

// zone returns the zone of the subnet with an address of the VPC, or "all" for other addresses.
func (b *Balancing) zone(g *targetGroup, ip netip.Addr) string {
	for _, n := range b.network.subnets {
		if n.vpc == g.vpc && n.block.Contains(ip) {
			return n.zone
		}
	}
	return "all"
}

// DescribeTargetGroupsInput is the input of DescribeTargetGroups. The output has one page.
type DescribeTargetGroupsInput struct {
	Marker   string
	PageSize int

	LoadBalancerArn string
	TargetGroupArns []string `query:"TargetGroupArns.member"`
	Names           []string `query:"Names.member"`
}

// DescribeTargetGroupsOutput is the output of DescribeTargetGroups.
type DescribeTargetGroupsOutput struct {
	TargetGroups []TargetGroup `xml:"TargetGroups>member"`
	NextMarker   string        `xml:"NextMarker,omitempty"`
}

// TargetGroup is the wire form of a target group.
type TargetGroup struct {
	TargetGroupArn             string   `xml:"TargetGroupArn"`
	TargetGroupName            string   `xml:"TargetGroupName"`
	TargetType                 string   `xml:"TargetType"`
	Protocol                   string   `xml:"Protocol"`
	ProtocolVersion            string   `xml:"ProtocolVersion"`
	IPAddressType              string   `xml:"IpAddressType"`
	Port                       int      `xml:"Port"`
	VpcID                      string   `xml:"VpcId"`
	HealthCheckEnabled         bool     `xml:"HealthCheckEnabled"`
	HealthCheckProtocol        string   `xml:"HealthCheckProtocol"`
	HealthCheckPort            string   `xml:"HealthCheckPort"`
	HealthCheckPath            string   `xml:"HealthCheckPath"`
	HealthCheckIntervalSeconds int      `xml:"HealthCheckIntervalSeconds"`
	HealthCheckTimeoutSeconds  int      `xml:"HealthCheckTimeoutSeconds"`
	HealthyThresholdCount      int      `xml:"HealthyThresholdCount"`
	UnhealthyThresholdCount    int      `xml:"UnhealthyThresholdCount"`
	HTTPCode                   string   `xml:"Matcher>HttpCode"`
	LoadBalancerArns           []string `xml:"LoadBalancerArns>member"`
}

// describeTargetGroups implements DescribeTargetGroups.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
func (b *Balancing) describeTargetGroups(c *cloud.Call, in *DescribeTargetGroupsInput) (*DescribeTargetGroupsOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DescribeTargetGroups", "*", nil); err != nil {
		return nil, err
	}
	if in.LoadBalancerArn != "" {
		if _, err := b.find(c, in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	out := &DescribeTargetGroupsOutput{}
	for _, arn := range slices.Sorted(maps.Keys(b.targetGroups)) {
		g := b.targetGroups[arn]
		lb := b.userOf(g)
		switch {
		case cloud.AccountOf(arn) != c.Account() || g.region != c.Region:
			continue
		case in.LoadBalancerArn != "" && (lb == nil || lb.arn != in.LoadBalancerArn):
			continue
		case len(in.TargetGroupArns) > 0 && !slices.Contains(in.TargetGroupArns, arn):
			continue
		case len(in.Names) > 0 && !slices.Contains(in.Names, g.name):
			continue
		}
		w := TargetGroup{
			TargetGroupArn: arn, TargetGroupName: g.name, TargetType: "ip", Protocol: g.protocol, ProtocolVersion: "HTTP1", IPAddressType: "ipv4",
			Port: g.port, VpcID: g.vpc, HealthCheckEnabled: true, HealthCheckProtocol: g.check.protocol, HealthCheckPort: g.check.port,
			HealthCheckPath: g.check.path, HealthCheckIntervalSeconds: g.check.interval, HealthCheckTimeoutSeconds: g.check.timeout,
			HealthyThresholdCount: g.check.healthyAfter, UnhealthyThresholdCount: g.check.unhealthyAfter, HTTPCode: g.check.matcher,
		}
		if lb != nil {
			w.LoadBalancerArns = []string{lb.arn}
		}
		out.TargetGroups = append(out.TargetGroups, w)
	}
	if wanted := len(in.TargetGroupArns) + len(in.Names); len(out.TargetGroups) < wanted {
		return nil, cloud.Errorf(400, "TargetGroupNotFound", "One or more target groups not found")
	}
	var err error
	out.TargetGroups, out.NextMarker, err = markedPage(out.TargetGroups, in.Marker, in.PageSize)
	return out, err
}
