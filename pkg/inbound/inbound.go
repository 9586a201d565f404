// Package inbound turns whatever wakes a function into one of a closed set of messages. A message is a hint where to look,
// never a fact: it carries at most the name of something, and only in the account that AWS vouches for, and when it was done.
package inbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Message is one of ShareHint, TagHint, CallHint, Sweep, Poke, Look, Nothing and Refused.
type Message interface{ message() }

// ShareHint says that something about what an account shares may have changed.
type ShareHint struct{ Account string }

// TagHint says that the tags of a VPC origin may have changed. Account owns the origin. Called is when the call was made, by
// which one that was made before a teardown can be told from one that asks to try again.
type TagHint struct {
	Account, ARN string
	Called       time.Time
}

// Sweep says that it is time to look at everything.
type Sweep struct{}

// Trigger says that the registry changed, or that it is time for another look. It comes from originhub itself.
type Trigger struct{ Why string }

// Recheck says that the look at one distribution is due for which function wire asked itself.
type Recheck struct {
	Distribution string    `json:"distribution"` // name
	Due          time.Time `json:"due"`
}

// Nothing is an event that does not concern originhub.
type Nothing struct{ Why string }

// Refused is an event that claims something that its sender has no authority for. Account sent it.
type Refused struct{ Why, Account string }

func (ShareHint) message() {}
func (TagHint) message()   {}
func (Sweep) message()     {}
func (Trigger) message()   {}
func (Recheck) message()   {}
func (Nothing) message()   {}
func (Refused) message()   {}

// Sources and detail types. Nobody but AWS can send an event whose source begins with "aws."
// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html), so source and account of
// such an envelope can be relied on; its detail cannot.
const (
	awsPrefix  = "aws."
	ram        = "aws.ram"
	cloudFront = "aws.cloudfront"
	scheduler  = "aws.events"
	ownSource  = "originhub"

	stateChange = "Resource Sharing State Change" // facts/aws.md section 1
	apiCall     = "AWS API Call via CloudTrail"
	scheduled   = "Scheduled Event"
	trigger     = "Poke"
	recheck     = "Look"
)

// envelope is an EventBridge event (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html).
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Replay     string          `json:"replay-name"` // only of an event that comes from an archive
	Detail     json.RawMessage `json:"detail"`
}

var accountForm = regexp.MustCompile(`^\d{12}$`)

// members are those of an envelope.
var members = []string{
	"version", "id", "detail-type", "source", "account", "time", "region", "resources", "replay-name", "detail",
}

// Unknown names the members of an event that Parse does not know. AWS may add some any day, and an event of AWS that has one
// is as good as any; but it is to be said.
func Unknown(raw []byte) []string {
	var event map[string]json.RawMessage
	if json.Unmarshal(raw, &event) != nil {
		return nil // Parse says why
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(event)), func(name string) bool { return slices.Contains(members, name) })
}

// Parse reads an event. What is no event at all is an error that says where, and so is one with members that Parse does not
// know, unless AWS sent it; an event that is not for us, or not to be trusted, is a message.
//
//	source          detail type                    event name               message
//	aws.ram         any                            any                      ShareHint
//	aws.cloudfront  AWS API Call via CloudTrail    Create- or DeleteVpcO…   ShareHint
//	aws.cloudfront  AWS API Call via CloudTrail    TagResource or Untag…    TagHint, if about a VPC origin of the sender
//	aws.events      Scheduled Event                -                        Sweep
//	originhub       Poke                           -                        Poke
//	originhub       Look                           -                        Look
//	other           that of an AWS event           -                        Refused
//	other           other                          -                        Nothing
//
// An event name may have the version suffix of the service's model (facts/aws.md section 5). A call that failed is a hint
// like any other: what counts is read afterwards.
func Parse(raw []byte) (Message, error) {
	e, err := open(raw)
	if err != nil {
		return nil, err
	}
	if e.Source == ownSource && e.DetailType == trigger {
		var detail struct {
			Why string `json:"why"`
		}
		if err := strict(e.Detail, &detail); err != nil {
			return nil, fmt.Errorf("parse poke: detail: %w", err)
		}
		return Trigger{Why: detail.Why}, nil
	}
	if e.Source == ownSource && e.DetailType == recheck {
		var l Recheck
		if err := strict(e.Detail, &l); err != nil {
			return nil, fmt.Errorf("parse look: detail: %w", err)
		}
		if l.Distribution == "" {
			return nil, errors.New(`parse look: detail: it has no "distribution"`)
		}
		return l, nil
	}
	if err := e.sender(); err != nil {
		return nil, err
	}
	switch {
	case e.impostor():
		return e.refused(), nil
	case e.Source == ram:
		return ShareHint{e.Account}, nil
	case e.Source == scheduler && e.DetailType == scheduled:
		return Sweep{}, nil
	case e.Source == cloudFront && e.DetailType == apiCall:
		return e.call()
	}
	return Nothing{fmt.Sprintf("no use for %.100q of %.100q", e.DetailType, e.Source)}, nil
}

// open reads the envelope.
func open(raw []byte) (envelope, error) {
	var e envelope
	if err := decode(raw, &e, false); err != nil {
		return e, fmt.Errorf("parse event: %w", err)
	}
	if unknown := Unknown(raw); len(unknown) > 0 && !strings.HasPrefix(e.Source, awsPrefix) {
		return e, fmt.Errorf("parse event: unknown field %q", unknown[0])
	}
	for _, required := range []struct{ field, value string }{{"source", e.Source}, {"detail-type", e.DetailType}} {
		if required.value == "" {
			return e, fmt.Errorf("parse event: it has no %q", required.field)
		}
	}
	return e, nil
}

func (e envelope) sender() error {
	if !accountForm.MatchString(e.Account) {
		return fmt.Errorf("parse event: account %q is not 12 digits", e.Account)
	}
	return nil
}

// impostor tells whether the event has the type of one of AWS's but not AWS's source.
func (e envelope) impostor() bool {
	return !strings.HasPrefix(e.Source, awsPrefix) && (e.DetailType == stateChange || e.DetailType == apiCall || e.DetailType == scheduled)
}

func (e envelope) refused() Refused {
	return Refused{fmt.Sprintf("source %.100q passes itself off as AWS with detail type %q: look who sent it", e.Source, e.DetailType), e.Account}
}

// call reads the CloudTrail record of a CloudFront call. Its form is not documented for these calls (facts/aws.md section
// 4), so the ARN is taken from wherever it may be.
func (e envelope) call() (Message, error) {
	var record struct {
		EventName         string         `json:"eventName"`
		EventTime         string         `json:"eventTime"`
		RequestParameters map[string]any `json:"requestParameters"`
	}
	if err := json.Unmarshal(e.Detail, &record); err != nil {
		return nil, fmt.Errorf("parse event: detail: %w", err)
	}
	switch {
	case strings.HasPrefix(record.EventName, "CreateVpcOrigin"), strings.HasPrefix(record.EventName, "DeleteVpcOrigin"):
		return ShareHint{e.Account}, nil
	case !strings.HasPrefix(record.EventName, "TagResource") && !strings.HasPrefix(record.EventName, "UntagResource"):
		return Nothing{fmt.Sprintf("no use for the CloudFront call %.100q", record.EventName)}, nil
	}
	arn := ""
	for _, name := range []string{"resource", "Resource", "resourceARN", "resourceArn"} {
		if s, ok := record.RequestParameters[name].(string); ok {
			arn = s
			break
		}
	}
	ref, err := origin.ParseARN(arn)
	if err != nil {
		return Nothing{err.Error()}, nil //nolint:nilerr // a tag on something else is nothing to us
	}
	if ref.Account != e.Account {
		return Refused{fmt.Sprintf("the event names %.200s, which account %s does not own: look who sent it", arn, e.Account), e.Account}, nil
	}
	// Every record has it: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
	called, err := time.Parse(time.RFC3339, record.EventTime)
	if err != nil {
		return nil, fmt.Errorf("parse event: detail: eventTime %q is not a time", record.EventTime)
	}
	return TagHint{Account: e.Account, ARN: arn, Called: called}, nil
}

// JSON is the event that Parse reads as this poke.
func (p Trigger) JSON() []byte {
	why, _ := json.Marshal(p.Why) // a string never fails
	return fmt.Appendf(nil, `{"source":%q,"detail-type":%q,"detail":{"why":%s}}`, ownSource, trigger, why)
}

// JSON is the event that Parse reads as this look.
func (l Recheck) JSON() []byte {
	l.Due = l.Due.UTC()
	detail, _ := json.Marshal(l) // a string and an instant of our time never fail
	return fmt.Appendf(nil, `{"source":%q,"detail-type":%q,"detail":%s}`, ownSource, recheck, detail)
}

// Task is the input of one teardown step.
type Task struct {
	Phase      string `json:"phase"`
	Origin     string `json:"origin"` // VPC origin id
	Generation int    `json:"generation"`
	Token      string `json:"token"` // Step Functions task token, in phase detach only
	// Redrives counts how often somebody has redriven the execution. It is nil in one whose definition does not tell: that
	// definition knows outcomes only, and would repeat a task that fails by one.
	Redrives *int `json:"redrives"`
}

// Redriven is Redrives, or 0 if that is not known.
func (t Task) Redriven() int {
	if t.Redrives == nil {
		return 0
	}
	return *t.Redrives
}

// ParseTask reads the input of the teardown function.
func ParseTask(raw []byte) (Task, error) {
	var t Task
	if err := strict(raw, &t); err != nil {
		return Task{}, fmt.Errorf("parse task: %w", err)
	}
	switch {
	case t.Phase == "":
		return Task{}, errors.New(`parse task: it has no "phase"`)
	case !strings.HasPrefix(t.Origin, "vo_"):
		return Task{}, fmt.Errorf("parse task: origin %q is not the id of a VPC origin (vo_…)", t.Origin)
	case t.Generation < 1:
		return Task{}, fmt.Errorf("parse task: generation %d is below 1", t.Generation)
	case t.Redriven() < 0:
		return Task{}, fmt.Errorf("parse task: %d redrives are below 0", t.Redriven())
	}
	return t, nil
}

// strict decodes one JSON object, all of it, without fields that the type does not have.
func strict(raw []byte, into any) error { return decode(raw, into, true) }

func decode(raw []byte, into any, known bool) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return errors.New("it is empty")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if known {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("offset %d: %w", syntax.Offset, err)
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("offset %d: something follows the object", d.InputOffset())
	}
	return nil
}
