package network

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type listener struct {
	arn          string
	balancer     *loadBalancer
	port         int
	protocol     string // HTTP or HTTPS
	sslPolicy    string
	certificates []string
	action       action
}

// rule is one rule of a listener besides its default action.
type rule struct {
	arn        string
	listener   *listener
	priority   int
	conditions []condition
	action     action
}

// condition holds if one of its values matches.
type condition struct {
	field  string // host-header or path-pattern
	values []string
}

// action is a fixed response, or the target group that requests are forwarded to.
type action struct {
	fixed       *fixedResponse
	targetGroup *targetGroup
}

type fixedResponse struct {
	status            int
	contentType, body string
}

// actionProperties are the properties of an action.
type actionProperties struct {
	Type                string
	Order               cloud.Int
	TargetGroupArn      string
	ForwardConfig       *forwardProperties
	FixedResponseConfig *struct {
		StatusCode  string
		ContentType string
		MessageBody string
	}
}

type forwardProperties struct {
	TargetGroups []struct {
		TargetGroupArn string
		Weight         cloud.Int
	}
}

// listenerProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listener.html
type listenerProperties struct {
	LoadBalancerArn string
	Port            cloud.Int
	Protocol        string
	SslPolicy       string
	Certificates    []struct{ CertificateArn string }
	DefaultActions  []actionProperties
}

// listenerRuleProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listenerrule.html
type listenerRuleProperties struct {
	ListenerArn string
	Priority    cloud.Int
	Conditions  []conditionProperties
	Actions     []actionProperties
}

type conditionProperties struct {
	Field             string
	Values            []string
	HostHeaderConfig  *struct{ Values []string }
	PathPatternConfig *struct{ Values []string }
}

var fixedStatus = regexp.MustCompile(`^[245]\d\d$`)

// action reads the single action of a listener or rule.
func (b *Balancing) action(r *cloud.ResourceRequest, list []actionProperties, lb *loadBalancer) (action, error) {
	if len(list) != 1 {
		return action{}, cloud.Errorf(400, "InvalidLoadBalancerAction", "the sandbox knows listeners and rules with one action, not %d", len(list))
	}
	p := list[0]
	switch p.Type {
	case "fixed-response":
		f := p.FixedResponseConfig
		if f == nil || !fixedStatus.MatchString(f.StatusCode) {
			return action{}, cloud.Errorf(400, "InvalidLoadBalancerAction", "A fixed response needs a StatusCode of 2XX, 4XX or 5XX")
		}
		status, _ := strconv.Atoi(f.StatusCode) // the property has three digits
		return action{fixed: &fixedResponse{status, f.ContentType, f.MessageBody}}, nil
	case "forward":
		arn := p.TargetGroupArn
		if f := p.ForwardConfig; f != nil {
			if len(f.TargetGroups) != 1 {
				return action{}, cloud.Errorf(400, "InvalidLoadBalancerAction", "the sandbox forwards to one target group, not %d", len(f.TargetGroups))
			}
			arn = f.TargetGroups[0].TargetGroupArn
		}
		g := b.targetGroups[arn]
		if g == nil || cloud.AccountOf(arn) != r.Account || g.region != r.Region {
			return action{}, cloud.Errorf(400, "TargetGroupNotFound", "Target groups '%s' not found", arn)
		}
		if g.vpc != lb.vpc {
			return action{}, cloud.Errorf(400, "InvalidConfigurationRequest", "The target group %s and load balancer %s are in different VPCs", arn, lb.arn)
		}
		if user := b.userOf(g); user != nil && user != lb {
			return action{}, cloud.Errorf(400, "TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", arn)
		}
		return action{targetGroup: g}, nil
	}
	return action{}, cloud.Errorf(400, "InvalidLoadBalancerAction", "the sandbox knows the actions fixed-response and forward, not %q", p.Type)
}

// uses records that a load balancer sends requests to a target group from now on, and so checks its targets.
func (b *Balancing) uses(a action) {
	g := a.targetGroup
	if g == nil {
		return
	}
	g.used = b.network.world.Clock.Now()
	if len(g.targets) > 0 {
		b.firstCheck(g)
	}
}

// userOf returns the load balancer that sends requests to a target group.
func (b *Balancing) userOf(g *targetGroup) *loadBalancer {
	for _, l := range b.listeners {
		if l.action.targetGroup == g {
			return l.balancer
		}
	}
	for _, r := range b.rules {
		if r.action.targetGroup == g {
			return r.listener.balancer
		}
	}
	return nil
}

var policyForm = regexp.MustCompile(`^ELBSecurityPolicy-(2016-08|TLS-1-([0-2])-.+|TLS13-1-([0-3])-.+|FS-(?:1-([12])-)?.+)$`)

// leastTLS returns the lowest TLS 1.x version that a security policy accepts, from the policy's name.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
func leastTLS(policy string) (minor int, ok bool) {
	found := policyForm.FindStringSubmatch(policy)
	if found == nil {
		return 0, false
	}
	minor, _ = strconv.Atoi(orElse(found[2]+found[3]+found[4], "0")) // the text is one digit
	return minor, true
}

func (b *Balancing) listenerType() cloud.ResourceType {
	s := b.network
	change := func(r *cloud.ResourceRequest, p listenerProperties, l *listener) error {
		next := listener{
			arn: l.arn, balancer: l.balancer, port: int(p.Port), protocol: p.Protocol, sslPolicy: p.SslPolicy,
		}
		if err := b.secure(r, p, &next); err != nil {
			return err
		}
		for _, other := range b.listeners {
			if other != l && other.balancer == l.balancer && other.port == next.port {
				return cloud.Errorf(400, "DuplicateListener", "A listener already exists on port %d for this load balancer '%s'", next.port, l.balancer.arn)
			}
		}
		var err error
		if next.action, err = b.action(r, p.DefaultActions, l.balancer); err != nil {
			return err
		}
		*l = next
		return nil
	}
	create := func(r *cloud.ResourceRequest, p listenerProperties) (*cloud.Resource, error) {
		lb := b.balancers[p.LoadBalancerArn]
		if lb == nil || lb.account != r.Account || lb.region != r.Region {
			return nil, cloud.Errorf(400, "LoadBalancerNotFound", "One or more load balancers not found: %s", p.LoadBalancerArn)
		}
		l := &listener{arn: b.arn(r, "listener/"+lb.fullName()), balancer: lb}
		if err := change(r, p, l); err != nil {
			return nil, err
		}
		b.listeners[l.arn] = l
		b.uses(l.action)
		return &cloud.Resource{Ref: l.arn, Attributes: map[string]string{"ListenerArn": l.arn}}, nil
	}
	update := func(r *cloud.ResourceRequest, p listenerProperties, old *cloud.Resource) (*cloud.Resource, error) {
		l := b.listeners[old.Ref]
		if p.LoadBalancerArn != l.balancer.arn {
			return nil, fmt.Errorf("a new LoadBalancerArn needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		return old, change(r, p, l)
	}
	return inPlace(s, "AWS::ElasticLoadBalancingV2::Listener", create, update, func(arn string) error {
		b.removeListener(arn)
		return nil
	})
}

// secure checks the properties for TLS and fills in their defaults.
func (b *Balancing) secure(r *cloud.ResourceRequest, p listenerProperties, l *listener) error {
	switch {
	case l.port < 1 || l.port > 65535:
		return cloud.Errorf(400, "ValidationError", "Listener port '%d' is not between 1 and 65535", l.port)
	case l.protocol == "HTTP" && (len(p.Certificates) > 0 || p.SslPolicy != ""):
		return cloud.Errorf(400, "ValidationError", "A certificate and an SslPolicy cannot be specified for HTTP listeners")
	case l.protocol == "HTTP":
		return nil
	case l.protocol != "HTTPS":
		return cloud.Errorf(400, "ValidationError", "Protocol '%s' must be one of HTTP, HTTPS for an Application Load Balancer", l.protocol)
	case len(p.Certificates) != 1:
		return cloud.Errorf(400, "ValidationError", "An HTTPS listener needs exactly one certificate, not %d", len(p.Certificates))
	}
	l.sslPolicy = orElse(p.SslPolicy, "ELBSecurityPolicy-2016-08")
	if _, ok := leastTLS(l.sslPolicy); !ok {
		return cloud.Errorf(400, "SSLPolicyNotFound", "SSL policy '%s' not found", p.SslPolicy)
	}
	arn := p.Certificates[0].CertificateArn
	if _, ok := b.Certificate(arn, r.Account, r.Region); !ok {
		return cloud.Errorf(400, "CertificateNotFound", "Certificate '%s' not found, or not issued", arn)
	}
	l.certificates = []string{arn}
	return nil
}

// CertificateUsers returns the listeners that use a certificate. Call with the world locked.
func (b *Balancing) CertificateUsers(arn string) []string {
	var users []string
	for _, l := range slices.Sorted(maps.Keys(b.listeners)) {
		if slices.Contains(b.listeners[l].certificates, arn) {
			users = append(users, l)
		}
	}
	return users
}

func (b *Balancing) removeListener(arn string) {
	for _, r := range slices.Collect(maps.Values(b.rules)) {
		if r.listener.arn == arn {
			delete(b.rules, r.arn)
		}
	}
	delete(b.listeners, arn)
}

func (b *Balancing) ruleType() cloud.ResourceType {
	s := b.network
	change := func(r *cloud.ResourceRequest, p listenerRuleProperties, ru *rule) error {
		next := rule{arn: ru.arn, listener: ru.listener, priority: int(p.Priority)}
		if next.priority < 1 || next.priority > 50000 {
			return cloud.Errorf(400, "ValidationError", "Rule priority '%d' is not between 1 and 50000", next.priority)
		}
		for _, other := range b.rules {
			if other != ru && other.listener == ru.listener && other.priority == next.priority {
				return cloud.Errorf(400, "PriorityInUse", "Priority '%d' is currently in use", next.priority)
			}
		}
		if len(p.Conditions) == 0 {
			return cloud.Errorf(400, "ValidationError", "A rule needs a condition")
		}
		for _, cp := range p.Conditions {
			c, err := readCondition(cp)
			if err != nil {
				return err
			}
			next.conditions = append(next.conditions, c)
		}
		var err error
		if next.action, err = b.action(r, p.Actions, ru.listener.balancer); err != nil {
			return err
		}
		*ru = next
		return nil
	}
	create := func(r *cloud.ResourceRequest, p listenerRuleProperties) (*cloud.Resource, error) {
		l := b.listeners[p.ListenerArn]
		if l == nil || cloud.AccountOf(l.arn) != r.Account || l.balancer.region != r.Region {
			return nil, cloud.Errorf(400, "ListenerNotFound", "One or more listeners not found: %s", p.ListenerArn)
		}
		_, path, _ := strings.Cut(l.arn, "listener/")
		ru := &rule{arn: b.arn(r, "listener-rule/"+path), listener: l}
		if err := change(r, p, ru); err != nil {
			return nil, err
		}
		b.rules[ru.arn] = ru
		b.uses(ru.action)
		return &cloud.Resource{Ref: ru.arn, Attributes: map[string]string{"RuleArn": ru.arn, "IsDefault": "false"}}, nil
	}
	update := func(r *cloud.ResourceRequest, p listenerRuleProperties, old *cloud.Resource) (*cloud.Resource, error) {
		ru := b.rules[old.Ref]
		if p.ListenerArn != ru.listener.arn {
			return nil, fmt.Errorf("a new ListenerArn needs replacement, which the sandbox does not support: delete the resource, or give it a new logical id")
		}
		return old, change(r, p, ru)
	}
	return inPlace(s, "AWS::ElasticLoadBalancingV2::ListenerRule", create, update, func(arn string) error {
		delete(b.rules, arn)
		return nil
	})
}

func readCondition(p conditionProperties) (condition, error) {
	c := condition{p.Field, p.Values}
	switch {
	case p.Field != "host-header" && p.Field != "path-pattern":
		return c, cloud.Errorf(400, "ValidationError", "the sandbox knows conditions on host-header and path-pattern, not %q", p.Field)
	case p.Field == "host-header" && p.HostHeaderConfig != nil:
		c.values = append(slices.Clone(c.values), p.HostHeaderConfig.Values...)
	case p.Field == "path-pattern" && p.PathPatternConfig != nil:
		c.values = append(slices.Clone(c.values), p.PathPatternConfig.Values...)
	}
	if len(c.values) == 0 {
		return c, cloud.Errorf(400, "ValidationError", "A condition value must be specified for %s", p.Field)
	}
	for _, v := range c.values {
		if v == "" || len(v) > 128 {
			return c, cloud.Errorf(400, "ValidationError", "Condition value '%s' must have 1 to 128 characters", v)
		}
	}
	return c, nil
}

// holds reports whether the condition is met. Host names match regardless of case, paths do not; * and ? are wildcards.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
func (c condition) holds(host, path string) bool {
	return slices.ContainsFunc(c.values, func(v string) bool {
		if c.field == "host-header" {
			return like(strings.ToLower(v), strings.ToLower(host))
		}
		return like(v, path)
	})
}

// rulesOf returns the rules of a listener in the order in which they are tried.
func (b *Balancing) rulesOf(l *listener) []*rule {
	var list []*rule
	for _, r := range b.rules {
		if r.listener == l {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *rule) int { return a.priority - b.priority })
	return list
}

// DescribeListenersInput is the input of DescribeListeners.
type DescribeListenersInput struct {
	Marker   string
	PageSize int

	LoadBalancerArn string
	ListenerArns    []string `query:"ListenerArns.member"`
}

// DescribeListenersOutput is the output of DescribeListeners.
type DescribeListenersOutput struct {
	Listeners  []Listener `xml:"Listeners>member"`
	NextMarker string     `xml:"NextMarker,omitempty"`
}

// Listener is the wire form of a listener.
type Listener struct {
	ListenerArn     string        `xml:"ListenerArn"`
	LoadBalancerArn string        `xml:"LoadBalancerArn"`
	Port            int           `xml:"Port"`
	Protocol        string        `xml:"Protocol"`
	Certificates    []Certificate `xml:"Certificates>member"`
	SslPolicy       string        `xml:"SslPolicy,omitempty"`
	DefaultActions  []Action      `xml:"DefaultActions>member"`
}

// Certificate is the wire form of a listener's certificate.
type Certificate struct {
	CertificateArn string `xml:"CertificateArn"`
}

// Action is the wire form of an action.
type Action struct {
	Type                string         `xml:"Type"`
	TargetGroupArn      string         `xml:"TargetGroupArn,omitempty"`
	FixedResponseConfig *FixedResponse `xml:"FixedResponseConfig"`
}

// FixedResponse is the wire form of a fixed response.
type FixedResponse struct {
	StatusCode  string `xml:"StatusCode"`
	ContentType string `xml:"ContentType,omitempty"`
	MessageBody string `xml:"MessageBody,omitempty"`
}

func (a action) wire() []Action {
	if f := a.fixed; f != nil {
		return []Action{{Type: "fixed-response", FixedResponseConfig: &FixedResponse{strconv.Itoa(f.status), f.contentType, f.body}}}
	}
	return []Action{{Type: "forward", TargetGroupArn: a.targetGroup.arn}}
}

// describeListeners implements DescribeListeners. A load balancer that no template created has none (assumption NET-18).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html
func (b *Balancing) describeListeners(c *cloud.Call, in *DescribeListenersInput) (*DescribeListenersOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DescribeListeners", "*", nil); err != nil {
		return nil, err
	}
	if (in.LoadBalancerArn == "") == (len(in.ListenerArns) == 0) {
		return nil, cloud.Errorf(400, "ValidationError", "You must specify either listener ARNs or a load balancer ARN")
	}
	if in.LoadBalancerArn != "" {
		if _, err := b.find(c, in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	out := &DescribeListenersOutput{}
	for _, arn := range slices.Sorted(maps.Keys(b.listeners)) {
		l := b.listeners[arn]
		if cloud.AccountOf(arn) != c.Account() || l.balancer.region != c.Region || l.balancer.arn != in.LoadBalancerArn && !slices.Contains(in.ListenerArns, arn) {
			continue
		}
		w := Listener{
			ListenerArn: arn, LoadBalancerArn: l.balancer.arn, Port: l.port, Protocol: l.protocol, SslPolicy: l.sslPolicy, DefaultActions: l.action.wire(),
		}
		for _, certificate := range l.certificates {
			w.Certificates = append(w.Certificates, Certificate{certificate})
		}
		out.Listeners = append(out.Listeners, w)
	}
	if len(out.Listeners) < len(in.ListenerArns) {
		return nil, cloud.Errorf(400, "ListenerNotFound", "One or more listeners not found: %s", strings.Join(in.ListenerArns, ", "))
	}
	var err error
	out.Listeners, out.NextMarker, err = markedPage(out.Listeners, in.Marker, in.PageSize)
	return out, err
}

// DescribeRulesInput is the input of DescribeRules.
type DescribeRulesInput struct {
	Marker   string
	PageSize int

	ListenerArn string
	RuleArns    []string `query:"RuleArns.member"`
}

// DescribeRulesOutput is the output of DescribeRules.
type DescribeRulesOutput struct {
	Rules      []Rule `xml:"Rules>member"`
	NextMarker string `xml:"NextMarker,omitempty"`
}

// Rule is the wire form of a rule.
type Rule struct {
	RuleArn    string      `xml:"RuleArn"`
	Priority   string      `xml:"Priority"`
	Conditions []Condition `xml:"Conditions>member"`
	Actions    []Action    `xml:"Actions>member"`
	IsDefault  bool        `xml:"IsDefault"`
}

// Condition is the wire form of a condition.
type Condition struct {
	Field             string          `xml:"Field"`
	Values            []string        `xml:"Values>member"`
	HostHeaderConfig  *ConditionValue `xml:"HostHeaderConfig"`
	PathPatternConfig *ConditionValue `xml:"PathPatternConfig"`
}

// ConditionValue is the wire form of the values of a condition.
type ConditionValue struct {
	Values []string `xml:"Values>member"`
}

// describeRules implements DescribeRules. The default rule of a listener comes last.
// describeRules implements DescribeRules.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html
func (b *Balancing) describeRules(c *cloud.Call, in *DescribeRulesInput) (*DescribeRulesOutput, error) {
	if err := c.Authorize("elasticloadbalancing:DescribeRules", "*", nil); err != nil {
		return nil, err
	}
	if (in.ListenerArn == "") == (len(in.RuleArns) == 0) {
		return nil, cloud.Errorf(400, "ValidationError", "You must specify either listener rule ARNs or a listener ARN")
	}
	out := &DescribeRulesOutput{}
	for _, arn := range in.RuleArns {
		r := b.rules[arn]
		if r == nil || cloud.AccountOf(arn) != c.Account() || r.listener.balancer.region != c.Region {
			return nil, cloud.Errorf(400, "RuleNotFound", "One or more rules not found: %s", arn)
		}
		out.Rules = append(out.Rules, r.wire())
	}
	if in.ListenerArn == "" {
		return out, nil
	}
	l := b.listeners[in.ListenerArn]
	if l == nil || cloud.AccountOf(l.arn) != c.Account() || l.balancer.region != c.Region {
		return nil, cloud.Errorf(400, "ListenerNotFound", "One or more listeners not found: %s", in.ListenerArn)
	}
	for _, r := range b.rulesOf(l) {
		out.Rules = append(out.Rules, r.wire())
	}
	_, path, _ := strings.Cut(l.arn, "listener/")
	before, _, _ := strings.Cut(l.arn, "listener/")
	out.Rules = append(out.Rules, Rule{
		RuleArn: before + "listener-rule/" + path + "/" + digest(l.arn)[:16], Priority: "default", Actions: l.action.wire(), IsDefault: true,
	})
	var err error
	out.Rules, out.NextMarker, err = markedPage(out.Rules, in.Marker, in.PageSize)
	return out, err
}

func (r *rule) wire() Rule {
	w := Rule{RuleArn: r.arn, Priority: strconv.Itoa(r.priority), Actions: r.action.wire()}
	for _, c := range r.conditions {
		wc := Condition{Field: c.field, Values: c.values}
		if c.field == "host-header" {
			wc.HostHeaderConfig = &ConditionValue{c.values}
		} else {
			wc.PathPatternConfig = &ConditionValue{c.values}
		}
		w.Conditions = append(w.Conditions, wc)
	}
	return w
}
