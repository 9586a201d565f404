package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// condition is the Condition element of a policy statement: operator, key, value.
type condition map[string]map[string]any

// permission is one statement of a role's policy.
type permission struct {
	Actions   []string
	Resources []string
	When      condition
}

// allow reads as "these actions on these resources".
func allow(actions []string, resources ...string) permission {
	return permission{Actions: actions, Resources: resources}
}

func (p permission) when(c condition) permission {
	p.When = c
	return p
}

func (p permission) statement() awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(p.Actions...), Resources: jsii.Strings(p.Resources...)}
	if p.When != nil {
		props.Conditions = p.When.props()
	}
	return awsiam.NewPolicyStatement(props)
}

func (c condition) props() *map[string]any {
	props := make(map[string]any, len(c))
	for operator, keys := range c {
		props[operator] = keys
	}
	return &props
}

// document is an inline policy: it is created with its role, so that nothing can use the role before it is complete.
func document(permissions []permission) awsiam.PolicyDocument {
	statements := make([]awsiam.PolicyStatement, len(permissions))
	for i, p := range permissions {
		statements[i] = p.statement()
	}
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}

// account is the account that the stack is deployed in, as a token that may be part of a longer string.
func account() string { return *awscdk.Aws_ACCOUNT_ID() }
