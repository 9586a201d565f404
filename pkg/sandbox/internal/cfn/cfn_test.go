package cfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

const (
	account = "100000000000"
	region  = "us-east-1"
)

// shop provides AWS::Test::Thing, whose attribute Echo is its property Value as JSON, and AWS::Test::Fixed, which cannot
// be updated. A thing whose Value is "broken" cannot be made, one whose Value is "stuck" cannot be deleted.
type shop struct {
	world  *cloud.World
	cfn    *Service
	log    []string
	things map[string]string // logical id → properties
}

func newShop() *shop {
	s := &shop{world: cloud.New(cloud.Options{Seed: 1}), things: map[string]string{}}
	s.cfn = New(s.world, []cloud.ResourceType{s.thing("AWS::Test::Thing", true), s.thing("AWS::Test::Fixed", false)},
		func(key string) (string, error) { return "/assets/" + key, nil })
	return s
}

func (s *shop) thing(name string, updatable bool) cloud.ResourceType {
	put := func(verb string, r *cloud.ResourceRequest) (*cloud.Resource, error) {
		var p struct {
			Value    any
			List     []any
			Name     string
			Optional *string
		}
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		// Providers make API calls, so the world must not be locked here.
		s.world.Do(func() { s.log = append(s.log, verb+" "+r.LogicalID) })
		if p.Value == "broken" {
			return nil, errors.New("as asked")
		}
		s.things[r.LogicalID] = string(r.Properties)
		echo, err := json.Marshal(p.Value)
		if err != nil {
			return nil, err
		}
		return &cloud.Resource{Ref: "ref-" + r.LogicalID, Attributes: map[string]string{
			"Arn": "arn:aws:test:" + r.Region + ":" + r.Account + ":" + r.LogicalID, "Echo": strings.Trim(string(echo), `"`),
		}}, nil
	}
	t := cloud.ResourceType{
		Name:   name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) { return put("create", r) },
		Delete: func(r *cloud.ResourceRequest, _ *cloud.Resource) error {
			s.log = append(s.log, "delete "+r.LogicalID)
			if strings.Contains(string(r.Properties), "stuck") {
				return errors.New("it is stuck")
			}
			delete(s.things, r.LogicalID)
			return nil
		},
	}
	if updatable {
		t.Update = func(r *cloud.ResourceRequest, _ *cloud.Resource) (*cloud.Resource, error) { return put("update", r) }
	}
	return t
}

func (s *shop) deploy(template string, parameters ...string) (map[string]string, error) {
	s.log = nil
	given := map[string]string{}
	for i := 0; i < len(parameters); i += 2 {
		given[parameters[i]] = parameters[i+1]
	}
	return s.cfn.Deploy(account, region, "hub", []byte(template), given)
}

func (s *shop) must(t *testing.T, template string, parameters ...string) map[string]string {
	t.Helper()
	outputs, err := s.deploy(template, parameters...)
	if err != nil {
		t.Fatal(err)
	}
	return outputs
}

func (s *shop) logged(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.log, want) {
		t.Errorf("did %q, want %q", s.log, want)
	}
}

// things is a template of AWS::Test::Thing, given as logical id and value of each.
func things(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprintf(`%q: {"Type": "AWS::Test::Thing", "Properties": {"Value": %s}}`, pairs[i], pairs[i+1]))
	}
	return `{"Resources": {` + strings.Join(parts, ", ") + `}}`
}

func TestExpressions(t *testing.T) {
	const template = `{
		"Parameters": {
			"Name": {"Type": "String", "Default": "team-a"},
			"Hosts": {"Type": "CommaDelimitedList", "Default": "a.example.com, b.example.com"},
			"Ports": {"Type": "List<Number>", "Default": "80,443"},
			"Count": {"Type": "Number", "Default": 3},
			"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"}
		},
		"Mappings": {"Sizes": {"small": {"memory": 128}, "us-east-1": {"memory": 512}}},
		"Conditions": {
			"Yes": {"Fn::Equals": [{"Ref": "Name"}, "team-a"]},
			"No": {"Fn::Not": [{"Condition": "Yes"}]},
			"Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Or": [{"Condition": "No"}, {"Fn::Equals": [{"Ref": "Count"}, 3]}]}]}
		},
		"Resources": {
			"Other": {"Type": "AWS::Test::Thing", "Properties": {"Value": "x:y:z"}},
			"Gone": {"Type": "AWS::Test::Thing", "Condition": "No"},
			"Thing": {"Type": "AWS::Test::Thing", "Properties": {"Value": %s}}
		}
	}`
	for expression, want := range map[string]string{
		`{"Ref": "Name"}`:                 `"team-a"`,
		`{"Ref": "Hosts"}`:                `["a.example.com","b.example.com"]`,
		`{"Ref": "Ports"}`:                `["80","443"]`,
		`{"Ref": "Other"}`:                `"ref-Other"`,
		`{"Ref": "BootstrapVersion"}`:     `"30"`,
		`{"Fn::GetAtt": "Other.Arn"}`:     `"arn:aws:test:us-east-1:100000000000:Other"`,
		`{"Fn::GetAtt": ["Other","Arn"]}`: `"arn:aws:test:us-east-1:100000000000:Other"`,
		`["arn", {"Ref": "AWS::Partition"}, {"Ref": "AWS::Region"}, {"Ref": "AWS::AccountId"}, {"Ref": "AWS::StackName"}, {"Ref": "AWS::URLSuffix"}]`: `["arn","aws","us-east-1","100000000000","hub","amazonaws.com"]`,
		`{"Fn::Sub": "${Name}-${Other}-${Other.Arn}-${AWS::Region}-${!Literal}-$x"}`:                                                                  `"team-a-ref-Other-arn:aws:test:us-east-1:100000000000:Other-us-east-1-${Literal}-$x"`,
		`{"Fn::Sub": ["${A}/${Name}", {"A": {"Ref": "Count"}}]}`:                                                                                      `"3/team-a"`,
		`{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":", {"Ref": "Other"}]]}`:                                                              `"arn:aws:ref-Other"`,
		`{"Fn::Join": ["|", {"Ref": "Hosts"}]}`:                                                                                                       `"a.example.com|b.example.com"`,
		`{"Fn::Select": ["1", {"Ref": "Hosts"}]}`:                                                                                                     `"b.example.com"`,
		`{"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Other", "Arn"]}]}]}`:                                                                 `"Other"`,
		`{"Fn::Split": [":", {"Fn::GetAtt": ["Other", "Echo"]}]}`:                                                                                     `["x","y","z"]`,
		`{"Fn::If": ["Both", "both", "not"]}`:                                                                                                         `"both"`,
		`{"Fn::If": ["No", {"Ref": "Gone"}, {"a": 1.50, "b": {"Ref": "AWS::NoValue"}}]}`:                                                              `{"a":1.50}`,
		`[1, {"Ref": "AWS::NoValue"}, true, null]`:                                                                                                    `[1,true,null]`,
		`{"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "memory"]}`:                                                                              `512`,
		`{"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}`:                                                                                 `{"Condition":{"StringEquals":{"aws:SourceAccount":"1"}}}`,
	} {
		s := newShop()
		s.must(t, fmt.Sprintf(template, expression))
		if got, want := s.things["Thing"], `{"Value":`+want+`}`; got != want {
			t.Errorf("%s\n got %s\nwant %s", expression, got, want)
		}
		if _, there := s.things["Gone"]; there {
			t.Error("a resource is there although its condition does not hold")
		}
	}
}

func TestRefusals(t *testing.T) {
	value := func(expression string) string { return things("Thing", expression, "Other", `"x"`) }
	for name, test := range map[string]struct {
		template string
		want     []string
	}{
		"malformed":     {"{\n  \"Resources\": {\n    \"A\": }\n}", []string{"line 3, column", "invalid character"}},
		"cut off":       {"{\n  \"Resources\": {", []string{"line 2, column", "ends too early"}},
		"twice":         {"{\"Resources\": {\n\"A\": 1, \"A\": 2}}", []string{"line 2, column", `"A" is there twice`}},
		"more":          {things("A", "1") + " {}", []string{"more follows"}},
		"not an object": {`[]`, []string{"the template: must be an object"}},
		"no resources":  {`{}`, []string{"Resources: at least one"}},
		"section":       {`{"Transform": "AWS::Serverless", "Resources": {"A": {"Type": "AWS::Test::Thing"}}}`, []string{"the template: Transform is not supported"}},
		"attributes":    {`{"Resources": {"A": {"CreationPolicy": {}}}}`, []string{"Resources.A: CreationPolicy is not supported", "Resources.A: Type is missing"}},
		"name":          {`{"Resources": {"A-1": {"Type": "AWS::Test::Thing"}}}`, []string{"Resources.A-1: a name must be alphanumeric"}},
		"snapshot":      {`{"Resources": {"A": {"Type": "AWS::Test::Thing", "DeletionPolicy": "Snapshot"}}}`, []string{"Resources.A.DeletionPolicy: Snapshot is not supported"}},
		"all unknown types": {
			`{"Resources": {"A": {"Type": "AWS::X::Y"}, "B": {"Type": "Custom::Z"}, "C": {"Type": "AWS::X::Y"}}}`,
			[]string{"AWS::X::Y (Resources.A, Resources.C)", "Custom::Z (Resources.B)"},
		},
		"property":          {`{"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Colour": 1}}}}`, []string{"stack hub", "create A (AWS::Test::Thing)", `"Colour"`}},
		"function":          {value(`{"x": [{"Fn::GetAZs": ""}]}`), []string{"Resources.Thing.Properties.Value.x[0].Fn::GetAZs", "not supported"}},
		"misplaced":         {value(`{"Fn::Equals": [1, 1]}`), []string{"can stand in Conditions and Rules only"}},
		"not alone":         {value(`{"Fn::Sub": "x", "y": 1}`), []string{"Fn::Sub must be alone"}},
		"reference":         {value(`{"Ref": "Nobody"}`), []string{"Resources.Thing.Properties.Value.Ref", "no parameter or resource Nobody"}},
		"pseudo":            {value(`{"Ref": "AWS::Nonsense"}`), []string{"AWS::Nonsense"}},
		"attribute":         {value(`{"Fn::GetAtt": ["Other", "Size"]}`), []string{"Other (AWS::Test::Thing) has no attribute Size", "Arn, Echo"}},
		"attribute of none": {value(`{"Fn::GetAtt": ["Nobody", "Arn"]}`), []string{"no parameter or resource Nobody"}},
		"sub":               {value(`{"Fn::Sub": "${Nobody.Arn}"}`), []string{"Nobody"}},
		"sub open":          {value(`{"Fn::Sub": "${Other"}`), []string{"without }"}},
		"select":            {value(`{"Fn::Select": [2, ["a"]]}`), []string{"no item 2 in a list of 1"}},
		"join":              {value(`{"Fn::Join": ["", [{"a": 1}]]}`), []string{"a part is not a string"}},
		"split":             {value(`{"Fn::Split": ["", "x"]}`), []string{"takes a separator and a string"}},
		"if":                {value(`{"Fn::If": ["Nonsense", 1, 2]}`), []string{`no condition "Nonsense"`}},
		"map":               {value(`{"Fn::FindInMap": ["A", "b", "c"]}`), []string{"Mappings has no A"}},
		"import":            {value(`{"Fn::ImportValue": "network-vpc"}`), []string{"no stack of account 100000000000 in us-east-1 exports network-vpc", "deploy the one that does first"}},
		"circle":            {things("A", `{"Ref": "B"}`, "B", `{"Fn::Sub": "${C.Arn}"}`, "C", `{"Fn::GetAtt": ["A", "Arn"]}`, "D", `{"Ref": "A"}`), []string{"A → B → C → A"}},
		"itself":            {things("A", `{"Ref": "A"}`), []string{"A → A"}},
		"depends on":        {`{"Resources": {"A": {"Type": "AWS::Test::Thing", "DependsOn": "Nobody"}}}`, []string{"Resources.A.DependsOn: there is no resource Nobody"}},
		"condition needs itself": {
			`{"Conditions": {"A": {"Condition": "B"}, "B": {"Condition": "A"}}, "Resources": {"R": {"Type": "AWS::Test::Thing", "Condition": "A"}}}`,
			[]string{"Conditions.A: needs itself: A → B → A"},
		},
		"condition on a resource": {
			`{"Conditions": {"A": {"Fn::Equals": [{"Ref": "R"}, "x"]}}, "Resources": {"R": {"Type": "AWS::Test::Thing"}, "S": {"Type": "AWS::Test::Thing", "Condition": "A"}}}`,
			[]string{"cannot depend on a resource"},
		},
		"absent by condition": {
			`{"Conditions": {"A": {"Fn::Equals": [1, 2]}}, "Resources": {"R": {"Type": "AWS::Test::Thing", "Condition": "A"}, "S": {"Type": "AWS::Test::Thing", "Properties": {"Value": {"Ref": "R"}}}}}`,
			[]string{"resource R is not created, since condition A does not hold"},
		},
		"output": {`{"Resources": {"A": {"Type": "AWS::Test::Thing"}}, "Outputs": {"O": {"Value": ["a"]}}}`, []string{"Outputs.O.Value: a part is not a string"}},
		"ssm": {
			`{"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}}, "Resources": {"A": {"Type": "AWS::Test::Thing"}}}`,
			[]string{"parameter P: the sandbox has no SSM parameter /x"},
		},
		"parameter type": {`{"Parameters": {"P": {"Type": "Blob"}}, "Resources": {"A": {"Type": "AWS::Test::Thing"}}}`, []string{"Parameters.P.Type: Blob is not supported"}},
		"several at once": {
			value(`[{"Ref": "Nobody"}]`)[:len(value(`[{"Ref": "Nobody"}]`))-2] + `, "Z": {"Type": "AWS::Test::Thing", "Properties": {"Value": {"Fn::Cidr": []}}}}}`,
			[]string{"Nobody", "Fn::Cidr"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop()
			_, err := s.deploy(test.template)
			if err == nil {
				t.Fatal("it was deployed")
			}
			for _, want := range append(test.want, "deploy stack hub in account 100000000000, us-east-1") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %s", err, want)
				}
			}
			if len(s.things) > 0 {
				t.Errorf("left behind: %v", s.things)
			}
			if name != "property" && name != "attribute" && len(s.log) > 0 {
				t.Errorf("something was done before all was checked: %q", s.log)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	template := func(declaration string) string {
		return `{"Parameters": {"P": ` + declaration + `}, "Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Value": {"Ref": "P"}}}}}`
	}
	for _, test := range []struct{ declaration, given, want string }{
		{`{"Type": "String"}`, "x", ""},
		{`{"Type": "String", "AllowedValues": ["a", "b"]}`, "c", `"c" must be one of a, b`},
		{`{"Type": "String", "AllowedPattern": "[a-z]+|x1", "ConstraintDescription": "a lower-case name"}`, "ab1", `must match [a-z]+|x1 (a lower-case name)`},
		{`{"Type": "String", "AllowedPattern": "[a-z]+|x1"}`, "x1", ""},
		{`{"Type": "String", "AllowedPattern": "[\\w+=,.@:/-]{2,1224}"}`, strings.Repeat("a", 1224), ""},
		{`{"Type": "String", "AllowedPattern": "[\\w+=,.@:/-]{2,1224}"}`, strings.Repeat("a", 1225), "must match"},
		{`{"Type": "String", "AllowedPattern": "(?!internal)[a-z]+"}`, "internal", "must match"},
		{`{"Type": "String", "AllowedPattern": "[a-z]+"}`, "a\n", "must match"},
		{`{"Type": "String", "MinLength": "3"}`, "ab", "at least 3 characters"},
		{`{"Type": "String", "MaxLength": 1}`, "ab", "at most 1 characters"},
		{`{"Type": "Number", "MinValue": 1, "MaxValue": 10}`, "9.5", ""},
		{`{"Type": "Number", "MinValue": 1, "MaxValue": 10}`, "11", "must be at most 10"},
		{`{"Type": "Number", "MinValue": 1}`, "0", "must be at least 1"},
		{`{"Type": "Number"}`, "many", "must be a number"},
		{`{"Type": "List<Number>"}`, "1,b", "must be a number"},
		{`{"Type": "AWS::EC2::VPC::Id"}`, "vpc-1", ""},
		{`{"Type": "String", "AllowedPattern": "("}`, "x", "cannot read"},
	} {
		_, err := newShop().deploy(template(test.declaration), "P", test.given)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s given %q: %v, want %q", test.declaration, test.given, err, test.want)
		}
	}
	_, err := newShop().deploy(template(`{"Type": "String"}`), "Q", "x")
	for _, want := range []string{"parameter P: it has no value", "parameter Q: the template does not declare it"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}

func TestOutputsAndExports(t *testing.T) {
	s := newShop()
	got := s.must(t, `{"Conditions": {"Never": {"Fn::Equals": [1, 2]}}, "Resources": {"A": {"Type": "AWS::Test::Thing"}}, "Outputs": {
		"Arn": {"Value": {"Fn::GetAtt": ["A", "Arn"]}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-arn"}}},
		"Number": {"Value": 7}, "None": {"Value": "x", "Condition": "Never"}}}`)
	if diff := cmp.Diff(map[string]string{"Arn": "arn:aws:test:us-east-1:100000000000:A", "Number": "7"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := s.cfn.Deploy(account, region, "spoke", []byte(things("B", `{"Fn::ImportValue": "hub-arn"}`)), nil); err != nil {
		t.Fatal(err)
	}
	if s.things["B"] != `{"Value":"arn:aws:test:us-east-1:100000000000:A"}` {
		t.Error(s.things["B"])
	}
	if _, err := s.cfn.Deploy("222222222222", region, "spoke", []byte(things("B", `{"Fn::ImportValue": "hub-arn"}`)), nil); err == nil {
		t.Error("an export is seen in another account")
	}
}

func TestUpdate(t *testing.T) {
	s := newShop()
	s.must(t, things("A", `"1"`, "B", `{"Fn::GetAtt": ["A", "Echo"]}`, "C", `{"Ref": "B"}`, "D", `"d"`))
	s.logged(t, "create A", "create B", "create C", "create D")
	s.must(t, things("A", `"1"`, "B", `{"Fn::GetAtt": ["A", "Echo"]}`, "C", `{"Ref": "B"}`, "D", `"d"`))
	s.logged(t)
	// B's own text is the same, but A's attribute has changed; C refers to B's name, which has not.
	s.must(t, things("A", `"2"`, "B", `{"Fn::GetAtt": ["A", "Echo"]}`, "C", `{"Ref": "B"}`, "E", `"e"`))
	s.logged(t, "update A", "update B", "create E", "delete D")
	if diff := cmp.Diff([]string{"A", "B", "C", "E"}, slices.Sorted(maps.Keys(s.things))); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedUpdateIsTakenBack(t *testing.T) {
	s := newShop()
	s.must(t, things("A", `"1"`, "B", `"1"`))
	before := maps.Clone(s.things)
	_, err := s.deploy(things("A", `"2"`, "N", `"new"`, "Z", `"broken"`))
	if err == nil || !strings.Contains(err.Error(), "create Z (AWS::Test::Thing): as asked") {
		t.Fatal(err)
	}
	s.logged(t, "update A", "create N", "create Z", "delete N", "update A")
	if diff := cmp.Diff(before, s.things); diff != "" {
		t.Error(diff)
	}
	s.must(t, things("A", `"1"`, "B", `"1"`))
	s.logged(t)
}

func TestAFailedRollbackIsNotForgotten(t *testing.T) {
	s := newShop()
	_, err := s.deploy(things("A", `"stuck"`, "B", `"fine"`, "Z", `"broken"`))
	if err == nil || !strings.Contains(err.Error(), "as asked") || !strings.Contains(err.Error(), "roll back: delete A (AWS::Test::Thing): it is stuck") {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"A"}, slices.Sorted(maps.Keys(s.things))); diff != "" {
		t.Error(diff)
	}
	if _, err := s.cfn.Delete(account, region, "hub"); err == nil || !strings.Contains(err.Error(), "delete stack hub") {
		t.Error(err)
	}
}

func TestWhatCannotBeDeletedKeepsWhatItNeeds(t *testing.T) {
	s := newShop()
	s.must(t, things("A", `"a"`, "B", `{"Fn::Sub": "stuck${A}"}`, "C", `{"Ref": "B"}`))
	s.log = nil
	if _, err := s.cfn.Delete(account, region, "hub"); err == nil {
		t.Fatal("deleted")
	}
	s.logged(t, "delete C", "delete B")
	if status := s.snapshot(t); !strings.Contains(status, "DELETE_FAILED") {
		t.Error(status)
	}
}

func TestDelete(t *testing.T) {
	s := newShop()
	const template = `{"Resources": {
		"Keep": {"Type": "AWS::Test::Thing", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"},
		"Old": {"Type": "AWS::Test::Thing", "DeletionPolicy": "Retain"},
		"Go": {"Type": "AWS::Test::Thing", "DependsOn": ["Keep"]}, "Cdk": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2"}}}}`
	s.must(t, template)
	s.must(t, strings.Replace(template, `"Old": {"Type": "AWS::Test::Thing", "DeletionPolicy": "Retain"},`, "", 1))
	s.logged(t)
	retained, err := s.cfn.Delete(account, region, "hub")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Old (AWS::Test::Thing ref-Old)", "Keep (AWS::Test::Thing ref-Keep)"}, retained); diff != "" {
		t.Error(diff)
	}
	s.logged(t, "delete Go")
	if got := s.snapshot(t); got != `{"stacks":[]}` {
		t.Error(got)
	}
	if retained, err := s.cfn.Delete(account, region, "hub"); err != nil || retained != nil {
		t.Error("deleting twice:", retained, err)
	}
}

func (s *shop) snapshot(t *testing.T) string {
	t.Helper()
	var b []byte
	var err error
	s.world.Do(func() { b, err = json.Marshal(s.cfn.Snapshot(account)) })
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheSameDeploymentGivesTheSameBytes(t *testing.T) {
	template := things("B", `{"Ref": "A"}`, "A", `"1"`, "C", `{"z": 1, "a": [2]}`)
	one, two := newShop(), newShop()
	one.must(t, template)
	two.must(t, template)
	if one.snapshot(t) != two.snapshot(t) {
		t.Errorf("%s\n%s", one.snapshot(t), two.snapshot(t))
	}
}

func TestRules(t *testing.T) {
	rule := func(condition string) string {
		return `{"Parameters": {"P": {"Type": "String"}}, "Rules": {"R": {` + condition + `"Assertions": [
			{"Assert": {"Fn::Contains": [["a", "b"], {"Ref": "P"}]}, "AssertDescription": "P is a or b"}]}},
			"Resources": {"A": {"Type": "AWS::Test::Thing"}}}`
	}
	if _, err := newShop().deploy(rule(""), "P", "c"); err == nil || !strings.Contains(err.Error(), "Rules.R: the parameters break the rule: P is a or b") {
		t.Error(err)
	}
	newShop().must(t, rule(""), "P", "a")
	newShop().must(t, rule(`"RuleCondition": {"Fn::Equals": [{"Ref": "P"}, "x"]},`), "P", "c")
}

// TestOrderProperty: every resource comes after those it needs, and equal input gives equal output.
func TestOrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		needs := map[string][]string{}
		for i := range n {
			var mine []string
			for j := range i {
				if rapid.Bool().Draw(t, "needs") {
					mine = append(mine, fmt.Sprintf("R%d", j*7%n))
				}
			}
			needs[fmt.Sprintf("R%d", i*7%n)] = mine
		}
		sorted, cycle := order(needs)
		if cycle != nil {
			if len(cycle) < 2 || cycle[0] != cycle[len(cycle)-1] {
				t.Fatalf("not a circle: %v", cycle)
			}
			for i, id := range cycle[1:] {
				if !slices.Contains(needs[cycle[i]], id) {
					t.Fatalf("%s does not need %s", cycle[i], id)
				}
			}
			return
		}
		if len(sorted) != len(needs) {
			t.Fatalf("%v of %v", sorted, needs)
		}
		for i, id := range sorted {
			for _, other := range needs[id] {
				if !slices.Contains(sorted[:i], other) {
					t.Fatalf("%s comes before %s", id, other)
				}
			}
		}
	})
}

func TestAssumption_CFN_01_EveryAccountIsBootstrapped(t *testing.T) {
	s := newShop()
	s.must(t, `{"Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"}},
		"Rules": {"CheckBootstrapVersion": {"Assertions": [{"Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "BootstrapVersion"}]}]},
		"AssertDescription": "CDK bootstrap stack version 6 required."}]}},
		"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Value": {"Ref": "BootstrapVersion"}}}}}`)
	if s.things["A"] != `{"Value":"30"}` {
		t.Error(s.things["A"])
	}
}

func TestAssumption_CFN_02_AFailedDeploymentLeavesWhatItRetains(t *testing.T) {
	for policy, stays := range map[string]bool{"Delete": false, "RetainExceptOnCreate": false, "Retain": true} {
		s := newShop()
		_, err := s.deploy(`{"Resources": {"A": {"Type": "AWS::Test::Thing", "DeletionPolicy": "` + policy + `"}, "B": {"Type": "AWS::Test::Thing", "Properties": {"Value": "broken"}}}}`)
		if _, left := s.things["A"]; err == nil || left != stays || s.snapshot(t) != `{"stacks":[]}` {
			t.Errorf("%s: %v, left %v, %s", policy, err, s.things, s.snapshot(t))
		} else if says := "A (AWS::Test::Thing ref-A)"; strings.Contains(err.Error(), says) != stays {
			t.Errorf("%s: the error names what stays: %v", policy, err)
		}
		// On update, a resource that existed before is not touched.
		s = newShop()
		s.must(t, things("A", `"1"`))
		_, err = s.deploy(`{"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Value": "1"}},
			"A2": {"Type": "AWS::Test::Thing", "DeletionPolicy": "` + policy + `"}, "B": {"Type": "AWS::Test::Thing", "Properties": {"Value": "broken"}}}}`)
		if _, left := s.things["A2"]; err == nil || s.things["A"] == "" || left != stays || strings.Contains(s.snapshot(t), "A2") {
			t.Errorf("update, %s: %v, left %v, %s", policy, err, s.things, s.snapshot(t))
		}
	}
}

func TestAssumption_CFN_03_ParametersAreKept(t *testing.T) {
	s := newShop()
	const template = `{"Parameters": {"P": {"Type": "String", "Default": "standard"}}, "Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Value": {"Ref": "P"}}}}}`
	s.must(t, template, "P", "mine")
	s.must(t, template)
	s.logged(t)
	if s.things["A"] != `{"Value":"mine"}` {
		t.Error(s.things["A"])
	}
}

func TestAssumption_CFN_04_ResourcesAreMadeInOneOrderAtOneInstant(t *testing.T) {
	s := newShop()
	before := s.world.Clock.Now()
	s.must(t, things("Z", `"1"`, "B", `{"Ref": "Z"}`, "M", `"1"`, "A", `{"Ref": "M"}`))
	s.logged(t, "create M", "create A", "create Z", "create B")
	if !s.world.Clock.Now().Equal(before) {
		t.Error("time has passed")
	}
}

func TestAssumption_CFN_05_NothingIsReplaced(t *testing.T) {
	s := newShop()
	const template = `{"Resources": {"A": {"Type": "AWS::Test::Fixed", "Properties": {"Value": 1, "Name": "n"}}}}`
	s.must(t, template)
	_, err := s.deploy(strings.Replace(template, "1", "2", 1))
	for _, want := range []string{"update A (AWS::Test::Fixed)", "changed: Value", "another logical id"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	_, err = s.deploy(strings.Replace(template, "Fixed", "Thing", 1))
	if err == nil || !strings.Contains(err.Error(), "it is a AWS::Test::Fixed and cannot become a AWS::Test::Thing") {
		t.Error(err)
	}
}

func TestAssumption_CFN_06_AnImportedExportKeepsItsStack(t *testing.T) {
	s := newShop()
	s.must(t, `{"Resources": {"A": {"Type": "AWS::Test::Thing"}}, "Outputs": {"O": {"Value": "x", "Export": {"Name": "shared"}}}}`)
	if _, err := s.cfn.Deploy(account, region, "spoke", []byte(things("B", `{"Fn::ImportValue": "shared"}`)), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.cfn.Delete(account, region, "hub"); err == nil || !strings.Contains(err.Error(), "export shared is in use by stack spoke") {
		t.Error(err)
	}
	if _, err := s.cfn.Delete(account, region, "spoke"); err != nil {
		t.Error(err)
	}
	if _, err := s.cfn.Delete(account, region, "hub"); err != nil {
		t.Error(err)
	}
}
