package events

import "github.com/originhub/originhub/pkg/sandbox/internal/cloud"

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	return &cloud.Service{
		Name: "events", Protocol: cloud.JSON11, EventSource: "events.amazonaws.com", TargetPrefix: "AWSEvents",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "CreateEventBus"}, s.createEventBus),
			cloud.Op(read("DescribeEventBus"), s.describeEventBus),
			cloud.Op(read("ListEventBuses"), s.listEventBuses),
			cloud.Op(cloud.Operation{Name: "DeleteEventBus"}, s.deleteEventBus),
			cloud.Op(cloud.Operation{Name: "PutRule"}, s.putRule),
			cloud.Op(read("DescribeRule"), s.describeRule),
			cloud.Op(read("ListRules"), s.listRules),
			cloud.Op(cloud.Operation{Name: "EnableRule"}, s.enableRule),
			cloud.Op(cloud.Operation{Name: "DisableRule"}, s.disableRule),
			cloud.Op(cloud.Operation{Name: "DeleteRule"}, s.deleteRule),
			cloud.Op(cloud.Operation{Name: "PutTargets"}, s.putTargets),
			cloud.Op(read("ListTargetsByRule"), s.listTargetsByRule),
			cloud.Op(read("ListRuleNamesByTarget"), s.listRuleNamesByTarget),
			cloud.Op(cloud.Operation{Name: "RemoveTargets"}, s.removeTargets),
			cloud.Op(read("TestEventPattern"), s.testEventPattern),
			cloud.Op(cloud.Operation{Name: "CreateArchive"}, s.createArchive),
			cloud.Op(cloud.Operation{Name: "UpdateArchive"}, s.updateArchive),
			cloud.Op(read("DescribeArchive"), s.describeArchive),
			cloud.Op(read("ListArchives"), s.listArchives),
			cloud.Op(cloud.Operation{Name: "DeleteArchive"}, s.deleteArchive),
			cloud.Op(cloud.Operation{Name: "StartReplay"}, s.startReplay),
			cloud.Op(read("DescribeReplay"), s.describeReplay),
			cloud.Op(cloud.Operation{Name: "PutEvents", DataPlane: true}, s.putEvents),
		},
	}
}
