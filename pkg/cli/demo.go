package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/rehearsal"
	"github.com/originhub/originhub/pkg/sandbox"
)

func demoCommand() *cobra.Command {
	var templates, functions string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Rehearse the life of two team origins, and print what happens",
		Long: `Demo deploys the synthesized templates and the compiled functions in the local sandbox, and lets five accounts act. Two
teams' origins go live, two shares are refused, and one teardown leaves nothing behind.

Exit codes: 0 everything happened as it should, 5 the teardown left something behind, 1 any other failure`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			began := time.Now()
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			w, err := rehearsal.New(rehearsal.Options{
				Templates: templates, Functions: functions, Sandbox: sandbox.Options{Seed: 1},
			})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			d := newDemo(w, cmd.OutOrStdout())
			if err := d.tell(ctx); err != nil {
				return err
			}
			d.printf("\n   %s of virtual time took %.1f seconds of real time\n", d.TotalElapsed(), time.Since(began).Seconds())
			return nil
		},
	}
	worldFlags(cmd, &templates, &functions)
	return cmd
}

// demo runs and prints one rehearsal.
type demo struct {
	*rehearsal.Stage
	story
}

func newDemo(w *rehearsal.World, out io.Writer) *demo {
	return &demo{rehearsal.NewStage(w), newStory(out)}
}

func (d *demo) tell(ctx context.Context) error {
	d.title("originhub demo: the life of two team origins, in virtual time")
	if err := d.SubscribeEvents(ctx); err != nil {
		return err
	}
	d.chapter("1", "Who is who")
	d.rows([][]string{
		{rehearsal.HubAccount, "networking", "the hub: its distribution serves all teams"},
		{rehearsal.TeamAAccount, "team-a", "outside the organization: its share arrives as an invitation"},
		{rehearsal.TeamBAccount, "team-b", "inside the organization: its share arrives without one"},
		{rehearsal.TeamCAccount, "team-c", "inside the organization, but it shares more than a VPC origin"},
		{rehearsal.StrangerAccount, "stranger", "an account that the hub policy does not name"},
	})
	originB, err := d.onboard(ctx)
	if err != nil {
		return err
	}
	if err := d.matrix(ctx, "3", "HTTP requests to the edge: each team answers its own host and paths only"); err != nil {
		return err
	}
	distribution, before, err := d.Distribution(ctx)
	if err != nil {
		return err
	}
	if err := d.retire(ctx, originB); err != nil {
		return err
	}
	return d.leftovers(ctx, distribution, originB, before)
}

func (d *demo) onboard(ctx context.Context) (rehearsal.VPCOrigin, error) {
	d.chapter("2", "Each of the other four accounts creates a VPC origin and shares it with the hub")
	var originB rehearsal.VPCOrigin
	for _, step := range []struct {
		*rehearsal.Actor
		host, paths string
		extra       []string
	}{
		{d.TeamA, "team-a.example.com", "/team-a/", nil},
		{d.TeamB, "team-b.example.com", "/team-b/", nil},
		{d.TeamC, "team-c.example.com", "/team-c/", []string{"arn:aws:ec2:us-east-1:" + rehearsal.TeamCAccount + ":subnet/subnet-0c0ffee0c0ffee000"}},
		{d.Stranger, "team-a.example.com", "/team-a/", nil},
	} {
		o, err := step.Create(ctx, step.Name+"-api", step.Name, rehearsal.ClaimTags(step.host, step.paths))
		if err != nil {
			return rehearsal.VPCOrigin{}, err
		}
		d.note(d.Elapsed(d.Now()), step.Name, "creates "+o.ID+", which claims "+step.host+" on "+step.paths)
		if step.Actor == d.TeamB {
			originB = o
		}
		step.extra = append([]string{o.ARN}, step.extra...)
		d.pending = append(d.pending, pendingShare{step.Actor, step.extra})
	}
	if err := d.WaitUntilIdle(); err != nil {
		return rehearsal.VPCOrigin{}, err
	}
	d.note(d.Elapsed(d.Now()), "CloudFront", "has deployed all four VPC origins")
	for _, p := range d.pending {
		if _, err := p.Share(ctx, p.Name+"-origins", p.resources...); err != nil {
			return rehearsal.VPCOrigin{}, err
		}
		what := "its VPC origin"
		if len(p.resources) > 1 {
			what = "its VPC origin and a subnet"
		}
		d.note(d.Elapsed(d.Now()), p.Name, "shares "+what)
	}
	if err := d.WaitUntilIdle(); err != nil {
		return rehearsal.VPCOrigin{}, err
	}
	return originB, d.printEvents(ctx)
}

func (d *demo) matrix(ctx context.Context, number, title string) error {
	d.chapter(number, title)
	hosts := []string{"team-a.example.com", "team-b.example.com", "unclaimed.example.com"}
	paths := []string{"/team-a/customers/123", "/team-b/customers/123", "/"}
	rows := [][]string{append([]string{"Host"}, paths...)}
	for i, host := range hosts {
		row := []string{host}
		for j, path := range paths {
			status, body, err := rehearsal.Get(ctx, d.Edge(), host, path)
			if err != nil {
				return err
			}
			own := i == j && i < 2
			if own != (status == 200) || (own && !strings.Contains(body, `"customerId": "123"`)) || (!own && status != 403 && status != 404) {
				return fmt.Errorf("isolation broken: a request for %s%s returned %d %s", host, path, status, body)
			}
			row = append(row, fmt.Sprint(status))
		}
		rows = append(rows, row)
	}
	d.rows(rows)
	_, body, err := rehearsal.Get(ctx, d.Edge(), hosts[0], paths[0])
	if err != nil {
		return err
	}
	d.printf("\n   curl -H 'Host: %s' %s%s\n   %s\n", hosts[0], "http://<edge>", paths[0], body)
	return nil
}

func (d *demo) retire(ctx context.Context, o rehearsal.VPCOrigin) error {
	d.chapter("4", "team-b tags its origin "+contract.TagTeardown+"=now")
	calls := len(d.Calls())
	d.note(d.Elapsed(d.Now()), "team-b", "TagResource on "+o.ID)
	if err := d.TeamB.Tag(ctx, o.ARN, contract.TagTeardown, "now"); err != nil {
		return err
	}
	if err := d.WaitUntilIdle(); err != nil {
		return err
	}
	return d.path(ctx, o, calls)
}

// path prints the tasks that the execution completed: when, what each task observed, and who changed what in which account.
func (d *demo) path(ctx context.Context, o rehearsal.VPCOrigin, from int) error {
	arn, executions := d.TeardownExecution(o.ID, 1), sfn.NewFromConfig(d.Config(rehearsal.HubAccount, rehearsal.Region))
	var history []sfntypes.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(executions, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the history of the execution: %w", err)
		}
		history = append(history, page.Events...)
	}
	acts := actsByStep(d.Calls()[from:])
	d.printf("\n   execution %s of state machine teardown\n\n", contract.TeardownExecution(o.ID, 1))
	step := 0
	for _, e := range history {
		if e.StateExitedEventDetails == nil || e.Type != sfntypes.HistoryEventTypeTaskStateExited {
			continue
		}
		var out struct {
			Says string `json:"says"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(e.StateExitedEventDetails.Output)), &out); err != nil {
			return fmt.Errorf("read the output of %s: %w", aws.ToString(e.StateExitedEventDetails.Name), err)
		}
		d.note(d.Elapsed(*e.Timestamp), aws.ToString(e.StateExitedEventDetails.Name), out.Says)
		if step < len(acts) {
			for _, act := range acts[step] {
				d.act(act)
			}
		}
		step++
	}
	execution, err := executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return fmt.Errorf("read the execution: %w", err)
	}
	if err := ended(o, execution); err != nil {
		return err
	}
	d.verdict("clean")
	return nil
}

// ended returns an error if an execution did not succeed. Only a dirty teardown has the exit code for something left behind, because a
// blocked one can continue.
func ended(o rehearsal.VPCOrigin, execution *sfn.DescribeExecutionOutput) error {
	if execution.Status == sfntypes.ExecutionStatusSucceeded {
		return nil
	}
	err := fmt.Errorf("teardown of %s ended %s: %s", o.ID, execution.Status, aws.ToString(execution.Cause))
	if aws.ToString(execution.Error) == contract.TeardownDirty {
		return &failure{exitLeft, err}
	}
	return err
}

// actsByStep returns, for each run of function teardown, the changes that it made in any account, and those that function wire made while
// the execution waited after it.
func actsByStep(calls []sandbox.Call) [][]string {
	bookkeeping := []string{"dynamodb", "sqs", "events", "sts", "lambda", "states", "sns", "logs"}
	var steps [][]string
	var acts []string
	for _, c := range calls {
		act := fmt.Sprintf("%s %s in %s, as %s", c.Service, c.Operation, c.Account, roleOf(c.Principal))
		switch {
		case c.Operation == "Invoke" && strings.Contains(c.Resource, "TeardownStep"):
			steps = append(steps, acts)
			acts = nil
		case c.ReadOnly || c.Error != "" || c.Function == "" || slices.Contains(bookkeeping, c.Service):
		case strings.Contains(c.Function, "Wire") && len(steps) > 0:
			steps[len(steps)-1] = append(steps[len(steps)-1], act)
		default:
			acts = append(acts, act)
		}
	}
	return steps
}

// roleOf returns the role's name from the ARN of a session, arn:aws:sts::<account>:assumed-role/<role>/<session>, without the suffix that
// CloudFormation appends.
func roleOf(principal string) string {
	parts := strings.Split(principal, "/")
	if len(parts) < 3 {
		return principal
	}
	return madeUnique.ReplaceAllString(parts[len(parts)-2], "")
}

var madeUnique = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-Z]{12}$`)

func (d *demo) leftovers(ctx context.Context, distribution string, gone rehearsal.VPCOrigin, before []byte) error {
	d.chapter("5", "What is left in each account")
	_, after, err := d.Distribution(ctx)
	if err != nil {
		return err
	}
	if err := rehearsal.CheckOnlyOriginRemoved(before, after, gone.ID); err != nil {
		return &failure{exitLeft, err}
	}
	rows := [][]string{{"account", "", "VPC origins", "shares", "interfaces"}}
	for _, a := range []*rehearsal.Actor{d.TeamA, d.TeamB, d.TeamC, d.Stranger} {
		held, err := rehearsal.ReadInventory(d.Sandbox, a.Account)
		if err != nil {
			return err
		}
		if a == d.TeamB && (held.VPCOrigins != 0 || held.Shares != 0 || len(held.ENIs) != 0 || len(held.Groups) != 0) {
			return &failure{exitLeft, fmt.Errorf("team-b still has something after its teardown: %+v", held)}
		}
		rows = append(rows, []string{a.Account, a.Name, fmt.Sprint(held.VPCOrigins), fmt.Sprint(held.Shares), fmt.Sprint(len(held.ENIs))})
	}
	d.rows(rows)
	d.printf("\n   In distribution %s, team-a's origin and everything unmanaged are byte for byte as before.\n", distribution)
	status, body, err := rehearsal.Get(ctx, d.Edge(), "team-a.example.com", "/team-a/customers/123")
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("team-a is off the air: a request returned %d %s", status, body)
	}
	d.printf("   Requests for team-a still return 200.\n\n")
	d.printf("   API calls of the hub's functions\n")
	d.rows(callCounts(d.Calls()))
	return nil
}

// callCounts returns a table of the functions' calls: service, reads, writes.
func callCounts(calls []sandbox.Call) [][]string {
	counts := map[string]*[2]int{}
	for _, c := range calls {
		if c.Function == "" {
			continue
		}
		if counts[c.Service] == nil {
			counts[c.Service] = new([2]int)
		}
		if c.ReadOnly {
			counts[c.Service][0]++
		} else {
			counts[c.Service][1]++
		}
	}
	rows := [][]string{{"service", "reads", "writes"}}
	for _, service := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, []string{service, fmt.Sprint(counts[service][0]), fmt.Sprint(counts[service][1])})
	}
	return rows
}

// printEvents prints the events that the hub published since the last call.
func (d *demo) printEvents(ctx context.Context) error {
	events, err := d.ReceiveEvents(ctx)
	if err != nil {
		return err
	}
	for _, h := range events {
		subject := h.Detail.Origin
		if h.Detail.What != "" {
			subject = h.Detail.What
		}
		if h.Detail.Account != "" {
			subject += " of " + d.nameOf(h.Detail.Account)
		}
		d.event(d.Elapsed(h.Time), h.Type, h.Detail.Severity == contract.SeverityAlarm, subject, h.Detail.Why)
	}
	return nil
}

func (d *demo) nameOf(account string) string {
	for _, a := range []*rehearsal.Actor{d.TeamA, d.TeamB, d.TeamC, d.Stranger} {
		if a.Account == account {
			return a.Name
		}
	}
	return account
}
