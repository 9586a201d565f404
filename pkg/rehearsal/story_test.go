package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

// TestStories runs the scripts of testdata/stories. The README there explains them and their commands.
func TestStories(t *testing.T) {
	var seen permissionUse
	t.Cleanup(func() { seen.report(t) })
	metrics := &metricUse{}
	t.Cleanup(func() { metrics.report(t) })
	testscript.Run(t, testscript.Params{
		Dir: "testdata/stories",
		Setup: func(env *testscript.Env) error {
			s := &story{functions: functionsFor(t, strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")), actors: map[string]*Actor{}, origins: map[string]VPCOrigin{}, shares: map[string]string{}, certificates: map[string]string{}, unmanaged: map[string]unmanaged{}}
			env.Values["story"] = s
			env.Defer(func() {
				if s.Stage == nil {
					seen.add(nil)
					return
				}
				seen.add(s.World)
				metrics.add(t, s.State())
				if denials := s.denials(s.mayBeDenied...); len(denials) > 0 {
					t.Errorf("%s: the hub's functions were denied:\n%s", filepath.Base(env.WorkDir), strings.Join(denials, "\n"))
				}
				if s.refusal != nil {
					t.Errorf("%s: the last line was refused, and no command error follows it: %v", filepath.Base(env.WorkDir), s.refusal)
				}
				for _, idle := range s.unusedFaults() {
					t.Errorf("%s: this fault has hit nothing: %s", filepath.Base(env.WorkDir), idle)
				}
				if err := s.checkUnmanaged(); err != nil {
					t.Errorf("%s: %v", filepath.Base(env.WorkDir), err)
				}
				if err := s.overBudget(); err != nil {
					t.Errorf("%s: %v", filepath.Base(env.WorkDir), err)
				}
				for _, calls := range unexplainedRetries(s.Calls()) {
					t.Errorf("%s: %s", filepath.Base(env.WorkDir), calls)
				}
				if err := s.Close(); err != nil {
					t.Errorf("close world: %v", err)
				}
				for _, dir := range s.cleanUp {
					_ = os.RemoveAll(dir)
				}
			})
			return nil
		},
		Cmds: testscriptCommands(),
	})
}

// unexplainedRetries returns the calls that the SDK retried although neither a fault nor an error of the service explains that. On AWS a
// request may get lost. In the sandbox that would make two runs differ. A zero call stands for an attempt that never arrived.
func unexplainedRetries(calls []sandbox.Call) []string {
	var twice []string
	last := map[string]sandbox.Call{} // by SDKCall
	for _, c := range calls {
		before := last[c.SDKCall]
		last[c.SDKCall] = c
		if c.Attempt > 1 && before.Fault == "" && before.Error == "" {
			twice = append(twice, fmt.Sprintf("%+v\nwas retried without a reason: %+v", before, c))
		}
	}
	return twice
}

func TestUnexplainedRetriesAreFound(t *testing.T) {
	call := func(id string, attempt int, fault, failure string) sandbox.Call {
		return sandbox.Call{SDKCall: id, Attempt: attempt, Fault: fault, Error: failure}
	}
	for name, test := range map[string]struct {
		calls []sandbox.Call
		found int
	}{
		"once each":              {[]sandbox.Call{call("a", 1, "", ""), call("b", 1, "", ""), {}, {}}, 0},
		"after a fault":          {[]sandbox.Call{call("a", 1, "rule 1: timeout-after-success", ""), call("a", 2, "", "")}, 0},
		"after an error":         {[]sandbox.Call{call("a", 1, "", "Throttling: slow"), call("a", 2, "", "")}, 0},
		"after a lost answer":    {[]sandbox.Call{call("a", 1, "", ""), call("b", 1, "", ""), call("a", 2, "", "PreconditionFailed: stale")}, 1},
		"after a lost request":   {[]sandbox.Call{call("a", 2, "", "")}, 1},
		"after a fault and more": {[]sandbox.Call{call("a", 1, "", "Throttling: slow"), call("a", 2, "", ""), call("a", 3, "", "")}, 1},
	} {
		if got := unexplainedRetries(test.calls); len(got) != test.found {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// story is the state of one script: its world, and what its commands save for later commands.
type story struct {
	*Stage
	ctx                context.Context
	actors             map[string]*Actor
	origins            map[string]VPCOrigin
	shares             map[string]string
	savedConfig        []byte
	other              string // account of createOtherDistribution
	received           []Event
	logs               bytes.Buffer
	savedNotifications []string // messages on the alarm topic at saveNotifications

	adoptable          map[string]string // ids of the distributions first and second, by name
	cloudFrontPolicies map[string]string // ids of the policies of create-policy, by name
	originalConfigs    map[string][]byte // their configurations before the adoption, by name
	unmanaged          map[string]unmanaged

	functions string // directory of the functions' binaries; empty if the functions run in this process

	certificates map[string]string // ARN by team
	// mayBeDenied lists the operations that deniedCall expects IAM to deny.
	mayBeDenied []string
	refusal     error    // error of the action in the line before, which the story expects to be refused
	cleanUp     []string // directories
}

// deployHub creates the world: it deploys the hub and the spokes. The options change the policy, the distributions that it adopts, and the
// fields that CloudFront knows.
func (s *story) deployHub(_ *testscript.TestScript, args []string) (err error) {
	o := storyOptions(s.functions)
	o.Sandbox.LogWriter = func(string) io.Writer { return &s.logs }
	var adopt []string
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		if key == "unknown-field" {
			o.Sandbox.FutureFields = []string{value}
			continue
		}
		if key == "propagation" {
			if err := setPropagation(&o.Sandbox, value); err != nil {
				return err
			}
			continue
		}
		if key == "throttle" {
			if o.Sandbox.UpdatesPerMinute, err = strconv.Atoi(value); err != nil {
				return err
			}
			continue
		}
		if key == "shared-origins" {
			if value != "unlisted" {
				return fmt.Errorf("shared-origins is unlisted, not %q", value)
			}
			o.Sandbox.OmitsSharedOrigins = true
			continue
		}
		if key == "edge" {
			if value != "functions-first" {
				return fmt.Errorf("edge is functions-first, not %q", value)
			}
			o.Sandbox.FunctionsFirst = true
			continue
		}
		if key == "adopt" {
			adopt, o.AccountsOnly = strings.Split(value, ","), true
			continue
		}
		if err := o.setPolicyKey(key, value); err != nil {
			return err
		}
	}
	w, err := New(o)
	if err != nil {
		return err
	}
	s.Stage = NewStage(w)
	if adopt != nil {
		if err := s.deployThatAdopts(adopt); err != nil {
			return err
		}
	}
	for _, a := range []*Actor{s.TeamA, s.TeamB, s.TeamC, s.Stranger} {
		s.actors[a.Name] = a
	}
	return s.SubscribeEvents(s.ctx)
}

// setPropagation sets how long updates of distributions take: SHORTEST..LONGEST, or a duration.
func setPropagation(o *sandbox.Options, value string) (err error) {
	shortest, longest, bounds := strings.Cut(value, "..")
	if !bounds {
		longest = shortest
	}
	if o.Propagation.Shortest, err = time.ParseDuration(shortest); err != nil {
		return err
	}
	o.Propagation.Longest, err = time.ParseDuration(longest)
	return err
}

// create creates a VPC origin of a team and waits until CloudFront has deployed it.
func (s *story) create(_ *testscript.TestScript, args []string) error {
	if err := s.createOrigin(args[0], args[1], args[2:]...); err != nil {
		return err
	}
	return s.waitUntilIdle(nil, nil)
}

// createOrigin creates a VPC origin of a team, with the claim and the endpoint of the options, and does not wait.
func (s *story) createOrigin(name, team string, options ...string) error {
	a := s.actors[team]
	if a == nil {
		return fmt.Errorf("there is no team %s", team)
	}
	host, paths, balancer := team+".example.com", "/"+team+"/", team
	for _, o := range options {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "host":
			host = value
		case "paths":
			paths = value
		case "balancer":
			balancer = value
		default:
			return fmt.Errorf("unknown option %s", o)
		}
	}
	o, err := a.Create(s.ctx, name, balancer, ClaimTags(host, paths))
	s.origins[name], s.actors["owner of "+name] = o, a
	return err
}

func (s *story) owner(name string) *Actor { return s.actors["owner of "+name] }

// share shares an origin with the hub, in one share with other resources.
func (s *story) share(_ *testscript.TestScript, args []string) error {
	arn, err := s.owner(args[0]).Share(s.ctx, args[0], append([]string{s.origins[args[0]].ARN}, args[1:]...)...)
	s.shares[args[0]] = arn
	return err
}

// shareOther shares resources of a team that are not VPC origins with the hub's account.
func (s *story) shareOther(_ *testscript.TestScript, args []string) error {
	a := s.actors[args[1]]
	if a == nil {
		return fmt.Errorf("there is no team %s", args[1])
	}
	arn, err := a.Share(s.ctx, args[0], args[2:]...)
	s.shares[args[0]], s.actors["owner of "+args[0]] = arn, a
	return err
}

// unshare deletes the share of an origin.
func (s *story) unshare(_ *testscript.TestScript, args []string) error {
	share := s.shares[args[0]]
	_, err := s.owner(args[0]).ram.DeleteResourceShare(s.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &share})
	return err
}

// tag sets a tag of an origin, by default the teardown tag.
func (s *story) tag(_ *testscript.TestScript, args []string) error {
	key := contract.TagTeardown
	if len(args) > 2 {
		key = args[2]
	}
	if err := s.checkPlaceholders(args[1]); err != nil {
		return err
	}
	return s.owner(args[0]).Tag(s.ctx, s.origins[args[0]].ARN, key, s.withOriginIDs(args[1]))
}

// untag removes a tag of an origin.
func (s *story) untag(_ *testscript.TestScript, args []string) error {
	key := contract.TagTeardown
	if len(args) > 1 {
		key = args[1]
	}
	arn := s.origins[args[0]].ARN
	_, err := s.owner(args[0]).cloudfront.UntagResource(s.ctx, &cloudfront.UntagResourceInput{
		Resource: &arn, TagKeys: &cloudfronttypes.TagKeys{Items: []string{key}},
	})
	return err
}

// advance lets virtual time pass.
func (s *story) advance(_ *testscript.TestScript, args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	s.Advance(d)
	return nil
}

// waitUntilIdle lets virtual time pass until nothing is under way.
func (s *story) waitUntilIdle(*testscript.TestScript, []string) error {
	err := s.WaitUntilIdle()
	return want(err == nil, "%w", err)
}

// waitForSweep lets the next sweep run, and waits until nothing is under way.
func (s *story) waitForSweep(*testscript.TestScript, []string) error {
	s.Advance(10 * time.Minute)
	return s.waitUntilIdle(nil, nil)
}

// fault adds a fault rule, as POST /_sandbox/faults does. Without an argument it removes all rules, and fails if one of them has hit
// nothing. The end of a story checks the same.
func (s *story) fault(_ *testscript.TestScript, args []string) error {
	method, body := http.MethodDelete, ""
	if len(args) > 0 {
		if err := s.checkPlaceholders(args[0]); err != nil {
			return err
		}
		method, body = http.MethodPost, s.withIDs(args[0])
	} else if idle := s.unusedFaults(); len(idle) > 0 {
		return fmt.Errorf("these faults have hit nothing: %v", idle)
	}
	request, err := http.NewRequestWithContext(s.ctx, method, s.Endpoint()+"/_sandbox/faults", strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", response.Status, answer)
	}
	return nil
}

// unusedFaults returns the current fault rules that have hit nothing.
func (s *story) unusedFaults() (idle []string) {
	for _, r := range s.Faults().Rules() {
		if r.Hits == 0 {
			idle = append(idle, fmt.Sprintf("%+v", r))
		}
	}
	return idle
}

func (s *story) record(name string) (origin.Record, bool, error) {
	if err := s.checkOrigins(name); err != nil {
		return origin.Record{}, false, err
	}
	known, err := s.snapshot()
	if err != nil {
		return origin.Record{}, false, err
	}
	r, found := known.Find(s.origins[name].ID)
	return r, found, nil
}

// state checks the state of an origin in the registry; "unknown" means that the registry has no record of it.
func (s *story) state(_ *testscript.TestScript, args []string) error {
	r, found, err := s.record(args[0])
	if err != nil {
		return err
	}
	state := string(r.State)
	if !found {
		state = "unknown"
	}
	return want(state == args[1], "%s is %s (%s), want %s; history %v", args[0], state, origin.Why(r.Reasons), args[1], r.History)
}

// responseHeader checks whether a viewer gets a header.
func (s *story) responseHeader(_ *testscript.TestScript, args []string) error {
	status, header, _, err := ask(s.ctx, s.Edge(), http.MethodGet, args[0], args[1])
	if err != nil {
		return err
	}
	is := "absent"
	if header.Get(args[2]) != "" {
		is = "present"
	}
	return want(status == http.StatusOK && is == args[3], "%s%s answers %d, and header %s is %s, want 200 and %s", args[0], args[1], status, args[2], is, args[3])
}

// response checks the status that a viewer gets, and that the body contains a text.
func (s *story) response(_ *testscript.TestScript, args []string) error {
	return s.respond(http.MethodGet, args)
}

// responseTo checks the response to a request with a given method.
func (s *story) responseTo(_ *testscript.TestScript, args []string) error {
	return s.respond(args[0], args[1:])
}

// respond sends a request, and checks the response.
func (s *story) respond(method string, args []string) error {
	status, _, body, err := ask(s.ctx, s.Edge(), method, args[0], args[1])
	if err != nil {
		return err
	}
	texts := args[3:]
	return want(strconv.Itoa(status) == args[2] && (len(texts) == 0 || strings.Contains(body, texts[0])),
		"%s%s answers %d %s, want %s", args[0], args[1], status, body, args[2:])
}

// updates checks how many calls of UpdateDistribution by the hub's functions CloudFront has accepted.
func (s *story) updates(_ *testscript.TestScript, args []string) error {
	n, _ := s.countUpdates()
	return want(strconv.Itoa(n) == args[0], "%d updates were accepted, want %s", n, args[0])
}

// updatesAtMost checks that CloudFront has accepted at least one and at most N updates, of at most CALLS calls.
func (s *story) updatesAtMost(_ *testscript.TestScript, args []string) error {
	most, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	mostCalls, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	n, calls := s.countUpdates()
	return want(n > 0 && n <= most && calls <= mostCalls, "%d updates were accepted, of %d calls", n, calls)
}

func (s *story) countUpdates() (accepted, calls int) {
	for _, c := range s.Calls() {
		if c.Operation != "UpdateDistribution" || c.Function == "" {
			continue
		}
		calls++
		if c.Error == "" {
			accepted++
		}
	}
	return accepted, calls
}

// receiveEvents appends to received the events that the hub has published since the last call.
func (s *story) receiveEvents() error {
	more, err := s.ReceiveEvents(s.ctx)
	s.received = append(s.received, more...)
	return err
}

// event checks that the hub has published an event of a type whose details match.
func (s *story) event(_ *testscript.TestScript, args []string) error {
	matching, all, err := s.matchingEvents(args[0], strings.Join(args[1:], ""))
	return errors.Join(err, want(matching > 0, "no event matches %q; the events are:\n%s", args, all))
}

// matchingEvents returns how many events of a type match a regular expression, and lists all events that the hub has published.
func (s *story) matchingEvents(eventType, expression string) (n int, all string, err error) {
	pattern, err := regexp.Compile(expression)
	if err := errors.Join(err, checkEventType(eventType), s.checkPlaceholders(expression), s.receiveEvents()); err != nil {
		return 0, "", err
	}
	var lines []string
	for _, e := range s.received {
		text := fmt.Sprintf("%s %+v", e.Type, e.Detail)
		lines = append(lines, text)
		if e.Type == eventType && pattern.MatchString(s.withNames(text)) {
			n++
		}
	}
	return n, strings.Join(lines, "\n"), nil
}

// withNames replaces the ids of origins and distributions by their names, as <name>.
func (s *story) withNames(text string) string {
	for name, o := range s.origins {
		text = strings.ReplaceAll(text, o.ID, "<"+name+">")
	}
	for name, id := range s.adoptable {
		text = strings.ReplaceAll(text, id, "<"+name+">")
	}
	return text
}

// printEvents prints every event that the hub has published so far.
func (s *story) printEvents(ts *testscript.TestScript, _ []string) error {
	if err := s.receiveEvents(); err != nil {
		return err
	}
	for _, h := range s.received {
		ts.Logf("%s %s %+v", s.Elapsed(h.Time), h.Type, s.withNames(fmt.Sprintf("%+v", h.Detail)))
	}
	return nil
}

// execution returns the ARN of the execution that tears down an origin.
func (s *story) execution(name, generation string) (string, error) {
	g, err := strconv.Atoi(generation)
	return s.TeardownExecution(s.origins[name].ID, g), errors.Join(err, s.checkOrigins(name))
}

// executionEnded checks the status of an execution, and its error, cause and output.
func (s *story) executionEnded(_ *testscript.TestScript, args []string) error {
	arn, err := s.execution(args[0], args[1])
	if err != nil {
		return err
	}
	out, err := s.executions.DescribeExecution(s.ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return err
	}
	why := aws.ToString(out.Error) + " " + aws.ToString(out.Cause) + " " + aws.ToString(out.Output)
	if err := want(string(out.Status) == args[2], "the execution is %s, want %s: %s", out.Status, args[2], why); err != nil || len(args) == 3 {
		return err
	}
	ok, err := regexp.MatchString(args[3], s.withNames(why))
	return errors.Join(err, want(ok, "%q does not match %s", s.withNames(why), args[3]))
}

// executionTasks checks which task states an execution has entered, without repetitions.
func (s *story) executionTasks(_ *testscript.TestScript, args []string) error {
	names, err := s.tasksOf(args[0], args[1])
	if err != nil {
		return err
	}
	return want(slices.Equal(names, args[2:]), "the execution has entered %v, want %v", names, args[2:])
}

// tasksOf returns the task states that an execution has entered, without repetitions.
func (s *story) tasksOf(name, generation string) ([]string, error) {
	arn, err := s.execution(name, generation)
	if err != nil {
		return nil, err
	}
	var names []string
	pages := sfn.NewGetExecutionHistoryPaginator(s.executions, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if e.Type == sfntypes.HistoryEventTypeTaskStateEntered {
				names = append(names, aws.ToString(e.StateEnteredEventDetails.Name))
			}
		}
	}
	return slices.Compact(names), nil
}

// printExecution prints the task states that an execution has entered.
func (s *story) printExecution(ts *testscript.TestScript, args []string) error {
	names, err := s.tasksOf(args[0], args[1])
	ts.Logf("%v", names)
	return err
}

// nothingLeft checks that the VPC origin, its shares, its network interfaces and its part of every distribution in the hub's account are
// gone. If it was the account's last VPC origin, empty shares and CloudFront's security groups must be gone, too.
func (s *story) nothingLeft(_ *testscript.TestScript, args []string) error {
	if err := s.checkOrigins(args[0]); err != nil {
		return err
	}
	a, o := s.owner(args[0]), s.origins[args[0]]
	_, err := a.cloudfront.GetVpcOrigin(s.ctx, &cloudfront.GetVpcOriginInput{Id: &o.ID})
	if missing := new(cloudfronttypes.EntityNotFound); !errors.As(err, &missing) {
		return errors.Join(err, want(err != nil, "the VPC origin still exists"))
	}
	held, err := ReadInventory(s.Sandbox, a.Account)
	if err != nil {
		return err
	}
	if held.VPCOrigins == 0 && (held.Shares != 0 || len(held.ENIs) != 0 || len(held.Groups) != 0) {
		return want(false, "account %s still has %+v", a.Account, held)
	}
	if err := s.notInAccount(a.Account, o); err != nil {
		return err
	}
	list, err := s.hubCloudFront.ListDistributions(s.ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return err
	}
	for _, d := range list.DistributionList.Items {
		served, err := s.hub.Distribution(s.ctx, aws.ToString(d.Id))
		if err != nil {
			return err
		}
		if bytes.Contains(served.Config, []byte(o.ID)) {
			return want(false, "distribution %s still contains the origin", aws.ToString(d.Id))
		}
	}
	return nil
}

// notInAccount checks that no share of an account contains the origin, and that none of its network interfaces is left.
func (s *story) notInAccount(account string, o VPCOrigin) error {
	raw, err := json.Marshal(s.State()["accounts"].(map[string]any)[account])
	if err != nil {
		return err
	}
	var held struct {
		RAM struct {
			Shares []struct {
				ARN       string
				Resources []struct{ Entity, Status string }
			}
		}
		EC2 struct {
			NetworkInterfaces []struct{ ID, VPCOrigin string }
		}
	}
	if err := json.Unmarshal(raw, &held); err != nil {
		return err
	}
	for _, share := range held.RAM.Shares {
		for _, r := range share.Resources {
			if r.Entity == o.ARN && r.Status != "DISASSOCIATED" {
				return want(false, "share %s still contains the origin, with status %s", share.ARN, r.Status)
			}
		}
	}
	for _, e := range held.EC2.NetworkInterfaces {
		if e.VPCOrigin == o.ID {
			return want(false, "network interface %s is left", e.ID)
		}
	}
	return nil
}

// saveConfig saves the configuration of the hub's distribution.
func (s *story) saveConfig(*testscript.TestScript, []string) (err error) {
	_, s.savedConfig, err = s.Distribution(s.ctx)
	return err
}

// configUnchanged checks that the configuration is the saved one, byte for byte. If there is an argument, that origin must be gone.
func (s *story) configUnchanged(_ *testscript.TestScript, args []string) error {
	_, now, err := s.Distribution(s.ctx)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return CheckOnlyOriginRemoved(s.savedConfig, now, s.origins[args[0]].ID)
	}
	return want(bytes.Equal(s.savedConfig, now), "the configuration changed from\n%s\nto\n%s", s.savedConfig, now)
}

// holdInterfaces lets CloudFront keep the network interfaces of an origin.
func (s *story) holdInterfaces(_ *testscript.TestScript, args []string) error {
	s.HoldENIs(s.origins[args[0]].ID)
	return nil
}

// createOtherDistribution shares an origin with another account, which then uses it in a distribution of its own.
func (s *story) createOtherDistribution(_ *testscript.TestScript, args []string) error {
	s.other = args[1]
	if s.other != s.owner(args[0]).Account {
		if err := s.shareWithOther(args[0]); err != nil {
			return err
		}
	}
	o, owner := s.origins[args[0]], s.owner(args[0])
	_, err := NewActor(s.Sandbox, "other", s.other).cloudfront.CreateDistribution(s.ctx, distributionWith(o.ID, owner.Account, "other "+s.Now().String(), "other", true))
	return err
}

// shareWithOther shares an origin with the account of createOtherDistribution, which accepts the invitation.
func (s *story) shareWithOther(name string) error {
	o, owner := s.origins[name], s.owner(name)
	share, err := owner.ram.CreateResourceShare(s.ctx, &ram.CreateResourceShareInput{
		Name: aws.String(contract.SharePrefix + "other"), ResourceArns: []string{o.ARN}, Principals: []string{s.other}, AllowExternalPrincipals: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	other := NewActor(s.Sandbox, "other", s.other)
	invitations, err := other.ram.GetResourceShareInvitations(s.ctx, &ram.GetResourceShareInvitationsInput{})
	if err != nil {
		return err
	}
	for _, i := range invitations.ResourceShareInvitations {
		if aws.ToString(i.ResourceShareArn) == aws.ToString(share.ResourceShare.ResourceShareArn) {
			if _, err := other.ram.AcceptResourceShareInvitation(s.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn}); err != nil {
				return err
			}
		}
	}
	s.Advance(time.Minute)
	return nil
}

// deadLetters checks how many messages are in the queue whose URL is in an output of the hub stack.
func (s *story) deadLetters(_ *testscript.TestScript, args []string) error {
	out, err := s.queues.GetQueueAttributes(s.ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(s.outputs[args[0]]), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return err
	}
	n := out.Attributes["ApproximateNumberOfMessages"]
	return want(n == args[1], "%s holds %s messages, want %s", args[0], n, args[1])
}

// putEvent puts an event on a bus in a team's name: "default" is the team's own bus, and "hub" is the hub's. The file holds source,
// detail-type and detail.
func (s *story) putEvent(ts *testscript.TestScript, args []string) error {
	var e struct {
		Source string          `json:"source"`
		Type   string          `json:"detail-type"`
		Detail json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal([]byte(s.withIDs(ts.ReadFile(args[2]))), &e); err != nil {
		return err
	}
	bus := args[1]
	if bus == "hub" {
		bus = s.outputs["BusArn"]
	}
	out, err := eventbridge.NewFromConfig(s.Config(s.actors[args[0]].Account, Region)).PutEvents(s.ctx, &eventbridge.PutEventsInput{
		Entries: []eventbridgetypes.PutEventsRequestEntry{{
			EventBusName: &bus, Source: &e.Source, DetailType: &e.Type, Detail: aws.String(string(e.Detail)),
		}},
	})
	if err != nil {
		return err
	}
	if out.FailedEntryCount > 0 {
		return fmt.Errorf("%s: %s", aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}

// withIDs replaces <name> by the ARN of an origin or the id of a distribution.
func (s *story) withIDs(text string) string {
	for name, o := range s.origins {
		text = strings.ReplaceAll(text, "<"+name+">", o.ARN)
	}
	for name, id := range s.adoptable {
		text = strings.ReplaceAll(text, "<"+name+">", id)
	}
	return text
}

// sendMessage sends a raw message to the queue whose URL is in an output of the hub stack.
func (s *story) sendMessage(ts *testscript.TestScript, args []string) error {
	_, err := s.queues.SendMessage(s.ctx, &sqs.SendMessageInput{QueueUrl: aws.String(s.outputs[args[0]]), MessageBody: aws.String(ts.ReadFile(args[1]))})
	return err
}

// createAndShare lets team-a and team-b create N origins in turn and share all of them at the same instant.
func (s *story) createAndShare(ts *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for i := range n {
		team := []string{"team-a", "team-b"}[i%2]
		if err := s.createOrigin(fmt.Sprintf("o%02d", i), team, fmt.Sprintf("paths=/%s/%02d/", team, i)); err != nil {
			return err
		}
	}
	if err := s.waitUntilIdle(nil, nil); err != nil {
		return err
	}
	for i := range n {
		if err := s.share(ts, []string{fmt.Sprintf("o%02d", i)}); err != nil {
			return err
		}
	}
	return nil
}

// editComment changes the comment of the hub's distribution.
func (s *story) editComment(_ *testscript.TestScript, args []string) error {
	return s.editDistribution(func(c *cloudfronttypes.DistributionConfig) { c.Comment = &args[0] })
}

// deployStack creates or updates a stack of a team.
func (s *story) deployStack(ts *testscript.TestScript, args []string) error {
	outputs, err := s.Deploy(s.actors[args[0]].Account, Region, args[1], []byte(s.withIDs(ts.ReadFile(args[2]))), nil)
	if id := outputs["OriginId"]; id != "" {
		s.origins[args[1]] = VPCOrigin{id, outputs["OriginArn"]}
		s.actors["owner of "+args[1]] = s.actors[args[0]]
	}
	return err
}

// deployTeamStack creates or updates the team stack of a team, from the golden template with one text replaced. The name of the stack's
// origin is the team's name.
func (s *story) deployTeamStack(_ *testscript.TestScript, args []string) error {
	text, err := os.ReadFile("../../infra/testdata/team.template.json")
	if err != nil {
		return err
	}
	if len(args) > 1 {
		if !bytes.Contains(text, []byte(args[1])) {
			return fmt.Errorf("the template has no %s", args[1])
		}
		text = bytes.ReplaceAll(text, []byte(args[1]), []byte(args[2]))
	}
	team := s.actors[args[0]]
	if s.certificates[args[0]] == "" {
		// The certificate covers the other teams' hosts too, so that the load balancer's rule keeps them out, and not TLS.
		s.certificates[args[0]] = s.AddCertificate(team.Account, Region, "*."+s.policy.Domain)
	}
	outputs, err := s.Deploy(team.Account, Region, "originhub-team", text, map[string]string{
		"Team": args[0], "HubAccountId": HubAccount, "CertificateArn": s.certificates[args[0]],
	})
	if err == nil {
		s.origins[args[0]], s.actors["owner of "+args[0]] = VPCOrigin{outputs["OriginId"], outputs["OriginArn"]}, team
	}
	return err
}

// deleteTeamStack deletes the team stack of a team, and checks that only the certificate is left of it.
func (s *story) deleteTeamStack(_ *testscript.TestScript, args []string) error {
	account := s.actors[args[0]].Account
	if err := s.DeleteStack(account, Region, "originhub-team"); err != nil {
		return err
	}
	held := s.State()["accounts"].(map[string]any)[account].(map[string]any)
	for _, service := range []string{"ec2", "elasticloadbalancing", "apigateway"} {
		raw, err := json.Marshal(held[service])
		if err != nil {
			return err
		}
		var lists map[string][]json.RawMessage
		if err := json.Unmarshal(raw, &lists); err != nil {
			return err
		}
		for kind, left := range lists {
			if len(left) > 0 {
				return want(false, "account %s still has %s %s: %s", account, service, kind, left)
			}
		}
	}
	delete(held, "ram") // RAM lists a share for two hours after its deletion
	b, err := json.Marshal(held)
	if err != nil {
		return err
	}
	_, left, found := strings.Cut(string(b), "originhub-team")
	return want(!found, "account %s still has originhub-team%.80s", account, left)
}

// neverCalled checks that no function has called an operation. It fails if the sandbox does not support that operation.
func (s *story) neverCalled(_ *testscript.TestScript, args []string) error {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.Endpoint()+"/_sandbox/operations", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var table struct {
		Services []struct {
			Service    string
			Operations []struct{ Name string }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&table); err != nil {
		return err
	}
	known := false
	for _, service := range table.Services {
		for _, o := range service.Operations {
			known = known || service.Service == args[0] && o.Name == args[1]
		}
	}
	if !known {
		return fmt.Errorf("the sandbox does not support operation %s of %s", args[1], args[0])
	}
	called := slices.ContainsFunc(s.Calls(), func(c sandbox.Call) bool { return c.Function != "" && c.Service == args[0] && c.Operation == args[1] })
	return want(!called, "a function called %s", args[1])
}

// called checks how many times functions have called an operation.
func (s *story) called(_ *testscript.TestScript, args []string) error {
	n := 0
	for _, c := range s.Calls() {
		if c.Function != "" && c.Service == args[0] && c.Operation == args[1] {
			n++
		}
	}
	return want(strconv.Itoa(n) == args[2], "functions called %s %d times, want %s", args[1], n, args[2])
}

// deniedCall checks that IAM has denied a function a call of an operation. The end of a story fails on any other denial.
func (s *story) deniedCall(_ *testscript.TestScript, args []string) error {
	operation := func(c sandbox.Call) bool { return denied(c) && c.Operation == args[0] }
	if !slices.ContainsFunc(s.Calls(), operation) {
		return want(false, "no call of %s was denied", args[0])
	}
	s.mayBeDenied = append(s.mayBeDenied, args[0])
	return nil
}

// denials returns the calls that IAM denied a function, without those of some operations.
func (s *story) denials(but ...string) (lines []string) {
	for _, c := range s.Calls() {
		if denied(c) && !slices.Contains(but, c.Operation) {
			lines = append(lines, fmt.Sprintf("%s %s by %s: %s", c.Service, c.Operation, c.Principal, c.Error))
		}
	}
	return lines
}

func denied(c sandbox.Call) bool { return c.Function != "" && !c.Allowed }

// tagAs lets a team tag another team's origin.
func (s *story) tagAs(_ *testscript.TestScript, args []string) error {
	return s.actors[args[0]].Tag(s.ctx, s.origins[args[1]].ARN, contract.TagTeardown, args[2])
}

// emptyRegistry deletes every item of the registry.
func (s *story) emptyRegistry(*testscript.TestScript, []string) error {
	client := dynamodb.NewFromConfig(s.Config(HubAccount, Region))
	table := aws.String(s.outputs["RegistryTable"])
	out, err := client.Scan(s.ctx, &dynamodb.ScanInput{TableName: table})
	if err != nil {
		return err
	}
	for _, item := range out.Items {
		key := map[string]dynamodbtypes.AttributeValue{
			contract.RegistryPartition: item[contract.RegistryPartition], contract.RegistrySort: item[contract.RegistrySort],
		}
		if _, err := client.DeleteItem(s.ctx, &dynamodb.DeleteItemInput{TableName: table, Key: key}); err != nil {
			return err
		}
	}
	return nil
}

// failOrigin gives a VPC origin a status that AWS does not document.
func (s *story) failOrigin(_ *testscript.TestScript, args []string) error {
	s.FailVpcOrigin(s.origins[args[0]].ID)
	return nil
}

// addUnmanagedInterface creates a network interface of another AWS service in a team's VPC.
func (s *story) addUnmanagedInterface(_ *testscript.TestScript, args []string) error {
	s.AddUnmanagedENI(sandbox.UnmanagedENI{Account: s.actors[args[0]].Account, Region: Region, Description: "agentic_ai"})
	return nil
}

// setUnknownField sets a field of the hub's distribution that the SDK does not know.
func (s *story) setUnknownField(_ *testscript.TestScript, args []string) error {
	id, config, err := s.Distribution(s.ctx)
	if err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, id)
	if err != nil {
		return err
	}
	end := []byte("</DistributionConfig>")
	set := bytes.Replace(config, end, append([]byte("<"+args[0]+">on</"+args[0]+">"), end...), 1)
	_, err = s.hub.Update(s.ctx, id, served.ETag, set)
	return err
}

// savedConfigHas checks that the saved configuration contains a text.
func (s *story) savedConfigHas(_ *testscript.TestScript, args []string) error {
	return want(bytes.Contains(s.savedConfig, []byte(args[0])), "%s is not in %s", args[0], s.savedConfig)
}

// clearOtherDistribution takes the origin out of the distribution of createOtherDistribution.
func (s *story) clearOtherDistribution(*testscript.TestScript, []string) error {
	other := NewActor(s.Sandbox, "other", s.other)
	list, err := other.cloudfront.ListDistributions(s.ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return err
	}
	if len(list.DistributionList.Items) == 0 {
		return fmt.Errorf("account %s has no distribution", s.other)
	}
	for _, d := range list.DistributionList.Items {
		out, err := other.cloudfront.GetDistributionConfig(s.ctx, &cloudfront.GetDistributionConfigInput{Id: d.Id})
		if err != nil {
			return err
		}
		config := out.DistributionConfig
		config.Origins.Items[0].VpcOriginConfig = nil
		config.Origins.Items[0].CustomOriginConfig = &cloudfronttypes.CustomOriginConfig{
			HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443), OriginProtocolPolicy: cloudfronttypes.OriginProtocolPolicyHttpsOnly,
		}
		if _, err := other.cloudfront.UpdateDistribution(s.ctx, &cloudfront.UpdateDistributionInput{Id: d.Id, IfMatch: out.ETag, DistributionConfig: config}); err != nil {
			return err
		}
	}
	return nil
}

// eventCount checks how many events of a type, of which all details match, the hub has published so far.
func (s *story) eventCount(_ *testscript.TestScript, args []string) error {
	matching, all, err := s.matchingEvents(args[1], strings.Join(args[2:], ""))
	return errors.Join(err, want(strconv.Itoa(matching) == args[0], "%d events match %q, want %s; the events are:\n%s", matching, args[1:], args[0], all))
}

// invitation checks the status of the hub's invitation to the share of an origin.
func (s *story) invitation(_ *testscript.TestScript, args []string) error {
	out, err := ram.NewFromConfig(s.Config(HubAccount, Region)).GetResourceShareInvitations(s.ctx, &ram.GetResourceShareInvitationsInput{
		ResourceShareArns: []string{s.shares[args[0]]},
	})
	if err != nil {
		return err
	}
	for _, i := range out.ResourceShareInvitations {
		return want(string(i.Status) == args[1], "the invitation is %s, want %s", i.Status, args[1])
	}
	return fmt.Errorf("no invitation to share %s", args[0])
}

// dns checks whether the hub's zone has alias records to a distribution for a host, none, or only unmanaged records.
func (s *story) dns(_ *testscript.TestScript, args []string) error {
	records, err := awsroute53.New(s.Config(HubAccount, Region), s.policy.HostedZone).Records(s.ctx, nil)
	if err != nil {
		return err
	}
	n, unmanaged := 0, 0
	for _, r := range records {
		switch {
		case r.Name != args[0]:
		case strings.HasSuffix(r.Target, ".cloudfront.net"):
			n++
		default:
			unmanaged++
		}
	}
	is := map[string]bool{"present": n == 2, "absent": n == 0, "unmanaged": n == 0 && unmanaged > 0}
	return want(is[args[1]], "%s has %d alias records to a distribution, and %d other records", args[0], n, unmanaged)
}

// notification checks that the alarm topic has received a message that matches.
func (s *story) notification(_ *testscript.TestScript, args []string) error {
	pattern, err := regexp.Compile(args[0])
	if err := errors.Join(err, s.checkPlaceholders(args[0])); err != nil {
		return err
	}
	messages, err := s.notifications()
	if err != nil {
		return err
	}
	matches := slices.ContainsFunc(messages, func(m string) bool { return pattern.MatchString(s.withNames(m)) })
	return want(matches, "no message on the alarm topic matches %s; the messages are:\n%s", args[0], strings.Join(messages, "\n"))
}

// updatesApart checks that CloudFront has accepted several updates by the hub, and that no two are closer than a duration.
func (s *story) updatesApart(_ *testscript.TestScript, args []string) error {
	least, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	if n, _ := s.countUpdates(); n < 2 {
		return fmt.Errorf("there were %d updates, want several", n)
	}
	var last time.Time
	for _, c := range s.Calls() {
		if c.Operation != "UpdateDistribution" || c.Error != "" || c.Function == "" {
			continue
		}
		if gap := c.Time.Sub(last); !last.IsZero() && gap < least {
			return want(false, "two updates are %s apart", gap)
		}
		last = c.Time
	}
	return nil
}

// shareTogether shares several origins of one owner with the hub, in one share.
func (s *story) shareTogether(_ *testscript.TestScript, args []string) error {
	var arns []string
	for _, name := range args {
		arns = append(arns, s.origins[name].ARN)
	}
	_, err := s.owner(args[0]).Share(s.ctx, "together", arns...)
	return err
}

// releaseInterfaces lets CloudFront release the network interfaces that it kept.
func (s *story) releaseInterfaces(_ *testscript.TestScript, args []string) error {
	s.ReleaseENIs(s.origins[args[0]].ID)
	return nil
}

// distributionID returns the id of the adopted distribution first, or else of the one that the hub created.
func (s *story) distributionID() (string, error) {
	if id := s.adoptable["first"]; id != "" {
		return id, nil
	}
	id, _, err := s.Distribution(s.ctx)
	return id, err
}

// editDistribution changes the hub's distribution, or the first adopted one, with the permissions of the hub's account.
func (s *story) editDistribution(change func(*cloudfronttypes.DistributionConfig)) error {
	id, err := s.distributionID()
	if err != nil {
		return err
	}
	out, err := s.hubCloudFront.GetDistributionConfig(s.ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if err != nil {
		return err
	}
	change(out.DistributionConfig)
	_, err = s.hubCloudFront.UpdateDistribution(s.ctx, &cloudfront.UpdateDistributionInput{
		Id: &id, IfMatch: out.ETag, DistributionConfig: out.DistributionConfig,
	})
	return err
}

// removeBehaviors removes the behaviors of an origin from the hub's distribution. It fails if there are none.
func (s *story) removeBehaviors(_ *testscript.TestScript, args []string) error {
	if err := s.checkOrigins(args[0]); err != nil {
		return err
	}
	there := 0
	err := s.editDistribution(func(c *cloudfronttypes.DistributionConfig) {
		b := c.CacheBehaviors
		there = len(b.Items)
		b.Items = slices.DeleteFunc(b.Items, func(b cloudfronttypes.CacheBehavior) bool {
			return strings.Contains(aws.ToString(b.TargetOriginId), s.origins[args[0]].ID)
		})
		there -= len(b.Items)
		if len(b.Items) == 0 {
			b.Items = nil // CloudFront accepts no empty list
		}
		b.Quantity = aws.Int32(int32(len(b.Items))) //nolint:gosec // a handful
	})
	if err == nil && there == 0 {
		return fmt.Errorf("%s has no behaviors", args[0])
	}
	return err
}

// deleteDistribution disables the hub's distribution, waits until it is Deployed, and deletes it.
func (s *story) deleteDistribution(*testscript.TestScript, []string) error {
	id, err := s.distributionID()
	if err != nil {
		return err
	}
	if err := s.editDistribution(func(c *cloudfronttypes.DistributionConfig) { c.Enabled = aws.Bool(false) }); err != nil {
		return err
	}
	for {
		out, err := s.hubCloudFront.GetDistribution(s.ctx, &cloudfront.GetDistributionInput{Id: &id})
		if err != nil {
			return err
		}
		if aws.ToString(out.Distribution.Status) == "Deployed" {
			_, err := s.hubCloudFront.DeleteDistribution(s.ctx, &cloudfront.DeleteDistributionInput{Id: &id, IfMatch: out.ETag})
			return err
		}
		s.Advance(time.Minute)
	}
}

// addPublicBehavior adds a behavior in front of all others, with an origin on the public internet.
func (s *story) addPublicBehavior(_ *testscript.TestScript, args []string) error {
	return s.editDistribution(func(c *cloudfronttypes.DistributionConfig) {
		c.Origins.Items = append(c.Origins.Items, cloudfronttypes.Origin{
			Id: aws.String("legacy"), DomainName: &args[1], CustomOriginConfig: &cloudfronttypes.CustomOriginConfig{
				HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443), OriginProtocolPolicy: cloudfronttypes.OriginProtocolPolicyHttpsOnly,
			},
		})
		b := c.CacheBehaviors.Items[0]
		b.PathPattern, b.TargetOriginId = &args[0], aws.String("legacy")
		c.CacheBehaviors.Items = append([]cloudfronttypes.CacheBehavior{b}, c.CacheBehaviors.Items...)
		*c.Origins.Quantity++
		*c.CacheBehaviors.Quantity++
	})
}

// deleteOrigin deletes a VPC origin as its owner.
func (s *story) deleteOrigin(_ *testscript.TestScript, args []string) error {
	id, api := s.origins[args[0]].ID, s.owner(args[0]).cloudfront
	seen, err := api.GetVpcOrigin(s.ctx, &cloudfront.GetVpcOriginInput{Id: &id})
	if err != nil {
		return err
	}
	_, err = api.DeleteVpcOrigin(s.ctx, &cloudfront.DeleteVpcOriginInput{Id: &id, IfMatch: seen.ETag})
	return err
}

// deleteOriginAs deletes a VPC origin as another team.
func (s *story) deleteOriginAs(_ *testscript.TestScript, args []string) error {
	id := s.origins[args[1]].ID
	_, err := s.actors[args[0]].cloudfront.DeleteVpcOrigin(s.ctx, &cloudfront.DeleteVpcOriginInput{Id: &id, IfMatch: aws.String("E1")})
	return err
}

// editDNS removes the records of a host from the hub's zone, and creates an A record if the argument is an address.
func (s *story) editDNS(_ *testscript.TestScript, args []string) error {
	zone := route53.NewFromConfig(s.Config(HubAccount, Region))
	list, err := zone.ListResourceRecordSets(s.ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &s.policy.HostedZone})
	if err != nil {
		return err
	}
	var batch route53types.ChangeBatch
	for _, r := range list.ResourceRecordSets {
		if strings.TrimSuffix(aws.ToString(r.Name), ".") == args[0] {
			batch.Changes = append(batch.Changes, route53types.Change{Action: route53types.ChangeActionDelete, ResourceRecordSet: &r})
		}
	}
	if args[1] != "remove" {
		batch.Changes = append(batch.Changes, route53types.Change{Action: route53types.ChangeActionCreate, ResourceRecordSet: &route53types.ResourceRecordSet{
			Name: &args[0], Type: route53types.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []route53types.ResourceRecord{{Value: &args[1]}},
		}})
	}
	_, err = zone.ChangeResourceRecordSets(s.ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &s.policy.HostedZone, ChangeBatch: &batch})
	return err
}

// distributionWith returns a distribution whose only origin is the VPC origin of an account.
func distributionWith(vpcOrigin, account, reference, comment string, enabled bool) *cloudfront.CreateDistributionInput {
	return &cloudfront.CreateDistributionInput{DistributionConfig: &cloudfronttypes.DistributionConfig{
		CallerReference: &reference, Comment: &comment, Enabled: &enabled,
		Origins: &cloudfronttypes.Origins{Quantity: aws.Int32(1), Items: []cloudfronttypes.Origin{{
			Id: aws.String("o"), DomainName: aws.String("internal.example.com"),
			VpcOriginConfig: &cloudfronttypes.VpcOriginConfig{VpcOriginId: &vpcOrigin, OwnerAccountId: &account},
		}}},
		DefaultCacheBehavior: &cloudfronttypes.DefaultCacheBehavior{
			TargetOriginId: aws.String("o"), ViewerProtocolPolicy: cloudfronttypes.ViewerProtocolPolicyHttpsOnly,
			CachePolicyId: aws.String("4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
		},
	}}
}

// createDisabledDistribution creates a disabled distribution in the hub's account that uses an origin.
func (s *story) createDisabledDistribution(_ *testscript.TestScript, args []string) error {
	o, owner := s.origins[args[0]], s.owner(args[0])
	_, err := s.hubCloudFront.CreateDistribution(s.ctx, distributionWith(o.ID, owner.Account, "old", "old", false))
	return err
}
