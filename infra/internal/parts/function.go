package parts

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// FunctionProps describes a function and its permissions.
type FunctionProps struct {
	Description string
	Code        awslambda.Code // a package with bootstrap
	Timeout     time.Duration
	Environment map[string]string
	Permissions []Permission
	RolePath    string // "/", or contract.RolePath for functions of the hub
	// AtOnce is the reserved concurrency: how many invocations may run at the same time. 0 reserves none and sets no limit.
	AtOnce int
	Traced bool
	Key    awskms.IKey // the key of its table, queues and log group; nil if AWS owns their keys
	// Retention is for how many days its log group keeps lines, which may be a token; nil: 90.
	Retention *float64
}

// functionMemory is in MB. No function uses more than 24 MB (50 shares and 20 teardowns at once, amd64):
//
//	go test ./pkg/rehearsal -run '^$' -bench 'Functions$' -benchtime 1x
//
// so the minimum of 128 would suffice. Lambda allocates processor time in proportion to memory, and a cold start mostly needs that.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const functionMemory = 256

// NewFunction makes a function from a compiled Go handler, with its own log group and its own role.
func NewFunction(scope constructs.Construct, id string, p FunctionProps) awslambda.Function {
	self := constructs.NewConstruct(scope, jsii.String(id))
	logs := awslogs.NewLogGroup(self, jsii.String("Logs"), &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		EncryptionKey: p.Key,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	if p.Retention != nil {
		logs.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(p.Retention) //nolint:errcheck // NewLogGroup made it
	}
	if p.Traced {
		p.Permissions = append(p.Permissions, Traces())
	}
	if p.Key != nil {
		p.Permissions = append(p.Permissions, throughKey(p.Key))
	}
	writeLogs := Allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, *logs.LogGroupArn())
	role := awsiam.NewRole(self, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Path:      jsii.String(p.RolePath),
	})
	Inline(role, "function", append(p.Permissions, writeLogs))
	environment := make(map[string]*string, len(p.Environment))
	for name, value := range p.Environment {
		environment[name] = jsii.String(value)
	}
	props := &awslambda.FunctionProps{
		Description:   jsii.String(p.Description),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          p.Code,
		MemorySize:    jsii.Number(functionMemory),
		Timeout:       Seconds(p.Timeout),
		Environment:   &environment,
		Role:          role,
		LogGroup:      logs,
		LoggingFormat: awslambda.LoggingFormat_JSON,
	}
	if p.AtOnce > 0 {
		props.ReservedConcurrentExecutions = jsii.Number(float64(p.AtOnce))
	}
	if p.Traced {
		props.Tracing = awslambda.Tracing_ACTIVE
	}
	return awslambda.NewFunction(self, jsii.String("Function"), props)
}

// Traces returns the permission to send traces to X-Ray. The actions have no resource.
func Traces() Permission {
	return Allow([]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*")
}

// throughKey returns the permission to use the key through the services that hold the function's table, queues and log group, and not
// directly. For a table it allows the minimum that DynamoDB documents, without grants, which only the table's creator needs.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func throughKey(key awskms.IKey) Permission {
	var services []string
	for _, service := range []string{"dynamodb", "logs", "sqs"} {
		services = append(services, service+"."+Region+".amazonaws.com")
	}
	actions := []string{
		"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
		"kms:DescribeKey",
	}
	return Allow(actions, *key.KeyArn()).
		When(Condition{"StringEquals": {"kms:ViaService": services}})
}
