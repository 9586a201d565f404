package ram

import (
	"encoding/json"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// answered is a call with a client token.
type answered struct {
	parameters string
	out        any
}

// once runs a call when its client token is first used, and repeats the response later. A call without a token gets a token of
// its own. A token with other parameters is an error.
func once[O any](s *Service, c *cloud.Call, token string, in any, run func(token string) (*O, error)) (*O, error) {
	if token == "" {
		return run(s.w.IDs.UUID())
	}
	parameters, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	key := c.Account() + " " + c.Region + " " + c.Operation.Name + " " + token
	if before, ok := s.tokens[key]; ok {
		if before.parameters != string(parameters) {
			return nil, cloud.Errorf(400, "IdempotentParameterMismatchException",
				"The client token %s was used before with other parameters.", token)
		}
		return before.out.(*O), nil
	}
	out, err := run(token)
	if err != nil {
		return nil, err
	}
	s.tokens[key] = answered{string(parameters), out}
	return out, nil
}
