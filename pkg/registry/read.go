package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// Load reads all items, each of them consistently. An item that cannot be read is in Snapshot.Damaged; it does not prevent the others
// from being returned. If it is the item of a distribution, that distribution is returned as unavailable. Load scans the table, since only the
// table knows every distribution that ever had an origin, including distributions that the hub policy no longer names.
func (r *Registry) Load(ctx context.Context) (origin.Snapshot, error) {
	var c collected
	pages := dynamodb.NewScanPaginator(r.client, &dynamodb.ScanInput{TableName: &r.table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return origin.Snapshot{}, codes.Wrap(err, "read registry")
		}
		if err := c.take(page.ResultMetadata, page.Items); err != nil {
			return origin.Snapshot{}, err
		}
	}
	s := c.snapshot()
	r.setAsideUnplaced(&s)
	return s, nil
}

// LoadDistribution reads what function wire has to know for a run on the distribution of that name: its records and what was reported about
// them, the items of all distributions, the open finding about the CloudFront Function called function, the holds that people have set, the records of the
// distributions with which it shares a host, and which of its orphans are withdrawn. named has the distributions of the hub policy; the item fleet lists the others. Like Load, it reads consistently and sets
// damaged items aside.
func (r *Registry) LoadDistribution(ctx context.Context, named []string, name, function string) (origin.Snapshot, error) {
	var c collected
	keys := append([]key{fleetKey, {contract.RegistryAudit, findingKey(origin.OpenFinding{Kind: origin.FunctionChanged, Subject: function})}}, distributionKeys(named)...)
	if err := r.get(ctx, &c, keys); err != nil {
		return origin.Snapshot{}, err
	}
	fleet := c.snapshot().Fleet
	if !fleet.Knows(named) {
		return r.Load(ctx)
	}
	unnamed := without(fleet.Unnamed, named)
	if err := r.get(ctx, &c, distributionKeys(unnamed)); err != nil {
		return origin.Snapshot{}, err
	}
	for _, partition := range []string{name, contract.RegistryHolds} {
		if err := r.query(ctx, &c, partition); err != nil {
			return origin.Snapshot{}, err
		}
	}
	s := c.snapshot()
	var withdrawals []key
	for _, o := range s.Distribution(name).Orphans {
		withdrawals = append(withdrawals, key{contract.RegistryRefusals, prefixRefusal + origin.WithdrawalOf(o.ID)})
	}
	if err := r.get(ctx, &c, withdrawals); err != nil {
		return origin.Snapshot{}, err
	}
	hosts := s.Hosts(name)
	for _, other := range slices.Concat(named, unnamed) {
		if of := s.Distribution(other).Hosts; other == name || of != nil && !slices.ContainsFunc(hosts, func(h string) bool { return slices.Contains(of, h) }) {
			continue
		}
		if err := r.query(ctx, &c, other); err != nil {
			return origin.Snapshot{}, err
		}
	}
	return c.snapshot(), nil
}

// without returns the names that are not among others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

func distributionKeys(names []string) (keys []key) {
	for _, name := range names {
		keys = append(keys, key{contract.RegistryDistribution + name, itemDistribution})
	}
	return keys
}

// LoadOrigins reads the records of the origins with these VPC origin ids, the items of their distributions, what was reported under the
// keys refusals, and the tallies of these accounts. named has the distributions of the hub policy; the item fleet lists the others. Like Load, it reads consistently and sets
// damaged items aside.
func (r *Registry) LoadOrigins(ctx context.Context, named, ids, refusals, tallies []string) (origin.Snapshot, error) {
	var c collected
	keys := []key{fleetKey}
	for _, what := range refusals {
		keys = append(keys, key{contract.RegistryRefusals, prefixRefusal + what})
	}
	for _, account := range tallies {
		keys = append(keys, key{contract.RegistryRefusals, prefixTally + account})
	}
	if len(named) == 1 { // with several distributions, most of their items would be read for nothing
		keys = append(keys, distributionKeys(named)...)
	}
	if err := r.get(ctx, &c, append(keys, originKeys(named, ids)...)); err != nil {
		return origin.Snapshot{}, err
	}
	fleet := c.snapshot().Fleet
	if !fleet.Knows(named) { // function admit has not swept since the hub was updated or its registry was lost
		return r.Load(ctx)
	}
	unnamed := without(fleet.Unnamed, named)
	if err := r.get(ctx, &c, originKeys(unnamed, ids)); err != nil {
		return origin.Snapshot{}, err
	}
	s := c.snapshot()
	moving := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { // while its two keys were read, so that it was in neither place
		_, found := s.Find(id)
		return found || s.IsDamaged(id)
	})
	if err := r.get(ctx, &c, originKeys(slices.Concat(named, unnamed), moving)); err != nil {
		return origin.Snapshot{}, err
	}
	if err := r.get(ctx, &c, c.distributionsOfRecords()); err != nil {
		return origin.Snapshot{}, err
	}
	s = c.snapshot()
	for _, o := range s.Records {
		if s.Distribution(o.Distribution).Version == 0 && !s.IsDistributionDamaged(o.Distribution) {
			return r.Load(ctx) // its item is still where an earlier version wrote it, or there is none yet
		}
	}
	return s, nil
}

func originKeys(distributions, ids []string) (keys []key) {
	for _, name := range distributions {
		for _, id := range ids {
			keys = append(keys, key{name, prefixOrigin + id})
		}
	}
	return keys
}

// key is the key of an item.
type key struct{ partition, sort string }

var fleetKey = key{contract.RegistryFleet, itemFleet}

// batch is how many items one BatchGetItem reads.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const batch = 100

// get adds the items with these keys to c.
func (r *Registry) get(ctx context.Context, c *collected, keys []key) error {
	for some := range slices.Chunk(keys, batch) {
		of := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, k := range some {
			of.Keys = append(of.Keys, map[string]types.AttributeValue{attrDistribution: text(k.partition), attrItem: text(k.sort)})
		}
		for asked := map[string]types.KeysAndAttributes{r.table: of}; len(asked[r.table].Keys) > 0; {
			out, err := r.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: asked})
			if err != nil {
				return codes.Wrap(err, "read %d items of the registry", len(some))
			}
			items := slices.Concat(slices.Collect(maps.Values(out.Responses))...)
			if err := c.take(out.ResultMetadata, items); err != nil {
				return err
			}
			before := len(asked[r.table].Keys)
			if asked = out.UnprocessedKeys; len(asked[r.table].Keys) == before {
				return &fault.Retry{Err: fmt.Errorf("read registry: DynamoDB processed none of %d keys; the call is retried", before)}
			}
		}
	}
	return nil
}

// query adds the items of a partition to c.
func (r *Registry) query(ctx context.Context, c *collected, partition string) error {
	pages := dynamodb.NewQueryPaginator(r.client, &dynamodb.QueryInput{
		TableName: &r.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#p = :p"),
		ExpressionAttributeNames:  map[string]string{"#p": attrDistribution},
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": text(partition)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return codes.Wrap(err, "read partition %s of the registry", partition)
		}
		if err := c.take(page.ResultMetadata, page.Items); err != nil {
			return err
		}
	}
	return nil
}

// collected is what was read so far.
type collected struct {
	items []map[string]types.AttributeValue
	now   time.Time
}

// distributionsOfRecords returns the keys of the items of distributions that have a record among what was read, and that were not read themselves.
func (c *collected) distributionsOfRecords() []key {
	var of, read []string
	for _, item := range c.items {
		partition, sort := stringOf(item[attrDistribution]), stringOf(item[attrItem])
		if strings.HasPrefix(sort, prefixOrigin) && !slices.Contains(of, partition) {
			of = append(of, partition)
		}
		if name, is := strings.CutPrefix(partition, contract.RegistryDistribution); is {
			read = append(read, name)
		}
	}
	return distributionKeys(without(of, read))
}

// take adds the items of a response. The clock of the registry is DynamoDB's: the Date header of the response.
func (c *collected) take(of middleware.Metadata, items []map[string]types.AttributeValue) error {
	now, dated := awsmiddleware.GetServerTime(of)
	if !dated {
		return &fault.Retry{Err: errors.New("read registry: the response has no Date header, so the time is unknown; the call is retried")}
	}
	c.now = now
	c.items = append(c.items, items...)
	return nil
}

// snapshot returns the items as a snapshot.
func (c *collected) snapshot() origin.Snapshot {
	s := origin.Snapshot{Now: c.now, Refusals: map[string][]origin.Reason{}, Tallies: map[string]origin.Tally{}, Reported: map[string][]origin.Reason{}}
	for _, item := range current(slices.Clone(c.items)) {
		if err := add(&s, item); err != nil {
			setAside(&s, item, err)
		}
	}
	slices.SortFunc(s.Distributions, func(a, b origin.Distribution) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Holds, func(a, b origin.Hold) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(s.Findings.Open, func(a, b origin.OpenFinding) int { return strings.Compare(findingKey(a), findingKey(b)) })
	slices.SortFunc(s.Records, func(a, b origin.Record) int { return strings.Compare(a.ID, b.ID) })
	return s
}
