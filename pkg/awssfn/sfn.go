// Package awssfn is the adapter of Step Functions: it starts executions and completes task tokens.
package awssfn

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/originhub/originhub/pkg/fault"
	"github.com/originhub/originhub/pkg/origin"
)

var codes = fault.Codes{
	"ExecutionAlreadyExists": fault.AsExists,
	"TaskTimedOut":           fault.AsFinished, "TaskDoesNotExist": fault.AsFinished, "InvalidToken": fault.AsFinished,
	"ExecutionDoesNotExist":    fault.AsAbsent,
	"StateMachineDoesNotExist": fault.AsGiveUp, "InvalidName": fault.AsGiveUp,
}

// Client is a Step Functions client.
type Client struct{ api *sfn.Client }

// New returns a client.
func New(cfg aws.Config) *Client { return &Client{sfn.NewFromConfig(cfg)} }

// Start starts an execution with the given name. It returns nil if an execution with this name and input is running. It returns a
// *fault.Exists if an execution with this name is running with another input or has ended within 90 days.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (c *Client) Start(ctx context.Context, machine, name, input string) error {
	_, err := c.api.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &input})
	return codes.Wrap(err, "start execution %s", name)
}

// Execution returns the execution with this name. It returns a *fault.Absent if there is none. The answer is eventually consistent.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
func (c *Client) Execution(ctx context.Context, machine, name string) (origin.Execution, error) {
	arn := strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
	out, err := c.api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return origin.Execution{}, codes.Wrap(err, "read execution %s", name)
	}
	return origin.Execution{
		Status: string(out.Status), Error: aws.ToString(out.Error), Cause: aws.ToString(out.Cause), Started: aws.ToTime(out.StartDate),
	}, nil
}

// Complete completes a task token with output. It returns a *fault.Finished if no task waits for this token.
func (c *Client) Complete(ctx context.Context, token, output string) error {
	_, err := c.api.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(output)})
	return codes.Wrap(err, "complete task token")
}
