package awsnetwork

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// EndpointAddresses returns the private IPv4 addresses of an interface endpoint in the client's own Region, one for each of its
// subnets. An interface that was replaced between the two calls is an error that a retry fixes.
func (c *Client) EndpointAddresses(ctx context.Context, endpoint string) ([]string, error) {
	api := ec2.NewFromConfig(c.cfg)
	out, err := api.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{endpoint}})
	if err != nil {
		return nil, codes.Wrap(err, "read endpoint %s", endpoint)
	}
	var interfaces []string
	for _, e := range out.VpcEndpoints {
		interfaces = append(interfaces, e.NetworkInterfaceIds...)
	}
	if len(interfaces) == 0 {
		return nil, nil // without ids, the next call would list all interfaces
	}
	// An endpoint has one interface in each Availability Zone, so all of them fit in one page.
	list, err := api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: interfaces})
	if err != nil {
		return nil, codes.Wrap(err, "read the interfaces of endpoint %s", endpoint)
	}
	var addresses []string
	for _, e := range list.NetworkInterfaces {
		addresses = append(addresses, aws.ToString(e.PrivateIpAddress))
	}
	return addresses, nil
}

// Targets returns the addresses that are registered with a target group, without those that are draining.
func (c *Client) Targets(ctx context.Context, group string) ([]string, error) {
	out, err := c.balancing().DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		return nil, codes.Wrap(err, "read targets of %s", group)
	}
	var addresses []string
	for _, t := range out.TargetHealthDescriptions {
		if t.TargetHealth != nil && t.TargetHealth.State == types.TargetHealthStateEnumDraining {
			continue
		}
		addresses = append(addresses, aws.ToString(t.Target.Id))
	}
	return addresses, nil
}

// Register adds addresses to a target group, at the group's port. Addresses that are registered already stay.
func (c *Client) Register(ctx context.Context, group string, addresses []string) error {
	_, err := c.balancing().RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: targets(addresses)})
	return codes.Wrap(err, "register targets with %s", group)
}

// Deregister removes addresses from a target group. Requests in progress may end.
func (c *Client) Deregister(ctx context.Context, group string, addresses []string) error {
	_, err := c.balancing().DeregisterTargets(ctx, &elasticloadbalancingv2.DeregisterTargetsInput{TargetGroupArn: &group, Targets: targets(addresses)})
	return codes.Wrap(err, "deregister targets of %s", group)
}

func targets(addresses []string) []types.TargetDescription {
	list := make([]types.TargetDescription, len(addresses))
	for i, address := range addresses {
		list[i].Id = aws.String(address)
	}
	return list
}

func (c *Client) balancing() *elasticloadbalancingv2.Client {
	return elasticloadbalancingv2.NewFromConfig(c.cfg)
}
