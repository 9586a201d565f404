package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sdkModules are the Go SDK's modules by signing name. Each ships the request that its client sends for every operation,
// with every member filled in, but for CloudTrail's, at least while it goes with the other modules. Nothing here uses the module of the
// Resource Groups Tagging API.
var sdkModules = map[string]string{
	"acm": "acm", "apigateway": "apigateway", "cloudformation": "cloudformation", "cloudfront": "cloudfront", "cloudtrail": "", "dynamodb": "dynamodb",
	"ec2": "ec2", "elasticloadbalancing": "elasticloadbalancingv2", "events": "eventbridge", "kms": "kms", "lambda": "lambda",
	"logs": "cloudwatchlogs", "monitoring": "cloudwatch", "ram": "ram", "route53": "route53", "servicequotas": "servicequotas",
	"sns": "sns", "sqs": "sqs", "states": "sfn", "sts": "sts", "tagging": "",
}

// Every operation of the sandbox is found by the very bytes that the SDK's client sends for it, and reads them, or refuses
// them for a member that is on the reviewed list of what the sandbox leaves out.
func TestGoldenRequestsOfTheSDK(t *testing.T) {
	s := start(t, Options{})
	var left bytes.Buffer
	for _, service := range s.world.Services() {
		module, known := sdkModules[service.Name]
		if len(service.Operations) == 0 || known && module == "" {
			continue
		}
		dir := filepath.Join(moduleDir(t, module), "request_snapshot")
		codec, err := wire.New(service)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range service.Operations {
			r, body, err := readSnapshot(filepath.Join(dir, op.Name+".request.snap"))
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s %s: the SDK has no such operation", service.Name, op.Name)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got, _, failure := codec.Decode(r, body)
			switch {
			case failure == nil && got.Name != op.Name:
				t.Errorf("%s %s: the request reads as %s", service.Name, op.Name, got.Name)
			case failure == nil:
			case failure.Status == http.StatusNotImplemented, !strings.Contains(failure.Message, "the sandbox does not know"):
				t.Errorf("%s %s: %v", service.Name, op.Name, failure)
			default:
				_, what, _ := strings.Cut(failure.Message, "the sandbox does not know ")
				fmt.Fprintf(&left, "%s %s: %s\n", service.Name, op.Name, what)
			}
		}
	}
	golden(t, "testdata/left-out.txt", left.Bytes())
}

// moduleDir is where an SDK module is. It is downloaded if need be: nothing that is compiled uses that of Lambda.
func moduleDir(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/aws/aws-sdk-go-v2/service/"+name).Output()
	if err != nil {
		t.Fatalf("download SDK module %q: %v\n%s", name, err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	return module.Dir
}

// readSnapshot reads "METHOD path?query", blank line, headers, blank line, body.
func readSnapshot(file string) (*http.Request, []byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	line, rest, _ := bytes.Cut(b, []byte("\n\n"))
	headers, body, _ := bytes.Cut(rest, []byte("\n\n"))
	method, target, _ := strings.Cut(string(line), " ")
	u, err := url.Parse("http://sandbox" + target)
	if err != nil {
		return nil, nil, err
	}
	r := &http.Request{Method: method, URL: u, Header: http.Header{}}
	for h := range strings.SplitSeq(string(headers), "\n") {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r, body, nil
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; check the difference, then run the test with -update:\n%s", file, diff)
	}
}
