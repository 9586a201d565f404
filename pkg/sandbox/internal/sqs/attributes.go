package sqs

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// settings are the attributes of a queue that its owner sets.
type settings struct {
	numbers map[string]int // by attribute name; seconds, MaximumMessageSize in bytes
	redrive redrivePolicy
	policy  string
	sse     string // SqsManagedSseEnabled; no effect in the sandbox
	key     string // KmsMasterKeyId
}

// redrivePolicy says when a message goes to the dead-letter queue. The zero value means never.
type redrivePolicy struct {
	Target string    `json:"deadLetterTargetArn"`
	Max    cloud.Int `json:"maxReceiveCount"`
}

// ranges returns the bounds and the default of a numeric attribute.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func ranges(name string) (lowest, highest, initial int, ok bool) {
	switch name {
	case "DelaySeconds":
		return 0, 900, 0, true
	case "MaximumMessageSize":
		return 1024, 1 << 20, 1 << 20, true
	case "MessageRetentionPeriod":
		return 60, 1209600, 345600, true
	case "ReceiveMessageWaitTimeSeconds":
		return 0, 20, 0, true
	case "VisibilityTimeout":
		return 0, 43200, 30, true
	}
	return 0, 0, 0, false
}

func numericNames() []string {
	return []string{
		"DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout",
	}
}

func defaults() settings {
	s := settings{numbers: map[string]int{}, sse: "true"}
	for _, name := range numericNames() {
		_, _, s.numbers[name], _ = ranges(name)
	}
	return s
}

func (s settings) equal(other settings) bool { return reflect.DeepEqual(s, other) }

func (s settings) seconds(name string) time.Duration {
	return time.Duration(s.numbers[name]) * time.Second
}

// configure changes attributes of a queue, all or none.
func (s *Service) configure(q *queue, attributes map[string]string) error {
	changed := q.settings
	changed.numbers = map[string]int{}
	for name, n := range q.numbers {
		changed.numbers[name] = n
	}
	var names []string
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.set(q, &changed, name, attributes[name]); err != nil {
			return err
		}
	}
	q.settings = changed
	return nil
}

func (s *Service) set(q *queue, to *settings, name, value string) error {
	if lowest, highest, _, ok := ranges(name); ok {
		n, err := strconv.Atoi(value)
		if err != nil || n < lowest || n > highest {
			return errAttributeValue(value, name, "Must be from "+strconv.Itoa(lowest)+" to "+strconv.Itoa(highest)+".")
		}
		to.numbers[name] = n
		return nil
	}
	switch name {
	case "Policy":
		if value != "" && !json.Valid([]byte(value)) {
			return errAttributeValue(value, name, "Not a JSON document.")
		}
		to.policy = value
	case "RedrivePolicy":
		r, err := s.parseRedrive(q, value)
		if err != nil {
			return err
		}
		to.redrive = r
	case "SqsManagedSseEnabled":
		if value != "true" && value != "false" {
			return errAttributeValue(value, name, "Must be true or false.")
		}
		to.sse = value
		if value == "true" {
			to.key = ""
		}
	case "KmsMasterKeyId":
		// A KMS key replaces SQS's own encryption.
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
		to.key = value
		if value != "" {
			to.sse = "false"
		}
	case "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit":
		return errFIFO("attribute " + name)
	case "RedriveAllowPolicy", "KmsDataKeyReusePeriodSeconds":
		return cloud.Errorf(501, "NotImplemented", "the sandbox does not implement the queue attribute %s", name)
	default:
		return errAttributeName(name)
	}
	return nil
}

// parseRedrive reads a redrive policy. An empty one clears it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (s *Service) parseRedrive(q *queue, value string) (redrivePolicy, error) {
	var r redrivePolicy
	if value == "" {
		return r, nil
	}
	d := json.NewDecoder(strings.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, errValue(value, "RedrivePolicy", err.Error())
	}
	if r.Max < 1 || r.Max > 1000 {
		return r, errValue(value, "RedrivePolicy", "Invalid value for maxReceiveCount: must be from 1 to 1000.")
	}
	dlq := s.queues[r.Target]
	if dlq == nil {
		return r, errValue(value, "RedrivePolicy", "Dead letter target does not exist.")
	}
	if dlq.account != q.account || dlq.region != q.region {
		return r, errValue(value, "RedrivePolicy", "Dead letter target must be in the queue's account and Region.")
	}
	return r, nil
}

// known reports whether GetQueueAttributes has an attribute with this name.
func known(name string) bool {
	switch name {
	case "Policy", "RedrivePolicy", "SqsManagedSseEnabled", "QueueArn", "CreatedTimestamp", "LastModifiedTimestamp",
		"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
		"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "RedriveAllowPolicy",
		"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds":
		return true
	}
	return slices.Contains(numericNames(), name)
}

// attributes returns what GetQueueAttributes returns for All. Attributes that are not set are absent.
func (q *queue) attributes(now time.Time) map[string]string {
	d := q.depth(now)
	all := map[string]string{
		"QueueArn":                              q.arn,
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.modified.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.Itoa(d.visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(d.inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(d.delayed),
		"SqsManagedSseEnabled":                  q.sse,
	}
	for name, n := range q.numbers {
		all[name] = strconv.Itoa(n)
	}
	if q.key != "" {
		all["KmsMasterKeyId"] = q.key
	}
	if q.policy != "" {
		all["Policy"] = q.policy
	}
	if q.redrive.Target != "" {
		b, _ := json.Marshal(q.redrive) // two scalars always marshal
		all["RedrivePolicy"] = string(b)
	}
	return all
}
