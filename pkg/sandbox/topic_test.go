package sandbox

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func TestSNSWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	client := sns.NewFromConfig(s.Config(hub, region))
	topic := ok[*sns.CreateTopicOutput](t)(client.CreateTopic(ctx, &sns.CreateTopicInput{
		Name: aws.String("alarms"), Attributes: map[string]string{"DisplayName": "Alarms & more"},
	})).TopicArn
	attributes := ok[*sns.GetTopicAttributesOutput](t)(client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic})).Attributes
	if attributes["DisplayName"] != "Alarms & more" {
		t.Errorf("attributes %v", attributes)
	}
	sent := ok[*sns.PublishOutput](t)(client.Publish(ctx, &sns.PublishInput{
		TopicArn: topic, Message: aws.String("left behind"), Subject: aws.String("dirty"),
		MessageAttributes: map[string]types.MessageAttributeValue{"team": {DataType: aws.String("String"), StringValue: aws.String("b")}},
	}))
	if aws.ToString(sent.MessageId) == "" {
		t.Error("no message id")
	}
	var absent *types.NotFoundException
	_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(aws.ToString(topic) + "x"), Message: aws.String("m")})
	if !errors.As(err, &absent) {
		t.Errorf("publish on an absent topic: %v", err)
	}
}
