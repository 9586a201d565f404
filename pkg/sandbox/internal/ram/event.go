package ram

import (
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// These are the values of detail.event. Assumption RAM-12.
const (
	associationEvent = "Resource Share Association"
	invitationEvent  = "Resource Share Invitation"
)

// settle emits an event when the change of an association has ended, unless the association has changed again before.
func (s *Service) settle(sh *share, a *association) {
	want, word := associated, "associated"
	if a.leaving {
		want, word = disassociated, "disassociated"
	}
	s.w.Clock.After(associationDelay, "RAM share "+sh.name+": "+a.entity+" "+word, func() {
		s.w.Do(func() {
			if s.status(a) != want {
				return
			}
			switch {
			case slices.Contains(sh.principals, a):
				s.emit(sh, associationEvent, word, s.accountsOf(sh, a.entity)...)
			case slices.Contains(sh.resources, a):
				s.emit(sh, associationEvent, word, s.consumers(sh)...)
			}
		})
	})
}

// accountsOf returns the accounts that a principal stands for.
func (s *Service) accountsOf(sh *share, principal string) []string {
	if !isOrganization(principal) {
		return []string{principal}
	}
	var list []string
	for _, account := range s.w.Accounts() {
		if account.InOrganization && account.ID != sh.owner {
			list = append(list, account.ID)
		}
	}
	return list
}

// consumers returns the accounts that a share is open to.
func (s *Service) consumers(sh *share) []string {
	var list []string
	for _, account := range s.w.Accounts() {
		if account.ID != sh.owner && s.reaches(sh, account.ID) {
			list = append(list, account.ID)
		}
	}
	return list
}

// emit sends an event to the owner and the accounts concerned. AWS delivers it on a best-effort basis; the form of its detail is
// assumption RAM-12.
// https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html
func (s *Service) emit(sh *share, event, status string, accounts ...string) {
	for _, account := range slices.Concat([]string{sh.owner}, accounts) {
		s.w.Emit(cloud.Event{
			Account: account, Region: sh.region, Source: "aws.ram", DetailType: "Resource Sharing State Change",
			Resources: []string{sh.arn}, Detail: map[string]any{"event": event, "status": status}, Delay: eventDelay,
		})
	}
}
