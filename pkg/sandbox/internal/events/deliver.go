package events

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
	"github.com/originhub/originhub/pkg/sandbox/internal/pattern"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
	"github.com/originhub/originhub/pkg/sandbox/internal/states"
)

const principal = "events.amazonaws.com"

// principal returns EventBridge acting for the rule.
func (r *rule) principal() cloud.Principal {
	return cloud.Principal{Service: principal, ARN: principal, SourceARN: r.arn}
}

// job is one event on its way to one target.
type job struct {
	rule      *rule
	target    *Target
	event     *envelope
	forwarded bool // the event came from another bus
	since     time.Time
	retries   int
	delivery  *cloud.Delivery
}

// match returns the jobs for an event on a bus, with rules by name and targets in the order in which they were added. If only has
// rules, all other rules are skipped.
func (s *Service) match(busARN string, e *envelope, forwarded bool, only []string) []*job {
	b := s.buses[busARN]
	if b == nil {
		return nil
	}
	text, err := marshal(e)
	if err != nil {
		return nil // put and Emit have checked the detail
	}
	event, err := pattern.Read(text)
	if err != nil {
		return nil // for the same reason
	}
	if err := s.unlock(b, b.key, ofBus()...); err != nil {
		s.bury(b, e, text, cloud.AsError(err))
		return nil
	}
	s.keep(b, e, event)
	received := cloud.Received{
		Seq: s.received.Added() + 1, Time: s.world.Clock.Now(), Bus: b.arn, Event: text, Rules: []cloud.Matched{},
	}
	var jobs []*job
	for _, r := range b.sorted() {
		if r.compiled == nil || !r.enabled() || len(only) > 0 && !slices.Contains(only, r.arn) {
			continue
		}
		if event.Satisfies(r.compiled) {
			more, deliveries := s.jobs(r, e, forwarded)
			jobs = append(jobs, more...)
			received.Rules = append(received.Rules, cloud.Matched{Rule: r.arn, Deliveries: deliveries})
		}
	}
	s.received.Add(received)
	return jobs
}

func (s *Service) jobs(r *rule, e *envelope, forwarded bool) ([]*job, []cloud.Delivery) {
	r.tally.Matched++
	deliveries := make([]cloud.Delivery, len(r.targets))
	var jobs []*job
	for i, t := range r.targets {
		deliveries[i] = cloud.Delivery{Target: t.Arn, Result: cloud.OnItsWay}
		jobs = append(jobs, &job{
			rule: r, target: t, event: e, forwarded: forwarded, since: s.world.Clock.Now(), delivery: &deliveries[i],
		})
	}
	return jobs, deliveries
}

// Received returns the events that buses received, in the order in which rules matched them. If older ones were dropped, it begins with a Seq
// above 1. Call with the world locked.
func (s *Service) Received() []cloud.Received {
	list := slices.Clone(s.received.Entries())
	for i, r := range list {
		list[i].Rules = slices.Clone(r.Rules)
		for j, m := range r.Rules {
			list[i].Rules[j].Deliveries = slices.Clone(m.Deliveries)
		}
	}
	return list
}

// run delivers without the world locked, because deliveries are API calls.
func (s *Service) run(jobs []*job) {
	for _, j := range jobs {
		err := s.deliver(j)
		if err == nil {
			s.world.Do(func() {
				j.rule.tally.Delivered++
				j.delivery.Result = cloud.Delivered
				j.delivery.Attempts++
			})
			continue
		}
		s.fail(j, err)
	}
}

// thirdBus is the error code of an event that came from another bus and whose target is a third bus. Assumption EV-06.
const thirdBus = "THIRD_ACCOUNT_HOP_DETECTED"

// deliver makes the API call that delivers an event to a target.
func (s *Service) deliver(j *job) error {
	if j.forwarded && serviceOf(j.target.Arn) == "events" {
		return cloud.Errorf(400, thirdBus, "Events received from another event bus cannot be forwarded to this event bus.")
	}
	text, err := marshal(j.event)
	if err != nil {
		return err
	}
	payload, err := j.target.payload(text)
	if err != nil {
		return err
	}
	caller, err := s.caller(j)
	if err != nil {
		return err
	}
	service, operation, in := j.request(payload)
	out, err := s.world.Invoke(caller, regionOf(j.target.Arn), service, operation, in)
	if err != nil {
		return err
	}
	if put, ok := out.(*PutEventsOutput); ok && put.FailedEntryCount > 0 {
		return cloud.Errorf(400, put.Entries[0].ErrorCode, "%s", put.Entries[0].ErrorMessage)
	}
	return nil
}

// caller returns EventBridge acting for the rule, or a session of the target's role.
func (s *Service) caller(j *job) (cloud.Principal, error) {
	service := j.rule.principal()
	if j.target.RoleArn == "" {
		return service, nil
	}
	var session cloud.Principal
	var err error
	s.world.Do(func() { session, err = s.roles.Assume(service, j.target.RoleArn, j.rule.name) })
	if err != nil {
		return session, cloud.Errorf(403, failedToAssume, "%v", err)
	}
	return session, nil
}

// request returns the API call with which a target receives events.
func (j *job) request(payload []byte) (service, operation string, in any) {
	arn := j.target.Arn
	switch serviceOf(arn) {
	case "sqs":
		return "sqs", "SendMessage", sqs.NewMessage(arn, string(payload), nil)
	case "lambda":
		return "lambda", "Invoke", &lambda.InvokeInput{FunctionName: arn, InvocationType: "Event", Payload: payload}
	case "sns":
		return "sns", "Publish", &sns.PublishInput{TopicArn: arn, Message: string(payload)}
	case "states":
		input := string(payload)
		return "states", "StartExecution", &states.StartExecutionInput{StateMachineARN: arn, Input: &input}
	default:
		e := j.event
		return "events", "PutEvents", &PutEventsInput{forwarded: e, Entries: []PutEventsEntry{{
			Source: e.Source, DetailType: e.DetailType, Detail: string(e.Detail), Resources: e.Resources, EventBusName: arn,
		}}}
	}
}

// fail schedules a retry, or gives up.
func (s *Service) fail(j *job, err error) {
	e := cloud.AsError(err)
	most, age := j.limits()
	s.world.Do(func() {
		j.rule.tally.LastError, j.delivery.Error = e.Error(), e.Error()
		j.delivery.Attempts++
	})
	pause := backoff(j.retries)
	switch {
	case !retriable(e):
		s.giveUp(j, e, "")
	case j.retries >= most:
		s.giveUp(j, e, "MaximumRetryAttempts")
	case s.world.Clock.Now().Add(pause).Sub(j.since) > age:
		s.giveUp(j, e, "MaximumEventAgeInSeconds")
	default:
		j.retries++
		s.world.Do(func() { j.rule.tally.Retried++ })
		name := fmt.Sprintf("retry %d of %s to %s", j.retries, j.rule.arn, j.target.Arn)
		s.world.Clock.Again(pause, name, func() { s.run([]*job{j}) })
	}
}

// limits returns the limits of the target's retry policy, or their defaults.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
func (j *job) limits() (retries int, age time.Duration) {
	retries, age = 185, 24*time.Hour
	p := j.target.RetryPolicy
	if p != nil && p.MaximumRetryAttempts != nil {
		retries = int(*p.MaximumRetryAttempts)
	}
	if p != nil && p.MaximumEventAgeInSeconds != nil {
		age = time.Duration(*p.MaximumEventAgeInSeconds) * time.Second
	}
	return retries, age
}

// backoff returns the pause before the next retry: 1 s, doubled each time up to 8 minutes, without jitter, so that 185 retries
// take about a day. Assumption EV-03.
func backoff(retries int) time.Duration {
	if retries > 8 {
		return 8 * time.Minute
	}
	return time.Second << retries
}

const failedToAssume = "FAILED_TO_ASSUME_ROLE"

// retriable reports whether a retry may succeed: after throttles and faults of the target, but not after other 4xx errors.
// https://repost.aws/knowledge-center/eventbridge-resolve-failedinvocation-errors
func retriable(e *cloud.Error) bool {
	return e.Status == 429 || e.Status >= 500 && e.Status != 501 || throttled(e.Code)
}

func throttled(code string) bool {
	return slices.ContainsFunc([]string{"Throttl", "TooManyRequests", "LimitExceeded"}, func(part string) bool {
		return strings.Contains(code, part)
	})
}

// deadLetterCode returns EventBridge's error code for an error. The codes are documented; which error has which code is
// assumption EV-07.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html#eb-rule-dlq
func deadLetterCode(e *cloud.Error) string {
	switch {
	case e.Code == thirdBus || e.Code == failedToAssume:
		return e.Code
	case e.Status == 403 || strings.Contains(e.Code, "AccessDenied"): // KmsAccessDenied of SQS, KMSAccessDenied of SNS
		return "NO_PERMISSIONS"
	case e.Status == 404 || strings.Contains(e.Code, "NotFound") || strings.HasSuffix(e.Code, "DoesNotExist"):
		return "NO_RESOURCE"
	case throttled(e.Code) || e.Status == 429:
		return "THROTTLING"
	case e.Status >= 500:
		return "ERROR_FROM_TARGET"
	}
	return "INVALID_PARAMETER"
}

// giveUp sends the event to the target's dead-letter queue, or drops it.
func (s *Service) giveUp(j *job, e *cloud.Error, exhausted string) {
	if j.target.DeadLetterConfig == nil {
		s.world.Do(func() { j.lost() })
		return
	}
	attributes := map[string]sqs.Attribute{
		"RULE_ARN":       sqs.StringAttribute(j.rule.arn),
		"TARGET_ARN":     sqs.StringAttribute(j.target.Arn),
		"ERROR_CODE":     sqs.StringAttribute(deadLetterCode(e)),
		"ERROR_MESSAGE":  sqs.StringAttribute(e.Error()),
		"RETRY_ATTEMPTS": {DataType: "Number", StringValue: text(strconv.Itoa(j.retries))},
	}
	if exhausted != "" {
		attributes["EXHAUSTED_RETRY_CONDITION"] = sqs.StringAttribute(exhausted)
	}
	queue := j.target.DeadLetterConfig.Arn
	body, err := marshal(j.event)
	if err == nil {
		in := sqs.NewMessage(queue, string(body), attributes)
		_, err = s.world.Invoke(j.rule.principal(), regionOf(queue), "sqs", "SendMessage", in)
	}
	s.world.Do(func() {
		if err != nil {
			j.lost()
			j.rule.tally.LastError = err.Error()
			return
		}
		j.rule.tally.DeadLettered++
		j.delivery.Result = cloud.DeadLettered
	})
}

func (j *job) lost() {
	j.rule.tally.Lost++
	j.delivery.Result = cloud.Lost
}

func text(s string) *string { return &s }
