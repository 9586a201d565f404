package events

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// hop is the time from a bus to the targets of its rules. Assumption EV-02.
const hop = time.Second

// envelope is an event as rules and targets get it.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Replay     string          `json:"replay-name,omitempty"` // set for an event of an archive
	Detail     json.RawMessage `json:"detail"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// marshal returns JSON in which HTML is not escaped.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Emit puts an event of an AWS service on an account's default bus. Call with the world locked.
func (s *Service) Emit(e cloud.Event) {
	detail, err := marshal(e.Detail)
	if err != nil {
		panic("emit " + e.DetailType + ": " + err.Error()) // only services of the sandbox set the detail
	}
	resources := e.Resources
	if resources == nil {
		resources = []string{}
	}
	s.accept(s.find(e.Account, e.Region, defaultBus), &envelope{
		Version: "0", ID: s.world.IDs.UUID(), DetailType: e.DetailType, Source: e.Source, Account: e.Account,
		Time: stamp(s.world.Clock.Now()), Region: e.Region, Resources: resources, Detail: detail,
	}, e)
}

// accept takes an event in at the first bus that it reaches. Only here, event faults drop, duplicate or delay it. A copy that a
// rule forwards to another bus is not subject to faults again.
func (s *Service) accept(b *bus, e *envelope, fault cloud.Event) {
	for _, late := range s.world.Faults.Deliveries(fault) {
		s.route(b.arn, e, false, fault.Delay+late)
	}
}

// route matches the event against the rules of a bus, d after a hop.
func (s *Service) route(busARN string, e *envelope, forwarded bool, d time.Duration) {
	s.world.Clock.After(d+hop, e.DetailType+" from "+e.Source+" on "+busARN, func() {
		var jobs []*job
		s.world.Do(func() { jobs = s.match(busARN, e, forwarded, nil) })
		s.run(jobs)
	})
}

// PutEventsInput is the input of PutEvents.
type PutEventsInput struct {
	Entries    []PutEventsEntry
	EndpointId string `json:",omitempty"`

	// forwarded is an event that a rule of another bus sends. It keeps its source, even one that begins with "aws.".
	forwarded *envelope
}

// PutEventsEntry is one event of a caller.
type PutEventsEntry struct {
	Source       string    `json:",omitempty"`
	DetailType   string    `json:",omitempty"`
	Detail       string    `json:",omitempty"`
	EventBusName string    `json:",omitempty"`
	Resources    []string  `json:",omitempty"`
	Time         time.Time `json:",omitzero"`
	TraceHeader  string    `json:",omitempty"`
}

// PutEventsOutput is the output of PutEvents.
type PutEventsOutput struct {
	FailedEntryCount int
	Entries          []PutEventsResult
}

// PutEventsResult is the result of one entry.
type PutEventsResult struct {
	EventId      string `json:",omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

const (
	maxEntries = 10
	maxSize    = 256 << 10
)

// putEvents implements PutEvents.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (s *Service) putEvents(c *cloud.Call, in *PutEventsInput) (*PutEventsOutput, error) {
	if in.EndpointId != "" {
		return nil, errUnsupported("the member EndpointId of PutEvents")
	}
	if n := len(in.Entries); n < 1 || n > maxEntries {
		return nil, errInvalid("1 validation error detected: Entries must hold from 1 to %d entries, not %d.", maxEntries, n)
	}
	size := 0
	for i := range in.Entries {
		size += in.Entries[i].size()
	}
	if size > maxSize {
		return nil, errInvalid("Total size of the entries in the request is over the limit.")
	}
	if err := s.authorizePut(c, in); err != nil {
		return nil, err
	}
	out := &PutEventsOutput{}
	for i := range in.Entries {
		r := s.put(c, &in.Entries[i], in.forwarded)
		if r.ErrorCode != "" {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, r)
	}
	return out, nil
}

// authorizePut authorizes the call once for each bus. A denial fails the whole call, and conditions get the sources and detail
// types of all entries of the bus (assumption EV-08).
func (s *Service) authorizePut(c *cloud.Call, in *PutEventsInput) error {
	context := map[string][]string{"events:eventBusInvocation": {"false"}}
	if in.forwarded != nil {
		context["events:eventBusInvocation"] = []string{"true"}
	}
	var buses []string
	seen := map[string]bool{}
	for _, e := range in.Entries {
		context["events:source"] = append(context["events:source"], e.Source)
		context["events:detail-type"] = append(context["events:detail-type"], e.DetailType)
		if arn := busARN(c.Account(), c.Region, e.EventBusName); !seen[arn] {
			seen[arn] = true
			buses = append(buses, arn)
		}
	}
	for _, arn := range buses {
		p := strings.SplitN(arn, ":", 6)
		if len(p) != 6 || p[2] != "events" || !strings.HasPrefix(p[5], "event-bus/") {
			return errInvalid("Parameter EventBusName %q is not valid.", arn)
		}
		policy := s.find(p[4], p[3], arn).policyDocument()
		if err := c.AuthorizeWithResourcePolicy("events:PutEvents", arn, p[4], policy, context); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) put(c *cloud.Call, in *PutEventsEntry, forwarded *envelope) PutEventsResult {
	b := s.find(c.Account(), c.Region, in.EventBusName)
	if forwarded != nil {
		if b == nil {
			e := cloud.AsError(errNoBus(in.EventBusName))
			return PutEventsResult{ErrorCode: e.Code, ErrorMessage: e.Message}
		}
		s.route(b.arn, forwarded, true, 0)
		return PutEventsResult{EventId: forwarded.ID}
	}
	if code, message := in.check(); code != "" {
		return PutEventsResult{ErrorCode: code, ErrorMessage: message}
	}
	at := in.Time
	if at.IsZero() {
		at = c.Now()
	}
	resources := in.Resources
	if resources == nil {
		resources = []string{}
	}
	e := &envelope{
		Version: "0", ID: s.world.IDs.UUID(), DetailType: in.DetailType, Source: in.Source, Account: c.Account(),
		Time: stamp(at), Region: c.Region, Resources: resources, Detail: json.RawMessage(in.Detail),
	}
	if b != nil {
		s.accept(b, e, cloud.Event{
			Account: b.account, Region: b.region, Source: e.Source, DetailType: e.DetailType,
			Resources: resources, Detail: e.Detail,
		})
	}
	// An event for a bus of the caller's account that does not exist is accepted and lost. Assumption EV-04.
	return PutEventsResult{EventId: e.ID}
}

// check returns the error of an entry, or "". Only AWS may send events whose source begins with "aws."; such an entry fails alone
// (assumption EV-05).
func (e *PutEventsEntry) check() (code, message string) {
	for _, p := range [][2]string{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if p[1] == "" {
			return "InvalidArgument", "Parameter " + p[0] + " is not valid. Reason: " + p[0] + " is a required argument."
		}
	}
	if strings.HasPrefix(e.Source, "aws.") {
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(e.Detail), &object); err != nil || object == nil {
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

// size returns the size of an entry.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
func (e *PutEventsEntry) size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	if !e.Time.IsZero() {
		n += 14
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}
