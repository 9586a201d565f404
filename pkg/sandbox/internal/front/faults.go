package front

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Rule is a fault rule as data. The table in kinds says which members each fault takes. Service, operation, account, function,
// source and detail type are patterns in which * matches anything. An empty pattern matches everything.
type Rule struct {
	Fault     string `json:"fault"`
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	Account   string `json:"account,omitempty"`
	Function  string `json:"function,omitempty"`
	// Mentions is a text that the operation's input contains, for example an alias or a path pattern.
	Mentions string `json:"mentions,omitempty"`

	Source     string `json:"source,omitempty"`
	DetailType string `json:"detailType,omitempty"`

	// Nth is the first matching call or event that the rule hits, from 1. Times is the number of hits from there on. Without
	// Times, a rule with Nth hits once, and a rule without Nth hits forever.
	Nth   int `json:"nth,omitempty"`
	Times int `json:"times,omitempty"`

	Error *RuleError `json:"error,omitempty"`
	Hook  string     `json:"hook,omitempty"`
	// Delay is in seconds of virtual time.
	Delay float64 `json:"delay,omitempty"`
}

// RuleError is the API error that a rule returns.
type RuleError struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
	Status  int    `json:"status,omitempty"` // 400 when zero
}

// ActiveRule is a rule in force.
type ActiveRule struct {
	Rule
	Seen int `json:"seen"` // number of matching calls or events
	Hits int `json:"hits"` // number of matching calls or events that were hit

	editing bool // its hook is running; the rule must not hit the calls of the hook
}

// kind says what a fault does, and which members its rule may and must have.
type kind struct {
	event bool
	may   []string
	must  []string
	apply func(f *Faults, r *ActiveRule, c *cloud.Call) *cloud.Fault
	delay func(r Rule, hit int) []time.Duration
}

const (
	longestDelay     = 10 * 366 * 24 * 3600 // seconds
	defaultReversed  = 10
	defaultDelayStep = 60 // seconds between two reversed events
)

// kinds returns the table of faults.
func kinds() map[string]kind {
	return map[string]kind{
		"throttle": {apply: func(_ *Faults, _ *ActiveRule, c *cloud.Call) *cloud.Fault {
			return &cloud.Fault{Err: throttled(c.Service)}
		}},
		"error": {must: []string{"error"}, apply: func(_ *Faults, r *ActiveRule, _ *cloud.Call) *cloud.Fault {
			return &cloud.Fault{Err: &cloud.Error{Code: r.Error.Code, Message: r.Error.Message, Status: r.Error.Status}}
		}},
		"timeout-after-success": {apply: func(*Faults, *ActiveRule, *cloud.Call) *cloud.Fault { return &cloud.Fault{NoResponse: true} }},
		"crash": {must: []string{"function"}, apply: func(*Faults, *ActiveRule, *cloud.Call) *cloud.Fault {
			return &cloud.Fault{Crash: true}
		}},
		"foreign-edit": {must: []string{"hook"}, apply: func(f *Faults, r *ActiveRule, _ *cloud.Call) *cloud.Fault {
			return &cloud.Fault{Before: func(c *cloud.Call) { f.edit(r, c) }}
		}},
		"event-drop": {event: true, delay: func(Rule, int) []time.Duration { return []time.Duration{} }},
		"event-duplicate": {event: true, may: []string{"delay"}, delay: func(r Rule, _ int) []time.Duration {
			return []time.Duration{0, r.delay()}
		}},
		"event-delay": {event: true, must: []string{"delay"}, delay: func(r Rule, _ int) []time.Duration {
			return []time.Duration{r.delay()}
		}},
		// Each event waits one step less than the one before it, so the last event arrives first.
		"event-reverse": {event: true, may: []string{"delay"}, delay: func(r Rule, hit int) []time.Duration {
			return []time.Duration{time.Duration(r.Times-hit) * r.delay()}
		}},
	}
}

// throttled returns the service's throttling error.
func throttled(s *cloud.Service) *cloud.Error {
	code, status := "Throttling", http.StatusBadRequest
	switch {
	case s.Name == "ec2":
		code, status = "RequestLimitExceeded", http.StatusServiceUnavailable
	case s.Name == "lambda":
		code, status = "TooManyRequestsException", http.StatusTooManyRequests
	case s.Name == "sqs":
		code = "RequestThrottled"
	case s.Protocol == cloud.JSON10, s.Protocol == cloud.JSON11, s.Protocol == cloud.RESTJSON:
		code = "ThrottlingException"
	}
	return &cloud.Error{Code: code, Message: "Rate exceeded", Status: status}
}

func (r Rule) delay() time.Duration { return time.Duration(r.Delay * float64(time.Second)) }

// Faults is the set of rules that were added as data. It is safe for concurrent use.
type Faults struct {
	world *cloud.World
	kinds map[string]kind
	hooks map[string]func(*cloud.Call)

	mu    sync.Mutex
	rules []*ActiveRule
}

// NewFaults returns an empty set of rules. hooks are the edits by others that a rule can ask for, by name.
func NewFaults(w *cloud.World, hooks map[string]func(*cloud.Call)) *Faults {
	return &Faults{world: w, kinds: kinds(), hooks: hooks}
}

// Add puts a rule in force after the existing ones. It returns an error that names the member if the rule is invalid.
func (f *Faults) Add(r Rule) error {
	k, ok := f.kinds[r.Fault]
	if !ok {
		names := make([]string, 0, len(f.kinds))
		for name := range f.kinds {
			names = append(names, name)
		}
		slices.Sort(names)
		return fmt.Errorf("add fault: fault is %q, not one of %s", r.Fault, strings.Join(names, ", "))
	}
	switch {
	case r.Fault == "event-reverse" && r.Times == 0:
		r.Times = defaultReversed
	case r.Nth > 0 && r.Times == 0:
		r.Times = 1
	}
	if r.Fault == "event-reverse" && r.Delay == 0 {
		r.Delay = defaultDelayStep
	}
	if err := f.check(r, k); err != nil {
		return fmt.Errorf("add fault %s: %w", r.Fault, err)
	}
	active := &ActiveRule{Rule: r}
	f.mu.Lock()
	f.rules = append(f.rules, active)
	name := fmt.Sprintf("rule %d: %s", len(f.rules), r.Fault)
	f.mu.Unlock()
	if k.event {
		f.world.Faults.OnEvent(func(e cloud.Event, _ int) []time.Duration {
			if hit := f.hit(active, r.matchesEvent(e)); hit > 0 {
				return k.delay(r, hit)
			}
			return nil
		})
		return nil
	}
	f.world.Faults.OnCall(func(c *cloud.Call) *cloud.Fault {
		if f.hit(active, r.matchesCall(c)) == 0 {
			return nil
		}
		fault := k.apply(f, active, c)
		fault.Name = name
		return fault
	})
	return nil
}

func (f *Faults) check(r Rule, k kind) error {
	given := map[string]bool{
		"service": r.Service != "", "operation": r.Operation != "", "function": r.Function != "",
		"mentions": r.Mentions != "", "source": r.Source != "", "detailType": r.DetailType != "",
		"error": r.Error != nil, "hook": r.Hook != "", "delay": r.Delay != 0,
	}
	allowed := append([]string{"service", "operation", "function", "mentions"}, k.must...)
	if k.event {
		allowed = append([]string{"source", "detailType"}, k.must...)
	}
	allowed = append(allowed, k.may...)
	for _, name := range k.must {
		if !given[name] {
			return fmt.Errorf("it needs %s", name)
		}
	}
	for _, name := range []string{"service", "operation", "function", "mentions", "source", "detailType", "error", "hook", "delay"} {
		if given[name] && !slices.Contains(allowed, name) {
			return fmt.Errorf("%s does not apply to this fault", name)
		}
	}
	for _, pattern := range []string{r.Service, r.Operation, r.Account, r.Function, r.Source, r.DetailType} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q is not a valid pattern", pattern)
		}
	}
	switch {
	case r.Nth < 0, r.Times < 0:
		return errors.New("nth and times count from 1")
	case r.Delay < 0, r.Delay*float64(max(r.Times, 1)) > longestDelay:
		return fmt.Errorf("delay is from 0 to %d seconds, and so is times × delay", longestDelay)
	case r.Error != nil && r.Error.Code == "":
		return errors.New("error needs a code")
	case r.Error != nil && r.Error.Status != 0 && (r.Error.Status < 400 || r.Error.Status > 599):
		return fmt.Errorf("error status is %d, not from 400 to 599", r.Error.Status)
	case r.Hook != "" && f.hooks[r.Hook] == nil:
		return fmt.Errorf("there is no hook %q, only %s", r.Hook, strings.Join(slices.Sorted(maps.Keys(f.hooks)), ", "))
	}
	return nil
}

// hit counts a matching call or event. It returns the number of hits including this one, or 0 if the rule lets this one pass.
func (f *Faults) hit(r *ActiveRule, matches bool) int {
	if !matches {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.editing {
		return 0
	}
	r.Seen++
	if r.Seen < r.Nth || r.Times > 0 && r.Hits >= r.Times {
		return 0
	}
	r.Hits++
	return r.Hits
}

func (f *Faults) edit(r *ActiveRule, c *cloud.Call) {
	set := func(editing bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		r.editing = editing
	}
	set(true)
	defer set(false)
	f.hooks[r.Hook](c)
}

func (r Rule) matchesCall(c *cloud.Call) bool {
	return like(r.Service, c.Service.Name) && like(r.Operation, c.Operation.Name) &&
		like(r.Account, c.Caller.Account) && like(r.Function, c.Caller.Function) && (r.Mentions == "" || c.Mentions(r.Mentions))
}

func (r Rule) matchesEvent(e cloud.Event) bool {
	return like(r.Account, e.Account) && like(r.Source, e.Source) && like(r.DetailType, e.DetailType)
}

func like(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, s)
	return err == nil && ok
}

// Rules returns the rules in force, oldest first.
func (f *Faults) Rules() []ActiveRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]ActiveRule, 0, len(f.rules))
	for _, r := range f.rules {
		list = append(list, *r)
	}
	return list
}

// Reset removes all rules, including those added in Go.
func (f *Faults) Reset() {
	f.world.Faults.Reset()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}
