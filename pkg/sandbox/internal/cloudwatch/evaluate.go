package cloudwatch

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
)

// arm schedules the next full minute if there is an alarm to evaluate. The schedule does not keep the world from being idle. Call
// with the world locked.
func (s *Service) arm() {
	if s.next != nil || len(s.alarms) == 0 {
		return
	}
	now := s.world.Clock.Now()
	s.next = s.world.Clock.Background(now.Truncate(minute).Add(minute).Sub(now), "alarms are evaluated", s.tick)
}

// tick runs at each full minute: it samples the metrics of the services and evaluates every alarm.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
func (s *Service) tick() {
	var due []change
	s.world.Do(func() {
		s.next = nil
		now := s.world.Clock.Now()
		for _, a := range s.alarms {
			state, reason := s.evaluate(a, now)
			if state == a.state {
				continue
			}
			due = append(due, change{*a, a, a.state, state, reason, now})
			a.state, a.reason, a.changed = state, reason, now
			a.history = append(a.history, now.Format(time.RFC3339)+" "+state)
		}
		// A sample belongs to the minute that begins now. The next evaluation uses it.
		s.sample(s.Measure) // assumption MON-03
		s.arm()
	})
	for _, c := range due {
		s.act(c)
	}
}

// evaluate answers the state that an alarm should be in. Assumption MON-02.
//
//	missing data is   the value of a period without data    without any data
//	breaching         breaches                               ALARM
//	notBreaching      does not                               OK
//	ignore            is left out                            the state that it had
//	missing           is left out                            INSUFFICIENT_DATA
func (s *Service) evaluate(a *alarm, now time.Time) (state, reason string) {
	period := time.Duration(a.in.Period) * time.Second
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.find(a.account, a.region, MetricID{a.in.Namespace, a.in.MetricName, a.in.Dimensions})
	var breaching, missing int
	var values []string
	for i := a.in.EvaluationPeriods; i > 0; i-- {
		from := now.Add(-time.Duration(i) * period)
		all, any := m.over(from, from.Add(period))
		if !any {
			missing++
			if a.in.TreatMissingData == "breaching" {
				breaching++
			}
			continue
		}
		value, _ := all.statistic(a.in.Statistic)
		if yes, _ := breaches(a.in.ComparisonOperator, value, *a.in.Threshold); yes {
			breaching++
			values = append(values, fmt.Sprintf("%v (%s)", value, from.Format("15:04")))
		}
	}
	treated := a.in.TreatMissingData
	switch {
	case breaching >= a.in.DatapointsToAlarm:
		return stateAlarm, a.why(breaching, missing, values)
	case missing < a.in.EvaluationPeriods || treated == "notBreaching":
		return stateOK, "Threshold Not Crossed"
	case treated == "ignore":
		return a.state, a.reason
	}
	return stateUnknown, "Insufficient Data"
}

func (a *alarm) why(breaching, missing int, values []string) string {
	what := fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints", breaching, a.in.EvaluationPeriods)
	if len(values) > 0 {
		what += " [" + strings.Join(values, ", ") + "]"
	}
	if missing > 0 && a.in.TreatMissingData == "breaching" {
		what += fmt.Sprintf(", %d of them missing and treated as breaching,", missing)
	}
	return fmt.Sprintf("%s: %s %v", what, a.in.ComparisonOperator, *a.in.Threshold)
}

// change is a change of an alarm's state.
type change struct {
	alarm           // a copy, because a call may change the alarm meanwhile
	of              *alarm
	was, is, reason string
	at              time.Time
}

// act publishes a change of state to the topics of the new state. Call without the world locked, because each message is an API
// call by CloudWatch.
func (s *Service) act(c change) {
	actions := map[string][]string{
		stateAlarm: c.in.AlarmActions, stateOK: c.in.OKActions, stateUnknown: c.in.InsufficientDataActions,
	}[c.is]
	if !c.enabled() {
		return
	}
	for _, topic := range actions {
		caller := cloud.Principal{Service: "cloudwatch.amazonaws.com", ARN: "cloudwatch.amazonaws.com", SourceARN: c.arn}
		_, err := s.world.Invoke(caller, c.region, "sns", "Publish", &sns.PublishInput{
			TopicArn: topic, Message: c.message(), Subject: c.subject(),
		})
		if err != nil {
			s.world.Do(func() { c.of.lastError = err.Error() })
		}
	}
}

func (c change) subject() string {
	subject := fmt.Sprintf("%s: %q in %s", c.is, c.name, c.region)
	return subject[:min(len(subject), 100)]
}

// message returns the message to a topic. Assumption MON-04.
func (c change) message() string {
	dimensions := []map[string]string{}
	for _, d := range c.in.Dimensions {
		dimensions = append(dimensions, map[string]string{"name": d.Name, "value": d.Value})
	}
	text, err := json.Marshal(map[string]any{
		"AlarmName": c.name, "AlarmDescription": c.in.AlarmDescription, "AWSAccountId": c.account, "AlarmArn": c.arn, "Region": c.region,
		"NewStateValue": c.is, "OldStateValue": c.was, "NewStateReason": c.reason,
		"StateChangeTime": c.at.Format("2006-01-02T15:04:05.000-0700"),
		"Trigger": map[string]any{
			"Namespace": c.in.Namespace, "MetricName": c.in.MetricName, "Dimensions": dimensions, "Statistic": c.in.Statistic,
			"Period": c.in.Period, "EvaluationPeriods": c.in.EvaluationPeriods, "DatapointsToAlarm": c.in.DatapointsToAlarm,
			"Threshold": *c.in.Threshold, "ComparisonOperator": c.in.ComparisonOperator, "TreatMissingData": c.in.TreatMissingData,
		},
	})
	if err != nil {
		return c.reason // the message has only strings and numbers
	}
	return string(text)
}
