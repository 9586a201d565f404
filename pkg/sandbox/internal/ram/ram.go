// Package ram emulates Resource Access Manager: shares, invitations, and who may use which resource.
//
// A share has one Region. Shares of VPC origins are in us-east-1, because VPC origins are global resources.
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-regional-vs-global.html
package ram

import (
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// These are durations in virtual time.
const (
	// associationDelay is the time that creating or removing an association takes. Assumption RAM-01.
	associationDelay = 5 * time.Second
	// eventDelay is the time until a state change reaches EventBridge. Assumption RAM-02.
	eventDelay = 2 * time.Second
	// invitationLife is the time until an invitation to a share with VPC origins expires.
	// https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html
	invitationLife = 12 * time.Hour
	// afterlife is the time for which deleted shares and removed associations stay listed. Assumption RAM-03.
	afterlife = 2 * time.Hour
	// invitationMemory is the time for which a decided invitation stays listed. Assumption RAM-04.
	invitationMemory = 7 * 24 * time.Hour
)

// pendingQuota is the maximum number of pending invitations that one account has sent.
// https://docs.aws.amazon.com/ram/latest/userguide/service-quotas.html
const pendingQuota = 250

// globalRegion is the only Region of shares with global resources.
const globalRegion = "us-east-1"

// Service holds all shares. The world lock guards its state.
type Service struct {
	// Exists reports whether a VPC origin exists. If it is nil, all exist. Called with the world locked.
	Exists func(arn string) bool

	w           *cloud.World
	shares      []*share
	invitations []*invitation
	tokens      map[string]answered // by account, Region, operation and client token
}

// New returns the service.
func New(w *cloud.World) *Service {
	return &Service{w: w, tokens: map[string]answered{}}
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name, path string) cloud.Operation {
		return cloud.Operation{Name: name, Method: "POST", Path: path, ReadOnly: true}
	}
	write := func(name, path string) cloud.Operation {
		return cloud.Operation{Name: name, Method: "POST", Path: path}
	}
	return &cloud.Service{
		Name: "ram", Protocol: cloud.RESTJSON, EventSource: "ram.amazonaws.com",
		Operations: []cloud.Operation{
			cloud.Op(write("CreateResourceShare", "/createresourceshare"), s.createResourceShare),
			cloud.Op(read("GetResourceShares", "/getresourceshares"), s.getResourceShares),
			cloud.Op(write("UpdateResourceShare", "/updateresourceshare"), s.updateResourceShare),
			cloud.Op(write("TagResource", "/tagresource"), s.tagResource),
			cloud.Op(write("UntagResource", "/untagresource"), s.untagResource),
			cloud.Op(cloud.Operation{Name: "DeleteResourceShare", Method: "DELETE", Path: "/deleteresourceshare"},
				s.deleteResourceShare),
			cloud.Op(write("AssociateResourceShare", "/associateresourceshare"), s.associateResourceShare),
			cloud.Op(read("GetResourceShareAssociations", "/getresourceshareassociations"), s.getResourceShareAssociations),
			cloud.Op(write("DisassociateResourceShare", "/disassociateresourceshare"), s.disassociateResourceShare),
			cloud.Op(read("GetResourceShareInvitations", "/getresourceshareinvitations"), s.getResourceShareInvitations),
			cloud.Op(read("ListPendingInvitationResources", "/listpendinginvitationresources"), s.listPendingInvitationResources),
			cloud.Op(write("AcceptResourceShareInvitation", "/acceptresourceshareinvitation"), s.acceptResourceShareInvitation),
			cloud.Op(write("RejectResourceShareInvitation", "/rejectresourceshareinvitation"), s.rejectResourceShareInvitation),
			cloud.Op(read("ListResources", "/listresources"), s.listResources),
			cloud.Op(read("ListPrincipals", "/listprincipals"), s.listPrincipals),
			cloud.Op(read("ListPermissions", "/listpermissions"), s.listPermissions),
		},
	}
}

// SharedWith reports whether the resource is shared with the account now. It implements cloud.Sharing.
func (s *Service) SharedWith(resourceARN, account string) bool {
	for _, sh := range s.shares {
		if sh.owner != account && s.usable(sh.resources, resourceARN) && s.reaches(sh, account) {
			return true
		}
	}
	return false
}

// Snapshot returns an account's own shares and the invitations that it received. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	shares, received := []any{}, []any{}
	for _, sh := range s.shares {
		if sh.owner != account || !s.remembered(sh) {
			continue
		}
		list := func(associations []*association) []any {
			out := []any{}
			for _, a := range associations {
				if s.listed(a) {
					out = append(out, map[string]any{"entity": a.entity, "status": s.status(a)})
				}
			}
			return out
		}
		shares = append(shares, map[string]any{
			"arn": sh.arn, "name": sh.name, "region": sh.region, "status": s.shareStatus(sh),
			"resources": list(sh.resources), "principals": list(sh.principals),
		})
	}
	for _, i := range s.invitations {
		if i.receiver == account && s.recalled(i) {
			received = append(received, map[string]any{
				"arn": i.arn, "share": i.share.name, "sender": i.share.owner,
				"status": s.invitationStatus(i),
			})
		}
	}
	return map[string]any{"shares": shares, "invitations": received}
}
