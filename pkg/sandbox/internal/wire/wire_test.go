package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

type thing struct {
	Name    string            `json:"name" xml:"Name" query:"Name"`
	Count   *int64            `json:"count" xml:"Count" query:"Count"`
	On      *bool             `json:"on,omitempty" xml:"On,omitempty" query:"On"`
	At      time.Time         `json:"at" xml:"At" query:"At"`
	Blob    []byte            `json:"blob,omitempty" xml:"Blob,omitempty" query:"Blob"`
	List    []string          `json:"list" xml:"List>Item" query:"List.member"`
	Things  []thing           `json:"things" xml:"Things>Thing" query:"Things.member"`
	Map     map[string]string `json:"map,omitempty" xml:"-" query:"Map.entry"`
	Score   float64           `json:"score" xml:"Score" query:"Score"`
	Mark    string            `json:"-" xml:"mark,attr,omitempty" query:"-"`
	Neglect string            `json:"-" xml:"-" query:"-"`
}

type payloadInput struct {
	ID    string   `loc:"uri" name:"Id"`
	Match string   `loc:"header" name:"If-Match"`
	Max   *int     `loc:"query" name:"MaxItems"`
	Keys  []string `loc:"query" name:"Key"`
	Thing *thing   `loc:"payload" xml:"ThingConfig"`
}

type payloadOutput struct {
	ETag  string `loc:"header" name:"ETag"`
	Code  int    `loc:"status"`
	Thing *thing `loc:"payload" xml:"ThingConfig"`
}

type rawInput struct {
	ID   string       `loc:"uri" name:"Id"`
	Body cloud.RawXML `loc:"payload"`
}

type resourceInput struct {
	Resource string `loc:"query" name:"Resource"`
}

type greedyInput struct {
	Key string `loc:"uri" name:"Key"`
}

type nothing struct{}

func echo[I, O any](name, method, path string) cloud.Operation {
	return cloud.Op(cloud.Operation{Name: name, Method: method, Path: path}, func(*cloud.Call, *I) (*O, error) { return new(O), nil })
}

func service(p cloud.Protocol, ops ...cloud.Operation) *cloud.Service {
	return &cloud.Service{
		Name: "things", Protocol: p, TargetPrefix: "Things_1", Version: "2020-01-01", Namespace: "http://things/doc/", Operations: ops,
	}
}

func codec(t testing.TB, s *cloud.Service) *Codec {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func restService(p cloud.Protocol) *cloud.Service {
	return service(p,
		echo[nothing, thing]("ListThings", "GET", "/1/thing"),
		echo[payloadInput, payloadOutput]("UpdateThing", "PUT", "/1/thing/{Id}/config"),
		echo[thing, thing]("CreateThing", "POST", "/1/thing"),
		echo[rawInput, nothing]("PutRaw", "PUT", "/1/raw/{Id}"),
		echo[resourceInput, nothing]("Tag", "POST", "/1/tagging?Operation=Tag"),
		echo[resourceInput, nothing]("Untag", "POST", "/1/tagging?Operation=Untag"),
		echo[greedyInput, nothing]("GetKey", "GET", "/1/key/{Key+}"),
	)
}

func request(method, target, body string, headers ...string) (*http.Request, []byte) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r, []byte(body)
}

func ptr[T any](v T) *T { return &v }

func TestDecodeFindsOperationAndInput(t *testing.T) {
	someTime := time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		protocol     cloud.Protocol
		method, path string
		body         string
		header       []string
		operation    string
		input        any
	}{
		"REST-XML binds path, query, header and payload": {
			cloud.RESTXML, "PUT", "/1/thing/a%2Fb/config?MaxItems=5&Key=x&Key=y",
			`<?xml version="1.0"?><ThingConfig xmlns="http://things/doc/" mark="m"><Things><Thing><Name>in</Name></Thing></Things><Name> a &lt; b </Name><List><Item>1</Item><Item>2</Item></List><Count> 7 </Count><At>2035-01-08T09:00:00Z</At></ThingConfig>`,
			[]string{"If-Match", "E1"},
			"UpdateThing",
			&payloadInput{ID: "a/b", Match: "E1", Max: ptr(5), Keys: []string{"x", "y"}, Thing: &thing{
				Name: " a < b ", Count: ptr[int64](7), At: someTime, List: []string{"1", "2"}, Things: []thing{{Name: "in"}}, Mark: "m",
			}},
		},
		"REST-XML binds the root's children without payload": {
			cloud.RESTXML, "POST", "/1/thing/", `<CreateThingRequest><Name>n</Name><On>true</On></CreateThingRequest>`, nil, "CreateThing", &thing{Name: "n", On: ptr(true)},
		},
		"a raw payload stays as it came": {
			cloud.RESTXML, "PUT", "/1/raw/r", `<A b="c"> <D/></A>`, nil, "PutRaw", &rawInput{ID: "r", Body: cloud.RawXML(`<A b="c"> <D/></A>`)},
		},
		"a fixed query parameter tells operations apart": {
			cloud.RESTXML, "POST", "/1/tagging?Operation=Untag&Resource=arn%3Aaws", "", nil, "Untag", &resourceInput{Resource: "arn:aws"},
		},
		"a greedy label takes the rest of the path": {
			cloud.RESTXML, "GET", "/1/key/a/b%20c/d", "", nil, "GetKey", &greedyInput{Key: "a/b c/d"},
		},
		"REST-JSON binds the body": {
			cloud.RESTJSON, "POST", "/1/thing", `{"name":"n","at":2051859600.5,"list":null,"map":{"k":"v"},"things":[{"count":3}]}`, nil, "CreateThing",
			&thing{Name: "n", At: someTime.Add(500 * time.Millisecond), Map: map[string]string{"k": "v"}, Things: []thing{{Count: ptr[int64](3)}}},
		},
		"JSON binds by target": {
			cloud.JSON10, "POST", "/", `{"blob":"aGk=","score":1.5}`,
			[]string{"X-Amz-Target", "Things_1.CreateThing"},
			"CreateThing",
			&thing{Blob: []byte("hi"), Score: 1.5},
		},
		"JSON takes an empty body for an empty input": {
			cloud.JSON11, "POST", "/", "", []string{"X-Amz-Target", "Things_1.ListThings"}, "ListThings", &nothing{},
		},
		"Query binds lists, maps and structures": {
			cloud.Query, "POST", "/", "Action=CreateThing&Version=2020-01-01&Name=n&List.member.1=a&List.member.2=b&Things.member.1.Name=in&Things.member.1.Count=4" +
				"&Map.entry.1.key=k&Map.entry.1.value=v&On=false&At=2035-01-08T09%3A00%3A00Z", nil, "CreateThing",
			&thing{Name: "n", List: []string{"a", "b"}, Things: []thing{{Name: "in", Count: ptr[int64](4)}}, Map: map[string]string{"k": "v"}, On: ptr(false), At: someTime},
		},
		"Query takes a bare name for an empty list": {
			cloud.Query, "POST", "/", "Action=CreateThing&Version=2020-01-01&List=", nil, "CreateThing", &thing{},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, body := request(tc.method, tc.path, tc.body, tc.header...)
			op, in, err := codec(t, restService(tc.protocol)).Decode(r, body)
			if err != nil {
				t.Fatal(err)
			}
			if op.Name != tc.operation {
				t.Errorf("operation %s, want %s", op.Name, tc.operation)
			}
			if diff := cmp.Diff(tc.input, in); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefusesByName(t *testing.T) {
	target := []string{"X-Amz-Target", "Things_1.CreateThing"}
	cases := map[string]struct {
		protocol     cloud.Protocol
		method, path string
		body         string
		header       []string
		status       int
		says         string
	}{
		"unknown path":                {cloud.RESTXML, "GET", "/1/other", "", nil, 501, "GET /1/other"},
		"unknown method":              {cloud.RESTXML, "DELETE", "/1/thing", "", nil, 501, "DELETE /1/thing"},
		"unknown target":              {cloud.JSON10, "POST", "/", "{}", []string{"X-Amz-Target", "Things_1.Fly"}, 501, "things Fly"},
		"unknown target in full":      {cloud.JSON10, "POST", "/", "{}", []string{"X-Amz-Target", "com.amazonaws.v1.Things_1.Fly"}, 501, "things Fly"},
		"target of a longer name":     {cloud.JSON10, "POST", "/", "{}", []string{"X-Amz-Target", "OtherThings_1.Fly"}, 400, `"OtherThings_1.Fly"`},
		"no target":                   {cloud.JSON10, "POST", "/", "{}", nil, 400, `""`},
		"foreign target":              {cloud.JSON10, "POST", "/", "{}", []string{"X-Amz-Target", "Other.Fly"}, 400, `"Other.Fly"`},
		"unknown action":              {cloud.Query, "POST", "/", "Action=Fly&Version=2020-01-01", nil, 501, "things Fly"},
		"other version":               {cloud.Query, "POST", "/", "Action=CreateThing&Version=1999-01-01", nil, 400, `"1999-01-01"`},
		"no action":                   {cloud.Query, "POST", "/", "Version=2020-01-01", nil, 400, "Action"},
		"unknown query parameter":     {cloud.RESTXML, "GET", "/1/thing?Colour=red", "", nil, 400, "query parameter Colour"},
		"unknown parameter":           {cloud.Query, "POST", "/", "Action=CreateThing&Version=2020-01-01&Things.member.1.Colour=red", nil, 400, "Things.member.1.Colour"},
		"gap in a list":               {cloud.Query, "POST", "/", "Action=CreateThing&Version=2020-01-01&List.member.1=a&List.member.3=c", nil, 400, "List.member.3"},
		"unknown element":             {cloud.RESTXML, "POST", "/1/thing", "<R><Things><Thing><Colour/></Thing></Things></R>", nil, 400, "Things.Thing[0].Colour"},
		"unknown attribute":           {cloud.RESTXML, "POST", "/1/thing", `<R colour="red"/>`, nil, 400, "attribute colour"},
		"element twice":               {cloud.RESTXML, "POST", "/1/thing", "<R><Name>a</Name><Name>b</Name></R>", nil, 400, "Name occurs twice"},
		"element in text":             {cloud.RESTXML, "POST", "/1/thing", "<R><Name><B>a</B></Name></R>", nil, 400, "Name.B"},
		"wrong payload":               {cloud.RESTXML, "PUT", "/1/thing/x/config", "<Other/>", nil, 400, "must be ThingConfig, not Other"},
		"broken XML":                  {cloud.RESTXML, "POST", "/1/thing", "<R><Name></R>", nil, 400, "not XML"},
		"two roots":                   {cloud.RESTXML, "POST", "/1/thing", "<R/><R/>", nil, 400, "two root elements"},
		"unknown member":              {cloud.JSON10, "POST", "/", `{"things":[{},{"colour":1}]}`, target, 400, "things[1].colour"},
		"member in the wrong case":    {cloud.JSON10, "POST", "/", `{"Name":"n"}`, target, 400, "member Name"},
		"broken JSON":                 {cloud.JSON10, "POST", "/", `{"name":`, target, 400, "not JSON"},
		"wrong JSON type":             {cloud.JSON10, "POST", "/", `{"count":"7"}`, target, 400, `count must be of type int64, not "7"`},
		"wrong time":                  {cloud.JSON10, "POST", "/", `{"at":true}`, target, 400, "at must be a time"},
		"body where there is none":    {cloud.RESTXML, "GET", "/1/key/k", "<R><Name>a</Name></R>", nil, 400, "member Name"},
		"wrong number in the query":   {cloud.RESTXML, "PUT", "/1/thing/x/config?MaxItems=many", "", nil, 400, `"many" is not a whole number`},
		"query parameter given twice": {cloud.RESTXML, "PUT", "/1/thing/x/config?MaxItems=1&MaxItems=2", "", nil, 400, "2 times"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, body := request(tc.method, tc.path, tc.body, tc.header...)
			op, in, err := codec(t, restService(tc.protocol)).Decode(r, body)
			if err == nil {
				t.Fatalf("decoded %s %+v", op.Name, in)
			}
			if err.Status != tc.status || !strings.Contains(err.Message, tc.says) {
				t.Errorf("got %d %s: %s; want %d and %q", err.Status, err.Code, err.Message, tc.status, tc.says)
			}
		})
	}
}

func TestEncodeAnswers(t *testing.T) {
	at := time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC)
	out := &thing{Name: "a<b", Count: ptr[int64](7), At: at, List: []string{"x", "y"}}
	cases := map[string]struct {
		protocol cloud.Protocol
		op       int
		out      any
		status   int
		etag     string
		body     string
	}{
		"REST-XML payload": {
			cloud.RESTXML, 1, &payloadOutput{ETag: "E1", Code: 202, Thing: &thing{Name: "n", Mark: "m"}}, 202, "E1",
			xmlHeader + `<ThingConfig xmlns="http://things/doc/" mark="m"><Name>n</Name><List></List><Things></Things><Score>0</Score></ThingConfig>`,
		},
		"REST-XML body": {
			cloud.RESTXML, 0, out, 200, "",
			xmlHeader + `<ListThingsResponse xmlns="http://things/doc/"><Name>a&lt;b</Name><Count>7</Count><At>2035-01-08T09:00:00Z</At><List><Item>x</Item><Item>y</Item></List><Things></Things><Score>0</Score></ListThingsResponse>`,
		},
		"REST-XML nothing": {cloud.RESTXML, 4, &nothing{}, 200, "", ""},
		"REST-JSON":        {cloud.RESTJSON, 0, out, 200, "", `{"name":"a<b","count":7,"at":2051859600,"list":["x","y"],"things":[],"score":0}`},
		"JSON":             {cloud.JSON11, 0, &nothing{}, 200, "", `{}`},
		"Query": {
			cloud.Query, 0, &thing{Name: "n"}, 200, "",
			xmlHeader + `<ListThingsResponse xmlns="http://things/doc/"><ListThingsResult><Name>n</Name><List></List><Things></Things><Score>0</Score></ListThingsResult><ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></ListThingsResponse>`,
		},
		"EC2 Query": {
			cloud.EC2Query, 0, &thing{Name: "n"}, 200, "",
			xmlHeader + `<ListThingsResponse xmlns="http://things/doc/"><requestId>req-1</requestId><Name>n</Name><List></List><Things></Things><Score>0</Score></ListThingsResponse>`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := codec(t, restService(tc.protocol))
			w := httptest.NewRecorder()
			if err := c.Encode(w, &c.service.Operations[tc.op], "req-1", tc.out); err != nil {
				t.Fatal(err)
			}
			if w.Code != tc.status || w.Header().Get("ETag") != tc.etag || w.Header().Get("x-amzn-RequestId") != "req-1" {
				t.Errorf("status %d, headers %v", w.Code, w.Header())
			}
			if diff := cmp.Diff(tc.body, w.Body.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEncodeErrors(t *testing.T) {
	cases := map[string]struct {
		service *cloud.Service
		body    string
		header  string
		value   string
	}{
		"REST-XML":   {restService(cloud.RESTXML), xmlHeader + `<ErrorResponse xmlns="http://things/doc/"><Error><Type>Sender</Type><Code>NoSuchThing</Code><Message>no &#34;x&#34;</Message></Error><RequestId>r</RequestId></ErrorResponse>`, "Content-Type", "text/xml"},
		"Query":      {restService(cloud.Query), xmlHeader + `<ErrorResponse xmlns="http://things/doc/"><Error><Type>Sender</Type><Code>NoSuchThing</Code><Message>no &#34;x&#34;</Message></Error><RequestId>r</RequestId></ErrorResponse>`, "Content-Type", "text/xml"},
		"EC2":        {restService(cloud.EC2Query), xmlHeader + `<Response><Errors><Error><Code>NoSuchThing</Code><Message>no &#34;x&#34;</Message></Error></Errors><RequestID>r</RequestID></Response>`, "Content-Type", "text/xml;charset=UTF-8"},
		"JSON":       {restService(cloud.JSON10), `{"__type":"NoSuchThing","message":"no \"x\""}`, "Content-Type", "application/x-amz-json-1.0"},
		"REST":       {restService(cloud.RESTJSON), `{"__type":"NoSuchThing","message":"no \"x\""}`, "X-Amzn-ErrorType", "NoSuchThing"},
		"DynamoDB":   {&cloud.Service{Name: "dynamodb", Protocol: cloud.JSON10}, `{"__type":"NoSuchThing","message":"no \"x\""}`, "X-Amz-Crc32", "2235800969"},
		"CloudWatch": {&cloud.Service{Name: "monitoring", Protocol: cloud.RPCCBOR}, "\xa2f__typekNoSuchThinggmessagefno \"x\"", "X-Amzn-Query-Error", "NoSuchThing;Sender"},
		"SQS":        {&cloud.Service{Name: "sqs", Protocol: cloud.JSON10}, `{"__type":"NoSuchThing","message":"no \"x\""}`, "X-Amzn-Query-Error", "NoSuchThing;Sender"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			EncodeError(w, tc.service, "r", cloud.Errorf(404, "NoSuchThing", `no "x"`))
			if w.Code != 404 || w.Header().Get(tc.header) != tc.value {
				t.Errorf("status %d, headers %v", w.Code, w.Header())
			}
			if diff := cmp.Diff(tc.body, w.Body.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewRefusesWhatCannotBeBound(t *testing.T) {
	type channel struct{ C chan int }
	type label struct {
		ID string `loc:"uri" name:"Id"`
	}
	type loc struct {
		ID string `loc:"body"`
	}
	type clash struct {
		A string `xml:"X"`
		B string `xml:"X>Y"`
	}
	cases := map[string]struct {
		op   cloud.Operation
		says string
	}{
		"type":            {echo[channel, nothing]("Op", "GET", "/"), "chan int"},
		"missing label":   {echo[nothing, nothing]("Op", "GET", "/{Id}"), "{Id}"},
		"missing segment": {echo[label, nothing]("Op", "GET", "/"), "0 labels for 1 members"},
		"unknown loc":     {echo[loc, nothing]("Op", "GET", "/"), `"body"`},
		"clash":           {echo[clash, nothing]("Op", "GET", "/"), "X>Y"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := New(service(cloud.RESTXML, tc.op))
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %q", err, tc.says)
			}
		})
	}
}

// What is written can be read again, in both body formats.
func TestBodiesRoundTrip(t *testing.T) {
	ts := &types{}
	text := rapid.StringMatching(`[ -~äöü€]{0,12}`)
	var gen func(depth int) *rapid.Generator[thing]
	gen = func(depth int) *rapid.Generator[thing] {
		return rapid.Custom(func(t *rapid.T) thing {
			v := thing{
				Name: text.Draw(t, "name"), At: time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(t, "at")).UTC(),
				List: rapid.SliceOfN(text, 0, 3).Draw(t, "list"), Score: float64(rapid.Int32().Draw(t, "score")) / 8,
				Blob: []byte(text.Draw(t, "blob")),
			}
			if rapid.Bool().Draw(t, "counted") {
				v.Count = ptr(rapid.Int64().Draw(t, "count"))
			}
			if depth > 0 {
				v.Things = rapid.SliceOfN(gen(depth-1), 0, 2).Draw(t, "things")
			}
			return v
		})
	}
	same := cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })
	emptyIsNil := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.Slice },
		cmp.FilterValues(func(a, b any) bool {
			return reflect.ValueOf(a).Len() == 0 && reflect.ValueOf(b).Len() == 0
		}, cmp.Ignore()))
	rapid.Check(t, func(t *rapid.T) {
		want := gen(2).Draw(t, "thing")
		b, err := ts.appendJSON(nil, reflect.ValueOf(want))
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON thing
		if err := ts.decodeJSON(b, reflect.ValueOf(&fromJSON).Elem(), ""); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		if diff := cmp.Diff(want, fromJSON, same, emptyIsNil); diff != "" {
			t.Fatalf("JSON: %s", diff)
		}
		if b, err = ts.appendXML(nil, "Thing", "", reflect.ValueOf(want)); err != nil {
			t.Fatal(err)
		}
		root, err := parseXML(b)
		if err != nil {
			t.Fatal(err)
		}
		var fromXML thing
		if err := ts.bindXML(root, reflect.ValueOf(&fromXML).Elem(), ""); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		if diff := cmp.Diff(want, fromXML, same, emptyIsNil); diff != "" {
			t.Fatalf("XML: %s", diff)
		}
	})
}

func TestCBORRoundTrip(t *testing.T) {
	s := service(cloud.RPCCBOR, echo[thing, thing]("Echo", "", ""))
	c := codec(t, s)
	in := thing{
		Name: "ä", Count: ptr(int64(-70000)), On: ptr(true), At: time.Date(2035, 1, 8, 9, 0, 0, 0, time.UTC), Score: 1.5,
		List: []string{"a", strings.Repeat("b", 300)}, Things: []thing{{Name: "inner", Count: ptr(int64(12)), List: []string{}, Things: []thing{}}},
	}
	w := httptest.NewRecorder()
	if err := c.Encode(w, c.names["Echo"], "r", &in); err != nil {
		t.Fatal(err)
	}
	if got := w.Header().Get("Smithy-Protocol"); got != "rpc-v2-cbor" {
		t.Errorf("protocol header %q", got)
	}
	r, body := request("POST", "/service/Things_1/operation/Echo", w.Body.String())
	_, out, failure := c.Decode(r, body)
	if failure != nil {
		t.Fatal(failure)
	}
	if diff := cmp.Diff(&in, out); diff != "" {
		t.Error(diff)
	}
}

// TestCBORForms reads what other clients than AWS's SDK for Go may write.
func TestCBORForms(t *testing.T) {
	c := codec(t, service(cloud.RPCCBOR, echo[thing, thing]("Echo", "", "")))
	at := time.Date(2035, 1, 8, 9, 0, 0, 123_000_000, time.UTC)
	float := string(binary.BigEndian.AppendUint64(nil, math.Float64bits(float64(at.UnixMilli())/1000)))
	for name, form := range map[string]struct {
		body string
		want thing
	}{
		"nothing":                    {"", thing{}},
		"null and undefined":         {"\xa2\x65count\xf6\x62on\xf7", thing{}},
		"indefinite lengths":         {"\xbf\x64name\x7f\x61a\x61b\xff\x64list\x9f\x61c\xff\xff", thing{Name: "ab", List: []string{"c"}}},
		"bytes":                      {"\xa1\x64blob\x43abc", thing{Blob: []byte("abc")}},
		"a time in a float":          {"\xa1\x62at\xc1\xfb" + float, thing{At: at}},
		"a time in an integer":       {"\xa1\x62at\xc1\x1a\x7a\x43\x3b\x10", thing{At: time.Unix(0x7a433b10, 0).UTC()}},
		"a time without its tag":     {"\xa1\x62at\xfb" + float, thing{At: at}},
		"a number in half the width": {"\xa1\x65score\xf9\x3e\x00", thing{Score: 1.5}},
		"a tag that nobody knows":    {"\xa1\x65score\xd9\xd9\xf7\x02", thing{Score: 2}},
	} {
		r, body := request("POST", "/service/Things_1/operation/Echo", form.body)
		_, out, failure := c.Decode(r, body)
		if failure != nil {
			t.Errorf("%s: %v", name, failure)
			continue
		}
		if diff := cmp.Diff(&form.want, out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCBORIsReadStrictly(t *testing.T) {
	c := codec(t, service(cloud.RPCCBOR, echo[thing, thing]("Echo", "", "")))
	for name, b := range map[string][2]string{
		"unknown member":    {"\xbf\x67neither\x01\xff", "does not know member neither"},
		"unknown inside":    {"\xa1\x66things\x81\xa1\x67neither\x01", "does not know member things[0].neither"},
		"cut off":           {"\xa1\x64na", "unexpected EOF"},
		"something follows": {"\xa0\xa0", "1 bytes of extraneous data"},
		"too deep":          {strings.Repeat("\x81", 100), "nested level 64"},
		"no such length":    {"\x5c", "invalid additional information 28"},
		"said twice":        {"\xa2\x64name\x61a\x64name\x61b", "duplicate map key \"name\""},
		"no text as key":    {"\xa1\x01\x01", "cannot unmarshal"},
		"wrong type":        {"\xa1\x64name\x01", "name must be of type string, not 1"},
		"no number":         {"\xa1\x65score\xf9\x7e\x00", "NaN"},
		"unknown simple":    {"\xa1\x65score\xe5", "simple value 5"},
	} {
		r, body := request("POST", "/service/Things_1/operation/Echo", b[0])
		if _, _, err := c.Decode(r, body); err == nil || !strings.Contains(err.Message, b[1]) {
			t.Errorf("%s: %v, want %q", name, err, b[1])
		}
	}
}

func TestStringsAreJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\x7f]{0,20}`)).Draw(t, "s")
		if rapid.Bool().Draw(t, "broken") {
			s += "\xff\"" + s
		}
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got, same string
		if err := errors.Join(json.Unmarshal(AppendString(nil, s), &got), json.Unmarshal(want, &same)); err != nil || got != same {
			t.Fatalf("%q became %s, %v", s, AppendString(nil, s), err)
		}
	})
}
