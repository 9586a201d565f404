package sandbox

import (
	"maps"
	"net/http"
	"slices"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
	"github.com/originhub/originhub/pkg/sandbox/internal/sqs"
	"github.com/originhub/originhub/pkg/sandbox/internal/sts"
)

// services are the parts of a sandbox, wired together.
type services struct {
	iam  *iam.Service
	edge http.Handler
	// parts are all of them by name, for what is asked of each.
	parts map[string]part
}

// part is an emulated service as the sandbox sees it.
type part interface {
	API() *cloud.Service
	ResourceTypes() []cloud.ResourceType
	Snapshot(account string) map[string]any
}

func assemble(w *cloud.World, o Options, endpoint func() string) *services {
	s := &services{iam: iam.New(w)}
	w.Authorizer = s.iam
	queues := sqs.New(w)
	s.edge = http.NotFoundHandler()
	s.parts = map[string]part{
		"iam": s.iam, "sqs": queues, "sts": sts.New(w, s.iam),
	}
	for _, name := range slices.Sorted(maps.Keys(s.parts)) {
		w.Register(s.parts[name].API())
	}
	return s
}

func (s *services) hooks(*cloud.World) map[string]func(*cloud.Call) { return nil }

func (s *services) close() {}
