package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/hub"
	"github.com/originhub/originhub/pkg/hub/admit"
	"github.com/originhub/originhub/pkg/hub/audit"
	"github.com/originhub/originhub/pkg/hub/retire"
	"github.com/originhub/originhub/pkg/hub/wire"
	"github.com/originhub/originhub/pkg/inbound"
)

const policyText = `version: 1
hub: networking
organization: o-a1b2c3d4e5
distribution: {base: {}}
domain: acme.io
hostedZone: Z08271353BNH2ZKXQMP1C
certificate: arn:aws:acm:us-east-1:739275409381:certificate/11111111-2222-4333-8444-555555555555
spokes: {externalId: 0c4a6e2f91}
teams:
  - {name: team-a, accounts: ["739275409382"], grants: [{host: team-a.acme.io, paths: ["/team-a/*"]}]}
`

// host is one that lacks nothing. Calls are answered by the answer.
func host(out *bytes.Buffer, env map[string]string, answer answer) hub.Host {
	return hub.Host{
		Getenv: func(name string) string { return env[name] },
		Asset:  fstest.MapFS{contract.PolicyFile: {Data: []byte(policyText)}},
		AWS: func(context.Context) (aws.Config, error) {
			return aws.Config{
				Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("100000000000", "x", ""), HTTPClient: answer,
			}, nil
		},
		Backoff: retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil }),
		Output:  out,
		Now:     func() time.Time { return time.Date(2035, time.January, 8, 9, 0, 0, 0, time.UTC) },
	}
}

func settings() map[string]string {
	env := map[string]string{}
	for _, name := range []string{
		contract.EnvTable, contract.EnvBus, contract.EnvAdmitQueue, contract.EnvWireQueue, contract.EnvStateMachine, contract.EnvAccount, contract.EnvPastTable,
	} {
		env[name] = "https://sqs.us-east-1.amazonaws.com/100000000000/" + name
	}
	return env
}

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

func TestConstructorNamesWhatIsMissing(t *testing.T) {
	shared := []string{contract.EnvTable, contract.EnvBus, contract.EnvAdmitQueue, contract.EnvWireQueue}
	for name, c := range map[string]struct {
		build func(context.Context, hub.Host) (lambda.Handler, error)
		needs []string
	}{
		"admit":  {admit.New, append(slices.Clone(shared), contract.EnvPastTable)},
		"audit":  {audit.New, append(slices.Clone(shared), contract.EnvAccount)},
		"retire": {retire.New, append(slices.Clone(shared), contract.EnvStateMachine)},
		"wire":   {wire.New, shared},
	} {
		if _, err := c.build(t.Context(), host(new(bytes.Buffer), settings(), nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, missing := range c.needs {
			env := settings()
			delete(env, missing)
			_, err := c.build(t.Context(), host(new(bytes.Buffer), env, nil))
			if err == nil || !strings.Contains(err.Error(), "environment variable "+missing+" is not set") {
				t.Errorf("%s without %s: %v", name, missing, err)
			}
		}
		for says, asset := range map[string]fs.FS{
			"read policy: open policy.yaml":   fstest.MapFS{},
			"read policy policy.yaml: line 1": fstest.MapFS{contract.PolicyFile: {Data: []byte("version: 9")}},
		} {
			h := host(new(bytes.Buffer), settings(), nil)
			h.Asset = asset
			if _, err := c.build(t.Context(), h); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %s", name, err, says)
			}
		}
	}
}

// A throttled call is sent again and counted; one that failed otherwise is sent again and not counted.
func TestThrottledCallsAreCounted(t *testing.T) {
	for code, counted := range map[string]int{"ThrottlingException": 2, "InternalError": 0} {
		var out bytes.Buffer
		sent := 0
		h, err := hub.Load(t.Context(), host(&out, settings(), func(*http.Request) (*http.Response, error) {
			if sent++; sent > 2 {
				return reply(http.StatusOK, `{}`), nil
			}
			return reply(http.StatusInternalServerError, `{"__type": "`+code+`"}`), nil
		}), "admit")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sqs.NewFromConfig(h.AWS).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || sent != 3 {
			t.Errorf("%s: sent %d times: %v", code, sent, err)
		}
		if got := strings.Count(out.String(), `"`+contract.MetricThrottle+`":1`); got != counted {
			t.Errorf("%s: counted %d times in %s", code, got, &out)
		}
	}
}

func reply(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: readCloser{strings.NewReader(body)},
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// Somebody else wrote meanwhile: whoever is triggered reads again and decides again, once.
func TestWhatAnotherRunSpoiledIsDoneAgain(t *testing.T) {
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	batch, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{Body: string(inbound.Trigger{}.JSON())}}})
	if err != nil {
		t.Fatal(err)
	}
	for spoiled, want := range map[int]bool{0: true, 1: true, 2: false} {
		runs := 0
		run := func() error {
			if runs++; runs <= spoiled {
				return fmt.Errorf("write: %w", &fault.Reread{Err: errors.New("stale")})
			}
			return nil
		}
		for name, c := range map[string]struct {
			handler lambda.Handler
			payload []byte
		}{
			"event": {hub.Event(log, inbound.Parse, func(context.Context, inbound.Message) error { return run() }), inbound.Trigger{}.JSON()},
			"queue": {hub.Queue(log, func(context.Context, []inbound.Message) error { return run() }), batch},
		} {
			runs = 0
			if _, err := c.handler.Invoke(ctx, c.payload); (err == nil) != want || runs != min(spoiled, 1)+1 {
				t.Errorf("%s, spoiled %d times: %d runs and %v", name, spoiled, runs, err)
			}
		}
	}
}
