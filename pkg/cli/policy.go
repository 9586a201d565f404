package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/policy"
)

func policyCommand() *cobra.Command {
	parent := &cobra.Command{Use: "policy", Short: "Check the hub policy", Args: cobra.NoArgs, RunE: help}
	parent.AddCommand(&cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a hub policy is valid, and if not, where and why",
		Long: `Check reads a hub policy (- for standard input) as the hub stack and the functions do. Every error names line and column.
Exit code 0: valid; 3: not valid; 1: the file cannot be read.`,
		Example: "  originhub policy check policy.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPolicy(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			accounts := len(p.Accounts())
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: hub %s, %s, %s\n", args[0], p.Hub, count(len(p.Teams), "team"), count(accounts, "account"))
			return nil
		},
	}, &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the hub policy, for editors",
		Example: "  originhub policy schema > .vscode/originhub-policy.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(policy.Schema())
			return err
		},
	})
	return parent
}

// readPolicy reads a valid hub policy; of one that is not valid it names the places.
func readPolicy(file string, in io.Reader) (admission.Policy, error) {
	text, err := readFile(file, in)
	if err != nil {
		return admission.Policy{}, err
	}
	p, err := policy.Parse(text)
	if err != nil {
		return admission.Policy{}, &failure{exitPolicy, fmt.Errorf("%s is not a valid policy\n%s", file, located(file, err))}
	}
	return p, nil
}

// located writes errors the way editors and CI find places: file:line:column.
func located(file string, err error) string {
	var all policy.Errors
	if !errors.As(err, &all) {
		return fmt.Sprintf("%s: %v", file, err)
	}
	var lines []string
	for _, e := range all {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", file, e.Line, e.Column, e.Message))
	}
	return strings.Join(lines, "\n")
}

func readFile(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(name)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
