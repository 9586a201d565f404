package dynamodb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/kms"
)

const (
	account = "100000000000"
	region  = "us-east-1"
	name    = "registry"
)

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// bench is a world with one table: pk (S), sk (S).
type bench struct {
	fataler
	w *cloud.World
	s *Service
}

const schema = `"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
	"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}], "BillingMode": "PAY_PER_REQUEST"`

func newBench(t fataler) *bench {
	t.Helper()
	b := &bench{fataler: t, w: cloud.New(cloud.Options{Seed: 1})}
	b.s, b.w.Keys = New(b.w), kms.New(b.w)
	b.w.Register(b.s.API())
	if _, err := b.s.tableType().Create(b.request(`{` + schema + `, "TableName": "registry"}`)); err != nil {
		t.Fatalf("create table: %v", err)
	}
	return b
}

func (b *bench) request(properties string) *cloud.ResourceRequest {
	return &cloud.ResourceRequest{
		World: b.w, Account: account, Region: region, Stack: "hub", LogicalID: "Registry", Properties: json.RawMessage(properties),
	}
}

func call[O any](b *bench, operation string, in any) (*O, error) {
	out, err := b.w.Invoke(cloud.Root(account), region, "dynamodb", operation, in)
	if err != nil {
		return nil, err
	}
	return out.(*O), nil
}

func must[O any](b *bench, operation string, in any) *O {
	b.Helper()
	out, err := call[O](b, operation, in)
	if err != nil {
		b.Fatalf("%s: %v", operation, err)
	}
	return out
}

// item reads an item from plain JSON.
func item(text string) Item {
	var i Item
	var raw map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		panic(err)
	}
	i = Item{}
	for k, v := range raw {
		i[k] = valueOf(v)
	}
	return i
}

func str(s string) Value { return Value{Type: "S", text: s} }

func valueOf(v any) Value {
	switch v := v.(type) {
	case string:
		return str(v)
	case json.Number:
		return Value{Type: "N", text: v.String()}
	case bool:
		return Value{Type: "BOOL", yes: v}
	case nil:
		return Value{Type: "NULL"}
	case []any:
		out := Value{Type: "L"}
		for _, e := range v {
			out.list = append(out.list, valueOf(e))
		}
		return out
	}
	out := Value{Type: "M", m: map[string]Value{}}
	for k, e := range v.(map[string]any) {
		out.m[k] = valueOf(e)
	}
	return out
}

func text(i Item) string {
	if i == nil {
		return ""
	}
	raw, err := json.Marshal(i.plain())
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func (b *bench) put(items ...string) {
	b.Helper()
	for _, i := range items {
		must[WriteOutput](b, "PutItem", &PutItemInput{TableName: name, Item: item(i)})
	}
}

func (b *bench) get(key string) string {
	b.Helper()
	out := must[GetItemOutput](b, "GetItem", &GetItemInput{TableName: name, Key: item(key), ConsistentRead: true})
	if out.Item == nil {
		return ""
	}
	return text(*out.Item)
}

func says(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

const itemKey = `{"pk": "main", "sk": "origin#1"}`

func TestItems_PutGetDelete(t *testing.T) {
	b := newBench(t)
	if got := b.get(itemKey); got != "" {
		t.Errorf("before: %s", got)
	}
	full := `{"b":true,"l":[1,"x",null],"m":{"a":{"b":1.5}},"n":-12.25,"pk":"main","sk":"origin#1"}`
	b.put(full)
	if got := b.get(itemKey); got != full {
		t.Errorf("got %s", got)
	}
	old := must[WriteOutput](b, "PutItem", &PutItemInput{TableName: name, Item: item(itemKey), ReturnValues: "ALL_OLD"})
	if text(old.Attributes) != full {
		t.Errorf("old %s", text(old.Attributes))
	}
	old = must[WriteOutput](b, "DeleteItem", &DeleteItemInput{TableName: name, Key: item(itemKey), ReturnValues: "ALL_OLD"})
	if text(old.Attributes) != `{"pk":"main","sk":"origin#1"}` {
		t.Errorf("deleted %s", text(old.Attributes))
	}
	again := must[WriteOutput](b, "DeleteItem", &DeleteItemInput{TableName: name, Key: item(itemKey), ReturnValues: "ALL_OLD"})
	if again.Attributes != nil || b.get(itemKey) != "" {
		t.Error("deleted twice")
	}
}

func TestItems_KeysAndNames(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ item, want string }{
		{`{"pk": "a"}`, "Missing the key sk in the item"},
		{`{"pk": "a", "sk": 1}`, "Type mismatch for key sk expected: S actual: N"},
		{`{"pk": "", "sk": "x"}`, "cannot contain an empty string value. Key: pk"},
		{`{"pk": "a", "sk": "x", "data": "` + strings.Repeat("x", maxItem) + `"}`, "Item size has exceeded"},
	} {
		_, err := call[WriteOutput](b, "PutItem", &PutItemInput{TableName: name, Item: item(c.item)})
		says(t, err, "ValidationException: ")
		says(t, err, c.want)
	}
	for _, k := range []string{`{"pk": "a"}`, `{"pk": "a", "sk": "b", "x": "c"}`, `{"pk": "a", "sk": 1}`} {
		_, err := call[GetItemOutput](b, "GetItem", &GetItemInput{TableName: name, Key: item(k)})
		says(t, err, "The provided key element does not match the schema")
	}
	_, err := call[GetItemOutput](b, "GetItem", &GetItemInput{TableName: "other", Key: item(itemKey)})
	says(t, err, "ResourceNotFoundException: Requested resource not found")
	_, err = call[GetItemOutput](b, "GetItem", &GetItemInput{TableName: "a b", Key: item(itemKey)})
	says(t, err, "Invalid table name")
	must[GetItemOutput](b, "GetItem", &GetItemInput{TableName: tableARN(account, region, name), Key: item(itemKey)})
	_, err = call[GetItemOutput](b, "GetItem", &GetItemInput{TableName: name, Key: item(itemKey), Returned: Returned{ReturnConsumedCapacity: "TOTAL"}})
	says(t, err, "NotImplemented")
}

func TestConditions(t *testing.T) {
	b := newBench(t)
	b.put(`{"pk": "main", "sk": "origin#1", "v": 5, "t": "hello", "l": [1, 2], "m": {"x": {"y": "deep"}}, "z": null}`)
	values := Item{
		":5": Number(5), ":6": Number(6), ":4": Number(4), ":t": str("hello"), ":he": str("he"), ":ell": str("ell"), ":one": Number(1),
		":deep": str("deep"), ":S": str("S"), ":nine": Value{Type: "N", text: "9"}, ":ten": Value{Type: "N", text: "10"},
	}
	for _, c := range []struct {
		condition string
		want      bool
	}{
		{"attribute_exists(pk)", true},
		{"attribute_not_exists(pk)", false},
		{"attribute_not_exists(absent)", true},
		{"attribute_exists(m.x.y)", true},
		{"attribute_exists(l[1])", true},
		{"attribute_exists(l[2])", false},
		{"attribute_exists(z)", true},
		{"v = :5", true},
		{"v <> :5", false},
		{"v < :6 AND v <= :5 AND v > :4 AND v >= :5", true},
		{"v < :5 OR v > :5", false},
		{"NOT v = :6", true},
		{"NOT (v = :6 OR v = :5)", false},
		{"v BETWEEN :4 AND :6 AND t = :t", true},
		{"v IN (:4, :5)", true},
		{"v IN (:4, :6)", false},
		{"begins_with(t, :he)", true},
		{"begins_with(t, :ell)", false},
		{"contains(t, :ell)", true},
		{"contains(l, :one)", true},
		{"attribute_type(t, :S)", true},
		{"size(t) = :5", true},
		{"size(l) < :5", true},
		{"m.x.y = :deep", true},
		{"absent = :5", false},
		{"absent <> :5", true},
		{"absent < :5", false},
		{"size(absent) < :5", false},
		{"t = :5", false},
		{"t > :5", false},
		{":ten > :nine", true},
		{"v = :6 or v = :5 and t = :t", true},
		{"(v = :6 or v = :5) and t = :he", false},
	} {
		used := Item{}
		for k, v := range values {
			if mentions(c.condition, k) {
				used[k] = v
			}
		}
		if len(used) == 0 {
			used = nil
		}
		_, err := call[WriteOutput](b, "UpdateItem", &UpdateItemInput{
			TableName: name, Key: item(itemKey), Conditional: Conditional{ConditionExpression: c.condition, ExpressionAttributeValues: used},
		})
		if got := err == nil; got != c.want {
			t.Errorf("%s: %v", c.condition, err)
		}
		if err != nil && cloud.AsError(err).Code != "ConditionalCheckFailedException" {
			t.Errorf("%s: %v", c.condition, err)
		}
	}
}

func mentions(expression, placeholder string) bool {
	for _, w := range strings.FieldsFunc(expression, func(r rune) bool { return strings.ContainsRune(" (),=<>+-", r) }) {
		if w == placeholder {
			return true
		}
	}
	return false
}

func TestConditions_FailureBringsTheItemWhenAsked(t *testing.T) {
	b := newBench(t)
	b.put(`{"pk": "main", "sk": "origin#1", "v": 5}`)
	in := &PutItemInput{TableName: name, Item: item(itemKey), Conditional: Conditional{ConditionExpression: "attribute_not_exists(pk)"}}
	_, err := call[WriteOutput](b, "PutItem", in)
	if e := cloud.AsError(err); e.Code != "ConditionalCheckFailedException" || e.Status != 400 || e.Members != nil {
		t.Errorf("%+v", e)
	}
	in.ReturnValuesOnConditionCheckFailure = "ALL_OLD"
	_, err = call[WriteOutput](b, "PutItem", in)
	if got := text(cloud.AsError(err).Members["Item"].(Item)); got != `{"pk":"main","sk":"origin#1","v":5}` {
		t.Errorf("item %s", got)
	}
	if got := b.get(itemKey); !strings.Contains(got, `"v":5`) {
		t.Errorf("the failed write changed the item: %s", got)
	}
}

func TestExpressions_RefusedInAWSsWords(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		condition, update string
		names             map[string]string
		values            Item
		want              string
	}{
		{condition: "data = :v", values: Item{":v": Number(1)}, want: "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: data"},
		{condition: "m.Status = :v", values: Item{":v": Number(1)}, want: "reserved keyword: Status"},
		{update: "SET ttl = :v", values: Item{":v": Number(1)}, want: "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: ttl"},
		{condition: "#v = :v", values: Item{":v": Number(1)}, want: "An expression attribute name used in the document path is not defined; attribute name: #v"},
		{condition: "v = :v", want: "An expression attribute value used in expression is not defined; attribute value: :v"},
		{condition: "v = :v", values: Item{":v": Number(1), ":w": Number(2)}, want: "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
		{condition: "attribute_exists(v)", names: map[string]string{"#b": "b", "#a": "a"}, want: "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"},
		{names: map[string]string{"#a": "a"}, want: "ExpressionAttributeNames can only be specified when using expressions"},
		{values: Item{":a": Number(1)}, want: "ExpressionAttributeValues can only be specified when using expressions"},
		{condition: "attribute_exists(v)", values: Item{}, want: "ExpressionAttributeValues must not be empty"},
		{condition: "attribute_exists(v)", values: Item{"a": Number(1)}, want: `ExpressionAttributeValues contains invalid key: Syntax error; key: "a"`},
		{condition: "v = ", want: `Syntax error; token: "<EOF>"`},
		{condition: "v ! :v", values: Item{":v": Number(1)}, want: `Syntax error; token: "!"`},
		{condition: "v = :v v", values: Item{":v": Number(1)}, want: `Syntax error; token: "v"`},
		{condition: "(v = :v", values: Item{":v": Number(1)}, want: `Syntax error; token: "<EOF>"`},
		{condition: "exists(v)", want: "Invalid function name; function: exists"},
		{condition: "attribute_exists(v, w)", want: "Incorrect number of operands"},
		{condition: "begins_with(v, :v)", values: Item{":v": Number(1)}, want: "operator or function: begins_with, operand type: N"},
		{condition: "v < :v", values: Item{":v": {Type: "BOOL"}}, want: "Incorrect operand type for operator or function; operator: <, operand type: BOOL"},
		{update: "SET v = :v SET w = :v", values: Item{":v": Number(1)}, want: `The "SET" section can only be used once`},
		{update: "SET v = :v, v.w = :v", values: Item{":v": Number(1)}, want: "Two document paths overlap"},
		{update: "PUT v = :v", values: Item{":v": Number(1)}, want: `Syntax error; token: "PUT"`},
		{update: "SET sk = :v", values: Item{":v": Number(1)}, want: "Cannot update attribute sk. This attribute is part of the key"},
		{update: "SET v = w", want: "The provided expression refers to an attribute that does not exist in the item"},
		{update: "SET v = :s + :v", values: Item{":v": Number(1), ":s": str("x")}, want: "An operand in the update expression has an incorrect data type"},
		{update: "SET v.w = :v", values: Item{":v": Number(1)}, want: "The document path provided in the update expression is invalid for update"},
		{update: "ADD v :v", values: Item{":v": str("x")}, want: "Incorrect operand type"},
	} {
		_, err := call[WriteOutput](b, "UpdateItem", &UpdateItemInput{
			TableName: name, Key: item(itemKey), UpdateExpression: c.update,
			Conditional: Conditional{ConditionExpression: c.condition, ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values},
		})
		says(t, err, "ValidationException: ")
		says(t, err, c.want)
	}
	if b.get(itemKey) != "" {
		t.Error("a refused update created the item")
	}
}

func TestUpdateItem(t *testing.T) {
	for _, c := range []struct {
		name, before, update string
		values               Item
		want                 string
	}{
		{"creates", ``, "SET v = :v", Item{":v": Number(1)}, `{"pk":"main","sk":"origin#1","v":1}`},
		{"nothing to do", ``, "", nil, `{"pk":"main","sk":"origin#1"}`},
		{"counts", `"v": 1`, "SET v = v + :v", Item{":v": Number(2)}, `{"pk":"main","sk":"origin#1","v":3}`},
		{"subtracts", `"v": 1`, "SET v = :v - v", Item{":v": {Type: "N", text: "0.5"}}, `{"pk":"main","sk":"origin#1","v":-0.5}`},
		{"first time", ``, "SET v = if_not_exists(v, :z) + :o", Item{":z": Number(0), ":o": Number(1)}, `{"pk":"main","sk":"origin#1","v":1}`},
		{"kept", `"v": 7`, "SET v = if_not_exists(v, :z)", Item{":z": Number(0)}, `{"pk":"main","sk":"origin#1","v":7}`},
		{"swaps: values are read before the update", `"a": 1, "b": 2`, "SET a = b, b = a", nil, `{"a":2,"b":1,"pk":"main","sk":"origin#1"}`},
		{"removes", `"a": 1, "m": {"x": 1, "y": 2}`, "REMOVE a, m.x, nothing", nil, `{"m":{"y":2},"pk":"main","sk":"origin#1"}`},
		{"removes from lists by their old indexes", `"l": [0, 1, 2, 3]`, "REMOVE l[0], l[2]", nil, `{"l":[1,3],"pk":"main","sk":"origin#1"}`},
		{"appends", `"l": [1]`, "SET l = list_append(l, :l)", Item{":l": {Type: "L", list: []Value{Number(2)}}}, `{"l":[1,2],"pk":"main","sk":"origin#1"}`},
		{"sets an element, and one past the end", `"l": [1]`, "SET l[0] = :v, l[5] = :v", Item{":v": Number(9)}, `{"l":[9,9],"pk":"main","sk":"origin#1"}`},
		{"nested", `"m": {"x": 1}`, "SET m.y = :v", Item{":v": Number(2)}, `{"m":{"x":1,"y":2},"pk":"main","sk":"origin#1"}`},
		{"add to a number", `"v": 1`, "ADD v :v", Item{":v": Number(2)}, `{"pk":"main","sk":"origin#1","v":3}`},
		{"add to a set", ``, "ADD s :s", Item{":s": {Type: "SS", set: []string{"a"}}}, `{"pk":"main","s":["a"],"sk":"origin#1"}`},
		{"set and remove", `"a": 1`, "REMOVE a SET b = :v", Item{":v": Number(2)}, `{"b":2,"pk":"main","sk":"origin#1"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			if c.before != "" {
				b.put(`{"pk": "main", "sk": "origin#1", ` + c.before + `}`)
			}
			out := must[WriteOutput](b, "UpdateItem", &UpdateItemInput{
				TableName: name, Key: item(itemKey), UpdateExpression: c.update, Conditional: Conditional{ExpressionAttributeValues: c.values}, ReturnValues: "ALL_NEW",
			})
			if got := b.get(itemKey); got != c.want || text(out.Attributes) != got {
				t.Errorf("got %s, returned %s", got, text(out.Attributes))
			}
		})
	}
}

func TestUpdateItem_ReturnValues(t *testing.T) {
	for returned, want := range map[string]string{
		"": "", "NONE": "", "ALL_OLD": `{"a":1,"b":2,"pk":"main","sk":"origin#1"}`, "ALL_NEW": `{"a":5,"b":2,"c":5,"pk":"main","sk":"origin#1"}`,
		"UPDATED_OLD": `{"a":1}`, "UPDATED_NEW": `{"a":5,"c":5}`,
	} {
		b := newBench(t)
		b.put(`{"pk": "main", "sk": "origin#1", "a": 1, "b": 2}`)
		out := must[WriteOutput](b, "UpdateItem", &UpdateItemInput{
			TableName: name, Key: item(itemKey), UpdateExpression: "SET a = :v, c = :v", Conditional: Conditional{ExpressionAttributeValues: Item{":v": Number(5)}}, ReturnValues: returned,
		})
		if text(out.Attributes) != want {
			t.Errorf("%s: %s", returned, text(out.Attributes))
		}
	}
	b := newBench(t)
	_, err := call[WriteOutput](b, "PutItem", &PutItemInput{TableName: name, Item: item(itemKey), ReturnValues: "ALL_NEW"})
	says(t, err, "Return values set to invalid value")
}

func (b *bench) keys(out *ReadOutput) string {
	var list []string
	for _, i := range *out.Items {
		list = append(list, i["sk"].text)
	}
	return strings.Join(list, " ")
}

func TestQuery(t *testing.T) {
	b := newBench(t)
	b.put(`{"pk": "main", "sk": "origin#2", "v": 2}`, `{"pk": "main", "sk": "origin#1", "v": 1}`, `{"pk": "main", "sk": "distribution"}`,
		`{"pk": "main", "sk": "refusal#1"}`, `{"pk": "other", "sk": "origin#1"}`)
	for _, c := range []struct {
		condition string
		values    Item
		want      string
	}{
		{"pk = :d", Item{":d": str("main")}, "distribution origin#1 origin#2 refusal#1"},
		{"pk = :d", Item{":d": str("none")}, ""},
		{"pk = :d AND begins_with(sk, :p)", Item{":d": str("main"), ":p": str("origin#")}, "origin#1 origin#2"},
		{"begins_with(sk, :p) AND pk = :d", Item{":d": str("main"), ":p": str("origin#")}, "origin#1 origin#2"},
		{"(pk = :d) AND (sk = :p)", Item{":d": str("main"), ":p": str("origin#2")}, "origin#2"},
		{"pk = :d AND sk BETWEEN :a AND :b", Item{":d": str("main"), ":a": str("e"), ":b": str("origin#1")}, "origin#1"},
		{"pk = :d AND sk > :a", Item{":d": str("main"), ":a": str("origin#1")}, "origin#2 refusal#1"},
		{"pk = :d AND sk <= :a", Item{":d": str("main"), ":a": str("origin#1")}, "distribution origin#1"},
	} {
		in := &QueryInput{Read: Read{TableName: name, ExpressionAttributeValues: c.values}, KeyConditionExpression: c.condition}
		out := must[ReadOutput](b, "Query", in)
		if got := b.keys(out); got != c.want || out.Count != len(*out.Items) || out.LastEvaluatedKey != nil {
			t.Errorf("%s: %s", c.condition, got)
		}
		forward := false
		in.ScanIndexForward = &forward
		reversed := strings.Fields(c.want)
		slices.Reverse(reversed)
		if got := b.keys(must[ReadOutput](b, "Query", in)); got != strings.Join(reversed, " ") {
			t.Errorf("%s backward: %s", c.condition, got)
		}
	}
	filtered := must[ReadOutput](b, "Query", &QueryInput{
		Read:                   Read{TableName: name, FilterExpression: "v > :one", ExpressionAttributeValues: Item{":d": str("main"), ":one": Number(1)}, ProjectionExpression: "sk"},
		KeyConditionExpression: "pk = :d",
	})
	if filtered.Count != 1 || filtered.ScannedCount != 4 || text((*filtered.Items)[0]) != `{"sk":"origin#2"}` {
		t.Errorf("%+v", filtered)
	}
	if c := b.w.Calls()[len(b.w.Calls())-1]; c.ItemsRead != 4 || c.BytesRead <= 4*len("pkmainskorigin#2v") || c.BytesRead > 4*100 {
		t.Errorf("a query that reads 4 items and returns 1 is logged as %d items of %d bytes", c.ItemsRead, c.BytesRead)
	}
	counted := must[ReadOutput](b, "Query", &QueryInput{
		Read: Read{TableName: name, Select: "COUNT", ExpressionAttributeValues: Item{":d": str("main")}}, KeyConditionExpression: "pk = :d",
	})
	if counted.Count != 4 || counted.Items != nil {
		t.Errorf("%+v", counted)
	}
}

func TestQuery_Refusals(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		condition, filter string
		values            Item
		want              string
	}{
		{"", "", nil, "KeyConditionExpression parameter must be specified"},
		{"sk = :v", "", Item{":v": str("x")}, "Query condition missed key schema element: pk"},
		{"pk > :v", "", Item{":v": str("x")}, "Query key condition not supported"},
		{"pk = :v AND contains(sk, :v)", "", Item{":v": str("x")}, "Query key condition not supported"},
		{"pk = :v OR sk = :v", "", Item{":v": str("x")}, "Query key condition not supported"},
		{"pk = :v AND sk <> :v", "", Item{":v": str("x")}, "Query key condition not supported"},
		{"pk = :v AND another = :v", "", Item{":v": str("x")}, "Query key condition not supported"},
		{"pk = :v", "", Item{":v": Number(1)}, "Condition parameter type does not match schema type"},
		{"pk = :v", "sk = :v", Item{":v": str("x")}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
	} {
		_, err := call[ReadOutput](b, "Query", &QueryInput{
			Read: Read{TableName: name, FilterExpression: c.filter, ExpressionAttributeValues: c.values}, KeyConditionExpression: c.condition,
		})
		says(t, err, c.want)
	}
	_, err := call[ReadOutput](b, "Query", &QueryInput{
		Read: Read{TableName: name, Select: "ALL_PROJECTED_ATTRIBUTES", ExpressionAttributeValues: Item{":v": str("x")}}, KeyConditionExpression: "pk = :v",
	})
	says(t, err, "NotImplemented")
}

// TestPages_SeeEveryItemOnce: whatever the limit and direction, following LastEvaluatedKey sees every item once, in order.
func TestPages_SeeEveryItemOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(t)
		n := rapid.IntRange(0, 12).Draw(t, "items")
		var want []string
		for i := range n {
			b.put(fmt.Sprintf(`{"pk": "main", "sk": "origin#%02d"}`, i))
			want = append(want, fmt.Sprintf("origin#%02d", i))
		}
		b.put(`{"pk": "aaa", "sk": "x"}`, `{"pk": "zzz", "sk": "x"}`)
		limit := rapid.IntRange(1, 13).Draw(t, "limit")
		forward := rapid.Bool().Draw(t, "forward")
		if !forward {
			slices.Reverse(want)
		}
		var got []string
		in := &QueryInput{
			Read:                   Read{TableName: name, Limit: &limit, ExpressionAttributeValues: Item{":d": str("main")}},
			KeyConditionExpression: "pk = :d", ScanIndexForward: &forward,
		}
		for {
			out := must[ReadOutput](b, "Query", in)
			for _, i := range *out.Items {
				got = append(got, i["sk"].text)
			}
			if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("query\n%s", diff)
		}
		scanned := 0
		scan := &ScanInput{Read{TableName: name, Limit: &limit}}
		for {
			out := must[ReadOutput](b, "Scan", scan)
			scanned += out.Count
			if scan.ExclusiveStartKey = out.LastEvaluatedKey; scan.ExclusiveStartKey == nil {
				break
			}
		}
		if scanned != n+2 {
			t.Fatalf("scan saw %d of %d", scanned, n+2)
		}
	})
}

func TestPages_EndAtOneMegabyte(t *testing.T) {
	b := newBench(t)
	for i := range 4 {
		b.put(fmt.Sprintf(`{"pk": "main", "sk": "%d", "payload": %q}`, i, strings.Repeat("x", 390*1024)))
	}
	out := must[ReadOutput](b, "Scan", &ScanInput{Read{TableName: name}})
	if out.Count != 3 || out.LastEvaluatedKey == nil {
		t.Errorf("%d items", out.Count)
	}
}

func TestAssumption_DDB_01_EveryReadSeesTheLatestWrite(t *testing.T) {
	b := newBench(t)
	b.put(itemKey)
	if out := must[GetItemOutput](b, "GetItem", &GetItemInput{TableName: name, Key: item(itemKey)}); out.Item == nil {
		t.Error("an eventually consistent read missed the write")
	}
}

func TestAssumption_DDB_02_ScanInTheOrderOfKeys(t *testing.T) {
	b := newBench(t)
	b.put(`{"pk": "b", "sk": "1"}`, `{"pk": "a", "sk": "2"}`, `{"pk": "a", "sk": "1"}`)
	var got []string
	for _, i := range *must[ReadOutput](b, "Scan", &ScanInput{Read{TableName: name}}).Items {
		got = append(got, i["pk"].text+i["sk"].text)
	}
	if strings.Join(got, " ") != "a1 a2 b1" {
		t.Error(got)
	}
}

func TestAssumption_DDB_03_NothingExpires(t *testing.T) {
	b := newBench(t)
	if _, err := b.s.tableType().Update(b.request(`{`+schema+`, "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": true}}`),
		&cloud.Resource{Attributes: map[string]string{"Arn": tableARN(account, region, name)}}); err != nil {
		t.Fatal(err)
	}
	b.put(`{"pk": "main", "sk": "origin#1", "expires": 1}`)
	b.w.Clock.Advance(30 * 24 * time.Hour)
	if b.get(itemKey) == "" {
		t.Error("expired")
	}
}

func TestTransactWriteItems(t *testing.T) {
	b := newBench(t)
	b.put(`{"pk": "main", "sk": "a", "v": 1}`)
	in := func() *TransactWriteItemsInput {
		return &TransactWriteItemsInput{TransactItems: []TransactItem{
			{Put: &TransactPut{TableName: name, Item: item(`{"pk": "main", "sk": "b"}`), Conditional: Conditional{ConditionExpression: "attribute_not_exists(pk)"}}},
			{Update: &TransactUpdate{TableName: name, Key: item(`{"pk": "main", "sk": "a"}`), UpdateExpression: "SET v = v + :o", Conditional: Conditional{ExpressionAttributeValues: Item{":o": Number(1)}}}},
			{ConditionCheck: &TransactKey{TableName: name, Key: item(`{"pk": "main", "sk": "c"}`), Conditional: Conditional{ConditionExpression: "attribute_not_exists(pk)"}}},
			{Delete: &TransactKey{TableName: name, Key: item(`{"pk": "main", "sk": "d"}`)}},
		}}
	}
	must[TransactWriteItemsOutput](b, "TransactWriteItems", in())
	all := func() string {
		var list []string
		for _, i := range *must[ReadOutput](b, "Scan", &ScanInput{Read{TableName: name}}).Items {
			list = append(list, text(i))
		}
		return strings.Join(list, " ")
	}
	want := `{"pk":"main","sk":"a","v":2} {"pk":"main","sk":"b"}`
	if got := all(); got != want {
		t.Errorf("got %s", got)
	}
	second := in()
	second.TransactItems[0].Put.ReturnValuesOnConditionCheckFailure = "ALL_OLD"
	_, err := call[TransactWriteItemsOutput](b, "TransactWriteItems", second)
	says(t, err, "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None, None, None]")
	reasons := cloud.AsError(err).Members["CancellationReasons"].([]CancellationReason)
	if len(reasons) != 4 || text(reasons[0].Item) != `{"pk":"main","sk":"b"}` || all() != want {
		t.Errorf("%+v, %s", reasons, all())
	}
	twice := &TransactWriteItemsInput{TransactItems: []TransactItem{
		{Delete: &TransactKey{TableName: name, Key: item(itemKey)}}, {Delete: &TransactKey{TableName: name, Key: item(itemKey)}},
	}}
	_, err = call[TransactWriteItemsOutput](b, "TransactWriteItems", twice)
	says(t, err, "cannot include multiple operations on one item")
	_, err = call[TransactWriteItemsOutput](b, "TransactWriteItems", &TransactWriteItemsInput{TransactItems: []TransactItem{{}}})
	says(t, err, "can only contain one of")
}

func TestTransactWriteItems_ClientRequestToken(t *testing.T) {
	b := newBench(t)
	b.put(`{"pk": "main", "sk": "a", "v": 1}`)
	in := func(by int) *TransactWriteItemsInput {
		return &TransactWriteItemsInput{ClientRequestToken: "t", TransactItems: []TransactItem{
			{Update: &TransactUpdate{TableName: name, Key: item(`{"pk": "main", "sk": "a"}`), UpdateExpression: "SET v = v + :o", Conditional: Conditional{ExpressionAttributeValues: Item{":o": Number(by)}}}},
		}}
	}
	for _, c := range []struct {
		after time.Duration
		by    int
		v     string
		code  string
	}{{0, 1, "2", ""}, {time.Minute, 1, "2", ""}, {0, 5, "2", "IdempotentParameterMismatchException"}, {tokenLife, 1, "3", ""}} {
		b.w.Clock.Advance(c.after)
		_, err := call[TransactWriteItemsOutput](b, "TransactWriteItems", in(c.by))
		if (err == nil) != (c.code == "") || err != nil && cloud.AsError(err).Code != c.code {
			t.Errorf("%v, want %s", err, c.code)
		}
		if got := b.get(`{"pk": "main", "sk": "a"}`); !strings.Contains(got, `"v":`+c.v) {
			t.Errorf("got %s, want %s", got, c.v)
		}
	}
}

func TestValues_JSON(t *testing.T) {
	for _, good := range []string{
		`{"S":"x"}`, `{"N":"-1.5"}`, `{"B":"aGk="}`, `{"BOOL":false}`, `{"NULL":true}`, `{"L":[{"S":"a"},{"N":"1"}]}`, `{"M":{"a":{"BOOL":true}}}`,
		`{"SS":["a","b"]}`, `{"NS":["1","2"]}`, `{"BS":["aGk="]}`, `{"M":{}}`, `{"S":"<&>"}`,
	} {
		var v Value
		if err := json.Unmarshal([]byte(good), &v); err != nil {
			t.Errorf("%s: %v", good, err)
		}
		back, err := json.Marshal(v)
		var again Value
		if err != nil || json.Unmarshal(back, &again) != nil || !again.equal(v) {
			t.Errorf("%s became %s (%v)", good, back, err)
		}
	}
	for bad, want := range map[string]string{
		`{}`: "exactly one", `{"S":"a","N":"1"}`: "exactly one", `{"X":"a"}`: "not a datatype", `{"N":"abc"}`: "cannot be converted to a numeric value",
		`{"N":"1e999999999"}`: "cannot be converted", `{"N":"` + strings.Repeat("9", 39) + `"}`: "38 significant digits", `{"NULL":false}`: "value of true",
		`{"SS":[]}`: "may not be empty", `{"NS":["1","1.0"]}`: "duplicates", `{"S":1}`: "cannot unmarshal",
	} {
		var v Value
		says(t, json.Unmarshal([]byte(bad), &v), want)
	}
	for in, want := range map[string]string{"1.50": "1.5", "1e3": "1000", "-0": "0", "007": "7", "1E-2": "0.01", "+4": "4"} {
		var v Value
		if err := json.Unmarshal([]byte(`{"N":"`+in+`"}`), &v); err != nil || v.text != want {
			t.Errorf("%s became %s (%v)", in, v.text, err)
		}
	}
}

// TestExpressions_NeverPanic throws tokens at the parsers and the evaluation.
func TestExpressions_NeverPanic(t *testing.T) {
	tokens := []string{
		"a", "m", "l", "#n", ":v", ":s", "=", "<>", "<", "(", ")", ",", ".", "[", "]", "0", "AND", "OR", "NOT", "BETWEEN", "IN", "size", "begins_with",
		"attribute_exists", "contains", "SET", "REMOVE", "ADD", "DELETE", "+", "-", "if_not_exists", "list_append", "!", "\"",
	}
	rapid.Check(t, func(t *rapid.T) {
		x := &expressions{
			names: map[string]string{"#n": "name"}, values: Item{":v": Number(1), ":s": str("x")},
			usedNames: map[string]bool{}, usedValues: map[string]bool{},
		}
		expression := strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 12).Draw(t, "tokens"), " ")
		i := item(`{"a": 1, "m": {"a": 1}, "l": [1, {"a": 2}], "name": "x"}`)
		before := text(i)
		if c, err := x.condition("ConditionExpression", expression); err == nil {
			c.holds(i)
		}
		if u, err := x.update(expression); err == nil {
			_, _ = u.apply(i)
		}
		if p, err := x.projection(expression); err == nil {
			p.of(i)
		}
		if text(i) != before {
			t.Fatalf("%s changed the old item to %s", expression, text(i))
		}
	})
}

func TestTables_DescribeAndList(t *testing.T) {
	b := newBench(t)
	b.put(itemKey)
	if _, err := b.s.globalTableType().Create(b.request(`{"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
		"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST", "SSESpecification": {"SSEEnabled": "true"},
		"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}, "TableName": "another",
		"Replicas": [{"Region": "us-east-1", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}, "DeletionProtectionEnabled": "true", "Tags": []}]}`)); err != nil {
		t.Fatal(err)
	}
	d := must[DescribeTableOutput](b, "DescribeTable", &DescribeTableInput{TableName: name}).Table
	if d.TableStatus != "ACTIVE" || d.ItemCount != 1 || d.TableSizeBytes == 0 || len(d.KeySchema) != 2 || d.BillingModeSummary.BillingMode != "PAY_PER_REQUEST" {
		t.Errorf("%+v", d)
	}
	d = must[DescribeTableOutput](b, "DescribeTable", &DescribeTableInput{TableName: "another"}).Table
	if !d.DeletionProtectionEnabled || d.LatestStreamARN == "" || d.AttributeDefinitions[0] != (AttributeDefinition{"id", "N"}) {
		t.Errorf("%+v", d)
	}
	first := must[ListTablesOutput](b, "ListTables", &ListTablesInput{Limit: 1})
	second := must[ListTablesOutput](b, "ListTables", &ListTablesInput{Limit: 1, ExclusiveStartTableName: first.LastEvaluatedTableName})
	if first.TableNames[0] != "another" || second.TableNames[0] != "registry" || second.LastEvaluatedTableName != "" {
		t.Errorf("%+v %+v", first, second)
	}
	err := b.s.globalTableType().Delete(b.request(`{}`), &cloud.Resource{Attributes: map[string]string{"Arn": d.TableARN}})
	says(t, err, "protected against deletion")
	b.w.Do(func() {
		raw, err := json.Marshal(b.s.Snapshot(account))
		if err != nil || !strings.Contains(string(raw), `"items":[{"pk":"main","sk":"origin#1"}]`) {
			t.Errorf("%s %v", raw, err)
		}
	})
}

func TestTables_PropertiesAreStrict(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ properties, want string }{
		{`{` + schema + `, "GlobalSecondaryIndexes": []}`, `unknown field "GlobalSecondaryIndexes"`},
		{`{` + schema + `, "TableName": "registry"}`, "Table already exists: registry"},
		{`{` + schema + `, "TableName": "r"}`, "TableName"},
		{`{"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}`, "key pk has no AttributeDefinition"},
		{`{"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}`, "KeySchema is missing"},
		{strings.Replace(`{`+schema+`}`, `"KeyType": "RANGE"`, `"KeyType": "HASH"`, 1), "KeySchema must be a HASH key"},
		{strings.Replace(`{`+schema+`}`, `[{"AttributeName": "pk", "AttributeType": "S"}`, `[{"AttributeName": "x", "AttributeType": "S"}, {"AttributeName": "pk", "AttributeType": "S"}`, 1), "not keys: x"},
		{strings.Replace(`{`+schema+`}`, "PAY_PER_REQUEST", "FREE", 1), "BillingMode"},
		{strings.Replace(`{`+schema+`}`, `"S"`, `"BOOL"`, 1), "must be S, N or B"},
	} {
		_, err := b.s.tableType().Create(b.request(c.properties))
		says(t, err, c.want)
	}
	_, err := b.s.globalTableType().Create(b.request(`{` + schema + `, "Replicas": [{"Region": "us-east-1"}, {"Region": "eu-west-1"}]}`))
	says(t, err, "one replica")
	made, err := b.s.tableType().Create(b.request(`{` + schema + `}`))
	if err != nil || !strings.HasPrefix(made.Ref, "hub-Registry-") || made.Attributes["Arn"] != tableARN(account, region, made.Ref) {
		t.Fatal(made, err)
	}
	if _, err := b.s.tableType().Update(b.request(strings.Replace(`{`+schema+`}`, `"AttributeType": "S"`, `"AttributeType": "N"`, 1)), made); err == nil {
		t.Error("keys changed")
	}
	if err := b.s.tableType().Delete(b.request(`{}`), made); err != nil {
		t.Error(err)
	}
	if _, err := call[DescribeTableOutput](b, "DescribeTable", &DescribeTableInput{TableName: made.Ref}); err == nil {
		t.Error("still there")
	}
}

// asked records what was authorised.
type asked struct{ requests []cloud.Request }

func (a *asked) Authorize(r cloud.Request) cloud.Decision {
	a.requests = append(a.requests, r)
	return cloud.Decision{Allowed: false, Reason: "no identity-based policy allows it"}
}

func TestAuthorization_TableAndLeadingKeys(t *testing.T) {
	b := newBench(t)
	arn := tableARN(account, region, name)
	for _, c := range []struct {
		operation string
		in        any
		actions   []string
		leading   []string
	}{
		{"GetItem", &GetItemInput{TableName: name, Key: item(itemKey)}, []string{"GetItem"}, []string{"main"}},
		{"BatchGetItem", &BatchGetItemInput{RequestItems: map[string]KeysAndAttributes{name: {Keys: []Item{item(itemKey)}}}}, []string{"BatchGetItem"}, []string{"main"}},
		{"PutItem", &PutItemInput{TableName: name, Item: item(itemKey)}, []string{"PutItem"}, []string{"main"}},
		{"UpdateItem", &UpdateItemInput{TableName: name, Key: item(itemKey)}, []string{"UpdateItem"}, []string{"main"}},
		{"DeleteItem", &DeleteItemInput{TableName: name, Key: item(itemKey)}, []string{"DeleteItem"}, []string{"main"}},
		{"Query", &QueryInput{Read: Read{TableName: name, ExpressionAttributeValues: Item{":d": str("main")}}, KeyConditionExpression: "pk = :d"}, []string{"Query"}, []string{"main"}},
		{"Scan", &ScanInput{Read{TableName: name}}, []string{"Scan"}, nil},
		{"DescribeTable", &DescribeTableInput{TableName: name}, []string{"DescribeTable"}, nil},
		{"TransactWriteItems", &TransactWriteItemsInput{TransactItems: []TransactItem{{ConditionCheck: &TransactKey{TableName: name, Key: item(itemKey)}}}}, []string{"ConditionCheckItem"}, []string{"main"}},
	} {
		a := &asked{}
		b.w.Authorizer = a
		_, err := b.w.Invoke(cloud.Root(account), region, "dynamodb", c.operation, c.in)
		says(t, err, "AccessDeniedException")
		if len(a.requests) != 1 || a.requests[0].Action != "dynamodb:"+c.actions[0] || a.requests[0].Resource != arn {
			t.Errorf("%s asked %+v", c.operation, a.requests)
			continue
		}
		if diff := cmp.Diff(c.leading, a.requests[0].Context["dynamodb:LeadingKeys"]); diff != "" {
			t.Errorf("%s\n%s", c.operation, diff)
		}
	}
}

func TestReservedWords(t *testing.T) {
	for _, word := range []string{"data", "Status", "TTL", "zone", "abort", "name", "state", "owner", "token"} {
		if !isReserved(word) {
			t.Error(word)
		}
	}
	for _, word := range []string{"version", "pk", "sk", "lease", "dat", "", "generation"} {
		if isReserved(word) {
			t.Error(word)
		}
	}
	if n := len(strings.Fields(reservedWords)); n != 573 {
		t.Errorf("%d words", n)
	}
}
