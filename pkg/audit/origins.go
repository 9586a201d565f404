package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// The minimum age of a leak. Sharing and wiring take a quarter of an hour; an origin without a distribution may be one that a team is
// building.
const (
	sharedGrace = 24 * time.Hour
	unusedGrace = 7 * 24 * time.Hour
)

const unknown = "unknown"

// unwired finds origins that are shared with the hub but not wired.
//
//	account     shared  in a managed distribution  in teardown  created            finding
//	of no team  -       -                          -            -                  none: anybody can share any number of origins
//	of a team   no      -                          -            -                  none
//	of a team   yes     yes                        -            -                  none
//	of a team   yes     no                         yes          -                  none
//	of a team   yes     no                         no           less than 24 h ago none
//	of a team   yes     no                         set aside    before             none
//	of a team   yes     no                         no           before             shared-not-wired
func (o Observed) unwired() []Finding {
	var found []Finding
	for _, v := range o.Visible {
		share, shared := o.share(v.ARN)
		if o.team(v.Account) == "" || !shared || o.distributionOf(v.ID) != "" || o.inTeardown(v.ID) || o.setAside(v.ID) || o.Now.Sub(v.Created) < sharedGrace {
			continue
		}
		reasons := o.Refusals[v.ARN]
		if len(reasons) == 0 {
			reasons = o.Refusals[share]
		}
		why := origin.Why(reasons)
		if why == "" {
			why = "see its events, or its record in the registry, for the reason"
		}
		f := o.about(SharedNotWired, v)
		f.Risk = "VPC origin " + v.ID + " is shared with the hub, but no distribution of the hub uses it (" + why +
			"); fix the reason, or stop sharing the origin, in account " + v.Account
		f.Repair = fmt.Sprintf("aws ram disassociate-resource-share --region us-east-1 --resource-share-arn %s --resource-arns %s", share, v.ARN)
		f.In = v.Account
		f.Facts = append(slices.Clone(reasons), fact(shareIs, share))
		found = append(found, f)
	}
	return found
}

// unused finds origins that no distribution uses, in accounts that can be read. Origins that are shared with the hub are found by unwired.
//
//	shared  used  Deployed  in teardown  created            finding
//	yes     -     -         -            -                  none
//	no      yes   -         -            -                  none
//	no      no    no        -            -                  none: it is being created or deleted
//	no      no    yes       yes          -                  none
//	no      no    yes       set aside    -                  none
//	no      no    yes       no           less than 7 d ago  none
//	no      no    yes       no           before             origin-unused, unless forgotten finds it
func (o Observed) unused() []Finding {
	var found []Finding
	for _, v := range o.Owned {
		if o.offered(v.ARN) || len(v.Users) > 0 || o.distributionOf(v.ID) != "" || !v.Deployed || o.inTeardown(v.ID) || o.setAside(v.ID) || v.Teardown || o.Now.Sub(v.Created) < unusedGrace {
			continue
		}
		f := o.about(OriginUnused, v.VpcOrigin)
		f.Risk = "VPC origin " + v.ID + " is used by no distribution; its network interfaces keep its VPC from being deleted, and its load balancer " +
			"or instance may cost money; if nobody needs the origin, delete it in account " + v.Account
		f.Repair, f.In = v.DeleteCommand(), v.Account
		found = append(found, f)
	}
	return found
}

// about returns a finding about a VPC origin.
func (o Observed) about(k Kind, v origin.VpcOrigin) Finding {
	return Finding{
		Kind: k, Subject: v.ARN, Origin: v.ID, Account: v.Account, Team: o.team(v.Account), Since: v.Created, Cost: monthly(v.Endpoint),
	}
}

// monthly returns the estimated cost per month of keeping an origin. Sharing is free
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html); the endpoint is not. An Application Load
// Balancer in us-east-1 costs $0.0225 an hour without capacity units (https://aws.amazon.com/elasticloadbalancing/pricing/), and AWS counts
// 730 hours a month. Prices of other Regions and kinds are not known here.
func monthly(endpoint string) string {
	if strings.HasPrefix(endpoint, "arn:aws:elasticloadbalancing:us-east-1:") && strings.Contains(endpoint, ":loadbalancer/app/") {
		return fmt.Sprintf("$%.2f a month: the hours of its load balancer, without capacity units", 0.0225*730)
	}
	return unknown
}

// wired finds origins that are in a managed distribution but no longer shared.
//
//	in a managed distribution  record     listed by RAM and CloudFront  finding
//	no                         -          -                             none
//	yes                        deleted    -                             none
//	yes                        any other  both                          none
//	yes                        any other  one of them, or neither       wired-not-shared
func (o Observed) wired() []Finding {
	var found []Finding
	for _, r := range o.Records {
		distribution := o.distributionOf(r.ID)
		if r.State == origin.Deleted || distribution == "" || o.offered(r.ARN) {
			continue
		}
		found = append(found, Finding{
			Kind: WiredNotShared, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown,
			Risk: "VPC origin " + r.ID + " is no longer shared but still wired; " + lockedText(distribution) + shareAgainText(r), Repair: shareAgain(r, o.Account), In: r.Account,
			Facts: []origin.Reason{fact(distributionIs, distribution)},
		})
	}
	return found
}

// lockedText returns what it means that an origin in a distribution is no longer shared (CF-03,
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html).
func lockedText(distribution string) string {
	return "distribution " + distribution + " goes on serving it, but CloudFront refuses updates until the origin is removed, so that " +
		"all teams' changes wait; the hub removes the origin itself"
}

// shareAgainText returns the advice to share an origin again.
func shareAgainText(r origin.Record) string {
	return "; to wire it again, share it again in account " + r.Account
}

// shareAgain returns the command that shares an origin with the hub's account.
func shareAgain(r origin.Record, hub string) string {
	return fmt.Sprintf("aws ram create-resource-share --region us-east-1 --name originhub-%s --resource-arns %s --principals %s", r.ID, r.ARN, hub)
}

// guardShare judges the deletion of a share, or the removal of a resource from one.
//
//	origin of the account    shared  the hub                                        verdict
//	in another share         -       -                                              harmless
//	any                      yes     -                                              harmless
//	any                      no      has it in a distribution                       found
//	any                      no      withdrew it for that less than an hour ago     found
//	any                      no      has to wire it                                 found
//	any                      no      none of these                                  harmless
//
// A call that names the share of another account's origin is forged.
func (o Observed) guardShare(c inbound.CallHint) Judgement {
	var found []Finding
	for _, r := range o.Records {
		if r.Account != c.Account {
			if c.Target != "" && r.Share == c.Target {
				return forged("the event names %s, which account %s does not own", c.Target, c.Account)
			}
			continue
		}
		if !concerns(c, r) || o.offered(r.ARN) {
			continue
		}
		f := Finding{
			Kind: ShareRevoked, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true,
			Repair: shareAgain(r, o.Account), In: r.Account,
		}
		switch distribution := o.distributionOf(r.ID); {
		case distribution != "":
			f.Risk = "VPC origin " + r.ID + " is no longer shared but still wired; " + lockedText(distribution)
		case withdrawnLately(r, o.Now):
			f.Risk = "VPC origin " + r.ID + " is no longer shared; CloudFront refuses every update of a distribution that contains such an origin, so the " +
				"hub removed it, and requests for " + strings.Join(r.Claim.Hosts, ", ") + " no longer reach it"
		case r.Intent == origin.Wire:
			f.Risk = "VPC origin " + r.ID + " is no longer shared, so the hub cannot wire it"
		default:
			continue
		}
		f.Risk += shareAgainText(r)
		found = append(found, f)
	}
	if len(found) == 0 {
		return harmless("every origin that the hub wires is still shared")
	}
	return Judgement{Verdict: Found, Findings: found}
}

// concerns reports whether a call about a share may have taken away the origin of a record.
func concerns(c inbound.CallHint, r origin.Record) bool {
	return r.Account == c.Account && (c.Target == "" || r.Share == c.Target) && r.State != origin.Deleted
}

// withdrawnLately reports whether the hub withdrew an origin less than an hour ago because it was no longer shared. RAM shows that earlier
// than CloudTrail reports the call, so that the hub may have removed the origin by the time the call is judged.
//
//	decision in its history  reason                  at              result
//	none to withdraw it      -                       -               false
//	withdrawn                another                 -               false
//	withdrawn                it was no longer shared an hour ago     false
//	withdrawn                it was no longer shared since then      true
func withdrawnLately(r origin.Record, now time.Time) bool {
	return slices.ContainsFunc(r.History, func(d origin.Decision) bool {
		return d.Code == origin.DecidedWithdrawn && origin.HasCode(d.Reasons, origin.OriginNotShared) && now.Sub(d.At) < time.Hour
	})
}

// guardOrigin judges the deletion of a VPC origin.
//
//	record of the origin       its account lists it   verdict
//	none                       -                      harmless
//	of another account         -                      forged
//	in teardown, or deleted    -                      harmless
//	any other                  Deployed               harmless
//	any other                  no, or not Deployed    found
func (o Observed) guardOrigin(c inbound.CallHint) Judgement {
	r, known := o.Find(c.Target)
	switch {
	case !known:
		return harmless("VPC origin %q is not in the registry", c.Target)
	case r.Account != c.Account:
		return forged("the event names %s, which account %s does not own", r.ARN, c.Account)
	case r.State == origin.Deleted || r.Teardown != nil:
		return harmless("VPC origin %s has a teardown, which verifies what is left", r.ID)
	case slices.ContainsFunc(o.Owned, func(v Owned) bool { return v.ID == r.ID && v.Deployed }):
		return harmless("VPC origin %s exists and is Deployed", r.ID)
	}
	f := Finding{
		Kind: OriginDeleted, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true,
		Risk: "VPC origin " + r.ID + " was deleted outside a teardown, so nothing verifies that its network interfaces are gone, and they keep its " +
			"VPC from being deleted; list CloudFront's interfaces in account " + r.Account + ", which may belong to other VPC origins, too, " +
			"and remove the deleted origin from its share",
		Repair: `for region in $(aws ec2 describe-regions --region us-east-1 --query 'Regions[].RegionName' --output text); do ` +
			`aws ec2 describe-network-interfaces --region "$region" --filters Name=tag:aws.cloudfront.vpcorigin,Values=enabled ` +
			`--query 'NetworkInterfaces[].[AvailabilityZone,VpcId,NetworkInterfaceId]' --output text; done`,
		In: r.Account,
	}
	if r.Share != "" { // the share may hold other origins, too
		f.Repair += "; aws ram disassociate-resource-share --region us-east-1 --resource-share-arn " + r.Share + " --resource-arns " + r.ARN
	}
	return Judgement{Verdict: Found, Findings: []Finding{f}}
}

// unresolvedFor is how long a teardown may be blocked or dirty until it is reported a second time.
const unresolvedFor = 24 * time.Hour

// unresolved finds teardowns that were reported as blocked or dirty a day ago or earlier, and that have not gone on since: a teardown that
// is resumed and dies again of the same cause has not.
//
//	state    reported          finding
//	deleted  -                 none
//	other    no                none
//	other    less than 24 h    none
//	other    24 h or more      teardown-unresolved
func (o Observed) unresolved() []Finding {
	var found []Finding
	for _, r := range slices.Concat(o.Records, o.Aside) {
		t := r.Teardown
		if !r.Unresolved() || o.Now.Sub(t.Reported) < unresolvedFor {
			continue
		}
		found = append(found, Finding{
			Kind: TeardownUnresolved, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Since: t.Reported, Alarm: true, Cost: unknown,
			Risk: "its teardown has not gone on since then, in phase " + t.Phase + ": " + t.Because.Message, Facts: []origin.Reason{t.Because},
		})
	}
	return found
}
