package registry

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// findingKey returns the sort key of an open finding.
func findingKey(f origin.OpenFinding) string {
	return prefixFinding + f.Kind + " " + f.Origin + " " + f.Subject
}

// addFindings adds the item with what the audit remembers besides the open findings. In the old form, it has these, too.
func addFindings(s *origin.Snapshot, document []byte, version int) error {
	var f origin.Findings
	err := json.Unmarshal(document, &f)
	if err != nil {
		f = origin.Findings{}
	}
	f.Version, f.Together, f.Open = version, len(f.Open) > 0, append(s.Findings.Open, f.Open...)
	s.Findings = f
	return err
}

// inTransaction is how many items DynamoDB writes in one transaction
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
const inTransaction = 100

// PutFindings writes what the audit remembers: each open finding that is not as it was, and one item with the rest. It returns a *fault.Reread
// error if that item's version is no longer was.Version. The item is in the first of several transactions, so that a crash between them can only
// repeat a report; findings in the old form are all written before it.
func (r *Registry) PutFindings(ctx context.Context, was, is origin.Findings) error {
	rest := is
	rest.Open = nil
	head, err := item(contract.RegistryAudit, itemFindings, was.Version+1, rest)
	if err != nil {
		return err
	}
	put := &types.Put{
		TableName: &r.table, Item: head, ExpressionAttributeNames: map[string]string{"#v": attrVersion},
		ConditionExpression: aws.String("attribute_not_exists(#v)"), // so an item that was damaged is written again
	}
	if was.Version > 0 {
		put.ConditionExpression = aws.String("#v = :read")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(was.Version)}
	}
	writes := []types.TransactWriteItem{{Put: put}}
	stored, open := map[string]origin.OpenFinding{}, map[string]bool{}
	for _, f := range was.Open {
		if !was.Together {
			stored[findingKey(f)] = f
		}
	}
	for _, f := range is.Open {
		open[findingKey(f)] = true
		if old, known := stored[findingKey(f)]; known && reflect.DeepEqual(old, f) {
			continue
		}
		one, err := item(contract.RegistryAudit, findingKey(f), 1, f)
		if err != nil {
			return err
		}
		writes = append(writes, types.TransactWriteItem{Put: &types.Put{TableName: &r.table, Item: one}})
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		if !open[key] {
			writes = append(writes, types.TransactWriteItem{Delete: &types.Delete{TableName: &r.table, Key: map[string]types.AttributeValue{
				attrDistribution: text(contract.RegistryAudit), attrItem: text(key),
			}}})
		}
	}
	if was.Together { // the item has the findings until all of them are written
		writes = append(writes[1:], writes[0])
	}
	for some := range slices.Chunk(writes, inTransaction) {
		if _, err := r.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: some}); err != nil {
			return cancelled(err, "write the findings of the audit")
		}
	}
	return nil
}
