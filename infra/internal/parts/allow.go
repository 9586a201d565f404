// Package parts holds what the hub stack and the constructs of teams are both made of: functions, rules with their dead letters,
// and statements of policies.
package parts

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// Region is the Region of all stacks: RAM keeps shares of global resources in us-east-1 only, and CloudTrail records CloudFront's calls
// there.
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-regional-vs-global.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/logging_using_cloudtrail.html
const Region = "us-east-1"

// Keep is the removal policy of what outlives its stack. When the first deployment fails, it is deleted nevertheless: nothing is in it yet,
// and a bus that stayed would block the next deployment by its name.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
const Keep = awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE

// Account returns the account that the stack is deployed in, as a token that may be part of a longer string.
func Account() string { return *awscdk.Aws_ACCOUNT_ID() }

// A Condition is the Condition element of a policy statement: operator, key, value.
type Condition map[string]map[string]any

// A Permission is one statement of a role's policy.
type Permission struct {
	Actions   []string
	Resources []string // or the single entry of a token list
	Condition Condition
	// Only is the condition of the template on which the role has the permission; nil: always.
	Only awscdk.CfnCondition
}

// Allow returns the permission for actions on resources.
func Allow(actions []string, resources ...string) Permission {
	return Permission{Actions: actions, Resources: resources}
}

// When returns p with a condition.
func (p Permission) When(c Condition) Permission {
	p.Condition = c
	return p
}

// On returns p for a role that has it only if a condition of the template holds.
func (p Permission) On(c awscdk.CfnCondition) Permission {
	p.Only = c
	return p
}

// Statement returns p in the form of CDK, for the policies of resources. It ignores Only.
func (p Permission) Statement() awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(p.Actions...), Resources: jsii.Strings(p.Resources...)}
	if p.Condition != nil {
		props.Conditions = p.Condition.Props()
	}
	return awsiam.NewPolicyStatement(props)
}

// statement returns p as a template has it.
func (p Permission) statement() any {
	s := map[string]any{"Action": short(p.Actions), "Effect": "Allow", "Resource": short(p.Resources)}
	if p.Condition != nil {
		s["Condition"] = *p.Condition.Props()
	}
	if p.Only != nil {
		return If(p.Only, s, nil)
	}
	return s
}

// short returns a list of one string as that string. The entry of a token list cannot leave its list.
func short(list []string) any {
	if len(list) == 1 && !strings.HasPrefix(list[0], "#{Token[") {
		return list[0]
	}
	return list
}

// If returns the value that a template has if a condition holds, and the value that it has otherwise. A value of nil is no value.
func If(c awscdk.CfnCondition, holds, otherwise any) any {
	if otherwise == nil {
		otherwise = awscdk.Aws_NO_VALUE()
	}
	return awscdk.Fn_ConditionIf(c.LogicalId(), holds, otherwise)
}

// Props returns c in the form of CDK.
func (c Condition) Props() *map[string]any {
	props := make(map[string]any, len(c))
	for operator, keys := range c {
		props[operator] = keys
	}
	return &props
}

// Inline gives a role its permissions as an inline policy, which is created with the role, so that nothing can use the role before it is
// complete. It writes the policy itself, because the policies of CDK cannot depend on a condition of the template.
func Inline(role awsiam.Role, name string, permissions []Permission) {
	statements := make([]any, len(permissions))
	for i, p := range permissions {
		statements[i] = p.statement()
	}
	role.Node().DefaultChild().(awsiam.CfnRole).SetPolicies(&[]any{ //nolint:errcheck // NewRole made it
		&awsiam.CfnRole_PolicyProperty{
			PolicyName:     jsii.String(name),
			PolicyDocument: map[string]any{"Statement": statements, "Version": "2012-10-17"},
		},
	})
}
