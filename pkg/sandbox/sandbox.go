// Package sandbox emulates AWS on one machine: several accounts, one virtual clock, an HTTP endpoint for SDKs and the CLI,
// compiled Lambda functions, and enforced IAM policies. It emulates only what this project needs, and does not depend on the
// project's code.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/front"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
	"github.com/originhub/originhub/pkg/sandbox/internal/ledger"
)

// Options configure a sandbox. The zero value has no accounts and listens on a free loopback port.
type Options struct {
	Seed  uint64
	Start time.Time // virtual; 2035-01-08T09:00:00Z when zero
	// Listen and EdgeListen are the addresses of all AWS services and of the edge; "127.0.0.1:0" when empty. Callers are not
	// authenticated: an address beyond loopback gives the whole network access.
	Listen, EdgeListen string
	Accounts           []Account
	Organization       string // id of the organization; "o-exampleorg1" when empty
	Zones              []Zone
	Certificates       []Certificate
	// FutureFields are paths of DistributionConfig elements that CloudFront accepts and the Go SDK does not know yet, such as
	// "Origins/Items/Origin/NewThing".
	FutureFields []string
	// Propagation bounds the time that an update of a distribution takes to reach the last edge, in which its status becomes Deployed. The
	// time of each update is drawn by Seed, in whole seconds; it is 300 s if the bounds are zero. With bounds, the sandbox keeps every configuration
	// for EdgeConfig.
	Propagation struct{ Shortest, Longest time.Duration }
	// UpdatesPerMinute is how many calls of UpdateDistribution CloudFront accepts from an account within a minute; 0 if it throttles none (CF-41).
	UpdatesPerMinute int
	// OmitsSharedOrigins leaves VPC origins that are shared with the caller out of ListVpcOrigins. GetVpcOrigin returns them (CF-42).
	OmitsSharedOrigins bool
	// FunctionsFirst runs viewer-request functions before the edge checks whether the behavior allows the method of a request (EDGE-12).
	FunctionsFirst bool
	// Assets returns the directory of the bootstrap binary of a Lambda asset, by the asset's S3 key.
	Assets func(key string) (dir string, err error)
	// Handlers starts an instance of a function in this process. The instance, and the clients of Config, then call the sandbox
	// without a network connection. If Handlers is nil, each instance runs the bootstrap of its asset in a process of its own.
	Handlers func(ctx context.Context, h Hosting) (Handler, error)
	// LogWriter returns where a function's log lines are written besides its log group; nil for nowhere.
	LogWriter func(function string) io.Writer
	// Keep is how many entries the call log, CloudTrail's event history and the log of received events keep each, the newest; 0 for all.
	// The control endpoints say how many older entries were dropped.
	Keep int
	// RealClock lets virtual time run as fast as real time. Otherwise, only Advance and UntilIdle move it.
	RealClock bool
}

// Account is one AWS account of the sandbox.
type Account struct {
	ID             string // 12 digits
	Name           string
	InOrganization bool
	NoTrail        bool // the account has no trail, so CloudTrail events do not reach EventBridge
}

// Zone is a hosted zone that exists from the start.
type Zone struct{ Account, ID, Name string }

// Certificate is an issued ACM certificate that exists from the start. Its names may begin with "*.".
type Certificate struct {
	ARN   string
	Names []string
}

// Hosting is what an instance of a function in this process gets instead of a process environment.
type Hosting = lambda.Hosting

// Handler is an instance of a function in this process.
type Handler = lambda.Handler

// Call is one line of the call log.
type Call = cloud.CallRecord

// Event is an event that a bus received, with the rules that it matched and its deliveries.
type Event = cloud.Received

// Modeled is one modeled behavior of AWS, with its sources, its certainty and the tests that pin it.
type Modeled = ledger.Entry

// Rule is a fault rule as data; see POST /_sandbox/faults.
type Rule = front.Rule

// RuleError is the API error that a rule returns.
type RuleError = front.RuleError

// ActiveRule is a rule in force, with the number of its matches and hits.
type ActiveRule = front.ActiveRule

// Faults is the set of rules in force.
type Faults = front.Faults

// Sandbox is a running sandbox. Call Close when done.
type Sandbox struct {
	world    *cloud.World
	services *services
	faults   *front.Faults
	assets   *assets
	client   *http.Client
	sdk      aws.HTTPClient // of the clients of Config

	firstAccount string // where stacks without an account go

	api, edge *http.Server
	endpoint  string
	edgeURL   string
	done      chan error    // one value for each server that has ended
	stop      chan struct{} // closed to end the real clock
	ticking   chan struct{} // closed when the real clock has ended
}

const loopback = "127.0.0.1:0"

// New starts a sandbox. The sandbox is listening when New returns.
func New(o Options) (*Sandbox, error) {
	s := &Sandbox{
		world: cloud.New(cloud.Options{Seed: o.Seed, Start: o.Start, Organization: o.Organization, Keep: o.Keep}),
		done:  make(chan error, 2), stop: make(chan struct{}), ticking: make(chan struct{}),
		assets: &assets{otherwise: o.Assets, dirs: map[string]string{}},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}},
	}
	near := &memory{}
	if s.sdk = near; o.Handlers == nil {
		s.sdk = plain{s.client}
	}
	for _, a := range o.Accounts {
		if !cloud.IsAccount(a.ID) {
			return nil, fmt.Errorf("start sandbox: account id %q does not have 12 digits", a.ID)
		}
		s.world.AddAccount(cloud.Account(a))
	}
	if len(o.Accounts) > 0 {
		s.firstAccount = o.Accounts[0].ID
	}
	s.services = assemble(s.world, o, s.assets, near, func() string { return s.endpoint })
	for _, c := range o.Certificates {
		if err := s.services.acm.Put(c.ARN, c.Names...); err != nil {
			return nil, fmt.Errorf("start sandbox: certificate: %w", err)
		}
	}
	s.faults = front.NewFaults(s.world, s.services.hooks())
	door, err := front.New(front.Options{
		World: s.world, Credentials: s.services.iam.Credentials, State: s.State, Received: s.Events, Ledger: s.Ledger, Faults: s.faults,
	})
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	near.door = door
	if err := s.listen(o, door); err != nil {
		return nil, err
	}
	if o.RealClock {
		go s.tick()
	} else {
		close(s.ticking)
	}
	return s, nil
}

func (s *Sandbox) listen(o Options, door http.Handler) error {
	api, err := net.Listen("tcp", orElse(o.Listen, loopback))
	if err != nil {
		return fmt.Errorf("listen for AWS calls: %w", err)
	}
	edge, err := net.Listen("tcp", orElse(o.EdgeListen, loopback))
	if err != nil {
		return errors.Join(fmt.Errorf("listen at the edge: %w", err), api.Close())
	}
	s.endpoint, s.edgeURL = "http://"+api.Addr().String(), "http://"+edge.Addr().String()
	s.api = s.serve(api, door)
	s.edge = s.serve(edge, s.services.edge)
	return nil
}

func (s *Sandbox) serve(l net.Listener, h http.Handler) *http.Server {
	server := &http.Server{Handler: h} // no timeouts: on a stalled machine, calls would be lost
	go func() {
		err := server.Serve(l)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		s.done <- err
	}()
	return server
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Endpoint returns the URL of all AWS services, for AWS_ENDPOINT_URL.
func (s *Sandbox) Endpoint() string { return s.endpoint }

// Edge returns the URL of CloudFront's data plane. The Host header selects the distribution.
func (s *Sandbox) Edge() string { return s.edgeURL }

// Now returns the virtual time.
func (s *Sandbox) Now() time.Time { return s.world.Clock.Now() }

// Close ends the functions' processes and the listeners, and returns when all have ended.
func (s *Sandbox) Close() error {
	close(s.stop)
	s.services.close()
	<-s.ticking
	s.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := errors.Join(shutDown(ctx, s.api), shutDown(ctx, s.edge), <-s.done, <-s.done)
	if err != nil {
		return fmt.Errorf("close sandbox: %w", err)
	}
	return nil
}

// closeTimeout is the time that a client has for its last request.
const closeTimeout = 2 * time.Second

func shutDown(ctx context.Context, server *http.Server) error {
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}
