package team

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

type balancerProps struct {
	Network     network
	Host        string // the only host that the load balancer forwards
	Certificate string // ARN, in the load balancer's Region
}

type balancer struct {
	LoadBalancer awselasticloadbalancingv2.CfnLoadBalancer
	Targets      awselasticloadbalancingv2.CfnTargetGroup
	Rule         awselasticloadbalancingv2.CfnListenerRule
}

// newBalancer makes the internal load balancer that CloudFront connects to. It is the team's own layer of isolation: a request for any
// other host gets 403, whatever a distribution routes to it by mistake.
//
// The targets are the addresses of an interface endpoint. CloudFormation does not return these addresses, and AWS may replace them;
// newTargets keeps them registered.
func newBalancer(scope constructs.Construct, id string, p balancerProps) balancer {
	self := constructs.NewConstruct(scope, jsii.String(id))
	b := balancer{}
	b.LoadBalancer = awselasticloadbalancingv2.NewCfnLoadBalancer(self, jsii.String("LoadBalancer"), &awselasticloadbalancingv2.CfnLoadBalancerProps{
		Type: jsii.String("application"), Scheme: jsii.String("internal"),
		Subnets: &p.Network.Subnets, SecurityGroups: &[]any{p.Network.BalancerGroup.Ref()},
		LoadBalancerAttributes: &[]any{&awselasticloadbalancingv2.CfnLoadBalancer_LoadBalancerAttributeProperty{
			Key: jsii.String("routing.http.drop_invalid_header_fields.enabled"), Value: jsii.String("true"),
		}},
	})
	b.Targets = awselasticloadbalancingv2.NewCfnTargetGroup(self, jsii.String("Targets"), &awselasticloadbalancingv2.CfnTargetGroupProps{
		TargetType: jsii.String("ip"), Protocol: jsii.String("HTTPS"), Port: jsii.Number(443), VpcId: p.Network.VPC.Ref(),
		HealthCheckProtocol: jsii.String("HTTPS"), HealthCheckPath: jsii.String("/"),
		// A health check sends the target's address as Host, which is the name of no API. A healthy endpoint answers that with 403.
		Matcher: &awselasticloadbalancingv2.CfnTargetGroup_MatcherProperty{HttpCode: jsii.String("200,403")},
	})
	listener := awselasticloadbalancingv2.NewCfnListener(self, jsii.String("Listener"), &awselasticloadbalancingv2.CfnListenerProps{
		LoadBalancerArn: b.LoadBalancer.Ref(), Protocol: jsii.String("HTTPS"), Port: jsii.Number(443),
		// TLS 1.2, the newest version that CloudFront uses with an origin, and TLS 1.3.
		SslPolicy:    jsii.String("ELBSecurityPolicy-TLS13-1-2-2021-06"),
		Certificates: &[]any{&awselasticloadbalancingv2.CfnListener_CertificateProperty{CertificateArn: jsii.String(p.Certificate)}},
		DefaultActions: &[]any{&awselasticloadbalancingv2.CfnListener_ActionProperty{
			Type: jsii.String("fixed-response"),
			FixedResponseConfig: &awselasticloadbalancingv2.CfnListener_FixedResponseConfigProperty{
				StatusCode: jsii.String("403"), ContentType: jsii.String("text/plain"), MessageBody: jsii.String("403 Forbidden"),
			},
		}},
	})
	b.Rule = awselasticloadbalancingv2.NewCfnListenerRule(self, jsii.String("Host"), &awselasticloadbalancingv2.CfnListenerRuleProps{
		ListenerArn: listener.Ref(), Priority: jsii.Number(1),
		Conditions: &[]any{&awselasticloadbalancingv2.CfnListenerRule_RuleConditionProperty{
			Field:            jsii.String("host-header"),
			HostHeaderConfig: &awselasticloadbalancingv2.CfnListenerRule_HostHeaderConfigProperty{Values: jsii.Strings(p.Host)},
		}},
		Actions: &[]any{&awselasticloadbalancingv2.CfnListenerRule_ActionProperty{
			Type: jsii.String("forward"), TargetGroupArn: b.Targets.Ref(),
		}},
	})
	return b
}
