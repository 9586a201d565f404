package infra

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/originhub/originhub/pkg/contract"
)

// The functions. Each name is that of a directory under functions/ and of the function's binary.
const (
	admitFunction     = "admit"
	auditFunction     = "audit"
	retireFunction    = "retire"
	teardownFunction  = "teardown"
	wireFunction      = "wire"
	customersFunction = "customers"
	targetsFunction   = "targets"
)

// inHub returns the functions of the hub, which read the hub policy.
func inHub() []string {
	return []string{admitFunction, auditFunction, retireFunction, teardownFunction, wireFunction}
}

// inTeam returns the functions that run in accounts of teams. They must not get the hub policy.
func inTeam() []string { return []string{customersFunction, targetsFunction} }

// functionCode is a directory with one subdirectory for each function. Each subdirectory becomes a Lambda asset. It holds the binary as
// bootstrap and, for a function of the hub, the hub policy.
type functionCode string

func (c functionCode) dir(function string) string { return filepath.Join(string(c), function) }

func (c functionCode) remove() { _ = os.RemoveAll(string(c)) }

func packFunctions(s settings) (functionCode, error) {
	root, err := os.MkdirTemp("", "originhub-code-")
	if err != nil {
		return "", fmt.Errorf("pack functions: %w", err)
	}
	code := functionCode(root)
	for _, function := range slices.Concat(inHub(), inTeam()) {
		if err := code.pack(function, s); err != nil {
			code.remove()
			return "", fmt.Errorf("pack function %s: %w", function, err)
		}
	}
	return code, nil
}

func (c functionCode) pack(function string, s settings) error {
	if err := os.Mkdir(c.dir(function), 0o755); err != nil {
		return err
	}
	err := copyFile(filepath.Join(s.Functions, function), filepath.Join(c.dir(function), "bootstrap"), 0o755)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; run `make functions` first, or name another directory with the context functions=DIR", err)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(inHub(), function) {
		return nil
	}
	return copyFile(s.PolicyFile, filepath.Join(c.dir(function), contract.PolicyFile), 0o644)
}

func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, mode)
}
