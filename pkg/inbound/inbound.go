// Package inbound parses whatever triggers a function into one of a closed set of messages. A message is a hint what to observe, not a
// fact: it contains at most a name, which belongs to the account that EventBridge guarantees, and a time.
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

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// Message is one of ShareHint, TagHint, CallHint, Sweep, Trigger, Recheck, Nothing and Refused.
type Message interface{ message() }

// ShareHint is a hint that the shares of an account, or its VPC origins, may have changed.
type ShareHint struct{ Account string }

// TagHint is a hint that the tags of VPC origins may have changed. Account owns the origins. Called is the time of the call; it
// distinguishes the tag that began a teardown from one that was set later to retry it.
type TagHint struct {
	Account string
	ARNs    []string
	Called  time.Time
	By      string // principal that set the teardown tag by that call, for people; "" if the record does not say so
}

// Origins returns the VPC origins that the hint is about.
func (h TagHint) Origins() (named []origin.Ref) {
	for _, arn := range h.ARNs {
		if ref, err := origin.ParseARN(arn); err == nil && ref.Account == h.Account && !slices.Contains(named, ref) {
			named = append(named, ref)
		}
	}
	return named
}

// Names reports whether the hint is about the VPC origin r.
func (h TagHint) Names(r origin.Ref) bool {
	return h.Account == r.Account && slices.Contains(h.ARNs, r.ARN)
}

// Sweep asks a function to observe everything. Due is when it was scheduled, zero if that is not known.
type Sweep struct{ Due time.Time }

// Trigger makes a function run. originhub sends it to itself.
type Trigger struct {
	Distribution string // name of the distribution that function wire is to observe; "" for all of them
	Why          string // for the log
}

// Recheck is the delayed message by which function wire asks itself to observe one distribution again.
type Recheck struct {
	Distribution string    `json:"distribution"` // name
	Due          time.Time `json:"due"`          // identifies the message: only the one announced last counts
}

// Nothing is an event that originhub does not handle.
type Nothing struct{ Why string }

// Refused is an event that account Account sent, and that claims something for which this account has no authority.
type Refused struct{ Why, Account string }

func (ShareHint) message() {}
func (TagHint) message()   {}
func (Sweep) message()     {}
func (Trigger) message()   {}
func (Recheck) message()   {}
func (Nothing) message()   {}
func (Refused) message()   {}

// Sources and detail types. Only AWS services can send an event whose source begins with "aws."
// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html, EV-05), so the source and the account
// of such an event are reliable. Its detail is not.
const (
	awsPrefix  = "aws."
	ram        = "aws.ram"
	cloudFront = "aws.cloudfront"
	tagging    = "aws.tagging"
	scheduler  = "aws.events"
	ownSource  = "originhub"

	stateChange = "Resource Sharing State Change" // https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html
	apiCall     = "AWS API Call via CloudTrail"
	scheduled   = "Scheduled Event"
	trigger     = "Trigger"
	recheck     = "Recheck"
)

// formerTypes are the detail types that an earlier version gave its messages. Some may still be in a queue when this version is deployed.
var formerTypes = map[string]string{"Poke": trigger, "Look": recheck}

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
	Replay     string          `json:"replay-name"` // only of an event that is replayed from an archive
	Detail     json.RawMessage `json:"detail"`
}

var accountForm = regexp.MustCompile(`^\d{12}$`)

// members are the names of the members of envelope.
var members = []string{
	"version", "id", "detail-type", "source", "account", "time", "region", "resources", "replay-name", "detail",
}

// Unknown returns the names of an event's members that Parse does not know. AWS may add members to its events: the event is handled
// like any other, and the new members are logged.
func Unknown(raw []byte) []string {
	var event map[string]json.RawMessage
	if json.Unmarshal(raw, &event) != nil {
		return nil // Parse returns the error
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(event)), func(name string) bool { return slices.Contains(members, name) })
}

// Parse parses an event. It returns an error if raw is not an event, or has unknown members and is not from AWS. An event that
// originhub does not handle is Nothing, and an event that cannot be trusted is Refused.
//
//	source          detail type                    event name               message
//	aws.ram         any                            any                      ShareHint
//	aws.cloudfront  AWS API Call via CloudTrail    Create- or DeleteVpcO…   ShareHint
//	aws.cloudfront  AWS API Call via CloudTrail    TagResource or Untag…    TagHint, for a VPC origin of the sending account
//	aws.tagging     AWS API Call via CloudTrail    TagResources or Untag…   TagHint, for VPC origins of the sending account
//	aws.events      Scheduled Event                -                        Sweep
//	any of these    AWS API Call via CloudTrail    of a call that failed    Nothing
//	originhub       Trigger                        -                        Trigger
//	originhub       Recheck                        -                        Recheck
//	other           that of AWS events             -                        Refused
//	other           other                          -                        Nothing
//
// The name of an event may end with a version, as in TagResource2020_05_31 (CF-15).
func Parse(raw []byte) (Message, error) {
	e, err := open(raw)
	if err != nil {
		return nil, err
	}
	if now, former := formerTypes[e.DetailType]; former && e.Source == ownSource {
		e.DetailType = now
	}
	if e.Source == ownSource && e.DetailType == trigger {
		var detail struct {
			Distribution string `json:"distribution"`
			Why          string `json:"why"`
		}
		if err := strict(e.Detail, &detail); err != nil {
			return nil, fmt.Errorf("parse trigger: detail: %w", err)
		}
		return Trigger{Distribution: detail.Distribution, Why: detail.Why}, nil
	}
	if e.Source == ownSource && e.DetailType == recheck {
		var r Recheck
		if err := strict(e.Detail, &r); err != nil {
			return nil, fmt.Errorf("parse recheck: detail: %w", err)
		}
		if r.Distribution == "" {
			return nil, errors.New(`parse recheck: detail: it has no "distribution"`)
		}
		return r, nil
	}
	if err := e.sender(); err != nil {
		return nil, err
	}
	switch {
	case e.impostor():
		return e.refused(), nil
	case e.failed() != "":
		return e.unchanged(), nil
	case e.Source == ram:
		return ShareHint{e.Account}, nil
	case e.Source == scheduler && e.DetailType == scheduled:
		return e.sweep(), nil
	case (e.Source == cloudFront || e.Source == tagging) && e.DetailType == apiCall:
		return e.call()
	}
	return Nothing{fmt.Sprintf("originhub does not handle %.100q events of %.100q", e.DetailType, e.Source)}, nil
}

// open parses the envelope of an event.
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

// impostor reports whether the event has the detail type of an AWS event, and a source that is not AWS.
func (e envelope) impostor() bool {
	return !strings.HasPrefix(e.Source, awsPrefix) && (e.DetailType == stateChange || e.DetailType == apiCall || e.DetailType == scheduled)
}

// sweep returns the message of a scheduled event, whose time is that of its schedule
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html).
func (e envelope) sweep() Sweep {
	due, err := time.Parse(time.RFC3339, e.Time)
	if err != nil {
		return Sweep{}
	}
	return Sweep{due}
}

// failed returns the error code of the call that the event reports; "" if the call succeeded, or the event reports none
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
func (e envelope) failed() string {
	var record struct {
		ErrorCode string `json:"errorCode"`
	}
	if e.DetailType != apiCall || json.Unmarshal(e.Detail, &record) != nil {
		return ""
	}
	return record.ErrorCode
}

func (e envelope) unchanged() Nothing {
	return Nothing{fmt.Sprintf("the call failed with %.100q and changed nothing", e.failed())}
}

func (e envelope) refused() Refused {
	return Refused{fmt.Sprintf("account %[1]s sent an event with detail type %[2]q, which only AWS sends, from a source that is not AWS: find out who in account %[1]s sent it", e.Account, e.DetailType), e.Account}
}

// call parses the CloudTrail record of a call of CloudFront, or of the Resource Groups Tagging API. The form of these records is not
// documented (CF-15), so each possible name of the parameter with the ARNs is accepted.
func (e envelope) call() (Message, error) {
	var record struct {
		EventName         string         `json:"eventName"`
		EventTime         string         `json:"eventTime"`
		RequestParameters map[string]any `json:"requestParameters"`
		UserIdentity      identity       `json:"userIdentity"`
	}
	if err := json.Unmarshal(e.Detail, &record); err != nil {
		return nil, fmt.Errorf("parse event: detail: %w", err)
	}
	switch {
	case strings.HasPrefix(record.EventName, "CreateVpcOrigin"), strings.HasPrefix(record.EventName, "DeleteVpcOrigin"):
		return ShareHint{e.Account}, nil
	case !strings.HasPrefix(record.EventName, "TagResource") && !strings.HasPrefix(record.EventName, "UntagResource"):
		return Nothing{fmt.Sprintf("originhub does not handle the call %.100q of %s", record.EventName, e.Source)}, nil
	}
	var arns []string
	for _, arn := range tagged(record.RequestParameters) {
		ref, err := origin.ParseARN(arn)
		if err != nil {
			continue // a tag of something that is not a VPC origin
		}
		if ref.Account != e.Account {
			return Refused{fmt.Sprintf("account %[1]s sent an event about a VPC origin of account %[2]s: find out who in account %[1]s sent it", e.Account, ref.Account), e.Account}, nil
		}
		arns = append(arns, arn)
	}
	if len(arns) == 0 {
		return Nothing{"the call tags no VPC origin"}, nil
	}
	// Every record has eventTime: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
	called, err := time.Parse(time.RFC3339, record.EventTime)
	if err != nil {
		return nil, fmt.Errorf("parse event: detail: eventTime %q is not a time", record.EventTime)
	}
	hint := TagHint{Account: e.Account, ARNs: arns, Called: called}
	if strings.HasPrefix(record.EventName, "TagResource") && setsTeardown(e.Detail) {
		hint.By = record.UserIdentity.name()
	}
	return hint, nil
}

// setsTeardown reports whether the record of a call that sets tags may be about a teardown: it names one of its two tags, or no tag of originhub at
// all, since the form of the record is not documented (CF-15).
func setsTeardown(record []byte) bool {
	prefix, _, _ := strings.Cut(contract.TagTeardown, ":")
	return bytes.Contains(record, []byte(`"`+contract.TagTeardown)) || !bytes.Contains(record, []byte(`"`+prefix+`:`))
}

// tagged returns the ARNs that the parameters of a tagging call name.
func tagged(parameters map[string]any) []string {
	for _, name := range []string{"resource", "Resource", "resourceARN", "resourceArn"} {
		if arn, ok := parameters[name].(string); ok {
			return []string{arn}
		}
	}
	var arns []string
	for _, name := range []string{"resourceARNList", "resourceArnList", "ResourceARNList"} {
		list, _ := parameters[name].([]any)
		for _, one := range list {
			if arn, ok := one.(string); ok {
				arns = append(arns, arn)
			}
		}
	}
	return arns
}

// JSON returns the event that Parse parses as t.
func (t Trigger) JSON() []byte {
	detail, _ := json.Marshal(struct { // never fails for strings
		Distribution string `json:"distribution,omitempty"`
		Why          string `json:"why"`
	}{t.Distribution, t.Why})
	return fmt.Appendf(nil, `{"source":%q,"detail-type":%q,"detail":%s}`, ownSource, trigger, detail)
}

// JSON returns the event that Parse parses as r.
func (r Recheck) JSON() []byte {
	r.Due = r.Due.UTC()
	detail, _ := json.Marshal(r) // never fails for a string and a time of this era
	return fmt.Appendf(nil, `{"source":%q,"detail-type":%q,"detail":%s}`, ownSource, recheck, detail)
}

// Task is the input of one task of a teardown execution.
type Task struct {
	Phase      string `json:"phase"`
	Origin     string `json:"origin"` // VPC origin id
	Generation int    `json:"generation"`
	Token      string `json:"token"` // Step Functions task token, in phase detach only
	// Redrives counts how often the execution was redriven. It is nil in executions of the first definition of the state machine,
	// which does not pass it. That definition handles outcomes only: it would retry a task that reports its outcome as an error.
	Redrives *int `json:"redrives"`
}

// Redriven returns the number of redrives, or 0 if it is not known.
func (t Task) Redriven() int {
	if t.Redrives == nil {
		return 0
	}
	return *t.Redrives
}

// ParseTask parses the input of function teardown.
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

// strict decodes one JSON object. It returns an error if the object has members that into does not have, or if anything follows it.
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
