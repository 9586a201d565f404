package rehearsal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/registry"
)

// item returns the record of an origin in the registry, or the item of a distribution.
func (s *story) item(name string) (map[string]dynamodbtypes.AttributeValue, error) {
	wanted := "origin#" + s.origins[name].ID
	if _, is := s.origins[name]; !is {
		wanted = "distribution"
	}
	out, err := dynamodb.NewFromConfig(s.Config(HubAccount, Region)).Scan(s.ctx, &dynamodb.ScanInput{TableName: aws.String(s.outputs["RegistryTable"])})
	if err != nil {
		return nil, err
	}
	for _, item := range out.Items {
		if textOf(item[contract.RegistrySort]) == wanted && (wanted != "distribution" || textOf(item[contract.RegistryPartition]) == contract.RegistryDistribution+s.distributionName(name)) {
			return item, nil
		}
	}
	return nil, fmt.Errorf("the registry has no item of %s", name)
}

// itemKey returns the key of that item.
func (s *story) itemKey(name string) (map[string]dynamodbtypes.AttributeValue, error) {
	item, err := s.item(name)
	return map[string]dynamodbtypes.AttributeValue{
		contract.RegistryPartition: item[contract.RegistryPartition], contract.RegistrySort: item[contract.RegistrySort],
	}, err
}

// setItem overwrites the document of an item, as somebody with write access to the table can.
func (s *story) setItem(_ *testscript.TestScript, args []string) error {
	item, err := s.item(args[0])
	if err != nil {
		return err
	}
	item["document"] = &dynamodbtypes.AttributeValueMemberS{Value: args[1]}
	_, err = dynamodb.NewFromConfig(s.Config(HubAccount, Region)).PutItem(s.ctx, &dynamodb.PutItemInput{TableName: aws.String(s.outputs["RegistryTable"]), Item: item})
	return err
}

// changeRecord replaces parts of the document of a record, in the same way.
func (s *story) changeRecord(ts *testscript.TestScript, args []string) error {
	item, err := s.item(args[0])
	if err != nil {
		return err
	}
	document := textOf(item["document"])
	for i := 1; i+1 < len(args); i += 2 {
		if !strings.Contains(document, args[i]) {
			return fmt.Errorf("%s does not contain %s", document, args[i])
		}
		document = strings.ReplaceAll(document, args[i], args[i+1])
	}
	return s.setItem(ts, []string{args[0], document})
}

// moveRecord moves the record of an origin to another partition, in the same way.
func (s *story) moveRecord(_ *testscript.TestScript, args []string) error {
	item, err := s.item(args[0])
	if err != nil {
		return err
	}
	old, err := s.itemKey(args[0])
	if err != nil {
		return err
	}
	table, db := aws.String(s.outputs["RegistryTable"]), dynamodb.NewFromConfig(s.Config(HubAccount, Region))
	item[contract.RegistryPartition] = &dynamodbtypes.AttributeValueMemberS{Value: args[1]}
	if _, err := db.PutItem(s.ctx, &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
		return err
	}
	_, err = db.DeleteItem(s.ctx, &dynamodb.DeleteItemInput{TableName: table, Key: old})
	return err
}

// records checks how many records of origins the registry has.
func (s *story) records(_ *testscript.TestScript, args []string) error {
	known, err := registry.New(s.Config(HubAccount, Region), s.outputs["RegistryTable"]).Load(s.ctx)
	if err != nil {
		return err
	}
	return want(strconv.Itoa(len(known.Records)) == args[0], "the registry has %d records", len(known.Records))
}

// refusals checks how many refusals the registry remembers.
func (s *story) refusals(_ *testscript.TestScript, args []string) error {
	known, err := s.snapshot()
	if err != nil {
		return err
	}
	return want(strconv.Itoa(len(known.Refusals)) == args[0], "the registry has %d refusals, want %s: %v", len(known.Refusals), args[0], known.Refusals)
}

// deleteItem deletes an item from the registry. With that of a distribution the hub forgets which aliases it added, so that they stay.
func (s *story) deleteItem(_ *testscript.TestScript, args []string) error {
	key, err := s.itemKey(args[0])
	if err != nil {
		return err
	}
	if u, adoptable := s.unmanaged[args[0]]; adoptable {
		u.forgotten = u.seen
		s.unmanaged[args[0]] = u
	}
	_, err = dynamodb.NewFromConfig(s.Config(HubAccount, Region)).DeleteItem(s.ctx, &dynamodb.DeleteItemInput{TableName: aws.String(s.outputs["RegistryTable"]), Key: key})
	return err
}

// putHold writes an item by which a person suspends or pauses something. Each attribute has a value by default; one that is set to nothing is
// left out.
func (s *story) putHold(_ *testscript.TestScript, args []string) error {
	if err := s.checkPlaceholders(args[0]); err != nil {
		return err
	}
	values := map[string]string{"who": "alice", "why": "as a test", "since": s.Now().UTC().Format(time.RFC3339)}
	for _, arg := range args[1:] {
		name, value, is := strings.Cut(arg, "=")
		if _, known := values[name]; !known || !is {
			return fmt.Errorf("%s is not ATTRIBUTE=VALUE", arg)
		}
		values[name] = value
	}
	item := s.holdKey(args[0])
	for name, value := range values {
		if value != "" {
			item[name] = &dynamodbtypes.AttributeValueMemberS{Value: value}
		}
	}
	_, err := dynamodb.NewFromConfig(s.Config(HubAccount, Region)).PutItem(s.ctx, &dynamodb.PutItemInput{TableName: aws.String(s.outputs["RegistryTable"]), Item: item})
	return err
}

// deleteHold deletes such an item.
func (s *story) deleteHold(_ *testscript.TestScript, args []string) error {
	if err := s.checkPlaceholders(args[0]); err != nil {
		return err
	}
	_, err := dynamodb.NewFromConfig(s.Config(HubAccount, Region)).DeleteItem(s.ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(s.outputs["RegistryTable"]), Key: s.holdKey(args[0]), ConditionExpression: aws.String("attribute_exists(pk)"),
	})
	return err
}

// withOriginIDs returns text with the ids of origins in place of their names.
func (s *story) withOriginIDs(text string) string {
	for name, o := range s.origins {
		text = strings.ReplaceAll(text, "<"+name+">", o.ID)
	}
	return text
}

func (s *story) holdKey(key string) map[string]dynamodbtypes.AttributeValue {
	return map[string]dynamodbtypes.AttributeValue{
		contract.RegistryPartition: &dynamodbtypes.AttributeValueMemberS{Value: contract.RegistryHolds},
		contract.RegistrySort:      &dynamodbtypes.AttributeValueMemberS{Value: s.withIDs(s.withOriginIDs(key))},
	}
}
