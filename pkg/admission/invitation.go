package admission

import (
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// Invitation is a RAM invitation that was pending, with what has come of it since.
type Invitation struct {
	origin.Invitation
	Stage    Stage
	Contents []origin.Resource // of the share, once Opened
	Error    string            // AWS's answer, if Unreadable
}

// Stage is how far an invitation has come.
type Stage string

// Stages.
const (
	Unopened   Stage = ""           // nobody knows what is in its share
	Opened     Stage = "opened"     // Contents are known
	Unreadable Stage = "unreadable" // AWS does not let the hub open it, however often it tries
	Accepted   Stage = "accepted"   // the hub accepted it
	Answered   Stage = "answered"   // no longer pending: it was answered or has expired
	Failed     Stage = "failed"     // a call failed that may succeed later
)

// InvitationCall is what to do with an invitation.
type InvitationCall string

// Calls.
const (
	NoCall InvitationCall = ""
	Open   InvitationCall = "open" // list its resources
	Accept InvitationCall = "accept"
	Reject InvitationCall = "reject"
)

// InvitationStep is what comes next of an invitation: first its changes, then its call.
type InvitationStep struct {
	Changes   []Change
	Call      InvitationCall
	Happened  outcome.Outcome // by a call that AWS has answered
	Pending   bool            // neither accepted nor refused
	Triggered bool            // whatever started this run, it has something new to observe
	Recheck   Recheck
}

// DecideInvitation decides what comes next of an invitation. The caller makes the call, notes what came of it, and asks again
// until there is no call.
//
//	sender   stage        its share (DecideShare)  next
//	unknown  unopened     refused                  Share Refused; anybody can invite the hub, so it costs no call
//	known    unopened     -                        open
//	known    unreadable   -                        Share Refused; every sweep tries again
//	known    opened       accepted                 accept
//	known    opened       waits                    pending; observe again soon
//	known    opened       refused                  Share Refused; reject, if policy says so
//	known    accepted     -                        Share Accepted; observe again soon
//	any      answered     -                        nothing
//	any      failed       -                        pending
//
// An unknown sender's invitation is never rejected: it may be meant for somebody else in this account, such as another hub.
func DecideInvitation(i Invitation, p Policy, reported map[string][]Reason) InvitationStep {
	_, known := p.TeamOf(i.Sender)
	switch {
	case i.Stage == Answered:
		return InvitationStep{}
	case i.Stage == Failed:
		return InvitationStep{Pending: true}
	case i.Stage == Accepted:
		return i.accepted(p)
	case i.Stage == Unreadable:
		return InvitationStep{Changes: i.refuse(reported, []Reason{because(ShareUnreadable, "",
			"its invitation cannot be opened (%s): see that nothing denies the hub ram:ListPendingInvitationResources, "+
				"or have the sender share again; every sweep tries again", i.Error)})}
	case i.Stage == Unopened && known:
		return InvitationStep{Call: Open, Pending: true}
	}
	decision := i.decide(p)
	switch {
	case decision.Accept:
		return InvitationStep{Call: Accept, Pending: true}
	case decision.Waits():
		return InvitationStep{Pending: true, Recheck: Soon}
	}
	step := InvitationStep{Changes: i.refuse(reported, decision.Reasons)}
	if known && p.Shares.Reject {
		step.Call = Reject
	}
	return step
}

func (i Invitation) accepted(p Policy) InvitationStep {
	step := InvitationStep{Triggered: true, Recheck: Soon}
	var ids []string
	for _, o := range i.decide(p).Origins {
		ids = append(ids, o.ID)
	}
	step.Happened.Count(contract.MetricInvitationAccepted, 1)
	step.Happened.Inform(contract.ShareAccepted, i.Share, outcome.Detail{Account: i.Sender, What: i.Name, Why: "holds " + strings.Join(ids, ", ")})
	return step
}

func (i Invitation) refuse(reported map[string][]Reason, reasons []Reason) []Change {
	return refuse(reported, contract.ShareRefused, i.Share, outcome.Detail{Account: i.Sender, What: i.Name}, reasons)
}

func (i Invitation) decide(p Policy) ShareDecision {
	return DecideShare(origin.Share{ARN: i.Share, Name: i.Name, Owner: i.Sender}, true, i.Contents, p)
}

// Pending records the age of the oldest invitation that is neither accepted nor refused.
func Pending(invitations []Invitation, p Policy, now time.Time) outcome.Outcome {
	var oldest time.Duration
	for _, i := range invitations {
		if DecideInvitation(i, p, nil).Pending {
			oldest = max(oldest, now.Sub(i.Sent))
		}
	}
	var o outcome.Outcome
	o.Seconds(contract.MetricOldestPendingShare, oldest)
	return o
}
