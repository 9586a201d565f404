// Package cli is the originhub command: data on standard output, everything else on standard error.
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

// Exit codes. They are part of the interface: scripts and CI depend on them.
const (
	exitOK      = 0
	exitFailure = 1 // wrong usage, or something that should work did not
	exitPolicy  = 3 // the policy is not valid
	exitLeft    = 5 // a rehearsed teardown left something behind
)

// failure is an error with an exit code of its own.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Run performs one command line and returns its exit code.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := &cobra.Command{
		Use:   "originhub",
		Short: "Hands-off, cross-account onboarding and teardown of CloudFront VPC origins",
		Long: `originhub admits VPC origins that teams share with a Networking account, wires them into the central CloudFront
distribution, and takes them out again in the one legal order when their team tags them.

This command rehearses all of that in a local sandbox that runs the same templates and the same function binaries.

Exit codes: 0 fine · 1 wrong usage or failure · 3 invalid policy · 5 a rehearsed teardown left something behind`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misused(cmd, "%w", err) })
	root.AddCommand(demoCommand(), sandboxCommand(), policyCommand(), spokeCommand(), versionCommand())
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

// help makes a command that only groups others refuse what it does not know; cobra would print the help and succeed.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// misused says how a command wants to be called.
func misused(cmd *cobra.Command, format string, args ...any) error {
	return fmt.Errorf(format+"; see %s --help", append(args, cmd.CommandPath())...)
}

// one is for commands with one argument, which is called what.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return misused(cmd, "%s takes one %s, and there are %s", cmd.CommandPath(), what, count(len(args), "argument"))
	}
}

// none is for commands without arguments, and refuses what is no command of one that only groups others.
func none(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return misused(cmd, "unknown command %q", args[0])
	}
	return misused(cmd, "%s takes no arguments, and there is %q", cmd.CommandPath(), args[0])
}

// untilSignal is for commands that start processes, which have to be ended. A second signal ends this one as if nobody
// listened.
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

// version is the module's version, or the commit that the binary was built from.
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
