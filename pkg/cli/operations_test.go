package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// alarm ID STATE [REGEXP]: the hub's alarm of that logical id is in that state, and its description matches.
func (s *tale) alarmIs(_ *testscript.TestScript, args []string) error {
	out, err := cloudwatch.NewFromConfig(s.Config(hubAccount, region)).DescribeAlarms(s.ctx, &cloudwatch.DescribeAlarmsInput{})
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

// disable-rule ID: somebody disables a rule of the hub's on the default bus.
func (s *tale) disableRule(_ *testscript.TestScript, args []string) error {
	client := eventbridge.NewFromConfig(s.Config(hubAccount, region))
	out, err := client.ListRules(s.ctx, &eventbridge.ListRulesInput{})
	if err != nil {
		return err
	}
	for _, r := range out.Rules {
		if strings.Contains(aws.ToString(r.Name), "-"+args[0]+"-") {
			_, err := client.DisableRule(s.ctx, &eventbridge.DisableRuleInput{Name: r.Name})
			return err
		}
	}
	return fmt.Errorf("there is no rule %s", args[0])
}

// replay NAME: everything in the hub's archive is replayed, and there is something in it.
func (s *tale) replay(_ *testscript.TestScript, args []string) error {
	client := eventbridge.NewFromConfig(s.Config(hubAccount, region))
	_, archive, _ := strings.Cut(s.outputs["ArchiveArn"], ":archive/")
	held, err := client.DescribeArchive(s.ctx, &eventbridge.DescribeArchiveInput{ArchiveName: &archive})
	if err != nil {
		return err
	}
	if held.EventCount == 0 {
		return errors.New("the archive is empty")
	}
	_, err = client.StartReplay(s.ctx, &eventbridge.StartReplayInput{
		ReplayName: &args[0], EventSourceArn: aws.String(s.outputs["ArchiveArn"]),
		EventStartTime: aws.Time(s.start), EventEndTime: aws.Time(s.Now().Add(time.Second)),
		Destination: &eventbridgetypes.ReplayDestination{Arn: aws.String(s.outputs["BusArn"])},
	})
	return err
}

// remember-alarms keeps what the alarm topic was told; same-alarms wants it to be all.
func (s *tale) rememberAlarms(*testscript.TestScript, []string) (err error) {
	s.told, err = s.alarmMessages()
	return err
}

func (s *tale) sameAlarms(*testscript.TestScript, []string) error {
	now, err := s.alarmMessages()
	if err != nil {
		return err
	}
	return want(len(s.told) > 0 && slices.Equal(s.told, now), "the topic was told %v, and then %v", s.told, now)
}

func (s *tale) alarmMessages() ([]string, error) {
	raw, err := json.Marshal(s.State()["accounts"].(map[string]any)[hubAccount].(map[string]any)["sns"])
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
