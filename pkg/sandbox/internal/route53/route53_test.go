package route53

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const hub = "100000000000"

func newZone(t *testing.T) *cloud.World {
	t.Helper()
	w := cloud.New(cloud.Options{Seed: 1})
	s := New(w)
	w.Register(s.API())
	s.CreateZone(hub, "Z0EXAMPLE", "example.com")
	return w
}

func invoke[O any](t *testing.T, w *cloud.World, operation string, in any) *O {
	t.Helper()
	out, err := w.Invoke(cloud.Root(hub), "us-east-1", "route53", operation, in)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return out.(*O)
}

func batch(changes ...Change) *ChangeResourceRecordSetsInput {
	return &ChangeResourceRecordSetsInput{HostedZoneID: "Z0EXAMPLE", ChangeBatch: ChangeBatch{Changes: changes}}
}

func address(action, name, value string) Change {
	ttl := 300
	return Change{action, RecordSet{Name: name, Type: "A", TTL: &ttl, ResourceRecords: []ResourceRecord{{value}}}}
}

func alias(action, name, target string) Change {
	return Change{action, RecordSet{Name: name, Type: "A", AliasTarget: &AliasTarget{HostedZoneID: cloudFrontZone, DNSName: target}}}
}

func names(t *testing.T, w *cloud.World) []string {
	t.Helper()
	var list []string
	for _, r := range invoke[ListResourceRecordSetsOutput](t, w, "ListResourceRecordSets", &ListResourceRecordSetsInput{HostedZoneID: "Z0EXAMPLE"}).ResourceRecordSets {
		list = append(list, r.Name+" "+r.Type)
	}
	return list
}

func TestLifeOfARecord(t *testing.T) {
	w := newZone(t)
	out := invoke[ChangeResourceRecordSetsOutput](t, w, "ChangeResourceRecordSets", batch(
		alias("CREATE", "*.Example.com", "d111111abcdef8.cloudfront.net"), address("UPSERT", "b.example.com.", "192.0.2.1"), address("CREATE", "z.a.example.com", "192.0.2.2")))
	if out.ChangeInfo.Status != "PENDING" || !strings.HasPrefix(out.ChangeInfo.ID, "/change/C") {
		t.Errorf("got %+v", out.ChangeInfo)
	}
	want := []string{"example.com. NS", "example.com. SOA", `\052.example.com. A`, "z.a.example.com. A", "b.example.com. A"}
	if got := names(t, w); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	w.Clock.Advance(time.Minute)
	id := strings.TrimPrefix(out.ChangeInfo.ID, "/change/")
	if got := invoke[GetChangeOutput](t, w, "GetChange", &GetChangeInput{ID: id}); got.ChangeInfo.Status != "INSYNC" {
		t.Errorf("after a minute: %+v", got)
	}
	// A delete followed by a create replaces a record in one batch.
	invoke[ChangeResourceRecordSetsOutput](t, w, "ChangeResourceRecordSets", batch(
		alias("DELETE", `\052.example.com`, "D111111abcdef8.cloudfront.net."), alias("CREATE", "*.example.com", "d222222abcdef8.cloudfront.net")))
	page := invoke[ListResourceRecordSetsOutput](t, w, "ListResourceRecordSets",
		&ListResourceRecordSetsInput{HostedZoneID: "Z0EXAMPLE", StartRecordName: "*.example.com", StartRecordType: "A", MaxItems: "1"})
	if len(page.ResourceRecordSets) != 1 || page.ResourceRecordSets[0].AliasTarget.DNSName != "d222222abcdef8.cloudfront.net." ||
		!page.IsTruncated || page.NextRecordName != "z.a.example.com." {
		t.Errorf("got %+v", page)
	}
}

func TestRefusedBatchesChangeNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		changes []Change
		code    string
		says    string
	}{
		"already there":         {[]Change{address("CREATE", "new.example.com", "192.0.2.9"), address("CREATE", "a.example.com", "192.0.2.1")}, "InvalidChangeBatch", "[name='a.example.com.', type='A'] but it already exists"},
		"not there":             {[]Change{address("DELETE", "b.example.com", "192.0.2.1")}, "InvalidChangeBatch", "but it was not found"},
		"another value":         {[]Change{address("DELETE", "a.example.com", "192.0.2.9")}, "InvalidChangeBatch", "do not match the current values"},
		"alias for a value":     {[]Change{alias("DELETE", "a.example.com", "d1.cloudfront.net")}, "InvalidChangeBatch", "do not match the current values"},
		"another zone":          {[]Change{address("CREATE", "a.example.org", "192.0.2.1")}, "InvalidChangeBatch", "is not permitted in zone example.com."},
		"suffix of a label":     {[]Change{address("CREATE", "badexample.com", "192.0.2.1")}, "InvalidChangeBatch", "is not permitted in zone example.com."},
		"no address":            {[]Change{address("CREATE", "b.example.com", "localhost")}, "InvalidChangeBatch", "not a valid IPv4 address"},
		"alias out of the zone": {[]Change{alias("CREATE", "b.example.com", "example.org")}, "InvalidChangeBatch", "does not lie within the target zone"},
		"no action":             {[]Change{address("", "b.example.com", "192.0.2.1")}, "InvalidInput", "action"},
		"no value":              {[]Change{{"CREATE", RecordSet{Name: "b.example.com", Type: "A"}}}, "InvalidInput", "Expected exactly one of"},
		"nothing":               {nil, "InvalidInput", "at least one"},
		"no type":               {[]Change{{"DELETE", RecordSet{}}}, "InvalidInput", "type"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newZone(t)
			invoke[ChangeResourceRecordSetsOutput](t, w, "ChangeResourceRecordSets", batch(address("CREATE", "a.example.com", "192.0.2.1")))
			before := names(t, w)
			_, err := w.Invoke(cloud.Root(hub), "us-east-1", "route53", "ChangeResourceRecordSets", batch(tc.changes...))
			if err == nil || cloud.AsError(err).Code != tc.code || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %s: …%s…", err, tc.code, tc.says)
			}
			if got := names(t, w); !slices.Equal(got, before) {
				t.Errorf("the zone changed to %q", got)
			}
		})
	}
}

func TestCNAMEStandsAlone(t *testing.T) {
	w := newZone(t)
	ttl := 60
	cname := func(name string) Change {
		return Change{"CREATE", RecordSet{Name: name, Type: "CNAME", TTL: &ttl, ResourceRecords: []ResourceRecord{{"x.example.net"}}}}
	}
	invoke[ChangeResourceRecordSetsOutput](t, w, "ChangeResourceRecordSets", batch(cname("a.example.com")))
	for _, changes := range [][]Change{{address("CREATE", "a.example.com", "192.0.2.1")}, {cname("example.com")}} {
		_, err := w.Invoke(cloud.Root(hub), "us-east-1", "route53", "ChangeResourceRecordSets", batch(changes...))
		if err == nil || cloud.AsError(err).Code != "InvalidChangeBatch" {
			t.Errorf("got %v", err)
		}
	}
}

func TestConditionsNameWhatChanges(t *testing.T) {
	w := newZone(t)
	var asked cloud.Request
	w.Authorizer = authorizer(func(r cloud.Request) cloud.Decision {
		asked = r
		return cloud.Decision{Allowed: true}
	})
	invoke[ChangeResourceRecordSetsOutput](t, w, "ChangeResourceRecordSets",
		batch(alias("UPSERT", "*.Example.com.", "d1.cloudfront.net"), alias("CREATE", "b.example.com", "d1.cloudfront.net")))
	if asked.Action != "route53:ChangeResourceRecordSets" || asked.Resource != "arn:aws:route53:::hostedzone/Z0EXAMPLE" ||
		!slices.Equal(asked.Context["route53:ChangeResourceRecordSetsNormalizedRecordNames"], []string{`\052.example.com`, "b.example.com"}) ||
		!slices.Equal(asked.Context["route53:ChangeResourceRecordSetsRecordTypes"], []string{"A"}) ||
		!slices.Equal(asked.Context["route53:ChangeResourceRecordSetsActions"], []string{"CREATE", "UPSERT"}) {
		t.Errorf("asked %+v", asked)
	}
}

type authorizer func(cloud.Request) cloud.Decision

func (a authorizer) Authorize(r cloud.Request) cloud.Decision { return a(r) }

func TestZones(t *testing.T) {
	w := newZone(t)
	made := invoke[CreateHostedZoneOutput](t, w, "CreateHostedZone", &CreateHostedZoneInput{Name: "example.net", CallerReference: "r"})
	if made.HostedZone.Name != "example.net." || len(made.DelegationSet.NameServers) != 4 {
		t.Errorf("got %+v", made)
	}
	if _, err := w.Invoke(cloud.Root(hub), "us-east-1", "route53", "CreateHostedZone", &CreateHostedZoneInput{Name: "example.net", CallerReference: "r"}); err == nil {
		t.Error("the same caller reference made two zones")
	}
	list := invoke[ListHostedZonesByNameOutput](t, w, "ListHostedZonesByName", &ListHostedZonesByNameInput{DNSName: "example.net"})
	if len(list.HostedZones) != 1 || list.HostedZones[0].ID != made.HostedZone.ID {
		t.Errorf("got %+v", list)
	}
	if all := invoke[ListHostedZonesOutput](t, w, "ListHostedZones", &ListHostedZonesInput{MaxItems: "1"}); !all.IsTruncated || all.NextMarker == "" {
		t.Errorf("got %+v", all)
	}
	got := invoke[GetHostedZoneOutput](t, w, "GetHostedZone", &GetHostedZoneInput{ID: "Z0EXAMPLE"})
	if got.HostedZone.ResourceRecordSetCount != 2 {
		t.Errorf("got %+v", got)
	}
	for account, code := range map[string]string{hub: "NoSuchHostedZone", "111111111111": "AccessDenied"} {
		id := "Z0EXAMPLE"
		if account == hub {
			id = "ZNONE"
		}
		_, err := w.Invoke(cloud.Root(account), "us-east-1", "route53", "GetHostedZone", &GetHostedZoneInput{ID: id})
		if err == nil || cloud.AsError(err).Code != code {
			t.Errorf("%s: got %v, want %s", account, err, code)
		}
	}
	invoke[DeleteHostedZoneOutput](t, w, "DeleteHostedZone", &DeleteHostedZoneInput{ID: strings.TrimPrefix(made.HostedZone.ID, "/hostedzone/")})
}
