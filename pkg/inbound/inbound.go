// Package inbound turns whatever wakes a function into one of a closed set of messages.
package inbound

// Message is one of ShareHint, TagHint, Sweep, Poke, Nothing and Refused.
type Message interface{ message() }

// ShareHint says that something about shares to the hub may have changed.
type ShareHint struct{ Account string }

// TagHint says that the tags of an origin may have changed. Account owns the origin, which AWS vouches for.
type TagHint struct{ Account, ARN string }

// Sweep says that it is time to look at everything.
type Sweep struct{}

// Poke says that the registry changed, or that a deployment is to be looked at again.
type Poke struct{ Why string }

// Nothing is an event that does not concern originhub.
type Nothing struct{ Why string }

// Refused is an event that claims something it has no authority for.
type Refused struct{ Why, Account string }

func (ShareHint) message() {}
func (TagHint) message()   {}
func (Sweep) message()     {}
func (Poke) message()      {}
func (Nothing) message()   {}
func (Refused) message()   {}

// Parse reads an event.
func Parse(raw []byte) (Message, error) { return Nothing{}, nil }

// JSON is the event that Parse reads as this poke.
func (p Poke) JSON() []byte { return nil }

// Task is the input of one teardown step.
type Task struct {
	Phase      string `json:"phase"`
	Origin     string `json:"origin"` // VPC origin id
	Generation int    `json:"generation"`
	Token      string `json:"token"` // Step Functions task token, in phase detach only
}

// ParseTask reads the input of the teardown function.
func ParseTask(raw []byte) (Task, error) { return Task{}, nil }
