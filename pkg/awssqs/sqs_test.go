package awssqs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/originhub/originhub/pkg/awssqs"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
)

func TestMessageIsSeenAfterItsDelay(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	client := sqs.NewFromConfig(s.Config(rig.Hub, rig.Region))
	for name, c := range map[string]struct{ delay, seen time.Duration }{
		"at-once": {0, 0}, "later": {90 * time.Second, 90 * time.Second}, "overdue": {-time.Minute, 0},
		"rounded": {2600 * time.Millisecond, 3 * time.Second}, "too-long": {2 * time.Hour, 15 * time.Minute},
	} {
		url := rig.Must[*sqs.CreateQueueOutput](t)(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name)})).QueueUrl
		receive := func() []string {
			var bodies []string
			out := rig.Must[*sqs.ReceiveMessageOutput](t)(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url}))
			for _, m := range out.Messages {
				bodies = append(bodies, aws.ToString(m.Body))
			}
			return bodies
		}
		rig.OK(t, awssqs.New(s.Config(rig.Hub, rig.Region), *url).Send(ctx, `{"source":"originhub"}`, c.delay))
		if c.seen > 0 {
			s.Advance(c.seen - time.Second)
			if got := receive(); got != nil {
				t.Errorf("%s: a second early there is %q", name, got)
			}
			s.Advance(time.Second)
		}
		if got := receive(); len(got) != 1 || got[0] != `{"source":"originhub"}` {
			t.Errorf("%s: received %q", name, got)
		}
	}
}

func TestQueueThatCannotBeReachedIsRetried(t *testing.T) {
	t.Parallel()
	ctx, s := rig.Start(t)
	q := awssqs.New(s.Config(rig.Hub, rig.Region), s.Endpoint()+"/"+rig.Hub+"/none")
	rig.Want[*fault.Retry](t, "missing queue", q.Send(ctx, "{}", 0))
	rig.Refuse(s, "SendMessage", "AccessDenied", 403)
	rig.Want[*fault.GiveUp](t, "denied", q.Send(ctx, "{}", 0))
}
