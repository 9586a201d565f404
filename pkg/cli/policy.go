package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/policy"
)

func policyCommand() *cobra.Command {
	parent := &cobra.Command{Use: "policy", Short: "Check and compare hub policies", Args: none, RunE: help}
	parent.AddCommand(checkCommand(), diffCommand(), &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the hub policy, for editors",
		Example: "  originhub policy schema > .vscode/originhub-policy.json",
		Args:    none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(policy.Schema())
			return err
		},
	})
	return parent
}

func checkCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a hub policy, and show where it is wrong and why",
		Long: `Check reads a hub policy (- for standard input) in the same way as the hub stack and the functions. Each error names line
and column. Values that are still those of the example are warnings. With --strict, which make deploy uses, they are errors. For a valid
policy, it says what one team may take of a distribution.

Exit codes: 0 valid, 3 not valid, 1 the file cannot be read`,
		Example: "  originhub policy check policy.yaml",
		Args:    one("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, examples, err := readPolicy(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			if strict && len(examples) > 0 {
				return &failure{exitPolicy, fmt.Errorf("%s still has values of the example\n%s", args[0], located(args[0], "", examples))}
			}
			if err := warn(cmd.ErrOrStderr(), args[0], examples); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: hub %s, %s, %s\n%s\n",
				args[0], p.Hub, count(len(p.Teams), "team"), count(len(p.Accounts()), "account"), perTeam(p))
			return err
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "refuse values that are still those of the example")
	return cmd
}

func diffCommand() *cobra.Command {
	var detailed bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show what changes between two hub policies: who may claim what, shared hosts, limits",
		Long: `Diff reads two hub policies (- for standard input) and prints each statement that only one of them makes: - for one of OLD, + for
one of NEW. Statements are about teams and their accounts, each granted host and path, hosts that several teams share, reserved
hosts, limits and all other settings. Wide grants say how wide they are. make deploy prints the same before it asks.

Exit codes: 0 compared, 3 a policy is not valid, 1 a file cannot be read; with --detailed-exitcode also 2 the policies differ`,
		Example: "  originhub policy diff <(git show main:policy.yaml) policy.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return misused(cmd, "%s takes OLD and NEW, but got %s", cmd.CommandPath(), count(len(args), "argument"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var policies [2]hubpolicy.Policy
			for i, file := range args {
				var err error
				if policies[i], _, err = readPolicy(file, cmd.InOrStdin()); err != nil {
					return err
				}
			}
			differences := hubpolicy.Diff(policies[0], policies[1])
			for _, d := range differences {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), d); err != nil {
					return err
				}
			}
			if detailed && len(differences) > 0 {
				return &failure{exitDiffer, fmt.Errorf("%s and %s differ in %s", args[0], args[1], count(len(differences), "statement"))}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with code 2 if the policies differ")
	return cmd
}

// perTeam returns what one team may take of a distribution, as a line for people.
func perTeam(p hubpolicy.Policy) string {
	of := p.Limits.Within(origin.Distribution{}.Quotas())
	takes := p.Limits.PerTeam.Within(of)
	return fmt.Sprintf("one team may take %d of %d origins, %d of %d behaviors and %d of %d aliases of a distribution, by limits of the policy and the default quotas of CloudFront",
		takes.Origins, of.Origins, takes.Behaviors, of.Behaviors, takes.Aliases, of.Aliases)
}

// warn prints the values that are still those of the example.
func warn(errs io.Writer, file string, examples policy.Errors) error {
	if len(examples) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(errs, located(file, "warning: ", examples))
	return err
}

// readPolicy reads a hub policy. It returns the values that are still those of the example, too. If the policy is not valid, its error
// names line and column of each mistake.
func readPolicy(file string, in io.Reader) (hubpolicy.Policy, policy.Errors, error) {
	text, err := readFile(file, in)
	if err != nil {
		return hubpolicy.Policy{}, nil, err
	}
	p, examples, err := policy.Review(text)
	var wrong policy.Errors
	if errors.As(err, &wrong) {
		return hubpolicy.Policy{}, nil, &failure{exitPolicy, fmt.Errorf("%s is not a valid policy\n%s", file, located(file, "", wrong))}
	}
	return p, examples, err
}

// located formats findings as file:line:column, which editors and CI recognize. It shows the first 50.
func located(file, kind string, found policy.Errors) string {
	return found.Text(func(e policy.Error) string {
		return fmt.Sprintf("%s:%d:%d: %s%s", file, e.Line, e.Column, kind, e.Message)
	})
}

// readFile reads a file, up to one byte more than a policy may have.
func readFile(name string, in io.Reader) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, policy.Most+1))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
