package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// table is a table with its items.
type table struct {
	arn, name, id   string
	account, region string
	created         time.Time
	hash, sort      key // sort has no name if the table has only a partition key
	billing         string
	protected       bool
	encryption      string // the key that encrypts the table; empty for a key of AWS
	stream          string // StreamViewType; empty without a stream
	items           map[string]Item
}

type key struct{ name, kind string } // kind is S, N or B

func (t *table) keys() []key {
	if t.sort.name == "" {
		return []key{t.hash}
	}
	return []key{t.hash, t.sort}
}

// keyOf checks an item's key attributes and returns its place in the table.
func (t *table) keyOf(i Item) (string, error) {
	place := ""
	for _, k := range t.keys() {
		v, ok := i[k.name]
		if !ok {
			return "", invalid("One or more parameter values were invalid: Missing the key %s in the item", k.name)
		}
		if v.Type != k.kind {
			return "", invalid(
				"One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", k.name, k.kind, v.Type)
		}
		if v.text == "" {
			return "", invalid("One or more parameter values are not valid. "+
				"The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", k.name)
		}
		place += fmt.Sprintf("%d:%s;", len(v.text), v.text)
	}
	return place, nil
}

// exactKey is like keyOf, for a Key parameter, which has the key attributes and no others.
func (t *table) exactKey(i Item) (string, error) {
	if len(i) != len(t.keys()) {
		return "", invalid("The provided key element does not match the schema")
	}
	for _, k := range t.keys() {
		if v, ok := i[k.name]; !ok || v.Type != k.kind {
			return "", invalid("The provided key element does not match the schema")
		}
	}
	return t.keyOf(i)
}

func (t *table) key(i Item) Item {
	out := Item{}
	for _, k := range t.keys() {
		out[k.name] = i[k.name]
	}
	return out
}

// sorted returns the items for which a condition holds, or all items if it is nil, by partition, then by sort key.
func (t *table) sorted(where condition) []Item {
	var list []Item
	for _, i := range t.items {
		if where == nil || where.holds(i) {
			list = append(list, i)
		}
	}
	sort.Slice(list, func(a, b int) bool { return t.less(list[a], list[b]) })
	return list
}

func (t *table) less(a, b Item) bool {
	for _, k := range t.keys() {
		if order, _ := a[k.name].compare(b[k.name]); order != 0 {
			return order < 0
		}
	}
	return false
}

// table authorizes action and finds the table by name or ARN. leading has the partition keys concerned.
func (s *Service) table(c *cloud.Call, action, name string, leading ...Item) (*table, error) {
	arn := name
	if !strings.HasPrefix(name, "arn:") {
		if !tableName.MatchString(name) {
			return nil, invalid("Invalid table name: %q; it has 3 to 255 letters, digits, '_', '-' and '.'", name)
		}
		arn = tableARN(c.Account(), c.Region, name)
	}
	t := s.tables[arn]
	context := map[string][]string{}
	if t != nil {
		for _, i := range leading {
			if v, ok := i[t.hash.name]; ok && !slices.Contains(context["dynamodb:LeadingKeys"], v.text) {
				context["dynamodb:LeadingKeys"] = append(context["dynamodb:LeadingKeys"], v.text)
			}
		}
	}
	if err := c.Authorize(action, arn, context); err != nil {
		return nil, err
	}
	if t == nil || t.account != c.Account() || t.region != c.Region {
		return nil, noTable()
	}
	if action == "dynamodb:DescribeTable" {
		return t, nil
	}
	// The key of the table is decrypted for each caller. Assumption DDB-04.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
	if e := c.UseKey(t.encryption, t.account, t.context(), "kms:Decrypt"); e != nil {
		return nil, cloud.Errorf(400, "AccessDeniedException", "%s", e.Message)
	}
	return t, nil
}

// context returns the encryption context of every use of the table's key.
func (t *table) context() map[string]string {
	return map[string]string{"aws:dynamodb:tableName": t.name, "aws:dynamodb:subscriberId": t.account}
}

// lock checks that the account that creates the table may use the table's key.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func (t *table) lock(w *cloud.World) error {
	if t.encryption == "" {
		return nil
	}
	_, err := w.Keys.Use(cloud.KeyUse{
		Key: t.encryption, Account: t.account, Region: t.region, Principal: cloud.Root(t.account), Via: "dynamodb", Context: t.context(),
		Actions: []string{
			"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant",
		},
	})
	return err
}

var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

func tableARN(account, region, name string) string {
	return "arn:aws:dynamodb:" + region + ":" + account + ":table/" + name
}

// ListTablesInput is the input of ListTables.
type ListTablesInput struct {
	ExclusiveStartTableName string
	Limit                   int
}

// ListTablesOutput is the output of ListTables.
type ListTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

// listTables implements ListTables.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html
func (s *Service) listTables(c *cloud.Call, in *ListTablesInput) (*ListTablesOutput, error) {
	if err := c.Authorize("dynamodb:ListTables", "*", nil); err != nil {
		return nil, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = 100
	}
	if limit < 1 || limit > 100 {
		return nil, invalid("Limit must be between 1 and 100")
	}
	out := &ListTablesOutput{}
	for _, t := range s.tablesOf(c.Account(), c.Region) {
		if t.name <= in.ExclusiveStartTableName {
			continue
		}
		if len(out.TableNames) == limit {
			out.LastEvaluatedTableName = out.TableNames[limit-1]
			break
		}
		out.TableNames = append(out.TableNames, t.name)
	}
	return out, nil
}

// DescribeTableInput is the input of DescribeTable.
type DescribeTableInput struct {
	TableName string
}

// KeyElement is one key attribute of a schema.
type KeyElement struct {
	AttributeName string
	KeyType       string // HASH or RANGE
}

// AttributeDefinition gives an attribute's type.
type AttributeDefinition struct {
	AttributeName string
	AttributeType string
}

// BillingModeSummary has the billing mode of a table.
type BillingModeSummary struct{ BillingMode string }

// StreamSpecification describes the table's stream.
type StreamSpecification struct {
	StreamEnabled  bool
	StreamViewType string
}

// TableDescription is a table without its items.
type TableDescription struct {
	TableName                 string
	TableARN                  string `json:"TableArn"`
	TableID                   string `json:"TableId"`
	TableStatus               string
	CreationDateTime          time.Time
	AttributeDefinitions      []AttributeDefinition
	KeySchema                 []KeyElement
	ItemCount                 int
	TableSizeBytes            int
	BillingModeSummary        BillingModeSummary
	DeletionProtectionEnabled bool
	StreamSpecification       *StreamSpecification
	LatestStreamARN           string `json:"LatestStreamArn,omitempty"`
}

// DescribeTableOutput is the output of DescribeTable.
type DescribeTableOutput struct{ Table TableDescription }

// describeTable implements DescribeTable.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func (s *Service) describeTable(c *cloud.Call, in *DescribeTableInput) (*DescribeTableOutput, error) {
	t, err := s.table(c, "dynamodb:DescribeTable", in.TableName)
	if err != nil {
		return nil, err
	}
	d := TableDescription{
		TableName: t.name, TableARN: t.arn, TableID: t.id, TableStatus: "ACTIVE", CreationDateTime: t.created,
		ItemCount: len(t.items), BillingModeSummary: BillingModeSummary{t.billing}, DeletionProtectionEnabled: t.protected,
		LatestStreamARN: t.streamARN(),
	}
	for i, k := range t.keys() {
		d.KeySchema = append(d.KeySchema, KeyElement{k.name, []string{"HASH", "RANGE"}[i]})
		d.AttributeDefinitions = append(d.AttributeDefinitions, AttributeDefinition{k.name, k.kind})
	}
	for _, i := range t.items {
		d.TableSizeBytes += i.bytes()
	}
	if t.stream != "" {
		d.StreamSpecification = &StreamSpecification{true, t.stream}
	}
	return &DescribeTableOutput{d}, nil
}

func (t *table) streamARN() string {
	if t.stream == "" {
		return ""
	}
	return t.arn + "/stream/" + t.created.Format("2006-01-02T15:04:05.000")
}

// These are the properties of a table. Properties without an effect in the sandbox are decoded too, so that a misspelt property
// is an error.
type (
	schemaProperties struct {
		AttributeDefinitions []AttributeDefinition
		BillingMode          string
		KeySchema            []KeyElement
		SSESpecification     *struct {
			KMSMasterKeyID string `json:"KMSMasterKeyId"`
			SSEEnabled     cloud.Bool
			SSEType        string
		}
		StreamSpecification *struct {
			StreamViewType string
		}
		TableName               string
		TimeToLiveSpecification *struct {
			AttributeName string
			Enabled       cloud.Bool
		}
	}
	replicaProperties struct {
		ContributorInsightsSpecification *struct {
			Enabled cloud.Bool
			Mode    string
		}
		DeletionProtectionEnabled        cloud.Bool
		PointInTimeRecoverySpecification *struct {
			PointInTimeRecoveryEnabled cloud.Bool
			RecoveryPeriodInDays       cloud.Int
		}
		TableClass string
		Tags       []cloud.Tag
	}
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
	tableProperties struct {
		schemaProperties
		replicaProperties
		ProvisionedThroughput *struct{ ReadCapacityUnits, WriteCapacityUnits cloud.Int }
	}
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
	globalTableProperties struct {
		schemaProperties
		Replicas []struct {
			replicaProperties
			Region string
		}
	}
)

func (s *Service) tableType() cloud.ResourceType {
	const name = "AWS::DynamoDB::Table"
	return s.resourceType(name, func(r *cloud.ResourceRequest) (schemaProperties, replicaProperties, error) {
		var p tableProperties
		err := r.DecodeProperties(name, &p)
		return p.schemaProperties, p.replicaProperties, err
	})
}

func (s *Service) globalTableType() cloud.ResourceType {
	const name = "AWS::DynamoDB::GlobalTable"
	return s.resourceType(name, func(r *cloud.ResourceRequest) (schemaProperties, replicaProperties, error) {
		var p globalTableProperties
		if err := r.DecodeProperties(name, &p); err != nil {
			return p.schemaProperties, replicaProperties{}, err
		}
		if len(p.Replicas) != 1 || p.Replicas[0].Region != r.Region {
			return p.schemaProperties, replicaProperties{}, fmt.Errorf(
				"stack %s, resource %s (%s): the sandbox has global tables with one replica, in the stack's own Region",
				r.Stack, r.LogicalID, name)
		}
		return p.schemaProperties, p.Replicas[0].replicaProperties, nil
	})
}

// readProperties decodes a resource's properties.
type readProperties func(*cloud.ResourceRequest) (schemaProperties, replicaProperties, error)

func (s *Service) resourceType(name string, read readProperties) cloud.ResourceType {
	return cloud.ResourceType{
		Name: name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) {
			return s.create(r, name, read)
		},
		Update: func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
			return s.change(r, old, name, read)
		},
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			var err error
			r.World.Do(func() {
				t := s.tables[old.Attributes["Arn"]]
				if t != nil && t.protected {
					err = invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
					return
				}
				delete(s.tables, old.Attributes["Arn"])
			})
			return err
		},
	}
}

func (s *Service) create(r *cloud.ResourceRequest, name string, read readProperties) (*cloud.Resource, error) {
	schema, replica, err := read(r)
	if err != nil {
		return nil, err
	}
	t := &table{account: r.Account, region: r.Region, items: map[string]Item{}}
	if err := t.configure(schema, replica); err != nil {
		return nil, fmt.Errorf("stack %s, resource %s (%s): %w", r.Stack, r.LogicalID, name, err)
	}
	r.World.Do(func() {
		t.name, t.id, t.created = schema.TableName, r.World.IDs.UUID(), r.World.Clock.Now()
		if t.name == "" {
			t.name = r.Name(255)
		}
		t.arn = tableARN(r.Account, r.Region, t.name)
		if s.tables[t.arn] != nil {
			err = cloud.Errorf(400, "ResourceInUseException", "Table already exists: %s", t.name)
			return
		}
		if err = t.lock(r.World); err == nil {
			s.tables[t.arn] = t
		}
	})
	if err != nil {
		return nil, err
	}
	return t.resource(), nil
}

func (s *Service) change(r *cloud.ResourceRequest, old *cloud.Resource, name string, read readProperties) (*cloud.Resource, error) {
	schema, replica, err := read(r)
	if err != nil {
		return nil, err
	}
	var out *cloud.Resource
	r.World.Do(func() {
		before := s.tables[old.Attributes["Arn"]]
		if before == nil {
			err = noTable()
			return
		}
		t := *before
		if err = t.configure(schema, replica); err != nil {
			return
		}
		if t.hash != before.hash || t.sort != before.sort || (schema.TableName != "" && schema.TableName != before.name) {
			err = fmt.Errorf("the sandbox cannot replace a table because its keys or name changed")
			return
		}
		if err = t.lock(r.World); err != nil {
			return
		}
		s.tables[t.arn] = &t
		out = t.resource()
	})
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s (%s): %w", r.Stack, r.LogicalID, name, err)
	}
	return out, nil
}

func (t *table) resource() *cloud.Resource {
	attributes := map[string]string{"Arn": t.arn, "TableId": t.id}
	if t.stream != "" {
		attributes["StreamArn"] = t.streamARN()
	}
	return &cloud.Resource{Ref: t.name, Attributes: attributes}
}

func (t *table) configure(p schemaProperties, replica replicaProperties) error {
	kinds := map[string]string{}
	for _, a := range p.AttributeDefinitions {
		if a.AttributeType != "S" && a.AttributeType != "N" && a.AttributeType != "B" {
			return fmt.Errorf("attribute %s has type %q; it must be S, N or B", a.AttributeName, a.AttributeType)
		}
		kinds[a.AttributeName] = a.AttributeType
	}
	t.hash, t.sort = key{}, key{}
	for i, k := range p.KeySchema {
		kind, ok := kinds[k.AttributeName]
		if !ok {
			return fmt.Errorf("key %s has no AttributeDefinition", k.AttributeName)
		}
		delete(kinds, k.AttributeName)
		switch {
		case i == 0 && k.KeyType == "HASH":
			t.hash = key{k.AttributeName, kind}
		case i == 1 && k.KeyType == "RANGE":
			t.sort = key{k.AttributeName, kind}
		default:
			return fmt.Errorf("KeySchema must be a HASH key and at most one RANGE key after it")
		}
	}
	if t.hash.name == "" {
		return fmt.Errorf("KeySchema is missing")
	}
	if len(kinds) > 0 {
		return fmt.Errorf("AttributeDefinitions has attributes that are not keys: %s", strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	switch p.BillingMode {
	case "", "PROVISIONED", "PAY_PER_REQUEST":
	default:
		return fmt.Errorf("BillingMode %q is neither PROVISIONED nor PAY_PER_REQUEST", p.BillingMode)
	}
	if p.TableName != "" && !tableName.MatchString(p.TableName) {
		return fmt.Errorf("TableName %q must have 3 to 255 letters, digits, '_', '-' and '.'", p.TableName)
	}
	if t.encryption = ""; p.SSESpecification != nil && bool(p.SSESpecification.SSEEnabled) {
		if t.encryption = p.SSESpecification.KMSMasterKeyID; t.encryption == "" {
			t.encryption = "alias/aws/dynamodb"
		}
	}
	t.billing, t.protected, t.stream = p.BillingMode, bool(replica.DeletionProtectionEnabled), ""
	if t.billing == "" {
		t.billing = "PROVISIONED"
	}
	if p.StreamSpecification != nil {
		t.stream = p.StreamSpecification.StreamViewType
	}
	return nil
}

// requestText returns the text of a request, for comparing two requests.
func requestText(in any) string {
	raw, err := json.Marshal(in)
	if err != nil {
		return ""
	}
	return string(raw)
}
