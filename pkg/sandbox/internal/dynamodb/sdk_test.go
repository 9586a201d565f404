package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
