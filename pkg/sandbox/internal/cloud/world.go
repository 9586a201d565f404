// Package cloud is the sandbox's ground: accounts, virtual time, seeded ids, and the one path that every API call takes,
// from faults through authorisation to the call log and CloudTrail.
package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// Options of a new world.
type Options struct {
	Seed  uint64
	Start time.Time // virtual start; DefaultStart when zero
	// Organization is the id of the world's one organization; DefaultOrganization when empty.
	Organization string
}

// DefaultOrganization is the organization that accounts with InOrganization belong to.
const DefaultOrganization = "o-exampleorg1"

// DefaultStart is where virtual time begins. It lies in the future on purpose: the hosted functions are real processes
// whose SDK compares credential expiries with the real clock.
var DefaultStart = time.Date(2035, time.January, 8, 9, 0, 0, 0, time.UTC)

// Account is one AWS account of the world.
type Account struct {
	ID             string
	Name           string
	InOrganization bool
	NoTrail        bool // no logging trail: CloudTrail events do not reach EventBridge
}

// World holds what all services share. Services keep their own state and touch it only while the world is locked.
type World struct {
	Clock  *Clock
	IDs    *IDs
	Faults *Faults
	// Organization is the id of the one organization (aws:PrincipalOrgID).
	Organization string

	// Set once while the sandbox is assembled.
	Authorizer Authorizer
	// Emit puts an event of AWS's own on an account's default bus. Called with the world locked.
	Emit func(Event)
	// Measure records a value of a metric. Called with or without the world locked.
	Measure func(Sample)
	// Sharing answers whether RAM lets account use the resource. Called with the world locked.
	Sharing Sharing
	// Keys answers who may use a key. Called with the world locked.
	Keys Keys
	// Kill ends the process that serves a function's invocation, as a crash would.
	Kill func(function, invocation string)

	mu       sync.Mutex
	accounts map[string]*Account
	services map[string]*Service
	calls    []CallRecord
	history  []TrailRecord
}

// Event is what AWS itself puts on a default bus.
type Event struct {
	Account, Region    string
	Source, DetailType string
	Resources          []string
	Detail             any
	Delay              time.Duration
}

// Sample is one value of a metric that a service publishes, at this moment.
type Sample struct {
	Account, Region, Namespace, Name string
	Dimensions                       map[string]string
	Value                            float64
}

// Sharing is what other services ask RAM.
type Sharing interface {
	// SharedWith tells whether the resource is shared with the account at this moment.
	SharedWith(resourceARN, account string) bool
}

// New makes an empty world.
func New(o Options) *World {
	if o.Start.IsZero() {
		o.Start = DefaultStart
	}
	if o.Organization == "" {
		o.Organization = DefaultOrganization
	}
	w := &World{
		Clock: NewClock(o.Start), IDs: NewIDs(o.Seed), Faults: &Faults{}, Organization: o.Organization,
		accounts: map[string]*Account{}, services: map[string]*Service{},
	}
	w.Emit = func(Event) {}
	w.Measure = func(Sample) {}
	w.Kill = func(string, string) {}
	return w
}

// Do runs f with the world locked. Event callbacks of the clock use it; API handlers are already inside.
func (w *World) Do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// Register adds services.
func (w *World) Register(services ...*Service) {
	for _, s := range services {
		if w.services[s.Name] != nil {
			panic("service registered twice: " + s.Name)
		}
		w.services[s.Name] = s
	}
}

// Service returns a registered service by its signing name, or nil.
func (w *World) Service(name string) *Service { return w.services[name] }

// Services lists the registered services by name.
func (w *World) Services() []*Service {
	var list []*Service
	for _, s := range w.services {
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// Account returns the account, making a bare one outside the organization if it is new. Call with the world locked.
func (w *World) Account(id string) *Account {
	a := w.accounts[id]
	if a == nil {
		a = &Account{ID: id}
		w.accounts[id] = a
	}
	return a
}

// AddAccount declares an account.
func (w *World) AddAccount(a Account) {
	w.Do(func() { w.accounts[a.ID] = &a })
}

// Accounts lists the accounts by id. Call with the world locked.
func (w *World) Accounts() []*Account {
	var list []*Account
	for _, a := range w.accounts {
		list = append(list, a)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

// Call is one API call on its way.
type Call struct {
	World     *World
	Service   *Service
	Operation *Operation
	Region    string
	Caller    Principal
	RequestID string
	// Input is what the operation is called with; Perform sets it, for fault rules to look at.
	Input any
	// SourceIP and UserAgent are for CloudTrail.
	SourceIP, UserAgent string
	// SDKCall and Attempt are what the SDK says of a call that it may send more than once.
	SDKCall string
	Attempt int

	record     CallRecord
	authorized bool
}

// Account is the account that the call is made in.
func (c *Call) Account() string { return c.Caller.Account }

// Now is the virtual time.
func (c *Call) Now() time.Time { return c.World.Clock.Now() }

// Mentions tells whether what the operation is called with contains a text, as it stands in JSON.
func (c *Call) Mentions(text string) bool {
	b, err := json.Marshal(c.Input)
	return err == nil && bytes.Contains(b, []byte(text))
}

// CallRecord is one line of the call log.
type CallRecord struct {
	Seq       int       `json:"seq"`
	Time      time.Time `json:"time"`
	Account   string    `json:"account"`
	Region    string    `json:"region"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Principal string    `json:"principal"`
	Function  string    `json:"function,omitempty"`
	Resource  string    `json:"resource,omitempty"`
	Allowed   bool      `json:"allowed"`
	// Statement names the policy statement that allowed or denied, or says that nothing allowed.
	Statement string `json:"statement,omitempty"`
	Status    int    `json:"status"`
	Error     string `json:"error,omitempty"`
	Fault     string `json:"fault,omitempty"`
	ReadOnly  bool   `json:"readOnly"`
	RequestID string `json:"requestId"`
	// Attempt counts how often the SDK has sent this call; above 1, it did not get an answer before, or one worth a retry.
	Attempt int `json:"attempt,omitempty"`
	// SDKCall is the same for all attempts of a call. It is the SDK's, and no two runs have the same.
	SDKCall string `json:"-"`
}

// Calls returns a copy of the call log.
func (w *World) Calls() []CallRecord {
	var out []CallRecord
	w.Do(func() { out = append(out, w.calls...) })
	return out
}

// Authorize asks whether the caller may perform action on resource. Handlers call it once for each action that AWS
// checks, with the condition context that AWS would supply beyond the global keys. It returns an AccessDenied *Error.
func (c *Call) Authorize(action, resource string, context map[string][]string) error {
	return c.authorize(Request{Principal: c.Caller, Action: action, Resource: resource, Context: context, Region: c.Region})
}

// AuthorizeWithResourcePolicy is Authorize for a resource that carries a policy of its own (a JSON policy document).
func (c *Call) AuthorizeWithResourcePolicy(action, resource, owner, policy string, context map[string][]string) error {
	return c.authorize(Request{
		Principal: c.Caller, Action: action, Resource: resource, ResourceAccount: owner, ResourcePolicy: policy,
		Context: context, Region: c.Region,
	})
}

// AuthorizeAnyone is for the few operations that need no permission, such as sts:GetCallerIdentity.
func (c *Call) AuthorizeAnyone() {
	c.authorized = true
	c.record.Statement = "needs no permission"
}

func (c *Call) authorize(r Request) error {
	c.authorized = true
	c.record.Resource = r.Resource
	if c.World.Authorizer == nil {
		c.record.Allowed = true
		return nil
	}
	d := c.World.Authorizer.Authorize(r)
	c.record.Allowed, c.record.Statement = d.Allowed, d.Statement
	if d.Allowed {
		return nil
	}
	code := "AccessDenied"
	switch c.Service.Protocol {
	case JSON10, JSON11, RESTJSON:
		code = "AccessDeniedException"
	}
	return Errorf(403, code, "User: %s is not authorized to perform: %s on resource: %s because %s", c.Caller.ARN, r.Action, r.Resource, d.Reason)
}

// Request is one question to the authoriser.
type Request struct {
	Principal       Principal
	Action          string
	Resource        string
	ResourceAccount string // owner of the resource, when it differs from what its ARN says or the ARN has none
	ResourcePolicy  string // JSON; empty when the resource has none
	Context         map[string][]string
	Region          string
}

// Decision is the answer, with the statement that decided.
type Decision struct {
	Allowed   bool
	Statement string
	Reason    string // completes "... because "
}

// Authorizer decides as IAM would. Called with the world locked.
type Authorizer interface{ Authorize(Request) Decision }

// Invoke performs one API call as caller: faults, handler, call log, CloudTrail. It is the only way in, for the HTTP front
// door and for the sandbox's own parts alike. Call it without the world locked.
func (w *World) Invoke(caller Principal, region, service, operation string, in any) (any, error) {
	s := w.services[service]
	if s == nil {
		return nil, NotImplemented(service, operation)
	}
	for i := range s.Operations {
		if s.Operations[i].Name == operation {
			return w.Perform(&Call{World: w, Service: s, Operation: &s.Operations[i], Region: region, Caller: caller}, in)
		}
	}
	return nil, NotImplemented(service, operation)
}

// Perform runs a prepared call. See Invoke.
func (w *World) Perform(c *Call, in any) (any, error) {
	if c.Service.Global {
		c.Region = "us-east-1"
	}
	if c.RequestID == "" {
		c.RequestID = w.IDs.UUID()
	}
	c.Input = in
	fault := w.Faults.onCall(c)
	if fault != nil && fault.Before != nil {
		fault.Before(c)
	}
	c.record = CallRecord{
		Time: w.Clock.Now(), Account: c.Caller.Account, Region: c.Region,
		Service: c.Service.Name, Operation: c.Operation.Name, Principal: c.Caller.ARN, Function: c.Caller.Function,
		ReadOnly: c.Operation.ReadOnly, RequestID: c.RequestID, Status: 200, Allowed: true,
		Attempt: c.Attempt, SDKCall: c.SDKCall,
	}
	if parts := strings.Split(c.Caller.SourceARN, ":"); c.record.Account == "" && len(parts) > 4 {
		c.record.Account = parts[4] // AWS itself acts, on behalf of a resource of that account
	}
	if fault != nil {
		c.record.Fault = fault.Name
	}
	var out any
	var err error
	handle := func() {
		if fault != nil && fault.Err != nil {
			err = fault.Err
			return
		}
		out, err = c.Operation.Handle(c, in)
		if err == nil && !c.authorized {
			panic(fmt.Sprintf("%s %s answered without authorising the call", c.Service.Name, c.Operation.Name))
		}
	}
	if c.Operation.Unlocked {
		handle()
	}
	w.Do(func() {
		if !c.Operation.Unlocked {
			handle()
		}
		if err != nil {
			e := AsError(err)
			c.record.Error, c.record.Status = e.Error(), e.Status
			err = e
		} else if c.Operation.Status != 0 {
			c.record.Status = c.Operation.Status
		}
		c.record.Seq = len(w.calls) + 1
		w.calls = append(w.calls, c.record)
		if !c.Operation.ReadOnly && !c.Operation.DataPlane && (fault == nil || fault.Err == nil) {
			w.trail(c, in, out, err)
		}
	})
	if fault != nil && fault.Crash {
		w.Kill(c.Caller.Function, c.Caller.Invocation)
		return nil, ErrNoResponse
	}
	if fault != nil && fault.NoResponse {
		return nil, ErrNoResponse
	}
	return out, err
}
