package sns

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/front"
)

func TestTheRealClientUnderstands(t *testing.T) {
	l := newLab(t)
	door, err := front.New(front.Options{World: l.w})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door)
	defer server.Close()
	c := client.New(client.Options{
		Region: region, BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(hub, "s", ""),
	})
	ctx := context.Background()
	made, err := c.CreateTopic(ctx, &client.CreateTopicInput{
		Name: aws.String("alarm"), Attributes: map[string]string{"DisplayName": "Alarms"}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Subscribe(ctx, &client.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("a@example.com")}); err != nil {
		t.Fatal(err)
	}
	sent, err := c.Publish(ctx, &client.PublishInput{
		TopicArn: made.TopicArn, Message: aws.String("left something"), Subject: aws.String("teardown"),
		MessageAttributes: map[string]types.MessageAttributeValue{"severity": {DataType: aws.String("String"), StringValue: aws.String("alarm")}},
	})
	if err != nil || aws.ToString(sent.MessageId) == "" {
		t.Fatalf("got %+v, %v", sent, err)
	}
	attributes, err := c.GetTopicAttributes(ctx, &client.GetTopicAttributesInput{TopicArn: made.TopicArn})
	if err != nil || attributes.Attributes["DisplayName"] != "Alarms" || attributes.Attributes["SubscriptionsPending"] != "1" {
		t.Errorf("got %+v, %v", attributes, err)
	}
	topics, err := c.ListTopics(ctx, &client.ListTopicsInput{})
	if err != nil || len(topics.Topics) != 1 || aws.ToString(topics.Topics[0].TopicArn) != aws.ToString(made.TopicArn) {
		t.Errorf("got %+v, %v", topics, err)
	}
	subscriptions, err := c.ListSubscriptions(ctx, &client.ListSubscriptionsInput{})
	if err != nil || len(subscriptions.Subscriptions) != 1 || aws.ToString(subscriptions.Subscriptions[0].Endpoint) != "a@example.com" {
		t.Errorf("got %+v, %v", subscriptions, err)
	}
	_, err = c.Publish(ctx, &client.PublishInput{TopicArn: aws.String("arn:aws:sns:us-east-1:999999999999:x"), Message: aws.String("m")})
	var refused *types.AuthorizationErrorException
	if !errors.As(err, &refused) {
		t.Errorf("another account's topic: %v", err)
	}
}
