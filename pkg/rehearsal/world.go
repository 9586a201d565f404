// Package rehearsal runs originhub in a sandbox: a world in which the hub and its spokes are deployed, and actors who do there what
// application teams do on AWS. The package's tests run the stories of testdata/stories.
package rehearsal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/policy"
	"github.com/originhub/originhub/pkg/sandbox"
)

// The accounts of a world, and the Region of its hub.
const (
	HubAccount      = "100000000000"
	TeamAAccount    = "111111111111" // outside the organization, so its shares need an invitation
	TeamBAccount    = "222222222222" // in the organization, so its shares need no invitation
	TeamCAccount    = "333333333333" // in the organization
	StrangerAccount = "999999999999" // belongs to no team and has no spoke
	Region          = "us-east-1"
)

// Options configure a World.
type Options struct {
	Templates    string // directory of hub.template.json and spoke.template.json, and of policy.yaml
	Functions    string // directory of the functions' binaries for this machine; not used if Sandbox.Handlers is set
	Policy       []byte // replaces policy.yaml if it is not nil
	Sandbox      sandbox.Options
	AccountsOnly bool // create the accounts and deploy nothing
	OwnAccounts  bool // create the accounts that the policy names, all in its organization, instead of those above
}

// World is a sandbox in which the hub and the spokes are deployed.
type World struct {
	*sandbox.Sandbox
	policy     hubpolicy.Policy
	policyText []byte            // the policy that the next deployment gives to the functions
	outputs    map[string]string // outputs of the hub stack
	assets     string
	version    int // how often the hub was deployed again; each deployment has packages of its own
}

// New starts a sandbox, deploys to it the templates and functions that are deployed to AWS, and waits until nothing is under way. It
// returns a *PolicyError if the policy is not valid.
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
	if o.AccountsOnly {
		return w, nil
	}
	if err := w.deploy(o.Templates); err != nil {
		_ = w.Close()
		return nil, err
	}
	if err := w.WaitUntilIdle(); err != nil { // CloudTrail's events of the deployment
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// WaitUntilIdle lets virtual time pass until nothing is under way. If that takes a month, it returns an error that lists what is.
func (w *World) WaitUntilIdle() error {
	if !w.UntilIdle() {
		return fmt.Errorf("the world does not become idle; still under way: %v", w.Pending())
	}
	return nil
}

// PolicyError is the error that New returns for a policy that is not valid.
type PolicyError struct{ Err error }

func (e *PolicyError) Error() string { return "read policy:\n" + e.Err.Error() }

// Unwrap returns the error that lists what is wrong in the policy.
func (e *PolicyError) Unwrap() error { return e.Err }

// usePolicy parses a policy and keeps it for the next deployment.
func (w *World) usePolicy(text []byte) (err error) {
	if w.policy, err = policy.Parse(text); err != nil {
		return &PolicyError{err}
	}
	w.policyText = text
	return nil
}

func accountsOf(p hubpolicy.Policy) []sandbox.Account {
	all := []sandbox.Account{{ID: p.Account(), Name: "networking", InOrganization: p.Organization != ""}}
	outside := p.Outside()
	for _, t := range p.Teams {
		for _, account := range t.Accounts {
			if account != all[0].ID {
				all = append(all, sandbox.Account{ID: account, Name: t.Name, InOrganization: !slices.Contains(outside, account)})
			}
		}
	}
	return all
}

// Close stops the sandbox and removes the assets of its functions.
func (w *World) Close() error {
	err := w.Sandbox.Close()
	if removed := os.RemoveAll(w.assets); err == nil {
		err = removed
	}
	return err
}

// parameters returns the parameters of the hub's template, as the synthesis for the policy gives them.
func (w *World) parameters() map[string]string {
	version := ".zip"
	if w.version > 0 {
		version = fmt.Sprintf(".%d.zip", w.version)
	}
	return hubParameters(w.policy, func(function string) string { return function + version })
}

// hubParameters returns the parameters of the hub's template for a policy and the keys of the functions' packages.
func hubParameters(p hubpolicy.Policy, key func(function string) string) map[string]string {
	parameters := p.Parameters()
	parameters[contract.CodeBucket] = "packages"
	for _, function := range contract.Functions() {
		parameters[contract.CodeKey(function)] = key(function)
	}
	return parameters
}

// asset returns a directory with the content of a function's Lambda asset: the policy, and the binary if the function runs in a process.
// The key is the function's name, which a dot separates from what distinguishes several assets of one function.
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
		return "", fmt.Errorf("function %s is not built: %w; run make build, or pass the directory of the binaries with --functions", function, err)
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
	if w.outputs, err = w.Deploy(HubAccount, Region, "originhub-"+w.policy.Hub, hub, w.parameters()); err != nil {
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
		return nil, fmt.Errorf("read the templates: %w; run the command in the repository, or pass the directory of the templates with --templates", err)
	}
	return text, nil
}
