// Package registry keeps what the hub wants and has seen of every origin and distribution, in one DynamoDB table
// partitioned by distribution. Every write is conditional on the version that was read, so a writer with stale knowledge
// fails with fault.Reread and changes nothing.
package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// Attribute names and sort keys of the table.
const (
	attrDistribution = contract.RegistryPartition
	attrItem         = contract.RegistrySort
	attrVersion      = "version"
	attrDocument     = "document"
	attrExpires      = contract.RegistryExpiry

	itemDistribution = "distribution"
	prefixOrigin     = "origin#"
	prefixRefusal    = "refusal#"
)

var codes = fault.Codes{
	"ConditionalCheckFailedException": fault.AsReread,
	"TransactionConflictException":    fault.AsRetry,
	"ResourceNotFoundException":       fault.AsGiveUp,
}

// Registry is the table.
type Registry struct {
	client *dynamodb.Client
	table  string
}

// New returns the registry kept in table.
func New(cfg aws.Config, table string) *Registry {
	return &Registry{client: dynamodb.NewFromConfig(cfg), table: table}
}

// Load reads a distribution's item and all its origins, consistently.
func (r *Registry) Load(ctx context.Context, distribution string) (origin.Snapshot, error) {
	s := origin.Snapshot{Distribution: origin.Distribution{Name: distribution}, Refusals: map[string]string{}}
	pages := dynamodb.NewQueryPaginator(r.client, &dynamodb.QueryInput{
		TableName:                 &r.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :d"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":d": text(distribution)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s, codes.Wrap(err, "read registry of %s", distribution)
		}
		// DynamoDB's own clock: the Date header of its answer.
		s.Now, _ = awsmiddleware.GetServerTime(page.ResultMetadata)
		for _, item := range page.Items {
			if err := add(&s, item); err != nil {
				return s, &fault.GiveUp{Err: fmt.Errorf("read registry of %s: %w", distribution, err)}
			}
		}
	}
	return s, nil
}

func add(s *origin.Snapshot, item map[string]types.AttributeValue) error {
	key, document := stringOf(item[attrItem]), []byte(stringOf(item[attrDocument]))
	version, err := versionOf(item)
	if err != nil {
		return fmt.Errorf("item %s: %w", key, err)
	}
	switch {
	case key == itemDistribution:
		err = json.Unmarshal(document, &s.Distribution)
		s.Distribution.Version = version
	case strings.HasPrefix(key, prefixOrigin):
		var record origin.Record
		err = json.Unmarshal(document, &record)
		record.Version = version
		s.Records = append(s.Records, record)
	case strings.HasPrefix(key, prefixRefusal):
		s.Refusals[strings.TrimPrefix(key, prefixRefusal)] = string(document)
	}
	if err != nil {
		return fmt.Errorf("item %s: %w", key, err)
	}
	return nil
}

// PutRecord writes an origin's record if its version is still the one that was read, and returns it with the new one.
// A record that somebody changed meanwhile is a fault.Reread.
func (r *Registry) PutRecord(ctx context.Context, distribution string, record origin.Record) (origin.Record, error) {
	version, err := r.put(ctx, distribution, prefixOrigin+record.ID, record.Version, record)
	record.Version = version
	return record, err
}

// PutDistribution is PutRecord for a distribution's item.
func (r *Registry) PutDistribution(ctx context.Context, d origin.Distribution) (origin.Distribution, error) {
	version, err := r.put(ctx, d.Name, itemDistribution, d.Version, d)
	d.Version = version
	return d, err
}

func (r *Registry) put(ctx context.Context, distribution, key string, read int, v any) (int, error) {
	document, err := json.Marshal(v)
	if err != nil {
		return read, &fault.GiveUp{Err: fmt.Errorf("write %s of %s: %w", key, distribution, err)}
	}
	in := &dynamodb.PutItemInput{
		TableName: &r.table,
		Item: map[string]types.AttributeValue{
			attrDistribution: text(distribution), attrItem: text(key),
			attrVersion: number(read + 1), attrDocument: text(string(document)),
		},
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	}
	if read > 0 {
		in.ConditionExpression = aws.String("#v = :read")
		in.ExpressionAttributeNames = map[string]string{"#v": attrVersion}
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(read)}
	}
	if _, err := r.client.PutItem(ctx, in); err != nil {
		return read, codes.Wrap(err, "write %s of %s", key, distribution)
	}
	return read + 1, nil
}

// PutRefusal remembers that the refusal of what was reported for these reasons. The table's time to live forgets it after
// 30 days, long after any invitation has died.
func (r *Registry) PutRefusal(ctx context.Context, distribution, what, reasons string, now time.Time) error {
	_, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &r.table,
		Item: map[string]types.AttributeValue{
			attrDistribution: text(distribution), attrItem: text(prefixRefusal + what),
			attrVersion: number(1), attrDocument: text(reasons),
			attrExpires: number(int(now.Add(30 * 24 * time.Hour).Unix())),
		},
	})
	return codes.Wrap(err, "write refusal of %s", what)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func stringOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func versionOf(item map[string]types.AttributeValue) (int, error) {
	n, ok := item[attrVersion].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("has no number %q", attrVersion)
	}
	return strconv.Atoi(n.Value)
}
