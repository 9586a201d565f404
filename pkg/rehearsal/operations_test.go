package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/policy"
	"github.com/originhub/originhub/pkg/sandbox"
)

// alarm checks the state of the hub's alarm with a logical id, and its description.
func (s *story) alarm(_ *testscript.TestScript, args []string) error {
	out, err := cloudwatch.NewFromConfig(s.Config(HubAccount, Region)).DescribeAlarms(s.ctx, &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		return err
	}
	for _, a := range out.MetricAlarms {
		if !strings.Contains(aws.ToString(a.AlarmName), "-Watch"+args[0]) {
			continue
		}
		if err := want(string(a.StateValue) == args[1], "%s is %s (%s), want %s", args[0], a.StateValue, aws.ToString(a.StateReason), args[1]); err != nil ||
			len(args) < 3 {
			return err
		}
		text := aws.ToString(a.AlarmDescription)
		ok, err := regexp.MatchString(args[2], text)
		return errors.Join(err, want(ok, "%q does not match %s", text, args[2]))
	}
	return fmt.Errorf("there is no alarm %s", args[0])
}

// disableRule disables a rule of the hub. Without the sweep, the sandbox has little to do for a long time.
func (s *story) disableRule(_ *testscript.TestScript, args []string) error {
	name, err := s.rule(args[0])
	if err != nil {
		return err
	}
	_, err = s.events.DisableRule(s.ctx, &eventbridge.DisableRuleInput{Name: &name})
	return err
}

// enableRule enables a rule of the hub.
func (s *story) enableRule(_ *testscript.TestScript, args []string) error {
	name, err := s.rule(args[0])
	if err != nil {
		return err
	}
	_, err = s.events.EnableRule(s.ctx, &eventbridge.EnableRuleInput{Name: &name})
	return err
}

// rule returns the name of the rule on the default bus of the hub's account whose logical id is id.
func (s *story) rule(id string) (string, error) {
	out, err := s.events.ListRules(s.ctx, &eventbridge.ListRulesInput{})
	if err != nil {
		return "", err
	}
	for _, r := range out.Rules {
		if strings.Contains(aws.ToString(r.Name), "-"+id+"-") {
			return *r.Name, nil
		}
	}
	return "", fmt.Errorf("there is no rule %s", id)
}

// replayArchive replays every event in the archive of the hub's bus. It fails if the archive is empty.
func (s *story) replayArchive(*testscript.TestScript, []string) error {
	client := eventbridge.NewFromConfig(s.Config(HubAccount, Region))
	_, archive, _ := strings.Cut(s.outputs["ArchiveArn"], ":archive/")
	held, err := client.DescribeArchive(s.ctx, &eventbridge.DescribeArchiveInput{ArchiveName: &archive})
	if err != nil {
		return err
	}
	if held.EventCount == 0 {
		return errors.New("the archive is empty")
	}
	_, err = client.StartReplay(s.ctx, &eventbridge.StartReplayInput{
		ReplayName: aws.String("all"), EventSourceArn: aws.String(s.outputs["ArchiveArn"]),
		EventStartTime: aws.Time(s.start), EventEndTime: aws.Time(s.Now().Add(time.Second)),
		Destination: &eventbridgetypes.ReplayDestination{Arn: aws.String(s.outputs["BusArn"])},
	})
	return err
}

// saveNotifications saves the messages on the alarm topic, for notificationsUnchanged.
func (s *story) saveNotifications(*testscript.TestScript, []string) (err error) {
	s.savedNotifications, err = s.notifications()
	return err
}

// notificationsUnchanged checks that the alarm topic has received messages, and none since saveNotifications.
func (s *story) notificationsUnchanged(*testscript.TestScript, []string) error {
	now, err := s.notifications()
	if err != nil {
		return err
	}
	return want(len(s.savedNotifications) > 0 && slices.Equal(s.savedNotifications, now), "the alarm topic had received %v, and has received %v", s.savedNotifications, now)
}

func (s *story) notifications() ([]string, error) {
	raw, err := json.Marshal(s.State()["accounts"].(map[string]any)[HubAccount].(map[string]any)["sns"])
	if err != nil {
		return nil, err
	}
	var topics struct {
		Topics []struct {
			Messages []struct{ Subject, Message string }
		}
	}
	if err := json.Unmarshal(raw, &topics); err != nil {
		return nil, err
	}
	var all []string
	for _, t := range topics.Topics {
		for _, m := range t.Messages {
			all = append(all, m.Subject+" "+m.Message)
		}
	}
	return all, nil
}

// deploySecondHub deploys another hub and its spokes beside the first ones.
func (s *story) deploySecondHub(*testscript.TestScript, []string) error {
	const templates = "../../infra/testdata/second"
	text, err := readBeside(templates, contract.PolicyFile)
	if err != nil {
		return err
	}
	p, err := policy.Parse(text)
	if err != nil {
		return err
	}
	hub, err := readBeside("../../infra/testdata", "hub.template.json")
	if err != nil {
		return err
	}
	if err := s.deployBeside(p, hub, text); err != nil {
		return err
	}
	spoke, err := readBeside("../../infra/testdata", "spoke.template.json")
	if err != nil {
		return err
	}
	for _, account := range p.Accounts() {
		if _, err := s.Deploy(account, Region, "originhub-"+p.Hub+"-spoke", spoke, map[string]string{
			"HubAccountId": HubAccount, "HubName": p.Hub, "ExternalId": p.ExternalID,
		}); err != nil {
			return err
		}
	}
	return s.waitUntilIdle(nil, nil)
}

// redeploySpoke updates the spoke of a team with a template of infra/testdata.
func (s *story) redeploySpoke(_ *testscript.TestScript, args []string) error {
	template, err := readBeside("../../infra/testdata", args[1])
	if err != nil {
		return err
	}
	_, err = s.Deploy(s.actors[args[0]].Account, Region, "originhub-spoke", template, map[string]string{
		"HubAccountId": HubAccount, "HubName": s.policy.Hub, "ExternalId": s.policy.ExternalID,
	})
	return err
}

// deployBeside deploys a hub with its own policy from a CDK assembly, in which its functions are other assets than those of the first hub.
func (s *story) deployBeside(p hubpolicy.Policy, template, policyText []byte) error {
	dir, err := os.MkdirTemp("", "originhub-second-")
	if err != nil {
		return err
	}
	s.cleanUp = append(s.cleanUp, dir)
	stack, files := "originhub-"+p.Hub, map[string]any{}
	key := func(function string) string { return stack + "-" + function + ".zip" }
	for _, name := range contract.Functions() {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(path, 0o755), os.WriteFile(filepath.Join(path, contract.PolicyFile), policyText, 0o644)); err != nil {
			return err
		}
		if s.functions != "" {
			if err := os.Symlink(filepath.Join(s.functions, name), filepath.Join(path, "bootstrap")); err != nil {
				return err
			}
		}
		files[name] = map[string]any{
			"source": map[string]any{"path": name}, "destinations": map[string]any{"d": map[string]any{"objectKey": key(name)}},
		}
	}
	assembly := map[string]any{"artifacts": map[string]any{
		"assets": map[string]any{"type": "cdk:asset-manifest", "properties": map[string]any{"file": "assets.json"}},
		stack: map[string]any{
			"type": "aws:cloudformation:stack", "environment": "aws://" + HubAccount + "/" + Region, "dependencies": []string{"assets"},
			"properties": map[string]any{"templateFile": "template.json", "stackName": stack, "parameters": hubParameters(p, key)},
		},
	}}
	for name, v := range map[string]any{"manifest.json": assembly, "assets.json": map[string]any{"files": files}, "template.json": json.RawMessage(template)} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return s.DeployAssembly(sandbox.Assembly{Dir: dir})
}

// secondHubState checks the state of an origin in the registry of the second hub.
func (s *story) secondHubState(_ *testscript.TestScript, args []string) error {
	tables, err := dynamodb.NewFromConfig(s.Config(HubAccount, Region)).ListTables(s.ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return err
	}
	second := map[string]string{}
	for _, table := range tables.TableNames {
		for _, id := range []string{"Registry", "PastOrigins"} {
			if strings.HasPrefix(table, "originhub-second-"+id) {
				second[id+"Table"] = table
			}
		}
	}
	if len(second) == 0 {
		return errors.New("there is no second hub")
	}
	first := s.outputs
	defer func() { s.outputs = first }()
	s.outputs = second
	return s.state(nil, args)
}

// metricUse records, over all stories, which metrics the hub's alarms and its dashboard name, and which metrics are written.
type metricUse struct {
	mu              sync.Mutex
	stories         int
	named, measured map[string]bool
}

func (m *metricUse) add(t *testing.T, state map[string]any) {
	raw, err := json.Marshal(state["accounts"].(map[string]any)[HubAccount].(map[string]any)["cloudwatch"])
	var watch struct {
		Metrics    []string
		Alarms     []struct{ Metric string }
		Dashboards []struct{ Metrics []string }
	}
	if err := errors.Join(err, json.Unmarshal(raw, &watch)); err != nil {
		t.Errorf("read the state of CloudWatch: %v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stories++; m.named == nil {
		m.named, m.measured = map[string]bool{}, map[string]bool{}
	}
	for _, name := range watch.Metrics {
		m.measured[name] = true
	}
	for _, a := range watch.Alarms {
		m.named[a.Metric] = true
	}
	for _, d := range watch.Dashboards {
		for _, name := range d.Metrics {
			m.named[name] = true
		}
	}
}

// report fails if an alarm or the dashboard names a metric that no story writes, because such an alarm would never fire. It checks nothing
// if only some stories ran.
func (m *metricUse) report(t *testing.T) {
	if t.Failed() || someStories() {
		return
	}
	if len(m.named) == 0 {
		t.Error("no story's hub has an alarm")
	}
	for _, name := range slices.Sorted(maps.Keys(m.named)) {
		if !m.measured[name] {
			t.Errorf("an alarm or the dashboard shows %s, but no story writes it", name)
		}
	}
}
