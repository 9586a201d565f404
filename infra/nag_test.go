package infra

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// TestAwsSolutions runs cdk-nag's AwsSolutions rules. Findings that are accepted are listed here with their reasons, not in the templates'
// metadata. A reason that no longer applies fails the test, too.
func TestAwsSolutions(t *testing.T) {
	const (
		wildcard = "each wildcard stands beside its reason in grants.go and team/spokerole.go; TestWildcardResources holds the list of actions on everything"
		deadEnd  = "it is where dead letters end"
		history  = "a Standard execution keeps its history for 90 days, and every step is an event on the hub bus"
		tracing  = "one trace would span hours of waiting; the history and the events tell the same"
		edge     = "nothing reaches it but CloudFront: filtering and the log of requests belong to the distribution, once for all teams"
		account  = "API Gateway logs with a role that is a setting of the whole account and Region, which is not for one stack to change"
		owner    = "who may read what is the business of the team's function, which also knows what a valid request is"
		started  = "the executions of its own state machine, whose names are made from those of origins"
		describe = "describe calls name no resource; TestWildcardResources holds the list"
	)
	reasons := map[[2]string]string{
		{"AwsSolutions-IAM5", "hub/Admit/Role/Resource"}:                wildcard,
		{"AwsSolutions-IAM5", "hub/Wire/Role/Resource"}:                 wildcard,
		{"AwsSolutions-IAM5", "hub/TeardownStep/Role/Resource"}:         wildcard,
		{"AwsSolutions-IAM5", "hub/Audit/Role/Resource"}:                wildcard,
		{"AwsSolutions-IAM5", "hub/Retire/Role/Resource"}:               started,
		{"AwsSolutions-IAM5", "spoke/Spoke/HubRole/Resource"}:           wildcard,
		{"AwsSolutions-SQS3", "hub/RetireDeadLetters/Resource"}:         deadEnd,
		{"AwsSolutions-SQS3", "hub/AuditDeadLetters/Resource"}:          deadEnd,
		{"AwsSolutions-SQS3", "hub/UndeliveredEvents/Resource"}:         deadEnd,
		{"AwsSolutions-SQS3", "spoke/Spoke/UndeliveredEvents/Resource"}: deadEnd,
		{"AwsSolutions-SF1", "hub/Teardown/Machine"}:                    history,
		{"AwsSolutions-SF2", "hub/Teardown/Machine"}:                    tracing,

		{"AwsSolutions-VPC7", "team/Service/Network/Vpc"}:                        edge,
		{"AwsSolutions-ELB2", "team/Service/Balancer/LoadBalancer"}:              edge,
		{"AwsSolutions-APIG3", "team/Service/Api/Stage"}:                         edge,
		{"AwsSolutions-APIG1", "team/Service/Api/Stage"}:                         account,
		{"AwsSolutions-APIG6", "team/Service/Api/Stage"}:                         account,
		{"AwsSolutions-APIG2", "team/Service/Api/Api"}:                           owner,
		{"AwsSolutions-APIG4", "team/Service/Api/Any"}:                           owner,
		{"AwsSolutions-COG4", "team/Service/Api/Any"}:                            owner,
		{"AwsSolutions-IAM5", "team/Service/Targets/Keep/Role/Resource"}:         describe,
		{"AwsSolutions-SQS3", "team/Service/Targets/UndeliveredEvents/Resource"}: deadEnd,
	}

	dir := t.TempDir()
	app, err := rehearsalApp(dir)
	if err != nil {
		t.Fatal(err)
	}
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	app.Synth(nil)
	reports, err := filepath.Glob(filepath.Join(dir, "AwsSolutions-*.csv"))
	if err != nil || len(reports) != 3 {
		t.Fatalf("reports %v, %v: want one for each stack", reports, err)
	}
	applied := map[[2]string]bool{}
	for _, report := range reports {
		for _, finding := range findings(t, report) {
			applied[finding] = true
			if reasons[finding] == "" {
				t.Errorf("%s: %s", finding[1], finding[0])
			}
		}
	}
	for finding, reason := range reasons {
		if !applied[finding] {
			t.Errorf("%s no longer finds anything in %s: remove the reason %q", finding[0], finding[1], reason)
		}
	}
}

// findings reads a report with the columns rule, resource, compliance, …
func findings(t *testing.T, report string) [][2]string {
	t.Helper()
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", report, err)
	}
	var found [][2]string
	for _, row := range rows[1:] {
		if row[2] != "Compliant" && row[2] != "N/A" {
			found = append(found, [2]string{row[0], row[1]})
		}
	}
	return found
}
