package infra

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/team"
	"github.com/originhub/originhub/pkg/contract"
)

// The constructs of package team work in a CDK app that is not originhub's. The test is in this package and not in package team, because
// a second process that loads the CDK takes ten seconds.
func TestConstructsOfTeamsWorkInOtherApps(t *testing.T) {
	dir, targets := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(targets, "bootstrap"), []byte("targets"), 0o755); err != nil {
		t.Fatal(err)
	}
	app := newApp(&dir)
	stack := awscdk.NewStack(app, jsii.String("orders"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String("111111111111"), Region: jsii.String("us-east-1")},
	})
	team.NewSpoke(stack, "Spoke", team.SpokeProps{HubAccount: "100000000000", HubName: "networking", ExternalID: "0f1e2d3c4b5a"})
	team.NewPrivateService(stack, "Service", team.PrivateServiceProps{
		Name: "orders", Host: "orders.example.com", BasePath: "orders", Paths: "/orders/",
		CIDR: "10.20.0.0/24", Subnets: [2]string{"10.20.0.0/25", "10.20.0.128/25"},
		HubAccount: "100000000000", Certificate: "arn:aws:acm:us-east-1:111111111111:certificate/0123abcd", PrefixList: team.OriginFacing,
		Function: awslambda.NewFunction(stack, jsii.String("Orders"), &awslambda.FunctionProps{
			Runtime: awslambda.Runtime_PYTHON_3_13(), Handler: jsii.String("index.handler"),
			Code: awslambda.Code_FromInline(jsii.String("def handler(event, context): pass")),
		}),
		Targets: targets,
	})
	team.NewSharedOrigin(stack, "Origin", team.SharedOriginProps{
		Name: "invoices", Host: "invoices.example.com", Paths: "/invoices/", HubAccount: "200000000000",
		Balancer:     "arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/app/invoices/0123456789abcdef",
		BalancerName: "internal-invoices-123.eu-central-1.elb.amazonaws.com",
	})
	app.Synth(nil)
	synthesized, err := readTemplate(dir, "orders")
	if err != nil {
		t.Fatal(err)
	}
	origins := map[string][]string{} // the tags of each, by name
	for _, id := range synthesized.all("AWS::CloudFront::VpcOrigin") {
		p := synthesized.Resources[id].Properties
		name := p["VpcOriginEndpointConfig"].(map[string]any)["Name"].(string)
		for _, tag := range p["Tags"].([]any) {
			origins[name] = append(origins[name], tag.(map[string]any)["Key"].(string))
		}
	}
	wanted := []string{contract.TagDomain, contract.TagHost, contract.TagPaths}
	if len(origins) != 2 || !slices.Equal(origins["orders"], wanted) || !slices.Equal(origins["invoices"], wanted) {
		t.Errorf("VPC origins with tags: %v", origins)
	}
	var principals []string
	for _, id := range synthesized.all("AWS::RAM::ResourceShare") {
		principals = append(principals, list(synthesized.Resources[id].Properties["Principals"])...)
	}
	if slices.Sort(principals); !slices.Equal(principals, []string{"100000000000", "200000000000"}) {
		t.Errorf("shared with %v", principals)
	}
}
