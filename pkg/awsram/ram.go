// Package awsram is the adapter of Resource Access Manager, for both sides of a share.
package awsram

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

var codes = fault.Codes{
	"ResourceShareInvitationAlreadyAcceptedException": fault.AsFinished,
	"ResourceShareInvitationAlreadyRejectedException": fault.AsFinished,
	"ResourceShareInvitationExpiredException":         fault.AsFinished,
	"ResourceShareInvitationArnNotFoundException":     fault.AsAbsent,
	"UnknownResourceException":                        fault.AsAbsent,
	"OperationNotPermittedException":                  fault.AsGiveUp,
	"InvalidStateTransitionException":                 fault.AsRetry,
}

// Client is a RAM client that acts as one account's role.
type Client struct{ api *ram.Client }

// New returns a client. The client calls us-east-1, the only Region of shares with global resources, whatever the Region of cfg.
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-regional-vs-global.html
func New(cfg aws.Config) *Client {
	return &Client{ram.NewFromConfig(cfg, func(o *ram.Options) { o.Region = "us-east-1" })}
}

// Invitations returns the pending invitations to this account.
func (c *Client) Invitations(ctx context.Context) ([]origin.Invitation, error) {
	var list []origin.Invitation
	pages := ram.NewGetResourceShareInvitationsPaginator(c.api, &ram.GetResourceShareInvitationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list invitations")
		}
		for _, i := range page.ResourceShareInvitations {
			if i.Status != types.ResourceShareInvitationStatusPending {
				continue
			}
			list = append(list, received(i))
		}
	}
	return list, nil
}

// Rejected returns an invitation that was rejected. It returns a *fault.Absent if RAM does not list it, or if its status is another.
func (c *Client) Rejected(ctx context.Context, invitation string) (origin.Invitation, error) {
	return c.answered(ctx, invitation, types.ResourceShareInvitationStatusRejected)
}

// Accepted returns an invitation that was accepted. It returns a *fault.Absent if RAM does not list it, or if its status is another.
func (c *Client) Accepted(ctx context.Context, invitation string) (origin.Invitation, error) {
	return c.answered(ctx, invitation, types.ResourceShareInvitationStatusAccepted)
}

func (c *Client) answered(ctx context.Context, invitation string, status types.ResourceShareInvitationStatus) (origin.Invitation, error) {
	out, err := c.api.GetResourceShareInvitations(ctx, &ram.GetResourceShareInvitationsInput{ResourceShareInvitationArns: []string{invitation}})
	if err != nil {
		return origin.Invitation{}, codes.Wrap(err, "read invitation %s", invitation)
	}
	for _, i := range out.ResourceShareInvitations {
		if i.Status == status {
			return received(i), nil
		}
	}
	return origin.Invitation{}, &fault.Absent{Err: fmt.Errorf("invitation %s is not listed with status %s", invitation, status)}
}

func received(i types.ResourceShareInvitation) origin.Invitation {
	return origin.Invitation{
		ARN: aws.ToString(i.ResourceShareInvitationArn), Share: aws.ToString(i.ResourceShareArn),
		Name: aws.ToString(i.ResourceShareName), Sender: aws.ToString(i.SenderAccountId), Sent: aws.ToTime(i.InvitationTimestamp),
	}
}

// Open returns the resources that a pending invitation offers. It returns a *fault.Finished for an invitation that was answered
// or has expired, and a *fault.Absent for one that does not exist.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPendingInvitationResources.html
func (c *Client) Open(ctx context.Context, invitation string) ([]origin.Resource, error) {
	var list []origin.Resource
	pages := ram.NewListPendingInvitationResourcesPaginator(c.api,
		&ram.ListPendingInvitationResourcesInput{ResourceShareInvitationArn: &invitation})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "open invitation %s", invitation)
		}
		list = append(list, shared(page.Resources)...)
	}
	return list, nil
}

// Accept accepts an invitation. It returns nil for an invitation that was accepted before, a *fault.Finished for one that was
// rejected or has expired, and a *fault.Absent for one that does not exist.
func (c *Client) Accept(ctx context.Context, invitation string) error {
	// originhub:ignore[invitation-answered] the hub itself, by the hub policy
	_, err := c.api.AcceptResourceShareInvitation(ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &invitation})
	if fault.Code(err) == "ResourceShareInvitationAlreadyAcceptedException" {
		return nil
	}
	return codes.Wrap(err, "accept invitation %s", invitation)
}

// Reject rejects an invitation. It returns nil for an invitation that was rejected before, a *fault.Finished for one that was
// accepted or has expired, and a *fault.Absent for one that does not exist.
func (c *Client) Reject(ctx context.Context, invitation string) error {
	// originhub:ignore[invitation-answered] the hub itself, by the hub policy
	_, err := c.api.RejectResourceShareInvitation(ctx, &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: &invitation})
	if fault.Code(err) == "ResourceShareInvitationAlreadyRejectedException" {
		return nil
	}
	return codes.Wrap(err, "reject invitation %s", invitation)
}

// Shares returns the shares of other accounts that include this account.
func (c *Client) Shares(ctx context.Context) ([]origin.Share, error) {
	var list []origin.Share
	pages := ram.NewGetResourceSharesPaginator(c.api, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerOtherAccounts})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list shares")
		}
		for _, s := range page.ResourceShares {
			if s.Status == types.ResourceShareStatusActive {
				list = append(list, origin.Share{
					ARN: aws.ToString(s.ResourceShareArn), Name: aws.ToString(s.Name), Owner: aws.ToString(s.OwningAccountId), Created: aws.ToTime(s.CreationTime),
				})
			}
		}
	}
	return list, nil
}

// Memberships returns, by the ARN of each share of another account that includes this account, whether its owner is in the same organization.
// The API reference of the field "external" says the opposite of its name; RAM-15 is how originhub reads it, and package admission what it
// does when the answers contradict the hub policy.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_Principal.html
func (c *Client) Memberships(ctx context.Context) (map[string]origin.Membership, error) {
	of := map[string]origin.Membership{}
	pages := ram.NewListPrincipalsPaginator(c.api, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerOtherAccounts})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list the owners of shares")
		}
		for _, p := range page.Principals {
			switch share := aws.ToString(p.ResourceShareArn); {
			case p.External == nil:
			case *p.External:
				of[share] = origin.Outside
			default:
				of[share] = origin.Inside
			}
		}
	}
	return of, nil
}

// Resources returns the resources of every type that other accounts share with this one.
func (c *Client) Resources(ctx context.Context) ([]origin.Resource, error) {
	var list []origin.Resource
	pages := ram.NewListResourcesPaginator(c.api, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerOtherAccounts})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list shared resources")
		}
		list = append(list, shared(page.Resources)...)
	}
	return list, nil
}

// Associations returns the resource associations of this account's shares, including those that are being removed. One response
// says which shares a resource is in and which other resources are in them.
// https://docs.aws.amazon.com/cli/latest/reference/ram/get-resource-share-associations.html, the example without a filter
func (c *Client) Associations(ctx context.Context) ([]origin.Association, error) {
	var list []origin.Association
	pages := ram.NewGetResourceShareAssociationsPaginator(c.api, &ram.GetResourceShareAssociationsInput{
		AssociationType: types.ResourceShareAssociationTypeResource, MaxResults: aws.Int32(500),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list what is in shares")
		}
		for _, a := range page.ResourceShareAssociations {
			switch a.Status {
			case types.ResourceShareAssociationStatusDisassociated, types.ResourceShareAssociationStatusFailed: // the resource is not in the share
			default:
				list = append(list, origin.Association{
					Share: aws.ToString(a.ResourceShareArn), Name: aws.ToString(a.ResourceShareName), Resource: aws.ToString(a.AssociatedEntity), Status: string(a.Status),
				})
			}
		}
	}
	return list, nil
}

// Disassociate removes a resource from one of this account's shares. It returns nil if the share does not exist or does not have
// the resource.
func (c *Client) Disassociate(ctx context.Context, share, resource string) error {
	// originhub:ignore[share-revoked] the hub itself, after it detached the origin
	_, err := c.api.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{
		ResourceShareArn: &share, ResourceArns: []string{resource},
	})
	return fault.IgnoreAbsent(codes.Wrap(err, "take %s out of share %s", resource, share))
}

// DeleteShare deletes one of this account's shares. It returns nil if the share does not exist or is being deleted.
func (c *Client) DeleteShare(ctx context.Context, share string) error {
	// originhub:ignore[share-revoked] the hub itself, after it detached the origin
	_, err := c.api.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
	if fault.Code(err) == "InvalidStateTransitionException" { // the share is being deleted
		return nil
	}
	return fault.IgnoreAbsent(codes.Wrap(err, "delete share %s", share))
}

func shared(resources []types.Resource) []origin.Resource {
	var list []origin.Resource
	for _, r := range resources {
		list = append(list, origin.Resource{
			Share: aws.ToString(r.ResourceShareArn), ARN: aws.ToString(r.Arn), Type: aws.ToString(r.Type), Associated: aws.ToTime(r.CreationTime),
		})
	}
	return list
}
