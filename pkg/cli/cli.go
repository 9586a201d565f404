// Package cli implements the originhub command. It writes data to standard output, and everything else to standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/originhub/originhub/pkg/rehearsal"
)

// Exit codes. They are part of the interface, because scripts and CI depend on them.
const (
	exitOK       = 0
	exitFailure  = 1 // wrong usage or failure
	exitDiffer   = 2 // two hub policies differ, with --detailed-exitcode
	exitPolicy   = 3 // the hub policy is not valid
	exitLeft     = 5 // a rehearsed teardown left something behind
	exitNothing  = 7 // there is nothing to read
	exitFindings = 8 // an audit has findings at or above --fail-on
)

// failure is an error with its exit code.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := &cobra.Command{
		Use:   "originhub",
		Short: "Connects VPC origins of many accounts to CloudFront distributions, and takes them out again",
		Long: `originhub connects VPC origins that teams share with a Networking account to CloudFront distributions, and takes them
out again, in the only safe order, when their team tags them.

This command rehearses that in a local sandbox, with the templates and function binaries that deploy. It also checks and
compares hub policies, prints the commands that deploy the spoke to team accounts, and finds steps of pipelines that fight the hub. It makes no
call to AWS.

Exit codes: 0 success, 1 wrong usage or failure, 2 policies differ (only with --detailed-exitcode), 3 invalid policy, 5 a rehearsed teardown left something behind, 7 nothing to read, 8 findings at or above --fail-on`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misused(cmd, "%w", err) })
	root.AddCommand(demoCommand(), sandboxCommand(), policyCommand(), spokeCommand(), auditCommand(), versionCommand())
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(errs, "originhub: %v\n", err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var f *failure
	var invalid *rehearsal.PolicyError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &invalid):
		return exitPolicy
	case errors.As(err, &f):
		return f.code
	}
	return exitFailure
}

// help is the RunE of a command that only groups others. With it, cobra checks the arguments; without it, an unknown command would
// print the help and succeed.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// misused returns an error about wrong usage, which refers to the command's help.
func misused(cmd *cobra.Command, format string, args ...any) error {
	return fmt.Errorf(format+"; see %s --help", append(args, cmd.CommandPath())...)
}

// one accepts exactly one argument. The error calls it what.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return misused(cmd, "%s takes one %s, but got %s", cmd.CommandPath(), what, count(len(args), "argument"))
	}
}

// none accepts no argument. For a command that groups others, an argument is an unknown command.
func none(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return misused(cmd, "unknown command %q", args[0])
	}
	return misused(cmd, "%s takes no arguments, but got %q", cmd.CommandPath(), args[0])
}

// untilSignal returns a context that ends with the first interrupt or SIGTERM, so that a command can end the processes that it started. A
// second signal ends this process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: none,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), version()) },
	}
}

// version returns the module's version, or else the commit that the binary was built from, and the version of Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value
		}
	}
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
