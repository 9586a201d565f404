package admission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/teardown"
)

// unoffered returns the origins without a record that a message names and that are in no permitted share, so that a teardown tag on them gets
// an answer. They have no shares. A sweep does not know them.
//
//	account                     record  in a permitted share  observed
//	of no team, or without role -       -                     no
//	of a team with spoke role   yes     -                     no: function retire handles it
//	of a team with spoke role   none    yes                   as any offer
//	of a team with spoke role   none    no                    its tags
func (r Round) unoffered() []Offer {
	var found []Offer
	for _, h := range r.Hints {
		if team, known := r.Policy.TeamOf(h.Account); !known || !team.Spoke {
			continue
		}
		for _, arn := range h.ARNs {
			ref, err := origin.ParseARN(arn)
			same := func(o Offer) bool { return o.Ref == ref }
			_, known := r.Registry.Find(ref.ID)
			if err != nil || ref.Account != h.Account || known || r.Registry.IsDamaged(ref.ID) || slices.ContainsFunc(r.Offers, same) || slices.ContainsFunc(found, same) {
				continue
			}
			found = append(found, Offer{Ref: ref})
		}
	}
	slices.SortFunc(found, func(a, b Offer) int { return strings.Compare(a.ID, b.ID) })
	return found
}

// tagsOnly decides about an origin that is in no permitted share: only its teardown tag counts.
//
//	tags                  a distribution may contain it   then
//	unreadable            -                               nothing: the hub may not have been meant
//	without teardown tag  -                               nothing
//	with teardown tag     yes, as an orphan, or unknown   nothing: wire observes the distribution and then triggers admit
//	with teardown tag     no                              the outcome of neverWired
func (r Round) tagsOnly(o Reading, team Team) claim {
	_, tagged := o.Tags[contract.TagTeardown]
	if o.Unreadable || !tagged || r.Registry.Distribution(origin.Main).ObservedAt.IsZero() || r.uncertain().Name != "" || r.holder(o.ID) != "" {
		return claim{}
	}
	return claim{changes: r.neverWired(o, team)}
}

// neverWired returns the answer to the teardown tag of an origin that the hub never wired, so that there is nothing that a teardown would do
// for it.
//
//	value of the tag   then
//	valid              Origin Refused, with the commands that stop sharing it and delete it
//	a time long past   the same: it was valid, and nothing happened then
//	any other          Teardown Tag Refused, as for a wired origin
func (r Round) neverWired(o Reading, team Team) []Change {
	d := outcome.Detail{Origin: o.ID, Account: o.Account, Team: team.Name}
	value, tag := o.Tags[contract.TagTeardown], o.ARN+" "+contract.TagTeardown
	if _, err := teardown.ParseTag(value, r.Registry.Now, r.Grace); err != nil {
		if why := teardown.TagReason(value, err); why.Code != teardown.TagPast {
			return refuse(r.Registry.Refusals, contract.TeardownTagRefused, tag, d, []Reason{why})
		}
	}
	back := "remove the tag to have it wired"
	if len(o.Shares) == 0 {
		back = "remove the tag and share it with the hub to have it wired"
	}
	d.Repair, d.RepairIn = o.discard(), o.Account
	return append(forget(r.Registry.Refusals, tag), refuse(r.Registry.Refusals, contract.OriginRefused, o.ARN, d, []Reason{because(OriginTearingDown, "",
		"%s has the tag %s, but the hub has not wired it, so there is nothing to tear down: stop sharing it and delete it in account %s with the "+
			"commands in repair, or %s", o.ID, contract.TagTeardown, o.Account, back)})...)
}

// discard returns the commands that stop sharing an origin and delete it. If the hub does not know its shares, the commands list them
// (https://docs.aws.amazon.com/ram/latest/APIReference/API_ListResources.html).
func (o Offer) discard() string {
	var b strings.Builder
	for _, share := range o.Shares {
		fmt.Fprintf(&b, "aws ram disassociate-resource-share --region us-east-1 --resource-share-arn %s --resource-arns %s && ", share, o.ARN)
	}
	if len(o.Shares) == 0 {
		fmt.Fprintf(&b, `for share in $(aws ram list-resources --region us-east-1 --resource-owner SELF --resource-arns %[1]s --query 'resources[].resourceShareArn' --output text); do `+
			`aws ram disassociate-resource-share --region us-east-1 --resource-share-arn "$share" --resource-arns %[1]s; done; `, o.ARN)
	}
	return b.String() + o.DeleteCommand()
}
