package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Act is a call that somebody made, as CloudTrail says. Only Account is beyond doubt.
type Act struct {
	Account string
	Call    string
	Target  string // what the call was about; "" if the record does not say
	By      string
	Failed  string // error code
}

// Judgement is what an act comes to.
type Judgement struct {
	Verdict  Verdict
	Findings []Finding // of Found
	Why      string    // of Harmless and Forged
}

// Verdict is the kind of a judgement.
type Verdict int

// Verdicts.
const (
	Harmless Verdict = iota // nothing of the hub's is touched
	Found                   // something is at risk, or was until the hub repaired it
	Forged                  // the record speaks of what its account has no say in
)

func harmless(format string, args ...any) Judgement {
	return Judgement{Why: fmt.Sprintf(format, args...)}
}

func found(findings ...Finding) Judgement { return Judgement{Verdict: Found, Findings: findings} }

func forged(format string, args ...any) Judgement {
	return Judgement{Verdict: Forged, Why: fmt.Sprintf(format, args...) + ": look who sent it"}
}

// Guard holds an act that was not the hub's own against what is there now.
//
//	act                                          what is there now                               verdict
//	one about another account's property         -                                               forged
//	a call that failed                           -                                               harmless
//	UpdateDistribution                           it is disabled and holds origins                found
//	UpdateDistribution                           the hub's part differs                          found
//	UpdateDistribution                           a claimed path leads past the teams             found
//	UpdateDistribution                           it does not; the act names the hub's own        found
//	UpdateDistribution                           it does not; the act names an adopted one       found, and no alarm
//	UpdateDistribution                           it does not; the act names none                 harmless
//	DeleteDistribution                           it is gone                                      found
//	DeleteResourceShare, Disassociate…           a wired or wanted origin is shared no more, or  found
//	                                             was taken out for that a short time ago
//	DeleteVpcOrigin                              it is gone or going, and no teardown is on      found
//	ChangeResourceRecordSets                     a live host has no record, or one elsewhere     found
//	anything else                                                                                harmless
func Guard(a Act, o Observed) Judgement {
	var j Judgement
	switch a.Call {
	case "UpdateDistribution", "DeleteDistribution":
		j = o.guardDistribution(a)
	case "DeleteResourceShare", "DisassociateResourceShare":
		j = o.guardShare(a)
	case "DeleteVpcOrigin":
		j = o.guardOrigin(a)
	case "ChangeResourceRecordSets":
		j = o.guardRecords(a)
	default:
		return harmless("nothing guards against %s", a.Call)
	}
	if a.Failed != "" && j.Verdict != Forged {
		return harmless("the call failed with %s", a.Failed)
	}
	for i := range j.Findings {
		j.Findings[i].By, j.Findings[i].Cost = a.By, unknown
	}
	return j
}

func (o Observed) guardDistribution(a Act) Judgement {
	switch {
	case a.Account != o.Hub:
		return forged("account %s has no say in a distribution of the hub's", a.Account)
	case a.Target != "" && !o.manages(a.Target):
		return harmless("distribution %s is not the hub's", a.Target)
	}
	var changed []Finding
	for _, id := range o.Managed {
		if a.Target != "" && a.Target != id {
			continue
		}
		f := Finding{Subject: id, Account: o.Hub, Alarm: true, Repair: o.Wake, In: o.Hub}
		public := o.publicOn(id)
		switch {
		case !slices.ContainsFunc(o.Distributions, func(d origin.Listed) bool { return d.ID == id }):
			f.Kind = DistributionDeleted
			f.Risk = "distribution " + id + " is gone: its teams are off the air until the hub has made another and wired every origin into it"
			if o.Adopted {
				f.Risk = "distribution " + id + " is gone: its teams are off the air; create another, put its id in its place under " +
					"distribution.adopt in the hub policy, and deploy the hub"
				f.Repair, f.In = "", ""
			}
		case a.Call == "DeleteDistribution":
			continue
		case slices.ContainsFunc(o.Distributions, func(d origin.Listed) bool { return d.ID == id && off(d) }):
			f.Kind = DistributionEdited
			f.Risk, f.Repair = o.disabled(id)
		case o.Differs[id] != "":
			f.Kind, f.Risk = DistributionEdited, "the hub puts back what is its own: "+o.Differs[id]
		case len(public) > 0:
			changed = append(changed, public...)
			continue
		case a.Target == "":
			continue // it may well have been one that is not the hub's
		default:
			f.Kind, f.Alarm, f.Repair, f.In = DistributionEdited, !o.Adopted, "", ""
			f.Risk = "nothing of the hub's differs now; what else the edit changed stays, and an edit of a stale copy takes teams off the air; " +
				"edit nothing of the distribution's whose id begins with originhub-"
		}
		changed = append(append(changed, f), public...)
	}
	if len(changed) == 0 {
		return harmless("every distribution of the hub's is there, and nothing of the hub's differs")
	}
	return found(changed...)
}

// publicOn are the claimed paths of one distribution that lead past the teams.
func (o Observed) publicOn(id string) []Finding {
	return slices.DeleteFunc(o.publicPaths(), func(f Finding) bool { return !strings.HasPrefix(f.Subject, id+" ") })
}

func (o Observed) guardShare(a Act) Judgement {
	var lost []Finding
	for _, r := range o.Records {
		if r.Account != a.Account {
			if a.Target != "" && r.Share == a.Target {
				return forged("the event names %s, which account %s does not own", a.Target, a.Account)
			}
			continue
		}
		wired := o.uses(r.ID)
		taken := slices.Contains(o.Lost, r.ID)
		wanted := wired != "" || r.Intent == origin.Wire || taken
		if (a.Target != "" && r.Share != a.Target) || !wanted || r.State == origin.Deleted || o.offered(r.ARN) {
			continue
		}
		f := Finding{
			Kind: ShareRevoked, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true,
			Risk: "the hub is to wire it and can no longer see it", Repair: shareAgain(r, o.Hub), In: r.Account,
		}
		switch {
		case wired != "":
			f.Risk = "it is no longer shared but still wired: " + locked(wired)
		case taken:
			f.Risk = "it was no longer shared but still wired; nobody can edit a distribution in that state, so the hub took it out: " +
				strings.Join(r.Claim.Hosts, ", ") + " no longer lead to it"
		}
		f.Risk += bringBack(r)
		lost = append(lost, f)
	}
	if len(lost) == 0 {
		return harmless("nothing that the hub wires was lost")
	}
	return found(lost...)
}

func (o Observed) guardOrigin(a Act) Judgement {
	r, known := o.record(a.Target)
	switch {
	case !known:
		return harmless("the hub knows nothing of the VPC origin %q", a.Target)
	case r.Account != a.Account:
		return forged("the event names %s, which account %s does not own", r.ARN, a.Account)
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
	return found(f)
}

func (o Observed) guardRecords(a Act) Judgement {
	switch {
	case a.Account != o.Hub:
		return forged("account %s has no say in the hub's hosted zone", a.Account)
	case a.Target != "" && a.Target != o.Zone:
		return harmless("hosted zone %s is not the hub's", a.Target)
	}
	var changed []Finding
	for _, r := range o.Records {
		if r.Intent != origin.Wire || r.State != origin.Live {
			continue
		}
		for _, host := range r.Claim.Hosts {
			f := Finding{Kind: RecordChanged, Subject: host, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, In: o.Hub}
			e, astray := o.astray(host)
			missing := o.missing(r.ID, host)
			switch {
			case astray:
				f.Risk = "its " + e.Type + " record leads " + leads(e) + ", past the distribution" + o.deleteIn()
				f.Repair = o.deleteRecord(e)
			case missing != "":
				f.Risk = "it has no " + missing + " record, so that viewers do not find it; the hub writes it again"
				f.Repair = o.Wake
			default:
				continue
			}
			changed = append(changed, f)
		}
	}
	if len(changed) == 0 {
		return harmless("every record of the hub's is there")
	}
	return found(changed...)
}

// missing is the type of the record that a live host of an origin lacks, or "".
func (o Observed) missing(vpcOrigin, host string) string {
	types := []string{"A"}
	serving := o.uses(vpcOrigin)
	if slices.ContainsFunc(o.Distributions, func(d origin.Listed) bool { return d.ID == serving && d.IPv6 }) {
		types = append(types, "AAAA")
	}
	for _, kind := range types {
		if !slices.ContainsFunc(o.DNS, func(e origin.DNSRecord) bool { return strings.EqualFold(e.Name, host) && e.Type == kind }) {
			return kind
		}
	}
	return ""
}
