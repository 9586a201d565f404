package hubpolicy

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
)

// Ids of the statements of the hub bus's policy.
const (
	StatementOrganization = "Organization"
	StatementAccounts     = "Accounts"
)

// BusStatement lets principals put forwarded CloudTrail events on the hub bus.
type BusStatement struct {
	ID        string
	Principal any // of type AWS: "*", or a list of account ARNs
	Condition map[string]map[string]any
}

// Outside returns the accounts outside the organization, sorted: those of the teams in External, or all accounts if the policy names no
// organization.
func (p Policy) Outside() []string {
	if p.Organization == "" {
		return p.Accounts()
	}
	external := map[string]bool{}
	for _, name := range p.External {
		external[name] = true
	}
	var accounts []string
	for _, t := range p.Teams {
		if external[t.Name] {
			accounts = append(accounts, t.Accounts...)
		}
	}
	slices.Sort(accounts)
	return accounts
}

// BusStatements returns the statements of the hub bus's policy. They do not depend on how many accounts of the organization there are.
//
//	organization  accounts outside  statements
//	none          none              none
//	none          some              Accounts
//	named         none              Organization
//	named         some              Organization and Accounts
func (p Policy) BusStatements() []BusStatement {
	var statements []BusStatement
	if p.Organization != "" {
		condition := OnlyForwarded()
		condition["StringEquals"] = map[string]any{"aws:PrincipalOrgID": p.Organization}
		statements = append(statements, BusStatement{ID: StatementOrganization, Principal: "*", Condition: condition})
	}
	if outside := p.Outside(); len(outside) > 0 {
		arns := make([]string, len(outside))
		for i, account := range outside {
			arns[i] = "arn:aws:iam::" + account + ":root"
		}
		statements = append(statements, BusStatement{ID: StatementAccounts, Principal: arns, Condition: OnlyForwarded()})
	}
	return statements
}

// OnlyForwarded returns the condition that an event is a forwarded CloudTrail event. PutEvents refuses a source that begins with "aws.",
// so an event with such a source comes from a rule on the sender's default bus. ForAllValues also holds when the key is absent;
// the condition Null excludes that case.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-example-policy-cross-account-custom-bus-source.html
func OnlyForwarded() map[string]map[string]any {
	return map[string]map[string]any{
		"ForAllValues:StringEquals": {
			"events:source":      []string{"aws.cloudfront", "aws.ram", "aws.tagging", "aws.elasticloadbalancing"},
			"events:detail-type": []string{"AWS API Call via CloudTrail"},
		},
		"Null": {"events:source": "false", "events:detail-type": "false"},
	}
}

// BusPolicy returns the hub bus's policy as JSON, without white space.
func (p Policy) BusPolicy() []byte {
	type statement struct {
		Sid       string
		Effect    string
		Principal map[string]any
		Action    string
		Resource  string
		Condition map[string]map[string]any
	}
	document := struct {
		Version   string
		Statement []statement
	}{Version: "2012-10-17"}
	bus := fmt.Sprintf("arn:aws:events:us-east-1:%s:event-bus/%s", p.Account(), contract.BusName(p.Hub))
	for _, s := range p.BusStatements() {
		document.Statement = append(document.Statement, statement{
			Sid: s.ID, Effect: "Allow", Principal: map[string]any{"AWS": s.Principal}, Action: "events:PutEvents", Resource: bus, Condition: s.Condition,
		})
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err) // maps, lists and strings can be encoded
	}
	return text
}

// BusCapacity returns how many accounts outside the organization the hub bus's policy can list.
func (p Policy) BusCapacity() int {
	const team, account = "outside", "111111111111"
	p.Teams, p.External = []admission.Team{{Name: team, Accounts: []string{account}}}, []string{team}
	another := len(`"arn:aws:iam::` + account + `:root",`)
	return 1 + (LongestBusPolicy-len(p.BusPolicy()))/another
}
