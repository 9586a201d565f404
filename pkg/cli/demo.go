package cli

import (
	"bytes"
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
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/sandbox"
)

func demoCommand() *cobra.Command {
	var templates, functions string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Rehearse the life of two team origins, and tell it as a story",
		Long: `Demo deploys the synthesized templates and the compiled functions in the local sandbox, and lets five accounts act: two
teams whose origins go live, two shares that are refused, and a teardown that leaves nothing behind.

Exit code 0: everything came about as told; 5: the teardown left something; 1: anything else.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			began := time.Now()
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			w, err := newWorld(worldOptions{
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
			d.printf("\n   %s of virtual time in %.1f seconds of real time\n", d.span(), time.Since(began).Seconds())
			return nil
		},
	}
	worldFlags(cmd, &templates, &functions)
	return cmd
}

// demo tells one story. Everything it says it saw through the same APIs that anybody can call.
type demo struct {
	*world
	story
	start time.Time

	hub           *awscloudfront.Client
	hubCloudFront *cloudfront.Client
	events        *eventbridge.Client
	queues        *sqs.Client
	executions    *sfn.Client
	listening     string // URL of the queue that hears every event of the hub

	teamA, teamB, teamC, stranger *actor
}

func newDemo(w *world, out io.Writer) *demo {
	cfg := w.Config(hubAccount, region)
	return &demo{
		world: w, story: newStory(out), start: w.Now(),
		hub: awscloudfront.New(cfg), hubCloudFront: cloudfront.NewFromConfig(cfg), events: eventbridge.NewFromConfig(cfg),
		queues: sqs.NewFromConfig(cfg), executions: sfn.NewFromConfig(cfg),
		teamA:    newActor(w.Sandbox, "team-a", teamAAccount),
		teamB:    newActor(w.Sandbox, "team-b", teamBAccount),
		teamC:    newActor(w.Sandbox, "team-c", teamCAccount),
		stranger: newActor(w.Sandbox, "stranger", strangerAccount),
	}
}

func (d *demo) tell(ctx context.Context) error {
	d.title("originhub demo: the life of two team origins, in virtual time")
	if err := d.listen(ctx); err != nil {
		return err
	}
	d.chapter("1", "Who is who")
	d.rows("   ", [][]string{
		{hubAccount, "networking", "the hub: one distribution for everybody"},
		{teamAAccount, "team-a", "outside the organization: its share arrives as an invitation"},
		{teamBAccount, "team-b", "inside the organization: its share arrives without one"},
		{teamCAccount, "team-c", "a known account, but it shares more than a VPC origin"},
		{strangerAccount, "stranger", "nobody knows it"},
	})
	originB, err := d.onboard(ctx)
	if err != nil {
		return err
	}
	if err := d.matrix(ctx, "3", "Requests to the edge, over HTTP"); err != nil {
		return err
	}
	distribution, before, err := d.distribution(ctx)
	if err != nil {
		return err
	}
	if err := d.retire(ctx, originB); err != nil {
		return err
	}
	return d.leftovers(ctx, distribution, originB, before)
}

func (d *demo) at(t time.Time) string { return since(d.start, t) }
func (d *demo) span() string          { return strings.TrimPrefix(d.at(d.Now()), "+") }

func (d *demo) onboard(ctx context.Context) (vpcOrigin, error) {
	d.chapter("2", "Everybody creates a VPC origin and shares it with the hub")
	var originB vpcOrigin
	for _, step := range []struct {
		*actor
		host, paths string
		extra       []string
	}{
		{d.teamA, "team-a.example.com", "/team-a/", nil},
		{d.teamB, "team-b.example.com", "/team-b/", nil},
		{d.teamC, "team-c.example.com", "/team-c/", []string{"arn:aws:ec2:us-east-1:" + teamCAccount + ":subnet/subnet-0c0ffee0c0ffee000"}},
		{d.stranger, "team-a.example.com", "/team-a/", nil},
	} {
		o, err := step.create(ctx, step.name+"-api", step.name, claim(step.host, step.paths))
		if err != nil {
			return vpcOrigin{}, err
		}
		d.note(d.at(d.Now()), step.name, "creates "+o.id+", which claims "+step.host+" on "+step.paths)
		if step.actor == d.teamB {
			originB = o
		}
		step.extra = append([]string{o.arn}, step.extra...)
		d.pending = append(d.pending, pendingShare{step.actor, step.extra})
	}
	d.UntilIdle()
	d.note(d.at(d.Now()), "CloudFront", "has deployed all four")
	for _, p := range d.pending {
		if _, err := p.share(ctx, p.name+"-origins", p.resources...); err != nil {
			return vpcOrigin{}, err
		}
		what := "its VPC origin"
		if len(p.resources) > 1 {
			what = "its VPC origin and a subnet"
		}
		d.note(d.at(d.Now()), p.name, "shares "+what)
	}
	d.UntilIdle()
	return originB, d.hear(ctx)
}

func (d *demo) matrix(ctx context.Context, number, title string) error {
	d.chapter(number, title)
	hosts := []string{"team-a.example.com", "team-b.example.com", "unclaimed.example.com"}
	paths := []string{"/team-a/customers/123", "/team-b/customers/123", "/"}
	rows := [][]string{append([]string{"Host"}, paths...)}
	for i, host := range hosts {
		row := []string{host}
		for j, path := range paths {
			status, body, err := get(ctx, d.Edge(), host, path)
			if err != nil {
				return err
			}
			own := i == j && i < 2
			if own != (status == 200) || (own && !strings.Contains(body, `"customerId": "123"`)) || (!own && status != 403 && status != 404) {
				return fmt.Errorf("isolation: Host %s with %s answers %d %s", host, path, status, body)
			}
			row = append(row, fmt.Sprint(status))
		}
		rows = append(rows, row)
	}
	d.rows("   ", rows)
	_, body, err := get(ctx, d.Edge(), hosts[0], paths[0])
	if err != nil {
		return err
	}
	d.printf("\n   curl -H 'Host: %s' %s%s\n   %s\n", hosts[0], "http://<edge>", paths[0], body)
	return nil
}

func (d *demo) retire(ctx context.Context, o vpcOrigin) error {
	d.chapter("4", "team-b tags its origin "+contract.TagTeardown+"=now")
	calls := len(d.Calls())
	d.note(d.at(d.Now()), "team-b", "TagResource on "+o.id)
	if err := d.teamB.tag(ctx, o.arn, contract.TagTeardown, "now"); err != nil {
		return err
	}
	d.UntilIdle()
	return d.path(ctx, o, calls)
}

// path prints the states that the execution went through: when, what was seen, who acted in which account.
func (d *demo) path(ctx context.Context, o vpcOrigin, from int) error {
	arn := strings.Replace(d.outputs["TeardownStateMachineArn"], ":stateMachine:", ":execution:", 1) + ":" + contract.TeardownExecution(o.id, 1)
	var history []sfntypes.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(d.executions, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the execution's history: %w", err)
		}
		history = append(history, page.Events...)
	}
	acts := actsByStep(d.Calls()[from:])
	d.printf("\n   state machine %s\n\n", contract.TeardownExecution(o.id, 1))
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
		d.note(d.at(*e.Timestamp), aws.ToString(e.StateExitedEventDetails.Name), out.Says)
		if step < len(acts) {
			for _, act := range acts[step] {
				d.act(act)
			}
		}
		step++
	}
	execution, err := d.executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return fmt.Errorf("read the execution: %w", err)
	}
	if err := ended(o, execution); err != nil {
		return err
	}
	d.verdict("clean")
	return d.drain(ctx)
}

// ended is why an execution did not end clean. Only dirty left something behind: what stopped on the way can go on.
func ended(o vpcOrigin, execution *sfn.DescribeExecutionOutput) error {
	if execution.Status == sfntypes.ExecutionStatusSucceeded {
		return nil
	}
	err := fmt.Errorf("teardown of %s ended %s: %s", o.id, execution.Status, aws.ToString(execution.Cause))
	if aws.ToString(execution.Error) == contract.TeardownDirty {
		return &failure{exitLeft, err}
	}
	return err
}

// actsByStep lists, for each call of the teardown function, what was changed in any account before it returned, and, while
// the execution then waited, by function wire.
func actsByStep(calls []sandbox.Call) [][]string {
	bookkeeping := []string{"dynamodb", "sqs", "events", "sts", "lambda", "states", "sns", "logs"}
	var steps [][]string
	var acts []string
	for _, c := range calls {
		act := fmt.Sprintf("%s %s in account %s, as %s", c.Service, c.Operation, c.Account, roleOf(c.Principal))
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

// roleOf names the role of a session, arn:aws:sts::<account>:assumed-role/<role>/<session>, without what CloudFormation
// appended to it.
func roleOf(principal string) string {
	parts := strings.Split(principal, "/")
	if len(parts) < 3 {
		return principal
	}
	return madeUnique.ReplaceAllString(parts[len(parts)-2], "")
}

var madeUnique = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-Z]{12}$`)

func (d *demo) leftovers(ctx context.Context, distribution string, gone vpcOrigin, before []byte) error {
	d.chapter("5", "What is left")
	_, after, err := d.distribution(ctx)
	if err != nil {
		return err
	}
	if err := sameButFor(before, after, gone.id); err != nil {
		return &failure{exitLeft, err}
	}
	rows := [][]string{{"account", "", "VPC origins", "shares", "interfaces"}}
	for _, a := range []*actor{d.teamA, d.teamB, d.teamC, d.stranger} {
		held, err := holdings(d.Sandbox, a.account)
		if err != nil {
			return err
		}
		if a == d.teamB && (held.VPCOrigins != 0 || held.Shares != 0 || len(held.ENIs) != 0 || len(held.Groups) != 0) {
			return &failure{exitLeft, fmt.Errorf("team-b still has %+v", held)}
		}
		rows = append(rows, []string{a.account, a.name, fmt.Sprint(held.VPCOrigins), fmt.Sprint(held.Shares), fmt.Sprint(len(held.ENIs))})
	}
	d.rows("   ", rows)
	d.printf("\n   distribution %s: team-a's origin and everything foreign is byte for byte as before\n", distribution)
	status, body, err := get(ctx, d.Edge(), "team-a.example.com", "/team-a/customers/123")
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("team-a is off the air: it answers %d %s", status, body)
	}
	d.printf("   team-a still answers 200\n\n")
	counts := map[string]int{}
	for _, c := range d.Calls() {
		if c.Function != "" {
			counts[c.Service+" "+kind(c)]++
		}
	}
	d.printf("   API calls of the hub's functions\n")
	rows = nil
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, []string{k, fmt.Sprint(counts[k])})
	}
	d.rows("     ", rows)
	return nil
}

func kind(c sandbox.Call) string {
	if c.ReadOnly {
		return "read"
	}
	return "write"
}

// distribution returns the id and the configuration of the hub's one distribution.
func (d *demo) distribution(ctx context.Context) (string, []byte, error) {
	list, err := d.hubCloudFront.ListDistributions(ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return "", nil, fmt.Errorf("list distributions: %w", err)
	}
	own := list.DistributionList.Items
	if len(own) > 1 { // another hub has one too
		own = slices.DeleteFunc(own, func(s cloudfronttypes.DistributionSummary) bool {
			return aws.ToString(s.Comment) != d.policy.Distribution.Base.Comment
		})
	}
	if len(own) != 1 {
		return "", nil, fmt.Errorf("the hub has %d distributions, want 1", len(own))
	}
	id := aws.ToString(own[0].Id)
	served, err := d.hub.Distribution(ctx, id)
	return id, served.Config, err
}

var (
	originElement   = regexp.MustCompile(`(?s)<(Origin|CacheBehavior)>.*?</(?:Origin|CacheBehavior)>`)
	quantityElement = regexp.MustCompile(`<Quantity>\d+</Quantity>`)
)

// sameButFor checks, without any code of the product's, that a configuration differs from another one only by the origin
// that left, its behaviors, and the quantities.
func sameButFor(before, after []byte, gone string) error {
	if bytes.Contains(after, []byte(gone)) {
		return fmt.Errorf("the distribution still names %s", gone)
	}
	without := originElement.ReplaceAllFunc(before, func(e []byte) []byte {
		if bytes.Contains(e, []byte(gone)) {
			return nil
		}
		return e
	})
	count := func(config []byte) []byte { return quantityElement.ReplaceAll(config, []byte("<Quantity/>")) }
	if !bytes.Equal(count(without), count(after)) {
		return errors.New("the distribution changed in more than the origin that left")
	}
	return nil
}

// listen subscribes a queue to everything that the hub publishes, as any consumer may.
func (d *demo) listen(ctx context.Context) error {
	bus := contract.BusName(d.policy.Hub)
	name := "originhub-demo"
	queue := "arn:aws:sqs:" + region + ":" + hubAccount + ":" + name
	permission, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue,
	}}})
	if err != nil {
		return err
	}
	made, err := d.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"Policy": string(permission)}})
	if err != nil {
		return fmt.Errorf("listen to the hub: %w", err)
	}
	d.listening = aws.ToString(made.QueueUrl)
	pattern, err := json.Marshal(map[string]any{"source": []string{contract.EventSource}})
	if err != nil {
		return err
	}
	if _, err := d.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventBusName: &bus, EventPattern: aws.String(string(pattern))}); err != nil {
		return fmt.Errorf("listen to the hub: %w", err)
	}
	_, err = d.events.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: &name, EventBusName: &bus, Targets: []eventbridgetypes.Target{{Id: &name, Arn: &queue}},
	})
	if err != nil {
		return fmt.Errorf("listen to the hub: %w", err)
	}
	return nil
}

// heard is an event of the hub.
type heard struct {
	Time   time.Time `json:"time"`
	Type   string    `json:"detail-type"`
	Detail struct {
		Severity string   `json:"severity"`
		Origin   string   `json:"origin"`
		Account  string   `json:"account"`
		Team     string   `json:"team"`
		What     string   `json:"what"`
		Why      string   `json:"why"`
		Codes    []string `json:"codes"`
		Kind     string   `json:"kind"`
		Who      string   `json:"who"`
		Age      string   `json:"age"`
		Cost     string   `json:"cost"`
		Repair   string   `json:"repair"`
		RepairIn string   `json:"repairIn"`
	} `json:"detail"`
}

// messages takes the events heard since the last time, oldest first.
func (d *demo) messages(ctx context.Context) ([]heard, error) {
	var all []heard
	for {
		out, err := d.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &d.listening, MaxNumberOfMessages: 10})
		if err != nil {
			return nil, fmt.Errorf("listen to the hub: %w", err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			var h heard
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &h); err != nil {
				return nil, fmt.Errorf("listen to the hub: %w", err)
			}
			all = append(all, h)
			if _, err := d.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &d.listening, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return nil, fmt.Errorf("listen to the hub: %w", err)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b heard) int { return a.Time.Compare(b.Time) })
	return all, nil
}

func (d *demo) drain(ctx context.Context) error {
	_, err := d.messages(ctx)
	return err
}

// hear prints what the hub has said.
func (d *demo) hear(ctx context.Context) error {
	said, err := d.messages(ctx)
	if err != nil {
		return err
	}
	for _, h := range said {
		subject := h.Detail.Origin
		if h.Detail.What != "" {
			subject = h.Detail.What
		}
		if h.Detail.Account != "" {
			subject += " of " + d.nameOf(h.Detail.Account)
		}
		d.event(d.at(h.Time), h.Type, h.Detail.Severity == contract.SeverityAlarm, subject, h.Detail.Why)
	}
	return nil
}

func (d *demo) nameOf(account string) string {
	for _, a := range []*actor{d.teamA, d.teamB, d.teamC, d.stranger} {
		if a.account == account {
			return a.name
		}
	}
	return account
}
