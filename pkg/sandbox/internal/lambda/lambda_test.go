package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda/lambdatest"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
)

const (
	account = "100000000000"
	region  = "us-east-1"
	roleARN = "arn:aws:iam::100000000000:role/function-role"
)

// TestMain builds the test function once and sees that no goroutine outlives the tests.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambda-test-")
	if err != nil {
		panic(err)
	}
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), "./testdata/handler")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build the test function: %v\n%s", err, out))
	}
	if err := os.Setenv("LAMBDA_TEST_ASSET", dir); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// sessions stands in for IAM: every role exists, except those named "nobody".
type sessions struct {
	mu      sync.Mutex
	minted  int
	serving map[string]string // access key id → invocation
}

func (s *sessions) MintForFunction(roleARN, functionName, _ string) (iam.Credential, error) {
	if strings.HasSuffix(roleARN, "nobody") {
		return iam.Credential{}, cloud.Errorf(403, "AccessDenied", "the role %s does not exist", roleARN)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minted++
	return iam.Credential{AccessKeyID: key(s.minted), SecretAccessKey: "secret", SessionToken: "token-" + functionName}, nil
}

// current is the invocation that the keys minted last act for.
func (s *sessions) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serving[key(s.minted)]
}

func key(n int) string { return fmt.Sprintf("ASIA%016d", n) }

func (s *sessions) Invocation(key, invocation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving[key] = invocation
}

func (s *sessions) Assume(_ cloud.Principal, roleARN, session string) (cloud.Principal, error) {
	if strings.HasSuffix(roleARN, "nobody") {
		return cloud.Principal{}, cloud.Errorf(403, "AccessDenied", "the role %s does not exist", roleARN)
	}
	name := roleARN[strings.LastIndex(roleARN, "/")+1:]
	return cloud.AssumedRole(account, roleARN, name, session), nil
}

// bench is a world with Lambda and SQS in it.
type bench struct {
	t        *testing.T
	world    *cloud.World
	lambda   *Service
	sqs      *sqs.Service
	sessions *sessions
	front    *httptest.Server
	onCall   func(w http.ResponseWriter, path string)
}

// newBench is a bench that runs functions in processes of their own.
func newBench(t *testing.T) *bench {
	t.Helper()
	return benchWith(t, nil)
}

// eachWay tests what is the same wherever a function runs.
func eachWay(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Run("process", func(t *testing.T) { test(t, newBench(t)) })
	t.Run("resident", func(t *testing.T) { test(t, benchWith(t, resides())) })
}

// resides starts the test function in this process. Its instances are numbered, so that no number is that of a process.
func resides() Starter {
	var started atomic.Int64
	return func(_ context.Context, h Hosting) (Handler, error) {
		return lambdatest.New(lambdatest.Host{
			Environment: func() (environment []string) {
				for name, value := range h.Environment {
					environment = append(environment, name+"="+value)
				}
				return environment
			},
			Output: h.Log, Client: &http.Client{Transport: h.Transport}, PID: -int(started.Add(1)),
		})
	}
}

func benchWith(t *testing.T, starter Starter) *bench {
	t.Helper()
	w := cloud.New(cloud.Options{Seed: 1})
	b := &bench{t: t, world: w, sqs: sqs.New(w), sessions: &sessions{serving: map[string]string{}}}
	b.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.onCall != nil {
			b.onCall(w, r.URL.Path)
		}
	}))
	b.lambda = New(w, b.sqs, b.sessions, Options{
		Endpoint: func() string { return b.front.URL }, Starter: starter, Transport: &http.Transport{DisableKeepAlives: true},
	})
	w.Register(b.lambda.API(), b.sqs.API())
	w.Kill = b.lambda.Kill
	t.Cleanup(func() {
		b.lambda.Close()
		b.front.Close()
	})
	return b
}

// request is the request for one resource of a test's template.
func (b *bench) request(logicalID, properties string) *cloud.ResourceRequest {
	return &cloud.ResourceRequest{
		World: b.world, Account: account, Region: region, Stack: "test", LogicalID: logicalID, Properties: json.RawMessage(properties),
		Asset: func(key string) (string, error) {
			if key != "asset.zip" {
				return "", errors.New("no such asset")
			}
			return os.Getenv("LAMBDA_TEST_ASSET"), nil
		},
	}
}

func (b *bench) resourceType(name string) cloud.ResourceType {
	for _, rt := range append(b.lambda.ResourceTypes(), b.sqs.ResourceTypes()...) {
		if rt.Name == name {
			return rt
		}
	}
	b.t.Fatalf("no resource type %s", name)
	return cloud.ResourceType{}
}

func (b *bench) create(resourceType, logicalID, properties string) *cloud.Resource {
	b.t.Helper()
	r, err := b.resourceType(resourceType).Create(b.request(logicalID, properties))
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// function deploys the test function; extra holds further properties, each ending with a comma.
func (b *bench) function(extra string) string {
	b.t.Helper()
	return b.create("AWS::Lambda::Function", "Fn", functionTemplate(extra)).Attributes["Arn"]
}

func functionTemplate(extra string) string {
	return fmt.Sprintf(`{%s "Code": {"S3Bucket": "assets", "S3Key": "asset.zip"}, "Handler": "bootstrap", "Runtime": "provided.al2023", "Role": %q}`,
		extra, roleARN)
}

func (b *bench) invoke(arn, payload string) Result {
	b.t.Helper()
	r, err := b.lambda.Invoke(arn, []byte(payload))
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// decode reads the answer of a successful invocation.
func (b *bench) decode(r Result, into any) {
	b.t.Helper()
	if r.FunctionError != "" {
		b.t.Fatalf("%s: %s", r.FunctionError, r.Payload)
	}
	if err := json.Unmarshal(r.Payload, into); err != nil {
		b.t.Fatalf("%v in %s", err, r.Payload)
	}
}

type served struct{ PID, Calls int }

func (b *bench) served(arn string) served {
	b.t.Helper()
	var v served
	b.decode(b.invoke(arn, `{}`), &v)
	return v
}

// running reports whether a process is there and not merely unreaped. An instance without one is not.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	after := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return !strings.HasPrefix(strings.TrimSpace(after), "Z")
}

// gone waits for a process that has been killed but belongs to nobody.
func (b *bench) gone(pid int) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); running(pid); {
		if time.Now().After(deadline) {
			b.t.Fatalf("process %d is still there", pid)
		}
	}
}
