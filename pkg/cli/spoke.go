package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
)

func spokeCommand() *cobra.Command {
	var template string
	var units []string
	cmd := &cobra.Command{
		Use:   "spoke POLICY",
		Short: "Print the commands that put the spoke into team accounts",
		Long: `Spoke prints what to run with the AWS CLI so that every team account of a hub policy (- for standard input) has its spoke.
With --ou it is a StackSet that also reaches accounts that join these organizational units later; run that in the
organization's management account. Without, it is one deployment per account, each with that account's credentials.

Nothing is run. Exit code 0: printed; 3: the policy is not valid; 1: it cannot be read.`,
		Example: `  originhub spoke policy.yaml
  originhub spoke policy.yaml --ou ou-ab12-cdefgh34`,
		Args: one("POLICY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, examples, err := readPolicy(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			if err := warn(cmd.ErrOrStderr(), args[0], examples); err != nil {
				return err
			}
			if cmd.Flags().Changed("ou") && len(units) == 0 {
				return misused(cmd, "--ou names no organizational unit")
			}
			for _, unit := range units {
				if !unitForm.MatchString(unit) {
					return misused(cmd, "--ou %q is not the id of an organizational unit, such as ou-ab12-cdefgh34, or of a root", unit)
				}
			}
			if _, err := os.Stat(template); err != nil {
				return fmt.Errorf("find the spoke's template: %w; run this from the repository, or name the file with --template", err)
			}
			if len(units) > 0 {
				return printStackSet(cmd.OutOrStdout(), p, template, units)
			}
			return printDeployments(cmd.OutOrStdout(), p, template)
		},
	}
	cmd.Flags().StringVar(&template, "template", "infra/testdata/spoke.template.json", "the spoke's template")
	cmd.Flags().StringSliceVar(&units, "ou", nil, "ids of organizational units, separated by commas")
	return cmd
}

// unitForm: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html
var unitForm = regexp.MustCompile(`^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$`)

func printDeployments(w io.Writer, p hubpolicy.Policy, template string) error {
	var accounts int
	for _, team := range p.Teams {
		if !team.Spoke {
			continue
		}
		for _, account := range team.Accounts {
			accounts++
			if _, err := fmt.Fprintf(w, `# %s, in account %s
aws cloudformation deploy --region us-east-1 --stack-name %s \
  --template-file %s --capabilities CAPABILITY_NAMED_IAM \
  --parameter-overrides %s

`, team.Name, account, contract.SpokeStackName(p.Hub), quoted(template), parameters(p, "%s=%s")); err != nil {
				return err
			}
		}
	}
	if accounts == 0 {
		return fmt.Errorf("no team of hub %s has a spoke: every team in the policy says spoke: false, or there is none", p.Hub)
	}
	return nil
}

// printStackSet keeps the spoke in an account that leaves the units: the hub may still have to take its origins out.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html
func printStackSet(w io.Writer, p hubpolicy.Policy, template string, units []string) error {
	_, err := fmt.Fprintf(w, `# in the organization's management account; for accounts outside these units, leave --ou out
aws cloudformation create-stack-set --region us-east-1 --stack-set-name %[1]s \
  --template-body %[2]s --capabilities CAPABILITY_NAMED_IAM \
  --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=true \
  --parameters %[3]s
aws cloudformation create-stack-instances --region us-east-1 --stack-set-name %[1]s \
  --deployment-targets OrganizationalUnitIds=%[4]s --regions us-east-1
`, contract.SpokeStackName(p.Hub), quoted("file://"+template), parameters(p, `ParameterKey=%s,ParameterValue="%s"`), quoted(strings.Join(units, ",")))
	return err
}

// parameters are those of the spoke's template, spelled as the form says.
func parameters(p hubpolicy.Policy, form string) string {
	var all []string
	for _, kv := range [][2]string{{"HubAccountId", p.Account()}, {"HubName", p.Hub}, {"ExternalId", p.ExternalID}} {
		all = append(all, quoted(fmt.Sprintf(form, kv[0], kv[1])))
	}
	return strings.Join(all, " ")
}

// quoted is one word of a POSIX shell.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
