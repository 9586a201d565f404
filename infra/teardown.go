package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// newTeardown makes the state machine teardown. It has one Standard execution for each origin and generation.
func newTeardown(
	scope constructs.Construct, id string, function awslambda.Function, rolePath string, traced bool,
) awsstepfunctions.CfnStateMachine {
	self := constructs.NewConstruct(scope, jsii.String(id))
	permissions := []parts.Permission{parts.Allow([]string{"lambda:InvokeFunction"}, *function.FunctionArn())}
	if traced {
		permissions = append(permissions, parts.Traces())
	}
	role := awsiam.NewRole(self, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), nil),
		Path:      jsii.String(rolePath),
	})
	parts.Inline(role, "machine", permissions)
	props := &awsstepfunctions.CfnStateMachineProps{
		StateMachineType:        jsii.String("STANDARD"),
		RoleArn:                 role.RoleArn(),
		DefinitionString:        jsii.String(teardownMachine().json("")),
		DefinitionSubstitutions: map[string]*string{functionSubstitution: function.FunctionArn()},
	}
	if traced {
		props.TracingConfiguration = &awsstepfunctions.CfnStateMachine_TracingConfigurationProperty{Enabled: jsii.Bool(true)}
	}
	return awsstepfunctions.NewCfnStateMachine(self, jsii.String("Machine"), props)
}
