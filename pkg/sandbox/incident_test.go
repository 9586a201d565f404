package sandbox

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// An operator finds the log group of a function from the outputs of its stack, and in CloudTrail who did what.
func TestAnIncidentIsLookedIntoWithTheRealClients(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	const template = `{"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}}, "Outputs": {"Log": {"Value": {"Ref": "Log"}}}}`
	if _, err := s.Deploy(hub, region, "hub", []byte(template), nil); err != nil {
		t.Fatal(err)
	}
	stacks := ok[*cloudformation.DescribeStacksOutput](t)(cloudformation.NewFromConfig(s.Config(hub, region)).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: aws.String("hub")})).Stacks
	group := stacks[0].Outputs[0].OutputValue
	found := ok[*cloudwatchlogs.FilterLogEventsOutput](t)(cloudwatchlogs.NewFromConfig(s.Config(hub, region)).FilterLogEvents(ctx,
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("?ERROR ?errorType ?timeout")}))
	if len(found.Events) > 0 {
		t.Errorf("nothing was logged: %+v", found.Events)
	}

	ok[*sns.CreateTopicOutput](t)(sns.NewFromConfig(s.Config(hub, region)).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("alarms")}))
	s.Advance(cloud.TrailDelay)
	done := ok[*cloudtrail.LookupEventsOutput](t)(cloudtrail.NewFromConfig(s.Config(hub, region)).LookupEvents(ctx, &cloudtrail.LookupEventsInput{
		LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("CreateTopic")}},
	})).Events
	if len(done) != 1 || aws.ToString(done[0].Username) != "root" {
		t.Errorf("%+v", done)
	}
}
