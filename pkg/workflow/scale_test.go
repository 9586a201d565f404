package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// crowd is a hub with as many accounts as origins. Each call to it takes as long as latency says, on the bubble's clock.
type crowd struct {
	records []origin.Record
	latency time.Duration
	calls   atomic.Int64
	asked   []string // accounts in the order in which they were asked, in crowds where they are asked one at a time
}

func newCrowd(n int, latency time.Duration) (*crowd, hubpolicy.Policy) {
	c, p := &crowd{latency: latency}, hubpolicy.Policy{
		Hub: "hub", Policy: admission.Policy{Domain: "example.com", Distribution: admission.Distribution{Adopt: []string{"E1"}}},
	}
	for i := range n {
		account := fmt.Sprintf("%012d", i)
		claim := origin.Claim{Hosts: []string{"t" + account + ".example.com"}, Paths: []string{"/" + account + "/*"}, Domain: "internal.example.com"}
		c.records = append(c.records, origin.Record{
			Ref:  origin.Ref{ID: "vo_" + account, ARN: "arn:aws:cloudfront::" + account + ":vpcorigin/vo_" + account, Account: account},
			Team: "t" + account, Share: "share-" + account, Claim: claim, Distribution: origin.Main,
			Intent: origin.Wire, State: origin.Live, Generation: 1,
		})
		p.Teams = append(p.Teams, admission.Team{
			Name: "t" + account, Accounts: []string{account}, Spoke: true,
			Grants: []admission.Grant{{Host: claim.Hosts[0], Paths: claim.Paths}},
		})
	}
	return c, p
}

func (c *crowd) call() {
	c.calls.Add(1)
	time.Sleep(c.latency)
}

func (c *crowd) Load(context.Context) (origin.Snapshot, error) {
	c.call()
	return origin.Snapshot{Now: time.Now(), Records: slices.Clone(c.records), Refusals: map[string][]origin.Reason{}, Tallies: map[string]origin.Tally{}}, nil
}

func (c *crowd) LoadOrigins(ctx context.Context, _, _, _, _ []string) (origin.Snapshot, error) {
	return c.Load(ctx)
}

func (c *crowd) Find(context.Context, []string) ([]origin.Record, error) {
	c.call()
	return nil, nil
}

func (c *crowd) Move(_ context.Context, r origin.Record, _ time.Time) error {
	return fmt.Errorf("%s is moved", r.ID)
}

func (c *crowd) PutFleet(context.Context, origin.Fleet) error { return nil }

func (c *crowd) PutRecord(_ context.Context, r origin.Record) (origin.Record, error) {
	return r, fmt.Errorf("nothing has changed, and %s is written", r.ID)
}

func (c *crowd) MoveRecord(ctx context.Context, _ string, r origin.Record) (origin.Record, error) {
	return c.PutRecord(ctx, r)
}

func (c *crowd) PutRefusal(_ context.Context, what string, reasons []origin.Reason, _ time.Time) error {
	return fmt.Errorf("%s is refused: %s", what, reasons)
}

func (c *crowd) PutTally(context.Context, origin.Tally, time.Time) error { return nil }
func (c *crowd) PutFindings(context.Context, origin.Findings, origin.Findings) error {
	c.call()
	return nil
}

func (c *crowd) Invitations(context.Context) ([]origin.Invitation, error) { c.call(); return nil, nil }
func (c *crowd) Open(context.Context, string) ([]origin.Resource, error)  { return nil, nil }
func (c *crowd) Rejected(context.Context, string) (origin.Invitation, error) {
	return origin.Invitation{}, &fault.Absent{}
}

func (c *crowd) Accepted(context.Context, string) (origin.Invitation, error) {
	return origin.Invitation{}, &fault.Absent{}
}

func (c *crowd) Function(context.Context, string) (origin.Function, error) {
	c.call()
	return origin.Function{}, nil
}
func (c *crowd) Accept(context.Context, string) error { return nil }
func (c *crowd) Reject(context.Context, string) error { return nil }

func (c *crowd) Shares(context.Context) ([]origin.Share, error) {
	c.call()
	var list []origin.Share
	for _, r := range c.records {
		list = append(list, origin.Share{ARN: r.Share, Owner: r.Account})
	}
	return list, nil
}

func (c *crowd) Memberships(context.Context) (map[string]origin.Membership, error) {
	c.call()
	all := map[string]origin.Membership{}
	for _, r := range c.records {
		all[r.Share] = origin.Inside
	}
	return all, nil
}

func (c *crowd) Resources(context.Context) ([]origin.Resource, error) {
	c.call()
	var list []origin.Resource
	for _, r := range c.records {
		list = append(list, origin.Resource{Share: r.Share, ARN: r.ARN, Type: "cloudfront:VpcOrigin"})
	}
	return list, nil
}

func (c *crowd) ConflictingAliases(context.Context, string, string) ([]origin.AliasHolder, error) {
	return nil, errors.New("unexpected")
}

func (c *crowd) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	c.call()
	var list []origin.VpcOrigin
	for _, r := range c.records {
		list = append(list, origin.VpcOrigin{Ref: r.Ref, Deployed: true})
	}
	return list, nil
}

func (c *crowd) Distribution(context.Context, string) (origin.Served, error) {
	return origin.Served{}, nil
}

func (c *crowd) Distributions(context.Context) ([]origin.Listed, error) { c.call(); return nil, nil }

func (c *crowd) Records(context.Context, []string) ([]origin.DNSRecord, error) {
	c.call()
	return nil, nil
}

// member is one account of the crowd. A role is assumed with its first call.
type member struct {
	*crowd
	origin.Record
}

func (c *crowd) spoke(account string) member {
	i, _ := strconv.Atoi(account)
	return member{c, c.records[i]}
}

func (m member) Tags(context.Context, string) (map[string]string, error) {
	if len(m.records) <= accountsPerWorker {
		m.asked = append(m.asked, m.Account)
	}
	m.call() // AssumeRole
	m.call()
	return map[string]string{
		contract.TagHost: m.Claim.Hosts[0], contract.TagPaths: strings.TrimSuffix(m.Claim.Paths[0], "*"), contract.TagDomain: m.Claim.Domain,
	}, nil
}

func (c *crowd) VpcOrigin(context.Context, string) (origin.VpcOrigin, error) {
	return origin.VpcOrigin{}, errors.New("unexpected")
}

func (m member) VpcOrigins(context.Context) ([]origin.VpcOrigin, error) {
	m.call() // AssumeRole
	m.call()
	return []origin.VpcOrigin{{Ref: m.Ref, Deployed: true, Endpoint: "arn:aws:elasticloadbalancing:us-east-1:" + m.Account + ":loadbalancer/app/a/1"}}, nil
}

func (m member) UsersOf(context.Context, string) ([]origin.User, error) {
	m.call()
	return []origin.User{{Distribution: "E1", Account: "100000000000"}}, nil
}

func (m member) ManagedENIs(context.Context, string, string) ([]origin.ENI, error) {
	m.call() // AssumeRole
	m.call()
	return []origin.ENI{{ID: "eni-1", VPC: "vpc-1", Subnet: "subnet-1"}}, nil
}

func (m member) Endpoint(context.Context, string) (origin.Endpoint, error) {
	m.call()
	return origin.Endpoint{Region: "us-east-1", VPC: "vpc-1", Subnets: []string{"subnet-1"}}, nil
}

type silent struct{}

func (silent) Send(context.Context, string, time.Duration) error { return nil }
func (silent) Publish(context.Context, ...origin.Event) error    { return nil }
func (silent) Record(outcome.Metric)                             {}
func (silent) Execution(context.Context, string, string) (origin.Execution, error) {
	return origin.Execution{Status: "RUNNING"}, nil
}
func (silent) Start(context.Context, string, string, string) error { return nil }

func sweeps(c *crowd, p hubpolicy.Policy) map[string]func(context.Context) error {
	log := slog.New(slog.DiscardHandler)
	admit := &Admit{
		Policy: p.Policy, Registry: c, Past: c, Shares: c, CloudFront: c, Spoke: func(a string) Spoke { return c.spoke(a) },
		Queue: silent{}, WireQueue: silent{}, Bus: silent{}, Meter: silent{}, Log: log,
	}
	retire := &Retire{
		Policy: p, Registry: c, Spoke: func(a string) Spoke { return c.spoke(a) }, Executions: silent{}, Bus: silent{}, Meter: silent{}, Log: log,
	}
	audits := &Audit{
		Policy: p, Account: "100000000000", Registry: c, Shares: c, CloudFront: c, DNS: c,
		Spoke: func(a string) SpokeOrigins { return c.spoke(a) }, Network: func(a string) OwnerNetwork { return c.spoke(a) },
		Current:    func(context.Context, string) (bool, error) { return true, nil },
		AdmitQueue: silent{}, WireQueue: silent{}, Bus: silent{}, Meter: silent{}, Log: log,
	}
	return map[string]func(context.Context) error{
		"admit":  func(ctx context.Context) error { return admit.Run(ctx, []inbound.Message{inbound.Sweep{}}) },
		"retire": func(ctx context.Context) error { return retire.Run(ctx, inbound.Sweep{}) },
		"audit":  func(ctx context.Context) error { return audits.Run(ctx, inbound.Sweep{}) },
	}
}

// The functions' timeouts are in infra/hub.go: five minutes, and ten for audit. 100 ms a call is twice what is usual, and each
// role is assumed anew, as by a process that has just started. Time is the bubble's: nobody waits for it.
func TestThousandAccountsAreAskedInTime(t *testing.T) {
	for name, limit := range map[string]time.Duration{"admit": time.Minute, "retire": time.Minute, "audit": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := newCrowd(1000, 100*time.Millisecond)
				began := time.Now()
				if err := sweeps(c, p)[name](t.Context()); err != nil {
					t.Fatal(err)
				}
				took := time.Since(began)
				t.Logf("%s: %d calls of %v in %v", name, c.calls.Load(), c.latency, took)
				if took > limit {
					t.Errorf("it takes %v", took)
				}
			})
		})
	}
}

// A usual hub's calls come in the same order every time.
func TestFewAccountsAreAskedInTheirOrder(t *testing.T) {
	for _, name := range []string{"admit", "retire"} {
		synctest.Test(t, func(t *testing.T) {
			c, p := newCrowd(accountsPerWorker, time.Millisecond)
			if err := sweeps(c, p)[name](t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(c.asked) != accountsPerWorker || !slices.IsSorted(c.asked) {
				t.Errorf("%s asks %d accounts: %v", name, len(c.asked), c.asked)
			}
		})
	}
}
