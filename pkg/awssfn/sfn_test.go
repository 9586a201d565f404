package awssfn_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/originhub/originhub/pkg/awssfn"
	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/internal/rig"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
)

// TestMain makes the test binary itself the function that a task sends its token to.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(func() {})
		return
	}
	m.Run()
}

const template = `{"Resources": {
  "Role": {"Type": "AWS::IAM::Role", "Properties": {
    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
      "Principal": {"Service": ["states.amazonaws.com", "lambda.amazonaws.com"]}}]},
    "Policies": [{"PolicyName": "invoke", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}}]}},
  "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Bucket": "assets", "S3Key": "self"},
    "Handler": "bootstrap", "Runtime": "provided.al2023", "Role": {"Fn::GetAtt": ["Role", "Arn"]}}},
  "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
    "DefinitionSubstitutions": {"Function": {"Fn::GetAtt": ["Function", "Arn"]}},
    "DefinitionString": {"Fn::Sub": "{\"QueryLanguage\": \"JSONata\", \"TimeoutSeconds\": 60, \"StartAt\": \"Detach\", \"States\": {\"Detach\": {\"Type\": \"Task\", \"Resource\": \"arn:aws:states:::lambda:invoke.waitForTaskToken\", \"Arguments\": {\"FunctionName\": \"${Function.Arn}\", \"Payload\": {\"token\": \"{% $states.context.Task.Token %}\"}}, \"End\": true}}}"}}}},
  "Outputs": {"Machine": {"Value": {"Ref": "Machine"}}}}`

func start(t *testing.T) (ctx context.Context, s *sandbox.Sandbox, c *awssfn.Client, machine string) {
	t.Helper()
	self := rig.Must[string](t)(os.Executable())
	asset := t.TempDir()
	rig.OK(t, os.Symlink(self, filepath.Join(asset, "bootstrap")))
	ctx, s = rig.Start(t, func(o *sandbox.Options) {
		o.Assets = func(string) (string, error) { return asset, nil }
	})
	out := rig.Must[map[string]string](t)(s.Deploy(rig.Hub, rig.Region, "teardown", []byte(template), nil))
	return ctx, s, awssfn.New(s.Config(rig.Hub, rig.Region)), out["Machine"]
}

// token returns the task token of the newest execution.
func token(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	list := s.Executions(rig.Hub)
	for _, e := range list[len(list)-1].History {
		if d := e.TaskScheduled; d != nil {
			var arguments struct{ Payload struct{ Token string } }
			rig.OK(t, json.Unmarshal([]byte(d.Parameters), &arguments))
			return arguments.Payload.Token
		}
	}
	t.Fatalf("no token is out: %+v", list)
	return ""
}

func TestExecutionStartsOnce(t *testing.T) {
	t.Parallel()
	ctx, s, c, machine := start(t)
	_, err := c.Execution(ctx, machine, "teardown-vo_1-1")
	rig.Want[*fault.Absent](t, "an execution that nobody started", err)
	rig.OK(t, c.Start(ctx, machine, "teardown-vo_1-1", `{"generation":1}`))
	if e := rig.Must[origin.Execution](t)(c.Execution(ctx, machine, "teardown-vo_1-1")); e.Status != "RUNNING" || e.Started.IsZero() {
		t.Error("an execution that was started does not run")
	}
	rig.OK(t, fault.IgnoreExists(c.Start(ctx, machine, "teardown-vo_1-1", `{"generation":1}`)))
	rig.Want[*fault.Exists](t, "the same name with another input", c.Start(ctx, machine, "teardown-vo_1-1", `{"generation":2}`))
	s.UntilIdle()
	rig.Want[*fault.Exists](t, "the name of an execution that has ended", c.Start(ctx, machine, "teardown-vo_1-1", `{"generation":1}`))
	if e := rig.Must[origin.Execution](t)(c.Execution(ctx, machine, "teardown-vo_1-1")); e.Status != "TIMED_OUT" {
		t.Error("an execution that has ended runs")
	}
	if got := s.Executions(rig.Hub); len(got) != 1 {
		t.Errorf("%d executions", len(got))
	}
}

func TestTokenIsCompletedOnce(t *testing.T) {
	t.Parallel()
	ctx, s, c, machine := start(t)
	rig.OK(t, c.Start(ctx, machine, "one", `{}`))
	s.Advance(0)
	handed := token(t, s)
	rig.OK(t, c.Start(ctx, machine, "one", `{}`)) // advances to the task
	rig.OK(t, c.Complete(ctx, handed, `{"phase":"confirm"}`))
	s.UntilIdle()
	rig.Want[*fault.Finished](t, "complete twice", c.Complete(ctx, handed, `{"phase":"late"}`))
	if e := s.Executions(rig.Hub)[0]; e.Status != "SUCCEEDED" || e.Output != `{"phase":"confirm"}` {
		t.Errorf("%s with %s", e.Status, e.Output)
	}
}

func TestEveryEndTakesTheName(t *testing.T) {
	t.Parallel()
	ctx, s, c, machine := start(t)
	api := sfn.NewFromConfig(s.Config(rig.Hub, rig.Region))
	for i, end := range []struct {
		status string
		by     func(token string) error
	}{
		{"TIMED_OUT", func(string) error { s.Advance(time.Minute); return nil }},
		{"FAILED", func(token string) error {
			_, err := api.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: &token, Error: aws.String("Why")})
			return err
		}},
		{"ABORTED", func(string) error {
			_, err := api.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &s.Executions(rig.Hub)[2].ARN})
			return err
		}},
	} {
		rig.OK(t, c.Start(ctx, machine, end.status, `{}`))
		s.Advance(0)
		handed := token(t, s)
		rig.OK(t, end.by(handed))
		if got := s.Executions(rig.Hub)[i].Status; got != end.status {
			t.Errorf("it is %s, not %s", got, end.status)
		}
		if e := rig.Must[origin.Execution](t)(c.Execution(ctx, machine, end.status)); e.Status != end.status || (e.Error == "Why") != (end.status == "FAILED") {
			t.Errorf("what is %s is read as %+v", end.status, e)
		}
		rig.Want[*fault.Exists](t, "start what is "+end.status, c.Start(ctx, machine, end.status, `{}`))
		rig.Want[*fault.Finished](t, "complete what is "+end.status, c.Complete(ctx, handed, `{}`))
	}
	rig.Want[*fault.Finished](t, "token that nobody handed out", c.Complete(ctx, "AQC"+strings.Repeat("0", 48), `{}`))
	rig.Want[*fault.Finished](t, "no token", c.Complete(ctx, "token", `{}`))
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	ctx, s, c, machine := start(t)
	rig.Want[*fault.GiveUp](t, "missing machine", c.Start(ctx, machine+"-none", "one", `{}`))
	rig.Want[*fault.GiveUp](t, "bad name", c.Start(ctx, machine, "one two", `{}`))
	rig.Refuse(s, "StartExecution", "ThrottlingException", 400)
	rig.Want[*fault.Retry](t, "throttled", c.Start(ctx, machine, "one", `{}`))
}
