package events

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const defaultBus = "default"

// bus is one event bus.
type bus struct {
	name, arn, account, region string
	description                string
	created, modified          time.Time
	policy                     []statement
	rules                      map[string]*rule // by name
	key                        string           // the key that encrypts events and rules; empty for a key of AWS
	deadLetters                string           // ARN of the queue for events that cannot be decrypted
	lost                       int              // number of events that could not be decrypted and had no queue to go to
	lastError                  string
}

// statement is one statement of a bus's policy.
type statement struct {
	id   string
	text json.RawMessage
}

// busARN returns the ARN of a bus of an account, given by name or ARN. An empty name means the default bus.
func busARN(account, region, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	if name == "" {
		name = defaultBus
	}
	return "arn:aws:events:" + region + ":" + account + ":event-bus/" + name
}

// newBus returns a bus with the given ARN.
func newBus(arn string, now time.Time) *bus {
	p := strings.SplitN(arn, ":", 6)
	return &bus{
		name: strings.TrimPrefix(p[5], "event-bus/"), arn: arn, account: p[4], region: p[3],
		created: now, modified: now, rules: map[string]*rule{},
	}
}

func (b *bus) sorted() []*rule {
	var list []*rule
	for _, r := range b.rules {
		list = append(list, r)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}

// policyDocument returns the bus's policy, or "".
func (b *bus) policyDocument() string {
	if b == nil || len(b.policy) == 0 {
		return ""
	}
	var statements []string
	for _, st := range b.policy {
		statements = append(statements, string(st.text))
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// longestPolicy is how many characters the policy of a bus can have.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const longestPolicy = 10_240

// permit sets the statement with the given id, unless the policy would become too long.
func (b *bus) permit(id string, text json.RawMessage) error {
	before := slices.Clone(b.policy)
	if i := slices.IndexFunc(b.policy, func(st statement) bool { return st.id == id }); i < 0 {
		b.policy = append(b.policy, statement{id: id, text: text})
	} else {
		b.policy[i].text = text
	}
	if size := b.policySize(); size > longestPolicy {
		b.policy = before
		return cloud.Errorf(400, "PolicyLengthExceededException",
			"The policy of event bus %s would have %d characters, and at most %d are permitted.", b.name, size, longestPolicy)
	}
	return nil
}

// policySize returns the length of the bus's policy without white space, and with the ids of its statements.
func (b *bus) policySize() int {
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(b.policyDocument())); err != nil {
		panic(err) // each statement was read from JSON
	}
	size := compact.Len()
	for _, st := range b.policy {
		if st.id != inline {
			size += len(`"Sid":"",`) + len(st.id)
		}
	}
	return size
}

func (b *bus) forbid(id string) {
	b.policy = slices.DeleteFunc(b.policy, func(st statement) bool { return st.id == id })
}

// Tag is one tag.
type Tag = cloud.Tag

// CreateEventBusInput is the input of CreateEventBus.
type CreateEventBusInput struct {
	Name        string
	Description string `json:",omitempty"`
	Tags        []Tag  `json:",omitempty"`

	KmsKeyIdentifier string            `json:",omitempty"`
	DeadLetterConfig *DeadLetterConfig `json:",omitempty"`
}

// CreateEventBusOutput is the output of CreateEventBus.
type CreateEventBusOutput struct {
	EventBusArn string
	Description string `json:",omitempty"`
}

var busName = regexp.MustCompile(`^[/.\-_A-Za-z0-9]{1,256}$`)

// createEventBus implements CreateEventBus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
func (s *Service) createEventBus(c *cloud.Call, in *CreateEventBusInput) (*CreateEventBusOutput, error) {
	arn := busARN(c.Account(), c.Region, in.Name)
	if err := c.Authorize("events:CreateEventBus", arn, nil); err != nil {
		return nil, err
	}
	if !busName.MatchString(in.Name) {
		return nil, errInvalid("Parameter Name %q is not valid.", in.Name)
	}
	if in.Name == defaultBus || s.buses[arn] != nil {
		return nil, cloud.Errorf(400, "ResourceAlreadyExistsException", "Event bus %s already exists.", in.Name)
	}
	b := newBus(arn, c.Now())
	if err := s.protect(b, in.KmsKeyIdentifier, in.DeadLetterConfig); err != nil {
		return nil, err
	}
	b.description = in.Description
	s.buses[arn] = b
	return &CreateEventBusOutput{EventBusArn: arn, Description: in.Description}, nil
}

// protect sets the key of a bus, and the dead-letter queue for encrypted events that cannot be read.
func (s *Service) protect(b *bus, key string, dead *DeadLetterConfig) error {
	if dead != nil && serviceOf(dead.Arn) != "sqs" {
		return errInvalid("Parameter DeadLetterConfig of event bus %s is not valid: not the ARN of a queue.", b.name)
	}
	if err := s.lock(b, key); err != nil {
		return err
	}
	b.key, b.deadLetters = key, ""
	if dead != nil {
		b.deadLetters = dead.Arn
	}
	return nil
}

// DescribeEventBusInput is the input of DescribeEventBus.
type DescribeEventBusInput struct{ Name string }

// EventBus is the output of DescribeEventBus and an element of ListEventBuses.
type EventBus struct {
	Name             string
	Arn              string
	Description      string            `json:",omitempty"`
	Policy           string            `json:",omitempty"`
	KmsKeyIdentifier string            `json:",omitempty"`
	DeadLetterConfig *DeadLetterConfig `json:",omitempty"`
	CreationTime     time.Time
	LastModifiedTime time.Time
}

func (b *bus) wire() *EventBus {
	out := &EventBus{
		Name: b.name, Arn: b.arn, Description: b.description, Policy: b.policyDocument(), KmsKeyIdentifier: b.key,
		CreationTime: b.created, LastModifiedTime: b.modified,
	}
	if b.deadLetters != "" {
		out.DeadLetterConfig = &DeadLetterConfig{Arn: b.deadLetters}
	}
	return out
}

// describeEventBus implements DescribeEventBus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html
func (s *Service) describeEventBus(c *cloud.Call, in *DescribeEventBusInput) (*EventBus, error) {
	if err := c.Authorize("events:DescribeEventBus", busARN(c.Account(), c.Region, in.Name), nil); err != nil {
		return nil, err
	}
	b, err := s.own(c, in.Name)
	if err != nil {
		return nil, err
	}
	return b.wire(), nil
}

// own finds one of the caller's own buses.
func (s *Service) own(c *cloud.Call, name string) (*bus, error) {
	b := s.find(c.Account(), c.Region, name)
	if b == nil {
		return nil, errNoBus(name)
	}
	if b.account != c.Account() || b.region != c.Region {
		return nil, errUnsupported("rules and details of an event bus in another account or Region (%s)", b.arn)
	}
	return b, nil
}

// ListEventBusesInput is the input of ListEventBuses.
type ListEventBusesInput struct {
	NamePrefix string
	Limit      int
	NextToken  string
}

// ListEventBusesOutput is the output of ListEventBuses.
type ListEventBusesOutput struct {
	EventBuses []*EventBus
	NextToken  string `json:",omitempty"`
}

// listEventBuses implements ListEventBuses.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html
func (s *Service) listEventBuses(c *cloud.Call, in *ListEventBusesInput) (*ListEventBusesOutput, error) {
	if err := c.Authorize("events:ListEventBuses", busARN(c.Account(), c.Region, "*"), nil); err != nil {
		return nil, err
	}
	s.find(c.Account(), c.Region, defaultBus)
	out := &ListEventBusesOutput{}
	for _, b := range s.sorted(c.Account()) {
		if b.region == c.Region && strings.HasPrefix(b.name, in.NamePrefix) {
			out.EventBuses = append(out.EventBuses, b.wire())
		}
	}
	var err error
	out.EventBuses, out.NextToken, err = page(out.EventBuses, in.NextToken, in.Limit)
	return out, err
}

// DeleteEventBusInput is the input of DeleteEventBus.
type DeleteEventBusInput struct{ Name string }

// Empty is an output without members.
type Empty struct{}

// deleteEventBus implements DeleteEventBus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteEventBus.html
func (s *Service) deleteEventBus(c *cloud.Call, in *DeleteEventBusInput) (*Empty, error) {
	arn := busARN(c.Account(), c.Region, in.Name)
	if err := c.Authorize("events:DeleteEventBus", arn, nil); err != nil {
		return nil, err
	}
	b := s.buses[arn]
	switch {
	case in.Name == defaultBus:
		return nil, errInvalid("Cannot delete event bus default.")
	case b != nil && len(b.rules) > 0:
		return nil, errInvalid("Cannot delete event bus %s: it has rules.", in.Name)
	case b != nil && s.archivedBy(b) != "":
		// Assumption EV-13.
		return nil, errInvalid("Cannot delete event bus %s: it has the managed rule of archive %s.", in.Name, s.archivedBy(b))
	}
	delete(s.buses, arn)
	return &Empty{}, nil
}
