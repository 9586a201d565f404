// Package rehearsal is the product in a sandbox: a world with hub and spokes deployed, the people who act in it, and the
// scenarios that they play.
package rehearsal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/policy"
	"github.com/originhub/originhub/pkg/sandbox"
)

// The accounts of the rehearsal.
const (
	HubAccount      = "100000000000"
	TeamAAccount    = "111111111111" // outside the organization, so its shares arrive as invitations
	TeamBAccount    = "222222222222" // inside, so its shares arrive without one
	TeamCAccount    = "333333333333" // inside
	StrangerAccount = "999999999999" // no team, no spoke
	Region          = "us-east-1"
)

// Options say what a rehearsal is made of.
type Options struct {
	Templates   string // directory of policy.yaml, and of hub.template.json and spoke.template.json made from it
	Functions   string // directory of the functions, built for this machine; not needed if Sandbox.Handlers runs them
	Policy      []byte // in place of the policy beside the templates
	Sandbox     sandbox.Options
	Bare        bool // accounts only; nothing deployed
	OwnAccounts bool // the accounts are those of the policy, all of them in its organization, in place of the demo's
}

// World is a sandbox with the hub and the spokes deployed in it, idle.
type World struct {
	*sandbox.Sandbox
	policy     hubpolicy.Policy
	policyText []byte            // of the policy, as the next deployed function has it
	outputs    map[string]string // of the hub stack
	assets     string
}

// New starts a sandbox and deploys the same templates and the same binaries that go to AWS.
func New(o Options) (_ *World, err error) {
	w := &World{}
	if o.Policy == nil {
		if o.Policy, err = readBeside(o.Templates, contract.PolicyFile); err != nil {
			return nil, err
		}
	}
	if err := w.usePolicy(o.Policy); err != nil {
		return nil, err
	}
	if w.assets, err = os.MkdirTemp("", "originhub-"); err != nil {
		return nil, fmt.Errorf("make a directory for function assets: %w", err)
	}
	o.Sandbox.Accounts = []sandbox.Account{
		{ID: HubAccount, Name: "networking", InOrganization: true},
		{ID: TeamAAccount, Name: "team-a"},
		{ID: TeamBAccount, Name: "team-b", InOrganization: true},
		{ID: TeamCAccount, Name: "team-c", InOrganization: true},
		{ID: StrangerAccount, Name: "stranger"},
	}
	if o.OwnAccounts {
		o.Sandbox.Accounts = accountsOf(w.policy)
	}
	o.Sandbox.Organization = w.policy.Organization
	o.Sandbox.Zones = []sandbox.Zone{{Account: w.policy.Account(), ID: w.policy.HostedZone, Name: w.policy.Domain}}
	o.Sandbox.Assets = func(key string) (string, error) { return w.asset(o, key) }
	if w.Sandbox, err = sandbox.New(o.Sandbox); err != nil {
		_ = os.RemoveAll(w.assets)
		return nil, err
	}
	if o.Bare {
		return w, nil
	}
	if err := w.deploy(o.Templates); err != nil {
		_ = w.Close()
		return nil, err
	}
	if err := w.Rest(); err != nil { // CloudTrail's records of the deployment
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Rest lets time pass until nothing is under way. It returns an error that names what is, if that takes a month.
func (w *World) Rest() error {
	if !w.UntilIdle() {
		return fmt.Errorf("the world does not come to rest: %v", w.Pending())
	}
	return nil
}

// PolicyError is the error of a world whose policy is not valid.
type PolicyError struct{ Err error }

func (e *PolicyError) Error() string { return "read policy:\n" + e.Err.Error() }

// Unwrap returns the places of the policy.
func (e *PolicyError) Unwrap() error { return e.Err }

// obey takes a policy.
func (w *World) usePolicy(text []byte) (err error) {
	if w.policy, err = policy.Parse(text); err != nil {
		return &PolicyError{err}
	}
	w.policyText = text
	return nil
}

func accountsOf(p hubpolicy.Policy) []sandbox.Account {
	all := []sandbox.Account{{ID: p.Account(), Name: "networking", InOrganization: p.Organization != ""}}
	for _, t := range p.Teams {
		for _, account := range t.Accounts {
			if account != all[0].ID {
				all = append(all, sandbox.Account{ID: account, Name: t.Name, InOrganization: p.Organization != ""})
			}
		}
	}
	return all
}

// Close ends the sandbox and removes what was made for it.
func (w *World) Close() error {
	err := w.Sandbox.Close()
	if removed := os.RemoveAll(w.assets); err == nil {
		err = removed
	}
	return err
}

// asset lays out a function as its Lambda asset does: the policy, and beside it the binary if a process runs it. What follows a dot in the key
// tells one asset of a function from another.
func (w *World) asset(o Options, key string) (string, error) {
	dir := filepath.Join(w.assets, key)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, contract.PolicyFile), w.policyText, 0o644); err != nil {
		return "", err
	}
	if o.Sandbox.Handlers != nil {
		return dir, nil
	}
	function, _, _ := strings.Cut(key, ".")
	binary, err := filepath.Abs(filepath.Join(o.Functions, function))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("function %s is not built: %w; run make build, or name the directory with --functions", function, err)
	}
	link := filepath.Join(dir, "bootstrap")
	if err := os.Symlink(binary, link); err != nil && !os.IsExist(err) {
		return "", err
	}
	return dir, nil
}

func (w *World) deploy(templates string) error {
	hub, err := readBeside(templates, "hub.template.json")
	if err != nil {
		return err
	}
	spoke, err := readBeside(templates, "spoke.template.json")
	if err != nil {
		return err
	}
	if w.outputs, err = w.Deploy(HubAccount, Region, "originhub-"+w.policy.Hub, hub, nil); err != nil {
		return fmt.Errorf("deploy hub: %w", err)
	}
	for _, team := range w.policy.Teams {
		for _, account := range team.Accounts {
			if !team.Spoke {
				continue
			}
			if _, err := w.Deploy(account, Region, "originhub-spoke", spoke, map[string]string{
				"HubAccountId": HubAccount, "HubName": w.policy.Hub, "ExternalId": w.policy.ExternalID,
			}); err != nil {
				return fmt.Errorf("deploy spoke of %s: %w", team.Name, err)
			}
		}
	}
	return nil
}

func readBeside(dir, file string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, fmt.Errorf("read the rehearsal's files: %w; run from the repository, or name the directory with --templates", err)
	}
	return text, nil
}
