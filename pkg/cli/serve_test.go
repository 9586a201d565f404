package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/policy"
	"github.com/originhub/originhub/pkg/rehearsal"
)

// assembly writes the golden templates to a directory in the form of a CDK assembly.
func assembly(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name string, v any) {
		text, err := json.Marshal(v)
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	type m = map[string]any
	policyText, err := os.ReadFile("../../infra/testdata/" + contract.PolicyFile)
	if err != nil {
		t.Fatal(err)
	}
	hubPolicy, err := policy.Parse(policyText)
	if err != nil {
		t.Fatal(err)
	}
	parameters := hubPolicy.Parameters()
	parameters[contract.CodeBucket] = "packages"
	for _, function := range contract.Functions() {
		parameters[contract.CodeKey(function)] = function + ".zip"
	}
	artifacts := m{"assets": m{"type": "cdk:asset-manifest", "properties": m{"file": "assets.json"}}}
	for stack, name := range map[string]string{"hub": "originhub-networking", "spoke": "originhub-networking-spoke", "team": "originhub-team"} {
		text, err := os.ReadFile("../../infra/testdata/" + stack + ".template.json")
		if err != nil {
			t.Fatal(err)
		}
		write(stack+".template.json", json.RawMessage(text))
		artifacts[stack] = m{
			"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/" + rehearsal.Region, "dependencies": []string{"assets"},
			"properties": m{"templateFile": stack + ".template.json", "stackName": name},
		}
		if stack == "hub" {
			artifacts[stack].(m)["properties"].(m)["parameters"] = parameters
		}
	}
	write("manifest.json", m{"artifacts": artifacts})
	files, binaries := m{}, built.Functions(t)
	for _, name := range []string{"admit", "audit", "customers", "retire", "targets", "teardown", "wire"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(path, 0o755), os.Symlink(filepath.Join(binaries, name), filepath.Join(path, "bootstrap")),
			os.WriteFile(filepath.Join(path, contract.PolicyFile), policyText, 0o644)); err != nil {
			t.Fatal(err)
		}
		files[name] = m{"source": m{"path": name}, "destinations": m{"d": m{"objectKey": name + ".zip"}}}
	}
	write("assets.json", m{"files": files})
	return dir
}

// serve runs `sandbox serve` until the test ends, and returns its addresses.
func serve(t *testing.T, args ...string) (at report) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Run(ctx, append([]string{"sandbox", "serve", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0"}, args...), strings.NewReader(""), in, &errs)
		_ = in.Close()
	}()
	t.Cleanup(func() {
		stop()
		if c := <-code; c != exitOK {
			t.Errorf("exit code %d: %s", c, errs.String())
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err := errors.Join(err, json.Unmarshal(line, &at)); err != nil {
		t.Fatal(err)
	}
	return at
}

// ask sends a request to a control endpoint, and decodes the response.
func ask[T any](t *testing.T, url, body string) (answer T) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// The hub, a spoke and a team's stack are rehearsed together as infra/README.md describes: the certificate exists before, and the hub's
// events can be read without a rule.
func TestServeATeamStackWithItsCertificate(t *testing.T) {
	const certificate = "arn:aws:acm:us-east-1:" + rehearsal.TeamAAccount + ":certificate/0f0e0d0c-0000-4000-8000-000000000000"
	dir := assembly(t)
	t.Chdir("../..") // the world's accounts, zone and organization are those of infra/testdata
	at := serve(t, "--assembly", dir, "--certificate", certificate+"=team-a.example.com",
		"--stack", "originhub-networking="+rehearsal.HubAccount, "--stack", "originhub-networking-spoke="+rehearsal.TeamAAccount, "--stack", "originhub-team="+rehearsal.TeamAAccount,
		"--parameters", "originhub-networking-spoke:HubAccountId="+rehearsal.HubAccount, "--parameters", "originhub-networking-spoke:HubName=networking",
		"--parameters", "originhub-networking-spoke:ExternalId=rehearsal-7f3a",
		"--parameters", "originhub-team:Team=team-a", "--parameters", "originhub-team:HubAccountId="+rehearsal.HubAccount,
		"--parameters", "originhub-team:CertificateArn="+certificate)
	rest := ask[struct {
		Idle     bool
		Underway []string
	}](t, at.Endpoint+"/_sandbox/advance", `{"until": "idle"}`)
	if !rest.Idle {
		t.Fatalf("still running: %v", rest.Underway)
	}
	status, body, err := rehearsal.Get(t.Context(), at.Edge, "team-a.example.com", "/team-a/customers/123")
	if err != nil || status != http.StatusOK || !strings.Contains(body, `"customerId":"123"`) {
		t.Errorf("%d %s %v", status, body, err)
	}
	got := ask[struct {
		Events []struct {
			Bus   string
			Event rehearsal.Event
			Rules []struct{ Deliveries []struct{ Result string } }
		}
	}](t, at.Endpoint+"/_sandbox/events", "")
	said := map[string]bool{}
	for _, e := range got.Events {
		if strings.HasSuffix(e.Bus, ":event-bus/"+contract.BusName("networking")) {
			said[e.Event.Type] = true
		}
	}
	if !said[contract.OriginWentLive] {
		t.Errorf("the hub published %v", said)
	}
}

func TestServeRefusesCertificates(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:acm:us-east-1:111111111111:certificate/c"
	for given, says := range map[string]string{
		"team-a.example.com":             "is not ARN=NAME",
		arn + "=":                        "is not ARN=NAME",
		"c=team-a.example.com":           `"c" is not arn:aws:acm:<region>:<account>:certificate/<id>`,
		arn + "=a.example.com,localhost": "'localhost'",
	} {
		var errs bytes.Buffer
		code := Run(t.Context(), []string{
			"sandbox", "serve", "--empty", "--templates", "../../infra/testdata", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0", "--certificate", given,
		}, strings.NewReader(""), io.Discard, &errs)
		if code != exitFailure || !strings.Contains(errs.String(), says) {
			t.Errorf("%s: %d %s; want %s", given, code, errs.String(), says)
		}
	}
}
