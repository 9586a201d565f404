package sns

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/kms"
)

const (
	hub    = "100000000000"
	region = "us-east-1"
)

type lab struct {
	testing.TB
	w *cloud.World
	s *Service
}

func newLab(t testing.TB) *lab {
	w := cloud.New(cloud.Options{Seed: 1})
	w.Authorizer, w.Keys = iam.New(w), kms.New(w)
	s := New(w)
	w.Register(s.API())
	return &lab{t, w, s}
}

func (l *lab) deploy(typeName, id, properties string) (*cloud.Resource, error) {
	l.Helper()
	for _, rt := range l.s.ResourceTypes() {
		if rt.Name == typeName {
			return rt.Create(l.request(id, properties))
		}
	}
	l.Fatalf("no type %s", typeName)
	return nil, nil
}

func (l *lab) request(id, properties string) *cloud.ResourceRequest {
	return &cloud.ResourceRequest{World: l.w, Account: hub, Region: region, Stack: "s", LogicalID: id, Properties: json.RawMessage(properties)}
}

func (l *lab) topic(properties string) string {
	l.Helper()
	r, err := l.deploy("AWS::SNS::Topic", "Alarm", properties)
	if err != nil {
		l.Fatal(err)
	}
	return r.Ref
}

func (l *lab) publish(p cloud.Principal, topic string) error {
	_, err := l.w.Invoke(p, region, "sns", "Publish", &PublishInput{TopicArn: topic, Message: "left something"})
	return err
}

func rule() cloud.Principal {
	return cloud.Principal{Service: "events.amazonaws.com", ARN: "events.amazonaws.com", SourceARN: "arn:aws:events:us-east-1:100000000000:rule/r"}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return cloud.AsError(err).Code
}

func TestPublishByAService(t *testing.T) {
	l := newLab(t)
	topic := l.topic(`{"DisplayName":"alarms"}`)
	if got := code(l.publish(rule(), topic)); got != "AuthorizationError" {
		t.Errorf("without a policy: %q", got)
	}
	policy, err := l.deploy("AWS::SNS::TopicPolicy", "P", `{"Topics":["`+topic+`"],"PolicyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"`+topic+`"}]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.publish(rule(), topic); err != nil {
		t.Errorf("with a policy: %v", err)
	}
	var seen map[string]any
	l.w.Do(func() { seen = l.s.Snapshot(hub) })
	messages := seen["topics"].([]any)[0].(map[string]any)["messages"].([]Message)
	if len(messages) != 1 || messages[0].Body != "left something" || messages[0].By != "events.amazonaws.com" {
		t.Errorf("published are %+v", messages)
	}
	if err := l.s.ResourceTypes()[1].Delete(l.request("P", `{}`), policy); err != nil {
		t.Fatal(err)
	}
	if got := code(l.publish(rule(), topic)); got != "AuthorizationError" {
		t.Errorf("after the policy: %q", got)
	}
}

func TestPublishRefusals(t *testing.T) {
	l := newLab(t)
	topic := l.topic(`{}`)
	for name, tc := range map[string]struct {
		account, region string
		in              PublishInput
		code            string
	}{
		"nobody's topic":    {hub, region, PublishInput{TopicArn: topic + "x", Message: "m"}, "NotFound"},
		"another Region":    {hub, "eu-west-1", PublishInput{TopicArn: topic, Message: "m"}, "InvalidParameter"},
		"another's account": {"999999999999", region, PublishInput{TopicArn: topic, Message: "m"}, "AuthorizationError"},
		"no message":        {hub, region, PublishInput{TopicArn: topic}, "InvalidParameter"},
		"a long message":    {hub, region, PublishInput{TopicArn: topic, Message: strings.Repeat("m", largest+1)}, "InvalidParameter"},
		"a long subject":    {hub, region, PublishInput{TopicArn: topic, Message: "m", Subject: strings.Repeat("s", 101)}, "InvalidParameter"},
	} {
		_, err := l.w.Invoke(cloud.Root(tc.account), tc.region, "sns", "Publish", &tc.in)
		if code(err) != tc.code {
			t.Errorf("%s: got %v, want %s", name, err, tc.code)
		}
	}
}

func TestServicesCannotUseTheManagedKey(t *testing.T) {
	l := newLab(t)
	topic := l.topic(`{"KmsMasterKeyId":"alias/aws/sns"}`)
	if _, err := l.deploy("AWS::SNS::TopicPolicy", "P", `{"Topics":["`+topic+`"],"PolicyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}}`); err != nil {
		t.Fatal(err)
	}
	if got := code(l.publish(rule(), topic)); got != "KMSAccessDenied" {
		t.Errorf("a service got %q", got)
	}
	if err := l.publish(cloud.Root(hub), topic); err != nil {
		t.Errorf("the account got %v", err)
	}
}

func TestSubscriptionsAreRecorded(t *testing.T) {
	l := newLab(t)
	topic := l.topic(`{"Subscription":[{"Protocol":"email","Endpoint":"a@example.com"}]}`)
	sub, err := l.deploy("AWS::SNS::Subscription", "S", `{"TopicArn":"`+topic+`","Protocol":"email","Endpoint":"b@example.com"}`)
	if err != nil {
		t.Fatal(err)
	}
	count := func() int {
		out, err := l.w.Invoke(cloud.Root(hub), region, "sns", "ListSubscriptionsByTopic", &ListSubscriptionsByTopicInput{TopicArn: topic})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.(*ListSubscriptionsByTopicOutput).Subscriptions {
			if s.SubscriptionArn != pendingConfirmation {
				t.Errorf("%s is not pending", s.SubscriptionArn)
			}
		}
		return len(out.(*ListSubscriptionsByTopicOutput).Subscriptions)
	}
	if count() != 2 {
		t.Errorf("there are %d subscriptions", count())
	}
	if err := l.s.ResourceTypes()[2].Delete(l.request("S", `{}`), sub); err != nil || count() != 1 {
		t.Errorf("after the delete: %v, %d", err, count())
	}
	if _, err := l.deploy("AWS::SNS::Subscription", "S", `{"TopicArn":"`+topic+`","Protocol":"sqs","Endpoint":"arn"}`); err == nil || !strings.Contains(err.Error(), "sqs") {
		t.Errorf("got %v", err)
	}
}

func TestTemplateRefusesByName(t *testing.T) {
	l := newLab(t)
	if _, err := l.deploy("AWS::SNS::Topic", "T", `{"FifoTopic":true}`); err == nil || !strings.Contains(err.Error(), "FifoTopic") {
		t.Errorf("got %v", err)
	}
	topic := l.topic(`{}`)
	_, err := l.deploy("AWS::SNS::TopicPolicy", "P", `{"Topics":["`+topic+`"],"PolicyDocument":{"Statement":[{"Effect":"Allow","Who":"*"}]}}`)
	if err == nil || !strings.Contains(err.Error(), "Who") {
		t.Errorf("got %v", err)
	}
}

func TestTopicsAreMadeOnce(t *testing.T) {
	l := newLab(t)
	make1 := func(display string) error {
		_, err := l.w.Invoke(cloud.Root(hub), region, "sns", "CreateTopic", &CreateTopicInput{Name: "t", Attributes: map[string]string{"DisplayName": display}})
		return err
	}
	if err := make1("a"); err != nil {
		t.Fatal(err)
	}
	if err := make1("a"); err != nil {
		t.Errorf("again: %v", err)
	}
	if got := code(make1("b")); got != "InvalidParameter" {
		t.Errorf("with other attributes: %q", got)
	}
}
