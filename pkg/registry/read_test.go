package registry_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/registry"
)

// in returns the record of an origin with one host in a distribution.
func in(distribution, id, host string) origin.Record {
	r := record(id)
	r.Distribution, r.Claim.Hosts = distribution, []string{host}
	return r
}

func idsOf(s origin.Snapshot) string {
	var ids []string
	for _, r := range s.Records {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

// A function that reads a part of the registry finds what it needs in every distribution, also in those that the policy names no more. As
// long as function admit has not said which these are, it reads everything.
func TestPartsOfTheRegistryAreFound(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	for _, o := range []origin.Record{
		in("main", "vo_a", "a.example.com"), in("main-2", "vo_b", "b.example.com"), in("old", "vo_c", "c.example.com"), in("main-3", "vo_d", "a.example.com"),
	} {
		rig.Must[origin.Record](t)(r.PutRecord(ctx, o))
	}
	put := func(name string, hosts []string) {
		t.Helper()
		d := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Distribution(name)
		d.Hosts, d.Orphans = hosts, []origin.Ref{{ID: "vo_o" + name}}
		rig.Must[origin.Distribution](t)(r.PutDistribution(ctx, d))
	}
	for name, host := range map[string]string{"main": "a.example.com", "main-2": "b.example.com", "old": "c.example.com", "main-3": "a.example.com"} {
		put(name, []string{host})
	}
	rig.OK(t, r.PutRefusal(ctx, "vo_c tag", []origin.Reason{{Code: "bad"}}, s.Now()))
	for _, name := range []string{"main", "old"} {
		rig.OK(t, r.PutRefusal(ctx, origin.WithdrawalOf("vo_o"+name), []origin.Reason{{Code: "gone"}}, s.Now()))
	}
	rig.OK(t, r.PutReported(ctx, "main", "vo_a serves", []origin.Reason{{Code: "less"}}, s.Now()))
	rig.OK(t, r.PutFindings(ctx, origin.Findings{}, origin.Findings{Open: []origin.OpenFinding{{Kind: origin.FunctionChanged, Subject: "not-found"}, {Kind: "other"}}}))
	named := []string{"main", "main-2", "main-3"}

	if got := rig.Must[origin.Snapshot](t)(r.LoadOrigins(ctx, named, []string{"vo_c"}, nil, nil)); idsOf(got) != "vo_a vo_b vo_c vo_d" {
		t.Errorf("before admit has run: %s", idsOf(got))
	}
	if got := rig.Must[origin.Snapshot](t)(r.LoadDistribution(ctx, named, "main", "not-found")); idsOf(got) != "vo_a vo_b vo_c vo_d" {
		t.Errorf("before admit has run: %s", idsOf(got))
	}
	rig.OK(t, r.PutFleet(ctx, origin.Fleet{Named: named, Unnamed: []string{"old"}, Deferred: true}))
	rig.OK(t, r.PutTally(ctx, origin.Tally{Account: "222222222222", Reported: 3}, s.Now()))

	got := rig.Must[origin.Snapshot](t)(r.LoadOrigins(ctx, named, []string{"vo_c", "vo_b", "vo_x"}, []string{"vo_c tag", "another"}, []string{"222222222222", ""}))
	if tally := got.Tallies["222222222222"]; len(got.Tallies) != 1 || tally.Reported != 3 {
		t.Errorf("tallies: %+v", got.Tallies)
	}
	if idsOf(got) != "vo_b vo_c" || got.Distribution("old").Version == 0 || len(got.Refusals) != 1 || got.Refusals["vo_c tag"][0].Code != "bad" || got.Now.IsZero() {
		t.Errorf("%+v", got)
	}
	got = rig.Must[origin.Snapshot](t)(r.LoadDistribution(ctx, named, "main", "not-found"))
	if idsOf(got) != "vo_a vo_d" || len(got.Distributions) != 4 || got.Reported["vo_a serves"][0].Code != "less" || !got.Fleet.Deferred || len(got.Findings.Open) != 1 ||
		len(got.Refusals) != 1 || got.Refusals[origin.WithdrawalOf("vo_omain")][0].Code != "gone" {
		t.Errorf("main with the distribution that has its host: %+v", got)
	}
	if got := rig.Must[origin.Snapshot](t)(r.LoadOrigins(ctx, []string{"main", "main-2"}, []string{"vo_d"}, nil, nil)); idsOf(got) != "vo_a vo_b vo_c vo_d" {
		t.Errorf("after the policy dropped main-3: %s", idsOf(got))
	}
	put("main-2", nil)
	if got := rig.Must[origin.Snapshot](t)(r.LoadDistribution(ctx, named, "old", "")); idsOf(got) != "vo_b vo_c" {
		t.Errorf("old with the distribution whose hosts are unknown: %s", idsOf(got))
	}
}

// An item that cannot be read is set aside, however it is read, and so is one that a person pauses.
func TestPartsOfTheRegistrySetDamagedItemsAside(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	rig.OK(t, r.PutFleet(ctx, origin.Fleet{Named: []string{"main", "main-2"}}))
	client := dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region))
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	for _, key := range [][2]string{{"main", "origin#vo_a"}, {contract.RegistryDistribution + "main", "distribution"}, {contract.RegistryHolds, "pause#hub"}} {
		item := map[string]types.AttributeValue{contract.RegistryPartition: text(key[0]), contract.RegistrySort: text(key[1]), "document": text("{"), "version": &types.AttributeValueMemberN{Value: "1"}}
		rig.Must[*dynamodb.PutItemOutput](t)(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}))
	}
	origins := rig.Must[origin.Snapshot](t)(r.LoadOrigins(ctx, []string{"main", "main-2"}, []string{"vo_a"}, nil, nil))
	whole := rig.Must[origin.Snapshot](t)(r.LoadDistribution(ctx, []string{"main", "main-2"}, "main", ""))
	for what, s := range map[string]origin.Snapshot{"origins": origins, "distribution": whole} {
		if !s.IsDamaged("vo_a") || !s.IsDistributionDamaged("main") || len(s.Records) != 0 {
			t.Errorf("%s: %+v", what, s)
		}
	}
	if len(whole.Holds) != 1 {
		t.Errorf("holds: %+v", whole.Holds)
	}
}

// A record that is over leaves the registry for the table of past origins, from which it can be recalled for longer than its executions' names are
// taken.
func TestPastOriginsCanBeRecalled(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	rig.Must[map[string]string](t)(s.Deploy(rig.Hub, rig.Region, "past", []byte(strings.Replace(template, `"registry"`, `"past"`, 1)), nil))
	past := registry.NewPast(s.Config(rig.Hub, rig.Region), table, "past")
	o := rig.Must[origin.Record](t)(r.PutRecord(ctx, in("main-2", "vo_a", "a.example.com")))
	stale := o
	o = rig.Must[origin.Record](t)(r.PutRecord(ctx, o))
	if err := past.Move(ctx, stale, s.Now()); !fault.Is[*fault.Reread](err) {
		t.Errorf("a record that was written meanwhile: %v", err)
	}
	if found := rig.Must[[]origin.Record](t)(past.Find(ctx, []string{"vo_a"})); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	rig.OK(t, past.Move(ctx, o, s.Now()))
	if got := rig.Must[origin.Snapshot](t)(r.Load(ctx)); len(got.Records) != 0 {
		t.Errorf("the registry still has %+v", got.Records)
	}
	found := rig.Must[[]origin.Record](t)(past.Find(ctx, []string{"vo_x", "vo_a"}))
	if len(found) != 1 || found[0].ID != "vo_a" || found[0].Distribution != "main-2" || found[0].Generation != o.Generation || found[0].Version != 0 {
		t.Errorf("found %+v", found)
	}
	again := rig.Must[origin.Record](t)(r.PutRecord(ctx, found[0]))
	rig.OK(t, past.Move(ctx, again, s.Now()))
	raw := rig.Must[*dynamodb.GetItemOutput](t)(dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region)).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String("past"), Key: map[string]types.AttributeValue{contract.RegistryPartition: &types.AttributeValueMemberS{Value: "vo_a"}, contract.RegistrySort: &types.AttributeValueMemberS{Value: "origin#vo_a"}},
	}))
	days, err := strconv.Atoi(raw.Item[contract.RegistryExpiry].(*types.AttributeValueMemberN).Value)
	if days = (days - int(s.Now().Unix())) / 86400; err != nil || days != 100 {
		t.Errorf("it expires after %d days, %v", days, err)
	}
}
