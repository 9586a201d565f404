package ram

import (
	"regexp"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type invitation struct {
	arn       string
	share     *share
	receiver  string
	sent      time.Time
	decided   time.Time
	verdict   string // accepted or rejected; empty before the decision
	withdrawn bool   // the principal was removed from the share before its decision
}

// Invitation statuses.
const (
	pending   = "PENDING"
	accepted  = "ACCEPTED"
	rejected  = "REJECTED"
	expired   = "EXPIRED"
	withdrawn = "" // not listed
)

func (s *Service) invitationStatus(i *invitation) string {
	switch {
	case i.verdict != "":
		return i.verdict
	case i.withdrawn:
		return withdrawn
	case !s.w.Clock.Now().Before(i.sent.Add(invitationLife)):
		return expired
	}
	return pending
}

// end returns when an invitation was decided or has expired.
func (i *invitation) end() time.Time {
	if i.verdict != "" {
		return i.decided
	}
	return i.sent.Add(invitationLife)
}

// recalled reports whether an invitation is still listed. Assumption RAM-04.
func (s *Service) recalled(i *invitation) bool {
	switch s.invitationStatus(i) {
	case withdrawn:
		return false
	case pending:
		return true
	}
	return s.w.Clock.Now().Before(i.end().Add(invitationMemory))
}

// invite sends an invitation. Its ARN has the sender's account.
func (s *Service) invite(sh *share, receiver string) *invitation {
	i := &invitation{
		arn:   "arn:aws:ram:" + sh.region + ":" + sh.owner + ":resource-share-invitation/" + s.w.IDs.UUID(),
		share: sh, receiver: receiver, sent: s.w.Clock.Now(),
	}
	s.invitations = append(s.invitations, i)
	s.emit(sh, invitationEvent, "pending", receiver)
	return i
}

// Invitation is the wire form of an invitation. It does not show the expiry.
type Invitation struct {
	ResourceShareInvitationArn string    `json:"resourceShareInvitationArn"`
	ResourceShareArn           string    `json:"resourceShareArn"`
	ResourceShareName          string    `json:"resourceShareName"`
	SenderAccountID            string    `json:"senderAccountId"`
	ReceiverAccountID          string    `json:"receiverAccountId"`
	InvitationTimestamp        time.Time `json:"invitationTimestamp"`
	Status                     string    `json:"status"`
}

func (s *Service) showInvitation(i *invitation) Invitation {
	return Invitation{
		ResourceShareInvitationArn: i.arn, ResourceShareArn: i.share.arn, ResourceShareName: i.share.name,
		SenderAccountID: i.share.owner, ReceiverAccountID: i.receiver, InvitationTimestamp: i.sent,
		Status: s.invitationStatus(i),
	}
}

// GetResourceShareInvitationsInput is the input of GetResourceShareInvitations.
type GetResourceShareInvitationsInput struct {
	ResourceShareInvitationArns []string `json:"resourceShareInvitationArns,omitempty"`
	ResourceShareArns           []string `json:"resourceShareArns,omitempty"`
	NextToken                   string   `json:"nextToken,omitempty"`
	MaxResults                  *int     `json:"maxResults,omitempty"`
}

// GetResourceShareInvitationsOutput is one page of invitations.
type GetResourceShareInvitationsOutput struct {
	ResourceShareInvitations []Invitation `json:"resourceShareInvitations"`
	NextToken                string       `json:"nextToken,omitempty"`
}

// getResourceShareInvitations implements GetResourceShareInvitations. It returns the invitations that the caller received.
// getResourceShareInvitations implements GetResourceShareInvitations.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareInvitations.html
func (s *Service) getResourceShareInvitations(
	c *cloud.Call, in *GetResourceShareInvitationsInput,
) (*GetResourceShareInvitationsOutput, error) {
	if err := c.Authorize("ram:GetResourceShareInvitations", "*", nil); err != nil {
		return nil, err
	}
	for _, arn := range in.ResourceShareArns {
		if !shareForm.MatchString(arn) {
			return nil, malformedARN(arn)
		}
	}
	for _, arn := range in.ResourceShareInvitationArns {
		if _, err := s.received(c, arn); err != nil {
			return nil, err
		}
	}
	var all []*invitation
	for _, i := range s.invitations {
		if i.receiver == c.Account() && i.share.region == c.Region {
			all = append(all, i)
		}
	}
	list, next, err := page(c, all, func(i *invitation) bool {
		return s.recalled(i) && matches(in.ResourceShareArns, i.share.arn) && matches(in.ResourceShareInvitationArns, i.arn)
	}, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &GetResourceShareInvitationsOutput{ResourceShareInvitations: []Invitation{}, NextToken: next}
	for _, i := range list {
		out.ResourceShareInvitations = append(out.ResourceShareInvitations, s.showInvitation(i))
	}
	return out, nil
}

// ListPendingInvitationResourcesInput is the input of ListPendingInvitationResources.
type ListPendingInvitationResourcesInput struct {
	ResourceShareInvitationArn string `json:"resourceShareInvitationArn"`
	ResourceRegionScope        string `json:"resourceRegionScope,omitempty"`
	NextToken                  string `json:"nextToken,omitempty"`
	MaxResults                 *int   `json:"maxResults,omitempty"`
}

// ListPendingInvitationResourcesOutput is one page of the resources that an invitation offers.
type ListPendingInvitationResourcesOutput struct {
	Resources []ResourceItem `json:"resources"`
	NextToken string         `json:"nextToken,omitempty"`
}

// listPendingInvitationResources implements ListPendingInvitationResources.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPendingInvitationResources.html
func (s *Service) listPendingInvitationResources(
	c *cloud.Call, in *ListPendingInvitationResourcesInput,
) (*ListPendingInvitationResourcesOutput, error) {
	i, err := s.authorizeInvitation(c, in.ResourceShareInvitationArn)
	if err != nil {
		return nil, err
	}
	if err := checkScope(in.ResourceRegionScope); err != nil {
		return nil, err
	}
	switch s.invitationStatus(i) {
	case accepted: // not in the operation's list of errors, which has no other code for it
		return nil, invitationNotFound(i.arn)
	case rejected:
		return nil, cloud.Errorf(400, "ResourceShareInvitationAlreadyRejectedException",
			"The invitation %s was already rejected.", i.arn)
	case expired:
		return nil, cloud.Errorf(400, "ResourceShareInvitationExpiredException", "The invitation %s has expired.", i.arn)
	}
	keep := func(a *association) bool {
		return !a.leaving && inScope(in.ResourceRegionScope, a.entity)
	}
	list, next, err := page(c, i.share.resources, keep, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ListPendingInvitationResourcesOutput{Resources: []ResourceItem{}, NextToken: next}
	for _, a := range list {
		out.Resources = append(out.Resources, showResource(i.share, a))
	}
	return out, nil
}

// AcceptResourceShareInvitationInput is the input of AcceptResourceShareInvitation.
type AcceptResourceShareInvitationInput struct {
	ResourceShareInvitationArn string `json:"resourceShareInvitationArn"`
	ClientToken                string `json:"clientToken,omitempty"`
}

// AcceptResourceShareInvitationOutput has the accepted invitation.
type AcceptResourceShareInvitationOutput struct {
	ResourceShareInvitation Invitation `json:"resourceShareInvitation"`
	ClientToken             string     `json:"clientToken"`
}

// acceptResourceShareInvitation implements AcceptResourceShareInvitation.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_AcceptResourceShareInvitation.html
func (s *Service) acceptResourceShareInvitation(
	c *cloud.Call, in *AcceptResourceShareInvitationInput,
) (*AcceptResourceShareInvitationOutput, error) {
	i, err := s.authorizeInvitation(c, in.ResourceShareInvitationArn)
	if err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*AcceptResourceShareInvitationOutput, error) {
		if err := s.decide(i, accepted); err != nil {
			return nil, err
		}
		for _, a := range i.share.principals {
			if a.invitation == i {
				a.changed = c.Now()
				s.settle(i.share, a)
			}
		}
		return &AcceptResourceShareInvitationOutput{s.showInvitation(i), token}, nil
	})
}

// RejectResourceShareInvitationInput is the input of RejectResourceShareInvitation.
type RejectResourceShareInvitationInput struct {
	ResourceShareInvitationArn string `json:"resourceShareInvitationArn"`
	ClientToken                string `json:"clientToken,omitempty"`
}

// RejectResourceShareInvitationOutput has the rejected invitation.
type RejectResourceShareInvitationOutput struct {
	ResourceShareInvitation Invitation `json:"resourceShareInvitation"`
	ClientToken             string     `json:"clientToken"`
}

// rejectResourceShareInvitation implements RejectResourceShareInvitation.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_RejectResourceShareInvitation.html
func (s *Service) rejectResourceShareInvitation(
	c *cloud.Call, in *RejectResourceShareInvitationInput,
) (*RejectResourceShareInvitationOutput, error) {
	i, err := s.authorizeInvitation(c, in.ResourceShareInvitationArn)
	if err != nil {
		return nil, err
	}
	return once(s, c, in.ClientToken, in, func(token string) (*RejectResourceShareInvitationOutput, error) {
		if err := s.decide(i, rejected); err != nil {
			return nil, err
		}
		return &RejectResourceShareInvitationOutput{s.showInvitation(i), token}, nil
	})
}

func (s *Service) decide(i *invitation, verdict string) error {
	switch s.invitationStatus(i) {
	case accepted:
		return cloud.Errorf(400, "ResourceShareInvitationAlreadyAcceptedException",
			"The invitation %s was already accepted.", i.arn)
	case rejected:
		return cloud.Errorf(400, "ResourceShareInvitationAlreadyRejectedException",
			"The invitation %s was already rejected.", i.arn)
	case expired:
		return cloud.Errorf(400, "ResourceShareInvitationExpiredException", "The invitation %s has expired.", i.arn)
	}
	i.verdict, i.decided = verdict, s.w.Clock.Now()
	word := "accepted"
	if verdict == rejected {
		word = "rejected"
	}
	s.emit(i.share, invitationEvent, word, i.receiver)
	return nil
}

var invitationForm = regexp.MustCompile(`^arn:aws:ram:[a-z0-9-]+:\d{12}:resource-share-invitation/.+$`)

func invitationNotFound(arn string) error {
	return cloud.Errorf(400, "ResourceShareInvitationArnNotFoundException", "The invitation %s could not be found.", arn)
}

// received returns an invitation that the caller received in the Region of the call.
func (s *Service) received(c *cloud.Call, arn string) (*invitation, error) {
	if !invitationForm.MatchString(arn) {
		return nil, malformedARN(arn)
	}
	for _, i := range s.invitations {
		if i.arn == arn && i.receiver == c.Account() && i.share.region == c.Region && s.recalled(i) {
			return i, nil
		}
	}
	return nil, invitationNotFound(arn)
}

// authorizeInvitation authorizes a call on an invitation, with the condition keys of its share, and returns the invitation.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html
func (s *Service) authorizeInvitation(c *cloud.Call, arn string) (*invitation, error) {
	i, missing := s.received(c, arn)
	context := map[string][]string{"ram:ShareOwnerAccountId": {cloud.AccountOf(arn)}}
	if i != nil {
		context["ram:ResourceShareName"] = []string{i.share.name}
	}
	if err := c.Authorize("ram:"+c.Operation.Name, arn, context); err != nil {
		return nil, err
	}
	return i, missing
}
