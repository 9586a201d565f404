package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

// TestSDK calls every operation through AWS's own client, so that names and shapes are AWS's.
func TestSDK(t *testing.T) {
	b := newBench(t)
	client := sdk.NewFromConfig(wiretest.Config(t, b.w, "dynamodb", account, region))
	ctx, table := context.Background(), aws.String(name)
	full := map[string]types.AttributeValue{
		"pk": s("main"), "sk": s("origin#1"), "n": &types.AttributeValueMemberN{Value: "1"}, "bytes1": &types.AttributeValueMemberB{Value: []byte("hi")},
		"set1": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "m": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": &types.AttributeValueMemberBOOL{Value: true}}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberNULL{Value: true}}},
	}
	key := map[string]types.AttributeValue{"pk": s("main"), "sk": s("origin#1")}
	if _, err := client.PutItem(ctx, &sdk.PutItemInput{TableName: table, Item: full, ConditionExpression: aws.String("attribute_not_exists(pk)")}); err != nil {
		t.Fatal(err)
	}
	_, err := client.PutItem(ctx, &sdk.PutItemInput{
		TableName: table, Item: full, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || len(failed.Item) != len(full) || failed.ErrorMessage() != "The conditional request failed" {
		t.Errorf("%v %+v", err, failed)
	}
	got, err := client.GetItem(ctx, &sdk.GetItemInput{TableName: table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil || len(got.Item) != len(full) || !bytes.Equal(got.Item["bytes1"].(*types.AttributeValueMemberB).Value, []byte("hi")) {
		t.Errorf("%v %+v", err, got)
	}
	none, err := client.GetItem(ctx, &sdk.GetItemInput{TableName: table, Key: map[string]types.AttributeValue{"pk": s("x"), "sk": s("y")}})
	if err != nil || none.Item != nil {
		t.Errorf("%v %+v", err, none)
	}
	updated, err := client.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: table, Key: key, UpdateExpression: aws.String("SET #v = if_not_exists(#v, :z) + :o REMOVE m"), ConditionExpression: aws.String("n = :o"),
		ExpressionAttributeNames:  map[string]string{"#v": "version"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":z": &types.AttributeValueMemberN{Value: "0"}, ":o": &types.AttributeValueMemberN{Value: "1"}},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err != nil || updated.Attributes["version"].(*types.AttributeValueMemberN).Value != "1" || updated.Attributes["m"] != nil {
		t.Errorf("%v %+v", err, updated)
	}
	page, err := client.Query(ctx, &sdk.QueryInput{
		TableName: table, KeyConditionExpression: aws.String("pk = :d AND begins_with(sk, :p)"), Limit: aws.Int32(1), ScanIndexForward: aws.Bool(false),
		ExpressionAttributeValues: map[string]types.AttributeValue{":d": s("main"), ":p": s("origin#")},
	})
	if err != nil || page.Count != 1 || len(page.LastEvaluatedKey) != 2 {
		t.Errorf("%v %+v", err, page)
	}
	scanned, err := client.Scan(ctx, &sdk.ScanInput{TableName: table, ExclusiveStartKey: page.LastEvaluatedKey})
	if err != nil || scanned.Count != 0 {
		t.Errorf("%v %+v", err, scanned)
	}
	_, err = client.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{TableName: table, Key: key, ConditionExpression: aws.String("attribute_not_exists(pk)"), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
		{Put: &types.Put{TableName: table, Item: map[string]types.AttributeValue{"pk": s("main"), "sk": s("new")}}},
	}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 || *cancelled.CancellationReasons[0].Code != "ConditionalCheckFailed" || len(cancelled.CancellationReasons[0].Item) == 0 {
		t.Errorf("%v %+v", err, cancelled)
	}
	described, err := client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: table})
	if err != nil || described.Table.TableStatus != types.TableStatusActive || !described.Table.CreationDateTime.Equal(cloud.DefaultStart) {
		t.Errorf("%v %+v", err, described)
	}
	if listed, err := client.ListTables(ctx, &sdk.ListTablesInput{}); err != nil || len(listed.TableNames) != 1 {
		t.Errorf("%v %+v", err, listed)
	}
	deleted, err := client.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: table, Key: key, ReturnValues: types.ReturnValueAllOld})
	if err != nil || len(deleted.Attributes) == 0 {
		t.Errorf("%v %+v", err, deleted)
	}
	_, err = client.GetItem(ctx, &sdk.GetItemInput{TableName: aws.String("nothing"), Key: key})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Error(err)
	}
}

// TestAssumption_DDB_05_RemoveBelowAMissingPath pins that REMOVE needs the parent of a nested path, unless the item does not exist.
func TestAssumption_DDB_05_RemoveBelowAMissingPath(t *testing.T) {
	b := newBench(t)
	client := sdk.NewFromConfig(wiretest.Config(t, b.w, "dynamodb", account, region))
	b.put(`{"pk": "main", "sk": "origin#1", "text": "x", "m": {"x": 1}, "l": [1]}`)
	for update, refused := range map[string]bool{
		"REMOVE nothing": false, "REMOVE m.y": false, "REMOVE l[7]": false,
		"REMOVE nothing.x": true, "REMOVE nothing[0]": true, "REMOVE m.y.z": true, "REMOVE #t.x": true, "REMOVE m[0]": true, "REMOVE l.x": true,
	} {
		in := &sdk.UpdateItemInput{
			TableName: aws.String(name), Key: map[string]types.AttributeValue{"pk": s("main"), "sk": s("origin#1")}, UpdateExpression: aws.String(update),
		}
		if update == "REMOVE #t.x" {
			in.ExpressionAttributeNames = map[string]string{"#t": "text"}
		}
		_, err := client.UpdateItem(context.Background(), in)
		var failure smithy.APIError
		switch {
		case !refused && err != nil:
			t.Errorf("%s: %v", update, err)
		case refused && (!errors.As(err, &failure) || failure.ErrorCode() != "ValidationException" ||
			failure.ErrorMessage() != "The document path provided in the update expression is invalid for update"):
			t.Errorf("%s: got %v", update, err)
		}
		in.Key["sk"] = s("another " + update)
		if _, err := client.UpdateItem(context.Background(), in); err != nil {
			t.Errorf("%s of an item that does not exist: %v", update, err)
		}
	}
	if got := b.get(itemKey); got != `{"l":[1],"m":{"x":1},"pk":"main","sk":"origin#1","text":"x"}` {
		t.Errorf("the item is now %s", got)
	}
}

// TestAssumption_DDB_06_AProjectionThatSelectsNothing pins that an item without any of the selected attributes is an empty item,
// and not a missing one.
func TestAssumption_DDB_06_AProjectionThatSelectsNothing(t *testing.T) {
	b := newBench(t)
	client := sdk.NewFromConfig(wiretest.Config(t, b.w, "dynamodb", account, region))
	b.put(itemKey)
	get := func(sort string) map[string]types.AttributeValue {
		out, err := client.GetItem(context.Background(), &sdk.GetItemInput{
			TableName: aws.String(name), Key: map[string]types.AttributeValue{"pk": s("main"), "sk": s(sort)}, ProjectionExpression: aws.String("nothing"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Item
	}
	if i := get("origin#1"); i == nil || len(i) != 0 {
		t.Errorf("the item exists: got %v", i)
	}
	if i := get("origin#2"); i != nil {
		t.Errorf("the item does not exist: got %v", i)
	}
}

// TestSelectCount: the output has no items, and a projection makes no sense.
func TestSelectCount(t *testing.T) {
	b := newBench(t)
	client := sdk.NewFromConfig(wiretest.Config(t, b.w, "dynamodb", account, region))
	b.put(itemKey)
	scan, err := client.Scan(context.Background(), &sdk.ScanInput{TableName: aws.String(name), Select: types.SelectCount})
	if err != nil || scan.Count != 1 || scan.ScannedCount != 1 || scan.Items != nil {
		t.Errorf("%v %+v", err, scan)
	}
	none, err := client.Scan(context.Background(), &sdk.ScanInput{
		TableName: aws.String(name), FilterExpression: aws.String("attribute_exists(nothing)"),
	})
	if err != nil || none.Count != 0 || none.Items == nil {
		t.Errorf("without COUNT, Items is empty and not absent: %v %+v", err, none)
	}
	for chosen, want := range map[types.Select]string{
		types.SelectCount:         "Cannot specify the ProjectionExpression when choosing to get only the Count",
		types.SelectAllAttributes: "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
	} {
		_, err := client.Scan(context.Background(), &sdk.ScanInput{
			TableName: aws.String(name), Select: chosen, ProjectionExpression: aws.String("pk"),
		})
		var failure smithy.APIError
		if !errors.As(err, &failure) || failure.ErrorCode() != "ValidationException" || failure.ErrorMessage() != want {
			t.Errorf("%s: got %v", chosen, err)
		}
	}
}

func TestBatchGetItemReturnsWhatFits(t *testing.T) {
	b := newBench(t)
	client := sdk.NewFromConfig(wiretest.Config(t, b.w, "dynamodb", account, region))
	ctx, table := context.Background(), aws.String(name)
	large := strings.Repeat("x", maxItem-100)
	keyOf := func(i int) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"pk": s("main"), "sk": s("origin#" + strconv.Itoa(i))}
	}
	fit := maxBatchBytes / maxItem
	keys := []map[string]types.AttributeValue{{"pk": s("main"), "sk": s("nothing")}}
	for i := range fit + 2 {
		item := keyOf(i)
		item["document"] = s(large)
		if _, err := client.PutItem(ctx, &sdk.PutItemInput{TableName: table, Item: item}); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, keyOf(i))
	}
	read := func(keys []map[string]types.AttributeValue) (*sdk.BatchGetItemOutput, error) {
		return client.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{name: {Keys: keys, ConsistentRead: aws.Bool(true)}}})
	}
	got, err := read(keys)
	if err != nil || len(got.Responses[name]) != fit || len(got.UnprocessedKeys[name].Keys) != 2 || !*got.UnprocessedKeys[name].ConsistentRead {
		t.Fatalf("%v: %d items, unprocessed %+v", err, len(got.Responses[name]), got.UnprocessedKeys)
	}
	if got, err = read(got.UnprocessedKeys[name].Keys); err != nil || len(got.Responses[name]) != 2 || len(got.UnprocessedKeys) != 0 {
		t.Errorf("%v: %+v", err, got.UnprocessedKeys)
	}
	for what, keys := range map[string][]map[string]types.AttributeValue{
		"The batch get list cannot be empty":      {},
		"contains duplicates":                     {keyOf(1), keyOf(1)},
		"Too many items requested":                slices.Repeat([]map[string]types.AttributeValue{keyOf(1)}, maxBatchKeys+1),
		"The provided key element does not match": {{"pk": s("main")}},
	} {
		if _, err := read(keys); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
