package hub

import (
	"context"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/originhub/originhub/pkg/telemetry"
)

// Team is what the handlers in a team's account share. They have no policy and no registry.
type Team struct {
	AWS aws.Config
	Log *slog.Logger

	host Host
}

// LoadTeam returns what a function in a team's account needs. The SDK configuration logs each throttled call.
func LoadTeam(ctx context.Context, host Host, function string) (*Team, error) {
	log := host.logger(function)
	cfg, err := host.config(ctx, func() { log.Warn("a call was throttled") })
	if err != nil {
		return nil, err
	}
	return &Team{AWS: cfg, Log: log, host: host}, nil
}

// Setting returns an environment variable that the team stack sets.
func (t *Team) Setting(name string) (string, error) { return t.host.setting(name, "team") }

func (h Host) logger(function string) *slog.Logger {
	return telemetry.Logger(h.Output, h.Getenv("AWS_LAMBDA_LOG_LEVEL"), h.Now).With("function", function)
}
