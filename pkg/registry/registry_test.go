package registry_test

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/registry"
	"github.com/originhub/originhub/pkg/sandbox"
)

const template = `{"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
  "TableName": "registry", "BillingMode": "PAY_PER_REQUEST",
  "KeySchema": [{"AttributeName": "` + contract.RegistryPartition + `", "KeyType": "HASH"},
    {"AttributeName": "` + contract.RegistrySort + `", "KeyType": "RANGE"}],
  "AttributeDefinitions": [{"AttributeName": "` + contract.RegistryPartition + `", "AttributeType": "S"},
    {"AttributeName": "` + contract.RegistrySort + `", "AttributeType": "S"}]}}}}`

const table = "registry"

func open(t *testing.T) (context.Context, *sandbox.Sandbox, *registry.Registry) {
	t.Helper()
	ctx, s := rig.Start(t)
	rig.Must[map[string]string](t)(s.Deploy(rig.Hub, rig.Region, "registry", []byte(template), nil))
	return ctx, s, registry.New(s.Config(rig.Hub, rig.Region), table)
}

func record(id string) origin.Record {
	at := time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)
	return origin.Record{
		Ref:          origin.Ref{ID: id, ARN: "arn:aws:cloudfront::" + rig.Team + ":vpcorigin/" + id, Account: rig.Team},
		Distribution: origin.Main, Team: "team-a", Claim: origin.Claim{Hosts: []string{"a.example.com"}, Paths: []string{"/<a>&/*"}, Domain: "a.internal"},
		Intent: origin.Wire, State: origin.Pending, Generation: 2, Admitted: at, Token: "AQC",
		Teardown: &origin.Teardown{Requested: at, Due: at.Add(time.Hour), ENIs: []string{"eni-1"}, Recorded: true},
		History:  []origin.Decision{{At: at, What: contract.OriginAdmitted, Why: "first"}, {At: at, What: contract.OriginLive, Why: "then"}},
	}
}

// dateless is a DynamoDB whose answers do not say when they were given.
type dateless struct{}

func (dateless) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Items":[]}`))}, nil
}

// Without a clock, every grace would seem to be over.
func TestNothingIsReadWithoutTheTime(t *testing.T) {
	t.Parallel()
	r := registry.New(aws.Config{Region: rig.Region, Credentials: aws.AnonymousCredentials{}, HTTPClient: dateless{}}, table)
	s, err := r.Load(context.Background())
	if !fault.Is[*fault.Retry](err) || !strings.Contains(err.Error(), "does not say when it was given") {
		t.Errorf("at %v: %v", s.Now, err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	empty := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if len(empty.Distributions) != 0 || empty.Distribution(origin.Main).Name != origin.Main || len(empty.Records) != 0 {
		t.Errorf("an empty registry reads as %+v", empty)
	}
	d := rig.Must[origin.Distribution](t)(r.PutDistribution(ctx, origin.Distribution{Name: origin.Main, ID: "E1", Updated: s.Now()}))
	b := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_b")))
	a := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_a")))
	a.State = origin.Live
	a = rig.Must[origin.Record](t)(r.PutRecord(ctx, a))
	there := record("vo_0")
	there.Distribution = "another"
	there = rig.Must[origin.Record](t)(r.PutRecord(ctx, there))
	rig.OK(t, r.PutRefusal(ctx, "arn#1", "first", s.Now()))
	rig.OK(t, r.PutRefusal(ctx, "arn#1", "host-taken: <a>", s.Now()))
	s.Advance(90 * time.Second)

	got := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	want := origin.Snapshot{
		Distributions: []origin.Distribution{d}, Records: []origin.Record{there, a, b}, Refusals: map[string]string{"arn#1": "host-taken: <a>"},
		Now: s.Now().Truncate(time.Second),
	}
	if !got.Now.Equal(want.Now) {
		t.Errorf("now is %v, but the table's clock says %v", got.Now, want.Now)
	}
	got.Now = want.Now
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read  %+v\nwrote %+v", got, want)
	}
	if a.Version != 2 || b.Version != 1 || d.Version != 1 {
		t.Errorf("versions %d, %d, %d", a.Version, b.Version, d.Version)
	}
}

func TestFindingsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	f := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Findings
	if f.Version != 0 || f.Open != nil || f.Calls != nil {
		t.Errorf("an empty registry reads as %+v", f)
	}
	stale := f
	f.Open = []origin.OpenFinding{{Kind: "origin-unused", Subject: "vo_a", Account: rig.Team, Since: s.Now().UTC(), Says: "1"}}
	f.Calls = []string{"1b2c3d4e"}
	rig.OK(t, r.PutFindings(ctx, f))
	f.Version++
	rig.Want[*fault.Reread](t, "stale", r.PutFindings(ctx, stale))
	got := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if !reflect.DeepEqual(got.Findings, f) {
		t.Errorf("got %+v, want %+v", got.Findings, f)
	}
	if len(got.Distributions)+len(got.Records)+len(got.Refusals) != 0 {
		t.Errorf("a distribution shows %+v", got)
	}
}

func TestStaleWriterChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, _, r := open(t)
	read := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_a")))
	fresh := read
	fresh.Reason = "fresh"
	fresh = rig.Must[origin.Record](t)(r.PutRecord(ctx, fresh))
	for what, version := range map[string]int{"older": read.Version, "creation": 0, "version that never was": 9} {
		stale := read
		stale.Version, stale.Reason = version, "stale"
		got, err := r.PutRecord(ctx, stale)
		rig.Want[*fault.Reread](t, what, err)
		if got.Version != version {
			t.Errorf("%s: a failed write answers version %d", what, got.Version)
		}
	}
	d := rig.Must[origin.Distribution](t)(r.PutDistribution(ctx, origin.Distribution{Name: origin.Main, Holder: "one"}))
	_, err := r.PutDistribution(ctx, origin.Distribution{Name: origin.Main, Holder: "two"})
	rig.Want[*fault.Reread](t, "lease that is taken", err)

	s := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if !reflect.DeepEqual(s.Records, []origin.Record{fresh}) || s.Distribution(origin.Main).Holder != d.Holder {
		t.Errorf("a stale writer left %+v", s)
	}
}

func TestRecordIsMovedOnce(t *testing.T) {
	t.Parallel()
	ctx, _, r := open(t)
	read := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_a")))
	moved := read
	moved.Distribution, moved.State = "another", origin.Wired
	stale := moved
	stale.Version = 9
	_, err := r.MoveRecord(ctx, origin.Main, stale)
	rig.Want[*fault.Reread](t, "move of a record that somebody changed", err)
	moved = rig.Must[origin.Record](t)(r.MoveRecord(ctx, origin.Main, moved))
	_, err = r.MoveRecord(ctx, origin.Main, moved)
	rig.Want[*fault.Reread](t, "second move", err)
	_, err = r.PutRecord(ctx, read)
	rig.Want[*fault.Reread](t, "write where it was", err)
	moved.Reason = "on"
	moved = rig.Must[origin.Record](t)(r.PutRecord(ctx, moved))
	if got := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Records; !reflect.DeepEqual(got, []origin.Record{moved}) {
		t.Errorf("the registry holds %+v", got)
	}
}

func TestOfTwoCreatorsOneWins(t *testing.T) {
	t.Parallel()
	ctx, _, r := open(t)
	errs := make(chan error, 2)
	for _, why := range []string{"one", "two"} {
		go func() {
			mine := record("vo_a")
			mine.Reason = why
			_, err := r.PutRecord(ctx, mine)
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if first != nil {
		first, second = second, first
	}
	rig.OK(t, first)
	rig.Want[*fault.Reread](t, "the later of two creators", second)
}

func TestLoadReadsEveryPage(t *testing.T) {
	t.Parallel()
	ctx, _, r := open(t)
	var want []string
	for _, id := range []string{"vo_a", "vo_b", "vo_c", "vo_d"} { // 1.2 MB; a page ends at one
		big := record(id)
		big.Reason = strings.Repeat("x", 300<<10)
		rig.Must[origin.Record](t)(r.PutRecord(ctx, big))
		want = append(want, id)
	}
	var got []string
	for _, o := range rig.Must[origin.Snapshot](t)(r.Load(ctx)).Records {
		got = append(got, o.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %v", got)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	none := registry.New(s.Config(rig.Hub, rig.Region), "none")
	_, err := none.Load(ctx)
	rig.Want[*fault.GiveUp](t, "read a missing table", err)
	_, err = none.PutRecord(ctx, record("vo_a"))
	rig.Want[*fault.GiveUp](t, "write to a missing table", err)
	rig.Want[*fault.GiveUp](t, "write a refusal to a missing table", none.PutRefusal(ctx, "x", "y", s.Now()))

	for what, item := range map[string]map[string]types.AttributeValue{
		"item without version": {"document": &types.AttributeValueMemberS{Value: "{}"}},
		"item of no JSON":      {"version": &types.AttributeValueMemberN{Value: "1"}, "document": &types.AttributeValueMemberS{Value: "{"}},
	} {
		item[contract.RegistryPartition] = &types.AttributeValueMemberS{Value: what}
		item[contract.RegistrySort] = &types.AttributeValueMemberS{Value: "origin#vo_a"}
		rig.Must[*dynamodb.PutItemOutput](t)(dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region)).PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(table), Item: item,
		}))
		_, err = r.Load(ctx)
		rig.Want[*fault.GiveUp](t, what, err)
	}

	rig.Refuse(s, "Scan", "ProvisionedThroughputExceededException", 400)
	_, err = r.Load(ctx)
	rig.Want[*fault.Retry](t, "throttled read", err)
	rig.Refuse(s, "PutItem", "TransactionConflictException", 400)
	_, err = r.PutRecord(ctx, record("vo_a"))
	rig.Want[*fault.Retry](t, "conflict with a transaction", err)
}
