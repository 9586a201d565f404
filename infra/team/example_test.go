package team_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/team"
)

// The CDK app of a team that has a function and no private network yet.
func Example() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("orders"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String("111111111111"), Region: jsii.String("us-east-1")},
	})
	// One spoke in each account, however many origins it shares.
	team.NewSpoke(stack, "Spoke", team.SpokeProps{HubAccount: "100000000000", HubName: "networking", ExternalID: "0f1e2d3c4b5a"})

	orders := awslambda.NewFunction(stack, jsii.String("Orders"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_PYTHON_3_13(),
		Handler: jsii.String("index.handler"),
		Code:    awslambda.Code_FromInline(jsii.String(`def handler(event, context): return {"statusCode": 200, "body": "[]"}`)),
	})
	origin := team.NewPrivateService(stack, "Service", team.PrivateServiceProps{
		Name:     "orders",
		Host:     "orders.example.com",
		BasePath: "orders",
		Paths:    "/orders/", // and everything below it
		CIDR:     "10.20.0.0/24",
		Subnets:  [2]string{"10.20.0.0/25", "10.20.0.128/25"},

		HubAccount:  "100000000000",
		Certificate: "arn:aws:acm:us-east-1:111111111111:certificate/0123abcd",
		PrefixList:  team.OriginFacing,

		Function: orders,
		Targets:  "bin/targets", // go build -o bin/targets/bootstrap github.com/originhub/originhub/functions/targets
	})
	awscdk.NewCfnOutput(stack, jsii.String("OriginId"), &awscdk.CfnOutputProps{Value: origin.Ref()})

	app.Synth(nil)
}

// The CDK app of a team that already has an internal load balancer.
func ExampleNewSharedOrigin() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("orders"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String("111111111111"), Region: jsii.String("us-east-1")},
	})
	team.NewSharedOrigin(stack, "Origin", team.SharedOriginProps{
		Name:         "orders",
		Host:         "orders.example.com",
		Paths:        "/orders/",
		HubAccount:   "100000000000",
		Balancer:     "arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/app/orders/0123456789abcdef",
		BalancerName: "internal-orders-123.eu-central-1.elb.amazonaws.com",
	})
	app.Synth(nil)
}
