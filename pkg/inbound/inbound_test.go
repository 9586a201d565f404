package inbound_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/inbound"
)

const (
	hub   = "100000000000"
	teamA = "111111111111"
	teamB = "222222222222"

	originB = "arn:aws:cloudfront::222222222222:vpcorigin/vo_teamB1"

	eventID           = "1b2c3d4e-0000-4000-8000-000000000000"
	distribution      = "EDFDVBD6EXAMPLE"
	zone              = "Z0123456789EXAMPLE"
	function          = "originhub-networking-not-found"
	invitationB       = "arn:aws:ram:us-east-1:222222222222:resource-share-invitation/1e3477be-4a95-46b4-bbe0-c4001EXAMPLE"
	shareB            = "arn:aws:ram:us-east-1:222222222222:resource-share/7ab63972-b505-7e2a-420d-6f5d3EXAMPLE"
	balancerB         = "arn:aws:elasticloadbalancing:us-east-1:222222222222:loadbalancer/app/team-b/50dc6c495c0c9188"
	roleOfTheHub      = "arn:aws:iam::100000000000:role/originhub/networking/originhub-networking-WireRole-0A1B2C3D"
	sessionOfTheHub   = "arn:aws:sts::100000000000:assumed-role/originhub-networking-WireRole-0A1B2C3D/s"
	roleOfTheSpoke    = "arn:aws:iam::222222222222:role/originhub-networking-spoke"
	sessionOfTheSpoke = "arn:aws:sts::222222222222:assumed-role/originhub-networking-spoke/s"
)

// called is the time of the calls in the sample records.
var swept = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

var called = time.Date(2026, 11, 22, 7, 59, 30, 0, time.UTC)

func developer(account string) string {
	return "arn:aws:sts::" + account + ":assumed-role/Developer/dev"
}
func developerRole(account string) string { return "arn:aws:iam::" + account + ":role/Developer" }

// refused and nothing stand for any Refused of an account, and for any Nothing.
type (
	refused struct{ account string }
	nothing struct{}
)

func TestParseEverySample(t *testing.T) {
	once := 1
	want := map[string]any{
		"admit/hit-create-resource-share.json":              inbound.ShareHint{Account: teamA},
		"admit/hit-create-vpc-origin.json":                  inbound.ShareHint{Account: teamA},
		"admit/hit-delete-vpc-origin.json":                  inbound.ShareHint{Account: teamA},
		"admit/hit-delete-resource-share.json":              inbound.ShareHint{Account: teamA},
		"admit/hit-update-resource-share.json":              inbound.ShareHint{Account: teamB},
		"admit/hit-tag-resources-by-the-tagging-api.json":   inbound.TagHint{Account: teamB, ARNs: []string{originB}, Called: called, By: developer(teamB)},
		"admit/miss-delete-load-balancer.json":              nothing{},
		"admit/hit-ram-association.json":                    inbound.ShareHint{Account: hub},
		"admit/hit-ram-invitation.json":                     inbound.ShareHint{Account: hub},
		"admit/hit-ram-unknown-detail.json":                 inbound.ShareHint{Account: hub},
		"admit/hit-tag-resource.json":                       inbound.TagHint{Account: teamA, ARNs: []string{"arn:aws:cloudfront::111111111111:vpcorigin/vo_teamA1"}, Called: called},
		"admit/input-trigger.json":                          inbound.Trigger{Why: "vo_teamA1 is being deployed"},
		"admit/input-schedule.json":                         inbound.Sweep{Due: swept},
		"admit/miss-forged-ram.json":                        refused{"999999999999"},
		"admit/miss-own-accept-call.json":                   inbound.ShareHint{Account: hub},
		"admit/miss-tag-of-another-service.json":            nothing{},
		"admit/miss-update-distribution.json":               nothing{},
		"admit/miss-delete-resource-share-that-failed.json": nothing{},

		"audit/hit-update-distribution.json": inbound.CallHint{
			Account: hub, ID: eventID, Call: inbound.UpdateDistribution, Target: distribution, By: developer(hub), Role: developerRole(hub),
		},
		"audit/hit-update-distribution-by-a-user.json": inbound.CallHint{
			Account: hub, ID: eventID, Call: inbound.UpdateDistribution, Target: distribution, By: "arn:aws:iam::100000000000:user/ann",
		},
		"audit/miss-update-distribution-by-the-hub.json": inbound.CallHint{
			Account: hub, ID: eventID, Call: inbound.UpdateDistribution, Target: distribution, By: sessionOfTheHub, Role: roleOfTheHub,
		},
		"audit/hit-delete-distribution.json": inbound.CallHint{
			Account: hub, ID: eventID, Call: inbound.DeleteDistribution, Target: distribution, By: "arn:aws:iam::100000000000:root",
		},
		"audit/hit-change-records.json": inbound.CallHint{
			Account: hub, ID: eventID, Call: inbound.ChangeResourceRecordSets, Target: zone, By: developer(hub), Role: developerRole(hub),
		},
		"audit/miss-change-records-by-the-hub.json": inbound.CallHint{
			Account: hub, ID: eventID, Call: inbound.ChangeResourceRecordSets, Target: zone, By: sessionOfTheHub, Role: roleOfTheHub,
		},
		"audit/miss-create-hosted-zone.json": nothing{},
		"audit/hit-disassociate-resource-share.json": inbound.CallHint{
			Account: teamB, ID: eventID, Call: inbound.DisassociateResourceShare, Target: shareB, By: developer(teamB), Role: developerRole(teamB),
		},
		"audit/hit-delete-resource-share-by-a-user.json": inbound.CallHint{
			Account: teamB, ID: eventID, Call: inbound.DeleteResourceShare, Target: shareB, By: "arn:aws:iam::222222222222:user/ann",
		},
		"audit/miss-disassociate-by-a-teardown.json": inbound.CallHint{
			Account: teamB, ID: eventID, Call: inbound.DisassociateResourceShare, Target: shareB, By: sessionOfTheSpoke, Role: roleOfTheSpoke,
		},
		"audit/miss-create-resource-share.json": nothing{},
		"audit/hit-delete-vpc-origin.json": inbound.CallHint{
			Account: teamA, ID: eventID, Call: inbound.DeleteVpcOrigin, Target: "vo_teamA1", By: developer(teamA), Role: developerRole(teamA),
		},
		"audit/miss-delete-vpc-origin-that-failed.json": nothing{},
		"audit/miss-delete-vpc-origin-by-a-teardown.json": inbound.CallHint{
			Account: teamB, ID: eventID, Call: inbound.DeleteVpcOrigin, Target: "vo_teamB1", By: sessionOfTheSpoke, Role: roleOfTheSpoke,
		},
		"audit/miss-forged-update-distribution.json":   refused{teamB},
		"audit/input-schedule.json":                    inbound.Sweep{Due: swept},
		"audit/hit-associate-alias.json":               inbound.CallHint{Account: hub, ID: eventID, Call: inbound.AssociateAlias, By: developer(hub), Role: developerRole(hub)},
		"audit/hit-update-domain-association.json":     inbound.CallHint{Account: hub, ID: eventID, Call: inbound.UpdateDomainAssociation, By: developer(hub), Role: developerRole(hub)},
		"audit/miss-update-function.json":              nothing{},
		"audit/hit-publish-function.json":              inbound.CallHint{Account: hub, ID: eventID, Call: inbound.PublishFunction, Target: function, By: developer(hub), Role: developerRole(hub)},
		"audit/miss-delete-function.json":              nothing{},
		"audit/hit-reject-invitation.json":             inbound.CallHint{Account: hub, ID: eventID, Call: inbound.RejectResourceShareInvitation, Target: invitationB, By: developer(hub), Role: developerRole(hub)},
		"audit/miss-reject-invitation-by-the-hub.json": inbound.CallHint{Account: hub, ID: eventID, Call: inbound.RejectResourceShareInvitation, Target: invitationB, By: sessionOfTheHub, Role: roleOfTheHub},
		"audit/miss-publish-function-by-the-hub.json":  inbound.CallHint{Account: hub, ID: eventID, Call: inbound.PublishFunction, Target: function, By: sessionOfTheHub, Role: roleOfTheHub},
		"audit/hit-accept-invitation.json":             inbound.CallHint{Account: hub, ID: eventID, Call: inbound.AcceptResourceShareInvitation, Target: invitationB, By: developer(hub), Role: developerRole(hub)},
		"audit/miss-accept-invitation-by-the-hub.json": inbound.CallHint{Account: hub, ID: eventID, Call: inbound.AcceptResourceShareInvitation, Target: invitationB, By: sessionOfTheHub, Role: roleOfTheHub},
		"audit/hit-copy-distribution.json":             inbound.CallHint{Account: hub, ID: eventID, Call: inbound.CopyDistribution, By: developer(hub), Role: developerRole(hub)},
		"audit/hit-create-distribution-with-tags.json": inbound.CallHint{Account: hub, ID: eventID, Call: inbound.CreateDistribution, By: developer(hub), Role: developerRole(hub)},
		"audit/hit-create-distribution-by-a-team.json": inbound.CallHint{Account: teamA, ID: eventID, Call: inbound.CreateDistribution, By: developer(teamA), Role: developerRole(teamA)},
		"audit/hit-update-resource-share.json":         inbound.CallHint{Account: teamB, ID: eventID, Call: inbound.UpdateResourceShare, Target: shareB, By: developer(teamB), Role: developerRole(teamB)},
		"audit/hit-delete-load-balancer.json":          inbound.CallHint{Account: teamB, ID: eventID, Call: inbound.DeleteLoadBalancer, Target: balancerB, By: developer(teamB), Role: developerRole(teamB)},
		"audit/miss-create-load-balancer.json":         nothing{},

		"retire/hit-tag-of-a-distribution.json":            nothing{},
		"retire/hit-tag-of-another-accounts-origin.json":   refused{teamB},
		"retire/hit-tag-resource.json":                     inbound.TagHint{Account: teamB, ARNs: []string{originB}, Called: called, By: developer(teamB)},
		"retire/miss-tag-resource-that-failed.json":        nothing{},
		"retire/hit-tag-resource-with-api-version.json":    inbound.TagHint{Account: teamB, ARNs: []string{originB}, Called: called, By: developer(teamB)},
		"retire/hit-untag-resource.json":                   inbound.TagHint{Account: teamB, ARNs: []string{originB}, Called: called},
		"retire/hit-tag-resources-by-the-tagging-api.json": inbound.TagHint{Account: teamB, ARNs: []string{originB}, Called: called, By: developer(teamB)},
		"retire/hit-untag-resources-of-a-bucket.json":      nothing{},
		"retire/miss-get-resources.json":                   nothing{},
		"retire/input-schedule.json":                       inbound.Sweep{Due: swept},
		"retire/miss-create-vpc-origin.json":               inbound.ShareHint{Account: teamB},
		"retire/miss-forged-tag-resource.json":             refused{teamB},
		"retire/miss-list-tags.json":                       nothing{},
		"retire/miss-tag-of-another-service.json":          nothing{},
		"wire/input-trigger.json":                          inbound.Trigger{Why: "vo_teamA1 was admitted"},
		"wire/input-recheck.json":                          inbound.Recheck{Distribution: "main", Due: called},
		"wire/miss-origin-admitted.json":                   nothing{},
		"wire/miss-update-distribution.json":               nothing{},

		"teardown/input-detach.json":   inbound.Task{Phase: "detach", Origin: "vo_teamB1", Generation: 1, Token: "AQCEAAAAKgAAAAMAAAAAAAAAAexample"},
		"teardown/input-redriven.json": inbound.Task{Phase: "verify", Origin: "vo_teamB1", Generation: 1, Redrives: &once},
		"teardown/input-unshare.json":  inbound.Task{Phase: "unshare", Origin: "vo_teamB1", Generation: 1},
		"teardown/input-warn.json":     inbound.Task{Phase: "warn", Origin: "vo_teamB1", Generation: 1},
	}
	const root = "../../events"
	files, err := filepath.Glob(root + "/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.ToSlash(strings.TrimPrefix(file, root+"/"))
		if function, _, _ := strings.Cut(name, "/"); function == "targets" || function == "customers" {
			continue // they run in team accounts: targets ignores its event, and customers gets the event of API Gateway
		}
		if _, ok := want[name]; !ok {
			t.Errorf("%s: add what Parse returns for it to this test", name)
		}
	}
	for name, meaning := range want {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			var got any
			switch function, _, _ := strings.Cut(name, "/"); function {
			case "teardown":
				got, err = inbound.ParseTask(raw)
			case "audit":
				got, err = inbound.ParseCall(raw)
			default:
				got, err = inbound.Parse(raw)
			}
			if err != nil {
				t.Fatal(err)
			}
			switch m := got.(type) {
			case inbound.Refused:
				if m.Why == "" {
					t.Error("refused without Why")
				}
				got = refused{m.Account}
			case inbound.Nothing:
				if m.Why == "" {
					t.Error("ignored without Why")
				}
				got = nothing{}
			}
			if !reflect.DeepEqual(got, meaning) {
				t.Errorf("got %#v", got)
			}
		})
	}
}

// AWS may add members to its events. A sweep must not become a dead letter because of that.
func TestUnknownMemberOfAWSEvent(t *testing.T) {
	raw := []byte(`{"source":"aws.events","detail-type":"Scheduled Event","account":"111111111111","traceHeader":"1-2","detail":{}}`)
	m, err := inbound.Parse(raw)
	if m != (inbound.Sweep{}) || err != nil {
		t.Errorf("got %#v, %v", m, err)
	}
	if got := inbound.Unknown(raw); !slices.Equal(got, []string{"traceHeader"}) {
		t.Errorf("unknown members: %q", got)
	}
}

// An AWS event counts as a schedule or a call only if both its source and its detail type say so.
func TestSourceAndDetailTypeBothCount(t *testing.T) {
	for _, e := range [][2]string{
		{"aws.events", "AWS API Call via CloudTrail"},
		{"aws.cloudfront", "Scheduled Event"},
		{"aws.cloudfront", "Distribution Changed"},
		{"aws.ec2", "AWS API Call via CloudTrail"},
		{"aws.ec2", "Scheduled Event"},
	} {
		raw := []byte(`{"source":"` + e[0] + `","detail-type":"` + e[1] + `","account":"111111111111","detail":{"eventName":"DeleteVpcOrigin"}}`)
		for name, parse := range map[string]func([]byte) (inbound.Message, error){"Parse": inbound.Parse, "ParseCall": inbound.ParseCall} {
			if m, err := parse(raw); err != nil || reflect.TypeOf(m) != reflect.TypeFor[inbound.Nothing]() {
				t.Errorf("%s of %v: got %#v, %v", name, e, m, err)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for raw, says := range map[string]string{
		"":      "empty",
		"null":  `"source"`,
		"[]":    "array",
		"{":     "EOF",
		"{]":    "offset 2",
		`{} {}`: "offset 4",
		`{"source":"aws.ram","detail-type":"x","account":"1"}`:                                             `account "1"`,
		`{"source":"aws.ram","account":"111111111111"}`:                                                    `"detail-type"`,
		`{"source":"acme.ram","detail-type":"x","account":"111111111111","extra":1}`:                       `"extra"`,
		`{"source":"aws.ram","detail-type":"x","account":1}`:                                               "account",
		`{"source":"originhub","detail-type":"Trigger","detail":{"origin":"vo_1"}}`:                        `"origin"`,
		`{"source":"originhub","detail-type":"Trigger"}`:                                                   "detail",
		`{"source":"originhub","detail-type":"Recheck","detail":{"due":"2026-11-22T07:59:30Z"}}`:           `"distribution"`,
		`{"source":"originhub","detail-type":"Recheck","detail":{"distribution":"main","due":"noon"}}`:     "noon",
		`{"source":"aws.cloudfront","detail-type":"AWS API Call via CloudTrail","account":"111111111111"}`: "detail",
		`{"source":"aws.cloudfront","detail-type":"AWS API Call via CloudTrail","account":"111111111111",` +
			`"detail":{"eventName":"TagResource","requestParameters":"hidden"}}`: "requestParameters",
		`{"source":"aws.cloudfront","detail-type":"AWS API Call via CloudTrail","account":"222222222222",` +
			`"detail":{"eventName":"TagResource","eventTime":"noon","requestParameters":{"resource":"` + originB + `"}}}`: `eventTime "noon"`,
	} {
		m, err := inbound.Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, %v", raw, m, err)
		}
	}
	for raw, says := range map[string]string{
		`{"origin":"vo_1","generation":1}`:                              `"phase"`,
		`{"phase":"warn","origin":"E1","generation":1}`:                 `"E1"`,
		`{"phase":"warn","origin":"vo_1"}`:                              "generation 0",
		`{"phase":"warn","origin":"vo_1","generation":1,"now":1}`:       `"now"`,
		`{"phase":"warn","origin":"vo_1","generation":1,"redrives":-1}`: "-1 redrives",
	} {
		if task, err := inbound.ParseTask([]byte(raw)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, %v", raw, task, err)
		}
	}
}

func TestTriggerRoundTrip(t *testing.T) {
	for _, why := range []string{"", "vo_1 was admitted", `"quoted" \ <&> ` + "\x00\u2028é"} {
		if m, err := inbound.Parse(inbound.Trigger{Distribution: why, Why: why}.JSON()); err != nil || m != (inbound.Trigger{Distribution: why, Why: why}) {
			t.Errorf("%q: %v, %v", why, m, err)
		}
	}
}

func TestRecheckRoundTrip(t *testing.T) {
	for _, l := range []inbound.Recheck{{"main", called}, {`E1 "<&>`, called.Add(time.Nanosecond)}} {
		if m, err := inbound.Parse(l.JSON()); err != nil || m != l {
			t.Errorf("%v: %v, %v", l, m, err)
		}
	}
}

// Names with characters that have a special meaning elsewhere are not repeated.
func TestCallHintNames(t *testing.T) {
	for identity, want := range map[string]string{
		`{"arn":"arn:aws:sts::222222222222:assumed-role/Admin/ann@example.com"}`:          "arn:aws:sts::222222222222:assumed-role/Admin/ann@example.com",
		`{"type":"AWSService","invokedBy":"cloudformation.amazonaws.com"}`:                "cloudformation.amazonaws.com",
		`{"arn":"arn:aws:iam::222222222222:user/x; rm -rf /","accountId":"222222222222"}`: "an unnamed principal of account 222222222222",
		`{"accountId":"<b>"}`: "a principal that CloudTrail does not name",
		`{}`:                  "a principal that CloudTrail does not name",
	} {
		m, err := inbound.ParseCall([]byte(`{"source":"aws.cloudfront","detail-type":"AWS API Call via CloudTrail","account":"222222222222",` +
			`"detail":{"eventName":"DeleteVpcOrigin","requestParameters":{"id":"vo_1 $(x)"},"userIdentity":` + identity + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if c := m.(inbound.CallHint); c.By != want || c.Target != "" {
			t.Errorf("%s: by %q on %q, want %q on nothing", identity, c.By, c.Target, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("there are no samples in events: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"source":"` + strings.Repeat("a", 2000) + `","detail-type":"Scheduled Event","account":"111111111111"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := inbound.Parse(raw)
		if (m == nil) == (err == nil) {
			t.Errorf("returned %v and %v", m, err)
		}
		// Why becomes part of an event, whose size is limited.
		if refused, ok := m.(inbound.Refused); ok && len(refused.Why) > 1000 {
			t.Errorf("Why has %d bytes", len(refused.Why))
		}
		if tag, ok := m.(inbound.TagHint); ok && slices.ContainsFunc(tag.ARNs, func(arn string) bool { return !strings.Contains(arn, "::"+tag.Account+":vpcorigin/") }) {
			t.Errorf("accepts %+v, of another account", tag)
		}
		if m, err := inbound.ParseCall(raw); (m == nil) == (err == nil) {
			t.Errorf("ParseCall returned %v and %v", m, err)
		}
		_, _ = inbound.ParseTask(raw)
	})
}

// Who set the teardown tag is the principal of a call that set it, as far as the record shows. Removing a tag and setting another
// one do not.
func TestWhoSetTheTeardownTag(t *testing.T) {
	for name, c := range map[string]struct {
		call, parameters string
		named            bool
	}{
		"the tag":               {"TagResource", `"tags": {"items": [{"key": "originhub:teardown", "value": "now"}]}`, true},
		"the second tag":        {"TagResource", `"tags": {"items": [{"key": "originhub:teardown-confirm", "value": "vo_1"}]}`, true},
		"both and another":      {"TagResource2020_05_31", `"tags": {"originhub:paths": "/x/", "originhub:teardown": "now"}`, true},
		"a record without tags": {"TagResource", `"tags": "HIDDEN_DUE_TO_SECURITY_REASONS"`, true},
		"another tag":           {"TagResource", `"tags": {"items": [{"key": "originhub:paths", "value": "/x/"}]}`, false},
		"the tag is removed":    {"UntagResource", `"tagKeys": {"items": ["originhub:teardown"]}`, false},
	} {
		raw := `{"version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudfront", "account": "` + teamB + `", "time": "2026-11-22T08:00:00Z",
			"region": "us-east-1", "resources": [], "detail": {"eventName": "` + c.call + `", "eventTime": "2026-11-22T07:59:30Z",
			"userIdentity": {"arn": "` + developer(teamB) + `"}, "requestParameters": {"resource": "` + originB + `", ` + c.parameters + `}}}`
		m, err := inbound.Parse([]byte(raw))
		if hint, is := m.(inbound.TagHint); err != nil || !is || (hint.By == developer(teamB)) != c.named || !c.named && hint.By != "" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}
