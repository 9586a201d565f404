package dynamodb

import (
	"maps"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// What one BatchGetItem returns at most. Keys beyond the bytes are in UnprocessedKeys.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const (
	maxBatchKeys  = 100
	maxBatchBytes = 16 << 20
)

// BatchGetItemInput is the input of BatchGetItem.
type BatchGetItemInput struct {
	Returned
	RequestItems map[string]KeysAndAttributes
}

// KeysAndAttributes has the keys of the items to read from one table.
type KeysAndAttributes struct {
	Keys                     []Item
	ConsistentRead           bool
	ProjectionExpression     string            `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
}

// BatchGetItemOutput is the output of BatchGetItem. A key without an item is in neither member.
type BatchGetItemOutput struct {
	Responses       map[string][]Item
	UnprocessedKeys map[string]KeysAndAttributes
}

// batchGetItem implements BatchGetItem.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
func (s *Service) batchGetItem(c *cloud.Call, in *BatchGetItemInput) (*BatchGetItemOutput, error) {
	keys := 0
	for _, of := range in.RequestItems {
		keys += len(of.Keys)
	}
	switch {
	case keys == 0:
		return nil, invalid("The batch get list cannot be empty")
	case keys > maxBatchKeys:
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	out := &BatchGetItemOutput{Responses: map[string][]Item{}, UnprocessedKeys: map[string]KeysAndAttributes{}}
	left := maxBatchBytes
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		if err := s.batchOf(c, name, in.RequestItems[name], out, &left); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// batchOf reads the items of one table.
func (s *Service) batchOf(c *cloud.Call, name string, of KeysAndAttributes, out *BatchGetItemOutput, left *int) error {
	t, err := s.table(c, "dynamodb:BatchGetItem", name, of.Keys...)
	if err != nil {
		return err
	}
	x, err := newExpressions(of.ExpressionAttributeNames, nil, of.ProjectionExpression != "")
	if err != nil {
		return err
	}
	projection, err := x.projection(of.ProjectionExpression)
	if err != nil {
		return err
	}
	if err := x.done(); err != nil {
		return err
	}
	seen := map[string]bool{}
	unprocessed := of
	unprocessed.Keys = nil
	out.Responses[name] = []Item{}
	for _, key := range of.Keys {
		place, err := t.exactKey(key)
		if err != nil {
			return err
		}
		if seen[place] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[place] = true
		item, ok := t.items[place]
		switch {
		case !ok:
		case *left < item.bytes():
			*left = 0
			unprocessed.Keys = append(unprocessed.Keys, key)
		default:
			size := item.bytes()
			*left -= size
			c.Read(1, size)
			out.Responses[name] = append(out.Responses[name], projection.of(item))
		}
	}
	if len(unprocessed.Keys) > 0 {
		out.UnprocessedKeys[name] = unprocessed
	}
	return nil
}
