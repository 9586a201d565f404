package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
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
	RolePath    string // see hubRolePath
}

// newFunction makes a function from a compiled Go handler, with its own log group and its own role.
func newFunction(scope constructs.Construct, id string, p functionProps) awslambda.Function {
	self := constructs.NewConstruct(scope, jsii.String(id))
	logs := awslogs.NewLogGroup(self, jsii.String("Logs"), &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
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
	return awslambda.NewFunction(self, jsii.String("Function"), &awslambda.FunctionProps{
		Description:   jsii.String(p.Description),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          awslambda.Code_FromAsset(jsii.String(p.Code), nil),
		MemorySize:    jsii.Number(256),
		Timeout:       seconds(p.Timeout),
		Environment:   &environment,
		Role:          role,
		LogGroup:      logs,
		LoggingFormat: awslambda.LoggingFormat_JSON,
	})
}
