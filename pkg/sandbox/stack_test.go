package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

const tableTemplate = `{
  "Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST"}}},
  "Outputs": {"Name": {"Value": {"Ref": "Table"}}}}`

func TestDynamoDBWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	table := aws.String(ok[map[string]string](t)(s.Deploy(hub, region, "registry", []byte(tableTemplate), nil))["Name"])
	client := dynamodb.NewFromConfig(s.Config(hub, region))
	text := func(s string) ddb.AttributeValue { return &ddb.AttributeValueMemberS{Value: s} }
	key := map[string]ddb.AttributeValue{"pk": text("main"), "sk": text("origin#1")}
	put := func(version string) error {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: table, ConditionExpression: aws.String("attribute_not_exists(pk) OR version = :v"),
			ExpressionAttributeValues: map[string]ddb.AttributeValue{":v": &ddb.AttributeValueMemberN{Value: version}},
			Item:                      map[string]ddb.AttributeValue{"pk": key["pk"], "sk": key["sk"], "version": &ddb.AttributeValueMemberN{Value: "7"}, "data": text(`{"a":"<b>"}`)},
		})
		return err
	}
	if err := put("1"); err != nil {
		t.Fatal(err)
	}
	var failed *ddb.ConditionalCheckFailedException
	if err := put("1"); !errors.As(err, &failed) {
		t.Errorf("put on an old version: %v", err)
	}
	if err := put("7"); err != nil {
		t.Errorf("put on the right version: %v", err)
	}
	got := ok[*dynamodb.GetItemOutput](t)(client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key, ConsistentRead: aws.Bool(true)}))
	if data, _ := got.Item["data"].(*ddb.AttributeValueMemberS); data == nil || data.Value != `{"a":"<b>"}` {
		t.Errorf("item %+v", got.Item)
	}
	all := ok[*dynamodb.QueryOutput](t)(client.Query(ctx, &dynamodb.QueryInput{
		TableName: table, KeyConditionExpression: aws.String("pk = :pk and begins_with(sk, :sk)"),
		ExpressionAttributeValues: map[string]ddb.AttributeValue{":pk": text("main"), ":sk": text("origin#")},
	}))
	if len(all.Items) != 1 {
		t.Errorf("query %+v", all.Items)
	}
}

const machineTemplate = `{
  "Resources": {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}]}}},
    "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
      "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
      "DefinitionString": "{\"QueryLanguage\":\"JSONata\",\"StartAt\":\"Grace\",\"States\":{\"Grace\":{\"Type\":\"Wait\",\"Seconds\":3600,\"Next\":\"Clean\"},\"Clean\":{\"Type\":\"Succeed\",\"Output\":\"{% {'outcome': $states.input.origin} %}\"}}}"}}},
  "Outputs": {"Machine": {"Value": {"Ref": "Machine"}}}}`

func TestStepFunctionsWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	machine := aws.String(ok[map[string]string](t)(s.Deploy(hub, region, "teardown", []byte(machineTemplate), nil))["Machine"])
	client := sfn.NewFromConfig(s.Config(hub, region))
	begin := func(input string) (*sfn.StartExecutionOutput, error) {
		return client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: machine, Name: aws.String("teardown-vo_1-1"), Input: aws.String(input)})
	}
	execution := ok[*sfn.StartExecutionOutput](t)(begin(`{"origin":"vo_1"}`))
	if !execution.StartDate.Equal(s.Now()) {
		t.Errorf("started %v, now %v", execution.StartDate, s.Now())
	}
	var exists *sfntypes.ExecutionAlreadyExists
	if _, err := begin(`{"origin":"vo_2"}`); !errors.As(err, &exists) {
		t.Errorf("the same name with another input: %v", err)
	}
	s.Advance(time.Hour - time.Second)
	describe := func() *sfn.DescribeExecutionOutput {
		return ok[*sfn.DescribeExecutionOutput](t)(client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: execution.ExecutionArn}))
	}
	if got := describe().Status; got != sfntypes.ExecutionStatusRunning {
		t.Errorf("status %s", got)
	}
	s.UntilIdle()
	if got := describe(); got.Status != sfntypes.ExecutionStatusSucceeded || aws.ToString(got.Output) != `{"outcome":"vo_1"}` {
		t.Errorf("status %s, output %s", got.Status, aws.ToString(got.Output))
	}
	history := ok[*sfn.GetExecutionHistoryOutput](t)(client.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: execution.ExecutionArn})).Events
	last := history[len(history)-1]
	if last.Type != sfntypes.HistoryEventTypeExecutionSucceeded || !last.Timestamp.Equal(execution.StartDate.Add(time.Hour)) {
		t.Errorf("history ends %+v", last)
	}
	if list := s.Executions(hub); len(list) != 1 || strings.Join(list[0].Path, " ") != "Grace Clean" {
		t.Errorf("executions %+v", list)
	}
}

func TestRoute53WithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := route53.NewFromConfig(s.Config(hub, region))
	zone := ok[*route53.CreateHostedZoneOutput](t)(client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: aws.String("example.com"), CallerReference: aws.String("1"),
	})).HostedZone
	change := func(action r53.ChangeAction, target string) (*route53.ChangeResourceRecordSetsOutput, error) {
		return client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: zone.Id,
			ChangeBatch: &r53.ChangeBatch{Changes: []r53.Change{{Action: action, ResourceRecordSet: &r53.ResourceRecordSet{
				Name: aws.String("team-a.example.com"), Type: r53.RRTypeCname, TTL: aws.Int64(60), ResourceRecords: []r53.ResourceRecord{{Value: aws.String(target)}},
			}}}},
		})
	}
	ok[*route53.ChangeResourceRecordSetsOutput](t)(change(r53.ChangeActionUpsert, "d1.cloudfront.net"))
	sets := ok[*route53.ListResourceRecordSetsOutput](t)(client.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: zone.Id})).ResourceRecordSets
	found := false
	for _, r := range sets {
		found = found || aws.ToString(r.Name) == "team-a.example.com." && aws.ToString(r.ResourceRecords[0].Value) == "d1.cloudfront.net"
	}
	if !found {
		t.Errorf("records %+v", sets)
	}
	var invalid *r53.InvalidChangeBatch
	if _, err := change(r53.ChangeActionDelete, "d2.cloudfront.net"); !errors.As(err, &invalid) {
		t.Errorf("delete of another value: %v", err)
	}
}
