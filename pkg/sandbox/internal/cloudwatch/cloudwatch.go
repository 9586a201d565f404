// Package cloudwatch emulates Amazon CloudWatch: metrics from embedded metric format and from the other services, alarms on
// the virtual clock, dashboards.
package cloudwatch

import (
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Service holds metrics, alarms and dashboards of all accounts.
type Service struct {
	world *cloud.World
	// sample calls measure with the metrics that services publish every minute, such as the depths of queues. Called with the
	// world locked.
	sample func(measure func(cloud.Sample))

	// The world lock guards these.
	alarms     []*alarm // in order of creation
	dashboards []*dashboard
	next       *cloud.Timer // of the next minute; nil while there is no alarm

	mu      sync.Mutex // separate from the world lock, because log lines arrive at any time
	metrics map[key]*metric
}

// New returns the service.
func New(w *cloud.World, sample func(measure func(cloud.Sample))) *Service {
	return &Service{world: w, sample: sample, metrics: map[key]*metric{}}
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	write := func(name string) cloud.Operation { return cloud.Operation{Name: name} }
	return &cloud.Service{
		Name: "monitoring", Protocol: cloud.RPCCBOR, EventSource: "monitoring.amazonaws.com", TargetPrefix: "GraniteServiceVersion20100801",
		Operations: []cloud.Operation{
			cloud.Op(write("PutMetricAlarm"), s.putMetricAlarm),
			cloud.Op(read("DescribeAlarms"), s.describeAlarms),
			cloud.Op(write("DeleteAlarms"), s.deleteAlarms),
			cloud.Op(write("PutDashboard"), s.putDashboard),
			cloud.Op(read("GetDashboard"), s.getDashboard),
			cloud.Op(read("ListDashboards"), s.listDashboards),
			cloud.Op(write("DeleteDashboards"), s.deleteDashboards),
			cloud.Op(cloud.Operation{Name: "ListMetrics", ReadOnly: true, DataPlane: true}, s.listMetrics),
			cloud.Op(cloud.Operation{Name: "GetMetricData", ReadOnly: true, DataPlane: true}, s.getMetricData),
		},
	}
}

// Snapshot returns an account's alarms with their states, its dashboards and the names of its metrics.
func (s *Service) Snapshot(account string) map[string]any {
	alarms, dashboards := []any{}, []any{}
	for _, a := range s.alarms {
		if a.account == account {
			alarms = append(alarms, a.snapshot())
		}
	}
	for _, d := range s.dashboards {
		if d.account == account {
			dashboards = append(dashboards, map[string]any{"name": d.name, "metrics": d.metrics})
		}
	}
	return map[string]any{"alarms": alarms, "dashboards": dashboards, "metrics": s.names(account)}
}

const minute = time.Minute
