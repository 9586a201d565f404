package cloud

import (
	"encoding/json"
	"time"
)

// Received is an event that a bus received, with the rules that it matched.
type Received struct {
	Seq  int       `json:"seq"`
	Time time.Time `json:"time"` // when rules matched it
	Bus  string    `json:"bus"`  // ARN
	// Event is what rules match and targets receive: source, detail-type, detail, time, account and the rest.
	Event json.RawMessage `json:"event"`
	Rules []Matched       `json:"rules"`
}

// Matched is a rule that matched an event.
type Matched struct {
	Rule       string     `json:"rule"` // ARN
	Deliveries []Delivery `json:"deliveries"`
}

// These are the results of a delivery.
const (
	OnItsWay     = "on its way"
	Delivered    = "delivered"
	DeadLettered = "dead-lettered"
	Lost         = "lost"
)

// Delivery is the outcome of an event at one target.
type Delivery struct {
	Target   string `json:"target"` // ARN
	Result   string `json:"result"`
	Attempts int    `json:"attempts"`
	Error    string `json:"error,omitempty"` // of the last attempt that failed
}
