package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
	"github.com/originhub/originhub/pkg/sandbox/internal/states"
)

const (
	hub    = "100000000000"
	team   = "111111111111"
	third  = "222222222222"
	region = "us-east-1"
)

// lab is a world with EventBridge, SQS and IAM, and with a Lambda and a Step Functions that record what they are asked.
type lab struct {
	t    *testing.T
	w    *cloud.World
	s    *Service
	iam  *iam.Service
	sqs  *sqs.Service
	sns  *sns.Service
	seen []string // "lambda <payload>", "states <input>"
	fail error    // what the recorders answer
}

func newLab(t *testing.T) *lab {
	t.Helper()
	w := cloud.New(cloud.Options{Seed: 1})
	l := &lab{t: t, w: w, iam: iam.New(w), sqs: sqs.New(w), sns: sns.New(w)}
	w.Authorizer = l.iam
	l.s = New(w, l.iam)
	w.Emit = l.s.Emit
	invoke := cloud.Op(cloud.Operation{Name: "Invoke", DataPlane: true}, func(c *cloud.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		c.AuthorizeAnyone()
		l.seen = append(l.seen, "lambda "+in.InvocationType+" "+string(in.Payload))
		return &lambda.InvokeOutput{StatusCode: 202}, l.fail
	})
	start := cloud.Op(cloud.Operation{Name: "StartExecution"}, func(c *cloud.Call, in *states.StartExecutionInput) (*states.StartExecutionOutput, error) {
		if err := c.Authorize("states:StartExecution", in.StateMachineARN, nil); err != nil {
			return nil, err
		}
		l.seen = append(l.seen, "states "+*in.Input)
		return &states.StartExecutionOutput{}, l.fail
	})
	w.Register(
		l.s.API(), l.sqs.API(), l.sns.API(),
		&cloud.Service{Name: "lambda", Protocol: cloud.RESTJSON, Operations: []cloud.Operation{invoke}},
		&cloud.Service{Name: "states", Protocol: cloud.JSON10, Operations: []cloud.Operation{start}},
	)
	for _, account := range []string{hub, team, third} {
		w.AddAccount(cloud.Account{ID: account, NoTrail: true})
	}
	return l
}

func (l *lab) try(account, service, op string, in any) (any, error) {
	return l.w.Invoke(cloud.Root(account), region, service, op, in)
}

func do[O any](l *lab, account, op string, in any) *O {
	l.t.Helper()
	out, err := l.try(account, "events", op, in)
	if err != nil {
		l.t.Fatalf("%s: %v", op, err)
	}
	return out.(*O)
}

// deploy makes one resource as a template would.
func (l *lab) deploy(account, kind, id, properties string) *cloud.Resource {
	l.t.Helper()
	all := slices.Concat(l.s.ResourceTypes(), l.sqs.ResourceTypes(), l.iam.ResourceTypes(), l.sns.ResourceTypes())
	for _, t := range all {
		if t.Name != kind {
			continue
		}
		made, err := t.Create(&cloud.ResourceRequest{
			World: l.w, Account: account, Region: region, Stack: "stack", LogicalID: id, Properties: json.RawMessage(properties),
		})
		if err != nil {
			l.t.Fatalf("deploy %s: %v", id, err)
		}
		return made
	}
	l.t.Fatalf("no type %s", kind)
	return nil
}

// queue makes a queue; rules of its account may send to it unless closed.
func (l *lab) queue(account, name string, closed bool) (arn string) {
	l.t.Helper()
	q := l.deploy(account, "AWS::SQS::Queue", name, fmt.Sprintf(`{"QueueName":%q}`, name))
	arn = q.Attributes["Arn"]
	if !closed {
		l.deploy(account, "AWS::SQS::QueuePolicy", name+"Policy", fmt.Sprintf(`{"Queues":[%q],"PolicyDocument":{"Version":"2012-10-17","Statement":[{
			"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q,
			"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:us-east-1:%s:rule/*"}}}]}}`, q.Ref, arn, account))
	}
	return arn
}

func (l *lab) messages(queueARN string) []sqs.Message {
	l.t.Helper()
	ten := 10
	out, err := l.try(strings.Split(queueARN, ":")[4], "sqs", "ReceiveMessage", &sqs.ReceiveMessageInput{
		QueueUrl: sqs.URL(queueARN), MaxNumberOfMessages: &ten, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return out.(*sqs.ReceiveMessageOutput).Messages
}

// rule makes a rule on "source":["app"] of a bus ("" for the default one).
func (l *lab) rule(account, bus, name string, targets ...*Target) {
	l.t.Helper()
	do[PutRuleOutput](l, account, "PutRule", &PutRuleInput{Name: name, EventBusName: bus, EventPattern: `{"source":[{"prefix":"a"}]}`})
	if len(targets) > 0 {
		do[TargetsOutput](l, account, "PutTargets", &PutTargetsInput{Rule: name, EventBusName: bus, Targets: targets})
	}
}

func (l *lab) put(account string, entries ...PutEventsEntry) *PutEventsOutput {
	l.t.Helper()
	return do[PutEventsOutput](l, account, "PutEvents", &PutEventsInput{Entries: entries})
}

func app(detail string) PutEventsEntry {
	return PutEventsEntry{Source: "app", DetailType: "Thing Happened", Detail: detail}
}

func (l *lab) idle() {
	l.t.Helper()
	if !l.w.Clock.UntilIdle(48 * time.Hour) {
		l.t.Fatalf("not idle: %v", l.w.Clock.Pending())
	}
}

func (l *lab) emit(e cloud.Event) {
	l.w.Do(func() { l.w.Emit(e) })
}

func (l *lab) tally(account, bus, name string) (t tally) {
	l.w.Do(func() { t = l.s.find(account, region, bus).rules[name].tally })
	return t
}

func expect[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func code(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestEnvelope(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.rule(hub, "", "r", &Target{Id: "q", Arn: q})
	start := l.w.Clock.Now()
	out := l.put(hub, app(`{"html":"<b>","n":12345678901234567890}`))
	l.emit(cloud.Event{Account: hub, Region: region, Source: "aws.ram", DetailType: "Resource Sharing State Change", Resources: []string{"r1"}, Detail: map[string]any{"event": "x"}, Delay: 2 * time.Second})
	l.idle()
	got := l.messages(q)
	expect(t, "events", len(got), 2)
	expect(t, "event of an application", got[0].Body, fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"Thing Happened","source":"app",`+
		`"account":"100000000000","time":"2035-01-08T09:00:00Z","region":"us-east-1","resources":[],"detail":{"html":"<b>","n":12345678901234567890}}`, out.Entries[0].EventId))
	expect(t, "event of AWS", strings.Contains(got[1].Body, `"source":"aws.ram","account":"100000000000"`) && strings.Contains(got[1].Body, `"resources":["r1"]`), true)
	expect(t, "delay and hop", l.w.Clock.Now().Sub(start), 3*time.Second)
}

func TestAssumption_EV_02_DeliveryTakesASecond(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.rule(hub, "", "r", &Target{Id: "q", Arn: q})
	l.put(hub, app("{}"))
	l.w.Clock.Advance(time.Second - 1)
	expect(t, "too early", len(l.messages(q)), 0)
	l.w.Clock.Advance(1)
	expect(t, "there", len(l.messages(q)), 1)
}

func TestPutEventsEntries(t *testing.T) {
	l := newLab(t)
	cases := map[string]struct {
		entry PutEventsEntry
		want  string
	}{
		"good":             {app("{}"), ""},
		"no source":        {PutEventsEntry{DetailType: "x", Detail: "{}"}, "InvalidArgument"},
		"no detail type":   {PutEventsEntry{Source: "x", Detail: "{}"}, "InvalidArgument"},
		"no detail":        {PutEventsEntry{Source: "x", DetailType: "x"}, "InvalidArgument"},
		"detail a list":    {app("[]"), "MalformedDetail"},
		"detail null":      {app("null"), "MalformedDetail"},
		"detail not JSON":  {app("{"), "MalformedDetail"},
		"forged source":    {PutEventsEntry{Source: "aws.ram", DetailType: "x", Detail: "{}"}, "NotAuthorizedForSourceException"},
		"awsome is no AWS": {PutEventsEntry{Source: "awsome", DetailType: "x", Detail: "{}"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out := l.put(hub, c.entry)
			expect(t, "code", out.Entries[0].ErrorCode, c.want)
			expect(t, "id", out.Entries[0].EventId != "", c.want == "")
		})
	}
	_, err := l.try(hub, "events", "PutEvents", &PutEventsInput{Entries: make([]PutEventsEntry, 11)})
	expect(t, "eleven", code(err), "ValidationException")
	_, err = l.try(hub, "events", "PutEvents", &PutEventsInput{Entries: []PutEventsEntry{app(`{"x":"` + strings.Repeat("x", 256<<10) + `"}`)}})
	expect(t, "too long", code(err), "ValidationException")
}

func TestAssumption_EV_05_ForgedSourceIsRefusedByItself(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.rule(hub, "", "r", &Target{Id: "q", Arn: q})
	out := l.put(hub, PutEventsEntry{Source: "aws.ram", DetailType: "x", Detail: "{}"}, app("{}"))
	expect(t, "failed", out.FailedEntryCount, 1)
	expect(t, "first", out.Entries[0].ErrorCode, "NotAuthorizedForSourceException")
	l.idle()
	expect(t, "delivered", len(l.messages(q)), 1)
}

func TestAssumption_EV_04_MissingBusSwallowsEvents(t *testing.T) {
	l := newLab(t)
	entry := app("{}")
	entry.EventBusName = "none"
	expect(t, "accepted", l.put(hub, entry).FailedEntryCount, 0)
	expect(t, "pending", l.w.Clock.Busy(), false)
}

func TestTargets(t *testing.T) {
	l := newLab(t)
	role := l.deploy(hub, "AWS::IAM::Role", "Starter", `{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]},"Policies":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17",
		"Statement":[{"Effect":"Allow","Action":"states:StartExecution","Resource":"arn:aws:states:us-east-1:100000000000:stateMachine:m"}]}}]}`)
	constant, path, missing := `{"constant":true}`, "$.detail.list[1]", "$.detail.none"
	function := "arn:aws:lambda:us-east-1:100000000000:function:f"
	l.rule(hub, "", "a",
		&Target{Id: "constant", Arn: function, Input: &constant},
		&Target{Id: "path", Arn: function, InputPath: &path},
		&Target{Id: "missing", Arn: function, InputPath: &missing},
		&Target{Id: "machine", Arn: "arn:aws:states:us-east-1:100000000000:stateMachine:m", RoleArn: role.Attributes["Arn"], InputPath: &path},
		&Target{Id: "other", Arn: "arn:aws:states:us-east-1:100000000000:stateMachine:other", RoleArn: role.Attributes["Arn"]},
	)
	l.put(hub, app(`{"list":[0,{"x":1.50}]}`))
	l.idle()
	expect(t, "calls", l.seen, []string{
		`lambda Event {"constant":true}`, `lambda Event {"x":1.50}`, `lambda Event null`, `states {"x":1.50}`,
	})
	got := l.tally(hub, "", "a")
	expect(t, "not permitted by the role", fmt.Sprint(got.Delivered, got.Lost, strings.HasPrefix(got.LastError, "AccessDenied")), "4 1 true")
}

func TestTopicNeedsAPolicyForTheRule(t *testing.T) {
	l := newLab(t)
	topic := l.deploy(hub, "AWS::SNS::Topic", "Alarms", `{"TopicName":"alarms"}`).Ref
	l.rule(hub, "", "r", &Target{Id: "topic", Arn: topic})
	l.put(hub, app("{}"))
	l.idle()
	expect(t, "without a policy", l.tally(hub, "", "r").Delivered, 0)
	l.deploy(hub, "AWS::SNS::TopicPolicy", "Policy", fmt.Sprintf(`{"Topics":[%q],"PolicyDocument":{"Version":"2012-10-17","Statement":[{
		"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":%q,
		"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:100000000000:rule/r"}}}]}}`, topic, topic))
	l.put(hub, app("{}"))
	l.idle()
	expect(t, "with one", l.tally(hub, "", "r").Delivered, 1)
}

func TestAssumption_EV_10_MissingInputIsNull(t *testing.T) {
	got, err := pick([]byte(`{"a":[1],"b":{"c":2}}`), []string{"a", "[7]"})
	expect(t, "index", string(got), "null")
	expect(t, "error", err, nil)
	got, _ = pick([]byte(`{"a":[1],"b":{"c":2}}`), []string{"b", "c", "d"})
	expect(t, "name", string(got), "null")
}

func TestRefusals(t *testing.T) {
	l := newLab(t)
	l.rule(hub, "", "r")
	do[CreateEventBusOutput](l, hub, "CreateEventBus", &CreateEventBusInput{Name: "b"})
	q := l.queue(hub, "q", false)
	bad, path, badPath, three := "{", "$.detail", "detail", cloud.Int(186)
	pattern := `{"source":["x"]}`
	target := func(t Target) any { return &PutTargetsInput{Rule: "r", Targets: []*Target{&t}} }
	cases := []struct {
		name, op string
		in       any
		want     string
	}{
		{"neither pattern nor schedule", "PutRule", &PutRuleInput{Name: "x"}, "ValidationException"},
		{"bad pattern", "PutRule", &PutRuleInput{Name: "x", EventPattern: `{"source":"x"}`}, "InvalidEventPatternException"},
		{"bad state", "PutRule", &PutRuleInput{Name: "x", EventPattern: pattern, State: "ON"}, "ValidationException"},
		{"bad name", "PutRule", &PutRuleInput{Name: "x y", EventPattern: pattern}, "ValidationException"},
		{"no such bus", "PutRule", &PutRuleInput{Name: "x", EventBusName: "none", EventPattern: pattern}, "ResourceNotFoundException"},
		{"schedule on a custom bus", "PutRule", &PutRuleInput{Name: "x", EventBusName: "b", ScheduleExpression: "rate(1 day)"}, "ValidationException"},
		{"cron", "PutRule", &PutRuleInput{Name: "x", ScheduleExpression: "cron(0 10 * * ? *)"}, "NotImplemented"},
		{"one minutes", "PutRule", &PutRuleInput{Name: "x", ScheduleExpression: "rate(1 minutes)"}, "ValidationException"},
		{"two minute", "PutRule", &PutRuleInput{Name: "x", ScheduleExpression: "rate(2 minute)"}, "ValidationException"},
		{"never", "PutRule", &PutRuleInput{Name: "x", ScheduleExpression: "rate(0 minutes)"}, "ValidationException"},
		{"no such rule", "DescribeRule", &RuleInput{Name: "none"}, "ResourceNotFoundException"},
		{"bus again", "CreateEventBus", &CreateEventBusInput{Name: "b"}, "ResourceAlreadyExistsException"},
		{"default bus", "DeleteEventBus", &DeleteEventBusInput{Name: "default"}, "ValidationException"},
		{"no target", "PutTargets", &PutTargetsInput{Rule: "r"}, "ValidationException"},
		{"unknown target", "PutTargets", target(Target{Id: "t", Arn: "arn:aws:kinesis:us-east-1:100000000000:stream/s"}), "NotImplemented"},
		{"log group", "PutTargets", target(Target{Id: "t", Arn: "arn:aws:logs:us-east-1:100000000000:log-group:/aws/events/x"}), "NotImplemented"},
		{"machine without role", "PutTargets", target(Target{Id: "t", Arn: "arn:aws:states:us-east-1:100000000000:stateMachine:m"}), "ValidationException"},
		{"bus without role", "PutTargets", target(Target{Id: "t", Arn: "arn:aws:events:us-east-1:111111111111:event-bus/b"}), "ValidationException"},
		{"input of a bus", "PutTargets", target(Target{Id: "t", Arn: "arn:aws:events:us-east-1:111111111111:event-bus/b", RoleArn: "arn:aws:iam::100000000000:role/r", InputPath: &path}), "ValidationException"},
		{"input not JSON", "PutTargets", target(Target{Id: "t", Arn: q, Input: &bad}), "ValidationException"},
		{"both inputs", "PutTargets", target(Target{Id: "t", Arn: q, Input: &path, InputPath: &path}), "ValidationException"},
		{"path without root", "PutTargets", target(Target{Id: "t", Arn: q, InputPath: &badPath}), "ValidationException"},
		{"too many retries", "PutTargets", target(Target{Id: "t", Arn: q, RetryPolicy: &RetryPolicy{MaximumRetryAttempts: &three}}), "ValidationException"},
		{"dead letters to a topic", "PutTargets", target(Target{Id: "t", Arn: q, DeadLetterConfig: &DeadLetterConfig{Arn: "arn:aws:sns:us-east-1:100000000000:t"}}), "ValidationException"},
		{"event without id", "TestEventPattern", &TestEventPatternInput{EventPattern: pattern, Event: "{}"}, "ValidationException"},
		{"endpoint", "PutEvents", &PutEventsInput{EndpointId: "x", Entries: []PutEventsEntry{app("{}")}}, "NotImplemented"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := l.try(hub, "events", c.op, c.in)
			expect(t, fmt.Sprint(err), code(err), c.want)
		})
	}
	var six []*Target
	for i := range 6 {
		six = append(six, &Target{Id: fmt.Sprint(i), Arn: q})
	}
	_, err := l.try(hub, "events", "PutTargets", &PutTargetsInput{Rule: "r", Targets: six})
	expect(t, "six targets", code(err), "LimitExceededException")
	expect(t, "nothing changed", len(do[ListTargetsByRuleOutput](l, hub, "ListTargetsByRule", &ListTargetsByRuleInput{Rule: "r"}).Targets), 0)
}

func TestRulesAreListedDescribedDisabledAndDeleted(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.rule(hub, "", "b", &Target{Id: "q", Arn: q})
	l.rule(hub, "", "a", &Target{Id: "q", Arn: q})
	var names []string
	for _, r := range do[ListRulesOutput](l, hub, "ListRules", &ListRulesInput{}).Rules {
		names = append(names, r.Name+" "+r.State)
	}
	expect(t, "rules", names, []string{"a ENABLED", "b ENABLED"})
	expect(t, "by target", do[ListRuleNamesByTargetOutput](l, hub, "ListRuleNamesByTarget", &ListRuleNamesByTargetInput{TargetArn: q}).RuleNames, []string{"a", "b"})
	do[Empty](l, hub, "DisableRule", &RuleInput{Name: "a"})
	expect(t, "state", do[Rule](l, hub, "DescribeRule", &RuleInput{Name: "a"}).State, disabled)
	l.put(hub, app("{}"))
	l.idle()
	expect(t, "only b", len(l.messages(q)), 1)
	do[Empty](l, hub, "EnableRule", &RuleInput{Name: "a"})
	l.put(hub, app("{}"))
	l.idle()
	expect(t, "both", len(l.messages(q)), 2)
	_, err := l.try(hub, "events", "DeleteRule", &RuleInput{Name: "a"})
	expect(t, "has targets", code(err), "ValidationException")
	do[TargetsOutput](l, hub, "RemoveTargets", &RemoveTargetsInput{Rule: "a", Ids: []string{"q"}})
	do[Empty](l, hub, "DeleteRule", &RuleInput{Name: "a"})
	do[Empty](l, hub, "DeleteRule", &RuleInput{Name: "a"})
	matched := do[TestEventPatternOutput](l, hub, "TestEventPattern", &TestEventPatternInput{
		EventPattern: `{"source":["app"]}`, Event: `{"id":"1","account":"1","source":"app","time":"t","region":"r","detail-type":"d"}`,
	})
	expect(t, "pattern", matched.Result, true)
	expect(t, "buses", do[ListEventBusesOutput](l, hub, "ListEventBuses", &ListEventBusesInput{}).EventBuses[0].Arn, "arn:aws:events:us-east-1:100000000000:event-bus/default")
}

func TestPermanentFailureGoesToDeadLettersAtOnce(t *testing.T) {
	l := newLab(t)
	dlq := l.queue(hub, "dlq", false)
	closed := l.queue(hub, "closed", true)
	dead := &DeadLetterConfig{Arn: dlq}
	l.rule(hub, "", "r", &Target{Id: "closed", Arn: closed, DeadLetterConfig: dead}, &Target{Id: "gone", Arn: closed + "x", DeadLetterConfig: dead})
	l.put(hub, app("{}"))
	l.w.Clock.Advance(time.Second)
	got := l.messages(dlq)
	expect(t, "letters", len(got), 2)
	expect(t, "attributes", strings.Join(strs(got[0]), "\n"), strings.Join([]string{
		"ERROR_CODE=NO_PERMISSIONS", "RETRY_ATTEMPTS=0", "RULE_ARN=arn:aws:events:us-east-1:100000000000:rule/r", "TARGET_ARN=" + closed,
	}, "\n"))
	expect(t, "the missing queue", strs(got[1])[0], "ERROR_CODE=NO_RESOURCE")
	expect(t, "body", strings.Contains(got[0].Body, `"detail-type":"Thing Happened"`), true)
}

// What a bus got is on record, whatever became of it.
func TestReceived(t *testing.T) {
	l := newLab(t)
	do[CreateEventBusOutput](l, hub, "CreateEventBus", &CreateEventBusInput{Name: "b"})
	open, closed := l.queue(hub, "open", false), l.queue(hub, "closed", true)
	function := "arn:aws:lambda:us-east-1:100000000000:function:f"
	l.rule(hub, "b", "one", &Target{Id: "o", Arn: open}, &Target{Id: "c", Arn: closed})
	l.rule(hub, "b", "two", &Target{Id: "d", Arn: closed, DeadLetterConfig: &DeadLetterConfig{Arn: open}}, &Target{Id: "f", Arn: function})
	entry := app(`{"n":1}`)
	entry.EventBusName = "b"
	nobody := app(`{"n":2}`)
	id := l.put(hub, entry, nobody).Entries[0].EventId
	l.fail = cloud.Errorf(503, "ServiceException", "down")
	l.w.Clock.Advance(3 * time.Second)

	var got []cloud.Received
	read := func() string {
		l.w.Do(func() { got = l.s.Received() })
		var lines []string
		for _, r := range got {
			_, bus, _ := strings.Cut(r.Bus, ":event-bus/")
			lines = append(lines, fmt.Sprintf("%d %s %s", r.Seq, r.Time.Format(time.TimeOnly), bus))
			for _, m := range r.Rules {
				for _, d := range m.Deliveries {
					target := d.Target[strings.LastIndex(d.Target, ":")+1:]
					failure, _, _ := strings.Cut(d.Error, ":")
					lines = append(lines, fmt.Sprintf("%s to %s: %s, %d %s", path.Base(m.Rule), target, d.Result, d.Attempts, failure))
				}
			}
		}
		return strings.Join(lines, "\n")
	}
	expect(t, "at first", read(), strings.Join([]string{
		"1 09:00:01 b", "one to open: delivered, 1 ", "one to closed: lost, 1 AccessDeniedException",
		"two to closed: dead-lettered, 1 AccessDeniedException", "two to f: on its way, 2 ServiceException", "2 09:00:01 default",
	}, "\n"))
	var e envelope
	if err := json.Unmarshal(got[0].Event, &e); err != nil {
		t.Fatal(err)
	}
	expect(t, "the event", []string{e.ID, e.Source, e.DetailType, string(e.Detail), e.Account}, []string{id, "app", "Thing Happened", `{"n":1}`, hub})

	l.fail = nil
	before := got
	l.idle()
	expect(t, "what was read stays as it was", before[0].Rules[1].Deliveries[1].Result, cloud.OnItsWay)
	expect(t, "in the end", strings.Contains(read(), "two to f: delivered, 3 ServiceException"), true)
}

// strs lists the attributes of a dead letter but the error's text.
func strs(m sqs.Message) []string {
	var list []string
	for _, name := range []string{"ERROR_CODE", "EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS", "RULE_ARN", "TARGET_ARN"} {
		if a, ok := m.MessageAttributes[name]; ok {
			list = append(list, name+"="+*a.StringValue)
		}
	}
	return list
}

func TestAssumption_EV_03_RetriesBackOff(t *testing.T) {
	function := "arn:aws:lambda:us-east-1:100000000000:function:f"
	cases := []struct {
		name   string
		policy *RetryPolicy
		took   time.Duration // from acceptance to the dead letter
		calls  int
		letter []string
	}{
		{"three retries", &RetryPolicy{MaximumRetryAttempts: number(3)}, 8 * time.Second, 4, []string{"ERROR_CODE=ERROR_FROM_TARGET", "EXHAUSTED_RETRY_CONDITION=MaximumRetryAttempts", "RETRY_ATTEMPTS=3"}},
		{"a minute", &RetryPolicy{MaximumEventAgeInSeconds: number(60)}, 32 * time.Second, 6, []string{"ERROR_CODE=ERROR_FROM_TARGET", "EXHAUSTED_RETRY_CONDITION=MaximumEventAgeInSeconds", "RETRY_ATTEMPTS=5"}},
		{"none", &RetryPolicy{MaximumRetryAttempts: number(0)}, time.Second, 1, []string{"ERROR_CODE=ERROR_FROM_TARGET", "EXHAUSTED_RETRY_CONDITION=MaximumRetryAttempts", "RETRY_ATTEMPTS=0"}},
		{"default", nil, 84992 * time.Second, 186, []string{"ERROR_CODE=ERROR_FROM_TARGET", "EXHAUSTED_RETRY_CONDITION=MaximumRetryAttempts", "RETRY_ATTEMPTS=185"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.fail = cloud.Errorf(503, "ServiceException", "down")
			dlq := l.queue(hub, "dlq", false)
			l.rule(hub, "", "r", &Target{Id: "f", Arn: function, RetryPolicy: c.policy, DeadLetterConfig: &DeadLetterConfig{Arn: dlq}})
			start := l.w.Clock.Now()
			l.put(hub, app("{}"))
			l.idle()
			expect(t, "time", l.w.Clock.Now().Sub(start), c.took)
			expect(t, "calls", len(l.seen), c.calls)
			expect(t, "letter", strs(l.messages(dlq)[0])[:3], c.letter)
		})
	}
}

func number(n int) *cloud.Int {
	i := cloud.Int(n)
	return &i
}

func TestRetrySucceedsWhenTheTargetIsBack(t *testing.T) {
	l := newLab(t)
	l.fail = cloud.Errorf(429, "TooManyRequestsException", "slow down")
	l.rule(hub, "", "r", &Target{Id: "f", Arn: "arn:aws:lambda:us-east-1:100000000000:function:f"})
	l.put(hub, app("{}"))
	l.w.Clock.Advance(3 * time.Second)
	l.fail = nil
	l.idle()
	expect(t, "tally", l.tally(hub, "", "r"), tally{Matched: 1, Delivered: 1, Retried: 2, LastError: "TooManyRequestsException: slow down"})
}

func TestAssumption_EV_07_DeadLetterCodes(t *testing.T) {
	for _, c := range []struct {
		err   *cloud.Error
		want  string
		again bool
	}{
		{cloud.Errorf(403, "AccessDeniedException", ""), "NO_PERMISSIONS", false},
		{cloud.Errorf(404, "ResourceNotFoundException", ""), "NO_RESOURCE", false},
		{cloud.Errorf(400, "QueueDoesNotExist", ""), "NO_RESOURCE", false},
		{cloud.Errorf(400, "StateMachineDoesNotExist", ""), "NO_RESOURCE", false},
		{cloud.Errorf(400, "ThrottlingException", ""), "THROTTLING", true},
		{cloud.Errorf(429, "TooManyRequestsException", ""), "THROTTLING", true},
		{cloud.Errorf(500, "InternalFailure", ""), "ERROR_FROM_TARGET", true},
		{cloud.Errorf(501, "NotImplemented", ""), "ERROR_FROM_TARGET", false},
		{cloud.Errorf(400, "ValidationException", ""), "INVALID_PARAMETER", false},
		{cloud.Errorf(403, failedToAssume, ""), failedToAssume, false},
	} {
		expect(t, c.err.Code, deadLetterCode(c.err), c.want)
		expect(t, c.err.Code, retriable(c.err), c.again)
	}
}

// spoke lets rules of team forward to the bus "hub" of the hub, and answers the forwarding target.
func (l *lab) spoke(policyStatement string) *Target {
	l.t.Helper()
	bus := "arn:aws:events:us-east-1:" + hub + ":event-bus/hub"
	l.deploy(hub, "AWS::Events::EventBus", "Bus", `{"Name":"hub","Description":"d","Tags":[{"Key":"a","Value":"b"}]}`)
	if policyStatement != "" {
		l.deploy(hub, "AWS::Events::EventBusPolicy", "BusPolicy", fmt.Sprintf(`{"EventBusName":"hub","StatementId":"Spokes","Statement":%s}`, policyStatement))
	}
	role := l.deploy(team, "AWS::IAM::Role", "Forwarder", fmt.Sprintf(`{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]},"Policies":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17",
		"Statement":[{"Effect":"Allow","Action":"events:PutEvents","Resource":%q}]}}]}`, bus))
	return &Target{Id: "hub", Arn: bus, RoleArn: role.Attributes["Arn"]}
}

const forwardersOnly = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"events:PutEvents",
	"Resource":"arn:aws:events:us-east-1:100000000000:event-bus/hub","Condition":{
	"ForAllValues:StringEquals":{"events:source":["aws.cloudfront"],"events:detail-type":["AWS API Call via CloudTrail"]},
	"Null":{"events:source":"false","events:detail-type":"false"}}}`

func tagCall() cloud.Event {
	return cloud.Event{
		Account: team, Region: region, Source: "aws.cloudfront", DetailType: "AWS API Call via CloudTrail",
		Detail: map[string]any{"eventName": "TagResource"}, Delay: cloud.TrailDelay,
	}
}

func TestAssumption_EV_11_ForwardedEventKeepsItsOrigin(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.rule(team, "", "forward", l.spoke(forwardersOnly))
	l.rule(hub, "hub", "admit", &Target{Id: "q", Arn: q})
	start := l.w.Clock.Now()
	l.emit(tagCall())
	l.idle()
	expect(t, "CloudTrail, team's rule, hub's rule", l.w.Clock.Now().Sub(start), cloud.TrailDelay+2*time.Second)
	got := l.messages(q)
	expect(t, "events", len(got), 1)
	var e envelope
	if err := json.Unmarshal([]byte(got[0].Body), &e); err != nil {
		t.Fatal(err)
	}
	expect(t, "account, source, time", e.Account+" "+e.Source+" "+e.Time, team+" aws.cloudfront 2035-01-08T09:00:00Z")
}

func TestBusPolicyDecidesWhoMayForward(t *testing.T) {
	l := newLab(t)
	dlq := l.queue(team, "dlq", false)
	target := l.spoke("")
	target.DeadLetterConfig = &DeadLetterConfig{Arn: dlq}
	l.rule(team, "", "forward", target)
	l.emit(tagCall())
	l.idle()
	letter := l.messages(dlq)[0]
	expect(t, "letter", strs(letter)[0], "ERROR_CODE=NO_PERMISSIONS")

	l.deploy(hub, "AWS::Events::EventBusPolicy", "BusPolicy", `{"EventBusName":"hub","StatementId":"Spokes","Statement":`+forwardersOnly+`}`)
	l.emit(tagCall())
	l.put(team, app("{}")) // a source that the policy does not name
	l.idle()
	letters := l.messages(dlq) // the first one, visible again, and the new one
	expect(t, "letter", strings.Contains(letters[len(letters)-1].Body, `"source":"app"`), true)
	got := l.tally(team, "", "forward")
	expect(t, "forwarded, dead", fmt.Sprint(got.Delivered, got.DeadLettered), "1 2")
}

func TestRoleMustTrustEventBridge(t *testing.T) {
	l := newLab(t)
	dlq := l.queue(team, "dlq", false)
	target := l.spoke(forwardersOnly)
	role := l.deploy(team, "AWS::IAM::Role", "Other", `{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}}`)
	target.RoleArn, target.DeadLetterConfig = role.Attributes["Arn"], &DeadLetterConfig{Arn: dlq}
	l.rule(team, "", "forward", target)
	l.emit(tagCall())
	l.idle()
	expect(t, "letter", strs(l.messages(dlq)[0])[0], "ERROR_CODE=FAILED_TO_ASSUME_ROLE")
}

func TestAssumption_EV_08_DeniedBusFailsTheCall(t *testing.T) {
	l := newLab(t)
	l.spoke(forwardersOnly)
	bus := "arn:aws:events:us-east-1:" + hub + ":event-bus/hub"
	good := PutEventsEntry{Source: "x", DetailType: "AWS API Call via CloudTrail", Detail: "{}", EventBusName: bus}
	_, err := l.try(team, "events", "PutEvents", &PutEventsInput{Entries: []PutEventsEntry{good}})
	expect(t, "foreign source", code(err), "AccessDeniedException")
	forged := good
	forged.Source = "aws.cloudfront"
	out := l.put(team, forged)
	expect(t, "a policy cannot let a caller be AWS", out.Entries[0].ErrorCode, "NotAuthorizedForSourceException")
	_, err = l.try(team, "events", "PutEvents", &PutEventsInput{Entries: []PutEventsEntry{forged, good}})
	expect(t, "one of two", code(err), "AccessDeniedException")
	_, err = l.try(third, "events", "PutEvents", &PutEventsInput{Entries: []PutEventsEntry{forged}})
	expect(t, "stranger", code(err), "AccessDeniedException")
}

func TestAssumption_EV_06_NoThirdBus(t *testing.T) {
	l := newLab(t)
	dlq := l.queue(hub, "dlq", false)
	l.rule(team, "", "forward", l.spoke(forwardersOnly))
	l.rule(hub, "hub", "onward", &Target{
		Id: "third", Arn: "arn:aws:events:us-east-1:" + third + ":event-bus/default", RoleArn: "arn:aws:iam::" + hub + ":role/any",
		DeadLetterConfig: &DeadLetterConfig{Arn: dlq},
	})
	l.emit(tagCall())
	l.idle()
	expect(t, "letter", strs(l.messages(dlq)[0])[0], "ERROR_CODE=THIRD_ACCOUNT_HOP_DETECTED")
}

func TestFaultsActOnceOnEachAcceptedEvent(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.rule(team, "", "forward", l.spoke(forwardersOnly))
	l.rule(hub, "hub", "admit", &Target{Id: "q", Arn: q})
	asked := 0
	fate := []time.Duration{}
	l.w.Faults.OnEvent(func(e cloud.Event, _ int) []time.Duration {
		asked++
		expect(t, "source", e.Source, "aws.cloudfront")
		return fate
	})
	l.emit(tagCall())
	l.idle()
	expect(t, "dropped", len(l.messages(q)), 0)
	fate = []time.Duration{0, time.Hour}
	start := l.w.Clock.Now()
	l.emit(tagCall())
	l.idle()
	expect(t, "doubled, the second an hour late", l.w.Clock.Now().Sub(start), time.Hour+cloud.TrailDelay+2*time.Second)
	got := l.messages(q)
	expect(t, "copies", len(got), 2)
	expect(t, "the same event", got[0].Body, got[1].Body)
	expect(t, "not asked again for the forwarded copies", asked, 2)
}

func TestAssumption_EV_09_RateRuleFiresAPeriodLater(t *testing.T) {
	l := newLab(t)
	q := l.queue(hub, "q", false)
	l.w.Faults.OnEvent(func(cloud.Event, int) []time.Duration { return []time.Duration{} })
	do[PutRuleOutput](l, hub, "PutRule", &PutRuleInput{Name: "sweep", ScheduleExpression: "rate(10 minutes)"})
	do[TargetsOutput](l, hub, "PutTargets", &PutTargetsInput{Rule: "sweep", Targets: []*Target{{Id: "q", Arn: q}}})
	l.idle()
	expect(t, "a schedule does not keep the world busy", len(l.messages(q)), 0)
	l.w.Clock.Advance(10 * time.Minute)
	expect(t, "the hop", len(l.messages(q)), 0)
	l.w.Clock.Advance(time.Second)
	got := l.messages(q)
	expect(t, "events", len(got), 1)
	for _, part := range []string{
		`"detail-type":"Scheduled Event","source":"aws.events","account":"100000000000","time":"2035-01-08T09:10:00Z"`,
		`"resources":["arn:aws:events:us-east-1:100000000000:rule/sweep"],"detail":{}`,
	} {
		expect(t, part, strings.Contains(got[0].Body, part), true)
	}
	l.w.Clock.Advance(time.Hour)
	expect(t, "re-armed", l.tally(hub, "", "sweep").Delivered, 7)
	do[Empty](l, hub, "DisableRule", &RuleInput{Name: "sweep"})
	l.w.Clock.Advance(time.Hour)
	expect(t, "disabled", l.tally(hub, "", "sweep").Delivered, 7)
	do[Empty](l, hub, "EnableRule", &RuleInput{Name: "sweep"})
	l.w.Clock.Advance(10*time.Minute + time.Second)
	expect(t, "enabled", l.tally(hub, "", "sweep").Delivered, 8)
}

func TestTemplateLifeCycle(t *testing.T) {
	l := newLab(t)
	q, other := l.queue(hub, "q", false), l.queue(hub, "other", false)
	bus := l.deploy(hub, "AWS::Events::EventBus", "Bus", `{"Name":"hub"}`)
	expect(t, "bus", bus.Ref+" "+bus.Attributes["Arn"], "hub arn:aws:events:us-east-1:100000000000:event-bus/hub")
	types := map[string]cloud.ResourceType{}
	for _, kind := range l.s.ResourceTypes() {
		types[kind.Name] = kind
	}
	kind := types["AWS::Events::Rule"]
	request := &cloud.ResourceRequest{World: l.w, Account: hub, Region: region, Stack: "stack", LogicalID: "Rule"}
	properties := func(targets string) {
		request.Properties = json.RawMessage(`{"EventBusName":"hub","EventPattern":{"source":["app"]},"State":"ENABLED","Targets":[` + targets + `]}`)
	}
	target := func(id, arn string) string {
		return fmt.Sprintf(`{"Id":%q,"Arn":%q,"RetryPolicy":{"MaximumRetryAttempts":"3"}}`, id, arn)
	}
	properties(target("a", q))
	rule, err := kind.Create(request)
	expect(t, "create", err, nil)
	expect(t, "ref", strings.HasPrefix(rule.Ref, "hub|stack-Rule-"), true)
	expect(t, "arn", strings.HasPrefix(rule.Attributes["Arn"], "arn:aws:events:us-east-1:100000000000:rule/hub/stack-Rule-"), true)
	properties(target("b", other))
	updated, err := kind.Update(request, rule)
	expect(t, "update", err, nil)
	expect(t, "same rule", updated, rule)
	entry := app("{}")
	entry.EventBusName = "hub"
	l.put(hub, entry)
	l.idle()
	expect(t, "old target", len(l.messages(q)), 0)
	expect(t, "new target", len(l.messages(other)), 1)

	for property, want := range map[string]string{
		`{"Colour":1}`: "Colour", `{"EventPattern":{"source":"x"}}`: "InvalidEventPatternException",
		`{"EventPattern":{"source":["x"]},"Targets":[{"Id":"a","Arn":"x","InputTransformer":{}}]}`: "InputTransformer",
	} {
		_, err = kind.Create(&cloud.ResourceRequest{World: l.w, Account: hub, Region: region, Stack: "s", LogicalID: "Bad", Properties: json.RawMessage(property)})
		expect(t, property, err != nil && strings.Contains(err.Error(), want) && strings.Contains(err.Error(), "Bad"), true)
	}
	var text []byte
	l.w.Do(func() { text, err = json.Marshal(l.s.Snapshot(hub)) })
	expect(t, "snapshot", err, nil)
	expect(t, "snapshot", strings.Contains(string(text), `"pattern":{"source":["app"]}`), true)

	expect(t, "bus in use", types["AWS::Events::EventBus"].Delete(request, bus) != nil, true)
	expect(t, "delete", kind.Delete(request, rule), nil)
	expect(t, "delete again", kind.Delete(request, rule), nil)
	expect(t, "delete bus", types["AWS::Events::EventBus"].Delete(request, bus), nil)
}

func TestBusPolicyOfATemplate(t *testing.T) {
	l := newLab(t)
	l.deploy(hub, "AWS::Events::EventBus", "Bus", `{"Name":"hub"}`)
	kind := l.s.ResourceTypes()[1]
	request := &cloud.ResourceRequest{World: l.w, Account: hub, Region: region, Stack: "stack", LogicalID: "Policy"}
	request.Properties = json.RawMessage(`{"EventBusName":"hub","StatementId":"a","Statement":{"Effect":"Allow"}}`)
	policy := func() string {
		return do[EventBus](l, hub, "DescribeEventBus", &DescribeEventBusInput{Name: "hub"}).Policy
	}
	made, err := kind.Create(request)
	expect(t, "create", err, nil)
	expect(t, "policy", policy(), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}`)
	request.Properties = json.RawMessage(`{"EventBusName":"hub","StatementId":"b","Statement":{"Effect":"Deny"}}`)
	made, err = kind.Update(request, made)
	expect(t, "update", err, nil)
	expect(t, "policy", policy(), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny"}]}`)
	expect(t, "delete", kind.Delete(request, made), nil)
	expect(t, "policy", policy(), "")
	large := func(size int) json.RawMessage {
		const empty = `{"Version":"2012-10-17","Statement":[{"Sid":"b","Effect":"Deny","Resource":""}]}`
		return json.RawMessage(`{"EventBusName":"hub","StatementId":"b","Statement":{"Effect":"Deny", "Resource":"` + strings.Repeat("x", size-len(empty)) + `"}}`)
	}
	request.Properties = large(10_241)
	_, err = kind.Create(request)
	expect(t, "too long", err != nil && strings.Contains(err.Error(), "PolicyLengthExceededException"), true)
	expect(t, "policy", policy(), "")
	request.Properties = large(10_240)
	_, err = kind.Create(request)
	expect(t, "as long as permitted", err, nil)
	request.Properties = json.RawMessage(`{"EventBusName":"none","StatementId":"b","Statement":{"Effect":"Deny"}}`)
	_, err = kind.Create(request)
	expect(t, "no bus", err != nil, true)
}
