package infra

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// newKey makes the key under which the hub's data rests. It outlives the stack, as what rests under it does. It has no alias:
// the stack's output names it.
//
// A statement that is missing here loses events and silences alarms, and says so nowhere but in dead letters. So each one is
// as AWS documents it, with wildcards written out:
//
//   - EventBridge sends to queues and the topic, and encrypts the bus. aws:SourceArn and aws:SourceAccount would let nothing
//     through: with them AWS does not support sending to a topic. Who may send is what queues and topic say themselves.
//     https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
//     https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
//   - The archive takes more, for the bus only.
//     https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
//   - Alarms ring at the topic. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
//   - CloudWatch Logs encrypts. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
//
// Names in the conditions are those that CloudFormation makes, which begin with the stack's: the resources themselves name
// the key, so that it cannot name them.
func newKey(scope constructs.Construct, id, hub string) awskms.Key {
	data := []string{"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt"}
	again := []string{"kms:ReEncryptFrom", "kms:ReEncryptTo"}
	arn := func(service, resource string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, parts.Region, parts.Account(), resource)
	}
	return awskms.NewKey(scope, jsii.String(id), &awskms.KeyProps{
		Description:       jsii.String("originhub hub " + hub + ": registry, queues, alarm topic, logs, bus and archive"),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		Policy: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			// Without it nobody could mend the policy, and no policy of the account's roles would count.
			// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
			useKey("Account", awsiam.NewAccountRootPrincipal(), nil, "kms:*"),
			useKey("EventBridge", parts.EventBridge(), nil, append(data, "kms:DescribeKey")...),
			useKey("Archive", parts.EventBridge(), parts.Condition{
				"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": arn("events", "event-bus/"+contract.BusName(hub))},
			}, again...),
			useKey("Alarms", cloudWatch(), parts.Condition{
				"StringEquals": {"aws:SourceAccount": parts.Account()},
				"ArnLike":      {"aws:SourceArn": arn("cloudwatch", "alarm:"+stackName(hub)+"-*")},
			}, data...),
			useKey("Logs", awsiam.NewServicePrincipal(jsii.String("logs."+parts.Region+".amazonaws.com"), nil), parts.Condition{
				"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:"+stackName(hub)+"-*")},
			}, append(append(data, again...), "kms:Encrypt", "kms:DescribeKey")...),
		}}),
	})
}

func useKey(id string, who awsiam.IPrincipal, when parts.Condition, actions ...string) awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{
		Sid: jsii.String(id), Principals: &[]awsiam.IPrincipal{who}, Actions: jsii.Strings(actions...), Resources: jsii.Strings("*"),
	}
	if when != nil {
		props.Conditions = when.Props()
	}
	return awsiam.NewPolicyStatement(props)
}
