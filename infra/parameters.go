package infra

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/hubpolicy"
)

// inputs is what the hub's template gets of the policy: tokens for its parameters, and its conditions. The template itself does not
// depend on the policy.
type inputs struct {
	hub, domain, zone, externalID, organization, last string

	accounts, adopted, logBuckets, edgeFunctions *[]*string // lists

	window *float64 // seconds
	// admitWindow is how long messages about shares are collected before one run of admit, in seconds.
	admitWindow *float64
	retention   *float64 // days

	hasSpokes      awscdk.CfnCondition // at least one team has a spoke
	inOrganization awscdk.CfnCondition // the policy names an organization
	onlyInside     awscdk.CfnCondition // it does, and accepts no invitations
	hasOutside     awscdk.CfnCondition // accounts outside the organization put events on the bus
	creates        awscdk.CfnCondition // the hub creates its distributions
	writesAtOnce   awscdk.CfnCondition // changes are not collected before an update

	hasLogBuckets, hasEdgeFunctions awscdk.CfnCondition // the policy states them
}

func newInputs(stack awscdk.Stack) inputs {
	none := func(value any) awscdk.ICfnRuleConditionExpression {
		return awscdk.Fn_ConditionEquals(value, jsii.String(""))
	}
	condition := func(name string, e awscdk.ICfnConditionExpression) awscdk.CfnCondition {
		return awscdk.NewCfnCondition(stack, jsii.String(name), &awscdk.CfnConditionProps{Expression: e})
	}
	text := func(name, allowed, description string) string { return parameter(stack, name, allowed, description) }
	list := func(name, description string) *[]*string {
		return awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{
			Type: jsii.String("CommaDelimitedList"), Default: jsii.String(""), Description: jsii.String(description),
		}).ValueAsList()
	}
	in := inputs{
		hub:           text(hubpolicy.ParameterHub, `[a-z][a-z0-9-]{0,19}`, "hub: in the hub policy"),
		domain:        text(hubpolicy.ParameterDomain, `[a-z0-9.-]+`, "domain: in the hub policy"),
		zone:          text(hubpolicy.ParameterZone, `Z[A-Z0-9]{1,31}`, "hostedZone: in the hub policy"),
		externalID:    text(hubpolicy.ParameterExternalID, `([\w+=,.@:/-]{2,})?`, "spokes.externalId: in the hub policy; empty if no team has a spoke"),
		organization:  text(hubpolicy.ParameterOrganization, `(o-[a-z0-9]{10,32})?`, "organization: in the hub policy; empty if there is none"),
		last:          text(hubpolicy.ParameterLast, `.+`, "Name of the distribution that is filled last, such as main or main-3"),
		accounts:      list(hubpolicy.ParameterAccounts, "Accounts outside the organization that put events on the hub bus"),
		adopted:       list(hubpolicy.ParameterAdopted, "distribution.adopt: in the hub policy; empty if the hub creates its distributions"),
		logBuckets:    list(hubpolicy.ParameterLogBuckets, "distribution.permissions.logBuckets: in the hub policy"),
		edgeFunctions: list(hubpolicy.ParameterEdgeFunctions, "distribution.permissions.edgeFunctions: in the hub policy"),
		window: awscdk.NewCfnParameter(stack, jsii.String(hubpolicy.ParameterWindow), &awscdk.CfnParameterProps{
			Type: jsii.String("Number"), MinValue: jsii.Number(0), MaxValue: jsii.Number(longestWindow.Seconds()),
			Description: jsii.String("updates.window: in the hub policy, in seconds"),
		}).ValueAsNumber(),
		admitWindow: awscdk.NewCfnParameter(stack, jsii.String(hubpolicy.ParameterAdmitWindow), &awscdk.CfnParameterProps{
			Type: jsii.String("Number"), MinValue: jsii.Number(1), MaxValue: jsii.Number(longestWindow.Seconds()), Default: strconv.Itoa(hubpolicy.ShortestAdmitWindow),
			Description: jsii.String("How long messages about shares are collected before one run of function admit, in seconds; longer for more accounts"),
		}).ValueAsNumber(),
	}
	var days []*string
	for _, each := range hubpolicy.Retentions() {
		days = append(days, jsii.String(strconv.Itoa(each)))
	}
	in.retention = awscdk.NewCfnParameter(stack, jsii.String(hubpolicy.ParameterRetention), &awscdk.CfnParameterProps{
		Type: jsii.String("Number"), AllowedValues: &days, Description: jsii.String("retention: in the hub policy, in days"),
	}).ValueAsNumber()
	shares := text(hubpolicy.ParameterShares, `allow|deny`, "shares.external: in the hub policy")
	in.hasSpokes = condition("HasSpokes", awscdk.Fn_ConditionNot(none(in.externalID)))
	in.inOrganization = condition("InOrganization", awscdk.Fn_ConditionNot(none(in.organization)))
	in.onlyInside = condition("OnlyInside", awscdk.Fn_ConditionAnd(awscdk.Fn_ConditionNot(none(in.organization)), awscdk.Fn_ConditionEquals(shares, "deny")))
	some := func(name string, list *[]*string) awscdk.CfnCondition {
		return condition(name, awscdk.Fn_ConditionNot(none(awscdk.Fn_Join(jsii.String(""), list))))
	}
	in.hasOutside = some("HasOutside", in.accounts)
	in.hasLogBuckets, in.hasEdgeFunctions = some("HasLogBuckets", in.logBuckets), some("HasEdgeFunctions", in.edgeFunctions)
	in.creates = condition("Creates", none(awscdk.Fn_Join(jsii.String(""), in.adopted)))
	in.writesAtOnce = condition("WritesAtOnce", awscdk.Fn_ConditionEquals(in.window, "0"))
	return in
}

// wrapped returns the token of a list in which each entry of a list parameter stands between before and after. An entry has no comma.
func wrapped(before string, list *[]*string, after string) *[]*string {
	joined := awscdk.Fn_Join(jsii.String(after+","+before), list)
	return awscdk.Fn_Split(jsii.String(","), jsii.String(before+*joined+after), nil)
}

// writeParameters writes the values of the parameters of the hub's template into an assembly: to the manifest, where the sandbox reads
// them, and to the file hub.parameters, a line each, from which make deploy gives them to the CDK CLI.
func writeParameters(dir string, p hubpolicy.Policy, packages map[string]string) error {
	values := p.Parameters()
	maps.Copy(values, packages)
	file := filepath.Join(dir, "manifest.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("write parameters: %w", err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return fmt.Errorf("write parameters: %s: %w", file, err)
	}
	hub := manifest["artifacts"].(map[string]any)["hub"].(map[string]any)
	hub["properties"].(map[string]any)["parameters"] = values
	if raw, err = json.MarshalIndent(manifest, "", "  "); err != nil {
		return fmt.Errorf("write parameters: %w", err)
	}
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&lines, "%s=%s\n", name, values[name])
	}
	return errors.Join(os.WriteFile(file, raw, 0o644), os.WriteFile(filepath.Join(dir, "hub.parameters"), []byte(lines.String()), 0o644))
}
