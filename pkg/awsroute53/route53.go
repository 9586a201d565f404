// Package awsroute53 reads and changes the record sets of one hosted zone.
package awsroute53

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// cloudFrontZone is the hosted zone id of every alias record that points to a distribution.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
const cloudFrontZone = "Z2FDTNDATAQYW2"

// codes: a batch that does not fit what the zone holds was planned from what is no longer true.
var codes = fault.Codes{"InvalidChangeBatch": fault.AsReread, "NoSuchHostedZone": fault.AsGiveUp}

// Zone is one hosted zone.
type Zone struct {
	api *route53.Client
	id  string
}

// New returns the zone with this id.
func New(cfg aws.Config, id string) *Zone { return &Zone{route53.NewFromConfig(cfg), id} }

// Records lists all record sets of the zone.
func (z *Zone) Records(ctx context.Context) ([]origin.DNSRecord, error) {
	var list []origin.DNSRecord
	pages := route53.NewListResourceRecordSetsPaginator(z.api, &route53.ListResourceRecordSetsInput{HostedZoneId: &z.id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "read DNS records of zone %s", z.id)
		}
		for _, r := range page.ResourceRecordSets {
			record := origin.DNSRecord{Name: name(r.Name), Type: string(r.Type)}
			if r.AliasTarget != nil {
				record.Target = name(r.AliasTarget.DNSName)
			}
			list = append(list, record)
		}
	}
	return list, nil
}

// A batch holds at most 1,000 records, of which an upsert counts as two.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
const perBatch = 500

// Change upserts and deletes alias records that point at a distribution. A batch that does not fit what the zone holds
// changes nothing and is a fault.Reread.
func (z *Zone) Change(ctx context.Context, upsert, remove []origin.DNSRecord) error {
	changes := append(changesOf(types.ChangeActionDelete, remove), changesOf(types.ChangeActionUpsert, upsert)...)
	for len(changes) > 0 {
		n := min(len(changes), perBatch)
		_, err := z.api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: &z.id, ChangeBatch: &types.ChangeBatch{Changes: changes[:n], Comment: aws.String("originhub")},
		})
		if err != nil {
			return codes.Wrap(err, "change DNS records of zone %s", z.id)
		}
		changes = changes[n:]
	}
	return nil
}

func changesOf(action types.ChangeAction, records []origin.DNSRecord) []types.Change {
	var changes []types.Change
	for _, r := range records {
		changes = append(changes, types.Change{Action: action, ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String(r.Name), Type: types.RRType(r.Type),
			AliasTarget: &types.AliasTarget{DNSName: aws.String(r.Target), HostedZoneId: aws.String(cloudFrontZone)},
		}})
	}
	return changes
}

// name undoes what Route 53 does to names: the trailing dot, and \052 for an asterisk.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
func name(s *string) string {
	return strings.TrimSuffix(strings.ReplaceAll(aws.ToString(s), `\052`, "*"), ".")
}
