package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// newRegistry makes a table of package registry: the registry has one partition for each distribution, and one item for each origin; the
// table of past origins has the records of the origins that are over, until they expire. A table
// outlives the stack, because it holds the history of decisions, and nobody deletes it without removing its deletion protection first.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html
func newRegistry(scope constructs.Construct, id string, key awskms.IKey) awsdynamodb.Table {
	attribute := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return awsdynamodb.NewTable(scope, jsii.String(id), &awsdynamodb.TableProps{
		PartitionKey:        attribute(contract.RegistryPartition),
		SortKey:             attribute(contract.RegistrySort),
		TimeToLiveAttribute: jsii.String(contract.RegistryExpiry),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		Encryption:         awsdynamodb.TableEncryption_CUSTOMER_MANAGED,
		EncryptionKey:      key,
		DeletionProtection: jsii.Bool(true),
		// The rollback of a failed first deployment cannot delete a protected table, so it leaves an empty one, whose name blocks nothing.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}
