package rehearsal

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
)

// recordKey returns the key of the record of an origin in the registry.
func (s *story) recordKey(name string) (map[string]dynamodbtypes.AttributeValue, error) {
	out, err := dynamodb.NewFromConfig(s.Config(HubAccount, Region)).Scan(s.ctx, &dynamodb.ScanInput{TableName: aws.String(s.outputs["RegistryTable"])})
	if err != nil {
		return nil, err
	}
	for _, item := range out.Items {
		if key, ok := item[contract.RegistrySort].(*dynamodbtypes.AttributeValueMemberS); ok && key.Value == "origin#"+s.origins[name].ID {
			return map[string]dynamodbtypes.AttributeValue{
				contract.RegistryPartition: item[contract.RegistryPartition], contract.RegistrySort: item[contract.RegistrySort],
			}, nil
		}
	}
	return nil, fmt.Errorf("the registry has no record of %s", name)
}

// setRecord overwrites the document of a record, as somebody with write access to the table can.
func (s *story) setRecord(_ *testscript.TestScript, args []string) error {
	key, err := s.recordKey(args[0])
	if err != nil {
		return err
	}
	_, err = dynamodb.NewFromConfig(s.Config(HubAccount, Region)).UpdateItem(s.ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.outputs["RegistryTable"]), Key: key, UpdateExpression: aws.String("SET #d = :document"),
		ExpressionAttributeNames:  map[string]string{"#d": "document"},
		ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{":document": &dynamodbtypes.AttributeValueMemberS{Value: args[1]}},
	})
	return err
}

// deleteRecord deletes a record from the registry.
func (s *story) deleteRecord(_ *testscript.TestScript, args []string) error {
	key, err := s.recordKey(args[0])
	if err != nil {
		return err
	}
	_, err = dynamodb.NewFromConfig(s.Config(HubAccount, Region)).DeleteItem(s.ctx, &dynamodb.DeleteItemInput{TableName: aws.String(s.outputs["RegistryTable"]), Key: key})
	return err
}
