package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/inbound"
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
		History:  []origin.Decision{{At: at, Code: origin.DecidedAdmitted, Why: "first"}, {At: at, Code: origin.DecidedLive, Why: "then"}},
	}
}

// dateless is a DynamoDB whose responses have no Date header.
type dateless struct{}

func (dateless) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Items":[]}`))}, nil
}

// With the zero time, the grace of every teardown would seem to have ended.
func TestLoadFailsWithoutDateHeader(t *testing.T) {
	t.Parallel()
	r := registry.New(aws.Config{Region: rig.Region, Credentials: aws.AnonymousCredentials{}, HTTPClient: dateless{}}, table)
	s, err := r.Load(context.Background())
	if !fault.Is[*fault.Retry](err) || !strings.Contains(err.Error(), "has no Date header") {
		t.Errorf("loaded at %v: %v", s.Now, err)
	}
}

func TestLoadReturnsWhatWasWritten(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	empty := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if len(empty.Distributions) != 0 || empty.Distribution(origin.Main).Name != origin.Main || len(empty.Records) != 0 {
		t.Errorf("an empty registry reads as %+v", empty)
	}
	d := rig.Must[origin.Distribution](t)(r.PutDistribution(ctx, origin.Distribution{Name: origin.Main, Identity: origin.Identity{ID: "E1"}, Pacing: origin.Pacing{UpdateSent: s.Now()}}))
	b := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_b")))
	a := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_a")))
	a.State = origin.Live
	a = rig.Must[origin.Record](t)(r.PutRecord(ctx, a))
	there := record("vo_0")
	there.Distribution = "another"
	there = rig.Must[origin.Record](t)(r.PutRecord(ctx, there))
	rig.OK(t, r.PutRefusal(ctx, "arn#1", []origin.Reason{{Code: "first"}}, s.Now()))
	rig.OK(t, r.PutRefusal(ctx, "arn#1", []origin.Reason{{Code: "claim-taken", Subject: "<a>", Message: "host-taken: <a>"}}, s.Now()))
	tallies := map[string]origin.Tally{"": {Since: s.Now().UTC(), Reported: 1}, "222222222222": {Account: "222222222222", Since: s.Now().UTC(), Reported: 5, Counted: 2, Told: 1, Seen: []string{"a", "b"}}}
	for _, tally := range tallies {
		rig.OK(t, r.PutTally(ctx, tally, s.Now()))
	}
	s.Advance(90 * time.Second)

	got := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	want := origin.Snapshot{
		Distributions: []origin.Distribution{d}, Records: []origin.Record{there, a, b}, Refusals: map[string][]origin.Reason{"arn#1": {{Code: "claim-taken", Subject: "<a>", Message: "host-taken: <a>"}}},
		Tallies:  tallies,
		Reported: map[string][]origin.Reason{}, Now: s.Now().Truncate(time.Second),
	}
	if !got.Now.Equal(want.Now) {
		t.Errorf("now is %v, and %v by the clock of the table", got.Now, want.Now)
	}
	got.Now = want.Now
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read  %+v\nwrote %+v", got, want)
	}
	if a.Version != 2 || b.Version != 1 || d.Version != 1 {
		t.Errorf("versions %d, %d, %d", a.Version, b.Version, d.Version)
	}
}

func TestFindingsRoundTrip(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	load := func() origin.Findings {
		t.Helper()
		got := rig.Must[origin.Snapshot](t)(r.Load(ctx))
		if len(got.Distributions)+len(got.Records)+len(got.Refusals) != 0 {
			t.Errorf("findings were read as %+v", got)
		}
		return got.Findings
	}
	empty := load()
	if empty.Version != 0 || empty.Open != nil || empty.Calls != nil {
		t.Errorf("an empty registry reads as %+v", empty)
	}
	// They need two transactions, and would not fit into one item.
	var many origin.Findings
	for i := range 150 {
		many.Open = append(many.Open, origin.OpenFinding{
			Kind: "origin-unused", Subject: fmt.Sprintf("vo_%03d", i), Account: rig.Team, Since: s.Now().UTC(), Facts: []origin.Reason{{Code: "team", Subject: strings.Repeat("x", 4000)}},
		})
	}
	many.Calls = []string{"1b2c3d4e"}
	rig.OK(t, r.PutFindings(ctx, empty, many))
	rig.Want[*fault.Reread](t, "stale", r.PutFindings(ctx, empty, origin.Findings{}))
	got := load()
	if many.Version = 1; !reflect.DeepEqual(got, many) {
		t.Errorf("%d findings, version %d, calls %q", len(got.Open), got.Version, got.Calls)
	}
	few := got
	few.Open = append([]origin.OpenFinding{{Kind: "other", Subject: "vo_000", Since: s.Now().UTC()}}, got.Open[:2]...)
	few.Open[1].Account = "changed"
	rig.OK(t, r.PutFindings(ctx, got, few))
	again := load()
	slices.SortFunc(few.Open, func(a, b origin.OpenFinding) int { return strings.Compare(a.Kind+a.Subject, b.Kind+b.Subject) })
	if few.Version = 2; !reflect.DeepEqual(again, few) {
		t.Errorf("got %+v, want %+v", again, few)
	}
}

func TestStaleWriteChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, _, r := open(t)
	read := rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_a")))
	fresh := read
	fresh.SetReasons(origin.Reason{Message: "fresh"})
	fresh = rig.Must[origin.Record](t)(r.PutRecord(ctx, fresh))
	for what, version := range map[string]int{"older": read.Version, "creation": 0, "version that never was": 9} {
		stale := read
		stale.Version = version
		got, err := r.PutRecord(ctx, stale)
		rig.Want[*fault.Reread](t, what, err)
		if got.Version != version {
			t.Errorf("%s: a failed write returned version %d", what, got.Version)
		}
	}
	d := rig.Must[origin.Distribution](t)(r.PutDistribution(ctx, origin.Distribution{Name: origin.Main, Lease: origin.Lease{Holder: "one"}}))
	_, err := r.PutDistribution(ctx, origin.Distribution{Name: origin.Main, Lease: origin.Lease{Holder: "two"}})
	rig.Want[*fault.Reread](t, "lease that is taken", err)

	s := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if !reflect.DeepEqual(s.Records, []origin.Record{fresh}) || s.Distribution(origin.Main).Holder != d.Holder {
		t.Errorf("a stale writer left %+v", s)
	}
}

func TestMoveRecord(t *testing.T) {
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
	rig.Want[*fault.Reread](t, "write in the former partition", err)
	moved.Token = "on"
	moved = rig.Must[origin.Record](t)(r.PutRecord(ctx, moved))
	if got := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Records; !reflect.DeepEqual(got, []origin.Record{moved}) {
		t.Errorf("the registry contains %+v", got)
	}
}

func TestConcurrentCreation(t *testing.T) {
	t.Parallel()
	ctx, _, r := open(t)
	errs := make(chan error, 2)
	for _, why := range []string{"one", "two"} {
		go func() {
			mine := record("vo_a")
			mine.Token = why
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
	for _, id := range []string{"vo_a", "vo_b", "vo_c", "vo_d"} { // 1.2 MB; a page has at most 1 MB
		big := record(id)
		big.Token = strings.Repeat("x", 300<<10)
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

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	none := registry.New(s.Config(rig.Hub, rig.Region), "none")
	_, err := none.Load(ctx)
	rig.Want[*fault.GiveUp](t, "read a missing table", err)
	_, err = none.PutRecord(ctx, record("vo_a"))
	rig.Want[*fault.GiveUp](t, "write to a missing table", err)
	rig.Want[*fault.GiveUp](t, "write a refusal to a missing table", none.PutRefusal(ctx, "x", nil, s.Now()))

	rig.Refuse(s, "Scan", "ProvisionedThroughputExceededException", 400)
	_, err = r.Load(ctx)
	rig.Want[*fault.Retry](t, "throttled read", err)
	rig.Refuse(s, "PutItem", "TransactionConflictException", 400)
	_, err = r.PutRecord(ctx, record("vo_a"))
	rig.Want[*fault.Retry](t, "conflict with a transaction", err)
}

// Items that were written before facts were stored do not contain the facts of a finding. After an update of the hub, such a finding
// is not reported again.
func TestOldFindingsAreReadWithoutFacts(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	rig.Must[*dynamodb.PutItemOutput](t)(dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region)).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(table), Item: map[string]types.AttributeValue{
			contract.RegistryPartition: &types.AttributeValueMemberS{Value: contract.RegistryAudit}, contract.RegistrySort: &types.AttributeValueMemberS{Value: "findings"},
			"version": &types.AttributeValueMemberN{Value: "4"}, "document": &types.AttributeValueMemberS{Value: `{"Open":[{"Kind":"origin-unused",` +
				`"Subject":"arn:aws:cloudfront::111111111111:vpcorigin/vo_a","Origin":"vo_a","Account":"111111111111","Team":"team-a",` +
				`"Since":"2035-01-08T09:00:00Z","Says":"af63bd4c8601b7df"}],"Calls":["1b2c3d4e"],"Version":3}`},
		},
	}))
	got := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Findings
	want := origin.Findings{Version: 4, Calls: []string{"1b2c3d4e"}, Open: []origin.OpenFinding{{
		Kind: "origin-unused", Subject: "arn:aws:cloudfront::111111111111:vpcorigin/vo_a", Origin: "vo_a", Account: "111111111111", Team: "team-a",
		Since: time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC),
	}}, Together: true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	rig.OK(t, r.PutFindings(ctx, got, got)) // nothing has changed since, and each finding gets its own item
	want.Version, want.Together = 5, false
	if got := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Findings; !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

// Items that were written before reasons had codes are read with codes, so that nothing is reported again after an update of the hub.
// The documents are those of that version.
func TestOldItemsAreReadWithCodes(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	client := dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region))
	putIn := func(distribution, key, document string) {
		t.Helper()
		rig.Must[*dynamodb.PutItemOutput](t)(client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(table), Item: map[string]types.AttributeValue{
				contract.RegistryPartition: &types.AttributeValueMemberS{Value: distribution}, contract.RegistrySort: &types.AttributeValueMemberS{Value: key},
				"version": &types.AttributeValueMemberN{Value: "1"}, "document": &types.AttributeValueMemberS{Value: document},
			},
		}))
	}
	put := func(key, document string) { t.Helper(); putIn(origin.Main, key, document) }
	putIn("second", "distribution", `{"Unavailable":"a message that no version has"}`)
	put("origin#vo_1", `{"ID":"vo_1","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_1","Account":"111111111111","Intent":"detach","State":"detached","Reason":"it is no longer shared with the hub: share it again to bring it back",`+
		`"History":[{"At":"2035-01-08T09:00:00Z","What":"Origin Admitted","Why":"claims a"},{"At":"2035-01-08T09:05:00Z","What":"Origin Live","Why":""},`+
		`{"At":"2035-01-08T09:10:00Z","What":"Origin Withdrawn","Why":"it is no longer shared with the hub: share it again to bring it back"}]}`)
	put("origin#vo_2", `{"ID":"vo_2","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_2","Account":"111111111111","Claim":{"Hosts":["a"],"Paths":["/*"]},"Intent":"wire","State":"waiting","Reason":"no distribution has room for it: main would have 101 origins, and the limit is 100: it waits"}`)
	put("origin#vo_3", `{"ID":"vo_3","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_3","Account":"111111111111","Claim":{"Hosts":["a"],"Paths":["/*"]},"Intent":"wire","State":"quarantined","Reason":"the distribution has a behavior for /a/* that belongs to no origin of the registry: remove that behavior, or claim another path"}`)
	put("distribution", `{"ID":"E1","Unavailable":"AWS answers NoSuchDistribution for E1","Version":7}`)
	share := "arn:aws:ram:us-east-1:999999999999:resource-share/1"
	for what, why := range map[string]string{
		share: "account 999999999999 belongs to no team: add it to a team in the hub policy if it should",
		"arn:aws:cloudfront::111111111111:vpcorigin/vo_4": "the host \"x y\" is not a DNS name in lower case, such as app.example.com (and no IP address); team-a is not granted /b on a.example.com: claim what the hub policy grants, or ask for a grant",
		"a.example.com A": "a record that is not the hub's stands there, in hosted zone Z1: remove it, and the next sweep writes the hub's",
		"odd":             "a message that no version has",
	} {
		put("refusal#"+what, why)
	}
	known := rig.Must[origin.Snapshot](t)(r.Load(ctx))

	if state := known.Records[1].State; state != origin.Deferred {
		t.Errorf("an origin that was waiting is %s", state)
	}
	var history []origin.Code
	for _, d := range known.Records[0].History {
		history = append(history, d.Code)
	}
	if want := []origin.Code{origin.DecidedAdmitted, origin.DecidedLive, origin.DecidedWithdrawn}; !slices.Equal(history, want) {
		t.Errorf("history %v, want %v", history, want)
	}
	if last := known.Records[0].History[2]; !origin.HasCode(last.Reasons, origin.OriginNotShared) {
		t.Errorf("why it was withdrawn: %+v", last)
	}
	if live, last := known.Records[0].History[1].At, known.Records[0].History[2].At; !known.Records[0].WasLive.Equal(live) || !known.Records[0].ReasonsReported.Equal(last) {
		t.Errorf("live at %v, and its reasons were reported at %v", known.Records[0].WasLive, known.Records[0].ReasonsReported)
	}
	fresh := known.Records[0]
	fresh.ReasonsReported, fresh.WasLive = time.Time{}, time.Time{}
	rig.Must[origin.Record](t)(r.PutRecord(ctx, fresh))
	if read := rig.Must[origin.Snapshot](t)(r.Load(ctx)).Records[0]; !read.ReasonsReported.IsZero() || !read.WasLive.IsZero() {
		t.Errorf("the history of a new item is read as its state: %+v", read)
	}
	now := func(code origin.Code, subject string) []origin.Reason {
		return []origin.Reason{{Code: code, Subject: subject, Message: "the current message"}}
	}
	for name, c := range map[string]struct{ old, now []origin.Reason }{
		"withdrawn":                      {known.Records[0].Reasons, now(origin.OriginNotShared, "")},
		"waiting":                        {known.Records[1].Reasons, now(origin.DoesNotFit, "main origins")},
		"quarantined":                    {known.Records[2].Reasons, now("path-taken", "/a/*")},
		"unavailable for no code of AWS": {[]origin.Reason{known.Distributions[1].Unavailable}, now("unavailable", "second")},
		"unavailable":                    {[]origin.Reason{known.Distributions[0].Unavailable}, now("NoSuchDistribution", "E1")},
		"share of a stranger":            {known.Refusals[share], now("share-unknown-account", "999999999999")},
		"two reasons in one":             {known.Refusals["arn:aws:cloudfront::111111111111:vpcorigin/vo_4"], append(now("claim-host-invalid", "x y"), now("claim-not-granted", "a.example.com /b")...)},
		"record of another one":          {known.Refusals["a.example.com A"], now("record-taken", "")},
	} {
		if !origin.SameReasons(c.old, c.now) {
			t.Errorf("%s: %+v would be reported again as %+v", name, c.old, c.now)
		}
		if origin.Why(c.old) == "" {
			t.Errorf("%s: the message is lost", name)
		}
	}
	if origin.SameReasons(known.Refusals["odd"], now("claim-taken", "")) {
		t.Error("an unknown message equals a known reason")
	}
}

// An item that cannot be read, or that is not what the hub writes, is set aside. The others are read.
// A record in a partition that belongs to no distribution would be known to no run of function wire, so it is set aside.
func TestRecordInNoDistributionIsSetAside(t *testing.T) {
	ctx, s, r := open(t)
	for i, partition := range []string{"main", "E1", "elsewhere"} {
		o := record("vo_" + string(rune('1'+i)))
		o.Distribution = partition
		rig.Must[origin.Record](t)(r.PutRecord(ctx, o))
	}
	rig.Must[origin.Distribution](t)(r.PutDistribution(ctx, origin.Distribution{Name: "E1"}))
	for name, c := range map[string]struct {
		fleet []string
		aside []string
	}{"no fleet": {}, "main": {[]string{"main"}, []string{"vo_3"}}, "another": {[]string{"E2"}, []string{"vo_1", "vo_3"}}} {
		known := rig.Must[origin.Snapshot](t)(registry.New(s.Config(rig.Hub, rig.Region), table, c.fleet...).Load(ctx))
		var aside []string
		for _, d := range known.Damaged {
			aside = append(aside, d.Origin)
			if !known.IsDamaged(d.Origin) || !strings.Contains(d.Why, "not that of a distribution") {
				t.Errorf("%s: %+v", name, d)
			}
		}
		slices.Sort(aside)
		if !slices.Equal(aside, c.aside) || len(known.Records)+len(aside) != 3 {
			t.Errorf("%s: set aside %v of %d records", name, aside, len(known.Records))
		}
	}
}

func TestDamagedItemIsSetAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ key, document, why string }{
		"no JSON":                    {"origin#vo_b", `{`, "unexpected end of JSON input"},
		"empty":                      {"origin#vo_b", ``, "unexpected end of JSON input"},
		"an empty document":          {"origin#vo_b", `{}`, `the document is about VPC origin ""`},
		"another origin":             {"origin#vo_b", `{"ID":"vo_c"}`, `the document is about VPC origin "vo_c"`},
		"no ARN":                     {"origin#vo_b", `{"ID":"vo_b"}`, `"" is not the ARN of a VPC origin`},
		"the ARN of another account": {"origin#vo_b", `{"ID":"vo_b","Account":"1","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_b"}`, "is not the one of VPC origin vo_b in account 1"},
		"no intent":                  {"origin#vo_b", `{"ID":"vo_b","Account":"111111111111","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_b"}`, `intent "" does not exist`},
		"no state":                   {"origin#vo_b", `{"ID":"vo_b","Account":"111111111111","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_b","Intent":"wire"}`, `state "" does not exist`},
		"to be wired for no host":    {"origin#vo_b", `{"ID":"vo_b","Account":"111111111111","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_b","Intent":"wire","State":"live"}`, "claims no host"},
		"deleted, and to be wired": {
			"origin#vo_b", `{"ID":"vo_b","Account":"111111111111","ARN":"arn:aws:cloudfront::111111111111:vpcorigin/vo_b","Intent":"wire","State":"deleted","Claim":{"Hosts":["h"],"Paths":["/a"]}}`,
			"has to be wired and is deleted",
		},
		"a claim of another type":       {"origin#vo_b", `{"ID":"vo_b","Claim":{"Hosts":"x"}}`, "cannot unmarshal string"},
		"an origin that does not exist": {"origin#vo_JUNK", `{}`, "the document is about"},
		"a distribution":                {"distribution", `{"ID":7}`, "cannot unmarshal number"},
		"what the audit remembers":      {"findings", `[]`, "cannot unmarshal array"},
		"no version":                    {"origin#vo_b", "", `has no number "version"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, s, r := open(t)
			rig.Must[origin.Record](t)(r.PutRecord(ctx, record("vo_a")))
			put := map[string]types.AttributeValue{
				contract.RegistryPartition: &types.AttributeValueMemberS{Value: "main"}, contract.RegistrySort: &types.AttributeValueMemberS{Value: c.key},
				"version": &types.AttributeValueMemberN{Value: "7"}, "document": &types.AttributeValueMemberS{Value: c.document},
			}
			if name == "no version" {
				delete(put, "version")
			}
			rig.Must[*dynamodb.PutItemOutput](t)(dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region)).PutItem(ctx, &dynamodb.PutItemInput{
				TableName: aws.String(table), Item: put,
			}))
			known := rig.Must[origin.Snapshot](t)(r.Load(ctx))
			unavailable := len(known.Distributions) == 1 && known.Distributions[0].Name == "main" && strings.Contains(known.Distributions[0].Unavailable.Message, c.why)
			if len(known.Records) != 1 || known.Records[0].ID != "vo_a" || unavailable != (c.key == "distribution") || !unavailable && len(known.Distributions) != 0 || len(known.Findings.Open) != 0 {
				t.Errorf("read %+v", known)
			}
			id, isOrigin := strings.CutPrefix(c.key, "origin#")
			if !isOrigin {
				id = ""
			}
			if len(known.Damaged) != 1 || known.Damaged[0].Key != c.key || known.Damaged[0].Origin != id || known.Damaged[0].Partition != "main" || known.IsDistributionDamaged("main") != (c.key == "distribution") ||
				!strings.Contains(known.Damaged[0].Why, c.why) || isOrigin && !known.IsDamaged(id) {
				t.Errorf("set aside %+v", known.Damaged)
			}
		})
	}
}

// The items that infra/README.md tells people to write are holds without damage. The registry returns each, whatever its attributes are.
func TestLoadReturnsHolds(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	put := func(document string) {
		t.Helper()
		var item map[string]map[string]string
		rig.OK(t, json.Unmarshal([]byte(document), &item))
		values := map[string]types.AttributeValue{}
		for name, value := range item {
			values[name] = &types.AttributeValueMemberS{Value: value["S"]}
		}
		rig.Must[*dynamodb.PutItemOutput](t)(dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region)).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: values}))
	}
	readme := rig.Must[[]byte](t)(os.ReadFile("../../infra/README.md"))
	commands := regexp.MustCompile(`put-item [^']*--item '([^']*)'`).FindAllSubmatch(readme, -1)
	for _, command := range commands {
		put(string(command[1]))
	}
	got := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if len(commands) == 0 || len(got.Holds) != 1 || got.Holds[0].Key != "suspend#team-b" || got.Holds[0].Who != "alice" || len(got.Holds[0].Lacks) != 0 {
		t.Errorf("the README's commands write %+v", got.Holds)
	}
	trigger := regexp.MustCompile(`--message-body '([^']*)'`).FindSubmatch(readme)
	if m, err := inbound.Parse(trigger[1]); err != nil || m != (inbound.Trigger{Why: "hold"}) {
		t.Errorf("the README's message is %+v, %v", m, err)
	}
	put(`{"pk": {"S": "hold"}, "sk": {"S": "pause#hub"}}`)
	put(`{"pk": {"S": "hold"}, "sk": {"S": "nonsense"}}`)
	got = rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if len(got.Holds) != 3 || got.Holds[1].Kind != origin.Pause || got.Holds[0].Kind != origin.NoHold || len(got.Damaged)+len(got.Records)+len(got.Distributions) != 0 {
		t.Errorf("got %+v", got)
	}
}

// Items of distributions and refusals were in the partitions of the records. They are read from there until they are written again, and the
// old ones count no longer then.
func TestOldPartitionsAreRead(t *testing.T) {
	ctx, s, r := open(t)
	client := dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region))
	for key, document := range map[string]string{
		"main distribution": `{"ID":"E1","Brought":["a.example.com"]}`, "E2 distribution": `{"ID":"E2"}`,
		"main refusal#arn:1": `[{"Code":"claim-taken"}]`, "main refusal#arn:2": `[{"Code":"claim-taken"}]`,
	} {
		partition, sort, _ := strings.Cut(key, " ")
		item := map[string]types.AttributeValue{"version": &types.AttributeValueMemberN{Value: "7"}}
		for name, text := range map[string]string{contract.RegistryPartition: partition, contract.RegistrySort: sort, "document": document} {
			item[name] = &types.AttributeValueMemberS{Value: text}
		}
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	before := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if d := before.Distribution("main"); len(before.Distributions) != 2 || d.ID != "E1" || d.Version != 0 || len(d.OwnedAliases) != 1 || len(before.Refusals) != 2 || len(before.Refusals["arn:1"]) != 1 {
		t.Fatalf("reads %+v", before)
	}
	changed := before.Distribution("main")
	changed.ID = "E3"
	if written, err := r.PutDistribution(ctx, changed); err != nil || written.Version != 1 {
		t.Fatalf("%+v, %v", written, err)
	}
	if _, err := r.PutDistribution(ctx, changed); !fault.Is[*fault.Reread](err) {
		t.Errorf("a second writer of the old item: %v", err)
	}
	if err := r.PutRefusal(ctx, "arn:1", nil, s.Now()); err != nil {
		t.Fatal(err)
	}
	after := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if d := after.Distribution("main"); len(after.Distributions) != 2 || d.ID != "E3" || d.Version != 1 || after.Distribution("E2").ID != "E2" || len(after.Refusals["arn:1"]) != 0 || len(after.Refusals["arn:2"]) != 1 {
		t.Errorf("then reads %+v", after)
	}
}
