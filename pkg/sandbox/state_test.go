package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// control asks a control endpoint and answers status and body.
func control(t *testing.T, s *Sandbox, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.Endpoint()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(b)
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	run := func(seed uint64) (state, calls string) {
		s := start(t, Options{Seed: seed, Zones: []Zone{{Account: hub, ID: "Z0EXAMPLE", Name: "example.com"}}})
		ok[map[string]string](t)(s.Deploy(hub, region, "registry", []byte(tableTemplate), nil))
		ok[map[string]string](t)(s.Deploy(hub, region, "teardown", []byte(machineTemplate), nil))
		eventsInto(t, s, team, `{"source":["aws.cloudfront"]}`)
		ok[*cloudfront.CreateVpcOriginOutput](t)(cloudfront.NewFromConfig(s.Config(team, region)).CreateVpcOrigin(context.Background(),
			&cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpointConfig()}))
		s.UntilIdle()
		_, state = control(t, s, "GET", "/_sandbox/state", "")
		_, calls = control(t, s, "GET", "/_sandbox/calls", "")
		return state, calls
	}
	firstState, firstCalls := run(1)
	secondState, secondCalls := run(1)
	if diff := cmp.Diff(firstState, secondState); diff != "" {
		t.Errorf("state: %s", diff)
	}
	if diff := cmp.Diff(firstCalls, secondCalls); diff != "" {
		t.Errorf("calls: %s", diff)
	}
	if otherState, _ := run(2); otherState == firstState {
		t.Error("another seed gives the same ids")
	}
}

func TestControlsOfAWholeSandbox(t *testing.T) {
	s := start(t, Options{})
	client := cloudfront.NewFromConfig(s.Config(team, region))
	made := ok[*cloudfront.CreateVpcOriginOutput](t)(client.CreateVpcOrigin(context.Background(), &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: endpointConfig(),
	}))
	_, body := control(t, s, "GET", "/_sandbox/state", "")
	var state struct {
		Idle     bool                      `json:"idle"`
		Pending  []string                  `json:"pending"`
		Accounts map[string]map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal([]byte(body), &state); err != nil {
		t.Fatal(err)
	}
	if state.Idle || len(state.Pending) == 0 || state.Accounts[team]["name"] != "team-a" || !strings.Contains(body, aws.ToString(made.VpcOrigin.Id)) {
		t.Errorf("state %s", body)
	}
	if status, body := control(t, s, "POST", "/_sandbox/advance", `{"until":"idle"}`); status != 200 || !strings.Contains(body, `"idle": true`) {
		t.Errorf("advance: %d %s", status, body)
	}
	if status, body := control(t, s, "POST", "/_sandbox/faults", `{"fault":"throttle","operation":"GetVpcOrigin"}`); status != 200 {
		t.Errorf("faults: %d %s", status, body)
	}
	_, err := client.GetVpcOrigin(context.Background(), &cloudfront.GetVpcOriginInput{Id: made.VpcOrigin.Id})
	if code(err) != "Throttling" {
		t.Errorf("throttled call: %v", err)
	}
	for _, service := range []string{"cloudfront", "dynamodb", "ec2", "elasticloadbalancing", "events", "lambda", "ram", "route53", "sns", "sqs", "states", "sts"} {
		if _, body := control(t, s, "GET", "/_sandbox/operations", ""); !strings.Contains(body, `"service": "`+service+`"`) {
			t.Errorf("no operations of %s", service)
		}
	}
	if status, body := control(t, s, "GET", "/_sandbox/ledger", ""); status != 200 || !strings.Contains(body, `"TRAIL-01"`) {
		t.Errorf("assumptions: %d %s", status, body)
	}
}

func TestTheEdgeAnswersAnyHost(t *testing.T) {
	s := start(t, Options{})
	response, err := s.client.Get(s.Edge() + "/team-a/customers/123")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusNotFound {
		t.Errorf("a host of no distribution: %d", response.StatusCode)
	}
}

// The logs keep the newest entries, as many as Keep says, and the control endpoints and the snapshot say how many are missing.
func TestLogsKeepTheNewestEntries(t *testing.T) {
	const keep, made = 10, 30
	s := start(t, Options{Accounts: []Account{{ID: hub}}, Keep: keep})
	queues := sqs.NewFromConfig(s.Config(hub, region))
	for i := range made {
		ok[*sqs.CreateQueueOutput](t)(queues.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String(fmt.Sprintf("q%d", i))}))
	}
	s.Advance(time.Hour) // until CloudTrail has delivered the events of the calls
	calls, events := s.Calls(), s.Events()
	if len(calls) != keep || calls[0].Seq != made-keep+1 || calls[keep-1].Seq != made {
		t.Errorf("%d calls: %+v", len(calls), calls)
	}
	if len(events) != keep || events[0].Seq != made-keep+1 {
		t.Errorf("%d events: %+v", len(events), events)
	}
	account := s.State()["accounts"].(map[string]any)[hub].(map[string]any)
	if got := account["cloudtrail"].(map[string]any)["dropped"]; got != made-keep {
		t.Errorf("CloudTrail has dropped %v records", got)
	}
	for _, log := range []string{"calls", "events"} {
		_, body := control(t, s, "GET", "/_sandbox/"+log+"?since=5", "")
		var answer struct{ Dropped int }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Dropped != made-keep-5 {
			t.Errorf("%s since 5: %s, %v", log, body, err)
		}
	}
}
