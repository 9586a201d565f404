package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// eventsInto makes a queue in an account and lets the rule with the pattern fill it; it answers what has arrived so far.
func eventsInto(t *testing.T, s *Sandbox, account, pattern string) func() []map[string]any {
	t.Helper()
	ctx := context.Background()
	queues := sqs.NewFromConfig(s.Config(account, region))
	buses := eventbridge.NewFromConfig(s.Config(account, region))
	arn := "arn:aws:sqs:" + region + ":" + account + ":seen"
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`
	url := ok[*sqs.CreateQueueOutput](t)(queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("seen"), Attributes: map[string]string{"Policy": policy},
	})).QueueUrl
	ok[*eventbridge.PutRuleOutput](t)(buses.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("seen"), EventPattern: aws.String(pattern)}))
	put := ok[*eventbridge.PutTargetsOutput](t)(buses.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: aws.String("seen"), Targets: []ebtypes.Target{{Id: aws.String("1"), Arn: aws.String(arn)}},
	}))
	if put.FailedEntryCount != 0 {
		t.Fatalf("targets: %+v", put.FailedEntries)
	}
	return func() []map[string]any {
		var seen []map[string]any
		out := ok[*sqs.ReceiveMessageOutput](t)(queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10}))
		for _, m := range out.Messages {
			var event map[string]any
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &event); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, event)
		}
		return seen
	}
}

func TestSharingWithTheRealClients(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	seen := eventsInto(t, s, hub, `{"source":["aws.ram"]}`)
	origin := ok[*cloudfront.CreateVpcOriginOutput](t)(cloudfront.NewFromConfig(s.Config(team, region)).CreateVpcOrigin(ctx,
		&cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpointConfig()})).VpcOrigin
	s.UntilIdle()
	spoke, central := ram.NewFromConfig(s.Config(team, region)), ram.NewFromConfig(s.Config(hub, region))
	share := ok[*ram.CreateResourceShareOutput](t)(spoke.CreateResourceShare(ctx, &ram.CreateResourceShareInput{
		Name: aws.String("team-a"), Principals: []string{hub}, ResourceArns: []string{aws.ToString(origin.Arn)}, AllowExternalPrincipals: aws.Bool(true),
	})).ResourceShare
	if share.CreationTime == nil || !share.CreationTime.Equal(s.Now()) {
		t.Errorf("created %v, now %v", share.CreationTime, s.Now())
	}
	s.UntilIdle()
	invitations := ok[*ram.GetResourceShareInvitationsOutput](t)(central.GetResourceShareInvitations(ctx, &ram.GetResourceShareInvitationsInput{})).ResourceShareInvitations
	if len(invitations) != 1 || invitations[0].Status != ramtypes.ResourceShareInvitationStatusPending {
		t.Fatalf("invitations %+v", invitations)
	}
	ok[*ram.AcceptResourceShareInvitationOutput](t)(central.AcceptResourceShareInvitation(ctx, &ram.AcceptResourceShareInvitationInput{
		ResourceShareInvitationArn: invitations[0].ResourceShareInvitationArn,
	}))
	s.UntilIdle()
	resources := ok[*ram.ListResourcesOutput](t)(central.ListResources(ctx, &ram.ListResourcesInput{ResourceOwner: ramtypes.ResourceOwnerOtherAccounts})).Resources
	if len(resources) != 1 || aws.ToString(resources[0].Arn) != aws.ToString(origin.Arn) {
		t.Errorf("resources %+v", resources)
	}
	events := seen()
	if len(events) == 0 {
		t.Fatal("no event of RAM arrived")
	}
	for _, e := range events {
		if e["source"] != "aws.ram" || e["account"] != hub {
			t.Errorf("event %v", e)
		}
	}
	_, err := central.AcceptResourceShareInvitation(ctx, &ram.AcceptResourceShareInvitationInput{
		ResourceShareInvitationArn: invitations[0].ResourceShareInvitationArn,
	})
	var decided *ramtypes.ResourceShareInvitationAlreadyAcceptedException
	if !errors.As(err, &decided) {
		t.Errorf("accept twice: %v", err)
	}
}

func TestEventsWithTheRealClient(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	seen := eventsInto(t, s, hub, `{"source":["originhub"],"detail":{"severity":["alarm"]}}`)
	client := eventbridge.NewFromConfig(s.Config(hub, region))
	entry := func(source, detail string) ebtypes.PutEventsRequestEntry {
		return ebtypes.PutEventsRequestEntry{Source: aws.String(source), DetailType: aws.String("OriginRefused"), Detail: aws.String(detail)}
	}
	put := ok[*eventbridge.PutEventsOutput](t)(client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		entry("originhub", `{"severity":"alarm"}`), entry("originhub", `{"severity":"info"}`), entry("aws.ram", `{"severity":"alarm"}`),
	}}))
	if put.FailedEntryCount != 1 || put.Entries[2].ErrorCode == nil {
		t.Errorf("a forged source passed: %+v", put.Entries)
	}
	s.UntilIdle()
	events := seen()
	if len(events) != 1 || events[0]["detail-type"] != "OriginRefused" || events[0]["account"] != hub {
		t.Errorf("events %v", events)
	}
	test := ok[*eventbridge.TestEventPatternOutput](t)(client.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{
		EventPattern: aws.String(`{"source":["originhub"]}`),
		Event:        aws.String(`{"id":"1","source":"originhub","detail-type":"x","account":"1","time":"2035-01-08T09:00:00Z","region":"us-east-1","resources":[],"detail":{}}`),
	}))
	if !test.Result {
		t.Error("the pattern does not match")
	}
	_, err := client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("broken"), EventPattern: aws.String(`{"source":"originhub"}`)})
	var invalid *ebtypes.InvalidEventPatternException
	if !errors.As(err, &invalid) {
		t.Errorf("broken pattern: %v", err)
	}
}

func TestDroppedEventsByRule(t *testing.T) {
	s := start(t, Options{})
	ctx := context.Background()
	seen := eventsInto(t, s, team, `{"source":["aws.cloudfront"],"detail-type":["AWS API Call via CloudTrail"]}`)
	if err := s.Faults().Add(Rule{Fault: "event-drop", Source: "aws.*", Account: team}); err != nil {
		t.Fatal(err)
	}
	client := cloudfront.NewFromConfig(s.Config(team, region))
	made := ok[*cloudfront.CreateVpcOriginOutput](t)(client.CreateVpcOrigin(ctx, &cloudfront.CreateVpcOriginInput{VpcOriginEndpointConfig: endpointConfig()}))
	s.UntilIdle()
	if events := seen(); len(events) != 0 {
		t.Errorf("events %v", events)
	}
	s.Faults().Reset()
	ok[*cloudfront.DeleteVpcOriginOutput](t)(client.DeleteVpcOrigin(ctx, &cloudfront.DeleteVpcOriginInput{Id: made.VpcOrigin.Id, IfMatch: made.ETag}))
	s.UntilIdle()
	events := seen()
	if len(events) != 1 || events[0]["detail"].(map[string]any)["eventName"] != "DeleteVpcOrigin" {
		t.Errorf("events %v", events)
	}
}
