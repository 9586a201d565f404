package ram

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

const (
	hub      = "100000000000"
	outside  = "111111111111" // not in the organization
	inside   = "222222222222"
	stranger = "999999999999"
	region   = "us-east-1"
	origin   = "arn:aws:cloudfront::111111111111:vpcorigin/vo_1"
	origin2  = "arn:aws:cloudfront::222222222222:vpcorigin/vo_2"
	subnet   = "arn:aws:ec2:us-east-1:222222222222:subnet/subnet-1"
)

type fixture struct {
	testing.TB
	w      *cloud.World
	ram    *Service
	iam    *iam.Service
	events []string // "<account> <event> <status>"
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{TB: t, w: cloud.New(cloud.Options{Seed: 1})}
	f.iam = iam.New(f.w)
	f.w.Authorizer = f.iam
	f.ram = New(f.w)
	f.w.Sharing = f.ram
	f.w.Register(f.ram.API())
	f.w.Emit = func(e cloud.Event) {
		if e.DetailType == "Resource Sharing State Change" {
			d := e.Detail.(map[string]any)
			f.events = append(f.events, fmt.Sprint(e.Account, " ", d["event"], " ", d["status"]))
		}
	}
	f.w.AddAccount(cloud.Account{ID: hub, InOrganization: true})
	f.w.AddAccount(cloud.Account{ID: inside, InOrganization: true})
	f.w.AddAccount(cloud.Account{ID: outside})
	return f
}

// call makes an API call as an account's root and fails the test on an error.
func call[O any](f *fixture, account, operation string, in any) *O {
	f.Helper()
	out, err := f.w.Invoke(cloud.Root(account), region, "ram", operation, in)
	if err != nil {
		f.Fatalf("%s: %v", operation, err)
	}
	return out.(*O)
}

// refused makes an API call that must fail with a code, given without its "Exception".
func (f *fixture) refused(account, operation string, in any, code string) {
	f.Helper()
	_, err := f.w.Invoke(cloud.Root(account), region, "ram", operation, in)
	if err == nil || cloud.AsError(err).Code != code+"Exception" {
		f.Errorf("%s: got %v, want %sException", operation, err, code)
	}
}

func (f *fixture) share(account string, principals, resources []string) string {
	f.Helper()
	return call[CreateResourceShareOutput](f, account, "CreateResourceShare", &CreateResourceShareInput{
		Name: "share", Principals: principals, ResourceArns: resources,
	}).ResourceShare.ResourceShareArn
}

func (f *fixture) invitations() []Invitation {
	f.Helper()
	return call[GetResourceShareInvitationsOutput](f, hub, "GetResourceShareInvitations", &GetResourceShareInvitationsInput{}).ResourceShareInvitations
}

// foreign returns the resources that other accounts share with the hub.
func (f *fixture) foreign() []string {
	f.Helper()
	var list []string
	for _, r := range call[ListResourcesOutput](f, hub, "ListResources", &ListResourcesInput{ResourceOwner: others}).Resources {
		list = append(list, r.Arn)
	}
	return list
}

func (f *fixture) statuses(account, kind, share string) string {
	f.Helper()
	var list []string
	out := call[GetResourceShareAssociationsOutput](f, account, "GetResourceShareAssociations",
		&GetResourceShareAssociationsInput{AssociationType: kind, ResourceShareArns: []string{share}})
	for _, a := range out.ResourceShareAssociations {
		list = append(list, a.Status)
	}
	return strings.Join(list, " ")
}

func (f *fixture) sharedWith(resource, account string) (yes bool) {
	f.w.Do(func() { yes = f.ram.SharedWith(resource, account) })
	return yes
}

func TestInvitationFromOutsideTheOrganization(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, []string{hub}, []string{origin})
	f.w.Clock.Advance(time.Minute)
	if got := f.statuses(outside, "PRINCIPAL", arn); got != "ASSOCIATING" {
		t.Errorf("before the invitation is accepted the principal is %s", got)
	}
	if f.sharedWith(origin, hub) || len(f.foreign()) != 0 {
		t.Error("an invitation gives no access")
	}
	list := f.invitations()
	if len(list) != 1 || list[0].Status != "PENDING" || list[0].SenderAccountID != outside || list[0].ReceiverAccountID != hub ||
		list[0].ResourceShareName != "share" || !strings.HasPrefix(list[0].ResourceShareInvitationArn, "arn:aws:ram:us-east-1:111111111111:resource-share-invitation/") {
		t.Fatalf("invitations are %+v", list)
	}
	in := &ListPendingInvitationResourcesInput{ResourceShareInvitationArn: list[0].ResourceShareInvitationArn}
	offered := call[ListPendingInvitationResourcesOutput](f, hub, "ListPendingInvitationResources", in).Resources
	if len(offered) != 1 || offered[0].Arn != origin || offered[0].Type != "cloudfront:VpcOrigin" || offered[0].ResourceRegionScope != "GLOBAL" {
		t.Fatalf("offered are %+v", offered)
	}
	f.refused(stranger, "ListPendingInvitationResources", in, "ResourceShareInvitationArnNotFound")

	accept := &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: list[0].ResourceShareInvitationArn, ClientToken: "token"}
	f.refused(stranger, "AcceptResourceShareInvitation", accept, "ResourceShareInvitationArnNotFound")
	if got := call[AcceptResourceShareInvitationOutput](f, hub, "AcceptResourceShareInvitation", accept); got.ResourceShareInvitation.Status != "ACCEPTED" {
		t.Errorf("accepted is %+v", got)
	}
	call[AcceptResourceShareInvitationOutput](f, hub, "AcceptResourceShareInvitation", accept) // the same token again
	again := &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: list[0].ResourceShareInvitationArn}
	f.refused(hub, "AcceptResourceShareInvitation", again, "ResourceShareInvitationAlreadyAccepted")
	f.refused(hub, "RejectResourceShareInvitation",
		&RejectResourceShareInvitationInput{ResourceShareInvitationArn: again.ResourceShareInvitationArn}, "ResourceShareInvitationAlreadyAccepted")
	f.refused(hub, "ListPendingInvitationResources", in, "ResourceShareInvitationArnNotFound")
	if f.sharedWith(origin, hub) {
		t.Error("access comes at once; it should take a while")
	}
	if !f.w.Clock.UntilIdle(time.Minute) {
		t.Fatal("the world does not come to rest")
	}
	if !f.sharedWith(origin, hub) || !slices.Equal(f.foreign(), []string{origin}) {
		t.Error("no access after the association")
	}
	shares := call[GetResourceSharesOutput](f, hub, "GetResourceShares", &GetResourceSharesInput{ResourceOwner: others}).ResourceShares
	if len(shares) != 1 || shares[0].OwningAccountID != outside || shares[0].Status != "ACTIVE" {
		t.Errorf("shares are %+v", shares)
	}
	from := call[ListPrincipalsOutput](f, hub, "ListPrincipals", &ListPrincipalsInput{ResourceOwner: others}).Principals
	if len(from) != 1 || from[0].ID != outside || !from[0].External {
		t.Errorf("principals are %+v", from)
	}
}

func TestNoInvitationInsideTheOrganization(t *testing.T) {
	f := newFixture(t)
	arn := f.share(inside, []string{hub}, []string{origin2, subnet})
	if len(f.invitations()) != 0 {
		t.Error("an invitation was sent inside the organization")
	}
	f.w.Clock.UntilIdle(time.Minute)
	if got := f.foreign(); !slices.Equal(got, []string{origin2, subnet}) {
		t.Errorf("shared are %v", got)
	}
	typed := call[ListResourcesOutput](f, hub, "ListResources", &ListResourcesInput{ResourceOwner: others, ResourceType: "CloudFront:vpcorigin"}).Resources
	if len(typed) != 1 || typed[0].Arn != origin2 || typed[0].ResourceShareArn != arn {
		t.Errorf("VPC origins are %+v", typed)
	}
}

func TestOrganizationAsPrincipal(t *testing.T) {
	f := newFixture(t)
	f.share(inside, []string{"arn:aws:organizations::100000000000:organization/o-exampleorg1"}, []string{origin2})
	f.w.Clock.UntilIdle(time.Minute)
	if !f.sharedWith(origin2, hub) || f.sharedWith(origin2, outside) {
		t.Error("the organization, and nobody else, should have access")
	}
}

func TestRetainedSharingInvitesInsideTheOrganization(t *testing.T) {
	f := newFixture(t)
	call[CreateResourceShareOutput](f, inside, "CreateResourceShare", &CreateResourceShareInput{
		Name: "kept", Principals: []string{hub}, ResourceArns: []string{origin2},
		ResourceShareConfiguration: &Configuration{RetainSharingOnAccountLeaveOrganization: true},
	})
	if len(f.invitations()) != 1 {
		t.Error("no invitation was sent")
	}
}

func TestInvitationExpires(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, []string{hub}, []string{origin})
	invitation := f.invitations()[0].ResourceShareInvitationArn
	f.w.Clock.Advance(12*time.Hour - time.Second)
	if f.invitations()[0].Status != "PENDING" {
		t.Error("expired too soon")
	}
	f.w.Clock.Advance(time.Second)
	if f.invitations()[0].Status != "EXPIRED" {
		t.Error("not expired after 12 hours")
	}
	f.refused(hub, "AcceptResourceShareInvitation", &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: invitation}, "ResourceShareInvitationExpired")
	f.refused(hub, "ListPendingInvitationResources", &ListPendingInvitationResourcesInput{ResourceShareInvitationArn: invitation}, "ResourceShareInvitationExpired")
	if got := f.statuses(outside, "PRINCIPAL", arn); got != "DISASSOCIATED" {
		t.Errorf("the principal is %s", got)
	}
	call[AssociateResourceShareOutput](f, outside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{hub}})
	if list := f.invitations(); len(list) != 2 || list[1].Status != "PENDING" {
		t.Errorf("associating again should invite again: %+v", list)
	}
}

func TestRejectedInvitation(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, []string{hub}, []string{origin})
	in := &RejectResourceShareInvitationInput{ResourceShareInvitationArn: f.invitations()[0].ResourceShareInvitationArn}
	call[RejectResourceShareInvitationOutput](f, hub, "RejectResourceShareInvitation", in)
	f.refused(hub, "RejectResourceShareInvitation", in, "ResourceShareInvitationAlreadyRejected")
	f.refused(hub, "ListPendingInvitationResources",
		&ListPendingInvitationResourcesInput{ResourceShareInvitationArn: in.ResourceShareInvitationArn}, "ResourceShareInvitationAlreadyRejected")
	f.w.Clock.UntilIdle(time.Minute)
	if f.sharedWith(origin, hub) || f.statuses(outside, "PRINCIPAL", arn) != "DISASSOCIATED" {
		t.Error("a rejected share should be closed")
	}
}

func TestUnsharing(t *testing.T) {
	f := newFixture(t)
	arn := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.UntilIdle(time.Minute)
	f.refused(hub, "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, Principals: []string{hub}}, "OperationNotPermitted")
	f.refused(stranger, "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, Principals: []string{stranger}}, "UnknownResource")
	f.refused(hub, "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: arn}, "UnknownResource")
	out := call[DisassociateResourceShareOutput](f, inside, "DisassociateResourceShare",
		&DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{origin2}})
	if len(out.ResourceShareAssociations) != 1 || out.ResourceShareAssociations[0].Status != "DISASSOCIATING" {
		t.Errorf("got %+v", out)
	}
	f.w.Clock.UntilIdle(time.Minute)
	if f.sharedWith(origin2, hub) || f.statuses(inside, "RESOURCE", arn) != "DISASSOCIATED" {
		t.Error("still shared")
	}
	call[AssociateResourceShareOutput](f, inside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{origin2}})
	f.w.Clock.UntilIdle(time.Minute)
	if !f.sharedWith(origin2, hub) {
		t.Error("not shared again")
	}
}

func TestDeleteShare(t *testing.T) {
	f := newFixture(t)
	arn := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.UntilIdle(time.Minute)
	in := &DeleteResourceShareInput{ResourceShareArn: arn}
	if !call[DeleteResourceShareOutput](f, inside, "DeleteResourceShare", in).ReturnValue {
		t.Error("not deleted")
	}
	f.refused(inside, "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: arn}, "InvalidStateTransition")
	f.w.Clock.UntilIdle(time.Minute)
	shares := call[GetResourceSharesOutput](f, inside, "GetResourceShares", &GetResourceSharesInput{ResourceOwner: self}).ResourceShares
	if len(shares) != 1 || shares[0].Status != "DELETED" {
		t.Errorf("shares are %+v", shares)
	}
	if f.statuses(inside, "PRINCIPAL", arn) != "DISASSOCIATED" || f.sharedWith(origin2, hub) {
		t.Error("the share is still open")
	}
	f.refused(inside, "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: arn}, "UnknownResource")
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	f.ram.Exists = func(arn string) bool { return arn == origin || arn == origin2 }
	closed := false
	mine := f.share(outside, nil, nil)
	for name, tc := range map[string]struct {
		account   string
		operation string
		in        any
		code      string
	}{
		"no name":               {outside, "CreateResourceShare", &CreateResourceShareInput{}, "MissingRequiredParameter"},
		"no ARN":                {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", ResourceArns: []string{"vo_1"}}, "MalformedArn"},
		"another's resource":    {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", ResourceArns: []string{origin2}}, "UnknownResource"},
		"no such origin":        {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", ResourceArns: []string{origin + "x"}}, "UnknownResource"},
		"closed to outsiders":   {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", Principals: []string{hub}, AllowExternalPrincipals: &closed}, "OperationNotPermitted"},
		"itself":                {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", Principals: []string{outside}}, "InvalidParameter"},
		"a role":                {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", Principals: []string{"arn:aws:iam::100000000000:role/x"}}, "InvalidParameter"},
		"another organization":  {inside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", Principals: []string{"arn:aws:organizations::100000000000:organization/o-other"}}, "UnknownResource"},
		"unknown permission":    {outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", PermissionArns: []string{"arn:aws:ram::aws:permission/X"}}, "UnknownResource"},
		"another's share":       {inside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: mine, Principals: []string{hub}}, "UnknownResource"},
		"nothing to add":        {outside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: mine}, "InvalidParameter"},
		"bad share ARN":         {outside, "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: "share"}, "MalformedArn"},
		"no owner given":        {hub, "ListResources", &ListResourcesInput{}, "MissingRequiredParameter"},
		"unknown type":          {hub, "ListResources", &ListResourcesInput{ResourceOwner: self, ResourceType: "x:y"}, "InvalidResourceType"},
		"bad token":             {hub, "ListResources", &ListResourcesInput{ResourceOwner: self, NextToken: "x"}, "InvalidNextToken"},
		"invisible share":       {hub, "GetResourceShares", &GetResourceSharesInput{ResourceOwner: others, ResourceShareArns: []string{mine}}, "UnknownResource"},
		"bad invitation ARN":    {hub, "AcceptResourceShareInvitation", &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: "x"}, "MalformedArn"},
		"page size":             {hub, "GetResourceShareInvitations", &GetResourceShareInvitationsInput{MaxResults: new(int)}, "InvalidMaxResults"},
		"principal of resource": {outside, "GetResourceShareAssociations", &GetResourceShareAssociationsInput{AssociationType: "RESOURCE", Principal: hub}, "InvalidParameter"},
	} {
		t.Run(name, func(*testing.T) { f.refused(tc.account, tc.operation, tc.in, tc.code) })
	}
}

func TestVpcOriginsAreSharedInOneRegionOnly(t *testing.T) {
	f := newFixture(t)
	_, err := f.w.Invoke(cloud.Root(outside), "eu-west-1", "ram", "CreateResourceShare", &CreateResourceShareInput{Name: "s", ResourceArns: []string{origin}})
	if err == nil || cloud.AsError(err).Code != "UnknownResourceException" {
		t.Errorf("got %v", err)
	}
	f.share(outside, []string{hub}, []string{origin})
	out, err := f.w.Invoke(cloud.Root(hub), "eu-west-1", "ram", "GetResourceShareInvitations", &GetResourceShareInvitationsInput{})
	if err != nil || len(out.(*GetResourceShareInvitationsOutput).ResourceShareInvitations) != 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestClientTokens(t *testing.T) {
	f := newFixture(t)
	in := CreateResourceShareInput{Name: "one", ClientToken: "token"}
	first := call[CreateResourceShareOutput](f, outside, "CreateResourceShare", &in)
	second := call[CreateResourceShareOutput](f, outside, "CreateResourceShare", &in)
	if first.ResourceShare.ResourceShareArn != second.ResourceShare.ResourceShareArn {
		t.Error("the same token made two shares")
	}
	in.Name = "two"
	f.refused(outside, "CreateResourceShare", &in, "IdempotentParameterMismatch")
}

func TestPendingInvitationsHaveAQuota(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, nil, []string{origin})
	var many []string
	for i := range pendingQuota {
		many = append(many, fmt.Sprintf("3%011d", i))
	}
	call[AssociateResourceShareOutput](f, outside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: arn, Principals: many})
	f.refused(outside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{hub}}, "ResourceShareLimitExceeded")
	f.w.Clock.Advance(invitationLife)
	call[AssociateResourceShareOutput](f, outside, "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{hub}})
}

// The policies of a function and of a spoke role, restricted by RAM's condition keys.
func TestConditions(t *testing.T) {
	f := newFixture(t)
	role := func(account, name, statement string) cloud.Principal {
		for _, rt := range f.iam.ResourceTypes() {
			if rt.Name == "AWS::IAM::Role" {
				r, err := rt.Create(&cloud.ResourceRequest{World: f.w, Account: account, Region: region, Stack: "s", LogicalID: name, Properties: json.RawMessage(`{
					"RoleName": "` + name + `", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
						{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]},
					"Policies": [{"PolicyName": "P", "PolicyDocument": {"Version": "2012-10-17", "Statement": [` + statement + `]}}]}`)})
				if err != nil {
					t.Fatal(err)
				}
				return cloud.AssumedRole(account, r.Attributes["Arn"], name, "s")
			}
		}
		return cloud.Principal{}
	}
	f.share(outside, []string{hub}, []string{origin})
	invitation := f.invitations()[0].ResourceShareInvitationArn
	for _, tc := range []struct {
		owner string
		want  bool
	}{{"222222222222", false}, {"111111111111", true}} {
		p := role(hub, "admit"+tc.owner, `{"Effect":"Allow","Action":"ram:AcceptResourceShareInvitation","Resource":"*","Condition":{"StringEquals":{"ram:ShareOwnerAccountId":"`+tc.owner+`"}}}`)
		_, err := f.w.Invoke(p, region, "ram", "AcceptResourceShareInvitation", &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: invitation})
		if (err == nil) != tc.want {
			t.Errorf("accept with condition %s: %v", tc.owner, err)
		}
		if err != nil && cloud.AsError(err).Code != "AccessDeniedException" {
			t.Errorf("got %v", err)
		}
	}
	arn := f.share(inside, []string{hub}, []string{origin2, subnet})
	p := role(inside, "unshare", `{"Effect":"Allow","Action":"ram:DisassociateResourceShare","Resource":"*","Condition":{"StringEquals":{"ram:RequestedResourceType":"cloudfront:VpcOrigin"}}}`)
	if _, err := f.w.Invoke(p, region, "ram", "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{subnet}}); err == nil {
		t.Error("the role may take out VPC origins only")
	}
	if _, err := f.w.Invoke(p, region, "ram", "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{origin2}}); err != nil {
		t.Error(err)
	}
}

func TestShareFromATemplate(t *testing.T) {
	f := newFixture(t)
	rt := f.ram.ResourceTypes()[0]
	request := func(properties string) *cloud.ResourceRequest {
		return &cloud.ResourceRequest{World: f.w, Account: inside, Region: region, Stack: "s", LogicalID: "Share", Properties: json.RawMessage(properties)}
	}
	r, err := rt.Create(request(`{"Name":"s","ResourceArns":["` + origin2 + `"],"Principals":["` + hub + `"],"AllowExternalPrincipals":"false","Tags":[{"Key":"a","Value":"b"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	f.w.Clock.UntilIdle(time.Minute)
	if !f.sharedWith(origin2, hub) {
		t.Error("not shared")
	}
	if r, err = rt.Update(request(`{"Name":"renamed","ResourceArns":["`+subnet+`"],"Principals":["`+hub+`"],"AllowExternalPrincipals":false}`), r); err != nil {
		t.Fatal(err)
	}
	f.w.Clock.UntilIdle(time.Minute)
	if got := f.foreign(); !slices.Equal(got, []string{subnet}) {
		t.Errorf("shared are %v", got)
	}
	if err := rt.Delete(request(`{}`), r); err != nil {
		t.Fatal(err)
	}
	f.w.Clock.UntilIdle(time.Minute)
	if got := f.foreign(); len(got) != 0 {
		t.Errorf("shared are %v", got)
	}
	if _, err := rt.Create(request(`{"Name":"s","Colour":"red"}`)); err == nil || !strings.Contains(err.Error(), "Colour") {
		t.Errorf("got %v", err)
	}
}

func TestAssumption_RAM_01_AssociationsTakeFiveSecondsEachWay(t *testing.T) {
	f := newFixture(t)
	arn := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.Advance(4 * time.Second)
	if f.sharedWith(origin2, hub) {
		t.Error("access after 4 s")
	}
	f.w.Clock.Advance(time.Second)
	if !f.sharedWith(origin2, hub) {
		t.Error("no access after 5 s")
	}
	call[DisassociateResourceShareOutput](f, inside, "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, Principals: []string{hub}})
	f.w.Clock.Advance(4 * time.Second)
	if !f.sharedWith(origin2, hub) {
		t.Error("access ended before 5 s")
	}
	f.w.Clock.Advance(time.Second)
	if f.sharedWith(origin2, hub) {
		t.Error("access after the end")
	}
}

func TestAssumption_RAM_02_EventsComeTwoSecondsLater(t *testing.T) {
	f := newFixture(t)
	var delays []time.Duration
	var regions []string
	f.w.Emit = func(e cloud.Event) {
		if e.Source == "aws.ram" && e.DetailType == "Resource Sharing State Change" {
			delays, regions = append(delays, e.Delay), append(regions, e.Region)
		}
	}
	f.share(outside, []string{hub}, nil)
	if !slices.Equal(delays, []time.Duration{eventDelay, eventDelay}) || !slices.Equal(regions, []string{region, region}) {
		t.Errorf("got %v in %v", delays, regions)
	}
}

func TestAssumption_RAM_03_WhatIsGoneStaysListedForTwoHours(t *testing.T) {
	f := newFixture(t)
	arn := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.UntilIdle(time.Minute)
	call[DeleteResourceShareOutput](f, inside, "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: arn})
	count := func() int {
		return len(call[GetResourceSharesOutput](f, inside, "GetResourceShares", &GetResourceSharesInput{ResourceOwner: self}).ResourceShares)
	}
	f.w.Clock.Advance(2 * time.Hour)
	if count() != 1 {
		t.Error("forgotten too soon")
	}
	f.w.Clock.Advance(associationDelay)
	if count() != 0 {
		t.Error("still listed")
	}
}

func TestAssumption_RAM_04_DecidedInvitationsAreListedForAWeek(t *testing.T) {
	f := newFixture(t)
	f.share(outside, []string{hub}, nil)
	call[AcceptResourceShareInvitationOutput](f, hub, "AcceptResourceShareInvitation",
		&AcceptResourceShareInvitationInput{ResourceShareInvitationArn: f.invitations()[0].ResourceShareInvitationArn})
	f.w.Clock.Advance(invitationMemory - time.Second)
	if len(f.invitations()) != 1 {
		t.Error("forgotten too soon")
	}
	f.w.Clock.Advance(time.Second)
	if len(f.invitations()) != 0 {
		t.Error("still listed")
	}
}

func TestAssumption_RAM_05_PagesAreCutBeforeFilters(t *testing.T) {
	f := newFixture(t)
	f.share(inside, []string{hub}, []string{subnet, origin2})
	f.w.Clock.UntilIdle(time.Minute)
	one := 1
	in := &ListResourcesInput{ResourceOwner: others, ResourceType: vpcOrigin, MaxResults: &one}
	out := call[ListResourcesOutput](f, hub, "ListResources", in)
	if len(out.Resources) != 0 || out.NextToken == "" {
		t.Fatalf("the first page should be empty with more to come: %+v", out)
	}
	in.NextToken = out.NextToken
	out = call[ListResourcesOutput](f, hub, "ListResources", in)
	if len(out.Resources) != 1 || out.NextToken != "" {
		t.Errorf("the second page is %+v", out)
	}
}

func TestAssumption_RAM_06_NameOfTheManagedPermission(t *testing.T) {
	f := newFixture(t)
	list := call[ListPermissionsOutput](f, hub, "ListPermissions", &ListPermissionsInput{ResourceType: "cloudfront:VpcOrigin"}).Permissions
	if len(list) != 1 || list[0].Name != "AWSRAMDefaultPermissionCloudFront" || !list[0].IsResourceTypeDefault {
		t.Fatalf("got %+v", list)
	}
	call[CreateResourceShareOutput](f, outside, "CreateResourceShare", &CreateResourceShareInput{Name: "s", PermissionArns: []string{list[0].Arn}})
}

func TestAssumption_RAM_07_AssociatingTwiceInvitesOnce(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, []string{hub}, []string{origin})
	call[AssociateResourceShareOutput](f, outside, "AssociateResourceShare",
		&AssociateResourceShareInput{ResourceShareArn: arn, Principals: []string{hub}, ResourceArns: []string{origin}})
	if len(f.invitations()) != 1 || f.statuses(outside, "RESOURCE", arn) != "ASSOCIATING" {
		t.Error("associating again changed something")
	}
}

func TestAssumption_RAM_08_TakingOutWhatIsNotIn(t *testing.T) {
	f := newFixture(t)
	arn := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.UntilIdle(time.Minute)
	f.refused(inside, "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{subnet}}, "UnknownResource")
	in := func() *DisassociateResourceShareInput {
		return &DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{origin2}}
	}
	call[DisassociateResourceShareOutput](f, inside, "DisassociateResourceShare", in())
	call[DisassociateResourceShareOutput](f, inside, "DisassociateResourceShare", in())
	f.w.Clock.UntilIdle(time.Minute)
	f.refused(inside, "DisassociateResourceShare", in(), "UnknownResource")
}

func TestAssumption_RAM_09_InvitationsAreWithdrawn(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, []string{hub}, []string{origin})
	invitation := f.invitations()[0].ResourceShareInvitationArn
	call[DeleteResourceShareOutput](f, outside, "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: arn})
	if len(f.invitations()) != 0 {
		t.Error("still listed")
	}
	f.refused(hub, "AcceptResourceShareInvitation", &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: invitation}, "ResourceShareInvitationArnNotFound")
	f.w.Clock.Advance(time.Second)
	if f.sharedWith(origin, hub) {
		t.Error("a share that was never accepted is open while it goes")
	}
}

func TestAssumption_RAM_10_AShareWithOutsidersStaysOpenToThem(t *testing.T) {
	f := newFixture(t)
	arn := f.share(outside, []string{hub}, nil)
	closed := false
	in := &UpdateResourceShareInput{ResourceShareArn: arn, AllowExternalPrincipals: &closed}
	f.refused(outside, "UpdateResourceShare", in, "OperationNotPermitted")
	f.w.Clock.Advance(invitationLife)
	call[UpdateResourceShareOutput](f, outside, "UpdateResourceShare", in)
}

func TestAssumption_RAM_11_EveryPairIsAuthorised(t *testing.T) {
	f := newFixture(t)
	var asked []string
	f.w.Authorizer = authorizer(func(r cloud.Request) cloud.Decision {
		if strings.HasPrefix(r.Action, "ram:") {
			asked = append(asked, strings.Join(r.Context["ram:Principal"], "+")+" "+strings.Join(r.Context["ram:RequestedResourceType"], "+"))
		}
		return cloud.Decision{Allowed: true}
	})
	f.share(inside, []string{hub, stranger}, []string{origin2, subnet})
	want := []string{hub + " cloudfront:VpcOrigin", hub + " ec2:Subnet", stranger + " cloudfront:VpcOrigin", stranger + " ec2:Subnet"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}

type authorizer func(cloud.Request) cloud.Decision

func (a authorizer) Authorize(r cloud.Request) cloud.Decision { return a(r) }

func TestAssumption_RAM_12_Events(t *testing.T) {
	f := newFixture(t)
	f.share(outside, []string{hub}, nil)
	call[AcceptResourceShareInvitationOutput](f, hub, "AcceptResourceShareInvitation",
		&AcceptResourceShareInvitationInput{ResourceShareInvitationArn: f.invitations()[0].ResourceShareInvitationArn})
	f.w.Clock.UntilIdle(time.Minute)
	want := []string{
		outside + " Resource Share Invitation pending", hub + " Resource Share Invitation pending",
		outside + " Resource Share Invitation accepted", hub + " Resource Share Invitation accepted",
		outside + " Resource Share Association associated", hub + " Resource Share Association associated",
	}
	if !slices.Equal(f.events, want) {
		t.Errorf("got %q", f.events)
	}
	f.events = nil
	arn := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.UntilIdle(time.Minute)
	call[DisassociateResourceShareOutput](f, inside, "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: arn, ResourceArns: []string{origin2}})
	f.w.Clock.UntilIdle(time.Minute)
	want = []string{
		inside + " Resource Share Association associated", hub + " Resource Share Association associated", // the principal
		inside + " Resource Share Association associated", hub + " Resource Share Association associated", // the resource
		inside + " Resource Share Association disassociated", hub + " Resource Share Association disassociated",
	}
	if !slices.Equal(f.events, want) {
		t.Errorf("got %q", f.events)
	}
}

func TestAssumption_RAM_13_SharingNeedsTheServicesOwnRight(t *testing.T) {
	f := newFixture(t)
	var asked []string
	f.w.Authorizer = authorizer(func(r cloud.Request) cloud.Decision {
		asked = append(asked, r.Action)
		return cloud.Decision{Allowed: r.Action != "cloudfront:PutResourcePolicy"}
	})
	_, err := f.w.Invoke(cloud.Root(outside), region, "ram", "CreateResourceShare", &CreateResourceShareInput{Name: "s", ResourceArns: []string{origin}})
	if err == nil || !slices.Contains(asked, "cloudfront:PutResourcePolicy") {
		t.Errorf("asked %v, got %v", asked, err)
	}
}

func TestAssumption_RAM_14_SharesOutliveTheMembershipOfTheirOwner(t *testing.T) {
	f := newFixture(t)
	f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.Advance(time.Minute)
	f.w.Do(func() { f.w.Account(inside).InOrganization = false })
	if !f.sharedWith(origin2, hub) {
		t.Error("the share is gone")
	}
}

func TestAssumption_RAM_15_OwnersOutsideTheOrganizationAreExternal(t *testing.T) {
	f := newFixture(t)
	share := f.share(inside, []string{hub}, []string{origin2})
	f.w.Clock.Advance(time.Minute)
	for _, member := range []bool{true, false} {
		f.w.Do(func() { f.w.Account(inside).InOrganization = member })
		got := call[ListPrincipalsOutput](f, hub, "ListPrincipals", &ListPrincipalsInput{ResourceOwner: others}).Principals
		if len(got) != 1 || got[0].ID != inside || got[0].ResourceShareArn != share || got[0].External == member {
			t.Errorf("in the organization %v: %+v", member, got)
		}
	}
}

// Whatever is done to shares, the consumer's own listing and what other services are told agree.
func TestListingsAgreeWithAccess(t *testing.T) {
	done := map[string]int{} // calls that were not refused
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		do := func(caller, operation string, in any) {
			if _, err := f.w.Invoke(cloud.Root(caller), region, "ram", operation, in); err == nil {
				done[operation]++
			}
		}
		var shares []string
		arn := func() string { return rapid.SampledFrom(shares).Draw(rt, "share") }
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				owner, what := outside, origin
				if rapid.Bool().Draw(rt, "inside") {
					owner, what = inside, origin2
				}
				shares = append(shares, f.share(owner, []string{hub}, []string{what}))
			},
			"accept": func(*rapid.T) {
				for _, i := range f.invitations() {
					do(hub, "AcceptResourceShareInvitation", &AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})
				}
			},
			"delete": func(*rapid.T) {
				if len(shares) > 0 {
					sh := arn()
					do(cloud.AccountOf(sh), "DeleteResourceShare", &DeleteResourceShareInput{ResourceShareArn: sh})
				}
			},
			"part": func(*rapid.T) {
				if len(shares) > 0 {
					sh := arn()
					do(cloud.AccountOf(sh), "DisassociateResourceShare", &DisassociateResourceShareInput{ResourceShareArn: sh, Principals: []string{hub}})
				}
			},
			"join": func(*rapid.T) {
				if len(shares) > 0 {
					sh := arn()
					do(cloud.AccountOf(sh), "AssociateResourceShare", &AssociateResourceShareInput{ResourceShareArn: sh, Principals: []string{hub}})
				}
			},
			"wait": func(rt *rapid.T) {
				f.w.Clock.Advance(time.Duration(rapid.IntRange(1, 8).Draw(rt, "seconds")) * time.Second)
			},
			"": func(rt *rapid.T) {
				listed := f.foreign()
				for _, what := range []string{origin, origin2} {
					if got, want := slices.Contains(listed, what), f.sharedWith(what, hub); got != want {
						rt.Fatalf("%s: listed %v, shared %v", what, got, want)
					}
				}
			},
		})
	})
	for _, operation := range []string{
		"AcceptResourceShareInvitation", "DeleteResourceShare", "DisassociateResourceShare", "AssociateResourceShare",
	} {
		if done[operation] == 0 {
			t.Errorf("every %s was refused", operation)
		}
	}
}
