package awsroute53_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

func start(t *testing.T) (context.Context, *sandbox.Sandbox, *awsroute53.Zone) {
	t.Helper()
	ctx, s := rig.Start(t, func(o *sandbox.Options) {
		o.Zones = []sandbox.Zone{{Account: rig.Hub, ID: "Z0EXAMPLE", Name: "example.com"}}
	})
	return ctx, s, awsroute53.New(s.Config(rig.Hub, rig.Region), "Z0EXAMPLE")
}

// aliases returns the zone's records except those that every zone has.
func aliases(ctx context.Context, t *testing.T, z *awsroute53.Zone) []origin.DNSRecord {
	t.Helper()
	return slices.DeleteFunc(rig.Must[[]origin.DNSRecord](t)(z.Records(ctx, nil)), func(r origin.DNSRecord) bool {
		return r.Type == "NS" || r.Type == "SOA"
	})
}

func alias(name, kind, target string) origin.DNSRecord {
	return origin.DNSRecord{Name: name, Type: kind, Target: target}
}

func TestRecordsReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	ctx, _, z := start(t)
	rig.OK(t, z.Change(ctx, nil, nil))
	wild, a := alias("*.example.com", "A", "d1.cloudfront.net"), alias("team-a.example.com", "AAAA", "d1.cloudfront.net")
	moved := alias("team-a.example.com", "AAAA", "d2.cloudfront.net")
	for _, step := range []struct{ upsert, remove, want []origin.DNSRecord }{
		{[]origin.DNSRecord{wild, a}, nil, []origin.DNSRecord{wild, a}},
		{[]origin.DNSRecord{wild, a}, nil, []origin.DNSRecord{wild, a}},
		{[]origin.DNSRecord{moved}, nil, []origin.DNSRecord{wild, moved}},
		{nil, []origin.DNSRecord{wild}, []origin.DNSRecord{moved}},
		{[]origin.DNSRecord{a}, []origin.DNSRecord{moved}, []origin.DNSRecord{a}},
	} {
		rig.OK(t, z.Change(ctx, step.upsert, step.remove))
		if got := aliases(ctx, t, z); !slices.Equal(got, step.want) {
			t.Errorf("after +%v -%v the zone holds %v", step.upsert, step.remove, got)
		}
	}
}

func TestBatchThatDoesNotFitChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, _, z := start(t)
	there := alias("a.example.com", "A", "d1.cloudfront.net")
	rig.OK(t, z.Change(ctx, []origin.DNSRecord{there}, nil))
	added := []origin.DNSRecord{alias("b.example.com", "A", "d1.cloudfront.net")}
	for what, gone := range map[string]origin.DNSRecord{
		"missing record": alias("c.example.com", "A", "d1.cloudfront.net"),
		"other target":   alias("a.example.com", "A", "d2.cloudfront.net"),
	} {
		rig.Want[*fault.Reread](t, "delete "+what, z.Change(ctx, added, []origin.DNSRecord{gone}))
		if got := aliases(ctx, t, z); !slices.Equal(got, []origin.DNSRecord{there}) {
			t.Errorf("%s: the zone holds %v", what, got)
		}
	}
}

func TestManyRecordsGoInSeveralBatches(t *testing.T) {
	t.Parallel()
	ctx, _, z := start(t)
	var many []origin.DNSRecord
	for i := range 501 {
		many = append(many, alias(fmt.Sprintf("h%03d.example.com", i), "A", "d.cloudfront.net"))
	}
	rig.OK(t, z.Change(ctx, many, nil))
	if got := aliases(ctx, t, z); !slices.Equal(got, many) {
		t.Errorf("the zone holds %d records", len(got))
	}
	rig.OK(t, z.Change(ctx, nil, many))
	if got := aliases(ctx, t, z); len(got) != 0 {
		t.Errorf("the zone still holds %d records", len(got))
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s, z := start(t)
	none := awsroute53.New(s.Config(rig.Hub, rig.Region), "Z0NONE")
	_, err := none.Records(ctx, nil)
	rig.Want[*fault.GiveUp](t, "read a missing zone", err)
	up := []origin.DNSRecord{alias("a.example.com", "A", "d1.cloudfront.net")}
	rig.Want[*fault.GiveUp](t, "change a missing zone", none.Change(ctx, up, nil))
	_, err = awsroute53.New(s.Config(rig.Team, rig.Region), "Z0EXAMPLE").Records(ctx, nil)
	rig.Want[*fault.GiveUp](t, "read another account's zone", err)
	rig.Refuse(s, "ChangeResourceRecordSets", "PriorRequestNotComplete", 400)
	rig.Want[*fault.Retry](t, "change too soon", z.Change(ctx, up, nil))
}

// Reading some hosts returns all their records, in a call for each host at most, however many records are between them.
func TestRecordsOfHosts(t *testing.T) {
	t.Parallel()
	ctx, s, z := start(t)
	var there []origin.DNSRecord
	for i := range 300 {
		there = append(there, origin.DNSRecord{Name: fmt.Sprintf("h%03d.example.com", i), Type: "A", Target: "d1.cloudfront.net"}, origin.DNSRecord{Name: fmt.Sprintf("h%03d.example.com", i), Type: "AAAA", Target: "d1.cloudfront.net"})
	}
	there = append(there, origin.DNSRecord{Name: "*.example.com", Type: "A", Target: "d1.cloudfront.net"}, origin.DNSRecord{Name: "h1-a.example.com", Type: "A", Target: "d1.cloudfront.net"})
	rig.OK(t, z.Change(ctx, there, nil))
	for _, c := range []struct {
		hosts []string
		calls int
	}{
		{[]string{}, 0},
		{[]string{"h299.example.com", "H000.example.com", "h150.example.com"}, 3},
		{[]string{"h000.example.com", "h001.example.com", "h048.example.com"}, 1},
		{[]string{"h000.example.com", "h049.example.com", "h050.example.com"}, 2},
		{[]string{"a.example.com", "h1-a.example.com", "zz.example.com", "x.other.example.com"}, 4},
	} {
		before := len(s.Calls())
		got := rig.Must[[]origin.DNSRecord](t)(z.Records(ctx, c.hosts))
		if calls := len(s.Calls()) - before; calls > c.calls {
			t.Errorf("%q: %d calls, want %d at most", c.hosts, calls, c.calls)
		}
		for i, r := range got {
			if slices.Contains(got[:i], r) {
				t.Errorf("%q: %+v is there twice", c.hosts, r)
			}
		}
		for _, r := range there {
			if slices.ContainsFunc(c.hosts, func(h string) bool { return strings.EqualFold(h, r.Name) }) && !slices.Contains(got, r) {
				t.Errorf("%q: %+v is missing among %d records", c.hosts, r, len(got))
			}
		}
	}
}
