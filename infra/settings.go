package infra

import (
	"fmt"
	"os"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/policy"
)

// settings is what a deployment chooses by CDK context.
type settings struct {
	Policy     hubpolicy.Policy
	PolicyFile string // context "policy"
	Functions  string // context "functions": directory of the functions' binaries
	Tracing    bool   // context "tracing": "on" sends traces of functions and state machine to X-Ray
}

func readSettings(scope constructs.Construct) (settings, error) {
	s := settings{
		PolicyFile: contextOr(scope, "policy", "pkg/policy/example.yaml"),
		Functions:  contextOr(scope, "functions", ".build/functions"),
	}
	switch tracing := contextOr(scope, "tracing", "off"); tracing {
	case "on", "off":
		s.Tracing = tracing == "on"
	default:
		return s, fmt.Errorf("context tracing=%s is not valid: set it to on or off", tracing)
	}
	return s, s.readPolicy()
}

func (s *settings) readPolicy() error {
	raw, err := os.ReadFile(s.PolicyFile)
	if err != nil {
		return fmt.Errorf("read hub policy (context policy=FILE): %w", err)
	}
	s.Policy, err = policy.Parse(raw)
	if err != nil {
		return fmt.Errorf("hub policy %s: %w", s.PolicyFile, err)
	}
	return nil
}

func contextOr(scope constructs.Construct, key, otherwise string) string {
	if value, ok := scope.Node().TryGetContext(jsii.String(key)).(string); ok && value != "" {
		return value
	}
	return otherwise
}
