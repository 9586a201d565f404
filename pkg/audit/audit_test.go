package audit_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/origin"
)

const (
	hub          = "100000000000"
	teamA        = "111111111111"
	teamB        = "222222222222"
	distribution = "EDFDVBD6EXAMPLE"
	zone         = "Z0EXAMPLE"
	domain       = "d111111abcdef8.cloudfront.net"
	shareA       = "arn:aws:ram:us-east-1:111111111111:resource-share/a"
	arnA         = "arn:aws:cloudfront::111111111111:vpcorigin/vo_a"
	balancer     = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/a/50dc6c495c0c9188"
)

var now = time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)

// orderly is a world in which nothing is wrong: one origin, live.
func orderly() audit.Observed {
	ref := origin.Ref{ID: "vo_a", ARN: arnA, Account: teamA}
	seen := origin.VpcOrigin{Ref: ref, Deployed: true, Endpoint: balancer, Created: now.Add(-30 * 24 * time.Hour)}
	return audit.Observed{
		Now: now, Hub: hub, Zone: zone, Managed: []string{distribution}, Wake: "aws sqs send-message --region us-east-1",
		Teams: map[string]string{teamA: "team-a", teamB: "team-b"},
		Records: []origin.Record{{
			Ref: ref, Team: "team-a", Share: shareA, Intent: origin.Wire, State: origin.Live,
			Claim: origin.Claim{Hosts: []string{"team-a.example.com"}, Paths: []string{"/team-a/*"}, Domain: "internal.example.com"},
		}},
		Offered: []origin.Shared{{Share: shareA, ARN: arnA, Type: "cloudfront:VpcOrigin"}},
		Visible: []origin.VpcOrigin{seen},
		Owned:   []audit.Owned{{VpcOrigin: seen, Users: []origin.User{{Distribution: distribution, Account: hub}}}},
		Distributions: []origin.Listed{{
			ID: distribution, Domain: domain, Enabled: true, IPv6: true,
			Origins: []origin.ListedOrigin{
				{ID: "originhub.placeholder", Domain: "placeholder.invalid"}, {ID: "originhub-vo_a", VPCOrigin: "vo_a", Domain: "internal.example.com"},
			},
			Behaviors: []origin.ListedBehavior{{Path: "/team-a/*", Target: "originhub-vo_a"}},
		}},
		DNS: []origin.DNSRecord{
			{Name: "team-a.example.com", Type: "A", Target: domain}, {Name: "team-a.example.com", Type: "AAAA", Target: domain},
		},
	}
}

// pasted runs a command in a shell that knows nothing but aws, and answers the calls, one a line, each argument in brackets.
func pasted(t *testing.T, command string) string {
	t.Helper()
	shell := exec.Command("bash", "-c", `PATH=/nowhere; set -eu; exec 3>&1; aws() { printf '[%s]' "$@" >&3; echo >&3; }; `+command)
	shell.Dir = t.TempDir()
	var said, complaints strings.Builder
	shell.Stdout, shell.Stderr = &said, &complaints
	if err := shell.Run(); err != nil || complaints.Len() > 0 || said.Len() == 0 {
		t.Errorf("%s\ncannot be pasted into a shell: %v, %s", command, err, complaints.String())
	}
	return said.String()
}

// mends checks a finding's command: that it can be pasted, and goes into the account whose property it changes.
func mends(t *testing.T, f audit.Finding) {
	t.Helper()
	in := f.Account
	for _, ofTheHub := range []string{"route53", "sqs", "distribution"} {
		if strings.Contains(f.Repair, ofTheHub) {
			in = hub
		}
	}
	if f.In != in {
		t.Errorf("%s\nis to be run in account %q, want %s", f.Repair, f.In, in)
	}
	for _, call := range strings.Split(strings.TrimSpace(pasted(t, f.Repair)), "\n") {
		if !strings.Contains(call, "[--region]") {
			t.Errorf("%s\nrests on a Region that is configured: %s", f.Repair, call)
		}
	}
}

func TestAudit(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*audit.Observed)
		want   []audit.Kind
		says   string // of the first finding
	}{
		"nothing is wrong": {func(*audit.Observed) {}, nil, ""},
		"shared and not wired": {func(o *audit.Observed) {
			o.Distributions[0].Origins = o.Distributions[0].Origins[:1]
			o.Refusals = map[string][]origin.Reason{arnA: {{Code: "claim-not-granted", Message: "path-not-granted"}}}
		}, []audit.Kind{audit.SharedNotWired}, "path-not-granted"},
		"shared a moment ago": {func(o *audit.Observed) {
			o.Distributions[0].Origins = o.Distributions[0].Origins[:1]
			o.Visible[0].Created = now.Add(-time.Hour)
		}, nil, ""},
		"shared, not wired, on its way out": {func(o *audit.Observed) {
			o.Distributions[0].Origins = o.Distributions[0].Origins[:1]
			o.Records[0].Teardown = &origin.Teardown{}
		}, nil, ""},
		"wired, and RAM shows it no more":        {func(o *audit.Observed) { o.Offered = nil }, []audit.Kind{audit.WiredNotShared}, "nobody can edit"},
		"wired, and CloudFront shows it no more": {func(o *audit.Observed) { o.Visible = nil }, []audit.Kind{audit.WiredNotShared}, "create-resource-share"},
		"nobody uses it": {func(o *audit.Observed) {
			o.Records, o.Offered, o.Visible, o.Owned[0].Users = nil, nil, nil, nil
			o.Distributions[0].Origins = nil
			o.DNS = nil
		}, []audit.Kind{audit.OriginUnused}, "delete-vpc-origin --region us-east-1 --id vo_a"},
		"nobody uses it, and it is being deleted": {func(o *audit.Observed) {
			o.Records, o.Offered, o.Visible, o.Owned[0].Users, o.Owned[0].Deployed = nil, nil, nil, nil, false
			o.Distributions[0].Origins = nil
		}, nil, ""},
		"another distribution is disabled": {func(o *audit.Observed) {
			other := o.Distributions[0]
			other.ID, other.Enabled, other.Modified = "EOTHER", false, now.Add(-8*24*time.Hour)
			o.Distributions = append(o.Distributions, other)
		}, []audit.Kind{audit.DistributionDisabled}, "delete-distribution --region us-east-1 --id EOTHER"},
		"another distribution was disabled yesterday": {func(o *audit.Observed) {
			other := o.Distributions[0]
			other.ID, other.Enabled, other.Modified = "EOTHER", false, now.Add(-24*time.Hour)
			o.Distributions = append(o.Distributions, other)
		}, nil, ""},
		"the hub's distribution is disabled": {func(o *audit.Observed) {
			o.Distributions[0].Enabled, o.Distributions[0].Modified = false, now
		}, []audit.Kind{audit.DistributionDisabled}, "off the air"},
		"an adopted distribution is disabled": {func(o *audit.Observed) {
			o.Adopted, o.Distributions[0].Enabled, o.Distributions[0].Modified = true, false, now
		}, []audit.Kind{audit.DistributionDisabled}, "merge(DistributionConfig, {Enabled: `true`})"},
		"an adopted distribution is disabled and holds nothing of ours": {func(o *audit.Observed) {
			*o = audit.Observed{Adopted: true, Managed: o.Managed, Distributions: []origin.Listed{{ID: distribution, Origins: o.Distributions[0].Origins[:1]}}}
		}, nil, ""},
		"the hub's distribution is disabled and empty": {func(o *audit.Observed) {
			*o = audit.Observed{Managed: o.Managed, Distributions: []origin.Listed{{ID: distribution, Origins: o.Distributions[0].Origins[:1]}}}
		}, nil, ""},
		"a host leads elsewhere": {func(o *audit.Observed) {
			o.DNS[0].Target = ""
		}, []audit.Kind{audit.HostElsewhere}, `Name==` + "`\"team-a.example.com.\"`"},
		"a host is an alias of something else": {func(o *audit.Observed) {
			o.DNS = []origin.DNSRecord{{Name: "Team-A.example.com", Type: "CNAME", Target: "other.example.net"}}
		}, []audit.Kind{audit.HostElsewhere}, "other.example.net"},
		"a claimed path leads to the public": {func(o *audit.Observed) {
			d := &o.Distributions[0]
			d.Origins = append(d.Origins, origin.ListedOrigin{ID: "s3", Domain: "b.s3.amazonaws.com"})
			d.Behaviors = slices.Insert(d.Behaviors, 0, origin.ListedBehavior{Path: "/team-?/old/*", Target: "s3"})
		}, []audit.Kind{audit.PathPublic}, "b.s3.amazonaws.com"},
		"a claimed path leads to a group with a public member": {func(o *audit.Observed) {
			d := &o.Distributions[0]
			d.Origins = append(d.Origins, origin.ListedOrigin{ID: "s3", Domain: "b.s3.amazonaws.com"})
			d.Groups = map[string][]string{"g": {"originhub-vo_a", "s3"}}
			d.Behaviors = slices.Insert(d.Behaviors, 0, origin.ListedBehavior{Path: "/team-a/old/*", Target: "g"})
		}, []audit.Kind{audit.PathPublic}, "/team-a/old/*"},
		"the team's own behavior comes first": {func(o *audit.Observed) {
			d := &o.Distributions[0]
			d.Origins = append(d.Origins, origin.ListedOrigin{ID: "s3", Domain: "b.s3.amazonaws.com"})
			d.Behaviors = append(d.Behaviors, origin.ListedBehavior{Path: "/team-a/old/*", Target: "s3"})
		}, nil, ""},
		"another path leads to the public": {func(o *audit.Observed) {
			d := &o.Distributions[0]
			d.Origins = append(d.Origins, origin.ListedOrigin{ID: "s3", Domain: "b.s3.amazonaws.com"})
			d.Behaviors = append(d.Behaviors, origin.ListedBehavior{Path: "/static/*", Target: "s3"})
		}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := orderly()
			c.change(&o)
			found := audit.Audit(o)
			var kinds []audit.Kind
			for _, f := range found {
				kinds = append(kinds, f.Kind)
				if f.Subject == "" || f.Account == "" || f.Risk == "" || f.Repair == "" || f.Cost == "" {
					t.Errorf("something is left out: %+v", f)
				}
				pasted(t, f.Repair)
			}
			if !slices.Equal(kinds, c.want) {
				t.Fatalf("found %+v, want %v", found, c.want)
			}
			if len(found) > 0 && !strings.Contains(found[0].Risk+" "+found[0].Repair, c.says) {
				t.Errorf("%+v does not say %q", found[0], c.says)
			}
		})
	}
}

// TestPublicPathIsTakenOutOfTheConfigurationThatWasRead: what is edited between reading and writing is kept, since the ETag
// is that of what was read.
// TestWhoEnablesADistribution: the hub enables its own, and never one that it adopted.
func TestWhoEnablesADistribution(t *testing.T) {
	const enable = "[cloudfront][get-distribution-config][--region][us-east-1][--id][" + distribution + "][--output][json][--query]" +
		"[{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, {Enabled: `true`})}]\n" +
		"[cloudfront][update-distribution][--region][us-east-1][--id][" + distribution + "][--cli-input-json][file://" + distribution + ".json]\n"
	for adopted, want := range map[bool]string{true: enable, false: "[sqs][send-message][--region][us-east-1]\n"} {
		o := orderly()
		o.Adopted, o.Distributions[0].Enabled = adopted, false
		found := append(audit.Audit(o), audit.Guard(audit.Act{Account: hub, Call: "UpdateDistribution"}, o).Findings...)
		if len(found) != 2 {
			t.Fatalf("adopted %t: found %+v", adopted, found)
		}
		for _, f := range found {
			if got := pasted(t, f.Repair); got != want || !f.Alarm || f.In != hub {
				t.Errorf("adopted %t: in account %s it calls %s\nwant     %s", adopted, f.In, got, want)
			}
		}
	}
}

func TestPublicPathIsTakenOutOfTheConfigurationThatWasRead(t *testing.T) {
	o := orderly()
	d := &o.Distributions[0]
	d.Origins = append(d.Origins, origin.ListedOrigin{ID: "s3", Domain: "b.s3.amazonaws.com"})
	d.Behaviors = slices.Insert(d.Behaviors, 0, origin.ListedBehavior{Path: `/team-a/o'l"d/$x/*`, Target: "s3"})
	found := audit.Audit(o)
	if len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	const others = "Items[?PathPattern!=`\"/team-a/o'l\\\"d/$x/*\"`]"
	const want = "[cloudfront][get-distribution-config][--region][us-east-1][--id][" + distribution + "][--output][json][--query]" +
		"[{IfMatch: ETag, DistributionConfig: merge(DistributionConfig, {CacheBehaviors: DistributionConfig.CacheBehaviors." +
		"{Items: " + others + ", Quantity: length(" + others + ")}})}]\n" +
		"[cloudfront][update-distribution][--region][us-east-1][--id][" + distribution + "][--cli-input-json][file://" + distribution + ".json]\n"
	if got := pasted(t, found[0].Repair); got != want {
		t.Errorf("it calls %s\nwant     %s", got, want)
	}
}

// TestCostIsThatOfAKnownPriceOrUnknown: no price is guessed.
func TestCostIsThatOfAKnownPriceOrUnknown(t *testing.T) {
	for endpoint, want := range map[string]string{
		balancer: "$16.43", strings.Replace(balancer, "us-east-1", "eu-central-1", 1): "unknown", strings.Replace(balancer, "/app/", "/net/", 1): "unknown",
		"arn:aws:ec2:us-east-1:111111111111:instance/i-1": "unknown", "": "unknown",
	} {
		o := orderly()
		o.Distributions[0].Origins = nil
		o.Visible[0].Endpoint = endpoint
		if found := audit.Audit(o); len(found) != 1 || !strings.HasPrefix(found[0].Cost, want) {
			t.Errorf("%s: %+v, want %s", endpoint, found, want)
		}
	}
}

func TestGuard(t *testing.T) {
	asIs := func(*audit.Observed) {}
	const person = "arn:aws:sts::111111111111:assumed-role/Admin/ann"
	for name, c := range map[string]struct {
		act    audit.Act
		change func(*audit.Observed)
		want   audit.Verdict
		kind   audit.Kind
		alarm  bool
	}{
		"our part was edited": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution},
			func(o *audit.Observed) { o.Differs = map[string]string{distribution: "add behavior"} },
			audit.Found, audit.DistributionEdited, true,
		},
		"something else of our distribution was edited": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution}, asIs, audit.Found, audit.DistributionEdited, true,
		},
		"something else of an adopted distribution was edited": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution},
			func(o *audit.Observed) { o.Adopted = true },
			audit.Found, audit.DistributionEdited, false,
		},
		"our distribution was disabled": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution},
			func(o *audit.Observed) { o.Distributions[0].Enabled = false },
			audit.Found, audit.DistributionEdited, true,
		},
		"an adopted distribution was disabled": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution},
			func(o *audit.Observed) { o.Adopted, o.Distributions[0].Enabled = true, false },
			audit.Found, audit.DistributionEdited, true,
		},
		"an adopted distribution that holds nothing of ours was disabled": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution},
			func(o *audit.Observed) {
				o.Adopted, o.Distributions[0].Enabled, o.Distributions[0].Origins = true, false, o.Distributions[0].Origins[:1]
			},
			audit.Found, audit.DistributionEdited, false,
		},
		"our part of an adopted distribution was edited": {
			audit.Act{Account: hub, Call: "UpdateDistribution"},
			func(o *audit.Observed) { o.Adopted, o.Differs = true, map[string]string{distribution: "add behavior"} },
			audit.Found, audit.DistributionEdited, true,
		},
		"our part of another one of ours differs": {
			audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution},
			func(o *audit.Observed) { o.Adopted, o.Differs = true, map[string]string{"E2": "add behavior"} },
			audit.Found, audit.DistributionEdited, false,
		},
		"nobody says what was edited, and nothing of ours differs": {audit.Act{Account: hub, Call: "UpdateDistribution"}, asIs, audit.Harmless, "", false},
		"nobody says what was deleted, and the second one is gone": {
			audit.Act{Account: hub, Call: "DeleteDistribution"},
			func(o *audit.Observed) { o.Managed = append(o.Managed, "E2") },
			audit.Found, audit.DistributionDeleted, true,
		},
		"our adopted distribution was deleted": {
			audit.Act{Account: hub, Call: "DeleteDistribution", Target: distribution},
			func(o *audit.Observed) { o.Adopted, o.Distributions = true, nil },
			audit.Found, audit.DistributionDeleted, true,
		},
		"another distribution was edited":  {audit.Act{Account: hub, Call: "UpdateDistribution", Target: "EOTHER"}, asIs, audit.Harmless, "", false},
		"the edit failed":                  {audit.Act{Account: hub, Call: "UpdateDistribution", Target: distribution, Failed: "AccessDenied"}, asIs, audit.Harmless, "", false},
		"a team claims to have edited it":  {audit.Act{Account: teamA, Call: "UpdateDistribution", Target: distribution}, asIs, audit.Forged, "", false},
		"a team failed, or claims to have": {audit.Act{Account: teamA, Call: "UpdateDistribution", Target: distribution, Failed: "AccessDenied"}, asIs, audit.Forged, "", false},
		"there is no distribution yet":     {audit.Act{Account: hub, Call: "UpdateDistribution"}, func(o *audit.Observed) { o.Managed = nil }, audit.Harmless, "", false},
		"our distribution was deleted": {
			audit.Act{Account: hub, Call: "DeleteDistribution", Target: distribution},
			func(o *audit.Observed) { o.Distributions = nil },
			audit.Found, audit.DistributionDeleted, true,
		},
		"our distribution is there still": {audit.Act{Account: hub, Call: "DeleteDistribution", Target: distribution}, asIs, audit.Harmless, "", false},

		"the share is gone": {
			audit.Act{Account: teamA, Call: "DeleteResourceShare", Target: shareA},
			func(o *audit.Observed) { o.Offered = nil },
			audit.Found, audit.ShareRevoked, true,
		},
		"the share is gone, and the hub was faster": {
			audit.Act{Account: teamA, Call: "DeleteResourceShare", Target: shareA},
			func(o *audit.Observed) {
				o.Offered, o.Visible, o.Distributions[0].Origins, o.Lost = nil, nil, nil, []string{"vo_a"}
				o.Records[0].Intent, o.Records[0].State = origin.Detach, origin.Detached
			},
			audit.Found, audit.ShareRevoked, true,
		},
		"the share was left behind by an origin that is out": {
			audit.Act{Account: teamA, Call: "DeleteResourceShare", Target: shareA},
			func(o *audit.Observed) {
				o.Offered, o.Visible, o.Distributions[0].Origins = nil, nil, nil
				o.Records[0].Intent, o.Records[0].State = origin.Detach, origin.Detached
			},
			audit.Harmless, "", false,
		},
		"the origin is shared as before": {audit.Act{Account: teamA, Call: "DisassociateResourceShare", Target: shareA}, asIs, audit.Harmless, "", false},
		"a team names another one's share": {
			audit.Act{Account: teamB, Call: "DeleteResourceShare", Target: shareA}, func(o *audit.Observed) { o.Offered = nil }, audit.Forged, "", false,
		},
		"a team deletes a share that holds nothing of ours": {
			audit.Act{Account: teamB, Call: "DeleteResourceShare"}, func(o *audit.Observed) { o.Offered = nil }, audit.Harmless, "", false,
		},

		"the origin is gone": {
			audit.Act{Account: teamA, Call: "DeleteVpcOrigin", Target: "vo_a"},
			func(o *audit.Observed) { o.Owned = nil },
			audit.Found, audit.OriginDeleted, true,
		},
		"the origin is going": {
			audit.Act{Account: teamA, Call: "DeleteVpcOrigin", Target: "vo_a"},
			func(o *audit.Observed) { o.Owned[0].Deployed = false },
			audit.Found, audit.OriginDeleted, true,
		},
		"the origin is there": {audit.Act{Account: teamA, Call: "DeleteVpcOrigin", Target: "vo_a"}, asIs, audit.Harmless, "", false},
		"a teardown is on": {
			audit.Act{Account: teamA, Call: "DeleteVpcOrigin", Target: "vo_a"},
			func(o *audit.Observed) { o.Records[0].Teardown = &origin.Teardown{} },
			audit.Harmless, "", false,
		},
		"nobody knows the origin":           {audit.Act{Account: teamA, Call: "DeleteVpcOrigin", Target: "vo_x"}, asIs, audit.Harmless, "", false},
		"a team names another one's origin": {audit.Act{Account: teamB, Call: "DeleteVpcOrigin", Target: "vo_a"}, asIs, audit.Forged, "", false},

		"a record is gone": {
			audit.Act{Account: hub, Call: "ChangeResourceRecordSets", Target: zone},
			func(o *audit.Observed) { o.DNS = o.DNS[:1] },
			audit.Found, audit.RecordChanged, true,
		},
		"a record leads elsewhere": {
			audit.Act{Account: hub, Call: "ChangeResourceRecordSets"},
			func(o *audit.Observed) { o.DNS[0].Target = "" },
			audit.Found, audit.RecordChanged, true,
		},
		"a record for IPv6 is missing that only another one of ours answers": {
			audit.Act{Account: hub, Call: "ChangeResourceRecordSets", Target: zone},
			func(o *audit.Observed) {
				o.Distributions[0].IPv6, o.DNS, o.Managed = false, o.DNS[:1], append(o.Managed, "E2")
				o.Distributions = append(o.Distributions, origin.Listed{ID: "E2", IPv6: true})
			},
			audit.Harmless, "", false,
		},
		"every record is there":        {audit.Act{Account: hub, Call: "ChangeResourceRecordSets", Target: zone}, asIs, audit.Harmless, "", false},
		"another zone was changed":     {audit.Act{Account: hub, Call: "ChangeResourceRecordSets", Target: "ZOTHER"}, func(o *audit.Observed) { o.DNS = nil }, audit.Harmless, "", false},
		"a team claims to change DNS":  {audit.Act{Account: teamA, Call: "ChangeResourceRecordSets", Target: zone}, asIs, audit.Forged, "", false},
		"a call that nobody asked for": {audit.Act{Account: hub, Call: "CreateHostedZone"}, asIs, audit.Harmless, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := orderly()
			c.change(&o)
			c.act.By = person
			j := audit.Guard(c.act, o)
			if j.Verdict != c.want {
				t.Fatalf("%+v, want verdict %v", j, c.want)
			}
			if c.want != audit.Found {
				if j.Why == "" {
					t.Error("it gives no reason")
				}
				return
			}
			f := j.Findings[0]
			if len(j.Findings) != 1 || f.Kind != c.kind || f.Alarm != c.alarm || f.By != person || f.Risk == "" {
				t.Errorf("found %+v", j.Findings)
			}
			if f.Repair != "" {
				mends(t, f)
			} else if f.In != "" {
				t.Errorf("there is no command for account %s", f.In)
			}
		})
	}
}

// TestGuardBlamesTheDistributionThatDiffers: the act does not say which one it was.
func TestGuardBlamesTheDistributionThatDiffers(t *testing.T) {
	o := orderly()
	o.Managed = append(o.Managed, "E2")
	o.Distributions = append(o.Distributions, origin.Listed{ID: "E2", Enabled: true})
	o.Differs = map[string]string{"E2": "add behavior"}
	j := audit.Guard(audit.Act{Account: hub, Call: "UpdateDistribution"}, o)
	if len(j.Findings) != 1 || j.Findings[0].Subject != "E2" || !strings.Contains(j.Findings[0].Risk, "add behavior") {
		t.Errorf("found %+v", j)
	}
}

func TestFingerprintChangesWithTheFindingAndNotWithItsAge(t *testing.T) {
	f := audit.Finding{Kind: audit.OriginUnused, Subject: arnA, Risk: "nobody uses it", Since: now}
	older, other := f, f
	older.Since = now.Add(-time.Hour)
	other.Risk = "somebody uses it"
	if f.Fingerprint() != older.Fingerprint() || f.Fingerprint() == other.Fingerprint() {
		t.Errorf("%s, %s, %s", f.Fingerprint(), older.Fingerprint(), other.Fingerprint())
	}
}
