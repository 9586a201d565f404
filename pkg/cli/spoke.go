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
		Short: "Print the commands that deploy the spoke to team accounts",
		Long: `Spoke prints the AWS CLI commands that deploy the spoke to the team accounts of a hub policy (- for standard input). It
runs none of them.

Without --ou it prints one command for each account; run each with that account's credentials. With --ou it prints the
commands for a StackSet, which also reaches accounts that join these organizational units later; run them in the
organization's management account.

Exit codes: 0 printed, 3 the policy is not valid, 1 the policy cannot be read`,
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
				return misused(cmd, "--ou needs the id of at least one organizational unit")
			}
			for _, unit := range units {
				if !unitForm.MatchString(unit) {
					return misused(cmd, "--ou %q is not the id of an organizational unit, such as ou-ab12-cdefgh34, nor of a root", unit)
				}
			}
			if _, err := os.Stat(template); err != nil {
				return fmt.Errorf("find the spoke's template: %w; run this command in the repository's directory, or name the file with --template", err)
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

// unitForm is the form of these ids: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html
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
		return fmt.Errorf("no team of hub %s has a spoke: the policy names no team, or all its teams say spoke: false", p.Hub)
	}
	return nil
}

// printStackSet prints the commands for a StackSet. An account that leaves the units keeps its spoke, because the hub may still have to
// take its origins out.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ActivateOrganizationsAccess.html
func printStackSet(w io.Writer, p hubpolicy.Policy, template string, units []string) error {
	_, err := fmt.Fprintf(w, `# Run these commands in the organization's management account. For accounts outside these units, run originhub spoke without --ou.
# Once for each organization: without it, the next command is refused.
aws cloudformation activate-organizations-access --region us-east-1
aws cloudformation create-stack-set --region us-east-1 --stack-set-name %[1]s \
  --template-body %[2]s --capabilities CAPABILITY_NAMED_IAM \
  --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=true \
  --parameters %[3]s
aws cloudformation create-stack-instances --region us-east-1 --stack-set-name %[1]s \
  --deployment-targets OrganizationalUnitIds=%[4]s --regions us-east-1
`, contract.SpokeStackName(p.Hub), quoted("file://"+template), parameters(p, `ParameterKey=%s,ParameterValue="%s"`), quoted(strings.Join(units, ",")))
	return err
}

// parameters returns the parameters of the spoke's template, each in the given form.
func parameters(p hubpolicy.Policy, form string) string {
	var all []string
	for _, kv := range [][2]string{{"HubAccountId", p.Account()}, {"HubName", p.Hub}, {"ExternalId", p.ExternalID}} {
		all = append(all, quoted(fmt.Sprintf(form, kv[0], kv[1])))
	}
	return strings.Join(all, " ")
}

// quoted returns a string as one word of a POSIX shell.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
