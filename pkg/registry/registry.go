// Package registry stores what the hub wants and has observed of each origin and distribution, in one DynamoDB table that is
// partitioned by distribution. Writes of records, distributions and the budget of updates are conditional on the version that was read: if another
// writer was faster, the write returns a *fault.Reread error and changes nothing. What expires or is derived is overwritten.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

// Attribute names and sort keys of the table.
const (
	attrDistribution = contract.RegistryPartition
	attrItem         = contract.RegistrySort
	attrVersion      = "version"
	attrDocument     = "document"
	attrExpires      = contract.RegistryExpiry

	attrWho, attrWhy, attrSince = "who", "why", "since" // of a hold

	itemDistribution = "distribution"
	prefixOrigin     = "origin#"
	prefixRefusal    = "refusal#"
	prefixTally      = "tally#"
	prefixReported   = "reported#" // what function wire reported about a distribution or one of its origins
	itemFindings     = "findings"  // what the audit remembers, in partition contract.RegistryAudit
	prefixFinding    = "finding#"  // an open finding, in the same partition
	itemFleet        = "fleet"     // in partition contract.RegistryFleet
	itemBudget       = "budget"    // of the updates, in partition contract.RegistryUpdates
)

var codes = fault.Codes{
	"ConditionalCheckFailedException": fault.AsReread,
	"TransactionConflictException":    fault.AsRetry,
	"ResourceNotFoundException":       fault.AsGiveUp,
}

// Registry reads and writes the table.
type Registry struct {
	client *dynamodb.Client
	table  string
	fleet  []string
}

// New returns the registry that is stored in the DynamoDB table of that name. Fleet are the names of the distributions in the hub policy. If
// there are any, a record counts as one that cannot be read if it is in the partition of none of them, and of no other distribution that has an item.
func New(cfg aws.Config, table string, fleet ...string) *Registry {
	return &Registry{client: dynamodb.NewFromConfig(cfg), table: table, fleet: fleet}
}

// setAside records in s that an item cannot be read.
func setAside(s *origin.Snapshot, item map[string]types.AttributeValue, err error) {
	damaged := origin.Damaged{Partition: stringOf(item[attrDistribution]), Key: stringOf(item[attrItem]), Why: err.Error()}
	if id, ok := strings.CutPrefix(damaged.Key, prefixOrigin); ok {
		damaged.Origin = id
	}
	if damaged.Key == itemDistribution {
		damaged.Distribution = strings.TrimPrefix(damaged.Partition, contract.RegistryDistribution)
		s.Distributions = append(s.Distributions, origin.Distribution{Name: damaged.Distribution, Observation: origin.Observation{Unavailable: origin.Reason{
			Code: origin.ItemDamaged, Message: "its item in the registry cannot be read (" + err.Error() + "); restore or delete the item",
		}}})
	}
	s.Damaged = append(s.Damaged, damaged)
}

// setAsideUnplaced sets aside the records in the partition of no distribution. Somebody moved them there, and no run of function wire would know them.
func (r *Registry) setAsideUnplaced(s *origin.Snapshot) {
	s.Records = slices.DeleteFunc(s.Records, func(o origin.Record) bool {
		unplaced := len(r.fleet) > 0 && !slices.Contains(r.fleet, o.Distribution) && !slices.ContainsFunc(s.Distributions, func(d origin.Distribution) bool { return d.Name == o.Distribution })
		if unplaced {
			s.Damaged = append(s.Damaged, origin.Damaged{
				Partition: o.Distribution, Key: prefixOrigin + o.ID, Origin: o.ID, Why: "the partition is not that of a distribution of the hub",
			})
		}
		return unplaced
	})
}

func add(s *origin.Snapshot, item map[string]types.AttributeValue) error {
	distribution, key, document := stringOf(item[attrDistribution]), stringOf(item[attrItem]), []byte(stringOf(item[attrDocument]))
	if distribution == contract.RegistryHolds { // people write it, so it has no version
		s.Holds = append(s.Holds, origin.ParseHold(key, stringOf(item[attrWho]), stringOf(item[attrWhy]), stringOf(item[attrSince])))
		return nil
	}
	if distribution == contract.RegistryFleet { // function admit writes it again whenever it is not right, so it is never damaged
		var f origin.Fleet
		if err := json.Unmarshal(document, &f); err == nil {
			s.Fleet = f
			s.Fleet.Known = true
		}
		return nil
	}
	version, err := versionOf(item)
	if err != nil {
		return err
	}
	switch {
	case key == itemDistribution:
		var d origin.Distribution
		if err := readDistribution(document, &d); err != nil {
			return err
		}
		name, is := strings.CutPrefix(distribution, contract.RegistryDistribution)
		if d.Name, d.Version = name, version; !is {
			d.Version = 0 // not written in its partition yet
		}
		s.Distributions = append(s.Distributions, d)
	case strings.HasPrefix(key, prefixOrigin):
		var record origin.Record
		if err := readRecord(document, &record); err != nil {
			return err
		}
		if err := check(record, strings.TrimPrefix(key, prefixOrigin)); err != nil {
			return err
		}
		record.Distribution, record.Version = distribution, version
		s.Records = append(s.Records, record)
	case strings.HasPrefix(key, prefixReported):
		what := strings.TrimPrefix(key, prefixReported)
		s.Reported[what] = readRefusal(string(document), what)
	case distribution == contract.RegistryUpdates: // only Updates returns it
		return json.Unmarshal(document, &origin.Updates{})
	case key == itemFindings:
		return addFindings(s, document, version)
	case strings.HasPrefix(key, prefixFinding):
		var f origin.OpenFinding
		if err := json.Unmarshal(document, &f); err != nil {
			return err
		}
		s.Findings.Open = append(s.Findings.Open, f)
	case strings.HasPrefix(key, prefixRefusal):
		what := strings.TrimPrefix(key, prefixRefusal)
		s.Refusals[what] = readRefusal(string(document), what)
	case strings.HasPrefix(key, prefixTally):
		t := origin.Tally{Account: strings.TrimPrefix(key, prefixTally)}
		if json.Unmarshal(document, &t) == nil { // without it, some more refusals are reported, and the next one writes it again
			s.Tallies[t.Account] = t
		}
	}
	return nil
}

// check returns an error if a record is not what the hub writes under the key of that VPC origin id. To act on such a record could remove
// or tear down what its team wants to keep.
func check(r origin.Record, id string) error {
	ref, err := origin.ParseARN(r.ARN)
	switch {
	case r.ID != id:
		return fmt.Errorf("the document is about VPC origin %q", r.ID)
	case err != nil:
		return err
	case ref != r.Ref:
		return fmt.Errorf("the ARN %s is not the one of VPC origin %s in account %s", r.ARN, r.ID, r.Account)
	case r.Intent != origin.Wire && r.Intent != origin.Detach:
		return fmt.Errorf("intent %q does not exist", r.Intent)
	case !slices.Contains(origin.States(), r.State):
		return fmt.Errorf("state %q does not exist", r.State)
	case r.Intent == origin.Wire && (len(r.Claim.Hosts) == 0 || len(r.Claim.Paths) == 0):
		return errors.New("the origin has to be wired and claims no host or no path")
	case r.Intent == origin.Wire && r.State == origin.Deleted:
		return errors.New("the origin has to be wired and is deleted") // nothing would act on it, not even a suspension
	}
	return nil
}

// PutRecord writes the record of an origin and returns it with its new version. It returns a *fault.Reread error if the stored version
// is no longer record.Version.
func (r *Registry) PutRecord(ctx context.Context, record origin.Record) (origin.Record, error) {
	version, err := r.put(ctx, record.Distribution, prefixOrigin+record.ID, record.Version, record)
	record.Version = version
	return record, err
}

// MoveRecord writes a record whose distribution has changed, and deletes it from the partition of distribution from, in one
// transaction. Like PutRecord, it returns a *fault.Reread error if the stored version is no longer record.Version.
func (r *Registry) MoveRecord(ctx context.Context, from string, record origin.Record) (origin.Record, error) {
	out, err := item(record.Distribution, prefixOrigin+record.ID, 1, record)
	if err != nil {
		return record, err
	}
	_, err = r.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: r.deletion(from, record)},
		{Put: &types.Put{TableName: &r.table, Item: out, ConditionExpression: aws.String("attribute_not_exists(pk)")}},
	}})
	if err != nil {
		return record, cancelled(err, "move %s from %s to %s", record.ID, from, record.Distribution)
	}
	record.Version = 1
	return record, nil
}

// deletion returns the deletion of a record, provided that its version is still the one that was read.
func (r *Registry) deletion(distribution string, record origin.Record) *types.Delete {
	return &types.Delete{
		TableName:                 &r.table,
		Key:                       map[string]types.AttributeValue{attrDistribution: text(distribution), attrItem: text(prefixOrigin + record.ID)},
		ConditionExpression:       aws.String("#v = :read"),
		ExpressionAttributeNames:  map[string]string{"#v": attrVersion},
		ExpressionAttributeValues: map[string]types.AttributeValue{":read": number(record.Version)},
	}
}

// cancelled returns the error of a transaction: a *fault.Reread if somebody else had written an item, and else a *fault.Retry if it was cancelled
// for another reason, such as throttling.
func cancelled(err error, format string, args ...any) error {
	var why *types.TransactionCanceledException
	if !errors.As(err, &why) {
		return codes.Wrap(err, format, args...)
	}
	err = fmt.Errorf(format+": %w", append(args, err)...)
	if slices.ContainsFunc(why.CancellationReasons, func(r types.CancellationReason) bool { return aws.ToString(r.Code) == "ConditionalCheckFailed" }) {
		return fault.AsReread(err)
	}
	return fault.AsRetry(err)
}

// PutDistribution writes the item of a distribution and returns it with its new version, with the same condition as PutRecord.
func (r *Registry) PutDistribution(ctx context.Context, d origin.Distribution) (origin.Distribution, error) {
	version, err := r.put(ctx, contract.RegistryDistribution+d.Name, itemDistribution, d.Version, d)
	d.Version = version
	return d, err
}

// PutFleet writes what admit knows of the whole registry. The last writer wins: every sweep compares it with the registry.
func (r *Registry) PutFleet(ctx context.Context, f origin.Fleet) error {
	return r.overwrite(ctx, contract.RegistryFleet, itemFleet, f, nil)
}

func (r *Registry) put(ctx context.Context, distribution, key string, read int, v any) (int, error) {
	out, err := item(distribution, key, read+1, v)
	if err != nil {
		return read, err
	}
	in := &dynamodb.PutItemInput{TableName: &r.table, Item: out, ConditionExpression: aws.String("attribute_not_exists(pk)")}
	if read > 0 {
		in.ConditionExpression = aws.String("#v = :read")
		in.ExpressionAttributeNames = map[string]string{"#v": attrVersion}
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(read)}
	}
	if _, err := r.client.PutItem(ctx, in); err != nil {
		return read, codes.Wrap(err, "write %s of %s", key, distribution)
	}
	return read + 1, nil
}

func item(distribution, key string, version int, v any) (map[string]types.AttributeValue, error) {
	document, err := json.Marshal(v)
	if err != nil {
		return nil, &fault.GiveUp{Err: fmt.Errorf("write %s of %s: %w", key, distribution, err)}
	}
	return map[string]types.AttributeValue{
		attrDistribution: text(distribution), attrItem: text(key),
		attrVersion: number(version), attrDocument: text(string(document)),
	}, nil
}

// PutRefusal records that the refusal of what, such as the ARN of a share or an origin, was reported with these reasons. Without reasons, the
// refusal is forgotten: the hub's roles need no permission to delete items for that. The time to live of
// the table deletes the item after 30 days, long after any invitation has expired.
func (r *Registry) PutRefusal(ctx context.Context, what string, reasons []origin.Reason, now time.Time) error {
	return r.putExpiring(ctx, contract.RegistryRefusals, prefixRefusal+what, reasons, now)
}

// PutTally writes the tally of an account. It has no condition: if two functions write at once, some refusals are not counted. The item expires
// like a refusal.
func (r *Registry) PutTally(ctx context.Context, t origin.Tally, now time.Time) error {
	return r.putExpiring(ctx, contract.RegistryRefusals, prefixTally+t.Account, t, now)
}

// PutReported records what function wire reported about a distribution or one of its origins, as PutRefusal records refusals.
func (r *Registry) PutReported(ctx context.Context, distribution, what string, reasons []origin.Reason, now time.Time) error {
	return r.putExpiring(ctx, distribution, prefixReported+what, reasons, now)
}

func (r *Registry) putExpiring(ctx context.Context, partition, key string, v any, now time.Time) error {
	return r.overwrite(ctx, partition, key, v, number(int(now.Add(30*24*time.Hour).Unix())))
}

// overwrite writes an item without a condition. It has no expiry if expires is nil.
func (r *Registry) overwrite(ctx context.Context, partition, key string, v any, expires types.AttributeValue) error {
	out, err := item(partition, key, 1, v)
	if err != nil {
		return err
	}
	if expires != nil {
		out[attrExpires] = expires
	}
	_, err = r.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.table, Item: out})
	return codes.Wrap(err, "write %s", key)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func stringOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func versionOf(item map[string]types.AttributeValue) (int, error) {
	n, ok := item[attrVersion].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("has no number %q", attrVersion)
	}
	return strconv.Atoi(n.Value)
}
