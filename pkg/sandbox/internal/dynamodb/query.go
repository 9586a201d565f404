package dynamodb

import (
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// maxPage is the maximum number of bytes that one Query or Scan reads.
const maxPage = 1 << 20

// Read has the members that Query and Scan share.
type Read struct {
	Returned
	TableName                 string
	ConsistentRead            bool
	ExclusiveStartKey         Item
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues Item
	FilterExpression          string
	Limit                     *int
	ProjectionExpression      string
	Select                    string
}

// ReadOutput is the output of Query and Scan. Items is nil with Select COUNT.
type ReadOutput struct {
	Items            *[]Item
	Count            int
	ScannedCount     int
	LastEvaluatedKey Item `json:",omitempty"`
}

// QueryInput is the input of Query.
type QueryInput struct {
	Read
	KeyConditionExpression string
	ScanIndexForward       *bool
}

// query implements Query.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
func (s *Service) query(c *cloud.Call, in *QueryInput) (*ReadOutput, error) {
	t, err := s.table(c, "dynamodb:Query", in.TableName, s.leading(c, in)...)
	if err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == "" {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	r, err := t.reading(&in.Read, in.KeyConditionExpression)
	if err != nil {
		return nil, err
	}
	items := t.sorted(r.keys)
	r.backward = in.ScanIndexForward != nil && !*in.ScanIndexForward
	if r.backward {
		slices.Reverse(items)
	}
	return r.page(c, items)
}

// leading returns the partition key of a query for the policy's condition key, before the request is checked.
func (s *Service) leading(c *cloud.Call, in *QueryInput) []Item {
	t := s.tables[tableARN(c.Account(), c.Region, in.TableName)]
	if t == nil {
		t = s.tables[in.TableName]
	}
	if t == nil {
		return nil
	}
	x, err := newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues, true)
	if err != nil {
		return nil
	}
	keys, err := x.condition("KeyConditionExpression", in.KeyConditionExpression)
	if err != nil {
		return nil
	}
	if v, ok := partition(keys, t.hash.name); ok {
		return []Item{{t.hash.name: v}}
	}
	return nil
}

// partition returns the value that a key condition requires of the attribute.
func partition(c condition, name string) (Value, bool) {
	switch c := c.(type) {
	case both:
		if v, ok := partition(c.left, name); ok {
			return v, true
		}
		return partition(c.right, name)
	case comparison:
		if c.operator == "=" && c.right.at == nil && c.left.isAttribute(name) {
			return c.right.value, true
		}
	}
	return Value{}, false
}

func (o operand) isAttribute(name string) bool {
	return len(o.at) == 1 && o.at[0].name == name && !o.size
}

// ScanInput is the input of Scan.
type ScanInput struct{ Read }

// scan implements Scan. It returns items in the order of their keys (assumption DDB-02).
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
func (s *Service) scan(c *cloud.Call, in *ScanInput) (*ReadOutput, error) {
	t, err := s.table(c, "dynamodb:Scan", in.TableName)
	if err != nil {
		return nil, err
	}
	r, err := t.reading(&in.Read, "")
	if err != nil {
		return nil, err
	}
	return r.page(c, t.sorted(nil))
}

// reading is a parsed Query or Scan.
type reading struct {
	table      *table
	keys       condition
	filter     condition
	projection projection
	start      Item
	backward   bool
	limit      int
	count      bool // return the number of items only
}

func (t *table) reading(in *Read, keyCondition string) (*reading, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	r := &reading{table: t, start: in.ExclusiveStartKey}
	if in.Limit != nil {
		if r.limit = *in.Limit; r.limit < 1 {
			return nil, invalid("Limit must be at least 1")
		}
	}
	switch in.Select {
	case "":
	case "ALL_ATTRIBUTES":
		if in.ProjectionExpression != "" {
			return nil, invalid("Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES")
		}
	case "COUNT":
		if in.ProjectionExpression != "" {
			return nil, invalid("Cannot specify the ProjectionExpression when choosing to get only the Count")
		}
		r.count = true
	case "SPECIFIC_ATTRIBUTES":
		if in.ProjectionExpression == "" {
			return nil, invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	default:
		return nil, unsupported("Select " + in.Select)
	}
	x, err := newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues,
		keyCondition != "" || in.FilterExpression != "" || in.ProjectionExpression != "")
	if err != nil {
		return nil, err
	}
	if keyCondition != "" {
		if r.keys, err = x.condition("KeyConditionExpression", keyCondition); err != nil {
			return nil, err
		}
		if err := t.checkKeyCondition(r.keys); err != nil {
			return nil, err
		}
	}
	if in.FilterExpression != "" {
		if r.filter, err = x.condition("FilterExpression", in.FilterExpression); err != nil {
			return nil, err
		}
		if name := t.mentionsKey(r.filter); keyCondition != "" && name != "" {
			return nil, invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
	}
	if r.projection, err = x.projection(in.ProjectionExpression); err != nil {
		return nil, err
	}
	if r.start != nil {
		if _, err := t.exactKey(r.start); err != nil {
			return nil, invalid("The provided starting key is invalid")
		}
	}
	return r, x.done()
}

// checkKeyCondition accepts "partition = :v", alone or with one condition on the sort key.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func (t *table) checkKeyCondition(c condition) error {
	terms := []condition{c}
	if b, ok := c.(both); ok {
		terms = []condition{b.left, b.right}
	}
	hash, sort := 0, 0
	for _, term := range terms {
		switch {
		case t.isPartitionTerm(term):
			hash++
		case t.isSortTerm(term):
			sort++
		default:
			return invalid("Query key condition not supported")
		}
	}
	if hash != 1 {
		return invalid("Query condition missed key schema element: %s", t.hash.name)
	}
	if sort > 1 {
		return invalid("Query key condition not supported")
	}
	if v, _ := partition(c, t.hash.name); v.Type != t.hash.kind {
		return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
	}
	return nil
}

func (t *table) isPartitionTerm(c condition) bool {
	term, ok := c.(comparison)
	return ok && term.operator == "=" && term.left.isAttribute(t.hash.name) && term.right.at == nil
}

func (t *table) isSortTerm(c condition) bool {
	switch c := c.(type) {
	case comparison:
		return c.operator != "<>" && c.left.isAttribute(t.sort.name) && c.right.at == nil
	case between:
		return c.of.isAttribute(t.sort.name) && c.low.at == nil && c.high.at == nil
	case function:
		return c.name == "begins_with" && c.arguments[0].isAttribute(t.sort.name) && c.arguments[1].at == nil
	}
	return false
}

// mentionsKey returns a key attribute that a condition uses, or "".
func (t *table) mentionsKey(c condition) string {
	for _, o := range operands(c) {
		for _, k := range t.keys() {
			if len(o.at) > 0 && o.at[0].name == k.name {
				return k.name
			}
		}
	}
	return ""
}

func operands(c condition) []operand {
	switch c := c.(type) {
	case both:
		return append(operands(c.left), operands(c.right)...)
	case either:
		return append(operands(c.left), operands(c.right)...)
	case negation:
		return operands(c.of)
	case comparison:
		return []operand{c.left, c.right}
	case between:
		return []operand{c.of, c.low, c.high}
	case oneOf:
		return append([]operand{c.of}, c.list...)
	case function:
		return c.arguments
	}
	return nil
}

// page reads from the starting key until the limit or until the page is full.
func (r *reading) page(c *cloud.Call, items []Item) (*ReadOutput, error) {
	out, found := &ReadOutput{}, []Item{}
	if !r.count {
		out.Items = &found
	}
	size := 0
	for n, i := range items {
		if r.start != nil {
			after := r.table.less(r.start, i)
			if r.backward {
				after = r.table.less(i, r.start)
			}
			if !after {
				continue
			}
		}
		out.ScannedCount++
		size += i.bytes()
		if r.filter == nil || r.filter.holds(i) {
			out.Count++
			if !r.count {
				found = append(found, r.projection.of(i))
			}
		}
		// AWS returns a key if the limit was reached, even if no item follows.
		if (r.limit > 0 && out.ScannedCount == r.limit) || (size >= maxPage && n < len(items)-1) {
			out.LastEvaluatedKey = r.table.key(i)
			break
		}
	}
	c.Read(out.ScannedCount, size)
	return out, nil
}

// projection has the paths to return. Nil means all.
type projection []path

// projection parses a ProjectionExpression. An empty one means all attributes.
func (x *expressions) projection(text string) (projection, error) {
	if text == "" {
		return nil, nil
	}
	p := x.parser("ProjectionExpression", text)
	paths := projection{p.path()}
	for p.accept(",") {
		paths = append(paths, p.path())
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	for i, a := range paths {
		for _, s := range a {
			if s.name == "" {
				return nil, unsupported("a list index in ProjectionExpression")
			}
		}
		for _, b := range paths[i+1:] {
			if overlap(a, b) {
				return nil, overlapping("ProjectionExpression", a, b)
			}
		}
	}
	return paths, nil
}

func (p projection) of(i Item) Item {
	if p == nil || i == nil {
		return i
	}
	out := Item{}
	for _, at := range p {
		v, ok := i.get(at)
		if !ok {
			continue
		}
		target := out
		for _, s := range at[:len(at)-1] {
			if _, ok := target[s.name]; !ok {
				target[s.name] = Value{Type: "M", m: map[string]Value{}}
			}
			target = target[s.name].m
		}
		target[at[len(at)-1].name] = v
	}
	return out
}
