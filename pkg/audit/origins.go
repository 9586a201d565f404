package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// How old something must be before it counts as left over. Sharing and wiring take a quarter of an hour; an origin without a
// distribution may be one that a team is building.
const (
	sharedFor = 24 * time.Hour
	unusedFor = 7 * 24 * time.Hour
)

const unknown = "unknown"

// unwired finds origins that are shared with the hub for nothing.
//
//	shared  in a managed distribution  in teardown  made               finding
//	no      -                          -            -                  none
//	yes     yes                        -            -                  none
//	yes     no                         yes          -                  none
//	yes     no                         no           less than 24 h ago none
//	yes     no                         no           before             shared-not-wired
func (o Observed) unwired() []Finding {
	var found []Finding
	for _, v := range o.Visible {
		share, shared := o.share(v.ARN)
		if !shared || o.uses(v.ID) != "" || o.leaving(v.ID) || o.Now.Sub(v.Created) < sharedFor {
			continue
		}
		reasons := o.Refusals[v.ARN]
		if len(reasons) == 0 {
			reasons = o.Refusals[share]
		}
		why := origin.Why(reasons)
		if why == "" {
			why = "see what was said of it, or why its record in the registry is not live"
		}
		f := o.about(SharedNotWired, v)
		f.Risk = "it is shared with the hub and no distribution of the hub's uses it: " + why +
			"; mend the reason, or stop sharing it, in account " + v.Account
		f.Repair = fmt.Sprintf("aws ram disassociate-resource-share --region us-east-1 --resource-share-arn %s --resource-arns %s", share, v.ARN)
		f.In = v.Account
		f.Facts = append(slices.Clone(reasons), fact(shareIs, share))
		found = append(found, f)
	}
	return found
}

// unused finds origins that no distribution uses, of accounts that can be read. Those that are shared with the hub are for
// unwired to find.
//
//	shared  used  Deployed  in teardown  made               finding
//	yes     -     -         -            -                  none
//	no      yes   -         -            -                  none
//	no      no    no        -            -                  none: it is being made or deleted
//	no      no    yes       yes          -                  none
//	no      no    yes       no           less than 7 d ago  none
//	no      no    yes       no           before             origin-unused
func (o Observed) unused() []Finding {
	var found []Finding
	for _, v := range o.Owned {
		if o.offered(v.ARN) || len(v.Users) > 0 || o.uses(v.ID) != "" || !v.Deployed || o.leaving(v.ID) || o.Now.Sub(v.Created) < unusedFor {
			continue
		}
		f := o.about(OriginUnused, v.VpcOrigin)
		f.Risk = "no distribution uses it; its network interfaces keep its VPC from being deleted, and what stands behind it runs for nobody; " +
			"if nobody needs it, delete it in account " + v.Account
		f.Repair = fmt.Sprintf(`aws cloudfront delete-vpc-origin --region us-east-1 --id %[1]s --if-match `+
			`"$(aws cloudfront get-vpc-origin --region us-east-1 --id %[1]s --query ETag --output text)"`, v.ID)
		f.In = v.Account
		found = append(found, f)
	}
	return found
}

func (o Observed) about(k Kind, v origin.VpcOrigin) Finding {
	return Finding{
		Kind: k, Subject: v.ARN, Origin: v.ID, Account: v.Account, Team: o.team(v.Account), Since: v.Created, Cost: monthly(v.Endpoint),
	}
}

// monthly estimates what keeping an origin costs. Sharing is free
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html); what costs is what stands
// behind it. An Application Load Balancer in us-east-1 is $0.0225 an hour, without what it handles
// (https://aws.amazon.com/elasticloadbalancing/pricing/); AWS counts 730 hours a month. Of other Regions and kinds no price
// is known here.
func monthly(endpoint string) string {
	if strings.HasPrefix(endpoint, "arn:aws:elasticloadbalancing:us-east-1:") && strings.Contains(endpoint, ":loadbalancer/app/") {
		return fmt.Sprintf("$%.2f: its load balancer's hours, without capacity units", 0.0225*730)
	}
	return unknown
}

// wired finds origins that are in a managed distribution and shared no more.
//
//	in a managed distribution  record   RAM and CloudFront show it  finding
//	no                         -        -                           none
//	yes                        deleted  -                           none
//	yes                        other    both                        none
//	yes                        other    one of them, or neither     wired-not-shared
func (o Observed) wired() []Finding {
	var found []Finding
	for _, r := range o.Records {
		distribution := o.uses(r.ID)
		if r.State == origin.Deleted || distribution == "" || o.offered(r.ARN) {
			continue
		}
		found = append(found, Finding{
			Kind: WiredNotShared, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown,
			Risk: locked(distribution) + bringBack(r), Repair: shareAgain(r, o.Account), In: r.Account,
			Facts: []origin.Reason{fact(distributionIs, distribution)},
		})
	}
	return found
}

// locked: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/sharing-resources.html
func locked(distribution string) string {
	return "distribution " + distribution + " goes on serving it, but nobody can edit the distribution until the origin is out, so that " +
		"every team's changes wait; the hub takes it out by itself"
}

func bringBack(r origin.Record) string {
	return "; to bring it back, share it again in account " + r.Account
}

func shareAgain(r origin.Record, hub string) string {
	return fmt.Sprintf("aws ram create-resource-share --region us-east-1 --name %s --resource-arns %s --principals %s", r.ID, r.ARN, hub)
}

// guardShare judges that a share was deleted, or lost a resource.
//
//	origin of the account's  shared  the hub                               verdict
//	of another share         -       -                                     harmless
//	any                      yes     -                                     harmless
//	any                      no      has it in a distribution              found
//	any                      no      took it out for that an hour ago      found
//	any                      no      is to wire it                         found
//	any                      no      none of these                         harmless
//
// A call about the share of another account's origin is forged.
func (o Observed) guardShare(c inbound.CallHint) Judgement {
	var found []Finding
	for _, r := range o.Records {
		if r.Account != c.Account {
			if c.Target != "" && r.Share == c.Target {
				return forged("the event names %s, which account %s does not own", c.Target, c.Account)
			}
			continue
		}
		if c.Target != "" && r.Share != c.Target || r.State == origin.Deleted || o.offered(r.ARN) {
			continue
		}
		f := Finding{
			Kind: ShareRevoked, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true,
			Repair: shareAgain(r, o.Account), In: r.Account,
		}
		switch distribution := o.uses(r.ID); {
		case distribution != "":
			f.Risk = "it is no longer shared but still wired: " + locked(distribution)
		case lost(r, o.Now):
			f.Risk = "it was no longer shared but still wired; nobody can edit a distribution in that state, so the hub took it out: " +
				strings.Join(r.Claim.Hosts, ", ") + " no longer lead to it"
		case r.Intent == origin.Wire:
			f.Risk = "the hub is to wire it and can no longer see it"
		default:
			continue
		}
		f.Risk += bringBack(r)
		found = append(found, f)
	}
	if len(found) == 0 {
		return harmless("nothing that the hub wires was lost")
	}
	return Judgement{Verdict: Found, Findings: found}
}

// lost reports whether the hub withdrew an origin a short time ago since it was no longer shared. RAM says so sooner than
// CloudTrail, so that the hub may have taken it out by the time that the call is judged.
//
//	decision in its history  reason                  at             lost
//	none to withdraw it      -                       -              no
//	withdrawn                another                 -              no
//	withdrawn                it was no longer shared an hour ago    no
//	withdrawn                it was no longer shared since then     yes
func lost(r origin.Record, now time.Time) bool {
	return slices.ContainsFunc(r.History, func(d origin.Decision) bool {
		return d.Code == origin.DecidedWithdrawn && origin.HasCode(d.Reasons, origin.OriginNotShared) && now.Sub(d.At) < time.Hour
	})
}

// guardOrigin judges that a VPC origin was deleted.
//
//	record of the origin       its account lists it   verdict
//	none                       -                      harmless
//	of another account         -                      forged
//	in teardown, or deleted    -                      harmless
//	any other                  Deployed               harmless
//	any other                  no, or as it is going  found
func (o Observed) guardOrigin(c inbound.CallHint) Judgement {
	r, known := o.Find(c.Target)
	switch {
	case !known:
		return harmless("the hub knows nothing of the VPC origin %q", c.Target)
	case r.Account != c.Account:
		return forged("the event names %s, which account %s does not own", r.ARN, c.Account)
	case r.State == origin.Deleted || r.Teardown != nil:
		return harmless("the teardown of %s deletes it, and looks at what is left", r.ID)
	case slices.ContainsFunc(o.Owned, func(v Owned) bool { return v.ID == r.ID && v.Deployed }):
		return harmless("the VPC origin %s is there", r.ID)
	}
	f := Finding{
		Kind: OriginDeleted, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true,
		Risk: "it was deleted outside a teardown: nobody checks that its network interfaces went, which keep its VPC from being deleted, " +
			"and its share, if there is one, leads nowhere; look in account " + r.Account + " which interfaces of CloudFront's are in its VPC, " +
			"other VPC origins' among them, and take it out of the share",
		Repair: `for region in $(aws ec2 describe-regions --region us-east-1 --query 'Regions[].RegionName' --output text); do ` +
			`aws ec2 describe-network-interfaces --region "$region" --filters Name=tag:aws.cloudfront.vpcorigin,Values=enabled ` +
			`--query 'NetworkInterfaces[].[AvailabilityZone,VpcId,NetworkInterfaceId]' --output text; done`,
		In: r.Account,
	}
	if r.Share != "" { // which may hold other origins too
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
	for _, r := range o.Records {
		t := r.Teardown
		if r.State == origin.Deleted || t == nil || t.Reported.IsZero() || o.Now.Sub(t.Reported) < unresolvedFor {
			continue
		}
		found = append(found, Finding{
			Kind: TeardownUnresolved, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Since: t.Reported, Alarm: true, Cost: unknown,
			Risk: "its teardown has not gone on since then, in phase " + t.Phase + ": " + t.Because.Message, Facts: []origin.Reason{t.Because},
		})
	}
	return found
}
