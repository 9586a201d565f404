package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	sqsclient "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestPageSizes asks each service for pages of two items, of which there are three.
func TestPageSizes(t *testing.T) {
	s := start(t, Options{Certificates: []Certificate{
		{ARN: "arn:aws:acm:us-east-1:" + hub + ":certificate/1", Names: []string{"a.example.com"}},
		{ARN: "arn:aws:acm:us-east-1:" + hub + ":certificate/2", Names: []string{"b.example.com"}},
		{ARN: "arn:aws:acm:us-east-1:" + hub + ":certificate/3", Names: []string{"c.example.com"}},
	}})
	var resources []string
	for i := range 3 {
		resources = append(resources, strings.ReplaceAll(`
			"Key#": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::`+hub+`:root"}, "Action": "kms:*", "Resource": "*"}]}}},
			"Queue#": {"Type": "AWS::SQS::Queue"},
			"Bus#": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "bus#"}},
			"Rule#": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["a"]}, "Targets": [
				{"Id": "q0", "Arn": {"Fn::GetAtt": ["Queue0", "Arn"]}}, {"Id": "q1", "Arn": {"Fn::GetAtt": ["Queue1", "Arn"]}},
				{"Id": "q2", "Arn": {"Fn::GetAtt": ["Queue2", "Arn"]}}]}},
			"Alarm#": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "alarm#", "Namespace": "AWS/SQS",
				"MetricName": "ApproximateNumberOfMessagesVisible", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
				"ComparisonOperator": "GreaterThanOrEqualToThreshold"}}`, "#", fmt.Sprint(i)))
	}
	ok[map[string]string](t)(s.Deploy(hub, region, "three", []byte(`{"Resources": {`+strings.Join(resources, ",")+`}}`), nil))
	cfg, ctx := s.Config(hub, region), t.Context()
	origins := cloudfront.NewFromConfig(cfg)
	for i := range 3 {
		name := fmt.Sprintf("lb%d", i)
		ok[*cloudfront.CreateVpcOriginOutput](t)(origins.CreateVpcOrigin(ctx, &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: &cftypes.VpcOriginEndpointConfig{
			Name: &name, Arn: aws.String("arn:aws:elasticloadbalancing:us-east-1:" + hub + ":loadbalancer/app/" + name + "/0123456789abcdef"),
			HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443), OriginProtocolPolicy: cftypes.OriginProtocolPolicyHttpsOnly,
		}}))
	}

	eb, watch, balancing := eventbridge.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg), elasticloadbalancingv2.NewFromConfig(cfg)
	keys, queues, certificates := kms.NewFromConfig(cfg), sqsclient.NewFromConfig(cfg), acm.NewFromConfig(cfg)
	rule := aws.ToString(ok[*eventbridge.ListRulesOutput](t)(eb.ListRules(ctx, &eventbridge.ListRulesInput{})).Rules[0].Name)
	queue := ok[*sqsclient.ListQueuesOutput](t)(queues.ListQueues(ctx, &sqsclient.ListQueuesInput{})).QueueUrls[0]
	queueARN := ok[*sqsclient.GetQueueAttributesOutput](t)(queues.GetQueueAttributes(ctx, &sqsclient.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"},
	})).Attributes["QueueArn"]
	for name, list := range map[string]func(token *string, size int32) (n int, next *string, err error){
		"ListRules": func(token *string, size int32) (int, *string, error) {
			out, err := eb.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: token, Limit: &size})
			return count(err, func() (int, *string) { return len(out.Rules), out.NextToken })
		},
		"ListEventBuses": func(token *string, size int32) (int, *string, error) {
			out, err := eb.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{NextToken: token, Limit: &size, NamePrefix: aws.String("bus")})
			return count(err, func() (int, *string) { return len(out.EventBuses), out.NextToken })
		},
		"ListTargetsByRule": func(token *string, size int32) (int, *string, error) {
			out, err := eb.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: &rule, NextToken: token, Limit: &size})
			return count(err, func() (int, *string) { return len(out.Targets), out.NextToken })
		},
		"ListRuleNamesByTarget": func(token *string, size int32) (int, *string, error) {
			out, err := eb.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: &queueARN, NextToken: token, Limit: &size})
			return count(err, func() (int, *string) { return len(out.RuleNames), out.NextToken })
		},
		"DescribeAlarms": func(token *string, size int32) (int, *string, error) {
			out, err := watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{NextToken: token, MaxRecords: &size})
			return count(err, func() (int, *string) { return len(out.MetricAlarms), out.NextToken })
		},
		"ListKeys": func(token *string, size int32) (int, *string, error) {
			out, err := keys.ListKeys(ctx, &kms.ListKeysInput{Marker: token, Limit: &size})
			return count(err, func() (int, *string) { return len(out.Keys), out.NextMarker })
		},
		"ListQueues": func(token *string, size int32) (int, *string, error) {
			out, err := queues.ListQueues(ctx, &sqsclient.ListQueuesInput{NextToken: token, MaxResults: &size})
			return count(err, func() (int, *string) { return len(out.QueueUrls), out.NextToken })
		},
		"ListCertificates": func(token *string, size int32) (int, *string, error) {
			out, err := certificates.ListCertificates(ctx, &acm.ListCertificatesInput{NextToken: token, MaxItems: &size})
			return count(err, func() (int, *string) { return len(out.CertificateSummaryList), out.NextToken })
		},
		"DescribeLoadBalancers": func(token *string, size int32) (int, *string, error) {
			out, err := balancing.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{Marker: token, PageSize: &size})
			return count(err, func() (int, *string) { return len(out.LoadBalancers), out.NextMarker })
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, next, err := list(nil, 2)
			if err != nil || first != 2 || next == nil {
				t.Fatalf("first page: %d items, token %v, %v", first, aws.ToString(next), err)
			}
			second, end, err := list(next, 2)
			if err != nil || second != 1 || end != nil {
				t.Errorf("second page: %d items, token %v, %v", second, aws.ToString(end), err)
			}
			if all, end, err := list(nil, 3); err != nil || all != 3 || end != nil {
				t.Errorf("a page that holds all: %d items, token %v, %v", all, aws.ToString(end), err)
			}
			if _, _, err := list(aws.String("something"), 2); err == nil {
				t.Error("a token of somebody else's was accepted")
			}
			if _, _, err := list(nil, 100000); err == nil {
				t.Error("a page of 100000 items was accepted")
			}
		})
	}
}

func count(err error, read func() (int, *string)) (int, *string, error) {
	if err != nil {
		return 0, nil, err
	}
	n, next := read()
	return n, next, nil
}

// A load balancer that DescribeLoadBalancers finds, and that no stack created, has no listeners and no target groups.
func TestAssumption_NET_18_ListenersOfADerivedBalancer(t *testing.T) {
	s := start(t, Options{})
	client := elasticloadbalancingv2.NewFromConfig(s.Config(team, region))
	for arn, found := range map[string]bool{
		"arn:aws:elasticloadbalancing:us-east-1:" + team + ":loadbalancer/app/a/0123456789abcdef": true,
		"arn:aws:elasticloadbalancing:us-east-1:" + hub + ":loadbalancer/app/a/0123456789abcdef":  false,
	} {
		_, err := client.DescribeLoadBalancers(t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
		if (err == nil) != found {
			t.Errorf("%s: %v", arn, err)
		}
		listeners, err := client.DescribeListeners(t.Context(), &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: &arn})
		if (err == nil) != found || found && len(listeners.Listeners) != 0 {
			t.Errorf("listeners of %s: %v", arn, err)
		}
		groups, err := client.DescribeTargetGroups(t.Context(), &elasticloadbalancingv2.DescribeTargetGroupsInput{LoadBalancerArn: &arn})
		if (err == nil) != found || found && len(groups.TargetGroups) != 0 {
			t.Errorf("target groups of %s: %v", arn, err)
		}
	}
}
