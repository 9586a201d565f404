package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newHeaders makes the response headers policy of distributions that the hub creates, and returns its id. It drops the header by which an answer of one team lets its service worker control the paths of others on the same host. CloudFront removes the
// header from every response (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html).
//
// It outlives the stack, because distributions use it. So its name differs from that of another deployment of the hub: it ends with the id of the stack.
// It has no condition: a hub that adopted distributions for a while would make it again under a name that exists.
func newHeaders(scope constructs.Construct, id string, in inputs) string {
	unique := awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), awscdk.Aws_STACK_ID(), nil))
	policy := awscloudfront.NewCfnResponseHeadersPolicy(scope, jsii.String(id), &awscloudfront.CfnResponseHeadersPolicyProps{
		ResponseHeadersPolicyConfig: map[string]any{
			"name":    "originhub-" + in.hub + "-" + *unique,
			"comment": "originhub: a service worker of one team controls only the paths of its own script",
			"removeHeadersConfig": map[string]any{
				"items": []any{map[string]any{"header": "Service-Worker-Allowed"}},
			},
		},
	})
	policy.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return *policy.Ref()
}
