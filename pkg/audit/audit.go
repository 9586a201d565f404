// Package audit finds what was done behind the hub's back, and what is left over: what is at risk, or costs money for
// nothing, or lets somebody in by a side door.
package audit

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Finding is one thing that somebody should know, with what to do about it.
type Finding struct {
	Kind    Kind
	Subject string // what it is about: the ARN of a VPC origin, the id of a distribution, a host name
	Origin  string // VPC origin id
	Account string // of the owner
	Team    string
	By      string    // who did it, as CloudTrail says; "" of what was found without an event
	Since   time.Time // when it came about; zero if AWS does not tell
	Alarm   bool      // somebody is off the air, or can come in by a side door
	Risk    string    // why it matters, and in which account to mend it
	Cost    string    // estimate per month, or "unknown"
	Repair  string    // command that mends it, as it can be pasted into a shell; "" if nothing or no command does
	In      string    // account in which to run it; "" without a command
}

// Kind is the stable name of what was found.
type Kind string

// Kinds of changes that somebody made by hand.
const (
	DistributionEdited  Kind = "distribution-edited"
	DistributionDeleted Kind = "distribution-deleted"
	ShareRevoked        Kind = "share-revoked"
	OriginDeleted       Kind = "origin-deleted"
	RecordChanged       Kind = "record-changed"
)

// Kinds of what the audit finds without any event.
const (
	SharedNotWired       Kind = "shared-not-wired"
	WiredNotShared       Kind = "wired-not-shared"
	OriginUnused         Kind = "origin-unused"
	DistributionDisabled Kind = "distribution-disabled"
	HostElsewhere        Kind = "host-elsewhere"
	PathPublic           Kind = "path-public"
)

// Observed is what was seen of the world. What was not looked at is left out.
type Observed struct {
	Now           time.Time
	Hub           string            // account
	Zone          string            // hosted zone id
	Adopted       bool              // the distribution is not the hub's own: others may edit their parts of it
	Managed       []string          // ids of the distributions that the hub writes
	Teams         map[string]string // by account
	Records       []origin.Record
	Refusals      map[string][]origin.Reason // by ARN
	Offered       []origin.Shared            // what RAM shows as shared with the hub
	Visible       []origin.VpcOrigin
	Owned         []Owned
	Distributions []origin.Listed
	DNS           []origin.DNSRecord
	Lost          []string // VPC origins that the hub took out a short time ago, since they were no longer shared
	Wake          string   // command that wakes function wire
	// Differs is what of the hub's part of a distribution is not as it was, in words, by the distribution's id.
	Differs map[string]string
}

// Owned is a VPC origin as its own account sees it. Users are the distributions that use it, in any account.
type Owned struct {
	origin.VpcOrigin
	Users []origin.User
}

// How old something must be before it counts as left over. Sharing and wiring take a quarter of an hour; an origin without a
// distribution may be one that a team is building.
const (
	sharedFor = 24 * time.Hour
	unusedFor = 7 * 24 * time.Hour
)

const unknown = "unknown"

// Audit lists what is left over, side doors first.
func Audit(o Observed) []Finding {
	found := slices.Concat(o.origins(), o.wired(), o.distributions(), o.hosts(), o.publicPaths())
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(-compareBool(a.Alarm, b.Alarm), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return found
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// origins looks for VPC origins that nobody uses. One that its owner shares with the hub is the hub's business after a day;
// any other one is the team's, and is only mentioned after a week.
func (o Observed) origins() []Finding {
	var found []Finding
	seen := map[string]bool{}
	for _, v := range o.Visible {
		share, shared := o.share(v.ARN)
		seen[v.ID] = shared
		if !shared || o.uses(v.ID) != "" || o.leaving(v.ID) || o.Now.Sub(v.Created) < sharedFor {
			continue
		}
		why := origin.Why(o.Refusals[v.ARN])
		if why == "" {
			why = origin.Why(o.Refusals[share])
		}
		if why == "" {
			why = "see what was said of it, or why its record in the registry is not live"
		}
		f := o.about(SharedNotWired, v)
		f.Risk = "it is shared with the hub and no distribution of the hub's uses it: " + why +
			"; mend the reason, or stop sharing it, in account " + v.Account
		f.Repair = fmt.Sprintf("aws ram disassociate-resource-share --region us-east-1 --resource-share-arn %s --resource-arns %s", share, v.ARN)
		f.In = v.Account
		found = append(found, f)
	}
	for _, v := range o.Owned {
		if seen[v.ID] || len(v.Users) > 0 || !v.Deployed || o.uses(v.ID) != "" || o.leaving(v.ID) || o.Now.Sub(v.Created) < unusedFor {
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
		Kind: k, Subject: v.ARN, Origin: v.ID, Account: v.Account, Team: o.Teams[v.Account], Since: v.Created, Cost: monthly(v.Endpoint),
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

// wired looks for origins in a distribution that the hub writes and that are shared no more.
func (o Observed) wired() []Finding {
	var found []Finding
	for _, r := range o.Records {
		distribution := o.uses(r.ID)
		if r.State == origin.Deleted || distribution == "" || o.offered(r.ARN) {
			continue
		}
		found = append(found, Finding{
			Kind: WiredNotShared, Subject: r.ARN, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown,
			Risk: locked(distribution) + bringBack(r), Repair: shareAgain(r, o.Hub), In: r.Account,
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

// distributions looks for disabled ones that hold VPC origins: they answer nobody, and keep the origins from being deleted.
// One that is not the hub's is only mentioned after a week: somebody may be about to delete it, or to enable it again.
func (o Observed) distributions() []Finding {
	var found []Finding
	for _, d := range o.Distributions {
		var held []string
		for _, p := range d.Origins {
			if p.VPCOrigin != "" {
				held = append(held, p.VPCOrigin)
			}
		}
		if d.Enabled || len(held) == 0 || !o.manages(d.ID) && o.Now.Sub(d.Modified) < unusedFor {
			continue
		}
		f := Finding{
			Kind: DistributionDisabled, Subject: d.ID, Account: o.Hub, Since: d.Modified, Cost: unknown,
			Risk: "it answers nobody, and its VPC origins cannot be deleted while it names them: " + strings.Join(held, ", "),
			Repair: fmt.Sprintf(`aws cloudfront delete-distribution --region us-east-1 --id %[1]s --if-match `+
				`"$(aws cloudfront get-distribution --region us-east-1 --id %[1]s --query ETag --output text)"`, d.ID),
			In: o.Hub,
		}
		if o.manages(d.ID) {
			f.Alarm = true
			f.Risk, f.Repair = o.disabled(d.ID)
		}
		found = append(found, f)
	}
	return found
}

// off tells whether a distribution is disabled that holds VPC origins.
func off(d origin.Listed) bool {
	return !d.Enabled && slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { return p.VPCOrigin != "" })
}

// disabled says what it means that a distribution of the hub's is disabled, and the command that mends it: the hub enables its
// own, and never one that it adopted.
func (o Observed) disabled(distribution string) (risk, repair string) {
	risk = "somebody disabled it: every team is off the air"
	if !o.Adopted {
		return risk + "; the hub enables it again", o.Wake
	}
	return risk + "; the hub enables none that it adopted: enable it in account " + o.Hub, rewritten(distribution, "{Enabled: `true`}")
}

// hosts looks for claimed hosts whose DNS leads elsewhere than to the distribution.
func (o Observed) hosts() []Finding {
	var found []Finding
	for _, r := range o.Records {
		if r.Intent != origin.Wire || r.State != origin.Live {
			continue
		}
		for _, host := range r.Claim.Hosts {
			if e, astray := o.astray(host); astray {
				found = append(found, Finding{
					Kind: HostElsewhere, Subject: host, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Cost: unknown,
					Risk: "its " + e.Type + " record leads " + leads(e) + ", past the distribution: no isolation, no firewall, or no answer" +
						o.deleteIn(),
					Repair: o.deleteRecord(e), In: o.Hub,
				})
			}
		}
	}
	return found
}

// astray is a record of the host that does not lead to a distribution of the hub's.
func (o Observed) astray(host string) (origin.DNSRecord, bool) {
	for _, e := range o.DNS {
		if strings.EqualFold(e.Name, host) && addresses(e.Type) && !o.ours(e.Target) {
			return e, true
		}
	}
	return origin.DNSRecord{}, false
}

func addresses(kind string) bool { return kind == "A" || kind == "AAAA" || kind == "CNAME" }

func leads(e origin.DNSRecord) string {
	if e.Target == "" {
		return "elsewhere"
	}
	return "to " + e.Target
}

// ours tells whether a name is that of a distribution of the hub's.
func (o Observed) ours(target string) bool {
	return slices.ContainsFunc(o.Distributions, func(d origin.Listed) bool {
		return o.manages(d.ID) && strings.EqualFold(d.Domain, target)
	})
}

func (o Observed) deleteIn() string {
	return "; delete it in account " + o.Hub + ", and the hub writes its own"
}

// deleteRecord deletes whatever record stands there. A DELETE must repeat all of it, and Route 53 writes an asterisk as \052.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_Change.html
func (o Observed) deleteRecord(e origin.DNSRecord) string {
	return fmt.Sprintf("aws route53 change-resource-record-sets --region us-east-1 --hosted-zone-id %[1]s --change-batch \"$("+
		"aws route53 list-resource-record-sets --region us-east-1 --hosted-zone-id %[1]s --output json "+
		"--query '{Changes: [{Action: `\"DELETE\"`, ResourceRecordSet: ResourceRecordSets"+
		"[?Name==`\"%[2]s.\"` && Type==`\"%[3]s\"`] | [0]}]}')\"", o.Zone, strings.ReplaceAll(e.Name, "*", `\\052`), e.Type)
}

// publicPaths looks for behaviors of the hub's distributions that overlap a claimed path, come before the team's own, and
// lead to an origin on the public internet.
func (o Observed) publicPaths() []Finding {
	var found []Finding
	for _, d := range o.Distributions {
		if !o.manages(d.ID) {
			continue
		}
		for i, b := range d.Behaviors {
			public := publicTarget(d, b.Target)
			r, path, overlaps := o.claims(d, b.Path)
			if public == "" || !overlaps || slices.ContainsFunc(d.Behaviors[:i], func(first origin.ListedBehavior) bool {
				return publicTarget(d, first.Target) == "" && origin.Covers(first.Path, b.Path)
			}) {
				continue
			}
			found = append(found, Finding{
				Kind: PathPublic, Subject: d.ID + " " + b.Path, Origin: r.ID, Account: r.Account, Team: r.Team, Alarm: true, Since: d.Modified, Cost: unknown,
				Risk: fmt.Sprintf("behavior %s overlaps %s of team %s and leads to %s on the public internet, past everything that keeps teams apart; "+
					"take it out in account %s", b.Path, path, r.Team, public, o.Hub),
				Repair: withoutBehavior(d.ID, b.Path), In: o.Hub,
			})
		}
	}
	return found
}

// withoutBehavior takes one behavior out of a distribution. A path pattern may hold quotes of both kinds:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
func withoutBehavior(distribution, path string) string {
	others := "Items[?PathPattern!=`" + strings.ReplaceAll(strconv.Quote(path), "'", `'\''`) + "`]"
	return rewritten(distribution, fmt.Sprintf("{CacheBehaviors: DistributionConfig.CacheBehaviors.{Items: %[1]s, Quantity: length(%[1]s)}}", others))
}

// rewritten writes a distribution's configuration as it is read but for some members, with the ETag that came with it, so that
// what somebody else writes meanwhile is not lost.
func rewritten(distribution, members string) string {
	return fmt.Sprintf(`aws cloudfront get-distribution-config --region us-east-1 --id %[1]s --output json `+
		`--query '{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, %[2]s)}' > %[1]s.json `+
		`&& aws cloudfront update-distribution --region us-east-1 --id %[1]s --cli-input-json file://%[1]s.json`, distribution, members)
}

// publicTarget is the domain name of the public origin that a behavior's target leads to, or "".
func publicTarget(d origin.Listed, target string) string {
	for _, id := range append([]string{target}, d.Groups[target]...) {
		for _, p := range d.Origins {
			if p.ID == id && p.VPCOrigin == "" {
				return p.Domain
			}
		}
	}
	return ""
}

// claims finds an origin of the distribution's with a claimed path that overlaps.
func (o Observed) claims(d origin.Listed, path string) (origin.Record, string, bool) {
	for _, r := range o.Records {
		if r.Intent != origin.Wire || !holds(d, r.ID) {
			continue
		}
		for _, claimed := range r.Claim.Paths {
			if origin.Overlap(claimed, path) {
				return r, claimed, true
			}
		}
	}
	return origin.Record{}, "", false
}

func holds(d origin.Listed, vpcOrigin string) bool {
	return slices.ContainsFunc(d.Origins, func(p origin.ListedOrigin) bool { return p.VPCOrigin == vpcOrigin })
}

func (o Observed) manages(distribution string) bool { return slices.Contains(o.Managed, distribution) }

// uses is the id of the distribution of the hub's that uses a VPC origin, or "".
func (o Observed) uses(vpcOrigin string) string {
	for _, d := range o.Distributions {
		if o.manages(d.ID) && holds(d, vpcOrigin) {
			return d.ID
		}
	}
	return ""
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

// offered tells whether both RAM and CloudFront show an origin to the hub.
func (o Observed) offered(arn string) bool {
	_, shared := o.share(arn)
	return shared && slices.ContainsFunc(o.Visible, func(v origin.VpcOrigin) bool { return v.ARN == arn })
}

// leaving tells whether an origin is on its way out as its team asked: a teardown ends by itself, and says how.
func (o Observed) leaving(vpcOrigin string) bool {
	r, ok := o.record(vpcOrigin)
	return ok && r.Teardown != nil
}

func (o Observed) record(vpcOrigin string) (origin.Record, bool) {
	for _, r := range o.Records {
		if r.ID == vpcOrigin {
			return r, true
		}
	}
	return origin.Record{}, false
}

// Key names a finding among all that stand: origins of two teams may share a host.
func (f Finding) Key() string { return string(f.Kind) + " " + f.Subject + " " + f.Origin }

// Fingerprint changes when the finding does, but not as it gets older.
func (f Finding) Fingerprint() string {
	h := fnv.New64a()
	for _, part := range []string{f.Account, f.Team, f.Risk, f.Cost, f.Repair} {
		_, _ = h.Write([]byte(part + "\x00")) // a hash never fails
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
