package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// newRegistry makes the table of package registry: one partition per distribution, one item per origin. It outlives the
// stack, since it holds the history of decisions.
//
// It is encrypted with a key that AWS owns, as are the archive and, by SQS itself, the queues: what rests there are ids, host
// names and decisions, no team's data. A key of the account's own costs a dollar a month and more for every call, and its
// policy would have to let EventBridge, CloudWatch, SNS and each function in: one more thing that silences alarms when it is
// wrong.
func newRegistry(scope constructs.Construct, id string) awsdynamodb.Table {
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return awsdynamodb.NewTable(scope, jsii.String(id), &awsdynamodb.TableProps{
		PartitionKey:        key(contract.RegistryPartition),
		SortKey:             key(contract.RegistrySort),
		TimeToLiveAttribute: jsii.String(contract.RegistryExpiry),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}
