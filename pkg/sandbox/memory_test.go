package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// near is a sandbox whose clients need no connection.
func near(t testing.TB) *Sandbox {
	return start(t, Options{Handlers: func(context.Context, Hosting) (Handler, error) { return nil, errors.New("no function here") }})
}

// recorder records the responses that a client gets.
type recorder struct {
	aws.HTTPClient
	answers []string
}

func (r *recorder) Do(request *http.Request) (*http.Response, error) {
	response, err := r.HTTPClient.Do(request)
	if err != nil {
		r.answers = append(r.answers, "broken connection")
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	header := &bytes.Buffer{}
	if err := response.Header.Write(header); err != nil {
		return nil, err
	}
	r.answers = append(r.answers, response.Status+"\n"+header.String()+string(body))
	return response, nil
}

// The calls are in JSON, CBOR, XML and by Query, with and without a body. Some fail, and the response of one is lost.
func TestCallsWithoutAConnectionAreAnsweredTheSame(t *testing.T) {
	answers := func(s *Sandbox) ([]string, []Call) {
		ctx := context.Background()
		cfg := s.Config(hub, region)
		r := &recorder{HTTPClient: cfg.HTTPClient}
		cfg.HTTPClient = r
		queues, distributions := sqs.NewFromConfig(cfg), cloudfront.NewFromConfig(cfg)
		ok[*sqs.CreateQueueOutput](t)(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("wire")}))
		_, _ = queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
		ok[*cloudfront.ListDistributionsOutput](t)(distributions.ListDistributions(ctx, &cloudfront.ListDistributionsInput{MaxItems: aws.Int32(7)}))
		_, _ = distributions.GetDistribution(ctx, &cloudfront.GetDistributionInput{Id: aws.String("E/1 2%")})
		_, _ = ram.NewFromConfig(cfg).GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: "SELF"})
		_, _ = dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("none")})
		_, _ = cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
		_, _ = sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		_, _ = sfn.NewFromConfig(cfg).ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
		if err := s.Faults().Add(Rule{Fault: "timeout-after-success", Operation: "CreateQueue", Times: 1}); err != nil {
			t.Fatal(err)
		}
		ok[*sqs.CreateQueueOutput](t)(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("again")}))
		calls := s.Calls()
		for i := range calls {
			calls[i].SDKCall = "" // is random
		}
		return r.answers, calls
	}
	far, farCalls := answers(start(t, Options{}))
	got, calls := answers(near(t))
	if diff := cmp.Diff(far, got); diff != "" {
		t.Errorf("answers (-with +without a connection):\n%s", diff)
	}
	if diff := cmp.Diff(farCalls, calls); diff != "" {
		t.Errorf("calls (-with +without a connection):\n%s", diff)
	}
	if !slices.Contains(got, "broken connection") {
		t.Errorf("no answer was lost: %q", got)
	}
}

func TestCancelledCallIsNotMade(t *testing.T) {
	s := near(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := sqs.NewFromConfig(s.Config(hub, region)).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("wire")})
	if !errors.Is(err, context.Canceled) || len(s.Calls()) != 0 {
		t.Errorf("%v; calls %v", err, s.Calls())
	}
}
