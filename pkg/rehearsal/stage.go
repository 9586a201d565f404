package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/contract"
)

// Stage is a world with its actors. It observes the world through AWS APIs only.
type Stage struct {
	*World
	TeamA, TeamB, TeamC, Stranger *Actor

	start         time.Time
	hub           *awscloudfront.Client
	hubCloudFront *cloudfront.Client
	events        *eventbridge.Client
	queues        *sqs.Client
	executions    *sfn.Client
	eventQueue    string // URL of the queue that receives every event of the hub
}

// NewStage returns a stage with the demo's actors in a world.
func NewStage(w *World) *Stage {
	cfg := w.Config(HubAccount, Region)
	return &Stage{
		World: w, start: w.Now(),
		hub: awscloudfront.New(cfg), hubCloudFront: cloudfront.NewFromConfig(cfg), events: eventbridge.NewFromConfig(cfg),
		queues: sqs.NewFromConfig(cfg), executions: sfn.NewFromConfig(cfg),
		TeamA:    NewActor(w.Sandbox, "team-a", TeamAAccount),
		TeamB:    NewActor(w.Sandbox, "team-b", TeamBAccount),
		TeamC:    NewActor(w.Sandbox, "team-c", TeamCAccount),
		Stranger: NewActor(w.Sandbox, "stranger", StrangerAccount),
	}
}

// Elapsed formats a time as the virtual time since NewStage, +HH:MM:SS.
func (s *Stage) Elapsed(t time.Time) string {
	d := t.Sub(s.start).Round(time.Second)
	return fmt.Sprintf("+%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// TotalElapsed returns the virtual time since NewStage, HH:MM:SS.
func (s *Stage) TotalElapsed() string { return strings.TrimPrefix(s.Elapsed(s.Now()), "+") }

// TeardownExecution returns the ARN of the execution that tears down an origin.
func (s *Stage) TeardownExecution(origin string, generation int) string {
	return strings.Replace(s.outputs["TeardownStateMachineArn"], ":stateMachine:", ":execution:", 1) + ":" +
		contract.TeardownExecution(origin, generation)
}

// Distribution returns the id and the configuration of the hub's distribution. It fails if the hub has none or several.
func (s *Stage) Distribution(ctx context.Context) (string, []byte, error) {
	list, err := s.hubCloudFront.ListDistributions(ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return "", nil, fmt.Errorf("list distributions: %w", err)
	}
	own := list.DistributionList.Items
	if len(own) > 1 { // another hub has distributions in the same account
		own = slices.DeleteFunc(own, func(d cloudfronttypes.DistributionSummary) bool {
			return aws.ToString(d.Comment) != s.policy.Created.Comment
		})
	}
	if len(own) != 1 {
		return "", nil, fmt.Errorf("the hub has %d distributions, want 1", len(own))
	}
	id := aws.ToString(own[0].Id)
	served, err := s.hub.Distribution(ctx, id)
	return id, served.Config, err
}

var (
	originElement   = regexp.MustCompile(`(?s)<(Origin|CacheBehavior)>.*?</(?:Origin|CacheBehavior)>`)
	quantityElement = regexp.MustCompile(`<Quantity>\d+</Quantity>`)
)

// CheckOnlyOriginRemoved checks that two configurations differ only by one origin that was removed, its behaviors, and the quantities.
// It uses no code of the hub, so that it cannot repeat a mistake of the hub.
func CheckOnlyOriginRemoved(before, after []byte, gone string) error {
	if bytes.Contains(after, []byte(gone)) {
		return fmt.Errorf("the distribution still names %s", gone)
	}
	without := originElement.ReplaceAllFunc(before, func(e []byte) []byte {
		if bytes.Contains(e, []byte(gone)) {
			return nil
		}
		return e
	})
	count := func(config []byte) []byte { return quantityElement.ReplaceAll(config, []byte("<Quantity/>")) }
	if !bytes.Equal(count(without), count(after)) {
		return errors.New("the distribution changed in more than the origin that was removed")
	}
	return nil
}

// SubscribeEvents creates a queue that receives every event that the hub publishes from now on.
func (s *Stage) SubscribeEvents(ctx context.Context) error {
	bus := contract.BusName(s.policy.Hub)
	name := "originhub-demo"
	queue := "arn:aws:sqs:" + Region + ":" + HubAccount + ":" + name
	permission, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue,
	}}})
	if err != nil {
		return err
	}
	made, err := s.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"Policy": string(permission)}})
	if err != nil {
		return fmt.Errorf("subscribe to the hub's events: %w", err)
	}
	s.eventQueue = aws.ToString(made.QueueUrl)
	pattern, err := json.Marshal(map[string]any{"source": []string{contract.EventSource}})
	if err != nil {
		return err
	}
	if _, err := s.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventBusName: &bus, EventPattern: aws.String(string(pattern))}); err != nil {
		return fmt.Errorf("subscribe to the hub's events: %w", err)
	}
	_, err = s.events.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: &name, EventBusName: &bus, Targets: []eventbridgetypes.Target{{Id: &name, Arn: &queue}},
	})
	if err != nil {
		return fmt.Errorf("subscribe to the hub's events: %w", err)
	}
	return nil
}

// Event is an event that the hub published.
type Event struct {
	Time   time.Time `json:"time"`
	Type   string    `json:"detail-type"`
	Detail struct {
		Severity string   `json:"severity"`
		Origin   string   `json:"origin"`
		Account  string   `json:"account"`
		Team     string   `json:"team"`
		What     string   `json:"what"`
		Why      string   `json:"why"`
		Codes    []string `json:"codes"`
		Kind     string   `json:"kind"`
		Who      string   `json:"who"`
		Age      string   `json:"age"`
		Cost     string   `json:"cost"`
		Repair   string   `json:"repair"`
		RepairIn string   `json:"repairIn"`
	} `json:"detail"`
}

// ReceiveEvents returns the events that the hub has published since the last call, oldest first.
func (s *Stage) ReceiveEvents(ctx context.Context) ([]Event, error) {
	var all []Event
	for {
		out, err := s.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &s.eventQueue, MaxNumberOfMessages: 10})
		if err != nil {
			return nil, fmt.Errorf("receive the hub's events: %w", err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			var h Event
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &h); err != nil {
				return nil, fmt.Errorf("receive the hub's events: %w", err)
			}
			all = append(all, h)
			if _, err := s.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.eventQueue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return nil, fmt.Errorf("receive the hub's events: %w", err)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return all, nil
}
