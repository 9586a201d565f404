package sandbox

import "github.com/originhub/originhub/pkg/sandbox/internal/states"

// Execution is one execution of a state machine, with its current state and its history.
type Execution = states.Execution

// Executions returns an account's executions, oldest first.
func (s *Sandbox) Executions(account string) []Execution {
	var list []Execution
	s.world.Do(func() { list = s.services.states.Executions(account) })
	return list
}
