package lambda

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// mapping invokes a function with the messages of a queue. It collects messages until a batch is full or its window has passed,
// invokes the function, and deletes the messages that the function has processed. The world lock guards it, except scheduled.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
type mapping struct {
	uuid, arn        string
	account, region  string
	source, function string // ARNs
	batchSize        int
	window           time.Duration
	partial          bool // ReportBatchItemFailures
	enabled          bool
	concurrency      int // MaximumConcurrency; zero for none
	modified         time.Time
	result           string // result of the last poll
	deleted          bool

	scheduled      atomic.Bool // a poll is scheduled
	batch          []sqs.Message
	closing, retry alarm // end of the window; retry of a failed poll
}

// alarm is a clock event that may be cancelled.
type alarm struct{ timer *cloud.Timer }

func (a *alarm) cancel() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// arrived schedules one poll, however many messages have arrived.
func (s *Service) arrived(m *mapping) {
	if m.scheduled.CompareAndSwap(false, true) {
		s.world.Clock.After(0, "poll "+m.source, func() { s.poll(m) })
	}
}

// poll receives the visible messages, delivers full batches, and opens a window for the rest.
func (s *Service) poll(m *mapping) {
	m.scheduled.Store(false)
	for drained := false; !drained; {
		var f function
		room := 0
		s.world.Do(func() {
			m.retry.cancel()
			if known := s.functions[m.function]; known != nil && m.enabled && !m.deleted {
				f, room = *known, m.batchSize-len(m.batch)
			}
		})
		if room == 0 {
			return
		}
		most := min(room, 10)
		messages, err := s.receive(m, &f, most)
		if err != nil {
			s.retryPoll(m, err)
			return
		}
		drained = len(messages) < most
		full := false
		s.world.Do(func() {
			m.result = "OK"
			if len(messages) == 0 && len(m.batch) == 0 {
				m.result = "No records processed"
			}
			m.batch = append(m.batch, messages...)
			full = len(m.batch) == m.batchSize
			if len(m.batch) > 0 && !full && m.window > 0 && m.closing.timer == nil {
				// The window begins when a poller receives the first message.
				m.closing.timer = s.world.Clock.After(m.window, "batching window of "+m.source, func() { s.flush(m) })
			}
		})
		if full || drained && m.window == 0 {
			s.flush(m)
		}
	}
}

// retryPoll polls again later: after 10 seconds for a throttle or a fault of the service, after a minute for any other error
// (assumption LAMBDA-07). An error that only another configuration can fix does not keep the world busy.
func (s *Service) retryPoll(m *mapping, err error) {
	e := cloud.AsError(err)
	s.world.Do(func() {
		m.result = "PROBLEM: " + e.Error()
		again := func() { s.arrived(m) }
		m.retry.cancel()
		if e.Status >= 500 || strings.Contains(e.Code, "Throttl") {
			m.retry.timer = s.world.Clock.Again(10*time.Second, "poll "+m.source+" again", again)
			return
		}
		m.retry.timer = s.world.Clock.Background(time.Minute, "poll "+m.source+" again", again)
	})
}

// receive asks for all attributes, because Lambda passes them on.
func (s *Service) receive(m *mapping, f *function, most int) ([]sqs.Message, error) {
	role, err := s.asRole(f)
	if err != nil {
		return nil, err
	}
	out, err := s.world.Invoke(role, m.region, "sqs", "ReceiveMessage", &sqs.ReceiveMessageInput{
		QueueUrl: sqs.URL(m.source), MaxNumberOfMessages: &most,
		MessageSystemAttributeNames: []string{"All"}, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return nil, err
	}
	return out.(*sqs.ReceiveMessageOutput).Messages, nil
}

// flush invokes the function with the received messages. After a failure they stay invisible until their visibility timeout ends.
func (s *Service) flush(m *mapping) {
	var batch []sqs.Message
	var f function
	known := false
	s.world.Do(func() {
		batch, m.batch = m.batch, nil
		m.closing.cancel()
		if found := s.functions[m.function]; found != nil && !m.deleted {
			f, known = *found, true
		}
	})
	if len(batch) == 0 || !known {
		return
	}
	payload, err := json.Marshal(map[string]any{"Records": records(m, batch)})
	if err != nil {
		s.problem(m, err)
		return
	}
	r, err := s.Invoke(m.function, payload)
	switch {
	case err != nil:
		s.problem(m, err)
		return
	case r.FunctionError != "":
		s.problem(m, fmt.Errorf("function call failed: %s", r.ErrorType))
		return
	}
	done := batch
	if m.partial {
		if done, err = succeeded(batch, r.Payload); err != nil {
			s.problem(m, err)
			return
		}
	}
	if err := s.remove(m, &f, done); err != nil {
		s.problem(m, err)
	}
}

func (s *Service) problem(m *mapping, err error) {
	s.world.Do(func() { m.result = "PROBLEM: " + err.Error() })
}

// remove deletes messages, ten per call.
func (s *Service) remove(m *mapping, f *function, messages []sqs.Message) error {
	role, err := s.asRole(f)
	if err != nil {
		return err
	}
	for len(messages) > 0 {
		n := min(len(messages), 10)
		in := &sqs.BatchInput{QueueUrl: sqs.URL(m.source)}
		for i, message := range messages[:n] {
			in.Entries = append(in.Entries, sqs.BatchEntry{Id: strconv.Itoa(i), ReceiptHandle: message.ReceiptHandle})
		}
		if _, err := s.world.Invoke(role, m.region, "sqs", "DeleteMessageBatch", in); err != nil {
			return fmt.Errorf("delete messages: %w", err)
		}
		messages = messages[n:]
	}
	return nil
}

// succeeded reads a partial batch response and returns the messages that it does not name. An invalid response, or one that names
// a message outside of the batch, fails the whole batch.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func succeeded(batch []sqs.Message, payload []byte) ([]sqs.Message, error) {
	if text := strings.TrimSpace(string(payload)); text == "" || text == "null" {
		return batch, nil
	}
	var response struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return nil, fmt.Errorf("read batchItemFailures: %w", err)
	}
	failed := map[string]bool{}
	for _, item := range response.BatchItemFailures {
		failed[item.ItemIdentifier] = true
	}
	var done []sqs.Message
	for _, message := range batch {
		if failed[message.MessageId] {
			delete(failed, message.MessageId)
			continue
		}
		done = append(done, message)
	}
	for id := range failed {
		return nil, fmt.Errorf("read batchItemFailures: no message %q in the batch", id)
	}
	return done, nil
}

// records returns the event of a batch.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
func records(m *mapping, batch []sqs.Message) []any {
	list := []any{}
	for _, message := range batch {
		attributes := map[string]any{}
		for name, a := range message.MessageAttributes {
			attribute := map[string]any{"dataType": a.DataType, "stringListValues": []any{}, "binaryListValues": []any{}}
			if a.StringValue != nil {
				attribute["stringValue"] = *a.StringValue
			}
			if a.BinaryValue != nil {
				attribute["binaryValue"] = a.BinaryValue
			}
			attributes[name] = attribute
		}
		list = append(list, map[string]any{
			"messageId": message.MessageId, "receiptHandle": message.ReceiptHandle, "body": message.Body,
			"attributes": message.Attributes, "messageAttributes": attributes, "md5OfBody": message.MD5OfBody,
			"eventSource": "aws:sqs", "eventSourceARN": m.source, "awsRegion": m.region,
		})
	}
	return list
}

type mappingProperties struct {
	BatchSize                      *cloud.Int
	Enabled                        *cloud.Bool
	EventSourceArn                 string
	FunctionName                   string
	FunctionResponseTypes          []string
	MaximumBatchingWindowInSeconds cloud.Int
	ScalingConfig                  struct{ MaximumConcurrency *cloud.Int }
	Tags                           []cloud.Tag
}

// mappingType is AWS::Lambda::EventSourceMapping, for standard SQS queues.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
func (s *Service) mappingType() cloud.ResourceType {
	const name = "AWS::Lambda::EventSourceMapping"
	put := func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
		var p mappingProperties
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		if err := p.check(); err != nil {
			return nil, err
		}
		var f function
		var err error
		s.world.Do(func() {
			var found *function
			if found, err = s.find(p.FunctionName, "", r.Region, r.Account); err == nil {
				f = *found
			}
		})
		if err != nil {
			return nil, fmt.Errorf("map to FunctionName %s: %w", p.FunctionName, err)
		}
		if err := s.checkQueue(&f, p.EventSourceArn); err != nil {
			return nil, fmt.Errorf("map EventSourceArn %s: %w", p.EventSourceArn, err)
		}
		var m *mapping
		s.world.Do(func() {
			if old != nil {
				m = s.mappings[old.Ref]
				if m == nil || m.source != p.EventSourceArn {
					err = invalid("EventSourceArn cannot change to %s: the sandbox does not replace event source mappings", p.EventSourceArn)
					return
				}
			} else {
				m = &mapping{uuid: s.world.IDs.UUID(), account: r.Account, region: r.Region, source: p.EventSourceArn}
				m.arn = "arn:aws:lambda:" + r.Region + ":" + r.Account + ":event-source-mapping:" + m.uuid
				s.mappings[m.uuid] = m
			}
			m.function, m.batchSize, m.window = f.arn, 10, time.Duration(p.MaximumBatchingWindowInSeconds)*time.Second
			m.partial, m.enabled, m.modified = len(p.FunctionResponseTypes) > 0, p.Enabled == nil || bool(*p.Enabled), s.world.Clock.Now()
			if p.BatchSize != nil {
				m.batchSize = int(*p.BatchSize)
			}
			m.concurrency = 0
			if n := p.ScalingConfig.MaximumConcurrency; n != nil {
				m.concurrency = int(*n)
			}
		})
		if err != nil {
			return nil, err
		}
		if old == nil {
			s.queue.OnMessage(m.source, func() { s.arrived(m) })
		}
		s.arrived(m)
		return &cloud.Resource{Ref: m.uuid, Attributes: map[string]string{"Id": m.uuid, "EventSourceMappingArn": m.arn}}, nil
	}
	return cloud.ResourceType{
		Name:   name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) { return put(r, nil) },
		Update: put,
		Delete: func(_ *cloud.ResourceRequest, old *cloud.Resource) error {
			s.world.Do(func() {
				if m := s.mappings[old.Ref]; m != nil {
					m.deleted = true
					m.closing.cancel()
					m.retry.cancel()
					delete(s.mappings, old.Ref)
				}
			})
			return nil
		},
	}
}

// check checks the properties.
// check implements CreateEventSourceMapping.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
func (p *mappingProperties) check() error {
	parts := strings.SplitN(p.EventSourceArn, ":", 6)
	switch {
	case len(parts) != 6 || parts[2] != "sqs" || strings.HasSuffix(parts[5], ".fifo"):
		return invalid("EventSourceArn %s is not a standard SQS queue, the only event source of the sandbox", p.EventSourceArn)
	case p.BatchSize != nil && (*p.BatchSize < 1 || *p.BatchSize > 10000):
		return invalid("BatchSize is %d; it must be from 1 to 10000", *p.BatchSize)
	case p.MaximumBatchingWindowInSeconds < 0 || p.MaximumBatchingWindowInSeconds > 300:
		return invalid("MaximumBatchingWindowInSeconds is %d; it must be from 0 to 300", p.MaximumBatchingWindowInSeconds)
	case p.BatchSize != nil && *p.BatchSize > 10 && p.MaximumBatchingWindowInSeconds == 0:
		return invalid("BatchSize is %d: above 10, MaximumBatchingWindowInSeconds must be at least 1", *p.BatchSize)
	case len(p.FunctionResponseTypes) > 1, len(p.FunctionResponseTypes) == 1 && p.FunctionResponseTypes[0] != "ReportBatchItemFailures":
		return invalid("FunctionResponseTypes %v: only ReportBatchItemFailures is known", p.FunctionResponseTypes)
	}
	if n := p.ScalingConfig.MaximumConcurrency; n != nil && (*n < 2 || *n > 1000) {
		return invalid("ScalingConfig.MaximumConcurrency is %d; it must be from 2 to 1000", *n)
	}
	return nil
}

// checkQueue reads the queue with the function's role, as Lambda does, and refuses a visibility timeout that is shorter than the
// function's timeout.
func (s *Service) checkQueue(f *function, queueARN string) error {
	role, err := s.asRole(f)
	if err != nil {
		return err
	}
	parts := strings.SplitN(queueARN, ":", 6)
	out, err := s.world.Invoke(role, parts[3], "sqs", "GetQueueAttributes", &sqs.GetQueueAttributesInput{
		QueueUrl: sqs.URL(queueARN), AttributeNames: []string{"VisibilityTimeout"},
	})
	if err != nil {
		return err
	}
	visibility := out.(*sqs.GetQueueAttributesOutput).Attributes["VisibilityTimeout"]
	seconds, err := strconv.Atoi(visibility)
	if err != nil {
		return fmt.Errorf("read VisibilityTimeout %q: %w", visibility, err)
	}
	if timeout := int(f.timeout / time.Second); seconds < timeout {
		return invalid("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", seconds, timeout)
	}
	return nil
}

func (m *mapping) state() string {
	if m.enabled {
		return "Enabled"
	}
	return "Disabled"
}

func (m *mapping) snapshot() map[string]any {
	return map[string]any{
		"uuid": m.uuid, "source": m.source, "function": m.function, "state": m.state(), "batchSize": m.batchSize,
		"windowSeconds": m.window.Seconds(), "held": len(m.batch), "lastResult": m.result,
	}
}

// ListEventSourceMappingsInput is the input of ListEventSourceMappings.
type ListEventSourceMappingsInput struct {
	EventSourceArn string `loc:"query" name:"EventSourceArn"`
	FunctionName   string `loc:"query" name:"FunctionName"`
	Marker         string `loc:"query" name:"Marker"`
	MaxItems       int    `loc:"query" name:"MaxItems"`
}

// ListEventSourceMappingsOutput is the output of ListEventSourceMappings.
type ListEventSourceMappingsOutput struct {
	EventSourceMappings []EventSourceMapping
	NextMarker          string `json:",omitempty"`
}

// EventSourceMapping describes a mapping.
type EventSourceMapping struct {
	BatchSize                      int
	EventSourceArn                 string
	EventSourceMappingArn          string
	FunctionArn                    string
	FunctionResponseTypes          []string
	LastModified                   float64 // seconds since 1970
	LastProcessingResult           string
	MaximumBatchingWindowInSeconds int
	ScalingConfig                  *ScalingConfig `json:",omitempty"`
	State                          string
	StateTransitionReason          string
	UUID                           string
}

// ScalingConfig is a part of EventSourceMapping.
type ScalingConfig struct{ MaximumConcurrency int }

// listMappings implements ListEventSourceMappings.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
func (s *Service) listMappings(c *cloud.Call, in *ListEventSourceMappingsInput) (*ListEventSourceMappingsOutput, error) {
	if err := c.Authorize("lambda:ListEventSourceMappings", "*", nil); err != nil {
		return nil, err
	}
	function := ""
	if in.FunctionName != "" {
		f, err := s.find(in.FunctionName, "", c.Region, c.Account())
		if err != nil {
			return nil, err
		}
		function = f.arn
	}
	out := &ListEventSourceMappingsOutput{EventSourceMappings: []EventSourceMapping{}}
	passed := in.Marker == ""
	for _, m := range s.mappingsOf(c.Account()) {
		switch {
		case m.region != c.Region || in.EventSourceArn != "" && in.EventSourceArn != m.source || function != "" && function != m.function:
			continue
		case !passed:
			passed = m.uuid == in.Marker
			continue
		case len(out.EventSourceMappings) == pageSize(in.MaxItems, 100):
			out.NextMarker = out.EventSourceMappings[len(out.EventSourceMappings)-1].UUID
			return out, nil
		}
		description := EventSourceMapping{
			BatchSize: m.batchSize, EventSourceArn: m.source, EventSourceMappingArn: m.arn, FunctionArn: m.function,
			FunctionResponseTypes: []string{}, LastModified: float64(m.modified.UnixMilli()) / 1000, LastProcessingResult: m.result,
			MaximumBatchingWindowInSeconds: int(m.window / time.Second), State: m.state(), StateTransitionReason: "USER_INITIATED", UUID: m.uuid,
		}
		if m.partial {
			description.FunctionResponseTypes = []string{"ReportBatchItemFailures"}
		}
		if m.concurrency > 0 {
			description.ScalingConfig = &ScalingConfig{MaximumConcurrency: m.concurrency}
		}
		out.EventSourceMappings = append(out.EventSourceMappings, description)
	}
	return out, nil
}
