package registry_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
)

func TestUpdatesAreWrittenByOneRunAtATime(t *testing.T) {
	t.Parallel()
	ctx, s, r := open(t)
	first, now, err := r.Updates(ctx)
	if err != nil || !now.Equal(s.Now().Truncate(time.Second)) || first.Version != 0 {
		t.Fatalf("read %+v at %v, %v", first, now, err)
	}
	first.Sent = []origin.SentUpdate{{Distribution: "main", Urgent: true, At: now}}
	first.Waiting = []origin.WaitingUpdate{{Distribution: "main-2", Since: now, Due: now.Add(time.Minute)}}
	first.Throttled = now
	rig.OK(t, r.PutUpdates(ctx, first))
	rig.Want[*fault.Reread](t, "another run was faster", r.PutUpdates(ctx, first))
	second, _, err := r.Updates(ctx)
	first.Version = 1
	if diff := cmp.Diff(first, second); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	rig.OK(t, r.PutUpdates(ctx, second))
	snapshot := rig.Must[origin.Snapshot](t)(r.Load(ctx))
	if len(snapshot.Records)+len(snapshot.Distributions)+len(snapshot.Damaged) > 0 {
		t.Errorf("the item was taken for another: %+v", snapshot)
	}
	rig.Refuse(s, "BatchGetItem", "ThrottlingException", 400)
	_, _, err = r.Updates(ctx)
	rig.Want[*fault.Retry](t, "throttled read", err)
}

// Nobody knows which updates were sent if the item cannot be read. It is taken for one of an account that CloudFront has just throttled, and can be
// written again.
func TestDamagedUpdatesCountAsThrottled(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]map[string]types.AttributeValue{
		"document":   {"version": &types.AttributeValueMemberN{Value: "4"}, "document": &types.AttributeValueMemberS{Value: `{"Sent":[`}},
		"version":    {"version": &types.AttributeValueMemberS{Value: "four"}, "document": &types.AttributeValueMemberS{Value: `{}`}},
		"no version": {},
	} {
		ctx, s, r := open(t)
		item := map[string]types.AttributeValue{
			contract.RegistryPartition: &types.AttributeValueMemberS{Value: contract.RegistryUpdates}, contract.RegistrySort: &types.AttributeValueMemberS{Value: "budget"},
		}
		for k, v := range damage {
			item[k] = v
		}
		rig.Must[*dynamodb.PutItemOutput](t)(dynamodb.NewFromConfig(s.Config(rig.Hub, rig.Region)).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}))
		got, now, err := r.Updates(ctx)
		if err != nil || !got.Throttled.Equal(now) || len(got.Sent) > 0 {
			t.Fatalf("%s: read %+v, %v", name, got, err)
		}
		got.Sent = []origin.SentUpdate{{Distribution: "main", At: now}}
		rig.OK(t, r.PutUpdates(ctx, got))
		if again, _, err := r.Updates(ctx); err != nil || len(again.Sent) != 1 || again.Version < 1 {
			t.Errorf("%s: read %+v, %v", name, again, err)
		}
	}
}
