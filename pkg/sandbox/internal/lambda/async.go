package lambda

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

// asyncConfig is the configuration of asynchronous invocations.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
type asyncConfig struct {
	retries              *int          // 2 when nil
	maxAge               time.Duration // 6 hours when zero
	onFailure, onSuccess string        // ARNs
}

// event is one asynchronous invocation.
type event struct {
	function  string // ARN
	requestID string
	payload   []byte
	queued    time.Time
	attempts  int // number of attempts that reached the function
	throttles int
}

// undelivered is an event for which no destination or dead-letter queue could be reached. CloudWatch counts it in
// DestinationDeliveryFailures and DeadLetterErrors.
type undelivered struct {
	account     string
	Function    string `json:"function"`
	RequestID   string `json:"requestId"`
	Destination string `json:"destination"`
	Error       string `json:"error"`
}

func (s *Service) enqueue(arn, requestID string, payload []byte) {
	e := &event{function: arn, requestID: requestID, payload: payload, queued: s.world.Clock.Now()}
	s.world.Clock.After(0, fmt.Sprintf("invoke %s asynchronously", arn), func() { s.attempt(e) })
}

// attempt invokes the function once and decides what comes next. Function errors are retried after one minute and then after two.
// Throttles are retried until the maximum age of the event, with a growing delay, and do not count as attempts.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func (s *Service) attempt(e *event) {
	var f function
	found := false
	s.world.Do(func() {
		if known := s.functions[e.function]; known != nil {
			f, found = *known, true
		}
	})
	if !found {
		return // Lambda drops the events of a deleted function
	}
	r, err := s.invoke(e.function, e.requestID, e.payload)
	var delay time.Duration
	if err != nil {
		r = Result{}
		delay = min(time.Second<<min(e.throttles, 9), 5*time.Minute)
		e.throttles++
	} else {
		e.attempts++
		delay = time.Duration(e.attempts) * time.Minute
	}
	retries, maxAge := 2, 6*time.Hour
	if f.async.retries != nil {
		retries = *f.async.retries
	}
	if f.async.maxAge > 0 {
		maxAge = f.async.maxAge
	}
	switch {
	case err == nil && r.FunctionError == "":
		s.deliver(&f, e, f.async.onSuccess, "Success", r)
	case err == nil && e.attempts > retries:
		s.discard(&f, e, "RetriesExhausted", r)
	case s.world.Clock.Now().Add(delay).Sub(e.queued) > maxAge:
		s.discard(&f, e, "EventAgeExceeded", r)
	default:
		name := fmt.Sprintf("invoke %s asynchronously, attempt %d", e.function, e.attempts+1)
		s.world.Clock.Again(delay, name, func() { s.attempt(e) })
	}
}

// discard reports an event that Lambda gives up to the on-failure destination and to the dead-letter queue.
func (s *Service) discard(f *function, e *event, condition string, r Result) {
	s.deliver(f, e, f.async.onFailure, condition, r)
	if f.deadLetter == "" {
		return
	}
	// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
	message := string(r.Payload)
	var document struct{ ErrorMessage string }
	if json.Unmarshal(r.Payload, &document) == nil && document.ErrorMessage != "" {
		message = document.ErrorMessage
	}
	s.send(f, e, f.deadLetter, string(e.payload), []attribute{
		{"RequestID", "String", e.requestID}, {"ErrorCode", "Number", "200"}, {"ErrorMessage", "String", cut(message, 1024)},
	})
}

// deliver sends the record of an invocation to a destination.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
func (s *Service) deliver(f *function, e *event, destination, condition string, r Result) {
	if destination == "" {
		return
	}
	response := map[string]any{"statusCode": 200, "executedVersion": "$LATEST"}
	if r.FunctionError != "" {
		response["functionError"] = r.FunctionError
	}
	record := map[string]any{
		"version": "1.0", "timestamp": s.world.Clock.Now().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": map[string]any{
			"requestId": e.requestID, "functionArn": f.arn + ":$LATEST", "condition": condition, "approximateInvokeCount": e.attempts,
		},
		"requestPayload": raw(e.payload), "responseContext": response, "responsePayload": raw(r.Payload),
	}
	b, err := json.Marshal(record)
	if err != nil {
		s.lost(f, e, destination, err)
		return
	}
	s.send(f, e, destination, string(b), nil)
}

// raw returns JSON unchanged, and anything else as a string.
func raw(payload []byte) any {
	switch {
	case len(payload) == 0:
		return nil
	case json.Valid(payload):
		return json.RawMessage(payload)
	}
	return string(payload)
}

func cut(text string, limit int) string {
	if len(text) > limit {
		return text[:limit]
	}
	return text
}

// checkDestination returns an error for a destination that the sandbox does not have.
func checkDestination(property, arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && (parts[2] == "sqs" || parts[2] == "sns") {
		return nil
	}
	return invalid("%s %s is neither a queue nor a topic: the sandbox delivers to SQS and SNS", property, arn)
}

// attribute is a message attribute of a dead letter. Assumption LAMBDA-12.
type attribute struct{ name, kind, value string }

// send sends a message to a queue or a topic with the function's role.
func (s *Service) send(f *function, e *event, destination, body string, attributes []attribute) {
	parts := strings.SplitN(destination, ":", 6)
	role, err := s.asRole(f)
	if err == nil {
		switch parts[2] {
		case "sqs":
			carried := map[string]sqs.Attribute{}
			for _, a := range attributes {
				carried[a.name] = sqs.Attribute{DataType: a.kind, StringValue: &a.value}
			}
			_, err = s.world.Invoke(role, parts[3], "sqs", "SendMessage", sqs.NewMessage(destination, body, carried))
		case "sns":
			in := &sns.PublishInput{TopicArn: destination, Message: body}
			for _, a := range attributes {
				carried := sns.MessageAttribute{Name: a.name}
				carried.Value.DataType, carried.Value.StringValue = a.kind, a.value
				in.MessageAttributes = append(in.MessageAttributes, carried)
			}
			_, err = s.world.Invoke(role, parts[3], "sns", "Publish", in)
		}
	}
	if err != nil {
		s.lost(f, e, destination, err)
	}
}

// asRole returns Lambda acting with a function's role.
func (s *Service) asRole(f *function) (p cloud.Principal, err error) {
	s.world.Do(func() { p, err = s.sessions.Assume(lambdaFor(f), f.role, f.name) })
	return p, err
}

// lambdaFor returns Lambda acting for a function.
func lambdaFor(f *function) cloud.Principal {
	p := cloud.ServicePrincipal("lambda.amazonaws.com")
	p.SourceARN = f.arn
	return p
}

func (s *Service) lost(f *function, e *event, destination string, err error) {
	s.world.Do(func() {
		s.undelivered = append(s.undelivered, undelivered{
			account: f.account, Function: f.arn, RequestID: e.requestID, Destination: destination, Error: err.Error(),
		})
	})
}

// eventInvokeConfigType is AWS::Lambda::EventInvokeConfig.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
func (s *Service) eventInvokeConfigType() cloud.ResourceType {
	const name = "AWS::Lambda::EventInvokeConfig"
	type destination struct{ Destination string }
	put := func(r *cloud.ResourceRequest) (*cloud.Resource, error) {
		var p struct {
			DestinationConfig        struct{ OnFailure, OnSuccess destination }
			FunctionName, Qualifier  string
			MaximumEventAgeInSeconds *cloud.Int
			MaximumRetryAttempts     *cloud.Int
		}
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		config := asyncConfig{onFailure: p.DestinationConfig.OnFailure.Destination, onSuccess: p.DestinationConfig.OnSuccess.Destination}
		if n := p.MaximumRetryAttempts; n != nil {
			if *n < 0 || *n > 2 {
				return nil, invalid("MaximumRetryAttempts is %d; it must be from 0 to 2", *n)
			}
			retries := int(*n)
			config.retries = &retries
		}
		if n := p.MaximumEventAgeInSeconds; n != nil {
			if *n < 60 || *n > 21600 {
				return nil, invalid("MaximumEventAgeInSeconds is %d; it must be from 60 to 21600", *n)
			}
			config.maxAge = time.Duration(*n) * time.Second
		}
		for property, arn := range map[string]string{"OnFailure": config.onFailure, "OnSuccess": config.onSuccess} {
			if arn == "" {
				continue
			}
			if err := checkDestination("DestinationConfig."+property+".Destination", arn); err != nil {
				return nil, err
			}
		}
		var err error
		s.world.Do(func() {
			var f *function
			if f, err = s.find(p.FunctionName, p.Qualifier, r.Region, r.Account); err == nil {
				f.async = config
			}
		})
		if err != nil {
			return nil, fmt.Errorf("configure FunctionName %s: %w", p.FunctionName, err)
		}
		// Delete needs the name only.
		return &cloud.Resource{Ref: p.FunctionName}, nil
	}
	return cloud.ResourceType{
		Name:   name,
		Create: put,
		Update: func(r *cloud.ResourceRequest, _ *cloud.Resource) (*cloud.Resource, error) { return put(r) },
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			s.world.Do(func() {
				if f, err := s.find(old.Ref, "", r.Region, r.Account); err == nil {
					f.async = asyncConfig{}
				}
			})
			return nil
		},
	}
}
