package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// These are the maximum payloads in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	largestEvent      = 6 << 20
	largestAsyncEvent = 1 << 20
)

// Result is the result of an invocation.
type Result struct {
	RequestID string
	// Payload is the function's response, or the error document {"errorType", "errorMessage"}.
	Payload []byte
	// FunctionError is empty after success and "Unhandled" otherwise, as in the header X-Amz-Function-Error. Custom runtimes have
	// no handled errors (assumption LAMBDA-02).
	FunctionError string
	// ErrorType is the errorType of the error document: the function's own, or Runtime.ExitError, Sandbox.Timedout,
	// Function.ResponseSizeTooLarge, Runtime.InvalidEntrypoint.
	ErrorType string
	// Log is the end of the invocation's log, at most 4 KiB.
	Log string
}

// Invoke runs a function, given by ARN, and waits until the invocation has ended. It checks no permission, because the calling
// service has done so. Errors are *cloud.Error: ResourceNotFoundException, TooManyRequestsException, and AccessDeniedException
// for an execution role that Lambda cannot assume. Call without the world locked. An invocation takes no virtual time (assumption
// LAMBDA-01).
func (s *Service) Invoke(functionARN string, payload []byte) (Result, error) {
	return s.invoke(functionARN, s.world.IDs.UUID(), payload)
}

func (s *Service) invoke(functionARN, requestID string, payload []byte) (Result, error) {
	var f function
	var err error
	s.world.Do(func() {
		var found *function
		if found, err = s.find(functionARN, "", "", ""); err == nil {
			f = *found
		}
	})
	if err != nil {
		return Result{}, err
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	i, broken, err := s.acquire(&f, requestID)
	if err != nil {
		if cloud.AsError(err).Code == tooManyRequests {
			s.count(&f, "Throttles", 1)
		}
		return Result{}, err
	}
	s.count(&f, "Invocations", 1)
	s.count(&f, "Throttles", 0)
	var out []byte
	r := Result{RequestID: requestID}
	if broken == nil {
		now := s.world.Clock.Now()
		out, broken = i.serve(&invocation{
			id: requestID, function: f.arn, payload: payload,
			// The process lives in real time, so its deadline must be in real time too. A virtual deadline would always be far
			// away.
			deadline: time.Now().Add(f.timeout),
			trace:    fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), s.world.IDs.Hex(24), s.world.IDs.Hex(16)),
		}, min(f.timeout, longestGuard))
		r.Log = i.tail()
		s.release(i, f.arn)
	}
	if broken == nil {
		r.Payload = out
		s.count(&f, "Errors", 0)
		return r, nil
	}
	s.count(&f, "Errors", 1)
	r.FunctionError, r.Payload = "Unhandled", broken.document(requestID)
	r.ErrorType = errorType(r.Payload)
	if broken.raw == nil {
		s.logs.write(&f, "platform", string(r.Payload))
	}
	return r, nil
}

// count publishes a metric of the function.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (s *Service) count(f *function, name string, n float64) {
	s.world.Measure(cloud.Sample{
		Account: f.account, Region: f.region, Namespace: "AWS/Lambda", Name: name,
		Dimensions: map[string]string{"FunctionName": f.name}, Value: n,
	})
}

// acquire returns a free warm instance, or starts one. The failure is one of the function, the error one of Lambda.
func (s *Service) acquire(f *function, requestID string) (*instance, *failure, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, nil, cloud.Errorf(500, "ServiceException", "the sandbox is closed")
	}
	busy := s.starting[f.arn]
	var free *instance
	for _, i := range slices.Clone(s.instances[f.arn]) {
		switch {
		case i.taken:
			busy++
		case !i.alive() || i.revision != f.revision:
			s.forget(i, f.arn)
		case free == nil:
			free = i
		}
	}
	if f.reserved != nil && busy >= *f.reserved {
		s.mu.Unlock()
		return nil, nil, throttled()
	}
	if free != nil {
		s.take(free, requestID)
		s.mu.Unlock()
		return free, nil, nil
	}
	s.starting[f.arn]++
	s.mu.Unlock()
	i, broken, err := s.launch(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting[f.arn]--
	switch {
	case err != nil || broken != nil:
		return nil, broken, err
	case s.closed:
		i.kill()
		return nil, nil, cloud.Errorf(500, "ServiceException", "the sandbox is closed")
	}
	s.instances[f.arn] = append(s.instances[f.arn], i)
	s.take(i, requestID)
	return i, nil, nil
}

// launch starts an instance with its own credentials, so that each API call can be traced to its invocation.
func (s *Service) launch(f *function) (*instance, *failure, error) {
	var key, secret, token string
	var err error
	s.world.Do(func() {
		c, mintErr := s.sessions.MintForFunction(f.role, f.name, f.arn)
		key, secret, token, err = c.AccessKeyID, c.SecretAccessKey, c.SessionToken, mintErr
	})
	if err != nil {
		return nil, nil, cloud.Errorf(403, "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda: %v", err)
	}
	stream := s.world.Clock.Now().Format("2006/01/02") + "/[$LATEST]" + s.world.IDs.Hex(32)
	r, broken := s.run(f, f.processEnvironment(s.endpoint(), stream, key, secret, token), func(line string) { s.logs.write(f, stream, line) })
	if broken != nil {
		return nil, broken, nil
	}
	return &instance{runner: r, key: key, revision: f.revision}, nil, nil
}

// run starts the instance in a process of its own or in this process.
func (s *Service) run(f *function, environment []string, log func(line string)) (runner, *failure) {
	if s.starter == nil {
		p, broken := start(f.dir, environment, log)
		if broken != nil {
			return nil, broken
		}
		return p, nil
	}
	h := Hosting{Asset: f.dir, Environment: map[string]string{}, Transport: s.transport, Now: s.world.Clock.Now}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		h.Environment[name] = value
	}
	r, broken := settle(s.starter, h, log)
	if broken != nil {
		return nil, broken
	}
	return r, nil
}

// take assigns an instance to an invocation. Call with s.mu locked.
func (s *Service) take(i *instance, requestID string) {
	i.taken = true
	s.served[requestID] = i
	s.sessions.Invocation(i.key, requestID)
}

// release makes an instance free for the next invocation, or drops it if it has ended or is outdated.
func (s *Service) release(i *instance, arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.taken = false
	if !i.alive() || i.stale {
		s.forget(i, arn)
	}
}

// forget drops an instance and ends it. Call with s.mu locked.
func (s *Service) forget(i *instance, arn string) {
	s.instances[arn] = slices.DeleteFunc(s.instances[arn], func(other *instance) bool { return other == i })
	for id, other := range s.served {
		if other == i {
			delete(s.served, id)
		}
	}
	i.kill()
}

// retire ends the instances of a function that have another revision. Busy instances end after their invocation.
func (s *Service) retire(arn, revision string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range slices.Clone(s.instances[arn]) {
		switch {
		case i.revision == revision:
		case i.taken:
			i.stale = true
		default:
			s.forget(i, arn)
		}
	}
}

// Kill ends the instance that serves an invocation at once, like a crash: the invocation fails with Runtime.ExitError. A process
// keeps credentials, so the invocation may be an earlier one of the same instance. If the instance is idle, Kill does nothing.
func (s *Service) Kill(_, invocation string) {
	s.mu.Lock()
	i := s.served[invocation]
	s.mu.Unlock()
	if i != nil && i.serving() != "" {
		i.kill()
	}
}

// InvokeInput is the input of Invoke.
type InvokeInput struct {
	FunctionName   string `loc:"uri" name:"FunctionName"`
	Qualifier      string `loc:"query" name:"Qualifier"`
	InvocationType string `loc:"header" name:"X-Amz-Invocation-Type"`
	LogType        string `loc:"header" name:"X-Amz-Log-Type"`
	Payload        []byte `loc:"payload"`
}

// InvokeOutput is the output of Invoke.
type InvokeOutput struct {
	StatusCode      int    `loc:"status"`
	ExecutedVersion string `loc:"header" name:"X-Amz-Executed-Version"`
	FunctionError   string `loc:"header" name:"X-Amz-Function-Error"`
	LogResult       string `loc:"header" name:"X-Amz-Log-Result"`
	Payload         []byte `loc:"payload"`
}

// invokeOperation implements Invoke. It returns 200 with the result, 202 for a queued event, and 204 for a dry run.
// invokeOperation implements Invoke.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (s *Service) invokeOperation(c *cloud.Call, in *InvokeInput) (*InvokeOutput, error) {
	var arn string
	var err error
	c.World.Do(func() {
		var f *function
		if f, err = s.allowed(c, "InvokeFunction", in.FunctionName, in.Qualifier); err == nil {
			arn = f.arn
		}
	})
	if err != nil {
		return nil, err
	}
	if len(in.Payload) > 0 && !json.Valid(in.Payload) {
		return nil, cloud.Errorf(400, "InvalidRequestContentException", "Could not parse request body into json")
	}
	switch in.InvocationType {
	case "DryRun":
		return &InvokeOutput{StatusCode: 204}, nil
	case "Event":
		if len(in.Payload) > largestAsyncEvent {
			return nil, tooLarge(len(in.Payload), largestAsyncEvent)
		}
		s.enqueue(arn, c.RequestID, in.Payload)
		return &InvokeOutput{StatusCode: 202}, nil
	case "", "RequestResponse":
	default:
		return nil, invalid("InvocationType %s is none of RequestResponse, Event, DryRun", in.InvocationType)
	}
	if len(in.Payload) > largestEvent {
		return nil, tooLarge(len(in.Payload), largestEvent)
	}
	r, err := s.invoke(arn, c.RequestID, in.Payload)
	if err != nil {
		return nil, err
	}
	out := &InvokeOutput{StatusCode: 200, ExecutedVersion: "$LATEST", FunctionError: r.FunctionError, Payload: r.Payload}
	if strings.EqualFold(in.LogType, "Tail") {
		out.LogResult = base64.StdEncoding.EncodeToString([]byte(r.Log))
	}
	return out, nil
}
