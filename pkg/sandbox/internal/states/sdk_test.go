package states

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

// TestSDK calls the operations through AWS's own client, so that names and shapes are AWS's.
func TestSDK(t *testing.T) {
	b := newBench(t)
	b.deploy(callback)
	client, ctx := sfn.NewFromConfig(wiretest.Config(t, b.w, "states", account, region)), context.Background()
	started, err := client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(arn), Name: aws.String("one"), Input: aws.String(`{"a":1}`)})
	if err != nil || !started.StartDate.Equal(cloud.DefaultStart) {
		t.Fatal(err, started)
	}
	b.w.Clock.Advance(1500 * time.Millisecond)
	if _, err := client.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: aws.String(b.token())}); err != nil {
		t.Error(err)
	}
	running, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
	if err != nil || running.Status != types.ExecutionStatusRunning || running.StopDate != nil || running.Output != nil || running.Error != nil || running.RedriveDate != nil {
		t.Errorf("%v %+v", err, running)
	}
	_, err = client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(arn), Name: aws.String("one"), Input: aws.String(`{"a":2}`)})
	var exists *types.ExecutionAlreadyExists
	if !errors.As(err, &exists) {
		t.Errorf("same name, other input: %v", err)
	}
	if _, err := client.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: aws.String(b.token()), Error: aws.String("Nope"), Cause: aws.String("why")}); err != nil {
		t.Error(err)
	}
	_, err = client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: aws.String(b.token()), Output: aws.String(`{}`)})
	var timedOut *types.TaskTimedOut
	if !errors.As(err, &timedOut) {
		t.Errorf("spent token: %v", err)
	}
	if _, err := client.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: started.ExecutionArn}); err != nil {
		t.Fatal(err)
	}
	b.w.Clock.Advance(time.Second)
	if _, err := client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: aws.String(b.token()), Output: aws.String(`{"done":true}`)}); err != nil {
		t.Fatal(err)
	}
	b.idle()
	done, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
	if err != nil || done.Status != types.ExecutionStatusSucceeded || *done.Output != `{"done":true}` || *done.RedriveCount != 1 || done.RedriveDate == nil {
		t.Errorf("%v %+v", err, done)
	}
	history, err := client.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: started.ExecutionArn})
	if err != nil || len(history.Events) < 10 {
		t.Fatal(err, history)
	}
	for _, e := range history.Events {
		if e.Timestamp == nil || e.Id == 0 || !known(e.Type) {
			t.Errorf("%+v", e)
		}
	}
	failed := history.Events[5]
	if failed.Type != types.HistoryEventTypeTaskFailed || *failed.TaskFailedEventDetails.Error != "Nope" || !failed.Timestamp.Equal(cloud.DefaultStart.Add(1500*time.Millisecond)) {
		t.Errorf("%+v", failed)
	}
	list, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(arn), StatusFilter: types.ExecutionStatusSucceeded})
	if err != nil || len(list.Executions) != 1 || *list.Executions[0].Name != "one" {
		t.Errorf("%v %+v", err, list)
	}
	machines, err := client.ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
	if err != nil || len(machines.StateMachines) != 1 || machines.StateMachines[0].Type != types.StateMachineTypeStandard {
		t.Errorf("%v %+v", err, machines)
	}
	described, err := client.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(arn)})
	if err != nil || described.Status != types.StateMachineStatusActive || *described.Definition != callback {
		t.Errorf("%v %+v", err, described)
	}
	checked, err := client.ValidateStateMachineDefinition(ctx, &sfn.ValidateStateMachineDefinitionInput{Definition: aws.String(`{}`)})
	if err != nil || checked.Result != types.ValidateStateMachineDefinitionResultCodeFail || len(checked.Diagnostics) == 0 {
		t.Errorf("%v %+v", err, checked)
	}
	if _, err := client.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: started.ExecutionArn, Error: aws.String("x")}); err != nil {
		t.Error(err)
	}
}

// known reports whether the SDK has the event type.
func known(e types.HistoryEventType) bool {
	for _, v := range e.Values() {
		if v == e {
			return true
		}
	}
	return false
}
