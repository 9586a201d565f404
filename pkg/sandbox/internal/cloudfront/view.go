package cloudfront

import (
	"sort"
	"strings"
)

// This file has what the data plane and the network read of CloudFront. Call with the world locked.

// Served is a distribution as edges know it.
type Served struct {
	ID, Account, DomainName string
	Config                  *Element // nil before the first deployment
}

// Served returns the distributions of all accounts by id, each with the configuration that edges serve.
func (s *Service) Served() []Served {
	var list []Served
	for _, d := range s.distributions {
		list = append(list, Served{d.id, d.account, d.domain, s.served(d, s.now())})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

// VpcOriginView is a VPC origin as the network and the edge know it.
type VpcOriginView struct {
	ID, ARN, Account, Name string
	Endpoint               string // ARN of the load balancer or instance
	Protocol               string // https-only, http-only or match-viewer
	HTTPPort, HTTPSPort    int
	Protocols              []string // for example TLSv1.2
	Tags                   map[string]string
	Deployed               bool // whether its status is Deployed
}

func (s *Service) view(o *vpcOrigin) VpcOriginView {
	v := VpcOriginView{
		ID: o.id, ARN: o.arn, Account: o.account, Name: o.config.Name, Endpoint: o.config.Arn, Protocol: o.config.OriginProtocolPolicy,
		HTTPPort: o.config.HTTPPort, HTTPSPort: o.config.HTTPSPort, Tags: o.tags, Deployed: o.status(s.now()) == statusDeployed,
	}
	v.Protocols = []string{"TLSv1", "SSLv3"} // the default of AWS::CloudFront::VpcOrigin
	if p := o.config.OriginSslProtocols; p != nil {
		v.Protocols = p.Items
	}
	return v
}

// VpcOrigins returns the VPC origins of all accounts by id.
func (s *Service) VpcOrigins() []VpcOriginView {
	var list []VpcOriginView
	for id := range s.origins {
		if o := s.origin(id); o != nil {
			list = append(list, s.view(o))
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

// FunctionCode returns the published code of a function, and false if there is none.
func (s *Service) FunctionCode(arn string) (string, bool) {
	f := s.functions[arn]
	if f == nil || f.live == nil {
		return "", false
	}
	return string(f.live.code), true
}

// overlap reports whether one of two aliases covers the other, wildcards included.
func overlap(a, b string) bool {
	return a == b || covers(a, b) || covers(b, a)
}

// covers reports whether the wildcard alias covers a name. The * stands for one or more labels.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-wildcard
func covers(wildcard, name string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	return ok && len(name) > len(suffix) && strings.HasSuffix(name, suffix)
}

// AliasFor returns how well a distribution's aliases match a host. It returns 0 for no match. A longer alias has a higher value,
// and an exact alias a higher value than any wildcard.
func AliasFor(config *Element, host string) int {
	best := 0
	for _, alias := range config.Values("Aliases") {
		switch {
		case alias == host:
			return 1 << 16
		case covers(alias, host):
			best = max(best, len(alias))
		}
	}
	return best
}
