package network

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

// Request is the part of CloudFront's request that a load balancer uses.
type Request struct{ Host, Path string }

// Answer is the response of something behind CloudFront.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	By     string // "load balancer", "endpoint", "API Gateway" or "application"
	Reason string // the hop that failed, and why; empty if none did
}

// Hop is the next hop of a request after a load balancer. Exactly one of the three is set.
type Hop struct {
	Broken   *Broken       // CloudFront gets no response from the load balancer
	Answer   *Answer       // the load balancer itself responds
	Endpoint *EndpointView // the request goes to this interface endpoint
}

// Broken is why CloudFront gets no response, and the status that its viewers get.
type Broken struct {
	Status int
	Reason string
}

// Route follows a request from a VPC origin through the load balancer that a template created. It returns false if no template
// created the origin's endpoint. Call with the world locked. Statuses of broken connections:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/troubleshooting-response-errors.html
func (b *Balancing) Route(o cloudfront.VpcOriginView, r Request) (Hop, bool) {
	broken := func(status int, format string, args ...any) (Hop, bool) {
		return Hop{Broken: &Broken{status, fmt.Sprintf(format, args...)}}, true
	}
	lb := b.balancers[o.Endpoint]
	if lb == nil {
		if b.gone[o.Endpoint] {
			// Assumption NET-14.
			return broken(http.StatusBadGateway, "load balancer %s is deleted", o.Endpoint)
		}
		return Hop{}, false
	}
	port, tls := o.HTTPSPort, true
	if o.Protocol == "http-only" {
		port, tls = o.HTTPPort, false
	}
	var service []groupName
	if g := b.network.serviceGroups[lb.vpc]; g != nil {
		service = []groupName{g.groupName()}
	}
	if !admits(b.network.rulesOf(lb.groups, inbound), port, peer{groups: service, prefixList: OriginFacing(lb.region)}) {
		// Assumption NET-15.
		return broken(http.StatusGatewayTimeout, "no security group of load balancer %s admits CloudFront to port %d", lb.name, port)
	}
	l := b.listenerAt(lb, port)
	switch {
	case l == nil:
		return broken(http.StatusBadGateway, "load balancer %s has no listener on port %d", lb.name, port)
	case tls != (l.protocol == "HTTPS"):
		return broken(http.StatusBadGateway, "listener %d of load balancer %s speaks %s, and the VPC origin is %s", port, lb.name, l.protocol, o.Protocol)
	}
	if tls {
		if problem := b.handshake(l, o, r.Host); problem != "" {
			return broken(http.StatusBadGateway, "load balancer %s: %s", lb.name, problem)
		}
	}
	return b.dispatch(l, r), true
}

func (b *Balancing) listenerAt(lb *loadBalancer, port int) *listener {
	for _, l := range b.listeners {
		if l.balancer == lb && l.port == port {
			return l
		}
	}
	return nil
}

// handshake returns why TLS between CloudFront and a listener fails: protocols without a common version, or a certificate that
// does not cover the name. The name is the forwarded Host, or else the origin's domain name.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-502-bad-gateway.html
func (b *Balancing) handshake(l *listener, o cloudfront.VpcOriginView, host string) string {
	least, _ := leastTLS(l.sslPolicy) // checked when the listener was created
	best := -1
	for _, p := range o.Protocols {
		if v := slices.Index([]string{"TLSv1", "TLSv1.1", "TLSv1.2"}, p); v > best {
			best = v
		}
	}
	if best < least {
		return fmt.Sprintf("no common TLS version: the VPC origin has %s, security policy %s needs TLS 1.%d", strings.Join(o.Protocols, ", "), l.sslPolicy, least)
	}
	names, ok := b.Certificate(l.certificates[0], l.balancer.account, l.balancer.region)
	if !ok {
		return "certificate " + l.certificates[0] + " is gone"
	}
	if !slices.ContainsFunc(names, func(n string) bool { return Covers(n, host) }) {
		return fmt.Sprintf("certificate %s for %s does not cover %s", l.certificates[0], strings.Join(names, ", "), host)
	}
	return ""
}

// Covers reports whether a name of a certificate, which may begin with "*.", covers a host. The * stands for one label.
// https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html
func Covers(name, host string) bool {
	if suffix, wildcard := strings.CutPrefix(name, "*."); wildcard {
		label, rest, _ := strings.Cut(host, ".")
		return label != "" && strings.EqualFold(rest, suffix)
	}
	return strings.EqualFold(name, host)
}

// dispatch finds the action for a request and follows it.
func (b *Balancing) dispatch(l *listener, r Request) Hop {
	do, by := l.action, "the default action"
	for _, rule := range b.rulesOf(l) {
		if !slices.ContainsFunc(rule.conditions, func(c condition) bool { return !c.holds(r.Host, r.Path) }) {
			do, by = rule.action, fmt.Sprintf("rule %d", rule.priority)
			break
		}
	}
	by += fmt.Sprintf(" of listener %d of load balancer %s", l.port, l.balancer.name)
	if f := do.fixed; f != nil {
		a := &Answer{Status: f.status, Header: http.Header{"Server": {"awselb/2.0"}}, Body: f.body, By: "load balancer"}
		if f.contentType != "" {
			a.Header.Set("Content-Type", f.contentType)
		}
		if f.status >= 400 {
			a.Reason = fmt.Sprintf("%s answers %d for host %s", by, f.status, r.Host)
		}
		return Hop{Answer: a}
	}
	return b.deliver(l.balancer, do.targetGroup)
}

// deliver selects the first healthy target, or the first unhealthy one if none is healthy, because a load balancer fails open.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (b *Balancing) deliver(lb *loadBalancer, g *targetGroup) Hop {
	fail := func(status int, format string, args ...any) Hop {
		text := fmt.Sprintf("%d %s", status, http.StatusText(status))
		return Hop{Answer: &Answer{
			Status: status, Header: http.Header{"Server": {"awselb/2.0"}, "Content-Type": {"text/html"}}, By: "load balancer",
			Body:   "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n",
			Reason: fmt.Sprintf(format, args...),
		}}
	}
	var chosen *target
	for _, want := range []string{"healthy", "unhealthy"} {
		for _, t := range b.targetsOf(g) {
			if chosen == nil && b.health(g, t).State == want {
				chosen = &t
			}
		}
	}
	// 503 without registered targets, 504 if a target does not accept the connection in time, 502 if it does not speak TLS.
	// Targets whose first check has not ended do not count (assumption NET-16).
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
	if chosen == nil {
		return fail(http.StatusServiceUnavailable, "target group %s has no registered target whose first health check has ended", g.name)
	}
	e, problem := b.reach(lb, chosen.ip, chosen.port, g.protocol == "HTTPS")
	if problem != "" {
		return fail(http.StatusGatewayTimeout, "target %s of target group %s: %s", chosen.ip, g.name, problem)
	}
	return Hop{Endpoint: &e}
}

// reach finds what listens at an address that a load balancer connects to, or returns why nothing can be reached.
func (b *Balancing) reach(lb *loadBalancer, ip netip.Addr, port int, tls bool) (EndpointView, string) {
	s := b.network
	i := slices.IndexFunc(s.interfaces, func(n *eni) bool { return n.vpc == lb.vpc && n.ip == ip })
	if i < 0 {
		return EndpointView{}, "no network interface of " + lb.vpc + " has this address"
	}
	n := s.interfaces[i]
	if !admits(s.rulesOf(lb.groups, outbound), port, peer{address: ip, groups: n.groups}) {
		return EndpointView{}, fmt.Sprintf("no security group of load balancer %s lets it connect to port %d", lb.name, port)
	}
	for _, from := range s.interfaces {
		if from.user == lb.arn && !admits(s.rulesOf(n.groups, inbound), port, peer{address: from.ip, groups: lb.groups}) {
			return EndpointView{}, fmt.Sprintf("no security group of %s admits load balancer %s to port %d", n.id, lb.name, port)
		}
	}
	e := s.endpoints[n.user]
	switch {
	case e == nil || !strings.HasSuffix(e.service, ".execute-api"):
		return EndpointView{}, "the sandbox has no server behind " + n.id + " (" + n.description + ")"
	case port != 443 || !tls:
		return EndpointView{}, "an execute-api endpoint answers HTTPS on port 443 only"
	}
	return e.view(), ""
}
