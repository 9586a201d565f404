package infra

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

type functionProps struct {
	Description string
	Code        string // directory with bootstrap and the hub policy
	Timeout     time.Duration
	Environment map[string]string
	Permissions []permission
	RolePath    string // see contract.RolePath
	// AtOnce is how many invocations may run at the same time; 0 leaves that to who invokes it.
	AtOnce int
	Traced bool
	Key    awskms.IKey // of its table, queues and log group; nil for those of AWS
}

// functionMemory is in MB. No function holds more than 24 (50 shares and 20 teardowns at once, amd64):
//
//	go test ./pkg/rehearsal -run '^$' -bench 'Functions$' -benchtime 1x
//
// so that 128, the least, would do. Lambda gives processor time in proportion to memory, and a cold start is mostly that.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const functionMemory = 256

// newFunction makes a function from a compiled Go handler, with its own log group and its own role.
func newFunction(scope constructs.Construct, id string, p functionProps) awslambda.Function {
	self := constructs.NewConstruct(scope, jsii.String(id))
	logs := awslogs.NewLogGroup(self, jsii.String("Logs"), &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		EncryptionKey: p.Key,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	if p.Traced {
		p.Permissions = append(p.Permissions, traces())
	}
	if p.Key != nil {
		p.Permissions = append(p.Permissions, throughKey(p.Key))
	}
	writeLogs := allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, *logs.LogGroupArn())
	role := awsiam.NewRole(self, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Path:           jsii.String(p.RolePath),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"function": document(append(p.Permissions, writeLogs))},
	})
	environment := make(map[string]*string, len(p.Environment))
	for name, value := range p.Environment {
		environment[name] = jsii.String(value)
	}
	props := &awslambda.FunctionProps{
		Description:   jsii.String(p.Description),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          awslambda.Code_FromAsset(jsii.String(p.Code), nil),
		MemorySize:    jsii.Number(functionMemory),
		Timeout:       seconds(p.Timeout),
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

// traces lets X-Ray have segments. The calls name no resource.
func traces() permission {
	return allow([]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*")
}
