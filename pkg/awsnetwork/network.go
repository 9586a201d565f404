// Package awsnetwork is the adapter of EC2 and Elastic Load Balancing: it reads the load balancers, instances and endpoints
// behind VPC origins, and the network interfaces that CloudFront keeps for VPC origins. No other adapter links the EC2 client,
// which is very slow to compile.
package awsnetwork

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

var codes = fault.Codes{
	"LoadBalancerNotFound": fault.AsAbsent, "InvalidInstanceID.NotFound": fault.AsAbsent,
	"InvalidVpcID.NotFound": fault.AsAbsent,
}

// managedTag is the tag of every network interface that CloudFront creates for a VPC origin. Its service-linked role may change
// no other interface. The interface type is not used, because the SDK's enum does not have it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-service-linked-roles.html
const managedTag = "aws.cloudfront.vpcorigin"

// Client reads one account. Each call names the Region.
type Client struct{ cfg aws.Config }

// New returns a client.
func New(cfg aws.Config) *Client { return &Client{cfg} }

// Endpoint returns the VPC and subnets of a load balancer or an instance. It returns a *fault.Absent if the endpoint does not
// exist.
func (c *Client) Endpoint(ctx context.Context, endpoint string) (origin.Endpoint, error) {
	a, err := arn.Parse(endpoint)
	if err != nil {
		return origin.Endpoint{}, &fault.GiveUp{Err: fmt.Errorf("read endpoint %q: %w", endpoint, err)}
	}
	switch kind, rest, _ := strings.Cut(a.Resource, "/"); {
	case a.Service == "elasticloadbalancing" && kind == "loadbalancer":
		return c.loadBalancer(ctx, a.Region, endpoint)
	case a.Service == "ec2" && kind == "instance":
		return c.instance(ctx, a.Region, rest)
	}
	return origin.Endpoint{}, &fault.GiveUp{Err: fmt.Errorf("read endpoint %q: it is neither a load balancer nor an instance", endpoint)}
}

func (c *Client) loadBalancer(ctx context.Context, region, endpoint string) (origin.Endpoint, error) {
	api := elasticloadbalancingv2.NewFromConfig(c.cfg, func(o *elasticloadbalancingv2.Options) { o.Region = region })
	out, err := api.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{endpoint}})
	if err != nil {
		return origin.Endpoint{}, codes.Wrap(err, "read load balancer %s", endpoint)
	}
	if len(out.LoadBalancers) == 0 {
		return origin.Endpoint{}, &fault.Absent{Err: fmt.Errorf("read load balancer %s: not found", endpoint)}
	}
	lb := out.LoadBalancers[0]
	place := origin.Endpoint{Region: region, VPC: aws.ToString(lb.VpcId)}
	for _, zone := range lb.AvailabilityZones {
		place.Subnets = append(place.Subnets, aws.ToString(zone.SubnetId))
	}
	return place, nil
}

func (c *Client) instance(ctx context.Context, region, id string) (origin.Endpoint, error) {
	out, err := c.ec2(region).DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return origin.Endpoint{}, codes.Wrap(err, "read instance %s", id)
	}
	for _, reservation := range out.Reservations {
		for _, i := range reservation.Instances {
			return origin.Endpoint{Region: region, VPC: aws.ToString(i.VpcId), Subnets: []string{aws.ToString(i.SubnetId)}}, nil
		}
	}
	return origin.Endpoint{}, &fault.Absent{Err: fmt.Errorf("read instance %s: not found", id)}
}

// ManagedENIs returns all network interfaces that CloudFront keeps for VPC origins in a VPC, or in all VPCs of the Region if vpc is "". An
// interface does not name its VPC origin (NET-03 of the ledger).
func (c *Client) ManagedENIs(ctx context.Context, region, vpc string) ([]origin.ENI, error) {
	var list []origin.ENI
	filters := []types.Filter{{Name: aws.String("tag:" + managedTag), Values: []string{"enabled"}}}
	if vpc != "" {
		filters = append(filters, types.Filter{Name: aws.String("vpc-id"), Values: []string{vpc}})
	}
	pages := ec2.NewDescribeNetworkInterfacesPaginator(c.ec2(region), &ec2.DescribeNetworkInterfacesInput{
		IncludeManagedResources: aws.Bool(true), Filters: filters,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "list network interfaces of %s", cmp.Or(vpc, region))
		}
		for _, e := range page.NetworkInterfaces {
			list = append(list, origin.ENI{ID: aws.ToString(e.NetworkInterfaceId), VPC: aws.ToString(e.VpcId), Subnet: aws.ToString(e.SubnetId)})
		}
	}
	return list, nil
}

func (c *Client) ec2(region string) *ec2.Client {
	return ec2.NewFromConfig(c.cfg, func(o *ec2.Options) { o.Region = region })
}
