package awsram_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/originhub/originhub/pkg/awsram"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

// These ARNs have the right form, and no resource has them.
const (
	noInvitation = "arn:aws:ram:" + rig.Region + ":" + rig.Team + ":resource-share-invitation/none"
	noShare      = "arn:aws:ram:" + rig.Region + ":" + rig.Team + ":resource-share/none"
)

// subnets returns ARNs of subnets, which the sandbox's RAM does not check.
func subnets(account string, n int) []string {
	var arns []string
	for i := range n {
		arns = append(arns, fmt.Sprintf("arn:aws:ec2:%s:%s:subnet/subnet-%03d", rig.Region, account, i))
	}
	return arns
}

// open shares an account's resources with the hub.
func open(ctx context.Context, t *testing.T, s *sandbox.Sandbox, account, name string, resources []string) string {
	t.Helper()
	out := rig.Must[*ram.CreateResourceShareOutput](t)(ram.NewFromConfig(s.Config(account, rig.Region)).CreateResourceShare(ctx,
		&ram.CreateResourceShareInput{Name: &name, Principals: []string{rig.Hub}, ResourceArns: resources}))
	return aws.ToString(out.ResourceShare.ResourceShareArn)
}

func TestInvitationIsOpenedAndAccepted(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	c := awsram.New(s.Config(rig.Hub, "eu-west-1"))
	arns := subnets(rig.Team, 2)
	share := open(ctx, t, s, rig.Team, "team-a", arns)

	list := rig.Must[[]origin.Invitation](t)(c.Invitations(ctx))
	if len(list) != 1 || list[0].Share != share || list[0].Name != "team-a" || list[0].Sender != rig.Team {
		t.Fatalf("invitations %+v", list)
	}
	invitation := list[0].ARN
	want := []origin.Resource{
		{Share: share, ARN: arns[0], Type: "ec2:Subnet", Associated: s.Now().UTC()}, {Share: share, ARN: arns[1], Type: "ec2:Subnet", Associated: s.Now().UTC()},
	}
	if got := rig.Must[[]origin.Resource](t)(c.Open(ctx, invitation)); !slices.Equal(got, want) {
		t.Errorf("it offers %+v", got)
	}
	if got := rig.Must[[]origin.Share](t)(c.Shares(ctx)); len(got) != 0 {
		t.Errorf("shares before it is accepted: %+v", got)
	}
	rig.OK(t, c.Accept(ctx, invitation))
	s.UntilIdle()
	if got := rig.Must[[]origin.Invitation](t)(c.Invitations(ctx)); len(got) != 0 {
		t.Errorf("invitations after it was accepted: %+v", got)
	}
	if got := rig.Must[[]origin.Share](t)(c.Shares(ctx)); len(got) != 1 || got[0].Created.IsZero() || got[0] != (origin.Share{ARN: share, Name: "team-a", Owner: rig.Team, Created: got[0].Created}) {
		t.Errorf("shares %+v", got)
	}
	if got := rig.Must[[]origin.Resource](t)(c.Resources(ctx)); !slices.Equal(got, want) {
		t.Errorf("resources %+v", got)
	}
	inside := open(ctx, t, s, rig.Peer, "peer", subnets(rig.Peer, 1))
	s.UntilIdle()
	members := map[string]origin.Membership{share: origin.Outside, inside: origin.Inside}
	if got := rig.Must[map[string]origin.Membership](t)(c.Memberships(ctx)); !maps.Equal(got, members) {
		t.Errorf("memberships %v, want %v", got, members)
	}
	rig.OK(t, c.Accept(ctx, invitation))
	rig.Want[*fault.Finished](t, "reject what was accepted", c.Reject(ctx, invitation))
	_, err := c.Open(ctx, invitation)
	rig.Want[*fault.Absent](t, "open what was accepted", err)
}

func TestInvitationThatIsOver(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	c := awsram.New(s.Config(rig.Hub, rig.Region))
	invite := func(name string) string {
		open(ctx, t, s, rig.Team, name, subnets(rig.Team, 1))
		list := rig.Must[[]origin.Invitation](t)(c.Invitations(ctx))
		return list[len(list)-1].ARN
	}
	expired := invite("too late")
	s.Advance(12 * time.Hour)
	rejected := invite("unwanted")
	rig.OK(t, c.Reject(ctx, rejected))
	for what, invitation := range map[string]string{"expired": expired, "rejected": rejected} {
		_, err := c.Open(ctx, invitation)
		rig.Want[*fault.Finished](t, "open "+what, err)
		rig.Want[*fault.Finished](t, "accept "+what, c.Accept(ctx, invitation))
	}
	rig.Want[*fault.Finished](t, "reject expired", c.Reject(ctx, expired))
	rig.OK(t, c.Reject(ctx, rejected))
	_, err := c.Open(ctx, noInvitation)
	rig.Want[*fault.Absent](t, "open unknown", err)
	rig.Want[*fault.Absent](t, "accept unknown", c.Accept(ctx, noInvitation))
	rig.Want[*fault.Absent](t, "reject unknown", c.Reject(ctx, noInvitation))
	if got := rig.Must[[]origin.Invitation](t)(c.Invitations(ctx)); len(got) != 0 {
		t.Errorf("pending: %+v", got)
	}
	rig.Want[*fault.GiveUp](t, "no ARN", c.Accept(ctx, "vo_1"))
}

func TestResourcesOfEveryPage(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	var want []string
	for i := range 3 { // a page holds 50
		arns := subnets(rig.Peer, 40*(i+1))[40*i:]
		open(ctx, t, s, rig.Peer, fmt.Sprint("share-", i), arns)
		want = append(want, arns...)
	}
	s.UntilIdle()
	var got []string
	for _, r := range rig.Must[[]origin.Resource](t)(awsram.New(s.Config(rig.Hub, rig.Region)).Resources(ctx)) {
		got = append(got, r.ARN)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%d resources of %d", len(got), len(want))
	}
}

func TestShareIsTakenApartOnce(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	hub, peer := awsram.New(s.Config(rig.Hub, rig.Region)), awsram.New(s.Config(rig.Peer, "eu-west-1"))
	arns := subnets(rig.Peer, 2)
	share := open(ctx, t, s, rig.Peer, "peer", arns)
	s.UntilIdle()
	associations := func(want ...origin.Association) {
		t.Helper()
		if got := rig.Must[[]origin.Association](t)(peer.Associations(ctx)); !slices.Equal(got, want) {
			t.Errorf("associations %+v, want %+v", got, want)
		}
	}
	both := func(first string) []origin.Association {
		return []origin.Association{
			{Share: share, Name: "peer", Resource: arns[0], Status: first}, {Share: share, Name: "peer", Resource: arns[1], Status: "ASSOCIATED"},
		}
	}
	associations(both("ASSOCIATED")...)

	rig.Want[*fault.GiveUp](t, "leave another account's share", hub.Disassociate(ctx, share, arns[0]))
	rig.OK(t, peer.Disassociate(ctx, share, arns[0]))
	associations(both("DISASSOCIATING")...)
	rig.OK(t, peer.Disassociate(ctx, share, arns[0]))
	s.UntilIdle()
	associations(both("")[1])
	rig.OK(t, peer.Disassociate(ctx, share, arns[0]))

	rig.OK(t, peer.DeleteShare(ctx, share))
	rig.OK(t, peer.DeleteShare(ctx, share)) // deletion takes time
	rig.Want[*fault.Retry](t, "change a share that is going", peer.Disassociate(ctx, share, arns[1]))
	s.UntilIdle()
	rig.OK(t, peer.DeleteShare(ctx, share))
	rig.OK(t, peer.DeleteShare(ctx, noShare))
	rig.OK(t, peer.Disassociate(ctx, share, arns[1]))
	if got := rig.Must[[]origin.Resource](t)(hub.Resources(ctx)); len(got) != 0 {
		t.Errorf("the hub still sees %+v", got)
	}
	if got := rig.Must[[]origin.Share](t)(hub.Shares(ctx)); len(got) != 0 {
		t.Errorf("the hub still sees %+v", got)
	}
}

// failed is a RAM that failed to add one of two resources to a share.
type failed struct{}

func (failed) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"resourceShareAssociations":[
		{"resourceShareArn":"share","associatedEntity":"one","status":"FAILED"},
		{"resourceShareArn":"share","associatedEntity":"two","status":"SUSPENDED"}]}`))}, nil
}

func TestWhatFailedToBeSharedIsInNoShare(t *testing.T) {
	t.Parallel()
	c := awsram.New(aws.Config{Credentials: aws.AnonymousCredentials{}, HTTPClient: failed{}})
	want := []origin.Association{{Share: "share", Resource: "two", Status: "SUSPENDED"}}
	if got := rig.Must[[]origin.Association](t)(c.Associations(context.Background())); !slices.Equal(got, want) {
		t.Errorf("associations %+v, want %+v", got, want)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	c := awsram.New(s.Config(rig.Hub, rig.Region))
	err := c.Disassociate(ctx, "share", "resource")
	rig.Want[*fault.GiveUp](t, "take out of no ARN", err)
	for code, status := range map[string]int{"ThrottlingException": 429, "ServerInternalException": 500} {
		s.Faults().Reset()
		rig.Refuse(s, "GetResourceShareInvitations", code, status)
		_, err = c.Invitations(ctx)
		rig.Want[*fault.Retry](t, code, err)
	}
	rig.Refuse(s, "GetResourceShares", "AccessDeniedException", 403)
	_, err = c.Shares(ctx)
	rig.Want[*fault.GiveUp](t, "denied", err)
}
