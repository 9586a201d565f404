// Package awsroute53 is the adapter of Route 53: it reads and changes the record sets of one hosted zone.
package awsroute53

import (
	"context"
	"slices"
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

// codes classifies errors. InvalidChangeBatch mostly means that the records have changed since they were read.
var codes = fault.Codes{"InvalidChangeBatch": fault.AsReread, "NoSuchHostedZone": fault.AsGiveUp}

// Zone is one hosted zone.
type Zone struct {
	api *route53.Client
	id  string
}

// New returns the zone with this id.
func New(cfg aws.Config, id string) *Zone { return &Zone{route53.NewFromConfig(cfg), id} }

// Records returns the record sets of the zone that are about hosts, and some others, or all record sets if hosts is nil.
func (z *Zone) Records(ctx context.Context, hosts []string) ([]origin.DNSRecord, error) {
	if hosts == nil {
		return z.all(ctx)
	}
	var list []origin.DNSRecord
	there := map[origin.DNSRecord]bool{}
	read := "" // the records up to here were read
	for _, host := range slices.SortedFunc(slices.Values(hosts), func(a, b string) int { return strings.Compare(inOrder(a), inOrder(b)) }) {
		if inOrder(host) <= read {
			continue
		}
		page, err := z.api.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &z.id, StartRecordName: aws.String(host), MaxItems: aws.Int32(pageSize)})
		if err != nil {
			return nil, codes.Wrap(err, "read DNS records of %s in zone %s", host, z.id)
		}
		for _, r := range recordsOf(page.ResourceRecordSets) {
			if !there[r] { // the last host of a page is read again
				there[r], list = true, append(list, r)
			}
		}
		if !page.IsTruncated {
			return list, nil
		}
		read = before(page.ResourceRecordSets)
	}
	return list, nil
}

func (z *Zone) all(ctx context.Context) ([]origin.DNSRecord, error) {
	var list []origin.DNSRecord
	pages := route53.NewListResourceRecordSetsPaginator(z.api, &route53.ListResourceRecordSetsInput{HostedZoneId: &z.id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, codes.Wrap(err, "read DNS records of zone %s", z.id)
		}
		list = append(list, recordsOf(page.ResourceRecordSets)...)
	}
	return list, nil
}

func recordsOf(sets []types.ResourceRecordSet) (list []origin.DNSRecord) {
	for _, r := range sets {
		record := origin.DNSRecord{Name: name(r.Name), Type: string(r.Type)}
		if r.AliasTarget != nil && r.SetIdentifier == nil { // the hub has only simple records
			record.Target = name(r.AliasTarget.DNSName)
		}
		list = append(list, record)
	}
	return list
}

// pageSize is how many record sets one call reads for a host and the hosts that follow it. A host has two.
const pageSize = 100

// inOrder returns a form of a name whose order is the one in which Route 53 lists records: by the reversed labels, with a trailing dot
// (https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html).
func inOrder(host string) string {
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// before returns the last name, in that order, whose records are complete in a page that is not the last one. AWS does not document where a name
// with an escaped character comes, so such a name says nothing.
func before(page []types.ResourceRecordSet) string {
	last := aws.ToString(page[len(page)-1].Name)
	for _, r := range slices.Backward(page) {
		if is := aws.ToString(r.Name); is != last && !strings.Contains(is, `\`) {
			return inOrder(is)
		}
	}
	return ""
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
