package team

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// stageName is the name of the API's only stage. It is in no path that a viewer sees, because of the base path mapping.
const stageName = "live"

type privateAPIProps struct {
	Name        string
	Host        string // the private domain name
	BasePath    string // one segment; it stays in the path that the function gets
	Certificate string // ARN, in the API's Region
	Endpoint    string // the only VPC endpoint that may call it
	Function    awslambda.Function
}

// newPrivateAPI makes a private REST API with a private domain name. Each of the two has a policy that permits one VPC endpoint and
// nobody else, not even in the same account. AWS evaluates both policies, and that of the endpoint
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html).
//
// The function gets every method and path, so the API never changes. A deployment is a snapshot of the API, and CloudFormation does
// not repeat it when the API changes. If the endpoint in the policy changes, rename the resource Deployment to get a new snapshot.
func newPrivateAPI(scope constructs.Construct, id string, p privateAPIProps) {
	self := constructs.NewConstruct(scope, jsii.String(id))
	private := jsii.Strings("PRIVATE")
	api := awsapigateway.NewCfnRestApi(self, jsii.String("Api"), &awsapigateway.CfnRestApiProps{
		Name:                  jsii.String(p.Name),
		EndpointConfiguration: &awsapigateway.CfnRestApi_EndpointConfigurationProperty{Types: private},
		Policy:                onlyThrough(p.Endpoint),
	})
	anything := awsapigateway.NewCfnResource(self, jsii.String("Anything"), &awsapigateway.CfnResourceProps{
		RestApiId: api.Ref(), ParentId: api.AttrRootResourceId(), PathPart: jsii.String("{proxy+}"),
	})
	method := awsapigateway.NewCfnMethod(self, jsii.String("Any"), &awsapigateway.CfnMethodProps{
		RestApiId: api.Ref(), ResourceId: anything.Ref(), HttpMethod: jsii.String("ANY"), AuthorizationType: jsii.String("NONE"),
		Integration: &awsapigateway.CfnMethod_IntegrationProperty{
			Type: jsii.String("AWS_PROXY"), IntegrationHttpMethod: jsii.String("POST"),
			Uri: jsii.String(fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations", parts.Region, *p.Function.FunctionArn())),
		},
	})
	p.Function.AddPermission(jsii.String("Api"), &awslambda.Permission{
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		SourceArn: jsii.String(fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/*/*", parts.Region, parts.Account(), *api.Ref(), stageName)),
	})
	deployment := awsapigateway.NewCfnDeployment(self, jsii.String("Deployment"), &awsapigateway.CfnDeploymentProps{RestApiId: api.Ref()})
	deployment.Node().AddDependency(method)
	stage := awsapigateway.NewCfnStage(self, jsii.String("Stage"), &awsapigateway.CfnStageProps{
		RestApiId: api.Ref(), DeploymentId: deployment.Ref(), StageName: jsii.String(stageName),
	})

	domain := awsapigateway.NewCfnDomainNameV2(self, jsii.String("Domain"), &awsapigateway.CfnDomainNameV2Props{
		DomainName:            jsii.String(p.Host),
		CertificateArn:        jsii.String(p.Certificate),
		EndpointConfiguration: &awsapigateway.CfnDomainNameV2_EndpointConfigurationProperty{Types: private},
		SecurityPolicy:        jsii.String("TLS_1_2"), // the only one that private domain names support
		Policy:                onlyThrough(p.Endpoint),
	})
	awsapigateway.NewCfnBasePathMappingV2(self, jsii.String("Mapping"), &awsapigateway.CfnBasePathMappingV2Props{
		DomainNameArn: domain.AttrDomainNameArn(), BasePath: jsii.String(p.BasePath), RestApiId: api.Ref(), Stage: stage.Ref(),
	})
	awsapigateway.NewCfnDomainNameAccessAssociation(self, jsii.String("Association"), &awsapigateway.CfnDomainNameAccessAssociationProps{
		DomainNameArn: domain.AttrDomainNameArn(), AccessAssociationSourceType: jsii.String("VPCE"), AccessAssociationSource: jsii.String(p.Endpoint),
	})
}

// onlyThrough returns the policy that API Gateway's guide recommends for one endpoint: it allows everybody, and denies whoever does not
// come through the endpoint. The denial also holds for identities of the account that have execute-api:Invoke.
func onlyThrough(endpoint string) awsiam.PolicyDocument {
	invoke := parts.Allow([]string{"execute-api:Invoke"}, "execute-api:/*")
	elsewhere := invoke.When(parts.Condition{"StringNotEquals": {"aws:SourceVpce": endpoint}}).Statement()
	elsewhere.SetEffect(awsiam.Effect_DENY)
	return forAnybody(invoke.Statement(), elsewhere)
}

// forAnybody returns a resource policy whose statements apply to every principal.
func forAnybody(statements ...awsiam.PolicyStatement) awsiam.PolicyDocument {
	for _, s := range statements {
		s.AddAnyPrincipal()
	}
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}
