package team_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/team"
)

// TestMain ends the jsii kernel, which would otherwise leave its files behind.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "originhub-team-")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("CDK_OUTDIR", dir)
	code := m.Run()
	jsii.Close()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// The CDK app of a team that has a function and nothing private yet.
func Example() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("orders"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String("111111111111"), Region: jsii.String("us-east-1")},
	})
	// Once in an account, whatever it shares.
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
		Paths:    "/orders/", // everything below it
		CIDR:     "10.20.0.0/24",
		Subnets:  [2]string{"10.20.0.0/25", "10.20.0.128/25"},

		HubAccount:  "100000000000",
		Certificate: "arn:aws:acm:us-east-1:111111111111:certificate/0123abcd",
		PrefixList:  team.OriginFacing,

		Function: orders,
		Targets:  "testdata/targets", // go build -o testdata/targets/bootstrap github.com/originhub/originhub/functions/targets
	})
	awscdk.NewCfnOutput(stack, jsii.String("OriginId"), &awscdk.CfnOutputProps{Value: origin.Ref()})

	template := app.Synth(nil).GetStackByName(jsii.String("orders")).Template().(map[string]any)
	resources := template["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		resource := resources[id].(map[string]any)
		if resource["Type"] == "AWS::CloudFront::VpcOrigin" {
			fmt.Println(resource["Type"], "with the tags:")
			for _, tag := range resource["Properties"].(map[string]any)["Tags"].([]any) {
				fmt.Println(tag.(map[string]any)["Key"])
			}
		}
	}
	// Output:
	// AWS::CloudFront::VpcOrigin with the tags:
	// originhub:domain
	// originhub:host
	// originhub:paths
}

// The CDK app of a team that has an internal load balancer.
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
	template := app.Synth(nil).GetStackByName(jsii.String("orders")).Template().(map[string]any)
	for _, resource := range template["Resources"].(map[string]any) {
		if resource := resource.(map[string]any); resource["Type"] == "AWS::RAM::ResourceShare" {
			fmt.Println("shared with", resource["Properties"].(map[string]any)["Principals"])
		}
	}
	// Output: shared with [100000000000]
}
