package dynamodb

import (
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// maxItem is the maximum size of an item in bytes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items
const maxItem = 400 * 1024

// Returned has the members of an input that ask for more in the output. The sandbox does not count capacity.
type Returned struct {
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

func (r Returned) check() error {
	if r.ReturnConsumedCapacity != "" && r.ReturnConsumedCapacity != "NONE" {
		return unsupported("ReturnConsumedCapacity " + r.ReturnConsumedCapacity)
	}
	if r.ReturnItemCollectionMetrics != "" && r.ReturnItemCollectionMetrics != "NONE" {
		return unsupported("ReturnItemCollectionMetrics " + r.ReturnItemCollectionMetrics)
	}
	return nil
}

// Conditional has the members of every conditional write.
type Conditional struct {
	ConditionExpression                 string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           Item
	ReturnValuesOnConditionCheckFailure string
}

// write is one prepared change of one item.
type write struct {
	table     *table
	place     string
	old, next Item // nil if there is no item
	condition condition
	returnOld bool // on failure
	update    *update
}

// check returns an error if the write's condition does not hold.
func (w *write) check() *cloud.Error {
	if w.condition == nil || w.condition.holds(w.old) {
		return nil
	}
	if w.returnOld {
		return conditionFailed(w.old)
	}
	return conditionFailed(nil)
}

func (w *write) commit() {
	if w.next == nil {
		delete(w.table.items, w.place)
		return
	}
	w.table.items[w.place] = w.next
}

// prepare finds the old item and parses the expressions. updateExpression is empty for writes that are not updates.
func (t *table) prepare(place string, in Conditional, updateExpression string) (*write, error) {
	w := &write{table: t, place: place, old: t.items[place]}
	switch in.ReturnValuesOnConditionCheckFailure {
	case "", "NONE":
	case "ALL_OLD":
		w.returnOld = true
	default:
		return nil, invalid("ReturnValuesOnConditionCheckFailure must be NONE or ALL_OLD")
	}
	x, err := newExpressions(in.ExpressionAttributeNames, in.ExpressionAttributeValues,
		in.ConditionExpression != "" || updateExpression != "")
	if err != nil {
		return nil, err
	}
	if updateExpression != "" {
		if w.update, err = x.update(updateExpression); err != nil {
			return nil, err
		}
	}
	if in.ConditionExpression != "" {
		if w.condition, err = x.condition("ConditionExpression", in.ConditionExpression); err != nil {
			return nil, err
		}
	}
	return w, x.done()
}

// PutItemInput is the input of PutItem.
type PutItemInput struct {
	Conditional
	Returned
	TableName    string
	Item         Item
	ReturnValues string
}

// WriteOutput is the output of PutItem, UpdateItem and DeleteItem.
type WriteOutput struct {
	Attributes Item `json:",omitempty"`
}

// putItem implements PutItem.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
func (s *Service) putItem(c *cloud.Call, in *PutItemInput) (*WriteOutput, error) {
	t, err := s.table(c, "dynamodb:PutItem", in.TableName, in.Item)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	w, err := t.preparePut(in.Item, in.Conditional)
	if err != nil {
		return nil, err
	}
	return w.simple(in.ReturnValues)
}

func (t *table) preparePut(item Item, in Conditional) (*write, error) {
	place, err := t.keyOf(item)
	if err != nil {
		return nil, err
	}
	if item.bytes() > maxItem {
		return nil, invalid("Item size has exceeded the maximum allowed size")
	}
	w, err := t.prepare(place, in, "")
	if err != nil {
		return nil, err
	}
	w.next = item.clone()
	return w, nil
}

// simple performs a put or a delete.
func (w *write) simple(returnValues string) (*WriteOutput, error) {
	out := &WriteOutput{}
	switch returnValues {
	case "", "NONE":
	case "ALL_OLD":
		out.Attributes = w.old
	default:
		return nil, invalid("Return values set to invalid value")
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	w.commit()
	return out, nil
}

// GetItemInput is the input of GetItem.
type GetItemInput struct {
	Returned
	TableName                string
	Key                      Item
	ConsistentRead           bool
	ProjectionExpression     string
	ExpressionAttributeNames map[string]string
}

// GetItemOutput is the output of GetItem. Item is nil if there is no item, and empty if the item has none of the attributes that the
// projection selects (assumption DDB-06).
type GetItemOutput struct {
	Item *Item
}

// getItem implements GetItem. ConsistentRead has no effect (assumption DDB-01).
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
func (s *Service) getItem(c *cloud.Call, in *GetItemInput) (*GetItemOutput, error) {
	t, err := s.table(c, "dynamodb:GetItem", in.TableName, in.Key)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	place, err := t.exactKey(in.Key)
	if err != nil {
		return nil, err
	}
	x, err := newExpressions(in.ExpressionAttributeNames, nil, in.ProjectionExpression != "")
	if err != nil {
		return nil, err
	}
	projection, err := x.projection(in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	if err := x.done(); err != nil {
		return nil, err
	}
	item, ok := t.items[place]
	if !ok {
		return &GetItemOutput{}, nil
	}
	c.Read(1, item.bytes())
	item = projection.of(item)
	return &GetItemOutput{&item}, nil
}

// UpdateItemInput is the input of UpdateItem.
type UpdateItemInput struct {
	Conditional
	Returned
	TableName        string
	Key              Item
	UpdateExpression string
	ReturnValues     string
}

// updateItem implements UpdateItem.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
func (s *Service) updateItem(c *cloud.Call, in *UpdateItemInput) (*WriteOutput, error) {
	t, err := s.table(c, "dynamodb:UpdateItem", in.TableName, in.Key)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	w, err := t.prepareUpdate(in.Key, in.Conditional, in.UpdateExpression)
	if err != nil {
		return nil, err
	}
	switch in.ReturnValues {
	case "", "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW":
	default:
		return nil, invalid("Return values set to invalid value")
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	if err := w.applyUpdate(in.Key); err != nil {
		return nil, err
	}
	w.commit()
	out := &WriteOutput{}
	switch in.ReturnValues {
	case "ALL_OLD":
		out.Attributes = w.old
	case "ALL_NEW":
		out.Attributes = w.next
	case "UPDATED_OLD":
		out.Attributes = w.update.touched(w.old)
	case "UPDATED_NEW":
		out.Attributes = w.update.touched(w.next)
	}
	return out, nil
}

func (t *table) prepareUpdate(key Item, in Conditional, expression string) (*write, error) {
	place, err := t.exactKey(key)
	if err != nil {
		return nil, err
	}
	w, err := t.prepare(place, in, expression)
	if err != nil {
		return nil, err
	}
	if w.update == nil {
		w.update = &update{}
	}
	for _, a := range w.update.actions {
		for _, k := range t.keys() {
			if a.at[0].name == k.name {
				return nil, invalid(
					"One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", k.name)
			}
		}
	}
	return w, nil
}

// applyUpdate computes the next item. An update of an item that does not exist creates it.
func (w *write) applyUpdate(key Item) error {
	next, err := w.update.apply(w.old)
	if err != nil {
		return err
	}
	for name, v := range key {
		next[name] = v
	}
	if next.bytes() > maxItem {
		return invalid("Item size to update has exceeded the maximum allowed size")
	}
	w.next = next
	return nil
}

// touched returns the top-level attributes of i that the update names.
func (u *update) touched(i Item) Item {
	out := Item{}
	for _, a := range u.actions {
		if v, ok := i[a.at[0].name]; ok {
			out[a.at[0].name] = v
		}
	}
	return out
}

// DeleteItemInput is the input of DeleteItem.
type DeleteItemInput struct {
	Conditional
	Returned
	TableName    string
	Key          Item
	ReturnValues string
}

// deleteItem implements DeleteItem.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html
func (s *Service) deleteItem(c *cloud.Call, in *DeleteItemInput) (*WriteOutput, error) {
	t, err := s.table(c, "dynamodb:DeleteItem", in.TableName, in.Key)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	place, err := t.exactKey(in.Key)
	if err != nil {
		return nil, err
	}
	w, err := t.prepare(place, in.Conditional, "")
	if err != nil {
		return nil, err
	}
	return w.simple(in.ReturnValues)
}
