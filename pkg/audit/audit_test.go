package audit

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
	"github.com/originhub/originhub/pkg/wiring"
)

const (
	hub          = "100000000000"
	teamA        = "111111111111"
	teamB        = "222222222222"
	distribution = "EDFDVBD6EXAMPLE"
	zone         = "Z0EXAMPLE"
	domain       = "d111111abcdef8.cloudfront.net"
	shareA       = "arn:aws:ram:us-east-1:111111111111:resource-share/a"
	arnA         = "arn:aws:cloudfront::111111111111:vpcorigin/vo_a"
	balancer     = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/a/50dc6c495c0c9188"
	wireQueue    = "https://sqs.us-east-1.amazonaws.com/100000000000/wire"
)

var now = time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)

// orderly is a world in which nothing is wrong: one origin, live.
func orderly() Observed {
	ref := origin.Ref{ID: "vo_a", ARN: arnA, Account: teamA}
	seen := origin.VpcOrigin{Ref: ref, Deployed: true, Endpoint: balancer, Created: now.Add(-30 * 24 * time.Hour)}
	o := Begin(Hub{
		Policy: hubpolicy.Policy{
			Policy: admission.Policy{
				Domain: "example.com", Distribution: admission.Distribution{Create: 1}, Aliases: admission.Wildcard,
				Teams: []admission.Team{
					{Name: "team-a", Accounts: []string{teamA}, Spoke: true}, {Name: "team-b", Accounts: []string{teamB}},
				},
			},
			Hub: "networking", HostedZone: zone, Certificate: "arn:aws:acm:us-east-1:" + hub + ":certificate/1",
		},
		Account: hub, WireQueue: wireQueue,
	}, origin.Snapshot{
		Now:           now,
		Distributions: []origin.Distribution{{Name: origin.Main, Identity: origin.Identity{ID: distribution, Domain: domain}}},
		Records: []origin.Record{{
			Ref: ref, Distribution: origin.Main, Team: "team-a", Share: shareA, Intent: origin.Wire, State: origin.Live,
			Claim: origin.Claim{Hosts: []string{"team-a.example.com"}, Paths: []string{"/team-a/*"}, Domain: "internal.example.com"},
		}},
	})
	o.Offered = []origin.Resource{{Share: shareA, ARN: arnA, Type: "cloudfront:VpcOrigin"}}
	o.Visible = []origin.VpcOrigin{seen}
	o.Owned = []Owned{{VpcOrigin: seen, Users: []origin.User{{Distribution: distribution, Account: hub}}}}
	o.Listed = []origin.Listed{{
		ID: distribution, Domain: domain, Enabled: true, IPv6: true, Aliases: []string{"*.example.com"},
		Origins: []origin.ListedOrigin{
			{ID: "originhub.placeholder", Domain: "placeholder.invalid"}, {ID: "originhub-vo_a", VPCOrigin: "vo_a", Domain: "internal.example.com"},
		},
		Behaviors: []origin.ListedBehavior{{Path: "/team-a/*", Target: "originhub-vo_a"}},
	}}
	o.DNS = []origin.DNSRecord{
		{Name: "team-a.example.com", Type: "A", Target: domain}, {Name: "team-a.example.com", Type: "AAAA", Target: domain},
	}
	o.Function = origin.Function{Name: function, Code: wiring.NotFoundFunction}
	return o
}

// Changes of an orderly world.

func adopted(o *Observed) {
	o.Policy.Distribution = admission.Distribution{Adopt: []string{distribution}}
}
func off1(o *Observed) { o.Listed[0].Enabled = false }
func out(o *Observed)  { o.Listed[0].Origins, o.Listed[0].Behaviors = o.Listed[0].Origins[:1], nil }
func unshared(o *Observed) {
	o.Offered, o.Visible = nil, nil
}

func damaged(o *Observed) {
	o.Records, o.Damaged = nil, []origin.Damaged{{Origin: "vo_a"}}
}

func aside(o *Observed) {
	o.Aside, o.Records = o.Records, nil
}
func leaving(o *Observed) { o.Records[0].Teardown = &origin.Teardown{} }

func two(o *Observed) {
	o.Managed = append(o.Managed, "E2")
	o.Distributions = append(o.Distributions, origin.Distribution{Name: "main-2", Identity: origin.Identity{ID: "E2"}})
}

// edited has the configuration of the distribution as the registry knows it, but for what a text in it is replaced by.
func edited(was, is string) func(*Observed) {
	return func(o *Observed) {
		c := wiring.Base(wiring.BaseSpec{CallerReference: o.Policy.CallerReference(origin.Main), Aliases: []string{"*.example.com"}})
		plan, err := wiring.Diff(wiring.DesiredOf(o.Records, nil, o.Policy.Spec(o.Distributions[0], c)), c)
		if err != nil {
			panic(err)
		}
		if c, err = wiring.Apply(plan, c); err != nil {
			panic(err)
		}
		if !strings.Contains(string(c.Bytes()), was) {
			panic(was + " is not in " + string(c.Bytes()))
		}
		if c, err = wiring.ParseConfig([]byte(strings.ReplaceAll(string(c.Bytes()), was, is))); err != nil {
			panic(err)
		}
		o.Configs = map[string]*wiring.Config{distribution: c}
	}
}

func all(changes ...func(*Observed)) func(*Observed) {
	return func(o *Observed) {
		for _, change := range changes {
			change(o)
		}
	}
}

// row is one row of a table of findings.
type row struct {
	name   string
	change func(*Observed)
	want   []Kind
	says   string // in the first finding's words or command
}

// finds holds a function to the rows of its table.
func finds(t *testing.T, find func(Observed) []Finding, rows []row) {
	t.Helper()
	for _, c := range rows {
		o := orderly()
		if c.change != nil {
			c.change(&o)
		}
		found := find(o)
		var kinds []Kind
		for _, f := range found {
			kinds = append(kinds, f.Kind)
			if f.Subject == "" || f.Account == "" || f.Risk == "" || f.Repair == "" || f.Cost == "" {
				t.Errorf("%s: something is left out: %+v", c.name, f)
			}
			repairs(t, f)
		}
		if !slices.Equal(kinds, c.want) {
			t.Errorf("%s: found %+v, want %v", c.name, found, c.want)
		} else if len(found) > 0 && !strings.Contains(found[0].Risk+" "+found[0].Repair, c.says) {
			t.Errorf("%s: %+v does not say %q", c.name, found[0], c.says)
		}
	}
}

// pasted runs a command in a shell that knows nothing but aws, and returns the calls, one a line, each argument in brackets.
func pasted(t *testing.T, command string) string {
	t.Helper()
	shell := exec.Command("bash", "-c", `PATH=/nowhere; set -eu; exec 3>&1; aws() { printf '[%s]' "$@" >&3; echo >&3; }; `+command)
	shell.Dir = t.TempDir()
	var said, complaints strings.Builder
	shell.Stdout, shell.Stderr = &said, &complaints
	if err := shell.Run(); err != nil || complaints.Len() > 0 || said.Len() == 0 {
		t.Errorf("%s\ncannot be pasted into a shell: %v, %s", command, err, complaints.String())
	}
	return said.String()
}

// repairs checks that the repair command of a finding can be pasted into a shell, and that it is for the account that owns the resource.
func repairs(t *testing.T, f Finding) {
	t.Helper()
	in := f.Account
	for _, ofTheHub := range []string{"route53", "sqs", "distribution"} {
		if strings.Contains(f.Repair, ofTheHub) {
			in = hub
		}
	}
	if f.In != in {
		t.Errorf("%s\nis to be run in account %q, want %s", f.Repair, f.In, in)
	}
	for _, call := range strings.Split(strings.TrimSpace(pasted(t, f.Repair)), "\n") {
		if !strings.Contains(call, "[--region]") {
			t.Errorf("%s\nrests on a Region that is configured: %s", f.Repair, call)
		}
	}
}

// said lists the events of an outcome, each with its kind of finding and whether it is an alarm.
func said(o outcome.Outcome) (events []string) {
	for _, e := range o.Events {
		line := e.Type + " " + e.Detail.Kind
		if e.Detail.Severity == contract.SeverityAlarm {
			line += "!"
		}
		events = append(events, line)
	}
	return events
}

func TestNothingIsFoundInAnOrderlyWorld(t *testing.T) {
	if found := Audit(orderly()); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

func TestSideDoorsComeFirst(t *testing.T) {
	o := orderly()
	o.DNS[0].Target = ""
	o.Listed[0].Origins = o.Listed[0].Origins[:1]
	o.Listed = append(o.Listed, origin.Listed{ID: "EOTHER", Origins: []origin.ListedOrigin{{VPCOrigin: "vo_x"}}})
	var kinds []Kind
	for _, f := range Audit(o) {
		kinds = append(kinds, f.Kind)
	}
	if want := []Kind{HostElsewhere, DistributionDisabled, SharedNotWired}; !slices.Equal(kinds, want) {
		t.Errorf("found %v, want %v", kinds, want)
	}
}

func TestDecideSweepReportsCountsAndRemembers(t *testing.T) {
	o := orderly()
	o.DNS[0].Target = ""
	o.Findings = origin.Findings{
		Version: 7, Calls: []string{"1"}, Open: []origin.OpenFinding{{Kind: string(WiredNotShared), Subject: arnA, Origin: "vo_a", Account: teamA}},
	}
	d := DecideSweep(o)
	if want := []string{"Leak Found host-elsewhere!", "Leak Resolved wired-not-shared"}; !slices.Equal(said(d.Outcome), want) {
		t.Errorf("said %q, want %q", said(d.Outcome), want)
	}
	want := map[string]float64{contract.MetricLeaksOpen: 1, contract.MetricSideDoorsOpen: 1}
	for _, m := range d.Metrics {
		if m.Value != want[m.Name] {
			t.Errorf("%s is %v", m.Name, m.Value)
		}
		delete(want, m.Name)
	}
	if len(want) > 0 || len(d.Triggers) > 0 {
		t.Errorf("not counted: %v, triggered: %v", want, d.Triggers)
	}
	if r := d.Remember; r == nil || r.Version != 7 || !slices.Equal(r.Calls, []string{"1"}) || len(r.Open) != 1 || r.Open[0].Kind != string(HostElsewhere) {
		t.Errorf("remembers %+v", r)
	}
}
