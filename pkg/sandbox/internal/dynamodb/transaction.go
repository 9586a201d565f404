package dynamodb

import (
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// TransactWriteItemsInput is the input of TransactWriteItems.
type TransactWriteItemsInput struct {
	Returned
	TransactItems      []TransactItem
	ClientRequestToken string
}

// TransactItem is one action. Exactly one member is set.
type TransactItem struct {
	Put            *TransactPut
	Update         *TransactUpdate
	Delete         *TransactKey
	ConditionCheck *TransactKey
}

// TransactPut is a put within a transaction.
type TransactPut struct {
	Conditional
	TableName string
	Item      Item
}

// TransactUpdate is an update within a transaction.
type TransactUpdate struct {
	Conditional
	TableName        string
	Key              Item
	UpdateExpression string
}

// TransactKey is a delete or a check within a transaction.
type TransactKey struct {
	Conditional
	TableName string
	Key       Item
}

// TransactWriteItemsOutput is the output of TransactWriteItems.
type TransactWriteItemsOutput struct{}

// CancellationReason is the result of one action of a cancelled transaction. Code is None if the action was valid.
type CancellationReason struct {
	Code    string
	Message string `json:",omitempty"`
	Item    Item   `json:",omitempty"`
}

const (
	maxTransaction = 100
	// tokenLife is the time for which a ClientRequestToken is remembered.
	tokenLife = 10 * time.Minute
)

// transactWriteItems implements TransactWriteItems.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
func (s *Service) transactWriteItems(c *cloud.Call, in *TransactWriteItemsInput) (*TransactWriteItemsOutput, error) {
	if len(in.TransactItems) < 1 || len(in.TransactItems) > maxTransaction {
		return nil, invalid("Member must have length between 1 and %d: TransactItems", maxTransaction)
	}
	var writes []*write
	seen := map[string]bool{}
	for i, item := range in.TransactItems {
		w, err := s.prepareAction(c, item)
		if err != nil {
			return nil, err
		}
		place := w.table.arn + " " + w.place
		if seen[place] {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[place] = true
		if check := in.TransactItems[i].ConditionCheck; check != nil && check.ConditionExpression == "" {
			return nil, invalid("The expression can not be empty;")
		}
		writes = append(writes, w)
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	token, request := c.Account()+" "+in.ClientRequestToken, requestText(in)
	if in.ClientRequestToken != "" {
		if before, ok := s.transactions[token]; ok && c.Now().Sub(before.at) < tokenLife {
			if before.request != request {
				return nil, cloud.Errorf(400, "IdempotentParameterMismatchException",
					"Idempotency parameters do not match for the same request token")
			}
			return &TransactWriteItemsOutput{}, nil
		}
	}
	if err := settle(in.TransactItems, writes); err != nil {
		return nil, err
	}
	if in.ClientRequestToken != "" {
		s.transactions[token] = transaction{request, c.Now()}
	}
	return &TransactWriteItemsOutput{}, nil
}

// settle performs all writes or none.
func settle(items []TransactItem, writes []*write) error {
	reasons := make([]CancellationReason, len(writes))
	codes := make([]string, len(writes))
	cancelled := false
	for i, w := range writes {
		reasons[i].Code = "None"
		if failed := w.check(); failed != nil {
			reasons[i] = CancellationReason{Code: "ConditionalCheckFailed", Message: failed.Message}
			if w.returnOld {
				reasons[i].Item = w.old
			}
		} else if u := items[i].Update; u != nil {
			if err := w.applyUpdate(u.Key); err != nil {
				reasons[i] = CancellationReason{Code: "ValidationError", Message: cloud.AsError(err).Message}
			}
		}
		codes[i] = reasons[i].Code
		cancelled = cancelled || codes[i] != "None"
	}
	if cancelled {
		e := cloud.Errorf(400, "TransactionCanceledException",
			"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
		e.Members = map[string]any{"CancellationReasons": reasons}
		return e
	}
	for i, w := range writes {
		if items[i].ConditionCheck == nil {
			w.commit()
		}
	}
	return nil
}

// prepareAction authorizes one action as its single-item operation.
func (s *Service) prepareAction(c *cloud.Call, item TransactItem) (*write, error) {
	set := 0
	for _, given := range []bool{item.Put != nil, item.Update != nil, item.Delete != nil, item.ConditionCheck != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	switch {
	case item.Put != nil:
		t, err := s.table(c, "dynamodb:PutItem", item.Put.TableName, item.Put.Item)
		if err != nil {
			return nil, err
		}
		return t.preparePut(item.Put.Item, item.Put.Conditional)
	case item.Update != nil:
		t, err := s.table(c, "dynamodb:UpdateItem", item.Update.TableName, item.Update.Key)
		if err != nil {
			return nil, err
		}
		return t.prepareUpdate(item.Update.Key, item.Update.Conditional, item.Update.UpdateExpression)
	}
	action, in := "dynamodb:DeleteItem", item.Delete
	if in == nil {
		action, in = "dynamodb:ConditionCheckItem", item.ConditionCheck
	}
	t, err := s.table(c, action, in.TableName, in.Key)
	if err != nil {
		return nil, err
	}
	place, err := t.exactKey(in.Key)
	if err != nil {
		return nil, err
	}
	return t.prepare(place, in.Conditional, "")
}
