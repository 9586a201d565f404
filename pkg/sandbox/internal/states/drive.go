package states

import (
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// perform schedules what the interpreter wants next. A nil action is none. Call with the world locked.
func (s *Service) perform(e *execution, action asl.Action) {
	if action == nil {
		return
	}
	s.settle(e)
	name := "execution " + e.name + ", " + e.run.State()
	switch a := action.(type) {
	case asl.Advance:
		s.later(e, 0, name, func() { s.perform(e, e.run.Continue(s.w.Clock.Now())) })
	case asl.Sleep:
		s.later(e, a.Until.Sub(s.w.Clock.Now()), name+" ("+a.Why+")", func() { s.perform(e, e.run.Continue(s.w.Clock.Now())) })
	case asl.Call:
		e.call = a
		if a.Token != "" {
			s.tokens[a.Token] = e
		}
		if a.Timeout > 0 {
			s.later(e, a.Timeout, name+" (timeout)", func() { s.perform(e, e.run.TimeOutTask(s.w.Clock.Now(), false)) })
		}
		s.startHeartbeat(e)
		epoch := e.epoch
		s.w.Clock.After(0, name+" ("+a.Service+":"+a.API+")", func() { s.invoke(e, epoch, a) })
	case asl.End:
		e.status, e.output, e.failure, e.stopped = a.Status, a.Output, a.Failure, s.w.Clock.Now()
		if e.timeout != nil {
			e.timeout.Stop()
		}
		s.count(e)
		s.emit(e)
	}
}

// settle cancels everything that the previous action scheduled.
func (s *Service) settle(e *execution) {
	e.epoch++
	for _, t := range e.timers {
		t.Stop()
	}
	if e.pulse != nil {
		e.pulse.Stop()
	}
	e.timers, e.pulse = nil, nil
}

// later runs f with the world locked, unless the execution has moved on before.
func (s *Service) later(e *execution, d time.Duration, name string, f func()) *cloud.Timer {
	epoch := e.epoch
	t := s.w.Clock.After(d, name, func() {
		s.w.Do(func() {
			if e.epoch == epoch && e.status == running {
				f()
			}
		})
	})
	if d > 0 {
		e.timers = append(e.timers, t)
	}
	return t
}

// startHeartbeat starts another heartbeat interval of the current task.
func (s *Service) startHeartbeat(e *execution) {
	if e.call.Heartbeat == 0 {
		return
	}
	if e.pulse != nil {
		e.pulse.Stop()
	}
	e.pulse = s.later(e, e.call.Heartbeat, "execution "+e.name+", "+e.run.State()+" (heartbeat)", func() {
		s.perform(e, e.run.TimeOutTask(s.w.Clock.Now(), true))
	})
}

// startTimeout limits the execution as its machine says. A redrive restarts the limit.
func (s *Service) startTimeout(e *execution) {
	limit := time.Duration(e.machine.definition.TimeoutSeconds) * time.Second
	if limit == 0 {
		return
	}
	e.timeout = s.w.Clock.After(limit, "execution "+e.name+" (timeout)", func() {
		s.w.Do(func() {
			if e.status == running {
				s.perform(e, e.run.TimeOut(s.w.Clock.Now()))
			}
		})
	})
}

// count publishes metrics of the start or the end of the execution.
// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
func (s *Service) count(e *execution) {
	name := map[string]string{
		running: "ExecutionsStarted", succeeded: "ExecutionsSucceeded", "FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut",
		"ABORTED": "ExecutionsAborted",
	}[e.status]
	s.w.Measure(cloud.Sample{
		Account: e.machine.account, Region: e.machine.region, Namespace: "AWS/States", Name: name,
		Dimensions: map[string]string{"StateMachineArn": e.machine.arn}, Value: 1,
	})
}

// emit sends an event with the execution's status.
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
func (s *Service) emit(e *execution) {
	millis := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UnixMilli()
	}
	text := func(value string) any {
		if value == "" {
			return nil
		}
		return value
	}
	detail := map[string]any{
		"executionArn": e.arn, "stateMachineArn": e.machine.arn, "name": e.name, "status": e.status,
		"startDate": millis(e.started), "stopDate": millis(e.stopped),
		"input": e.input, "inputDetails": map[string]any{"included": true},
		"output": text(string(e.output)), "outputDetails": nil,
		"error": text(e.failure.Error), "cause": text(e.failure.Cause),
		"stateMachineVersionArn": nil, "stateMachineAliasArn": nil,
		"redriveCount": e.redrives, "redriveDate": millis(e.redriven),
		"redriveStatus": "REDRIVABLE", "redriveStatusReason": nil,
	}
	if e.output != nil {
		detail["outputDetails"] = map[string]any{"included": true}
	}
	if reason := e.notRedrivable(s.w.Clock.Now()); reason != "" {
		detail["redriveStatus"], detail["redriveStatusReason"] = "NOT_REDRIVABLE", reason
	}
	s.w.Emit(cloud.Event{
		Account: e.machine.account, Region: e.machine.region,
		Source: "aws.states", DetailType: "Step Functions Execution Status Change",
		Resources: []string{e.arn}, Detail: detail,
	})
}
