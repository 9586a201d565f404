package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// hides reports whether a known finding may still be so although it was not found, because what shows it could not be read.
//
//	kind                               origin      account                        result
//	any                                set aside   -                              true
//	origin-unused, teardown-forgotten, any other   unreadable                     true
//	spoke-outdated
//	interfaces-left                    any other   unreadable, or its interfaces  true
//	                                               could not be listed
//	side-door                          any other   another one than the hub's,    true
//	                                               and any is unreadable
//	side-door, one of its origins is   set aside   -                              true
//	any other                          any other   -                              false
func (o Observed) hides(k origin.OpenFinding) bool {
	unreadable := o.look().unreadable[k.Account]
	if k.Origin != "" && o.setAside(k.Origin) {
		return true
	}
	switch Kind(k.Kind) {
	case OriginUnused, TeardownForgotten, SpokeOutdated:
		return unreadable
	case InterfacesLeft:
		return unreadable || o.look().unlisted[k.Account]
	case SideDoor:
		return k.Account != o.Account && len(o.Unreadable) > 0 ||
			slices.ContainsFunc(k.Facts, func(is origin.Reason) bool { return is.Code == originIs && o.setAside(is.Subject) })
	}
	return false
}

// Unrecorded returns the index in Owned of each VPC origin whose teardown tag has to be observed, because the origin may be half torn down.
//
//	record             shared  used  Deployed  returned
//	any, or set aside  -       -     -         no: the teardown's own events and findings report it
//	none               yes     -     -         no: function admit decides about it
//	none               no      yes   -         no
//	none               no      no    no        no: it is being created or deleted
//	none               no      no    yes       yes
func (o Observed) Unrecorded() (indexes []int) {
	o = o.indexed()
	for i, v := range o.Owned {
		_, known := o.Find(v.ID)
		if known || o.setAside(v.ID) || o.offered(v.ARN) || len(v.Users) > 0 || o.distributionOf(v.ID) != "" || !v.Deployed {
			continue
		}
		indexes = append(indexes, i)
	}
	return indexes
}

// forgotten finds origins that have the teardown tag and are among Unrecorded. Nothing tears them down: the registry was lost after they were
// unshared, or they were never shared with the hub.
func (o Observed) forgotten() []Finding {
	var found []Finding
	for _, i := range o.Unrecorded() {
		v := o.Owned[i]
		if !v.Teardown {
			continue
		}
		f := o.about(TeardownForgotten, v.VpcOrigin)
		f.Alarm = true
		f.Risk = "VPC origin " + v.ID + " has the tag " + contract.TagTeardown + ", but it is in no share and in no distribution, and the registry has no record of it, so that " +
			"its teardown does not go on: the registry was lost after the origin was unshared, or the origin was never shared with the hub; delete the origin in account " +
			v.Account + ", or, to keep it, remove the tag and share the origin with account " + o.Account
		f.Repair, f.In = v.DeleteCommand(), v.Account
		found = append(found, f)
	}
	return found
}

// Regions returns the Regions in which CloudFront may keep network interfaces: us-east-1, and every Region in which a VPC origin of any team
// is, or was when its teardown recorded its interfaces. The hub cannot ask AWS which Regions an account uses.
func (o Observed) Regions() []string {
	regions := []string{"us-east-1"}
	for _, v := range o.Owned {
		regions = append(regions, RegionOf(v.Endpoint))
	}
	for _, v := range o.Visible {
		regions = append(regions, RegionOf(v.Endpoint))
	}
	for _, r := range slices.Concat(o.Records, o.Aside) {
		if r.Teardown != nil {
			for _, p := range r.Teardown.Places() {
				regions = append(regions, p.Region)
			}
		}
	}
	slices.Sort(regions)
	return slices.DeleteFunc(slices.Compact(regions), func(r string) bool { return r == "" })
}

// RegionOf returns the Region in the ARN of a load balancer or an instance, or "".
func RegionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}

// interfacesLeft finds network interfaces that CloudFront keeps although no VPC origin accounts for them, one finding for each VPC. A VPC
// origin accounts for one interface in each subnet of its load balancer or instance (NET-02), whatever its status, because CloudFront creates
// the interfaces before the origin is Deployed and deletes them after the origin.
//
//	account     an origin of the account in that Region  in the subnet: interfaces  finding
//	            has no load balancer or instance         that no teardown recorded
//	unreadable  -                                        -                          none: its origins are not known
//	readable    yes                                      -                          none: the origin's subnets are not known
//	readable    no                                       no more than origins       none
//	readable    no                                       more, and origins          so many of these interfaces
//	readable    no                                       some, and no origin        these interfaces
//
// Interfaces that a teardown in the registry has recorded are verified and reported by that teardown.
func (o Observed) interfacesLeft() []Finding {
	var found []Finding
	for _, in := range o.Interfaces {
		homeless := slices.ContainsFunc(in.Origins, func(e origin.Endpoint) bool { return e.VPC == "" })
		if o.look().unreadable[in.Account] || homeless {
			continue
		}
		subnets := map[[2]string][]string{} // interfaces by VPC and subnet
		for _, e := range in.ENIs {
			if !o.look().recorded[e.ID] {
				subnets[[2]string{e.VPC, e.Subnet}] = append(subnets[[2]string{e.VPC, e.Subnet}], e.ID)
			}
		}
		left := map[string][]string{} // interfaces in words, by VPC
		facts := map[string][]origin.Reason{}
		for at, ids := range subnets {
			if words := in.unaccounted(at[1], ids); words != "" {
				left[at[0]] = append(left[at[0]], words)
				for _, id := range ids {
					facts[at[0]] = append(facts[at[0]], fact(interfaceIs, id))
				}
			}
		}
		for vpc, words := range left {
			slices.Sort(words)
			found = append(found, o.leftIn(in, vpc, words, facts[vpc]))
		}
	}
	return found
}

// unaccounted names the interfaces of a subnet that no VPC origin needs, or returns "".
func (in Interfaces) unaccounted(subnet string, ids []string) string {
	slices.Sort(ids)
	switch needed := in.needed(subnet); {
	case len(ids) <= needed:
		return ""
	case needed > 0:
		return fmt.Sprintf("%d of the interfaces %s (VPC origins use the rest)", len(ids)-needed, strings.Join(ids, ", "))
	}
	return strings.Join(ids, ", ")
}

// needed returns the number of interfaces that VPC origins need in a subnet.
func (in Interfaces) needed(subnet string) (n int) {
	for _, e := range in.Origins {
		if slices.Contains(e.Subnets, subnet) {
			n++
		}
	}
	return n
}

// leftIn returns the finding about the interfaces that are left in a VPC.
func (o Observed) leftIn(in Interfaces, vpc string, left []string, facts []origin.Reason) Finding {
	return Finding{
		Kind: InterfacesLeft, Subject: fmt.Sprintf("arn:aws:ec2:%s:%s:vpc/%s", in.Region, in.Account, vpc), Account: in.Account, Team: o.team(in.Account), Alarm: true, Cost: unknown,
		Risk: "CloudFront keeps network interfaces in " + vpc + " (" + in.Region + ") of account " + in.Account + " for which no VPC origin accounts: " + strings.Join(left, "; ") +
			"; they keep the VPC from being deleted, and only CloudFront can remove them; if a VPC origin was deleted in the last hour, wait for the next audit; otherwise " +
			"open a case with AWS Support from account " + in.Account,
		Repair: fmt.Sprintf("aws ec2 describe-network-interfaces --region %s --filters Name=vpc-id,Values=%s Name=tag:aws.cloudfront.vpcorigin,Values=enabled", in.Region, vpc),
		In:     in.Account, Facts: facts,
	}
}

// outdated finds spokes of an earlier version. They keep working.
func (o Observed) outdated() (found []Finding) {
	for _, account := range o.Outdated {
		stack := contract.SpokeStackName(o.Policy.Hub)
		found = append(found, Finding{
			Kind: SpokeOutdated, Subject: contract.SpokeRoleARN(o.Policy.Hub, account), Account: account, Team: o.team(account), Cost: unknown,
			Risk: "the spoke of account " + account + " is of an earlier version of originhub: it keeps working, but it may let each function of the hub remove what a teardown removes, and " +
				"other uses of its origins are found once a day only; deploy stack " + stack + " (infra/testdata/spoke.template.json) of this version in account " + account,
		})
	}
	return found
}
