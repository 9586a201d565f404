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

// Hub is what the audit knows of the hub without observing anything.
type Hub struct {
	Policy    hubpolicy.Policy
	Account   string
	WireQueue string // URL, for people, in commands
}

// Own reports whether a call is that of a function of this hub's.
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

// adopted reports whether the distributions are not the hub's own: others may edit their parts of them.
func (h Hub) adopted() bool { return h.Policy.Distribution.Create == 0 }

func (h Hub) team(account string) string {
	team, _ := h.Policy.TeamOf(account)
	return team.Name
}

// Observed is what is known of the world. What was not observed is left out.
type Observed struct {
	Hub
	origin.Snapshot                           // of the registry: Distributions are its items
	Managed         []string                  // ids of the distributions that the hub writes
	Listed          []origin.Listed           // the distributions of the hub's account
	Configs         map[string]*wiring.Config // of distributions, by id
	Offered         []origin.Resource         // what RAM shows as shared with the hub
	Visible         []origin.VpcOrigin        // what CloudFront shows as shared with the hub
	Owned           []Owned
	Unreadable      []string // accounts of teams that could not be read: Owned says nothing of them
	DNS             []origin.DNSRecord
}

// Owned is a VPC origin as its own account sees it. Users are the distributions that use it, in any account.
type Owned struct {
	origin.VpcOrigin
	Users []origin.User
}

// Begin returns what is known before anything but the registry is observed.
//
//	the registry's item  policy names it  it holds an origin or a host  managed
//	has no id            -                -                             no
//	has an id            yes              -                             yes
//	has an id            no               yes                           yes: what is in it stays
//	has an id            no               no                            no
func Begin(h Hub, s origin.Snapshot) Observed {
	o := Observed{Hub: h, Snapshot: s}
	fleet := wiring.Fleet(h.Policy.Distribution.Fleet(), s)
	for _, d := range s.Distributions {
		if d.ID != "" && slices.Contains(fleet, d.Name) {
			o.Managed = append(o.Managed, d.ID)
		}
	}
	return o
}

// Want is what to observe before a decision.
type Want struct {
	Listed  bool     // the distributions of the hub's account
	Configs []string // the configurations of these distributions
	Sharing bool     // what RAM and CloudFront show as shared with the hub
	DNS     bool     // the records of the hosted zone
	Owned   string   // the VPC origins of this account
	Used    []string // the VPC origins of these accounts, and who uses them
}

// Around returns what a call may have touched.
//
//	call                                    to observe
//	one that was reported before            nothing
//	one that failed                         nothing: whoever made it changed nothing
//	UpdateDistribution                      distributions, and configurations of the managed one that it names, or of all
//	DeleteDistribution                      distributions
//	DeleteResourceShare, Disassociate…      distributions, and what is shared
//	DeleteVpcOrigin by a team               the VPC origins of its account: only that tells whether the origin is going
//	DeleteVpcOrigin by another account      nothing
//	ChangeResourceRecordSets                distributions, and records
func Around(c inbound.CallHint, o Observed) Want {
	if o.reported(c) || c.Failed != "" {
		return Want{}
	}
	switch c.Call {
	case inbound.UpdateDistribution:
		w := Want{Listed: true}
		for _, id := range o.Managed {
			if c.Target == "" || c.Target == id {
				w.Configs = append(w.Configs, id)
			}
		}
		return w
	case inbound.DeleteDistribution:
		return Want{Listed: true}
	case inbound.DeleteResourceShare, inbound.DisassociateResourceShare:
		return Want{Listed: true, Sharing: true}
	case inbound.DeleteVpcOrigin:
		if _, known := o.Policy.TeamOf(c.Account); known {
			return Want{Owned: c.Account}
		}
	case inbound.ChangeResourceRecordSets:
		return Want{Listed: true, DNS: true}
	}
	return Want{}
}

// Everything returns what a sweep observes: of the teams' accounts those that granted the hub a role.
func Everything(p hubpolicy.Policy) Want {
	w := Want{Listed: true, Sharing: true, DNS: true}
	for _, team := range p.Teams {
		if team.Spoke {
			w.Used = append(w.Used, team.Accounts...)
		}
	}
	return w
}

func (o Observed) manages(distribution string) bool { return slices.Contains(o.Managed, distribution) }

// uses is the id of the managed distribution that uses a VPC origin, or "".
func (o Observed) uses(vpcOrigin string) string {
	for _, d := range o.Listed {
		if o.manages(d.ID) && holds(d, vpcOrigin) {
			return d.ID
		}
	}
	return ""
}

func holds(d origin.Listed, vpcOrigin string) bool {
	return slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { return p.VPCOrigin == vpcOrigin })
}

// share is the ARN of the share by which the hub got a VPC origin.
func (o Observed) share(arn string) (string, bool) {
	for _, s := range o.Offered {
		if s.ARN == arn {
			return s.Share, true
		}
	}
	return "", false
}

// offered reports whether both RAM and CloudFront show an origin to the hub.
func (o Observed) offered(arn string) bool {
	_, shared := o.share(arn)
	return shared && slices.ContainsFunc(o.Visible, func(v origin.VpcOrigin) bool { return v.ARN == arn })
}

// leaving reports whether an origin is on its way out as its team asked: a teardown ends by itself, and says how.
func (o Observed) leaving(vpcOrigin string) bool {
	r, known := o.Find(vpcOrigin)
	return known && r.Teardown != nil
}
