package workflow

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

// lists is CloudFront: it returns by id what shared has, and lists nothing of it.
type lists struct {
	distributions
	shared map[string]bool
	asked  map[string]int
}

func (l lists) VpcOrigin(_ context.Context, id string) (origin.VpcOrigin, error) {
	l.asked[id]++
	if !l.shared[id] {
		return origin.VpcOrigin{}, &fault.Retry{Err: errors.New("Throttling")}
	}
	return origin.VpcOrigin{Ref: origin.Ref{ID: id}, Deployed: true}, nil
}

// Function wire asks by id for what it has to add and the list lacks. An origin that CloudFront does not return holds nothing up, and the list, which
// other distributions of the run use at the same time, stays as it is.
func TestWireReadsByIDWhatCloudFrontDoesNotList(t *testing.T) {
	list := make([]origin.VpcOrigin, 1, 8)
	list[0].ID = "vo_listed"
	l := lists{shared: map[string]bool{"vo_shared": true}, asked: map[string]int{}}
	r := &wireRun{
		Wire:    &Wire{CloudFront: l, Log: slog.New(slog.DiscardHandler)},
		account: account{origins: func() ([]origin.VpcOrigin, error) { return list, nil }},
	}
	got, err := r.listed(context.Background(), []string{"vo_listed", "vo_shared", "vo_throttled"})
	if err != nil || len(got) != 2 || got[0].ID != "vo_listed" || got[1].ID != "vo_shared" || !got[1].Deployed {
		t.Errorf("%+v, %v", got, err)
	}
	if want := map[string]int{"vo_shared": 1, "vo_throttled": 1}; !maps.Equal(l.asked, want) {
		t.Errorf("it asked for %v", l.asked)
	}
	if list[:2][1].ID != "" {
		t.Errorf("it wrote %s into the list", list[:2][1].ID)
	}
}

// Function audit asks by id for each VPC origin, once, that RAM lists and CloudFront does not.
func TestAuditReadsByIDWhatCloudFrontDoesNotList(t *testing.T) {
	w := &auditedWorld{offered: []origin.Resource{
		{Share: "s1", ARN: "arn:aws:cloudfront::" + teamAccount + ":vpcorigin/vo_a", Type: "cloudfront:VpcOrigin"},
		{Share: "s2", ARN: "arn:aws:cloudfront::" + teamAccount + ":vpcorigin/vo_a", Type: "cloudfront:VpcOrigin"},
		{Share: "s2", ARN: "arn:aws:ec2:us-east-1:" + teamAccount + ":subnet/subnet-1", Type: "ec2:Subnet"},
	}}
	w.audit(t, inbound.Sweep{})
	if asked := slices.DeleteFunc(slices.Clone(w.called), func(c string) bool { return c != "origin vo_a" }); len(asked) != 1 {
		t.Errorf("it called %q", w.called)
	}
}
