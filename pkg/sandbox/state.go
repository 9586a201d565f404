package sandbox

import (
	"github.com/originhub/originhub/pkg/sandbox/internal/ledger"
)

// State returns a snapshot of what each service holds in each account, ready for JSON.
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

// Calls returns the call log: the newest entries, as many as Options.Keep says.
func (s *Sandbox) Calls() []Call { return s.world.Calls() }

// Events returns the newest events that buses received, oldest first, as many as Options.Keep says. Events of schedules are not among them, because they enter no bus.
func (s *Sandbox) Events() []Event {
	var list []Event
	s.world.Do(func() { list = s.services.events.Received() })
	return list
}

// Permissions reports, for each action that a policy of an account's roles allows, whether an allowed call has needed it so far.
// A key is "<role>/<policy>#<statement> <action in lower case>".
func (s *Sandbox) Permissions(account string) (needed map[string]bool) {
	s.world.Do(func() { needed = s.services.iam.Permissions(account) })
	return needed
}

// Ledger returns the modeled behaviors of AWS, by id.
func (s *Sandbox) Ledger() []Modeled { return ledger.Entries() }
