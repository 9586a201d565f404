package cloud

// Assumption is one modelled behaviour that AWS's documentation does not settle, or one worth citing.
type Assumption struct {
	ID     string `json:"id"` // "CF-03"
	Claim  string `json:"claim"`
	Source string `json:"source"` // a URL, or a section of the fact sheet
	Mark   string `json:"mark"`   // documented, model, observed, inferred, not found
}

// Assumptions of the ground itself.
func Assumptions() []Assumption {
	return []Assumption{{
		ID: "TRAIL-01", Claim: "A management call reaches EventBridge through CloudTrail 30 seconds later, in the caller's account.",
		Source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html", Mark: "inferred",
	}}
}
