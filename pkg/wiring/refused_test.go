package wiring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

const certificate = "arn:aws:acm:us-east-1:100000000000:certificate/1"

// refusing runs a distribution that refuses every update with an addition, and returns the run, its alarms, and the number of calls.
func refusing(t *testing.T, r wiring.Run, c *wiring.Config, a wiring.Answer) (_ wiring.Run, alarms []string, calls int) {
	t.Helper()
	served := served(c, true)
	for range 300 {
		next, step := permit(r.Next())
		for _, e := range step.Outcome.Events {
			if e.Detail.Severity == contract.SeverityAlarm {
				alarms = append(alarms, e.Type+": "+e.Detail.Why)
			}
		}
		var answer wiring.Answer
		switch do := step.Do.(type) {
		case wiring.ReadDistribution:
			answer.Served = served
		case wiring.ListOrigins:
			answer = (&cloud{}).answer(do)
		case wiring.Update:
			calls++
			if answer = a; !slices.ContainsFunc(r.Records, func(o origin.Record) bool { return o.Intent == origin.Wire && do.Config.Uses(o.ID) }) {
				answer = wiring.Answer{}
				served.Config, served.ETag = do.Config, served.ETag+"+"
			}
		}
		if r = next.Learn(step, answer); step.Done {
			return r, alarms, calls
		}
	}
	t.Fatal("the run never ends")
	return r, nil, 0
}

// Each refusal whose cause is the distribution is one alarm with its remedy. It quarantines nobody and stops no removal, however many
// origins are to be added.
func TestRefusalOfTheDistribution(t *testing.T) {
	for _, c := range []struct{ code, message, remedy string }{
		{"NoSuchCachePolicy", "The specified cache policy does not exist.", "create that policy again"},
		{"NoSuchOriginRequestPolicy", "x", "create that policy again"},
		{"NoSuchResponseHeadersPolicy", "x", "create that policy again"},
		{"InvalidLambdaFunctionAssociation", "x", "function association"},
		{"IllegalUpdate", "One or more fields updated are not supported for continuous deployment.", "end the continuous deployment"},
		{"StagingDistributionInUse", "x", "end the continuous deployment"},
		{"InvalidWebACLId", "x", "associate a web ACL that exists"},
		{"TrustedKeyGroupDoesNotExist", "x", "trusted key groups"},
		{"InvalidArgument", "You're using configuration not available in this tier: private VPC origins", "change the pricing plan"},
		{"TooManyCacheBehaviors", "x", "limits of the hub policy"},
		{"MalformedInput", "x", "correct the distribution's configuration"},
		{"InvalidViewerCertificate", "x", "attach certificate " + certificate + " to the distribution"},
	} {
		for _, n := range []int{1, 2, 20} {
			leaving := record("vo_90", origin.Detach, origin.Live)
			terms := adopts
			terms.Certificate = certificate
			r := wiring.Run{Terms: terms, Now: now, Item: item("E1"), Records: append(fleet(n), leaving), Zone: wiring.Zone{Failed: true}}
			answer := failed(wiring.Refused, c.code)
			answer.Message = c.message
			r, alarms, calls := refusing(t, r, configOf(t, leaving), answer)
			if len(alarms) != 1 || !strings.HasPrefix(alarms[0], contract.DistributionWriteRefused) || !strings.Contains(alarms[0], c.remedy) {
				t.Errorf("%s, %d origins: alarms %q, want one with %q", c.code, n, alarms, c.remedy)
			}
			if calls != 2 || r.Served.Config.Uses("vo_90") || r.Item.Refused != c.code {
				t.Errorf("%s, %d origins: %d calls, the leaving origin is there %t, refused %q", c.code, n, calls, r.Served.Config.Uses("vo_90"), r.Item.Refused)
			}
		}
	}
}

// If each origin alone is refused in the same words, the distribution is the cause, whatever the code. The search for that is short, and is
// not repeated within the hour unless another origin was admitted.
func TestSameWordsForEveryOrigin(t *testing.T) {
	for _, code := range []string{"InvalidArgument", "AccessDenied"} {
		for n, most := range map[int]int{2: 4, 5: 13, 20: 26, 50: 30} {
			r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(n), Zone: wiring.Zone{Failed: true}}
			answer := failed(wiring.Refused, code)
			first, alarms, calls := refusing(t, r, configOf(t), answer)
			if len(alarms) != 1 || !strings.HasPrefix(alarms[0], contract.DistributionWriteRefused) || calls > most {
				t.Errorf("%s, %d origins: %d calls, alarms %q", code, n, calls, alarms)
			}
			again := wiring.Run{Terms: adopts, Now: now.Add(10 * time.Minute), Item: first.Item, Records: first.Records, Zone: wiring.Zone{Failed: true}}
			if _, alarms, calls = refusing(t, again, configOf(t), answer); len(alarms) != 0 || calls != 1 {
				t.Errorf("%s, %d origins, ten minutes later: %d calls, alarms %q", code, n, calls, alarms)
			}
			fresh := record(fmt.Sprintf("vo_%02d", n), origin.Wire, origin.Pending)
			fresh.Admitted = now.Add(time.Minute)
			again.Records = append(slices.Clone(again.Records), fresh)
			if _, _, calls = refusing(t, again, configOf(t), answer); calls < 3 {
				t.Errorf("%s, %d origins and another one: only %d calls", code, n, calls)
			}
		}
	}
}

// A refusal that CloudFront explains for one origin alone concerns that origin, even if every origin has one.
func TestDifferentWordsForEveryOrigin(t *testing.T) {
	c := &cloud{served: served(configOf(t), true), bad: []string{"vo_00", "vo_01"}, names: true}
	r, _ := script(t, wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(2)}, c.answer)
	for _, o := range r.Records {
		if o.State != origin.Quarantined {
			t.Errorf("%s is %s", o.ID, o.State)
		}
	}
}

// An AccessDenied names the permissions that parts of the distribution can require, and that the policy does not state.
func TestAccessDeniedNamesGrants(t *testing.T) {
	for part, want := range map[string]string{
		"": "grant the role of function wire what the error names; originhub",
		"<Logging><Enabled>true</Enabled><Bucket>logs.s3.amazonaws.com</Bucket></Logging>": "it has standard logging (legacy) to bucket logs, so that updates may need s3:GetBucketAcl and s3:PutBucketAcl on it; write logs into distribution.permissions.logBuckets of the hub policy, and deploy the hub; originhub",
		"<DefaultCacheBehavior><LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation><LambdaFunctionARN>arn:f:1</LambdaFunctionARN>" +
			"</LambdaFunctionAssociation></Items></LambdaFunctionAssociations></DefaultCacheBehavior>": "lambda:EnableReplication* and lambda:DisableReplication* on it; write arn:f:1 into distribution.permissions.edgeFunctions",
	} {
		c := parse(t, []byte("<DistributionConfig><Origins><Quantity>0</Quantity></Origins><Enabled>true</Enabled>"+part+"</DistributionConfig>"))
		r := wiring.Run{Terms: adopts, Now: now, Item: item("E1"), Records: fleet(1), Zone: wiring.Zone{Failed: true}}
		if _, alarms, _ := refusing(t, r, c, failed(wiring.Refused, "AccessDenied")); len(alarms) != 1 || !strings.Contains(alarms[0], want) {
			t.Errorf("%s: %q, want %q", part, alarms, want)
		}
	}
}
