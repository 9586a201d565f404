// Package infra holds originhub's stacks: the hub for the Networking account; the spoke, one plain template with parameters,
// for every team account; and team, an example of what a team puts behind its VPC origin.
//
// What application teams take into apps of their own is in package team.
package infra

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Synth writes the assembly of the app: to CDK_OUTDIR, or where the CDK CLI says. An error names the setting or the place in
// the policy.
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

	if err := newStacks(app, settings, code); err != nil {
		return fmt.Errorf("hub policy %s: %w", settings.PolicyFile, err)
	}
	app.Synth(nil)
	return nil
}

// newStacks makes the stacks that a policy asks for: team only if some team has a CIDR.
func newStacks(app awscdk.App, s settings, code functionCode) error {
	plan, err := planTeams(s.Policy)
	if err != nil {
		return err
	}
	newHubStack(app, "hub", hubProps{Policy: s.Policy, Code: code, Tracing: s.Tracing})
	newSpokeStack(app, "spoke", s.Policy.Hub)
	if len(plan) > 0 {
		newTeamStack(app, "team", plan, code)
	}
	return nil
}

// newApp makes the CDK app. What cdk.json could also set is set here, so that a direct run and the CDK CLI write the same
// templates. The assembly goes to outdir; nil leaves that to CDK_OUTDIR.
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

// closeQuietly ends the jsii kernel. Two goroutines of the jsii runtime wait for the same process, so that a clean exit is
// reported as abnormal ("waitid: no child processes"); nothing of ours is printed after this.
func closeQuietly() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
	jsii.Close()
}
