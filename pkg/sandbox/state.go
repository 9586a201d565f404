package sandbox

import (
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/acm"
	"github.com/originhub/originhub/pkg/sandbox/internal/apigateway"
	"github.com/originhub/originhub/pkg/sandbox/internal/cfn"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudtrail"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudwatch"
	"github.com/originhub/originhub/pkg/sandbox/internal/cloudwatchlogs"
	"github.com/originhub/originhub/pkg/sandbox/internal/dynamodb"
	"github.com/originhub/originhub/pkg/sandbox/internal/edge"
	"github.com/originhub/originhub/pkg/sandbox/internal/events"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/kms"
	"github.com/originhub/originhub/pkg/sandbox/internal/lambda"
	"github.com/originhub/originhub/pkg/sandbox/internal/network"
	"github.com/originhub/originhub/pkg/sandbox/internal/ram"
	"github.com/originhub/originhub/pkg/sandbox/internal/route53"
	"github.com/originhub/originhub/pkg/sandbox/internal/servicequotas"
	"github.com/originhub/originhub/pkg/sandbox/internal/sns"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
	"github.com/originhub/originhub/pkg/sandbox/internal/states"
	"github.com/originhub/originhub/pkg/sandbox/internal/sts"
)

// State is a snapshot of all accounts, fit for JSON: what each service holds in each account.
func (s *Sandbox) State() map[string]any {
	accounts := map[string]any{}
	s.world.Do(func() {
		for _, a := range s.world.Accounts() {
			account := map[string]any{"name": a.Name, "inOrganization": a.InOrganization}
			for name, p := range s.services.parts {
				account[name] = p.Snapshot(a.ID)
			}
			account["cloudformation"] = s.services.cfn.Snapshot(a.ID)
			accounts[a.ID] = account
		}
	})
	return map[string]any{
		"now": s.world.Clock.Now(), "idle": !s.world.Clock.Busy(), "pending": append([]string{}, s.world.Clock.Pending()...),
		"accounts": accounts,
	}
}

// Calls is the call log so far.
func (s *Sandbox) Calls() []Call { return s.world.Calls() }

// Events lists what event buses got so far, newest last. What a schedule sends enters no bus.
func (s *Sandbox) Events() []Event {
	var list []Event
	s.world.Do(func() { list = s.services.events.Received() })
	return list
}

// Permissions tells, of each action that a policy of an account's roles allows, whether an allowed call has needed it so far.
// A name is "<role>/<policy>#<statement> <action in lower case>".
func (s *Sandbox) Permissions(account string) (needed map[string]bool) {
	s.world.Do(func() { needed = s.services.iam.Permissions(account) })
	return needed
}

// Assumptions is the ledger of what is modelled, by id.
func (s *Sandbox) Assumptions() []Assumption {
	all := slices.Concat(
		acm.Assumptions(), apigateway.Assumptions(), cfn.Assumptions(), cloud.Assumptions(), cloudfront.Assumptions(), cloudtrail.Assumptions(), cloudwatch.Assumptions(), cloudwatchlogs.Assumptions(), dynamodb.Assumptions(), edge.Assumptions(), events.Assumptions(),
		iam.Assumptions(), kms.Assumptions(), lambda.Assumptions(), network.Assumptions(), ram.Assumptions(), route53.Assumptions(), servicequotas.Assumptions(),
		sns.Assumptions(),
		sqs.Assumptions(), states.Assumptions(), sts.Assumptions(),
	)
	slices.SortFunc(all, func(a, b Assumption) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return all
}
