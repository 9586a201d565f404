package rehearsal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// version [DEFINITION]: the hub is deployed again, its functions from other assets, and its state machine with that definition in
// infra/testdata instead of today's. What is under way goes on meanwhile.
func (s *story) redeploy(_ *testscript.TestScript, args []string) error {
	if len(args) == 0 {
		return s.deployVersion("")
	}
	definition, err := readBeside("../../infra/testdata", args[0])
	if err != nil {
		return err
	}
	return s.deployVersion(string(definition))
}

func (s *story) deployVersion(definition string) error {
	if err := s.usePolicy(s.policyText); err != nil {
		return err
	}
	const golden = "../../infra/testdata"
	hub, err := readBeside(golden, "hub.template.json")
	if err != nil {
		return err
	}
	var template map[string]any
	if err := json.Unmarshal(hub, &template); err != nil {
		return err
	}
	for _, r := range template["Resources"].(map[string]any) {
		if r := r.(map[string]any); r["Type"] == "AWS::StepFunctions::StateMachine" && definition != "" {
			r["Properties"].(map[string]any)["DefinitionString"] = definition
		}
	}
	s.deployments++
	s.adaptTemplate(template)
	dir, err := os.MkdirTemp("", "originhub-story-")
	if err != nil {
		return err
	}
	s.cleanUp = append(s.cleanUp, dir)
	if hub, err = json.Marshal(template); err != nil {
		return err
	}
	spoke, err := readBeside(golden, "spoke.template.json")
	if err != nil {
		return err
	}
	for file, text := range map[string][]byte{"hub": hub, "spoke": spoke} {
		if err := os.WriteFile(filepath.Join(dir, file+".template.json"), text, 0o600); err != nil {
			return err
		}
	}
	return s.deploy(dir)
}

// redrive NAME GENERATION: somebody of the hub's account redrives the failed execution.
func (s *story) redrive(_ *testscript.TestScript, args []string) error {
	arn, err := s.execution(args[0], args[1])
	if err != nil {
		return err
	}
	_, err = s.executions.RedriveExecution(s.ctx, &sfn.RedriveExecutionInput{ExecutionArn: &arn})
	return err
}

// stopExecution ends an execution as an operator does with StopExecution.
func (s *story) stopExecution(_ *testscript.TestScript, args []string) error {
	arn, err := s.execution(args[0], args[1])
	if err != nil {
		return err
	}
	_, err = s.executions.StopExecution(s.ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Cause: aws.String("by hand")})
	return err
}

// executionTransitions checks how many states an execution has entered, which is what Step Functions charges for.
func (s *story) executionTransitions(_ *testscript.TestScript, args []string) error {
	arn, err := s.execution(args[0], args[1])
	if err != nil {
		return err
	}
	n := 0
	pages := sfn.NewGetExecutionHistoryPaginator(s.executions, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.ctx)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			if e.StateEnteredEventDetails != nil || e.Type == sfntypes.HistoryEventTypeExecutionRedriven {
				n++
			}
		}
	}
	return want(strconv.Itoa(n) == args[2], "%d transitions, want %s", n, args[2])
}

// restore: somebody writes the configuration back that was kept, as a tool does that knows no other.
func (s *story) restoreSavedConfig(*testscript.TestScript, []string) error {
	id, _, err := s.Distribution(s.ctx)
	if err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, id)
	if err != nil {
		return err
	}
	return s.hub.Update(s.ctx, id, served.ETag, s.savedConfig)
}
