// Package parts holds what the hub stack and the constructs of teams are both made of: functions, rules with their dead letters,
// and statements of policies.
package parts

import (
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
	Resources []string
	Condition Condition
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

// Statement returns p in the form of CDK.
func (p Permission) Statement() awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(p.Actions...), Resources: jsii.Strings(p.Resources...)}
	if p.Condition != nil {
		props.Conditions = p.Condition.Props()
	}
	return awsiam.NewPolicyStatement(props)
}

// Props returns c in the form of CDK.
func (c Condition) Props() *map[string]any {
	props := make(map[string]any, len(c))
	for operator, keys := range c {
		props[operator] = keys
	}
	return &props
}

// Document returns permissions as an inline policy, which is created with its role, so that nothing can use the role before it is complete.
func Document(permissions []Permission) awsiam.PolicyDocument {
	statements := make([]awsiam.PolicyStatement, len(permissions))
	for i, p := range permissions {
		statements[i] = p.Statement()
	}
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}
