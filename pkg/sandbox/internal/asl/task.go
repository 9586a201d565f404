package asl

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// task calls an API: https://states-language.net/#task-state
type task struct {
	service, api       string
	callback           bool // .waitForTaskToken
	arguments          *template
	timeout, heartbeat *template
	retry              []*retrier
	catch              []*catcher
}

// integrations are the APIs that a task may call.
func integrations() []string {
	return []string{"arn:aws:states:::lambda:invoke", "arn:aws:states:::lambda:invoke.waitForTaskToken"}
}

func parseTask(o *object, _ *state) behaviour {
	t := &task{}
	resource := o.required("Resource")
	known := resource == "" // already reported
	for _, r := range integrations() {
		known = known || r == resource
	}
	if !known {
		o.complain("Resource", "the sandbox has no integration %q; it has %s", resource, strings.Join(integrations(), " and "))
	}
	resource = strings.TrimPrefix(resource, "arn:aws:states:::")
	resource, t.callback = strings.CutSuffix(resource, ".waitForTaskToken")
	t.service, t.api, _ = strings.Cut(resource, ":")
	t.arguments = o.template("Arguments", anywhere)
	t.checkArguments(o)
	t.timeout = o.secondsField("TimeoutSeconds", 1)
	t.heartbeat = o.secondsField("HeartbeatSeconds", 1)
	t.checkHeartbeat(o)
	t.retry = parseRetry(o)
	t.catch = parseCatch(o)
	return t
}

func (t *task) checkArguments(o *object) {
	a := t.arguments
	if a == nil || a.kind == expressionTemplate {
		return
	}
	if a.kind != objectTemplate {
		o.complain("Arguments", "must be an object or JSONata")
		return
	}
	named := false
	for _, k := range a.keys {
		switch k {
		case "FunctionName":
			named = true
		case "Payload", "Qualifier":
		default:
			o.complain("Arguments/"+k, "the sandbox does not know this argument of lambda:invoke")
		}
	}
	if !named {
		o.complain("Arguments/FunctionName", "is missing")
	}
	if t.callback && !strings.Contains(string(a.literal), "$states.context") {
		o.complain("Arguments", "a .waitForTaskToken task must hand out $states.context.Task.Token")
	}
}

func (t *task) checkHeartbeat(o *object) {
	if t.heartbeat == nil || t.timeout == nil {
		return
	}
	var heartbeat, timeout int
	if json.Unmarshal(t.heartbeat.literal, &heartbeat) == nil && json.Unmarshal(t.timeout.literal, &timeout) == nil &&
		heartbeat >= timeout {
		o.complain("HeartbeatSeconds", "must be smaller than TimeoutSeconds")
	}
}

func (t *task) targets() []target {
	var list []target
	for _, c := range t.catch {
		list = append(list, target{c.path + "/Next", c.next})
	}
	return list
}

// enter schedules the task's next attempt.
func (t *task) enter(r *Run) Action {
	if t.callback {
		r.token = fmt.Sprintf("AQC%016x%016x%016x", r.rng.Uint64(), r.rng.Uint64(), r.rng.Uint64())
	}
	s := r.scope()
	arguments := r.input
	if t.arguments != nil {
		v, err := t.arguments.eval(s)
		if err != nil {
			return r.evaluationFailed(err)
		}
		arguments = v
	}
	timeout, err := optionalSeconds(t.timeout, s)
	if err != nil {
		return r.evaluationFailed(err)
	}
	heartbeat, err := optionalSeconds(t.heartbeat, s)
	if err != nil {
		return r.evaluationFailed(err)
	}
	r.record(Event{Type: "TaskScheduled", TaskScheduled: &TaskScheduled{
		ResourceType: t.service, Resource: t.resource(), Region: r.execution.Region, Parameters: string(arguments),
		TimeoutInSeconds: timeout, HeartbeatInSeconds: heartbeat,
	}})
	r.record(Event{Type: "TaskStarted", TaskStarted: t.event()})
	r.phase = calling
	return Call{
		Service: t.service, API: t.api, Arguments: arguments, Token: r.token,
		Timeout: time.Duration(timeout) * time.Second, Heartbeat: time.Duration(heartbeat) * time.Second,
	}
}

func optionalSeconds(t *template, s *scope) (int, error) {
	if t == nil {
		return 0, nil
	}
	return t.seconds(s)
}

func (t *task) resource() string {
	if t.callback {
		return t.api + ".waitForTaskToken"
	}
	return t.api
}

func (t *task) event() *TaskEvent { return &TaskEvent{ResourceType: t.service, Resource: t.resource()} }

// Submitted reports the response to the call of a task with a token. The task continues until its token is completed.
func (r *Run) Submitted(now time.Time, answer json.RawMessage) {
	t, ok := r.underWay(now)
	if !ok {
		return
	}
	e := t.event()
	e.Output, e.OutputDetails = string(answer), &DataDetails{}
	r.record(Event{Type: "TaskSubmitted", TaskSubmitted: e})
}

// Succeed reports the result of the task.
func (r *Run) Succeed(now time.Time, result json.RawMessage) Action {
	t, ok := r.underWay(now)
	if !ok {
		return nil
	}
	if len(result) > maxData {
		return t.failed(r, r.tooMuchData())
	}
	e := t.event()
	e.Output, e.OutputDetails = string(result), &DataDetails{}
	r.record(Event{Type: "TaskSucceeded", TaskSucceeded: e})
	s := r.scope()
	s.result = result
	return r.leave(r.at.output, r.at.assign, s, result, r.at.next)
}

// Fail reports that the task failed.
func (r *Run) Fail(now time.Time, f Failure) Action {
	t, ok := r.underWay(now)
	if !ok {
		return nil
	}
	e := t.event()
	e.Error, e.Cause = f.Error, f.Cause
	r.record(Event{Type: "TaskFailed", TaskFailed: e})
	return t.failed(r, f)
}

// TimeOutTask reports that the task took longer than TimeoutSeconds, or missed a heartbeat.
func (r *Run) TimeOutTask(now time.Time, heartbeat bool) Action {
	t, ok := r.underWay(now)
	if !ok {
		return nil
	}
	e := t.event()
	e.Error = errTimeout
	if heartbeat {
		e.Error = errHeartbeatTimeout
	}
	r.record(Event{Type: "TaskTimedOut", TaskTimedOut: e})
	return t.failed(r, Failure{Error: e.Error})
}

func (r *Run) underWay(now time.Time) (*task, bool) {
	r.now = now
	t, ok := r.at.do.(*task)
	return t, ok && r.phase == calling
}

// failed retries, catches, or ends the execution.
// https://states-language.net/#errors
func (t *task) failed(r *Run, f Failure) Action {
	for i, retry := range t.retry {
		if !matches(retry.errors, f.Error) {
			continue
		}
		if r.tries[i] >= retry.attempts {
			break
		}
		delay := retry.delay(r.tries[i], r.rng)
		r.tries[i]++
		r.retries++
		r.phase = retrying
		return Sleep{Until: r.now.Add(delay), Why: "retry"}
	}
	for _, c := range t.catch {
		if !matches(c.errors, f.Error) {
			continue
		}
		s := r.scope()
		s.errorOutput = encode(struct{ Error, Cause string }{f.Error, f.Cause})
		out, assigned, err := r.shape(c.output, c.assign, s, s.errorOutput)
		if err != nil {
			return r.end("FAILED", r.recordEvaluation(err))
		}
		return r.exit(out, assigned, c.next)
	}
	return r.end("FAILED", f)
}
