// Package cloud is the foundation of the sandbox: accounts, virtual time, seeded ids, and the one path of every API call, which
// goes through faults, authorization, the call log and CloudTrail.
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

// Options configure a world.
type Options struct {
	Seed  uint64
	Start time.Time // virtual start; DefaultStart when zero
	// Organization is the id of the world's one organization; DefaultOrganization when empty.
	Organization string
	// Keep is how many entries the call log, the event history and the log of received events keep each, the newest; 0 for all.
	Keep int
}

// DefaultOrganization is the id of the organization when the options name none.
const DefaultOrganization = "o-exampleorg1"

// DefaultStart is the start of virtual time. It is in the future on purpose: hosted functions are real processes, whose SDK
// compares the expiry of credentials with the real clock.
var DefaultStart = time.Date(2035, time.January, 8, 9, 0, 0, 0, time.UTC)

// Account is one AWS account of the world.
type Account struct {
	ID             string
	Name           string
	InOrganization bool
	NoTrail        bool // the account has no trail, so CloudTrail events do not reach EventBridge
}

// World holds what all services share. Each service keeps its own state and uses it only while the world is locked.
type World struct {
	Clock  *Clock
	IDs    *IDs
	Faults *Faults
	// Organization is the id of the one organization (aws:PrincipalOrgID).
	Organization string
	// Keep is how many entries each log keeps, the newest; 0 for all.
	Keep int

	// The following are set once, while the sandbox is assembled.
	Authorizer Authorizer
	// Emit puts an event of an AWS service on an account's default bus. Called with the world locked.
	Emit func(Event)
	// Measure records a value of a metric. Called with or without the world locked.
	Measure func(Sample)
	// Sharing reports whether RAM lets an account use a resource. Called with the world locked.
	Sharing Sharing
	// Keys decides who may use a KMS key. Called with the world locked.
	Keys Keys
	// Kill ends the process that serves a function's invocation, as a crash would.
	Kill func(function, invocation string)

	mu       sync.Mutex
	accounts map[string]*Account
	services map[string]*Service
	calls    Log[CallRecord]
	history  Log[TrailRecord]
}

// Event is an event that an AWS service puts on a default bus.
type Event struct {
	Account, Region    string
	Source, DetailType string
	Resources          []string
	Detail             any
	Delay              time.Duration
}

// Sample is one value of a metric that a service publishes now.
type Sample struct {
	Account, Region, Namespace, Name string
	Dimensions                       map[string]string
	Value                            float64
}

// Sharing is what other services need of RAM.
type Sharing interface {
	// SharedWith reports whether the resource is shared with the account now.
	SharedWith(resourceARN, account string) bool
}

// New returns an empty world.
func New(o Options) *World {
	if o.Start.IsZero() {
		o.Start = DefaultStart
	}
	if o.Organization == "" {
		o.Organization = DefaultOrganization
	}
	w := &World{
		Clock: NewClock(o.Start), IDs: NewIDs(o.Seed), Faults: &Faults{}, Organization: o.Organization, Keep: o.Keep,
		accounts: map[string]*Account{}, services: map[string]*Service{}, calls: NewLog[CallRecord](o.Keep), history: NewLog[TrailRecord](o.Keep),
	}
	w.Emit = func(Event) {}
	w.Measure = func(Sample) {}
	w.Kill = func(string, string) {}
	return w
}

// Do runs f with the world locked. Events of the clock use it. API handlers run with the world locked already.
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

// Services returns the registered services, sorted by name.
func (w *World) Services() []*Service {
	var list []*Service
	for _, s := range w.services {
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// Account returns the account. It creates an account outside of the organization if there is none. Call with the world locked.
func (w *World) Account(id string) *Account {
	a := w.accounts[id]
	if a == nil {
		a = &Account{ID: id}
		w.accounts[id] = a
	}
	return a
}

// AddAccount adds an account.
func (w *World) AddAccount(a Account) {
	w.Do(func() { w.accounts[a.ID] = &a })
}

// Accounts returns the accounts, sorted by id. Call with the world locked.
func (w *World) Accounts() []*Account {
	var list []*Account
	for _, a := range w.accounts {
		list = append(list, a)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

// Call is one API call in progress.
type Call struct {
	World     *World
	Service   *Service
	Operation *Operation
	Region    string
	Caller    Principal
	RequestID string
	// Input is the operation's input. Perform sets it, for fault rules.
	Input any
	// SourceIP and UserAgent are for CloudTrail.
	SourceIP, UserAgent string
	// SDKCall and Attempt identify a call that the SDK may send several times.
	SDKCall string
	Attempt int

	record     CallRecord
	authorized bool
}

// Account returns the account in which the call is made.
func (c *Call) Account() string { return c.Caller.Account }

// Read adds items that the call has read from a table to the call log. Size is their size in bytes.
func (c *Call) Read(items, size int) {
	c.record.ItemsRead += items
	c.record.BytesRead += size
}

// Now returns the virtual time.
func (c *Call) Now() time.Time { return c.World.Clock.Now() }

// Mentions reports whether the JSON form of the operation's input contains text.
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
	// Statement names the policy statement that allowed or denied the call, or says that no statement allowed it.
	Statement string `json:"statement,omitempty"`
	Status    int    `json:"status"`
	Error     string `json:"error,omitempty"`
	Fault     string `json:"fault,omitempty"`
	ReadOnly  bool   `json:"readOnly"`
	RequestID string `json:"requestId"`
	// ItemsRead and BytesRead are what a read of DynamoDB has read: the items before its filter and projection, and their size.
	ItemsRead int `json:"itemsRead,omitempty"`
	BytesRead int `json:"bytesRead,omitempty"`
	// Attempt counts how often the SDK has sent this call. If it is above 1, the previous attempt got no response, or an
	// error after which the SDK retries.
	Attempt int `json:"attempt,omitempty"`
	// SDKCall is the same for all attempts of a call. The SDK chooses it at random, so it differs between runs.
	SDKCall string `json:"-"`
}

// Calls returns a copy of the call log. If older entries were dropped, it begins with a Seq above 1.
func (w *World) Calls() []CallRecord {
	var out []CallRecord
	w.Do(func() { out = append(out, w.calls.Entries()...) })
	return out
}

// Authorize returns an AccessDenied *Error unless the caller may perform action on resource. A handler calls it once for each
// action that AWS checks, with the condition keys that AWS would supply besides the global ones.
func (c *Call) Authorize(action, resource string, context map[string][]string) error {
	return c.authorize(Request{Principal: c.Caller, Action: action, Resource: resource, Context: context, Region: c.Region})
}

// AuthorizeWithResourcePolicy is like Authorize, for a resource that has a policy of its own (a JSON policy document).
func (c *Call) AuthorizeWithResourcePolicy(action, resource, owner, policy string, context map[string][]string) error {
	return c.authorize(Request{
		Principal: c.Caller, Action: action, Resource: resource, ResourceAccount: owner, ResourcePolicy: policy,
		Context: context, Region: c.Region,
	})
}

// AuthorizeAnyone records that the operation needs no permission, such as sts:GetCallerIdentity.
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

// Request is one question to the authorizer.
type Request struct {
	Principal       Principal
	Action          string
	Resource        string
	ResourceAccount string // owner of the resource, if its ARN has no account or another one
	ResourcePolicy  string // JSON; empty when the resource has none
	Context         map[string][]string
	Region          string
}

// Decision is the authorizer's answer, with the statement that decided.
type Decision struct {
	Allowed   bool
	Statement string
	Reason    string // completes "... because "
}

// Authorizer decides like IAM. Called with the world locked.
type Authorizer interface{ Authorize(Request) Decision }

// Invoke performs one API call as caller: faults, handler, call log, CloudTrail. The HTTP front door and the sandbox's own
// services both use it. Call it without the world locked.
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

// Perform performs a prepared call. See Invoke.
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
		c.record.Account = parts[4] // an AWS service acts for a resource of this account
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
		c.record.Seq = w.calls.Added() + 1
		w.calls.Add(c.record)
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
