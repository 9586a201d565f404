package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	sqsclient "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudwatch"
	"github.com/originhub/originhub/pkg/sandbox/internal/dynamodb"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// locked is a stack in which everything but the dead letters rests under a key.
const locked = `{
  "Resources": {
    "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [STATEMENTS
      {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::100000000000:root"}, "Action": "kms:*", "Resource": "*"}]}}},
    "Letters": {"Type": "AWS::SQS::Queue"},
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}},
    "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Queue"}, {"Ref": "Letters"}],
      "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": "*"}]}}},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
    "TopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "Topic"}],
      "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": "sns:Publish",
        "Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]}}]}}},
    "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "b", "KmsKeyIdentifier": {"Fn::GetAtt": ["Key", "Arn"]},
      "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}}},
    "Archive": {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
      "KmsKeyIdentifier": {"Fn::GetAtt": ["Key", "Arn"]}}},
    "OnBus": {"Type": "AWS::Events::Rule", "Properties": {"EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["app"]}, "Targets": [
      {"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}}]}},
    "OnDefault": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["app"]}, "Targets": [
      {"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}},
      {"Id": "t", "Arn": {"Ref": "Topic"}, "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}}]}},
    "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": [{"Ref": "Topic"}], "Namespace": "AWS/SQS",
      "MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Letters", "QueueName"]}}],
      "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}},
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}},
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
      "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
      "BillingMode": "PAY_PER_REQUEST",
      "SSESpecification": {"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]},
      "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage", "dynamodb:Scan", "dynamodb:PutItem"], "Resource": "*"},
        {"Effect": "Allow", "Action": ROLE_ACTIONS, "Resource": {"Fn::GetAtt": ["Key", "Arn"]},
         "Condition": {"StringEquals": {"kms:ViaService": ["sqs.us-east-1.amazonaws.com", "dynamodb.us-east-1.amazonaws.com"]}}}]}}]}}
  },
  "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}, "Letters": {"Value": {"Ref": "Letters"}}, "Table": {"Value": {"Ref": "Table"}},
    "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}, "RoleName": {"Value": {"Ref": "Role"}}, "Alarm": {"Value": {"Ref": "Alarm"}},
    "Archive": {"Value": {"Ref": "Archive"}}}}`

// The statements of the key's policy besides the account's.
const (
	describes   = `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"kms:DescribeKey","Resource":"*"},`
	eventBridge = `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"},`
	archives    = `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":["kms:ReEncryptFrom","kms:ReEncryptTo"],"Resource":"*",
		"Condition":{"StringEquals":{"kms:EncryptionContext:aws:events:event-bus:arn":"arn:aws:events:us-east-1:100000000000:event-bus/b"}}},`
	alarms = `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*",
		"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:100000000000:alarm:locked-*"}}},`
	logs = `{"Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*",
		"kms:GenerateDataKey*","kms:Describe*"],"Resource":"*",
		"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:us-east-1:100000000000:log-group:locked-*"}}},`
	every = describes + eventBridge + archives + alarms + logs

	both = `["kms:Decrypt","kms:GenerateDataKey"]`
)

type vault struct {
	*testing.T
	*Sandbox
	outputs map[string]string
}

// open deploys the stack whole, and then once more with those statements only: what has a key keeps it.
func open(t *testing.T, statements, roleActions string) *vault {
	t.Helper()
	v := &vault{T: t, Sandbox: start(t, Options{})}
	for _, s := range []string{every, statements} {
		template := strings.NewReplacer("STATEMENTS", s, "ROLE_ACTIONS", roleActions).Replace(locked)
		v.outputs = ok[map[string]string](t)(v.Deploy(hub, region, "locked", []byte(template), nil))
	}
	v.UntilIdle()
	return v
}

// put puts an event on a bus.
func (v *vault) put(bus string) {
	v.Helper()
	out := ok[*eventbridge.PutEventsOutput](v.T)(eventbridge.NewFromConfig(v.Config(hub, region)).PutEvents(v.Context(), &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{{
			Source: aws.String("app"), DetailType: aws.String("Thing Happened"), Detail: aws.String(`{"n":1}`), EventBusName: &bus,
		}},
	}))
	if out.FailedEntryCount > 0 {
		v.Fatalf("%+v", out.Entries)
	}
	v.UntilIdle()
}

// letters reads the dead letters: error code and detail type of each.
func (v *vault) letters() string {
	v.Helper()
	got := ok[*sqsclient.ReceiveMessageOutput](v.T)(sqsclient.NewFromConfig(v.Config(hub, region)).ReceiveMessage(v.Context(), &sqsclient.ReceiveMessageInput{
		QueueUrl: aws.String(v.outputs["Letters"]), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	}))
	var all []string
	for _, m := range got.Messages {
		var event struct {
			Type string `json:"detail-type"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &event); err != nil {
			v.Fatal(err)
		}
		said, _, _ := strings.Cut(aws.ToString(m.MessageAttributes["ERROR_MESSAGE"].StringValue), ":")
		all = append(all, event.Type+" "+aws.ToString(m.MessageAttributes["ERROR_CODE"].StringValue)+" "+said)
	}
	return strings.Join(all, "; ")
}

// counts says how many messages are in the queue, were told to the topic, and are in the archive.
func (v *vault) counts() string {
	v.Helper()
	out := ok[*sqsclient.GetQueueAttributesOutput](v.T)(sqsclient.NewFromConfig(v.Config(hub, region)).GetQueueAttributes(v.Context(), &sqsclient.GetQueueAttributesInput{
		QueueUrl: aws.String(v.outputs["Queue"]), AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages"},
	}))
	archive := ok[*eventbridge.DescribeArchiveOutput](v.T)(eventbridge.NewFromConfig(v.Config(hub, region)).DescribeArchive(v.Context(),
		&eventbridge.DescribeArchiveInput{ArchiveName: aws.String(v.outputs["Archive"])}))
	account := v.State()["accounts"].(map[string]any)[hub].(map[string]any)
	topic := account["sns"].(map[string]any)["topics"].([]any)[0].(map[string]any)
	raw, err := json.Marshal(topic["messages"])
	var told []any
	if err != nil || json.Unmarshal(raw, &told) != nil {
		v.Fatal(err)
	}
	return fmt.Sprintf("queue %s, topic %d, archive %d", out.Attributes["ApproximateNumberOfMessages"], len(told), archive.EventCount)
}

func TestEventBridgeNeedsTheKeyOfWhereItSends(t *testing.T) {
	const condition = `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*",
		"Condition":{"StringEquals":{"aws:SourceAccount":"100000000000"}}},`
	refused := "Thing Happened NO_PERMISSIONS KmsAccessDenied; Thing Happened NO_PERMISSIONS KMSAccessDenied"
	for name, c := range map[string]struct{ statements, letters, counts string }{
		"with the statement":                  {every, "", "queue 1, topic 1, archive 0"},
		"without it":                          {describes + archives + alarms + logs, refused, "queue 0, topic 0, archive 0"},
		"with it, for its own account's only": {describes + condition + archives + alarms + logs, refused, "queue 0, topic 0, archive 0"},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, c.statements, both)
			v.put("default")
			if got := v.letters(); got != c.letters {
				t.Errorf("dead letters: %s", got)
			}
			if got := v.counts(); got != c.counts {
				t.Error(got)
			}
		})
	}
}

func TestAssumption_EV_14_AnUnreadableBusSendsToItsDeadLetters(t *testing.T) {
	v := open(t, describes+archives+alarms+logs, both)
	v.put("b")
	if got := v.letters(); got != "Encrypted Events NO_PERMISSIONS AccessDeniedException" {
		t.Errorf("dead letters: %s", got)
	}
	if got := v.counts(); got != "queue 0, topic 0, archive 0" {
		t.Error(got)
	}
}

func TestAssumption_EV_15_AnArchiveThatMayNotUseItsKeyKeepsNothing(t *testing.T) {
	for statements, want := range map[string]string{
		every:                                   "queue 1, topic 0, archive 1",
		describes + eventBridge + alarms + logs: "queue 1, topic 0, archive 0",
	} {
		v := open(t, statements, both)
		v.put("b")
		if got := v.counts(); got != want || v.letters() != "" {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestAssumption_EV_16_ABusIsNotGivenAKeyThatEventBridgeMayNotDescribe(t *testing.T) {
	s := start(t, Options{})
	template := strings.NewReplacer("STATEMENTS", eventBridge+archives+alarms+logs, "ROLE_ACTIONS", both).Replace(locked)
	if _, err := s.Deploy(hub, region, "locked", []byte(template), nil); err == nil || !strings.Contains(err.Error(), "kms:DescribeKey") {
		t.Errorf("deployed: %v", err)
	}
}

func TestAssumption_KMS_05_ALogGroupIsNotGivenAKeyThatLogsMayNotUse(t *testing.T) {
	s := start(t, Options{})
	for name, statements := range map[string]string{
		"no statement": describes + eventBridge + archives + alarms,
		"another log group": describes + eventBridge + archives + alarms +
			strings.Replace(logs, "locked-*", "other-*", 1),
	} {
		template := strings.NewReplacer("STATEMENTS", statements, "ROLE_ACTIONS", both).Replace(locked)
		_, err := s.Deploy(hub, region, "locked", []byte(template), nil)
		if err == nil || !strings.Contains(err.Error(), "is not allowed to be used with Arn 'arn:aws:logs:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An alarm that may not use the topic's key rings where nobody hears it: AWS says no more of it than CloudWatch's history.
func TestAlarmsNeedTheKeyOfTheirTopic(t *testing.T) {
	for statements, told := range map[string]string{every: "topic 1", describes + eventBridge + archives + logs: "topic 0"} {
		v := open(t, statements, both)
		in := sqs.NewMessage("arn:aws:sqs:us-east-1:"+hub+":"+v.outputs["Letters"][strings.LastIndex(v.outputs["Letters"], "/")+1:], `{}`, nil)
		if _, err := v.world.Invoke(cloud.Root(hub), region, "sqs", "SendMessage", in); err != nil {
			t.Fatal(err)
		}
		v.Advance(3 * 60e9)
		out, err := v.world.Invoke(cloud.Root(hub), region, "monitoring", "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{})
		if err != nil || out.(*cloudwatch.DescribeAlarmsOutput).MetricAlarms[0].StateValue != "ALARM" {
			t.Errorf("%+v, %v", out, err)
		}
		if got := v.counts(); !strings.Contains(got, told) {
			t.Errorf("%s, want %s", got, told)
		}
	}
}

func TestAssumption_DDB_04_RolesNeedTheKeyThroughTableAndQueue(t *testing.T) {
	for actions, want := range map[string]struct{ scan, receive, send string }{
		both:                    {"", "", ""},
		`"kms:Decrypt"`:         {"", "", "KmsAccessDenied"},
		`"kms:DescribeKey"`:     {"AccessDeniedException", "KmsAccessDenied", "KmsAccessDenied"},
		`"kms:GenerateDataKey"`: {"AccessDeniedException", "KmsAccessDenied", "KmsAccessDenied"},
	} {
		v := open(t, every, actions)
		role := cloud.AssumedRole(hub, v.outputs["Role"], v.outputs["RoleName"], "f")
		all := &dynamodb.ScanInput{}
		all.TableName = v.outputs["Table"]
		_, scan := v.world.Invoke(role, region, "dynamodb", "Scan", all)
		_, receive := v.world.Invoke(role, region, "sqs", "ReceiveMessage", &sqs.ReceiveMessageInput{QueueUrl: v.outputs["Queue"]})
		in := sqs.NewMessage("", "{}", nil)
		in.QueueUrl = v.outputs["Queue"]
		_, send := v.world.Invoke(role, region, "sqs", "SendMessage", in)
		for name, c := range map[string]struct {
			err  error
			want string
		}{"Scan": {scan, want.scan}, "ReceiveMessage": {receive, want.receive}, "SendMessage": {send, want.send}} {
			got := ""
			if c.err != nil {
				got = cloud.AsError(c.err).Code
			}
			if got != c.want {
				t.Errorf("%s with %s: %v", name, actions, c.err)
			}
		}
		calls := v.Calls()
		if last := calls[len(calls)-1]; last.Allowed != (want.send == "") {
			t.Errorf("the call log says %+v", last)
		}
	}
}

func TestSQSSaysTheFormerCodeOfAKeyThatIsRefused(t *testing.T) {
	s := start(t, Options{})
	client := sqsclient.NewFromConfig(s.Config(hub, region))
	queue := ok[*sqsclient.CreateQueueOutput](t)(client.CreateQueue(t.Context(), &sqsclient.CreateQueueInput{
		QueueName: aws.String("q"), Attributes: map[string]string{"KmsMasterKeyId": "no-such-key"},
	})).QueueUrl
	_, err := client.SendMessage(t.Context(), &sqsclient.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("{}")})
	if got := code(err); got != "KMS.NotFoundException" {
		t.Errorf("%s: %v", got, err)
	}
}
