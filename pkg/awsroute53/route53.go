// Package awsroute53 keeps the alias records that point team hosts at a distribution.
package awsroute53

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/originhub/originhub/pkg/fault"
)

// cloudFrontZone is the hosted zone of every distribution's domain name.
// https://docs.aws.amazon.com/general/latest/gr/cf_region.html
const cloudFrontZone = "Z2FDTNDATAQYW2"

var codes = fault.Codes{
	"InvalidChangeBatch": fault.AsReread, "NoSuchHostedZone": fault.AsGiveUp, "PriorRequestNotComplete": fault.AsRetry,
}

// Client is one hosted zone.
type Client struct {
	api  *route53.Client
	zone string
}

// New returns the zone with this id.
func New(cfg aws.Config, zone string) *Client { return &Client{route53.NewFromConfig(cfg), zone} }

// Target tells what the zone's records for a host point at: "" when there is none, the alias target of an alias record,
// or the first value of any other.
func (c *Client) Target(ctx context.Context, host string) (string, error) {
	out, err := c.api.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{
		HostedZoneId: &c.zone, StartRecordName: &host, MaxItems: aws.Int32(10),
	})
	if err != nil {
		return "", codes.Wrap(err, "read DNS records of %s", host)
	}
	for _, r := range out.ResourceRecordSets {
		if !same(aws.ToString(r.Name), host) {
			continue
		}
		switch {
		case r.AliasTarget != nil:
			return strings.TrimSuffix(aws.ToString(r.AliasTarget.DNSName), "."), nil
		case r.Type == types.RRTypeA || r.Type == types.RRTypeAaaa || r.Type == types.RRTypeCname:
			if len(r.ResourceRecords) > 0 {
				return aws.ToString(r.ResourceRecords[0].Value), nil
			}
		}
	}
	return "", nil
}

// Point makes A and AAAA aliases for the hosts.
func (c *Client) Point(ctx context.Context, hosts []string, domain string) error {
	return c.change(ctx, types.ChangeActionUpsert, hosts, domain)
}

// Unpoint removes the A and AAAA aliases of the hosts. A record that is not as Point wrote it is a fault.Reread.
func (c *Client) Unpoint(ctx context.Context, hosts []string, domain string) error {
	return c.change(ctx, types.ChangeActionDelete, hosts, domain)
}

// A change batch holds at most 1,000 records, and an UPSERT counts twice.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
const hostsPerBatch = 250

func (c *Client) change(ctx context.Context, action types.ChangeAction, hosts []string, domain string) error {
	for len(hosts) > 0 {
		n := min(len(hosts), hostsPerBatch)
		var changes []types.Change
		for _, host := range hosts[:n] {
			for _, kind := range []types.RRType{types.RRTypeA, types.RRTypeAaaa} {
				changes = append(changes, types.Change{Action: action, ResourceRecordSet: &types.ResourceRecordSet{
					Name: aws.String(host), Type: kind,
					AliasTarget: &types.AliasTarget{DNSName: aws.String(domain), HostedZoneId: aws.String(cloudFrontZone)},
				}})
			}
		}
		_, err := c.api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: &c.zone, ChangeBatch: &types.ChangeBatch{Changes: changes, Comment: aws.String("originhub")},
		})
		if err != nil {
			return codes.Wrap(err, "change DNS records of %s", strings.Join(hosts[:n], ", "))
		}
		hosts = hosts[n:]
	}
	return nil
}

func same(record, host string) bool {
	return strings.EqualFold(strings.TrimSuffix(strings.Replace(record, `\052`, "*", 1), "."), host)
}
