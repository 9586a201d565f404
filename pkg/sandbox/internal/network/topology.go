package network

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// What no template created is derived from names: the same account, Region and ARN have the same VPC, subnets and addresses in
// every run. Assumption NET-01.

type subnet struct {
	id, zone string
	block    netip.Prefix
}

// endpoint is the endpoint of a VPC origin.
type endpoint struct {
	arn, account, region string
	kind                 string // app, net or instance
	name                 string // of the load balancer, or the instance's id
}

// parseEndpoint reads arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/<kind>/<name>/<id> and
// arn:aws:ec2:<region>:<account>:instance/<id>.
func parseEndpoint(arn string) (endpoint, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return endpoint{}, false
	}
	e := endpoint{arn: arn, region: parts[3], account: parts[4]}
	path := strings.Split(parts[5], "/")
	switch {
	case parts[2] == "elasticloadbalancing" && len(path) == 4 && path[0] == "loadbalancer" && (path[1] == "app" || path[1] == "net"):
		e.kind, e.name = path[1], path[2]
	case parts[2] == "ec2" && len(path) == 2 && path[0] == "instance":
		e.kind, e.name = path[0], path[1]
	default:
		return endpoint{}, false
	}
	return e, true
}

func (e endpoint) vpc() string { return vpcID(e.account, e.region) }

// subnets returns the subnets of the endpoint: two of a load balancer, one of an instance.
func (e endpoint) subnets() []subnet {
	all := subnets(e.account, e.region)
	if e.kind == "instance" {
		return all[:1]
	}
	return all
}

func vpcID(account, region string) string { return "vpc-" + digest("vpc", account, region) }

func subnets(account, region string) []subnet {
	second := byte(number("vpc", account, region) % 256)
	list := make([]subnet, 2)
	for i := range list {
		zone := region + string(rune('a'+i))
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, byte(i) << 4, 0}), 20)
		list[i] = subnet{"subnet-" + digest("subnet", account, zone), zone, block}
	}
	return list
}

func defaultGroup(account, region string) *group {
	return &group{
		id: "sg-" + digest("default", account, region), name: "default", description: "default VPC security group",
		account: account, region: region, vpc: vpcID(account, region),
	}
}

// balancer is a load balancer that no template created.
type balancer struct {
	endpoint
	created time.Time
}

func (b *balancer) group() *group {
	return &group{
		id: "sg-" + digest("balancer", b.arn), name: b.name, description: "load balancer " + b.name,
		account: b.account, region: b.region, vpc: b.vpc(),
	}
}

func (b *balancer) dnsName() string {
	return fmt.Sprintf("internal-%s-%010d.%s.elb.amazonaws.com", b.name, number("dns", b.arn)%1e10, b.region)
}

// instance is an EC2 instance that no template created.
type instance struct {
	endpoint
	created time.Time
	ip      string
}

// discover derives the load balancer or instance when a VPC origin first points to it.
func (s *Service) discover(e endpoint) {
	now := s.world.Clock.Now()
	if e.kind == "instance" {
		if s.instances[e.arn] == nil {
			n := &eni{
				account: e.account, region: e.region, vpc: e.vpc(), subnet: e.subnets()[0], kind: "interface",
				groups: []groupName{defaultGroup(e.account, e.region).groupName()},
			}
			s.add(n)
			s.instances[e.arn] = &instance{e, now, n.ip.String()}
		}
		return
	}
	if s.balancers[e.arn] != nil {
		return
	}
	b := &balancer{e, now}
	s.balancers[e.arn] = b
	_, path, _ := strings.Cut(e.arn, "loadbalancer/")
	for _, sub := range e.subnets() {
		s.add(&eni{
			account: e.account, region: e.region, vpc: e.vpc(), subnet: sub, kind: "interface", description: "ELB " + path,
			requester: "amazon-elb", groups: []groupName{b.group().groupName()},
		})
	}
}

// freeAddress returns the lowest free address of the subnet, and false if there is none. AWS reserves the first four addresses
// and the last one.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
func (s *Service) freeAddress(sub subnet) (netip.Addr, bool) {
	a := sub.block.Masked().Addr()
	for range 4 {
		a = a.Next()
	}
	for ; sub.block.Contains(a.Next()); a = a.Next() {
		if !slices.ContainsFunc(s.interfaces, func(n *eni) bool { return n.subnet.id == sub.id && n.ip == a }) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:17]
}

func number(parts ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return binary.BigEndian.Uint64(sum[:8])
}
