package admission

import (
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Invitation is a RAM invitation that was pending when the run listed it, and what happened to it since.
type Invitation struct {
	origin.Invitation
	Stage    Stage
	Contents []origin.Resource // of the share, if Opened
	Error    string            // the error of AWS, if Unreadable
}

// Stage is the progress of an invitation.
type Stage string

// Stages.
const (
	Unopened   Stage = ""           // the contents of the share are not known
	Opened     Stage = "opened"     // the resources of the share were listed: Contents
	Unreadable Stage = "unreadable" // AWS does not let the hub list its resources, and a retry does not help
	Accepted   Stage = "accepted"   // the hub accepted it
	Answered   Stage = "answered"   // no longer pending: it was answered or has expired
	Failed     Stage = "failed"     // a call failed that may succeed later
)

// InvitationCall is the call to make for an invitation.
type InvitationCall string

// Calls.
const (
	NoCall InvitationCall = ""
	Open   InvitationCall = "open" // list the resources in the share
	Accept InvitationCall = "accept"
	Reject InvitationCall = "reject"
)

// InvitationStep is the next step for an invitation: first the changes, then the call.
type InvitationStep struct {
	Changes   []Change
	Call      InvitationCall
	Happened  outcome.Outcome // outcome of a call that succeeded
	Pending   bool            // neither accepted nor refused
	Triggered bool            // the run has something new to observe, whatever started it
	Recheck   Recheck
}

// DecideInvitation decides the next step for an invitation. The caller makes the call, sets the stage that results, and asks again
// until there is no call.
//
//	sender   stage        its share (DecideShare)  next
//	unknown  any          refused                  nothing, since anybody can invite the hub; function strangers counts them
//	known    unopened     remembered as unrelated  nothing
//	known    unopened     any other                open
//	known    unreadable   -                        Share Refused; every sweep retries
//	known    opened       unrelated                remember that, so that it is opened once; no event, no answer
//	known    opened       accepted                 accept; in dry-run mode: Change Planned
//	known    opened       waits                    pending; observe again soon
//	known    opened       refused                  Share Refused; reject, if shares.refused is reject and not in dry-run mode
//	known    accepted     -                        Share Accepted; observe again soon
//	known    answered     -                        nothing
//	known    failed       -                        pending
//
// The invitation of an unknown sender is never rejected: it may be meant for something else in this account, such as another hub. An unrelated share whose invitation is pending is
// not observed again, whatever is added to it: the next invitation is.
func DecideInvitation(i Invitation, p Policy, reported map[string][]Reason) InvitationStep {
	_, known := p.TeamOf(i.Sender)
	switch {
	case !known, i.Stage == Answered:
		return InvitationStep{}
	case i.Stage == Failed:
		return InvitationStep{Pending: true}
	case i.Stage == Accepted:
		return i.accepted(p)
	case i.Stage == Unreadable:
		return InvitationStep{Changes: i.refuse(reported, []Reason{because(ShareUnreadable, "",
			"AWS does not let the hub list the resources of the invitation from account %s (%s): make sure that no policy denies the hub "+
				"ram:ListPendingInvitationResources, or have account %s share again; every sweep tries again", i.Sender, i.Error, i.Sender)})}
	case i.Stage == Unopened && origin.HasCode(reported[i.ARN], ShareUnrelated):
		return InvitationStep{}
	case i.Stage == Unopened:
		return InvitationStep{Call: Open, Pending: true}
	}
	decision := i.decide(p)
	switch {
	case decision.Unrelated:
		return InvitationStep{Changes: []Change{{Refusal: &Refusal{i.ARN, []Reason{because(ShareUnrelated, "", "the share contains no VPC origin")}}}}}
	case decision.Accept && p.Distribution.DryRun:
		return InvitationStep{Changes: i.plan(decision, reported)}
	case decision.Accept:
		return InvitationStep{Call: Accept, Pending: true}
	case decision.Waits():
		return InvitationStep{Pending: true, Recheck: Soon}
	}
	step := InvitationStep{Changes: i.refuse(reported, decision.Reasons)}
	if p.Shares.Reject && !p.Distribution.DryRun {
		step.Call = Reject
	}
	return step
}

// plan reports, once, that the hub would accept an invitation, and what it cannot see for that reason.
func (i Invitation) plan(d ShareDecision, reported map[string][]Reason) []Change {
	ids := originIDs(d)
	reasons := []Reason{because(PlannedOnly, ids, "originhub would accept share %s of account %s, which contains %s; in dry-run mode it accepts nothing, so the plan does "+
		"not contain these origins, and the invitation lapses 12 hours after it was sent (%s): have the share created again after you set "+
		"distribution.mode to manage", i.Share, i.Sender, ids, i.Sent.UTC().Format(time.RFC3339))}
	if origin.SameReasons(reported[i.Share], reasons) {
		return nil
	}
	c := Change{Refusal: &Refusal{i.Share, reasons}}
	c.Inform(contract.ChangePlanned, i.Share, outcome.Detail{Account: i.Sender, What: i.Name}.Because(reasons))
	return []Change{c}
}

func originIDs(d ShareDecision) string {
	var ids []string
	for _, o := range d.Origins {
		ids = append(ids, o.ID)
	}
	return strings.Join(ids, ", ")
}

func (i Invitation) accepted(p Policy) InvitationStep {
	step := InvitationStep{Triggered: true, Recheck: Soon}
	step.Happened.Count(contract.MetricInvitationAccepted, 1)
	step.Happened.Inform(contract.ShareAccepted, i.Share, outcome.Detail{Account: i.Sender, What: i.Name, Why: "the hub accepted the share, which contains " + originIDs(i.decide(p))})
	return step
}

func (i Invitation) refuse(reported map[string][]Reason, reasons []Reason) []Change {
	return refuse(reported, contract.ShareRefused, i.Share, i.detail(), reasons)
}

func (i Invitation) detail() outcome.Detail { return outcome.Detail{Account: i.Sender, What: i.Name} }

func (i Invitation) decide(p Policy) ShareDecision {
	return DecideShare(origin.Share{ARN: i.Share, Name: i.Name, Owner: i.Sender}, true, i.Contents, p)
}

// Pending returns the metric of the oldest invitation that is neither accepted nor refused nor unrelated: its age, or 0 if there is none.
func Pending(invitations []Invitation, p Policy, reported map[string][]Reason, now time.Time) outcome.Outcome {
	var oldest time.Duration
	for _, i := range invitations {
		if DecideInvitation(i, p, reported).Pending {
			oldest = max(oldest, now.Sub(i.Sent))
		}
	}
	var o outcome.Outcome
	o.Seconds(contract.MetricOldestPendingShare, oldest)
	return o
}
