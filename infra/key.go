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

// newKey makes the KMS key that encrypts the hub's data at rest. It outlives the stack, as that data does. It has no alias; an
// output of the stack names it.
//
// If one of these statements is missing, AWS fails quietly: events end in the dead letters, or alarms are raised and notify nobody. So each
// statement follows AWS's documentation; where that has kms:GenerateDataKey* or kms:ReEncrypt*, the statement lists the actions:
//
//   - EventBridge sends to queues, and encrypts the bus. There is no condition on aws:SourceArn or aws:SourceAccount,
//     because AWS does not support them for encrypted topics. The policies of the queues limit who may send.
//     https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
//     https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
//   - The archive needs more actions, for the bus only.
//     https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
//   - CloudWatch alarms publish to the topic. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
//   - CloudWatch Logs encrypts log groups. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
//
// The conditions on alarms and log groups match the beginning of the names that CloudFormation generates, which is the stack's name; the bus
// has a fixed name. The conditions cannot refer to the resources themselves, because these refer to the key.
func newKey(scope constructs.Construct, id, hub string) awskms.Key {
	data := []string{"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt"}
	again := []string{"kms:ReEncryptFrom", "kms:ReEncryptTo"}
	arn := func(service, resource string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, parts.Region, parts.Account(), resource)
	}
	return awskms.NewKey(scope, jsii.String(id), &awskms.KeyProps{
		Description:       jsii.String("originhub hub " + hub + ": registry, queues, alarm topic, logs, bus and archive"),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     parts.Keep,
		Policy: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			// Without this statement nobody could change the key's policy, and policies of the account's roles would have no effect.
			// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
			useKey("Account", awsiam.NewArnPrincipal(jsii.String("arn:aws:iam::"+parts.Account()+":root")), nil, "kms:*"),
			useKey("EventBridge", parts.EventBridge(), nil, append(data, "kms:DescribeKey")...),
			useKey("Archive", parts.EventBridge(), parts.Condition{
				"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": arn("events", "event-bus/"+contract.BusName(hub))},
			}, again...),
			useKey("Alarms", cloudWatch(), parts.Condition{
				"StringEquals": {"aws:SourceAccount": parts.Account()},
				"ArnLike":      {"aws:SourceArn": arn("cloudwatch", "alarm:"+*awscdk.Aws_STACK_NAME()+"-*")},
			}, data...),
			useKey("Logs", awsiam.NewServicePrincipal(jsii.String("logs."+parts.Region+".amazonaws.com"), nil), parts.Condition{
				"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:"+*awscdk.Aws_STACK_NAME()+"-*")},
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
