package acm_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/acm"
	"github.com/originhub/originhub/pkg/sandbox/internal/cfn"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

const (
	team   = "111111111111"
	region = "us-east-1"
)

func newService() (*acm.Service, *cloud.World) {
	w := cloud.New(cloud.Options{Seed: 1})
	s := acm.New(w)
	w.Register(s.API())
	return s, w
}

func request(t *testing.T, w *cloud.World, names ...string) (string, error) {
	t.Helper()
	out, err := w.Invoke(cloud.Root(team), region, "acm", "RequestCertificate", &acm.RequestCertificateInput{
		DomainName: names[0], SubjectAlternativeNames: names[1:], ValidationMethod: "DNS",
	})
	if err != nil {
		return "", err
	}
	return out.(*acm.CertificateARN).CertificateArn, nil
}

func TestAssumption_ACM_01_IssuedAfterFiveMinutes(t *testing.T) {
	s, w := newService()
	arn, err := request(t, w, "team-a.example.com", "*.team-a.example.com")
	if err != nil {
		t.Fatal(err)
	}
	names := func() (list []string, ok bool) {
		w.Do(func() { list, ok = s.Names(arn, team, region) })
		return list, ok
	}
	w.Clock.Advance(acm.Validation - time.Second)
	if _, ok := names(); ok {
		t.Error("issued early")
	}
	if !w.Clock.UntilIdle(time.Hour) {
		t.Error("never idle")
	}
	if list, ok := names(); !ok || !slices.Equal(list, []string{"team-a.example.com", "*.team-a.example.com"}) {
		t.Errorf("names %v %t", list, ok)
	}
	w.Do(func() {
		for _, elsewhere := range [][2]string{{"222222222222", region}, {team, "eu-west-1"}} {
			if _, ok := s.Names(arn, elsewhere[0], elsewhere[1]); ok {
				t.Errorf("visible in %v", elsewhere)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	s, w := newService()
	for _, name := range []string{"", "localhost", "a..example.com", "x.*.example.com", "*.", "-"} {
		if _, err := request(t, w, name); err == nil || cloud.AsError(err).Code != "ValidationException" {
			t.Errorf("%q: %v", name, err)
		}
	}
	arn := s.Add(team, region, "team-a.example.com")
	s.Users = func(string) []string { return []string{"listener/1"} }
	drop := func() error {
		_, err := w.Invoke(cloud.Root(team), region, "acm", "DeleteCertificate", &acm.CertificateARN{CertificateArn: arn})
		return err
	}
	if err := drop(); err == nil || cloud.AsError(err).Code != "ResourceInUseException" {
		t.Errorf("in use: %v", err)
	}
	s.Users = func(string) []string { return nil }
	if err := drop(); err != nil {
		t.Error(err)
	}
	if err := drop(); err == nil || cloud.AsError(err).Code != "ResourceNotFoundException" {
		t.Errorf("gone: %v", err)
	}
}

func TestStack(t *testing.T) {
	s, w := newService()
	stacks := cfn.New(w, s.ResourceTypes(), nil)
	template := func(extra string) []byte {
		return []byte(`{"Resources":{"C":{"Type":"AWS::CertificateManager::Certificate","Properties":{"DomainName":"a.example.com","ValidationMethod":"DNS"` +
			extra + `}}},"Outputs":{"Arn":{"Value":{"Ref":"C"}}}}`)
	}
	if _, err := stacks.Deploy(team, region, "c", template(`,"Colour":"red"`), nil); err == nil || !strings.Contains(err.Error(), "Colour") {
		t.Errorf("unknown property: %v", err)
	}
	out, err := stacks.Deploy(team, region, "c", template(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Do(func() {
		if _, ok := s.Names(out["Arn"], team, region); !ok {
			t.Error("not issued")
		}
	})
	if _, err := stacks.Delete(team, region, "c"); err != nil {
		t.Error(err)
	}
	w.Do(func() {
		if left := s.Snapshot(team)["certificates"].([]any); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	})
}

// What a client reads, as bytes. What it sends is TestGoldenRequestsOfTheSDK's, but for calls that are refused there for a
// member that the sandbox leaves out.
func TestWire(t *testing.T) {
	s, w := newService()
	arn := s.Add(team, region, "team-a.example.com")
	codec, err := wire.New(w.Service("acm"))
	if err != nil {
		t.Fatal(err)
	}
	for target, test := range map[string]struct{ body, want string }{
		"DescribeCertificate": {`{"CertificateArn":"` + arn + `"}`, `"Status":"ISSUED"`},
		"ListCertificates":    {`{"CertificateStatuses":["ISSUED"]}`, `"DomainName":"team-a.example.com"`},
		"RequestCertificate":  {`{"DomainName":"b.example.com","ValidationMethod":"DNS","Tags":[{"Key":"a","Value":"b"}]}`, `"CertificateArn":"arn:aws:acm:`},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-Amz-Target", "CertificateManager."+target)
		op, in, failure := codec.Decode(r, []byte(test.body))
		if failure != nil {
			t.Fatal(failure)
		}
		out, err := w.Invoke(cloud.Root(team), region, "acm", op.Name, in)
		if err != nil {
			t.Fatal(err)
		}
		recorder := httptest.NewRecorder()
		if err := codec.Encode(recorder, op, "request", out); err != nil || !json.Valid(recorder.Body.Bytes()) || !strings.Contains(recorder.Body.String(), test.want) {
			t.Errorf("%s: %s, %v", target, recorder.Body, err)
		}
	}
}
