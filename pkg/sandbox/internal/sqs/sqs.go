// Package sqs emulates the standard queues of Amazon SQS.
package sqs

import (
	"sort"
	"strings"
	"sync"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/kms"
)

// Service holds the queues of all accounts. The world lock guards it.
type Service struct {
	world  *cloud.World
	queues map[string]*queue // by ARN

	mu        sync.Mutex // separate from the world lock, because event sources are added with and without it
	listeners map[string][]func()
}

// New makes the service without queues.
func New(w *cloud.World) *Service {
	return &Service{world: w, queues: map[string]*queue{}, listeners: map[string][]func(){}}
}

// URL returns the URL of a queue in calls.
func URL(queueARN string) string {
	p := strings.SplitN(queueARN, ":", 6)
	if len(p) != 6 {
		return ""
	}
	return "https://sqs." + p[3] + ".amazonaws.com/" + p[4] + "/" + p[5]
}

func queueARN(region, account, name string) string {
	return "arn:aws:sqs:" + region + ":" + account + ":" + name
}

// arnOf returns the ARN of a queue from account and name at the end of its URL. It ignores the host, because clients with one
// endpoint for all services write that. The Region is that of the call.
func arnOf(region, url string) string {
	p := strings.Split(strings.TrimSuffix(url, "/"), "/")
	if len(p) < 2 {
		return ""
	}
	return queueARN(region, p[len(p)-2], p[len(p)-1])
}

// find authorizes action on the queue with this URL, with the queue's own policy.
func (s *Service) find(c *cloud.Call, url, action string) (*queue, error) {
	q := s.queues[arnOf(c.Region, url)]
	if q == nil {
		return nil, errNoQueue() // assumption SQS-05
	}
	return q, s.allow(c, q, action)
}

func (s *Service) allow(c *cloud.Call, q *queue, action string) error {
	return c.AuthorizeWithResourcePolicy("sqs:"+action, q.arn, q.account, q.policy, nil)
}

// These are the actions that senders and receivers perform with the key of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
const (
	encrypt = "kms:GenerateDataKey"
	decrypt = "kms:Decrypt"
)

// unlock checks that the caller may use the queue's key.
func (q *queue) unlock(c *cloud.Call, actions ...string) error {
	if e := c.UseKey(q.key, q.account, map[string]string{"aws:sqs:arn": q.arn}, actions...); e != nil {
		return kms.Refusal("Kms", e)
	}
	return nil
}

// sorted returns the queues of an account by Region and name.
func (s *Service) sorted(account string) []*queue {
	var list []*queue
	for _, q := range s.queues {
		if q.account == account {
			list = append(list, q)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].arn < list[j].arn })
	return list
}

// Snapshot returns an account's queues with depths and messages.
func (s *Service) Snapshot(account string) map[string]any {
	queues := []any{}
	for _, q := range s.sorted(account) {
		s.expire(q)
		d := q.depth(s.world.Clock.Now())
		messages := []any{}
		for _, m := range q.messages {
			messages = append(messages, map[string]any{
				"messageId": m.id, "body": m.body, "receives": m.receives, "sentAt": m.sentAt, "visibleAt": m.visibleAt,
				"attributes": m.attributes,
			})
		}
		queues = append(queues, map[string]any{
			"name": q.name, "arn": q.arn, "url": URL(q.arn), "region": q.region,
			"visible": d.visible, "inFlight": d.inFlight, "delayed": d.delayed, "messages": messages,
		})
	}
	return map[string]any{"queues": queues}
}

// Samples calls measure with the current metrics of all queues. Call with the world locked.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (s *Service) Samples(measure func(cloud.Sample)) {
	now := s.world.Clock.Now()
	for _, q := range s.queues {
		s.expire(q)
		d, age := q.depth(now), 0.0
		for _, m := range q.messages {
			age = max(age, now.Sub(m.sentAt).Seconds())
		}
		dimensions := map[string]string{"QueueName": q.name}
		for _, metric := range []struct {
			name  string
			value float64
		}{
			{"ApproximateNumberOfMessagesVisible", float64(d.visible)},
			{"ApproximateNumberOfMessagesNotVisible", float64(d.inFlight)},
			{"ApproximateNumberOfMessagesDelayed", float64(d.delayed)},
			{"ApproximateAgeOfOldestMessage", age},
		} {
			measure(cloud.Sample{
				Account: q.account, Region: q.region, Namespace: "AWS/SQS", Name: metric.name, Dimensions: dimensions, Value: metric.value,
			})
		}
	}
}
