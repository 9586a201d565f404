package sqs

import (
	"slices"
	"time"
)

// OnMessage adds an event source. f is called, without any lock held, whenever a message becomes visible in the queue. A hidden
// message keeps the world busy only if its queue has an event source.
func (s *Service) OnMessage(queueARN string, f func()) {
	s.mu.Lock()
	s.listeners[queueARN] = append(s.listeners[queueARN], f)
	s.mu.Unlock()
	s.world.Clock.After(0, "event source of "+queueARN, func() {
		s.world.Do(func() {
			if q := s.queues[queueARN]; q != nil {
				for _, m := range q.messages {
					s.announce(q, m)
				}
			}
		})
	})
}

func (s *Service) add(q *queue, m *message) {
	q.messages = append(q.messages, m)
	s.announce(q, m)
}

// hide makes a message invisible for d.
func (s *Service) hide(q *queue, m *message, d time.Duration) {
	m.visibleAt = s.world.Clock.Now().Add(d)
	s.announce(q, m)
}

// announce calls the event sources of a queue when m becomes visible.
func (s *Service) announce(q *queue, m *message) {
	m.silence()
	s.mu.Lock()
	listeners := slices.Clone(s.listeners[q.arn])
	s.mu.Unlock()
	if len(listeners) == 0 {
		return
	}
	in := m.visibleAt.Sub(s.world.Clock.Now())
	schedule, name := s.world.Clock.After, "message "+m.id+" visible in "+q.name
	if m.receives > 0 {
		schedule, name = s.world.Clock.Again, name+" again"
	}
	m.visible = schedule(in, name, func() {
		for _, f := range listeners {
			f()
		}
	})
}

func (m *message) silence() {
	if m.visible != nil {
		m.visible.Stop()
		m.visible = nil
	}
}

func (q *queue) remove(m *message) {
	m.silence()
	if i := slices.Index(q.messages, m); i >= 0 {
		q.messages = slices.Delete(q.messages, i, i+1)
	}
}

func (q *queue) clear() {
	for _, m := range q.messages {
		m.silence()
	}
	q.messages = nil
}

// expire removes messages that are older than the retention period.
func (s *Service) expire(q *queue) {
	now := s.world.Clock.Now()
	for _, m := range slices.Clone(q.messages) {
		if !now.Before(m.sentAt.Add(q.seconds("MessageRetentionPeriod"))) {
			q.remove(m)
		}
	}
}
