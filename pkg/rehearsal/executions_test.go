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

// redeploy deploys the hub again, with new assets of its functions. If there is an argument, that file of infra/testdata is the definition
// of the state machine. Work that is under way continues during the deployment.
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

// deployVersion deploys the hub and the spokes from the golden templates, with the policy policyText. If definition is not empty, it is the
// definition of the state machine.
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
	s.version++
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

// redrive redrives the failed execution that tears down an origin.
func (s *story) redrive(_ *testscript.TestScript, args []string) error {
	arn, err := s.execution(args[0], args[1])
	if err != nil {
		return err
	}
	_, err = s.executions.RedriveExecution(s.ctx, &sfn.RedriveExecutionInput{ExecutionArn: &arn})
	return err
}

// stopExecution stops an execution, as an operator does with StopExecution.
func (s *story) stopExecution(_ *testscript.TestScript, args []string) error {
	arn, err := s.execution(args[0], args[1])
	if err != nil {
		return err
	}
	_, err = s.executions.StopExecution(s.ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Cause: aws.String("by hand")})
	return err
}

// executionTransitions checks how many state transitions an execution has made. Step Functions charges for each of them.
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

// restoreSavedConfig writes the saved configuration back, as a tool with an old copy would do.
func (s *story) restoreSavedConfig(*testscript.TestScript, []string) error {
	id, _, err := s.Distribution(s.ctx)
	if err != nil {
		return err
	}
	served, err := s.hub.Distribution(s.ctx, id)
	if err != nil {
		return err
	}
	_, err = s.hub.Update(s.ctx, id, served.ETag, s.savedConfig)
	return err
}
