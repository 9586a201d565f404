package audit

import (
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// Hub is what the audit knows about the hub without observing anything.
type Hub struct {
	Policy    hubpolicy.Policy
	Account   string
	WireQueue string // URL for the repair commands
}

// Own reports whether one of the hub's functions made a call.
//
//	role of the caller                                own
//	below the hub's role path in the hub's account    yes
//	the spoke role of the account that made the call  yes
//	the spoke role of another account                 no
//	any other, or none                                no
func (h Hub) Own(c inbound.CallHint) bool {
	return strings.HasPrefix(c.Role, "arn:aws:iam::"+h.Account+":role"+contract.RolePath(h.Policy.Hub)) ||
		c.Role == contract.SpokeRoleARN(h.Policy.Hub, c.Account)
}

// adopted reports whether the distributions were adopted, so that others may edit the unmanaged parts.
func (h Hub) adopted() bool { return h.Policy.Distribution.Create == 0 }

// function returns the name of the function that answers 404, or "" if the distributions were adopted and have none.
func (h Hub) function() string {
	if h.adopted() {
		return ""
	}
	return contract.NotFoundFunction(h.Policy.Hub)
}

// team returns the name of the team that an account belongs to, or "".
func (h Hub) team(account string) string {
	team, _ := h.Policy.TeamOf(account)
	return team.Name
}

// Observed is what is known of AWS and the registry. What was not observed is empty.
type Observed struct {
	Hub
	origin.Snapshot // of the registry: Distributions are its items
	// Aside are the records of distributions whose items cannot be read. They are not among Records, because it is not known which
	// distribution has them; only what their teardowns say counts.
	Aside      []origin.Record
	Managed    []string                  // ids of the distributions that the hub writes
	Listed     []origin.Listed           // the distributions of the hub's account
	Configs    map[string]*wiring.Config // of distributions, by id
	Offered    []origin.Resource         // what RAM lists as shared with the hub
	Visible    []origin.VpcOrigin        // what CloudFront lists as shared with the hub
	Owned      []Owned
	Unreadable []string // accounts of teams that could not be read, so that Owned lacks their origins
	Outdated   []string // accounts of teams whose spoke is of an earlier version
	Interfaces []Interfaces
	Unlisted   []string // accounts of teams whose network interfaces could not be listed in every Region of Regions
	DNS        []origin.DNSRecord
	Holders    map[string]origin.AliasHolders // by host of Hidden
	Function   origin.Function                // the function that answers 404
	Invitation origin.Invitation              // that the call answered; zero if RAM does not list it as answered so
	Balancer   string                         // ARN of the load balancer that the call names; "" if it does not exist

	index *index // nil: see indexed
}

// Owned is a VPC origin as its own account lists it. Users are the distributions that use it, in any account.
type Owned struct {
	origin.VpcOrigin
	Users    []origin.User
	Teardown bool // it has the teardown tag; observed only of those that Unrecorded returns
}

// Interfaces are the network interfaces that CloudFront keeps for VPC origins in one Region of one account. If there are any, Origins has the
// location of every VPC origin of that account and Region; it is zero if the load balancer or instance does not exist any more.
type Interfaces struct {
	Account, Region string
	ENIs            []origin.ENI
	Origins         []origin.Endpoint
}

// Begin returns what is known before anything but the registry is observed.
//
//	the registry's item  policy names it  it has an origin or a released host  managed
//	has no id            -                -                                    no
//	has an id            yes              -                                    yes
//	has an id            no               yes                                  yes: its origins stay
//	has an id            no               no                                   no
func Begin(h Hub, s origin.Snapshot) Observed {
	o := Observed{Hub: h, Snapshot: s}
	o.Records = nil
	s = s.Indexed()
	for _, r := range s.Records {
		if s.IsDistributionDamaged(r.Distribution) {
			o.Aside = append(o.Aside, r)
		} else {
			o.Records = append(o.Records, r)
		}
	}
	fleet := setOf(wiring.Fleet(h.Policy.Distribution.Fleet(), s))
	for _, d := range s.Distributions {
		if d.ID != "" && fleet[d.Name] {
			o.Managed = append(o.Managed, d.ID)
		}
	}
	return o
}

// Want lists what to observe before a decision.
type Want struct {
	Listed   bool         // the distributions of the hub's account
	Function string       // name of a CloudFront function
	Rejected string       // ARN of an invitation that was rejected
	Accepted string       // ARN of an invitation that was accepted
	Balancer string       // ARN of a load balancer in account Owned
	Configs  []string     // the configurations of these distributions
	Sharing  bool         // what RAM and CloudFront list as shared with the hub
	DNS      bool         // the records of the hosted zone
	Owned    string       // the VPC origins of this account
	Used     []string     // the VPC origins of these accounts, their users, and CloudFront's network interfaces
	Doors    []origin.Ref // the users of these VPC origins
}

// Around returns what to observe to judge a call.
//
//	call                                    to observe
//	reported before                         nothing
//	UpdateDistribution, CreateDistribution, the users of the account's admitted origins, if its team has a spoke
//	CopyDistribution by another account
//	UpdateDistribution                      distributions, and the configuration of the managed one that it names, or of all
//	DeleteDistribution                      distributions
//	DeleteResourceShare, Disassociate…,     distributions, and what is shared, if an origin of the account was in the share
//	UpdateResourceShare
//	DeleteVpcOrigin by a team               the VPC origins of its account: only its owner sees whether an origin is being deleted
//	DeleteVpcOrigin by another account      nothing
//	ChangeResourceRecordSets                distributions, and DNS records
//	AssociateAlias, UpdateDomainAssoc…,     distributions
//	CreateDistribution, CopyDistribution
//	PublishFunction                         the function, if it is the hub's
//	RejectResourceShareInvitation           the invitation that it names
//	AcceptResourceShareInvitation           the invitation that it names, and what is shared
//	DeleteLoadBalancer by a team            the load balancer, and the VPC origins of its account
//	DeleteLoadBalancer by another account   nothing
func Around(c inbound.CallHint, o Observed) Want {
	if o.reported(c) {
		return Want{}
	}
	switch c.Call {
	case inbound.UpdateDistribution, inbound.CreateDistribution, inbound.CopyDistribution:
		return o.aroundDistribution(c)
	case inbound.DeleteDistribution:
		return Want{Listed: true}
	case inbound.DeleteResourceShare, inbound.DisassociateResourceShare, inbound.UpdateResourceShare:
		if slices.ContainsFunc(o.Records, func(r origin.Record) bool { return concerns(c, r) }) {
			return Want{Listed: true, Sharing: true}
		}
	case inbound.DeleteVpcOrigin:
		if _, known := o.Policy.TeamOf(c.Account); known {
			return Want{Owned: c.Account}
		}
	case inbound.DeleteLoadBalancer:
		if _, known := o.Policy.TeamOf(c.Account); known && ownedBy(c.Target, c.Account) {
			return Want{Owned: c.Account, Balancer: c.Target}
		}
	case inbound.RejectResourceShareInvitation, inbound.AcceptResourceShareInvitation:
		return o.aroundInvitation(c)
	case inbound.ChangeResourceRecordSets:
		return Want{Listed: true, DNS: true}
	case inbound.AssociateAlias, inbound.UpdateDomainAssociation:
		return Want{Listed: true}
	case inbound.PublishFunction:
		if c.Account == o.Account && (c.Target == "" || c.Target == o.function()) {
			return Want{Function: o.function()}
		}
	}
	return Want{}
}

// aroundDistribution returns what to observe to judge a call that may put an origin into a distribution.
func (o Observed) aroundDistribution(c inbound.CallHint) Want {
	if c.Account != o.Account {
		return Want{Doors: o.admittedOf(c.Account)}
	}
	w := Want{Listed: true}
	for _, id := range o.Managed {
		if c.Call == inbound.UpdateDistribution && (c.Target == "" || c.Target == id) {
			w.Configs = append(w.Configs, id)
		}
	}
	return w
}

// admittedOf returns the admitted origins of an account whose team has a spoke.
func (o Observed) admittedOf(account string) (origins []origin.Ref) {
	team, _ := o.Policy.TeamOf(account)
	if !team.Spoke {
		return nil
	}
	for _, r := range o.Records {
		if _, admitted := o.admitted(r.ID); admitted && r.Account == account {
			origins = append(origins, r.Ref)
		}
	}
	return origins
}

// aroundInvitation returns what to observe to judge an answer to an invitation.
func (o Observed) aroundInvitation(c inbound.CallHint) Want {
	switch {
	case c.Account != o.Account || o.unrelated(c.Target):
		return Want{}
	case c.Call == inbound.AcceptResourceShareInvitation:
		return Want{Accepted: c.Target, Sharing: true}
	}
	return Want{Rejected: c.Target}
}

// Everything returns what a sweep observes. It includes the accounts of the teams that granted the hub a role.
func Everything(h Hub) Want {
	w := Want{Listed: true, Sharing: true, DNS: true, Function: h.function()}
	for _, team := range h.Policy.Teams {
		if team.Spoke {
			w.Used = append(w.Used, team.Accounts...)
		}
	}
	return w
}

func (o Observed) manages(distribution string) bool { return o.look().managed[distribution] }

// distributionOf returns the id of the managed distribution that uses a VPC origin, or "".
func (o Observed) distributionOf(vpcOrigin string) string { return o.look().using[vpcOrigin] }

// share returns the ARN of the share through which the hub got a VPC origin.
func (o Observed) share(arn string) (string, bool) {
	share, shared := o.look().shares[arn]
	return share, shared
}

// offered reports whether both RAM and CloudFront list an origin for the hub.
func (o Observed) offered(arn string) bool {
	_, shared := o.share(arn)
	return shared && o.look().visible[arn]
}

// setAside reports whether the record of an origin, or the item of its distribution, cannot be read. Nothing is found about such an origin, and
// nothing that was found about it is resolved.
func (o Observed) setAside(vpcOrigin string) bool {
	return o.IsDamaged(vpcOrigin) || o.look().aside[vpcOrigin]
}

// inTeardown reports whether a teardown of the origin is recorded. Its own events report how it ends.
func (o Observed) inTeardown(vpcOrigin string) bool {
	r, known := o.Find(vpcOrigin)
	return known && r.Teardown != nil
}
