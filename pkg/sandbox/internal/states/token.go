package states

import (
	"encoding/json"
	"regexp"

	"github.com/originhub/originhub/pkg/sandbox/internal/asl"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Empty is the output of operations that return nothing.
type Empty struct{}

// SendTaskHeartbeatInput is the input of SendTaskHeartbeat.
type SendTaskHeartbeatInput struct {
	TaskToken string `json:"taskToken"`
}

// sendTaskHeartbeat implements SendTaskHeartbeat.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskHeartbeat.html
func (s *Service) sendTaskHeartbeat(c *cloud.Call, in *SendTaskHeartbeatInput) (*Empty, error) {
	e, err := s.taskFor(c, "states:SendTaskHeartbeat", in.TaskToken)
	if err != nil {
		return nil, err
	}
	s.startHeartbeat(e)
	return &Empty{}, nil
}

// SendTaskSuccessInput is the input of SendTaskSuccess.
type SendTaskSuccessInput struct {
	TaskToken string `json:"taskToken"`
	Output    string `json:"output"`
}

// sendTaskSuccess implements SendTaskSuccess.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
func (s *Service) sendTaskSuccess(c *cloud.Call, in *SendTaskSuccessInput) (*Empty, error) {
	e, err := s.taskFor(c, "states:SendTaskSuccess", in.TaskToken)
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(in.Output)) {
		return nil, invalidOutput("Not a JSON document")
	}
	if len(in.Output) > maxInput {
		return nil, invalidOutput("longer than 262144 bytes")
	}
	s.perform(e, e.run.Succeed(c.Now(), json.RawMessage(in.Output)))
	return &Empty{}, nil
}

// SendTaskFailureInput is the input of SendTaskFailure.
type SendTaskFailureInput struct {
	TaskToken string `json:"taskToken"`
	Error     string `json:"error"`
	Cause     string `json:"cause"`
}

// sendTaskFailure implements SendTaskFailure.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
func (s *Service) sendTaskFailure(c *cloud.Call, in *SendTaskFailureInput) (*Empty, error) {
	e, err := s.taskFor(c, "states:SendTaskFailure", in.TaskToken)
	if err != nil {
		return nil, err
	}
	s.perform(e, e.run.Fail(c.Now(), asl.Failure{Error: in.Error, Cause: in.Cause}))
	return &Empty{}, nil
}

// taskFor authorizes action on the machine that issued the token (assumption SFN-01), and finds the execution that waits for the
// token. It returns TaskTimedOut for a task that has ended, TaskDoesNotExist for an unknown token, and InvalidToken for a
// malformed one (assumption SFN-02).
func (s *Service) taskFor(c *cloud.Call, action, token string) (*execution, error) {
	e := s.tokens[token]
	if e == nil || e.machine.account != c.Account() {
		if err := c.Authorize(action, "*", nil); err != nil {
			return nil, err
		}
		if !tokenForm.MatchString(token) {
			return nil, invalidToken()
		}
		return nil, taskDoesNotExist()
	}
	if err := c.Authorize(action, e.machine.arn, nil); err != nil {
		return nil, err
	}
	if e.status != running || e.run.Token() != token {
		return nil, taskTimedOut()
	}
	return e, nil
}

var tokenForm = regexp.MustCompile(`^AQC[0-9a-f]{48}$`)
