package events

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var rateExpression = regexp.MustCompile(`^rate\(([1-9][0-9]{0,7}) (minute|hour|day)(s?)\)$`)

// rate reads a schedule such as rate(10 minutes).
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
func rate(expression string) (time.Duration, error) {
	if strings.HasPrefix(expression, "cron(") {
		return 0, errUnsupported("the schedule %s: only rate(...)", expression)
	}
	m := rateExpression.FindStringSubmatch(expression)
	if m == nil || (m[1] == "1") != (m[3] == "") {
		return 0, errInvalid("Parameter ScheduleExpression is not valid.")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, errInvalid("Parameter ScheduleExpression is not valid.")
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]]
	if n > int(time.Duration(1<<62)/unit) {
		return 0, errInvalid("Parameter ScheduleExpression is not valid.")
	}
	return time.Duration(n) * unit, nil
}

// arm starts a rule's schedule, or stops it. The first event comes one period after the rule was created or enabled (assumption
// EV-09).
func (s *Service) arm(r *rule) {
	r.disarm()
	if r.schedule == "" || !r.enabled() {
		return
	}
	period, err := rate(r.schedule)
	if err != nil {
		return // putRule has checked it
	}
	r.next = s.world.Clock.Background(period, "schedule of "+r.arn, func() { s.world.Do(func() { s.tick(r) }) })
}

func (r *rule) disarm() {
	if r.next != nil {
		r.next.Stop()
		r.next = nil
	}
}

// tick sends a scheduled event to the targets of its own rule. The event enters no bus, so event faults do not apply.
func (s *Service) tick(r *rule) {
	if r.next == nil {
		return // stopped at this instant
	}
	e := &envelope{
		Version: "0", ID: s.world.IDs.UUID(), DetailType: "Scheduled Event", Source: "aws.events", Account: r.bus.account,
		Time: stamp(s.world.Clock.Now()), Region: r.bus.region, Resources: []string{r.arn}, Detail: json.RawMessage("{}"),
	}
	jobs, _ := s.jobs(r, e, false)
	s.world.Clock.After(hop, "scheduled event of "+r.arn, func() { s.run(jobs) })
	s.arm(r)
}
