package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// remembered is how long the table of past origins keeps a record. The names of executions last 90 days after their end
// (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html). Until then, an origin with the same id must not
// begin to count its generations again.
const remembered = 100 * 24 * time.Hour

// Past moves the records of origins that are over from the registry to a second table, and finds them there. The registry is scanned in
// every sweep, and a scan also reads what it does not return, so these records need a table of their own.
type Past struct {
	registry *Registry
	past     *Registry
}

// NewPast returns the table of past origins beside the registry.
func NewPast(cfg aws.Config, registry, past string) *Past {
	return &Past{registry: New(cfg, registry), past: New(cfg, past)}
}

// Move moves a record. It returns a *fault.Reread error if the stored version is no longer record.Version.
func (p *Past) Move(ctx context.Context, record origin.Record, now time.Time) error {
	out, err := item(record.ID, prefixOrigin+record.ID, record.Version, record)
	if err != nil {
		return err
	}
	out[attrExpires] = number(int(now.Add(remembered).Unix()))
	_, err = p.registry.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: p.registry.deletion(record.Distribution, record)},
		{Put: &types.Put{TableName: &p.past.table, Item: out}},
	}})
	if err != nil {
		return cancelled(err, "move %s to the past origins", record.ID)
	}
	return nil
}

// Find returns the past records of the origins with these VPC origin ids, without a version: the registry has none of them.
func (p *Past) Find(ctx context.Context, ids []string) ([]origin.Record, error) {
	var keys []key
	for _, id := range ids {
		keys = append(keys, key{id, prefixOrigin + id})
	}
	var c collected
	if err := p.past.get(ctx, &c, keys); err != nil {
		return nil, err
	}
	var found []origin.Record
	for _, item := range c.items {
		var record origin.Record
		if err := json.Unmarshal([]byte(stringOf(item[attrDocument])), &record); err != nil {
			return nil, &fault.GiveUp{Err: fmt.Errorf("read past origin %s: %w", stringOf(item[attrDistribution]), err)}
		}
		record.Version = 0
		found = append(found, record)
	}
	return found, nil
}
