package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"sort"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// node is a value of a YAML or JSON file, with its place.
type node struct {
	line, column int
	tag          string // such as !Sub
	value        string // of a scalar
	scalar       bool
	block        byte // '|' or '>' for a block scalar, '"' or '\'' for a quoted one
	keys         []*node
	items        []*node // of a sequence, or the values of keys
}

func (n *node) isMap() bool  { return n != nil && n.keys != nil }
func (n *node) isList() bool { return n != nil && !n.scalar && n.keys == nil }

// get returns the value of a key, through several maps.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		var found *node
		for i, k := range n.keys {
			if k.value == key {
				found = n.items[i]
			}
		}
		n = found
	}
	return n
}

// str returns the text of a scalar.
func (n *node) str() string {
	if n == nil || !n.scalar {
		return ""
	}
	return n.value
}

// list returns the items of a sequence; a scalar counts as a sequence of itself.
func (n *node) list() []*node {
	switch {
	case n == nil || n.keys != nil:
		return nil
	case n.scalar:
		return []*node{n}
	}
	return n.items
}

// walk calls visit for each node, until it returns false for its children.
func (n *node) walk(visit func(n *node) bool) {
	if n == nil || !visit(n) {
		return
	}
	for _, i := range n.items {
		i.walk(visit)
	}
}

// mostNodes bounds what anchors and aliases can multiply.
const mostNodes = 200_000

var errTooLarge = errors.New("it has too many values, or aliases that refer to each other")

// parseYAML returns the documents of a file.
func parseYAML(raw []byte) ([]*node, error) {
	if depth(raw) > deepest || indent(raw) > 2*deepest {
		return nil, errors.New("it is nested too deeply")
	}
	file, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	b := &builder{anchors: map[string]ast.Node{}}
	var docs []*node
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		n := b.node(d.Body, 0)
		if b.nodes > mostNodes {
			return nil, errTooLarge
		}
		docs = append(docs, n)
	}
	return docs, nil
}

func firstLine(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	return l
}

func indent(raw []byte) int {
	most := 0
	for line := range bytes.Lines(raw) {
		n := len(line) - len(bytes.TrimLeft(line, " -"))
		most = max(most, n)
	}
	return most
}

type builder struct {
	anchors map[string]ast.Node
	open    []string // aliases that are being expanded
	nodes   int
}

func (b *builder) node(n ast.Node, deep int) *node {
	if b.nodes++; n == nil || b.nodes > mostNodes || deep > 4*deepest {
		return &node{scalar: true}
	}
	at := n.GetToken()
	out := &node{line: 1, column: 1}
	if at != nil && at.Position != nil {
		out.line, out.column = at.Position.Line, at.Position.Column
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.keys = []*node{}
		for _, kv := range n.Values {
			b.pair(out, kv, deep)
		}
	case *ast.MappingValueNode:
		out.keys = []*node{}
		b.pair(out, n, deep)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			out.items = append(out.items, b.node(v, deep+1))
		}
	case *ast.AnchorNode:
		if n.Name != nil {
			b.anchors[n.Name.GetToken().Value] = n.Value
		}
		return b.node(n.Value, deep+1)
	case *ast.AliasNode:
		return b.alias(n, out, deep)
	case *ast.TagNode:
		inner := b.node(n.Value, deep+1)
		inner.tag = n.Start.Value
		return inner
	case *ast.LiteralNode:
		out.scalar, out.block = true, '|'
		if strings.HasPrefix(n.Start.Value, ">") {
			out.block = '>'
		}
		out.value = n.Value.Value
	case *ast.StringNode:
		out.scalar, out.value = true, n.Value
		switch n.Token.Type {
		case token.DoubleQuoteType:
			out.block = '"'
		case token.SingleQuoteType:
			out.block = '\''
		}
	default:
		out.scalar = true
		if at != nil {
			out.value = at.Value
		}
	}
	return out
}

func (b *builder) alias(n *ast.AliasNode, out *node, deep int) *node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	target, ok := b.anchors[name]
	for _, o := range b.open {
		ok = ok && o != name
	}
	if !ok {
		out.scalar = true
		return out
	}
	b.open = append(b.open, name)
	defer func() { b.open = b.open[:len(b.open)-1] }()
	return b.node(target, deep+1)
}

func (b *builder) pair(out *node, kv *ast.MappingValueNode, deep int) {
	value := b.node(kv.Value, deep+1)
	if _, merge := kv.Key.(*ast.MergeKeyNode); merge {
		for _, m := range append([]*node{value}, value.items...) {
			out.keys = append(m.keys[:len(m.keys):len(m.keys)], out.keys...)
			if m.isMap() {
				out.items = append(m.items[:len(m.items):len(m.items)], out.items...)
			}
		}
		return
	}
	key := b.node(kv.Key, deep+1)
	if s, ok := kv.Key.(*ast.StringNode); ok {
		key.value = s.Value
	}
	out.keys = append(out.keys, key)
	out.items = append(out.items, value)
}

// parseJSON returns the value of a file.
func parseJSON(raw []byte) (*node, error) {
	if depth(raw) > deepest {
		return nil, errors.New("it is nested too deeply")
	}
	j := &jsonReader{d: json.NewDecoder(bytes.NewReader(raw)), raw: raw}
	for i, c := range raw {
		if c == '\n' {
			j.starts = append(j.starts, i+1)
		}
	}
	n, err := j.value()
	if err != nil {
		return nil, err
	}
	return n, nil
}

type jsonReader struct {
	d      *json.Decoder
	raw    []byte
	starts []int // offsets of the lines after the first
}

// place returns line and column of the next token.
func (j *jsonReader) place() (int, int) {
	offset := int(j.d.InputOffset())
	for offset < len(j.raw) && strings.IndexByte(" \t\r\n,:", j.raw[offset]) >= 0 {
		offset++
	}
	line := sort.SearchInts(j.starts, offset+1)
	if line == 0 {
		return 1, offset + 1
	}
	return line + 1, offset - j.starts[line-1] + 1
}

func (j *jsonReader) value() (*node, error) {
	line, column := j.place()
	t, err := j.d.Token()
	if err != nil {
		return nil, err
	}
	n := &node{line: line, column: column}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			n.keys = []*node{}
		}
		return n, j.content(n)
	case string:
		n.scalar, n.value, n.block = true, t, '"'
	default:
		n.scalar = true
		raw, err := json.Marshal(t)
		if err != nil {
			return nil, err
		}
		n.value = string(raw)
	}
	return n, nil
}

func (j *jsonReader) content(n *node) error {
	for j.d.More() {
		if n.keys != nil {
			key, err := j.value()
			if err != nil {
				return err
			}
			n.keys = append(n.keys, key)
		}
		item, err := j.value()
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, err := j.d.Token()
	return err
}
