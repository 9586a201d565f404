package awsevents_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/awsevents"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
)

type detail struct{ N int }

func TestEveryEventArrives(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	const arn = "arn:aws:sqs:" + rig.Region + ":" + rig.Hub + ":seen"
	queues, buses := sqs.NewFromConfig(s.Config(rig.Hub, rig.Region)), eventbridge.NewFromConfig(s.Config(rig.Hub, rig.Region))
	rig.Must[*eventbridge.CreateEventBusOutput](t)(buses.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: aws.String("hub")}))
	rig.Must[*eventbridge.PutRuleOutput](t)(buses.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String("seen"), EventBusName: aws.String("hub"), EventPattern: aws.String(`{"source":["originhub"]}`),
	}))
	rig.Must[*eventbridge.PutTargetsOutput](t)(buses.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: aws.String("seen"), EventBusName: aws.String("hub"), Targets: []types.Target{{Id: aws.String("1"), Arn: aws.String(arn)}},
	}))
	url := rig.Must[*sqs.CreateQueueOutput](t)(queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("seen"), Attributes: map[string]string{
			"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},` +
				`"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`,
		},
	})).QueueUrl

	bus := awsevents.New(s.Config(rig.Hub, rig.Region), "hub", "originhub")
	rig.OK(t, bus.Publish(ctx))
	var events []origin.Event
	var want []string
	for n := range 23 {
		e := origin.Event{Type: fmt.Sprintf("Type %02d", n), Detail: detail{n}}
		if n%2 == 1 {
			e.Resource = fmt.Sprintf("arn:%d", n)
		}
		events = append(events, e)
		want = append(want, fmt.Sprint(e.Type, " originhub ", n, " [", e.Resource, "]"))
	}
	rig.OK(t, bus.Publish(ctx, events...))
	s.UntilIdle()
	var got []string
	for range 3 {
		out := rig.Must[*sqs.ReceiveMessageOutput](t)(queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10}))
		for _, m := range out.Messages {
			var e struct {
				Type      string `json:"detail-type"`
				Source    string
				Detail    detail
				Resources []string
			}
			rig.OK(t, json.Unmarshal([]byte(aws.ToString(m.Body)), &e))
			got = append(got, fmt.Sprint(e.Type, " ", e.Source, " ", e.Detail.N, " ", e.Resources))
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("arrived: %q", got)
	}
}

func TestRefusedEntryIsAnError(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	forged := awsevents.New(s.Config(rig.Hub, rig.Region), "default", "aws.ram")
	err := forged.Publish(ctx, origin.Event{Type: "Resource Sharing State Change", Detail: detail{1}})
	rig.Want[*fault.Retry](t, "source of AWS's", err)

	bus := awsevents.New(s.Config(rig.Hub, rig.Region), "default", "originhub")
	good, bad := origin.Event{Type: "Good", Detail: detail{1}}, origin.Event{Type: "Bad", Detail: "no object"}
	err = bus.Publish(ctx, good, bad)
	rig.Want[*fault.Retry](t, "one bad entry of two", err)
	if err != nil && (!strings.Contains(err.Error(), "publish Bad: MalformedDetail") || strings.Contains(err.Error(), "Good")) {
		t.Errorf("it says %v", err)
	}
	rig.Want[*fault.GiveUp](t, "detail that is no JSON", bus.Publish(ctx, origin.Event{Type: "Bad", Detail: func() {}}))
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	e := origin.Event{Type: "Good", Detail: detail{1}}
	foreign := awsevents.New(s.Config(rig.Team, rig.Region), "arn:aws:events:"+rig.Region+":"+rig.Hub+":event-bus/hub", "originhub")
	rig.Want[*fault.GiveUp](t, "another account's bus", foreign.Publish(ctx, e))
	rig.Refuse(s, "PutEvents", "InternalException", 500)
	rig.Want[*fault.Retry](t, "fault of EventBridge's", awsevents.New(s.Config(rig.Hub, rig.Region), "default", "originhub").Publish(ctx, e))
}
