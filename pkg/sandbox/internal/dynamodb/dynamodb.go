// Package dynamodb emulates Amazon DynamoDB: items, conditions and queries of tables that templates deploy. Every read sees all
// earlier writes, consistent or not.
package dynamodb

import (
	"sort"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Service is DynamoDB in all accounts and Regions.
type Service struct {
	w      *cloud.World
	tables map[string]*table // by ARN

	// transactions has the recent transactions by account and client token.
	transactions map[string]transaction
}

type transaction struct {
	request string
	at      time.Time
}

// New returns the service.
func New(w *cloud.World) *Service {
	return &Service{w: w, tables: map[string]*table{}, transactions: map[string]transaction{}}
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	data := func(name string, readOnly bool) cloud.Operation {
		return cloud.Operation{Name: name, DataPlane: true, ReadOnly: readOnly}
	}
	return &cloud.Service{
		Name: "dynamodb", Protocol: cloud.JSON10, EventSource: "dynamodb.amazonaws.com", TargetPrefix: "DynamoDB_20120810",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "ListTables", ReadOnly: true}, s.listTables),
			cloud.Op(cloud.Operation{Name: "DescribeTable", ReadOnly: true}, s.describeTable),
			cloud.Op(data("PutItem", false), s.putItem),
			cloud.Op(data("GetItem", true), s.getItem),
			cloud.Op(data("BatchGetItem", true), s.batchGetItem),
			cloud.Op(data("UpdateItem", false), s.updateItem),
			cloud.Op(data("DeleteItem", false), s.deleteItem),
			cloud.Op(data("TransactWriteItems", false), s.transactWriteItems),
			cloud.Op(data("Query", true), s.query),
			cloud.Op(data("Scan", true), s.scan),
		},
	}
}

// ResourceTypes returns the CloudFormation types that this package deploys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{s.tableType(), s.globalTableType()}
}

// Snapshot returns what DynamoDB holds for an account, with items as plain JSON. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	tables := []any{}
	for _, t := range s.tablesOf(account, "") {
		items := []any{}
		for _, i := range t.sorted(nil) {
			items = append(items, i.plain())
		}
		tables = append(tables, map[string]any{"name": t.name, "arn": t.arn, "items": items})
	}
	return map[string]any{"tables": tables}
}

// tablesOf returns an account's tables by name. An empty Region means all Regions.
func (s *Service) tablesOf(account, region string) []*table {
	var list []*table
	for _, t := range s.tables {
		if t.account == account && (region == "" || t.region == region) {
			list = append(list, t)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].arn < list[j].arn })
	return list
}
