// Package awsroute53 is the adapter of Route 53: it reads and changes the record sets of one hosted zone.
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

// codes classifies errors. An invalid batch was planned from records that have changed since they were read.
var codes = fault.Codes{"InvalidChangeBatch": fault.AsReread, "NoSuchHostedZone": fault.AsGiveUp}

// Zone is one hosted zone.
type Zone struct {
	api *route53.Client
	id  string
}

// New returns the zone with this id.
func New(cfg aws.Config, id string) *Zone { return &Zone{route53.NewFromConfig(cfg), id} }

// Records returns all record sets of the zone.
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

// perBatch is the maximum number of changes in a batch. A batch may have 1,000 records, and an upsert counts as two.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
const perBatch = 500

// Change upserts and deletes alias records that point to a distribution. It returns a *fault.Reread for a batch that does not
// match the zone's records; such a batch changes nothing.
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

// name returns a record's name as people write it: without the trailing dot, and with * instead of \052.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
func name(s *string) string {
	return strings.TrimSuffix(strings.ReplaceAll(aws.ToString(s), `\052`, "*"), ".")
}
