package awsnetwork_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/originhub/originhub/pkg/awsnetwork"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

const (
	elsewhere = "eu-west-1" // the VPC's Region; the client has another
	balancer  = "arn:aws:elasticloadbalancing:" + elsewhere + ":" + rig.Peer + ":loadbalancer/app/peer/50dc6c495c0c9188"
	instance  = "arn:aws:ec2:" + elsewhere + ":" + rig.Peer + ":instance/i-0123456789abcdef0"
)

func start(t *testing.T) (context.Context, *sandbox.Sandbox, *awsnetwork.Client) {
	t.Helper()
	ctx, s := rig.Start(t)
	return ctx, s, awsnetwork.New(s.Config(rig.Peer, rig.Region))
}

func point(ctx context.Context, t *testing.T, s *sandbox.Sandbox, name, endpoint string) {
	t.Helper()
	rig.Must[*cloudfront.CreateVpcOriginOutput](t)(cloudfront.NewFromConfig(s.Config(rig.Peer, rig.Region)).CreateVpcOrigin(ctx,
		&cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: &types.VpcOriginEndpointConfig{
			Name: aws.String(name), Arn: aws.String(endpoint), HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443),
			OriginProtocolPolicy: types.OriginProtocolPolicyHttpsOnly,
		}}))
}

func TestEndpointIsWhereItsARNSays(t *testing.T) {
	t.Parallel()
	ctx, s, c := start(t)
	point(ctx, t, s, "i", instance)
	one := rig.Must[origin.Endpoint](t)(c.Endpoint(ctx, balancer))
	two := rig.Must[origin.Endpoint](t)(c.Endpoint(ctx, instance))
	if one.Region != elsewhere || one.VPC == "" || len(one.Subnets) != 2 || one.Subnets[0] == one.Subnets[1] {
		t.Errorf("the load balancer stands in %+v", one)
	}
	if two.Region != elsewhere || two.VPC != one.VPC || len(two.Subnets) != 1 || !slices.Contains(one.Subnets, two.Subnets[0]) {
		t.Errorf("the instance stands in %+v, and the load balancer of its account in %+v", two, one)
	}
}

func TestEndpointThatIsNone(t *testing.T) {
	t.Parallel()
	ctx, _, c := start(t)
	for _, other := range []string{
		"", "peer", "arn:aws:s3:::peer",
		"arn:aws:elasticloadbalancing:" + elsewhere + ":" + rig.Peer + ":targetgroup/peer/50dc6c495c0c9188",
		"arn:aws:ec2:" + elsewhere + ":" + rig.Peer + ":subnet/subnet-0123456789abcdef0",
	} {
		_, err := c.Endpoint(ctx, other)
		rig.Want[*fault.GiveUp](t, other, err)
	}
}

func TestEndpointThatIsGoneIsDone(t *testing.T) {
	t.Parallel()
	ctx, s, c := start(t)
	_, err := c.Endpoint(ctx, instance)
	rig.Want[*fault.Absent](t, "an instance", err)
	_, err = awsnetwork.New(s.Config(rig.Team, rig.Region)).Endpoint(ctx, balancer)
	rig.Want[*fault.Absent](t, "a load balancer that its account does not have", err)
}

func TestManagedENIsAreAllOfCloudFrontsAndNoOthers(t *testing.T) {
	t.Parallel()
	ctx, s, c := start(t)
	place := rig.Must[origin.Endpoint](t)(c.Endpoint(ctx, balancer))
	list := func() []origin.ENI {
		return rig.Must[[]origin.ENI](t)(c.ManagedENIs(ctx, elsewhere, place.VPC))
	}
	if none := list(); len(none) > 0 {
		t.Errorf("before any VPC origin there are %+v", none)
	}
	point(ctx, t, s, "lb", balancer)
	point(ctx, t, s, "i", instance)
	s.AddUnmanagedENI(sandbox.UnmanagedENI{Account: rig.Peer, Region: elsewhere, Description: "somebody else's"})
	all := list()
	if len(all) != 3 {
		t.Errorf("two VPC origins, in two subnets and in one, have %+v", all)
	}
	for _, e := range all {
		if e.ID == "" || e.VPC != place.VPC || !slices.Contains(place.Subnets, e.Subnet) {
			t.Errorf("one of them is %+v", e)
		}
	}
	for what, other := range map[string][2]string{"VPC": {elsewhere, "vpc-0123456789abcdef0"}, "Region": {rig.Region, place.VPC}} {
		if got := rig.Must[[]origin.ENI](t)(c.ManagedENIs(ctx, other[0], other[1])); len(got) > 0 {
			t.Errorf("another %s has %+v", what, got)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for operation, call := range map[string]func(context.Context, *awsnetwork.Client) error{
		"DescribeLoadBalancers": func(ctx context.Context, c *awsnetwork.Client) error { _, err := c.Endpoint(ctx, balancer); return err },
		"DescribeInstances":     func(ctx context.Context, c *awsnetwork.Client) error { _, err := c.Endpoint(ctx, instance); return err },
		"DescribeNetworkInterfaces": func(ctx context.Context, c *awsnetwork.Client) error {
			_, err := c.ManagedENIs(ctx, elsewhere, "vpc-1")
			return err
		},
	} {
		for code, check := range map[string]func(*testing.T, string, error){
			"UnauthorizedOperation": rig.Want[*fault.GiveUp],
			"RequestLimitExceeded":  rig.Want[*fault.Retry],
		} {
			ctx, s, c := start(t)
			rig.Refuse(s, operation, code, 400)
			check(t, operation+": "+code, call(ctx, c))
		}
	}
}
