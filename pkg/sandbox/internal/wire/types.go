package wire

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// kind says how a Go type is encoded.
type kind int

const (
	scalar kind = iota // string, bool, integers, floats
	instant
	blob    // []byte
	rawXML  // cloud.RawXML
	custom  // has its own JSON methods
	dynamic // any
	pointer
	list
	dictionary
	structure
)

type typeInfo struct {
	kind  kind
	shape *shape // of a structure
}

// shape is a struct type, with its members sorted by where they are encoded.
type shape struct {
	root    string // XML root name, from an XMLName member
	uri     []*member
	params  []*member
	headers []*member
	payload *member
	status  *member
	body    []*member
	json    map[string]*member
	xml     *branch
}

type member struct {
	field     reflect.StructField
	index     []int
	name      string // in the URI, query string or header
	json      string
	jsonOmit  bool
	path      []string // XML: parents, then the name
	xmlOmit   bool
	attribute bool
	text      bool
	tagged    bool     // the XML name comes from a tag
	query     []string // Query protocols: name, then "member" or the like
}

// branch is one level of element names below a struct.
type branch struct {
	member   *member
	children map[string]*branch
}

func (t *types) of(rt reflect.Type) (*typeInfo, error) {
	if known, ok := t.known.Load(rt); ok {
		return known.(*typeInfo), nil
	}
	info, err := t.inspect(rt)
	if err != nil {
		return nil, err
	}
	known, _ := t.known.LoadOrStore(rt, info)
	return known.(*typeInfo), nil
}

func (t *types) inspect(rt reflect.Type) (*typeInfo, error) {
	switch {
	case rt == reflect.TypeFor[time.Time]():
		return &typeInfo{kind: instant}, nil
	case rt == reflect.TypeFor[cloud.RawXML]():
		return &typeInfo{kind: rawXML}, nil
	case rt.Kind() == reflect.Pointer:
		return &typeInfo{kind: pointer}, nil
	case reflect.PointerTo(rt).Implements(reflect.TypeFor[json.Unmarshaler]()), rt.Implements(reflect.TypeFor[json.Marshaler]()):
		return &typeInfo{kind: custom}, nil
	}
	switch rt.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &typeInfo{kind: scalar}, nil
	case reflect.Interface:
		return &typeInfo{kind: dynamic}, nil
	case reflect.Slice:
		if rt.Elem().Kind() == reflect.Uint8 {
			return &typeInfo{kind: blob}, nil
		}
		return &typeInfo{kind: list}, nil
	case reflect.Map:
		if rt.Key().Kind() == reflect.String {
			return &typeInfo{kind: dictionary}, nil
		}
	case reflect.Struct:
		sh := &shape{json: map[string]*member{}, xml: &branch{}}
		if err := sh.add(rt, nil); err != nil {
			return nil, err
		}
		return &typeInfo{kind: structure, shape: sh}, nil
	}
	return nil, fmt.Errorf("a %s cannot be encoded", rt)
}

func (sh *shape) add(rt reflect.Type, parent []int) error {
	for f := range rt.Fields() {
		index := append(slices.Clone(parent), f.Index...)
		if f.Type == reflect.TypeFor[xml.Name]() {
			sh.root, _, _ = strings.Cut(f.Tag.Get("xml"), ",")
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			if err := sh.add(f.Type, index); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if err := sh.place(newMember(f, index)); err != nil {
			return fmt.Errorf("%s.%s: %w", rt, f.Name, err)
		}
	}
	return nil
}

func (sh *shape) place(m *member) error {
	switch loc := m.field.Tag.Get("loc"); loc {
	case "uri":
		sh.uri = append(sh.uri, m)
	case "query":
		sh.params = append(sh.params, m)
	case "header":
		sh.headers = append(sh.headers, m)
	case "payload":
		sh.payload = m
	case "status":
		sh.status = m
	case "":
		sh.body = append(sh.body, m)
		if m.json != "" {
			sh.json[m.json] = m
		}
		if len(m.path) > 0 && !m.attribute && !m.text {
			return sh.xml.add(m, m.path)
		}
	default:
		return fmt.Errorf("unknown loc %q", loc)
	}
	return nil
}

func (b *branch) add(m *member, path []string) error {
	if b.member != nil {
		return fmt.Errorf("element %s is a member and a parent", strings.Join(m.path, ">"))
	}
	if len(path) == 0 {
		if len(b.children) > 0 {
			return fmt.Errorf("element %s is bound twice", strings.Join(m.path, ">"))
		}
		b.member = m
		return nil
	}
	if b.children == nil {
		b.children = map[string]*branch{}
	}
	next := b.children[path[0]]
	if next == nil {
		next = &branch{}
		b.children[path[0]] = next
	}
	return next.add(m, path[1:])
}

func newMember(f reflect.StructField, index []int) *member {
	m := &member{field: f, index: index, name: f.Tag.Get("name")}
	if m.name == "" {
		m.name = f.Name
	}

	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	m.jsonOmit = strings.Contains(options, "omit")
	switch {
	case name == "-" && options == "":
	case name == "":
		m.json = f.Name
	default:
		m.json = name
	}

	name, options, _ = strings.Cut(f.Tag.Get("xml"), ",")
	m.xmlOmit = strings.Contains(options, "omitempty")
	m.attribute = strings.Contains(options, "attr")
	m.text = strings.Contains(options, "chardata")
	m.tagged = name != ""
	switch name {
	case "-":
	case "":
		m.path = []string{f.Name}
	default:
		m.path = strings.Split(name, ">")
	}

	name = f.Tag.Get("query")
	switch name {
	case "-":
	case "":
		m.query = []string{f.Name}
	default:
		m.query = strings.Split(name, ".")
	}
	return m
}

// inputShape inspects an operation's input and everything below it.
func (t *types) inputShape(op *cloud.Operation) (*shape, error) {
	rt := reflect.TypeOf(op.NewInput()).Elem()
	info, err := t.deep(rt, map[reflect.Type]bool{})
	if err != nil {
		return nil, err
	}
	if info.kind != structure {
		return nil, fmt.Errorf("the input is a %s, not a struct", rt)
	}
	return info.shape, nil
}

func (t *types) deep(rt reflect.Type, seen map[reflect.Type]bool) (*typeInfo, error) {
	info, err := t.of(rt)
	if err != nil || seen[rt] {
		return info, err
	}
	seen[rt] = true
	switch info.kind {
	case pointer, list, dictionary:
		_, err = t.deep(rt.Elem(), seen)
	case structure:
		sh := info.shape
		for _, m := range slices.Concat(sh.uri, sh.params, sh.headers, sh.body) {
			if _, err = t.deep(m.field.Type, seen); err != nil {
				return nil, fmt.Errorf("%s: %w", m.field.Name, err)
			}
		}
		if sh.payload != nil {
			_, err = t.deep(sh.payload.field.Type, seen)
		}
	}
	return info, err
}
