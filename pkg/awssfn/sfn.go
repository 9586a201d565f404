// Package awssfn starts executions and completes their task tokens.
package awssfn

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/originhub/originhub/pkg/fault"
)

// codes: an execution of that name has run, or a token's task has ended, so what was asked for is done.
var codes = fault.Codes{
	"ExecutionAlreadyExists": fault.AsDone,
	"TaskTimedOut":           fault.AsDone, "TaskDoesNotExist": fault.AsDone, "InvalidToken": fault.AsDone,
	"StateMachineDoesNotExist": fault.AsGiveUp, "InvalidName": fault.AsGiveUp,
}

// Client is Step Functions.
type Client struct{ api *sfn.Client }

// New returns a client.
func New(cfg aws.Config) *Client { return &Client{sfn.NewFromConfig(cfg)} }

// Start starts an execution under a name. While one of that name and input runs, or has run within 90 days, it is a
// success or a fault.Done. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (c *Client) Start(ctx context.Context, machine, name, input string) error {
	_, err := c.api.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &input})
	return codes.Wrap(err, "start execution %s", name)
}

// Complete completes a task token with output. One whose task has ended is a fault.Done.
func (c *Client) Complete(ctx context.Context, token, output string) error {
	_, err := c.api.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(output)})
	return codes.Wrap(err, "complete task token")
}
