// Package infra defines originhub's stacks: hub for the Networking account; spoke for every team account, as one plain template
// with parameters; and team, an example of a private API behind a VPC origin.
//
// Package team has the constructs that application teams use in CDK apps of their own.
package infra

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Synth writes the app's assembly to the directory CDK_OUTDIR, which the CDK CLI also sets. An error names the setting, or the place in
// the policy, that is wrong.
func Synth() error {
	defer closeQuietly()

	app := newApp(nil)
	settings, err := readSettings(app)
	if err != nil {
		return err
	}
	code, err := packFunctions(settings)
	if err != nil {
		return err
	}
	defer code.remove()

	packages, err := newStacks(app, settings, code)
	if err != nil {
		return fmt.Errorf("hub policy %s: %w", settings.PolicyFile, err)
	}
	assembly := app.Synth(nil)
	return writeParameters(*assembly.Directory(), settings.Policy, packages)
}

// newStacks makes the stacks of a policy. It makes stack team only if at least one team has a CIDR.
//
// It returns the packages of the hub's functions, as values of parameters of the hub's template.
func newStacks(app awscdk.App, s settings, code functionCode) (packages map[string]string, err error) {
	plan, err := planTeams(s.Policy)
	if err != nil {
		return nil, err
	}
	hub := newHubStack(app, "hub", hubProps{Hub: s.Policy.Hub, Account: s.Policy.Account(), Tracing: s.Tracing})
	newSpokeStack(app, "spoke", s.Policy.Hub)
	if len(plan) > 0 {
		newTeamStack(app, "team", plan, code)
	}
	return code.publish(hub), nil
}

// newApp makes the CDK app. It sets here what cdk.json could set, too, so that a direct run and the CDK CLI write the same templates.
// The assembly goes to outdir, or to CDK_OUTDIR if outdir is nil.
func newApp(outdir *string) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{
		Outdir:             outdir,
		AnalyticsReporting: jsii.Bool(false),
		TreeMetadata:       jsii.Bool(false),
		Context: &map[string]any{
			"@aws-cdk/core:enablePartitionLiterals": true, // "aws" instead of a Ref in every ARN
		},
	})
}

// closeQuietly ends the jsii kernel. Two goroutines of the jsii runtime wait for the same process, so that the runtime reports a clean
// exit as abnormal ("waitid: no child processes"). closeQuietly discards everything that is printed to standard error after it.
func closeQuietly() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
	jsii.Close()
}
