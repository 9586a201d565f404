package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/teardown"
)

func example(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, text string) error {
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return err
	}
	return s.Validate(document)
}

func TestExample(t *testing.T) {
	got, err := Parse([]byte(example(t)))
	if err != nil {
		t.Fatal(err)
	}
	team := func(letter, account string) admission.Team {
		name := "team-" + letter
		return admission.Team{
			Name: name, Accounts: []string{account}, Spoke: true,
			Grants: []admission.Grant{{Host: name + ".example.com", Paths: []string{"/" + name + "/*"}}},
		}
	}
	a, c := team("a", "111111111111"), team("c", "333333333333")
	a.Outside = true
	c.Spoke, c.Claim = false, &origin.Claim{
		Hosts: []string{"team-c.example.com"}, Paths: []string{"/team-c/*"}, Domain: "internal.team-c.example.net",
	}
	want := hubpolicy.Policy{
		Policy: admission.Policy{
			Domain: "example.com", Distribution: admission.Distribution{Create: 2}, Aliases: admission.Wildcard, Shares: admission.Shares{External: true},
			Limits: admission.Limits{Size: origin.Size{Origins: 100, Behaviors: 75, Aliases: 100}, PerTeam: origin.Size{Origins: 25, Behaviors: 25, Aliases: 33}},
			Teams:  []admission.Team{a, team("b", "222222222222"), c},
		},
		Hub: "networking", Organization: "o-exampleorg1", External: []string{"team-a"}, HostedZone: "Z0123456789EXAMPLE", ExternalID: "change-me-7f3a",
		Certificate: "arn:aws:acm:us-east-1:100000000000:certificate/11111111-2222-4333-8444-555555555555",
		Created:     hubpolicy.Created{Comment: "the networking hub", PriceClass: "PriceClass_100", HTTPVersion: "http2and3"},
		Grace:       teardown.Bounds{Default: 15 * time.Minute, Maximum: 720 * time.Hour}, Updates: hubpolicy.Updates{Spacing: 30 * time.Second, Window: 5 * time.Second, PerMinute: 2}, Retention: 365,
		Networks: map[string]netip.Prefix{"team-a": netip.MustParsePrefix("10.20.0.0/20"), "team-b": netip.MustParsePrefix("10.20.16.0/20")},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}), cmpopts.IgnoreUnexported(admission.Policy{})); diff != "" {
		t.Error(diff)
	}
	if err := validate(compiled(t), example(t)); err != nil {
		t.Error(err)
	}
}

const shortest = `version: 1
hub: h
distribution: {adopt: EDFDVBD6EXAMPLE}
domain: example.com
hostedZone: Z1EXAMPLE
certificate: arn:aws:acm:us-east-1:100000000000:certificate/x
`

func TestDefaults(t *testing.T) {
	got, err := Parse([]byte(shortest))
	if err != nil {
		t.Fatal(err)
	}
	full, err := Parse([]byte(example(t)))
	if err != nil {
		t.Fatal(err)
	}
	// The example shows the defaults, except that it allows external shares and sets limits.
	full.Shares.External, full.Limits.Size = false, origin.Size{}
	if got.Aliases != full.Aliases || got.Shares != full.Shares || got.Grace != full.Grace || got.Updates != full.Updates || got.Limits != full.Limits {
		t.Errorf("got %+v", got)
	}
	if err := validate(compiled(t), shortest); err != nil {
		t.Error(err)
	}
}

func TestWrongPolicies(t *testing.T) {
	s := compiled(t)
	for name, c := range map[string]struct {
		old, new string // in the example
		says     string
		// Only Parse compares two places of the file.
		schemaTakesIt bool
	}{
		"unknown key":               {"hub: networking", "hubb: networking", `line 6, column 1: unknown key "hubb"`, false},
		"unknown key in a grant":    {"- host: team-b", "- hosts: team-b", `line 71, column 9: unknown key "hosts"`, false},
		"duplicate key":             {"hub: networking", "hub: networking\nhub: other", "line 7, column 1: key \"hub\" is on line 6 already", false},
		"syntax":                    {"hub: networking", "hub: {", "line 15, column 1: the file is not valid YAML", false},
		"two documents":             {"hub: networking", "hub: networking\n---\na: b", "line 7, column 1: the file is not a single YAML document", false},
		"text for a list":           {`accounts: ["222222222222"]`, `accounts: "222222222222"`, "line 69, column 5: accounts is text: write a list", false},
		"account without quotes":    {`["222222222222"]`, `[222222222222]`, "line 69, column 16: entry 1 of accounts is a number: write text", false},
		"number in quotes":          {"version: 1", "version: '1'", "line 3, column 1: version is text: write a whole number", false},
		"fraction":                  {"origins: 100", "origins: 1.5", "line 48, column 3: origins is a decimal number", false},
		"no duration":               {"spacing: 30s", "spacing: soon", "line 41, column 3: spacing is text: write a duration", false},
		"no value":                  {"hub: networking", "hub:", "line 6, column 1: hub has no value", false},
		"anchor":                    {"hub: networking", "hub: &h networking", "line 6, column 1: hub is a YAML anchor", true},
		"version":                   {"version: 1", "version: 2", "line 3, column 1: version is 2", false},
		"missing key":               {"hostedZone: Z0123456789EXAMPLE", "", "line 3, column 1: hostedZone is missing", false},
		"hub":                       {"hub: networking", "hub: Networking", `line 6, column 1: hub "Networking"`, false},
		"organization":              {"o-exampleorg1", "exampleorg1", `line 9, column 1: organization "exampleorg1"`, false},
		"mode":                      {"\n  base:\n", "\n  mode: watch\n  base:\n", `line 16, column 3: mode is "watch"`, false},
		"permissions without adopt": {"\n  base:\n", "\n  permissions: {logBuckets: [logs]}\n  base:\n", "line 16, column 3: permissions are for adopted distributions", true},
		"a bucket's domain name":    {"\n  base:\n", "\n  permissions: {logBuckets: [Logs.s3.amazonaws.com]}\n  base:\n", `entry 1 of logBuckets "Logs.s3.amazonaws.com" does not have the form`, false},
		"every bucket":              {"\n  base:\n", "\n  permissions: {logBuckets: ['*']}\n  base:\n", `entry 1 of logBuckets "*" does not have the form`, false},
		"every function":            {"\n  base:\n", "\n  permissions: {edgeFunctions: ['arn:aws:lambda:us-east-1:100000000000:function:*:1']}\n  base:\n", `entry 1 of edgeFunctions`, false},
		"a function's latest":       {"\n  base:\n", "\n  permissions: {edgeFunctions: ['arn:aws:lambda:us-east-1:100000000000:function:auth:$LATEST']}\n  base:\n", `entry 1 of edgeFunctions`, false},
		"a function elsewhere":      {"\n  base:\n", "\n  permissions: {edgeFunctions: ['arn:aws:lambda:eu-west-1:100000000000:function:auth:1']}\n  base:\n", `entry 1 of edgeFunctions`, false},
		"many buckets":              {"\n  base:\n", "\n  permissions: {logBuckets: [aaa, aab, aac, aad, aae, aaf, aag, aah, aai, aaj, aak]}\n  base:\n", "logBuckets lists 11, and the hub's role can list 10", false},
		"a claim's setting of zero": {"domain: internal.team-c.example.net", "domain: internal.team-c.example.net\n      readTimeout: 0", "readTimeout is 0: write a number above 0", false},
		"a claim's setting beyond":  {"domain: internal.team-c.example.net", "domain: internal.team-c.example.net\n      readTimeout: 121", "readTimeout in the claim of team-c in the hub policy is not a whole number of seconds from 1 to 120", false},
		"dry-run without adopt":     {"\n  base:\n", "\n  mode: dry-run\n  base:\n", "line 16, column 3: mode is dry-run, which compares", true},
		"adopt and base":            {"\n  base:\n", "\n  adopt: EDFDVBD6EXAMPLE\n  base:\n", "line 15, column 1: distribution needs either", false},
		"maximum":                   {"maximum: 2 ", "maximum: 101 ", "line 20, column 5: maximum is 101", false},
		"capacity for none":         {"origins: 100", "origins: 1", "line 48, column 3: origins is 1", true},
		"web ACL":                   {"httpVersion: http2and3 ", "webAcl: edge ", `webAcl "edge" does not have the form`, false},
		"log bucket":                {"httpVersion: http2and3 ", "logBucket: Logs ", `logBucket "Logs" does not have the form`, false},
		"headers policy":            {"httpVersion: http2and3 ", "responseHeadersPolicy: drop ", `responseHeadersPolicy "drop" does not have the form`, false},
		"price class":               {"PriceClass_100", "PriceClass_300", `line 18, column 5: priceClass is "PriceClass_300"`, false},
		"domain":                    {"domain: example.com", "domain: 10.0.0.1", `line 23, column 1: domain "10.0.0.1"`, false},
		"certificate's Region":      {"acm:us-east-1", "acm:eu-west-1", "line 25, column 1: certificate", false},
		"aliases":                   {"aliases: wildcard", "aliases: none", "line 29, column 1: aliases is", false},
		"external":                  {"external: allow", "external: true", "line 32, column 3: external is true or false: write text", false},
		"negative duration":         {"default: 15m", "default: -1s", "line 37, column 3: default is -1s", false},
		"grace":                     {"default: 15m", "default: 721h", "line 37, column 3: default is 721h0m0s and maximum is 720h0m0s", true},
		"window":                    {"window: 5s", "window: 301s", "line 42, column 3: window is 5m1s", true},
		"no update at all":          {"perMinute: 2 ", "perMinute: 0 ", "line 43, column 3: perMinute is 0: write a number from 1 to 60", false},
		"updates too many":          {"perMinute: 2 ", "perMinute: 61 ", "line 43, column 3: perMinute is 61", false},
		"retention":                 {"retention: 365", "retention: 100", "retention is 100: write the number of days as one that CloudWatch Logs permits", false},
		"limit":                     {"behaviors: 75", "behaviors: 0", "line 49, column 3: behaviors is 0", false},
		"external id":               {"change-me-7f3a", "'a b'", `line 55, column 3: externalId "a b"`, false},
		"no external id":            {"spokes:\n  externalId: change-me-7f3a\n", "", "externalId \"\" does not have the form", true},
		"team's name":               {"name: team-b", "name: Team B", `line 68, column 5: name "Team B"`, false},
		"team twice":                {"name: team-b", "name: team-a", "line 68, column 5: there is another team team-a", true},
		"account form":              {"222222222222", "22222222222", "line 69, column 16: account", false},
		"account of the hub":        {"222222222222", "100000000000", "line 69, column 16: account 100000000000 is the hub's own", true},
		"account twice":             {"222222222222", "111111111111", "line 69, column 16: account 111111111111 belongs to team-a", true},
		"no accounts":               {`["222222222222"]`, "[]", "line 69, column 5: team-b has no account", false},
		"host":                      {"host: team-b.example.com", "host: team_b.example.com", "line 71, column 9: host", false},
		"reserved host":             {"domain: example.com  ", "reservedHosts: [team-b.example.com]\ndomain: example.com  ", "line 72, column 9: host team-b.example.com is reserved by team-b.example.com in reservedHosts", true},
		"reserved wildcard":         {"domain: example.com  ", "reservedHosts: ['*.example.com']\ndomain: example.com  ", "line 65, column 9: host team-a.example.com is reserved by *.example.com", true},
		"reserved no host":          {"domain: example.com  ", "reservedHosts: [www]\ndomain: example.com  ", "line 23, column 17: host \"www\" is not a DNS name", false},
		"host outside":              {"host: team-b.example.com", "host: team-b.example.org", "line 71, column 9: host team-b.example.org is not covered", true},
		"host too deep":             {"host: team-b.example.com", "host: '*.team-b.example.com'", "line 71, column 9: host *.team-b.example.com is not covered", true},
		"path":                      {"/team-b/*", "team-b/*", `line 72, column 17: path "team-b/*" does not begin`, false},
		"no paths":                  {`paths: ["/team-b/*"]`, "paths: []", "line 72, column 9: the grant has no paths", false},
		"overlap":                   {"- host: team-b.example.com\n        paths: [\"/team-b/*\"]", "- host: '*.example.com'\n        paths: [\"/x\", \"/team-a/x\"]", "line 72, column 23: team-b is granted *.example.com/team-a/x, which overlaps team-a.example.com/team-a/* of team-a on line 65: behaviors match on the path alone", true},
		"no spoke, no claim":        {"accounts: [\"222222222222\"]", "accounts: [\"222222222222\"]\n    spoke: false", "line 70, column 5: team-b has no spoke role", false},
		"no spoke, and two tags":    {"spoke: false", "confirmTeardown: true\n    spoke: false", "line 79, column 5: team-c has no spoke role, so the hub cannot read its tags, and no tag tears", true},
		"spoke and claim":           {"spoke: false", "spoke: true", "line 83, column 5: team-c has a spoke role", false},
		"cidr":                      {"cidr: 10.20.16.0/20", "cidr: 10.20.16.0", `line 73, column 5: cidr "10.20.16.0" is not an IPv4 network`, false},
		"cidr too large":            {"cidr: 10.20.16.0/20", "cidr: 10.0.0.0/8", `line 73, column 5: cidr "10.0.0.0/8" is not an IPv4 network of /16 to /26`, false},
		"cidr too small":            {"cidr: 10.20.16.0/20", "cidr: 10.20.16.0/27", `line 73, column 5: cidr "10.20.16.0/27" is not`, false},
		"cidr within a network":     {"cidr: 10.20.16.0/20", "cidr: 10.20.17.0/20", "line 73, column 5: cidr 10.20.17.0/20 is an address within a network: write 10.20.16.0/20", true},
		"cidr of another team":      {"cidr: 10.20.16.0/20", "cidr: 10.20.12.0/22", "line 73, column 5: cidr 10.20.12.0/22 of team-b overlaps 10.20.0.0/20 of team-a on line 67", true},
		"claim that is not granted": {"paths: [\"/team-c/*\"]\n      domain", "paths: [\"/team-d/*\"]\n      domain", "line 83, column 5: the claim of team-c is refused: team-c is not granted /team-d/*", true},
	} {
		t.Run(name, func(t *testing.T) {
			text := example(t)
			if strings.Count(text, c.old) == 0 {
				t.Fatalf("the example has no %q", c.old)
			}
			text = strings.Replace(text, c.old, c.new, 1)
			_, err := Parse([]byte(text))
			var list Errors
			if !errors.As(err, &list) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if err := validate(s, text); (err == nil) != c.schemaTakesIt {
				t.Errorf("the schema returns %v", err)
			}
		})
	}
}

// Data that is not like a policy is refused before the YAML library needs minutes or gigabytes for it.
func TestImmodestFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"a large file":                  {strings.Repeat("#", Most+1), "line 1, column 1: the file has more than 1 MiB"},
		"brackets":                      {"version: " + strings.Repeat("[", 100), "line 1, column 60: brackets are nested more than 50 deep"},
		"lists in lists":                {"version:\n  " + strings.Repeat("- ", 300_000) + "a", "line 2, column 201: the line begins after column 200"},
		"keys of keys":                  {strings.Repeat("? ", 300_000) + "a", "line 1, column 201: the line begins after column 200"},
		"indentation":                   {"version:\n" + strings.Repeat(" ", 300) + "a: b", "line 2, column 201: the line begins after column 200"},
		"UTF-16":                        {"\xff\xfev\x00e\x00r\x00", "line 1, column 1: the text is not valid UTF-8"},
		"a control character":           {"version: 1\nhub: a\x00b", "line 2, column 7: the text contains the control character U+0000"},
		"paths with the same beginning": {alike(4000), "line 9, column 1: too many paths have the same beginning"},
	} {
		t.Run(name, func(t *testing.T) {
			var list Errors
			if _, err := Parse([]byte(c.text)); !errors.As(err, &list) || len(list) != 1 || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	if p, err := Parse([]byte(alike(1000))); err != nil || len(p.Teams) != 1000 {
		t.Errorf("got %d teams, %v", len(p.Teams), err)
	}
}

// manyTeams is the beginning of a policy of more teams than could be outside the organization.
const manyTeams = shortest + "organization: o-exampleorg1\nspokes: {externalId: abc}\nteams:\n"

// A file with many errors is read in one or two seconds, and a message shows the first of them. How long it takes:
//
//	go test ./pkg/policy -run '^$' -bench Large -benchtime 1x
func TestManyErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text, says string
		errors     int
	}{
		"unknown keys":           {large("k%d: 1\n", 40_000), `line 40000, column 1: unknown key "k39999": correct or remove it; the keys here are version, hub`, 40_000},
		"unknown keys in a list": {"teams:\n- name: a\n" + large("  k%d: 1\n", 1000) + "- name: b\n", `line 1002, column 3: unknown key "k999": correct or remove it`, 1000},
		"two groups":             {"hub:\n" + large("  k%d: 1\n", 201) + "domain:\n" + large("    k%d: 1\n", 300), `line 503, column 5: unknown key "k299"`, 501},
		"a key many times":       {strings.Repeat("hub: a\n", 500), "line 201, column 1: a group of 500 keys begins on line 1", 1},
		"documents":              {strings.Repeat("---\nhub: a\n", 50_000), "line 3, column 1: the file is not a single YAML document", 1},
		"teams":                  {manyTeams + large("- {name: t%d}\n", 9_000), "line 9009, column 4: t8999 has no account", 18_000},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			var list Errors
			if !errors.As(err, &list) || len(list) != c.errors || !slices.ContainsFunc(list, func(e Error) bool { return strings.Contains(e.Error(), c.says) }) {
				t.Fatalf("%d errors, want %d: %v", len(list), c.errors, err)
			}
			if lines := strings.Split(err.Error(), "\n"); c.errors > 50 && (len(lines) != 51 || lines[50] != fmt.Sprintf("and %d more", c.errors-50)) {
				t.Errorf("%d lines, and the last is %s", len(lines), lines[len(lines)-1])
			}
		})
	}
}

// Long lists are no large groups of keys.
func TestLongListsAreNoGroups(t *testing.T) {
	accounts := large("      - \"%012d\"\n", 300)
	paths := large("      - /a:%d\n", 300)
	text := manyTeams + "- name: a\n  accounts:\n" + accounts + "  grants:\n    - host: a.example.com\n      paths:\n" + paths +
		large("- {name: t%[1]d, accounts: ['9%011[1]d'], grants: [{host: a.example.com, paths: [/t%[1]d]}]}\n", 300) +
		"- name: z\n  accounts: [\n" + large("    '8%011d',\n", 300) + "  ]\n  grants: [{host: a.example.com, paths: [\n" + large("    '/z:%d',\n", 300) + "  ]}]\n"
	if p, err := Parse([]byte(text)); err != nil || len(p.Accounts()) != 900 {
		t.Errorf("got %d accounts, %v", len(p.Accounts()), err)
	}
}

// large returns n lines that hold their number.
func large(line string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line, i)
	}
	return b.String()
}

func BenchmarkLarge(b *testing.B) {
	const team = "- {name: t%[1]d, accounts: ['%012[1]d'], grants: [{host: t%[1]d.example.com, paths: ['/t%[1]d/*']}]}\n"
	for name, text := range map[string]string{
		"40000UnknownKeys": large("k%d: 1\n", 40_000), "9000Teams": manyTeams + large(team, 9_000),
		"9000TeamsOutside": strings.Replace(manyTeams, "organization: o-exampleorg1\n", "", 1) + large(team, 9_000),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _, _ = Review([]byte(text))
			}
		})
	}
}

// What AWS limits in the hub's template is refused before it is deployed.
func TestWhatDoesNotFit(t *testing.T) {
	const team = "- {name: t%[1]d, accounts: ['%012[1]d'], grants: [{host: t%[1]d.example.com, paths: ['/t%[1]d/*']}]%[2]s}\n"
	teams := func(n int, more string) string { return large(strings.ReplaceAll(team, "%[2]s", more), n) }
	withoutOrganization := strings.Replace(manyTeams, "organization: o-exampleorg1\n", "", 1)
	shared := strings.Replace(manyTeams, "organization:", "shares: {external: allow}\norganization:", 1)
	for name, c := range map[string]struct{ text, says string }{
		"1,000 accounts inside":         {manyTeams + teams(1000, ""), ""},
		"296 accounts, no organization": {withoutOrganization + teams(296, ""), ""},
		"297 accounts, no organization": {withoutOrganization + teams(297, ""), "297 accounts are outside the organization, and the policy of the hub's event bus can list 296, because EventBridge limits it to 10240 characters: write organization"},
		"282 accounts outside":          {shared + teams(282, ", external: true"), ""},
		"300 accounts outside":          {shared + teams(300, ", external: true"), "300 accounts are outside the organization"},
		"outside, and shares denied":    {manyTeams + teams(1, ", external: true"), "t0 is outside the organization and can share by invitation only, which shares.external denies"},
		"51 distributions":              {strings.Replace(shortest, "EDFDVBD6EXAMPLE", "["+large("E%08d, ", 51)+"]", 1), "adopt lists 51 distributions, and the hub's role can list 50"},
		"201 networks":                  {manyTeams + teams(201, ", cidr: 10.%[1]d.0.0/16"), "more than 200 teams have a cidr"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// alike returns a policy for many teams whose path patterns differ only at the end.
func alike(teams int) string {
	text := manyTeams
	for i := range teams {
		text += fmt.Sprintf("- {name: t%[1]d, accounts: ['%012[1]d'], grants: [{host: t%[1]d.example.com, paths: ['/*/of-the-team/number/%[1]d']}]}\n", i)
	}
	return text
}

func TestByteOrderMarkIsIgnored(t *testing.T) {
	if _, err := Parse([]byte("\ufeff" + example(t))); err != nil {
		t.Error(err)
	}
}

func TestReviewFindsPlaceholders(t *testing.T) {
	is := func(text string) []string {
		var all []string
		_, examples, _ := Review([]byte(text))
		for _, e := range examples {
			all = append(all, e.Error())
		}
		return all
	}
	if diff := cmp.Diff([]string{
		"line 9, column 1: organization o-exampleorg1 is from an example: write your own value",
		"line 23, column 1: domain example.com is from an example: write your own value",
		"line 24, column 1: hostedZone Z0123456789EXAMPLE is from an example: write your own value",
		"line 25, column 1: certificate arn:aws:acm:us-east-1:100000000000:certificate/11111111-2222-4333-8444-555555555555 is from an example: write your own value",
		"line 55, column 3: externalId change-me-7f3a is from an example, which everybody can read: write a value of your own, such as the output of openssl rand -hex 16",
		"line 61, column 16: account 111111111111 is from an example, and its owner could share origins with your hub: write the account of your team",
		"line 69, column 16: account 222222222222 is from an example, and its owner could share origins with your hub: write the account of your team",
		"line 78, column 16: account 333333333333 is from an example, and its owner could share origins with your hub: write the account of your team",
		"line 86, column 7: domain internal.team-c.example.net is from an example: write your own value",
	}, is(example(t))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"line 3, column 16: adopt EDFDVBD6EXAMPLE is from an example: write your own value"}, is(shortest)[:1]); diff != "" {
		t.Error(diff)
	}
	own := strings.NewReplacer(
		"o-exampleorg1", "o-a1b2c3d4e5", "example.com", "acme.io", "example.net", "acme.internal", "Z0123456789EXAMPLE", "Z08271353BNH2ZKXQMP1C",
		":100000000000:", ":739275409381:", "change-me-7f3a", "1f0c2a",
		"111111111111", "739275409382", "222222222222", "739275409383", "333333333333", "739275409384",
	).Replace(example(t))
	if got := is(own); got != nil {
		t.Errorf("got %v", got)
	}
	if _, err := Parse([]byte(own)); err != nil {
		t.Error(err)
	}
}

func TestFleets(t *testing.T) {
	s := compiled(t)
	for adopt, want := range map[string]struct {
		ids   []string
		wrong string
	}{
		"EDFDVBD6EXAMPLE":                    {ids: []string{"EDFDVBD6EXAMPLE"}},
		"[EDFDVBD6EXAMPLE]":                  {ids: []string{"EDFDVBD6EXAMPLE"}},
		"[EDFDVBD6EXAMPLE, E2QWRUHEXAMPLE]":  {ids: []string{"EDFDVBD6EXAMPLE", "E2QWRUHEXAMPLE"}},
		"[EDFDVBD6EXAMPLE, EDFDVBD6EXAMPLE]": {wrong: "line 3, column 41: distribution EDFDVBD6EXAMPLE is in the list already"},
		"[EDFDVBD6EXAMPLE, main-2]":          {wrong: `line 3, column 41: entry 2 of adopt "main-2" does not have the form`},
		"[]":                                 {wrong: "line 3, column 16: adopt is an empty list"},
		"5":                                  {wrong: "line 3, column 16: adopt is a number: write one id or a list of them"},
		"{a: b}":                             {wrong: "line 3, column 16: adopt is a group of keys: write one id or a list of them"},
		"''":                                 {wrong: "line 3, column 16: entry 1 of adopt is missing"},
	} {
		text := strings.Replace(shortest, "EDFDVBD6EXAMPLE", adopt, 1)
		p, err := Parse([]byte(text))
		if diff := cmp.Diff(want.ids, p.Distribution.Adopt); diff != "" || (err == nil) != (want.wrong == "") {
			t.Errorf("%s: %v %s", adopt, err, diff)
		}
		if err != nil && !strings.Contains(err.Error(), want.wrong) {
			t.Errorf("%s: got %v, want %s", adopt, err, want.wrong)
		}
		if err := validate(s, text); (err == nil) != (want.wrong == "") {
			t.Errorf("%s: the schema returns %v", adopt, err)
		}
	}
}

func TestClaimThatNoDistributionCanServe(t *testing.T) {
	text := strings.NewReplacer("behaviors: 75", "behaviors: 1", "paths: [\"/team-c/*\"]\n      domain", "paths: [/team-c/1, /team-c/2]\n      domain").Replace(example(t))
	if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "the claim of team-c has 2 paths, and limits.behaviors is 1") {
		t.Errorf("got %v", err)
	}
}

func TestAllErrorsAreReturnedInOrder(t *testing.T) {
	text := strings.NewReplacer("hub: networking", "hub: N", "behaviors: 75", "behaviors: -1", `"/team-a/*"`, `"team-a"`).Replace(example(t))
	_, err := Parse([]byte(text))
	var list Errors
	if !errors.As(err, &list) || len(list) != 3 {
		t.Fatalf("got %v", err)
	}
	if list[0].Line != 6 || list[1].Line != 49 || list[2] != (Error{65, 17, `path "team-a" does not begin with a slash: correct the path`}) {
		t.Errorf("got %v", err)
	}
	for _, nothing := range []string{"", "# only a comment", "a", "[]", "null", "\t", "\x00", "- a: b"} {
		if _, err := Parse([]byte(nothing)); !errors.As(err, &list) {
			t.Errorf("%q: %v", nothing, err)
		}
	}
}

// The schema is written by hand, and has exactly the keys that are decoded.
func TestSchemaHasTheKeysThatAreDecoded(t *testing.T) {
	var s map[string]any
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	defs := s["$defs"].(map[string]any)
	var compare func(path string, t reflect.Type, node map[string]any)
	compare = func(path string, typ reflect.Type, node map[string]any) {
		if ref, ok := node["$ref"].(string); ok {
			node = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ == reflect.TypeFor[ids]() {
			return // one or several: TestFleets
		}
		switch typ.Kind() {
		case reflect.Slice:
			compare(path+"[]", typ.Elem(), node["items"].(map[string]any))
		case reflect.Struct:
			properties := node["properties"].(map[string]any)
			var read, described []string
			for f := range typ.Fields() {
				read = append(read, f.Tag.Get("yaml"))
			}
			for key := range properties {
				described = append(described, key)
			}
			slices.Sort(read)
			slices.Sort(described)
			if diff := cmp.Diff(read, described); diff != "" || node["additionalProperties"] != false {
				t.Errorf("%s: %s", path, diff)
				return
			}
			for f := range typ.Fields() {
				key := f.Tag.Get("yaml")
				compare(path+"."+key, f.Type, properties[key].(map[string]any))
			}
		}
	}
	compare("", reflect.TypeFor[file](), s)
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(shortest))
	f.Fuzz(func(t *testing.T, text []byte) {
		var list Errors
		if _, err := Parse(text); err != nil && (!errors.As(err, &list) || len(list) == 0 || list[0].Line < 1) {
			t.Errorf("got %v", err)
		}
		_, _, _ = Review(text)
	})
}

func TestModeOfTheDistributions(t *testing.T) {
	for mode, want := range map[string]bool{"": false, ", mode: manage": false, ", mode: dry-run": true} {
		p, err := Parse([]byte(strings.Replace(shortest, "EDFDVBD6EXAMPLE", "EDFDVBD6EXAMPLE"+mode, 1)))
		if err != nil || p.Distribution.DryRun != want || p.Terms("main").DryRun != want {
			t.Errorf("%q: dry-run %t, %v", mode, p.Distribution.DryRun, err)
		}
	}
}
