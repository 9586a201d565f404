package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/pipeline"
)

func auditCommand() *cobra.Command {
	parent := &cobra.Command{Use: "audit", Short: "Audit what deploys beside originhub", Args: none, RunE: help}
	parent.AddCommand(auditCI())
	return parent
}

// ciFlags are the options of audit ci.
type ciFlags struct {
	policy, output, severity, confidence, failOn string
	fix, write                                   bool
}

func auditCI() *cobra.Command {
	var flags ciFlags
	cmd := &cobra.Command{
		Use:   "ci [DIR]",
		Short: "Find steps of pipelines that fight originhub",
		Long: `Ci reads the pipelines, scripts, templates and programs below DIR (default .), and finds steps that fight originhub: that disable or rewrite
distributions, edit behaviors by index, overwrite the live configuration with a saved one, revoke shares, answer invitations, delete VPC origins, move
aliases, or do so in the wrong order. It runs nothing and makes no call.

It reads GitHub Actions (with the actions and workflows of the repository), GitLab CI, buildspecs, CodePipeline and CDK Pipelines, sh steps of Jenkinsfiles, the commands of
other YAML pipelines, shell scripts, makefiles and package.json, also when a pipeline runs them, Terraform, CloudFormation templates, and
calls of AWS SDKs in Python, JavaScript, TypeScript and Go. It does not read directories named testdata, vendor or node_modules, and no tests.

Each finding has a severity (how bad it is) and a confidence (how certain it is). Without --policy, the audit assumes that a step acts on something that
originhub manages, and says so. With it, steps on distributions, aliases and accounts that the policy does not name are informational.

The comment "# originhub:ignore[rule] reason", at the end of a line or alone on the line before, silences a rule for that line.

Exit codes: 0 nothing to object, 1 wrong usage or failure, 3 the policy is not valid, 7 nothing to read, 8 findings at or above --fail-on`,
		Example: `  originhub audit ci
  originhub audit ci --policy policy.yaml -o sarif > audit.sarif
  originhub audit ci --fix | git apply`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused(cmd, "%s takes at most one DIR, but got %s", cmd.CommandPath(), count(len(args), "argument"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return flags.run(cmd, dir)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.policy, "policy", "", "the hub policy, by which findings are graded")
	f.StringVarP(&flags.output, "output", "o", "text", "format: "+strings.Join(pipeline.Formats(), ", "))
	f.StringVar(&flags.severity, "min-severity", "informational", "hide findings below: "+strings.Join(pipeline.Severities(), ", "))
	f.StringVar(&flags.confidence, "min-confidence", "medium", "hide findings below: "+strings.Join(pipeline.Confidences(), ", "))
	f.StringVar(&flags.failOn, "fail-on", "medium", "exit with code 8 on shown findings at or above: "+strings.Join(pipeline.Severities(), ", "))
	f.BoolVar(&flags.fix, "fix", false, "print a patch with the mechanical fixes instead of the findings")
	f.BoolVar(&flags.write, "write", false, "with --fix: write the fixes to the files")
	return cmd
}

func (flags ciFlags) run(cmd *cobra.Command, dir string) error {
	severity, err := pipeline.ParseSeverity(flags.severity)
	if err != nil {
		return misused(cmd, "--min-severity: %w", err)
	}
	confidence, err := pipeline.ParseConfidence(flags.confidence)
	if err != nil {
		return misused(cmd, "--min-confidence: %w", err)
	}
	failOn, err := pipeline.ParseSeverity(flags.failOn)
	if err != nil {
		return misused(cmd, "--fail-on: %w", err)
	}
	if !slices.Contains(pipeline.Formats(), flags.output) {
		return misused(cmd, "--output: %q is not a format: write one of %s", flags.output, strings.Join(pipeline.Formats(), ", "))
	}
	if flags.write && !flags.fix {
		return misused(cmd, "--write needs --fix")
	}
	var scope pipeline.Scope
	if flags.policy != "" {
		p, _, err := readPolicy(flags.policy, cmd.InOrStdin())
		if err != nil {
			return err
		}
		scope = pipeline.ScopeOf(p)
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	report, err := pipeline.Audit(ctx, dir, scope)
	if err != nil {
		return fmt.Errorf("audit %s: %w", dir, err)
	}
	report = report.Select(severity, confidence)
	for _, n := range report.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: note: %s\n", n.Position, n.Message)
	}
	if err := flags.print(cmd, dir, report); err != nil {
		return err
	}
	switch {
	case report.Fails(failOn):
		return &failure{exitFindings, fmt.Errorf("%s: %s", dir, report.Headline())}
	case report.Files == 0:
		return &failure{exitNothing, fmt.Errorf("%s has no pipeline, script, template or program that is about CloudFront or RAM", dir)}
	}
	return nil
}

// print prints the report, or the patch.
func (flags ciFlags) print(cmd *cobra.Command, dir string, report pipeline.Report) error {
	if !flags.fix {
		return report.Write(cmd.OutOrStdout(), flags.output)
	}
	patches, err := report.Patches(dir)
	if err != nil {
		return fmt.Errorf("fix %s: %w", dir, err)
	}
	for _, p := range patches {
		if _, err := cmd.OutOrStdout().Write(p.Diff()); err != nil {
			return err
		}
		if !flags.write {
			continue
		}
		if err := p.Apply(dir); err != nil {
			return fmt.Errorf("fix %s: %w", dir, err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: fixed\n", p.File)
	}
	return nil
}
