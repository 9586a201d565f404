package events

import (
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// archived is a lab with a bus, a rule to a queue, and an archive of what has the detail type Thing Happened.
func archived(t *testing.T) (l *lab, queue string, bus, archive *cloud.Resource) {
	l = newLab(t)
	bus = l.deploy(hub, "AWS::Events::EventBus", "Bus", `{"Name":"b"}`)
	queue = l.queue(hub, "q", false)
	l.rule(hub, "b", "r", &Target{Id: "q", Arn: queue})
	archive = l.deploy(hub, "AWS::Events::Archive", "Archive", `{"SourceArn":"`+bus.Attributes["Arn"]+
		`","RetentionDays":"2","EventPattern":{"detail-type":["Thing Happened"]}}`)
	return l, queue, bus, archive
}

func TestAssumption_EV_12_ReplayedEventsCarryTheNameAndAreNotArchivedAgain(t *testing.T) {
	l, q, bus, archive := archived(t)
	begin := l.w.Clock.Now()
	e, other := app(`{"n":1}`), app(`{"n":2}`)
	e.EventBusName, other.EventBusName, other.DetailType = "b", "b", "Other"
	id := l.put(hub, e, other).Entries[0].EventId
	l.idle()
	expect(t, "delivered at first", len(l.messages(q)), 2)
	expect(t, "archived", do[Archive](l, hub, "DescribeArchive", &ArchiveInput{archive.Ref}).EventCount, 1)

	in := &StartReplayInput{
		ReplayName: "once-more", EventSourceArn: archive.Attributes["Arn"], EventStartTime: begin, EventEndTime: begin.Add(time.Minute),
		Destination: &ReplayDestination{Arn: bus.Attributes["Arn"]},
	}
	expect(t, "state", do[StartReplayOutput](l, hub, "StartReplay", in).State, "STARTING")
	l.idle()
	got := l.messages(q)
	expect(t, "replayed", len(got), 1)
	expect(t, "same event", strings.Contains(got[0].Body, id) && strings.Contains(got[0].Body, `"replay-name":"once-more"`), true)
	expect(t, "archived after the replay", do[Archive](l, hub, "DescribeArchive", &ArchiveInput{archive.Ref}).EventCount, 1)
	done := do[Replay](l, hub, "DescribeReplay", &DescribeReplayInput{"once-more"})
	expect(t, "state", done.State, "COMPLETED")
	expect(t, "last event", done.EventLastReplayedTime, begin)
	_, err := l.try(hub, "events", "StartReplay", in)
	expect(t, "the same name again", code(err), "ResourceAlreadyExistsException")

	l.w.Clock.Advance(49 * time.Hour)
	expect(t, "after retention", do[Archive](l, hub, "DescribeArchive", &ArchiveInput{archive.Ref}).EventCount, 0)
}

func TestReplayGoesOnlyToTheBusItCameFromAndToItsRules(t *testing.T) {
	l, q, bus, archive := archived(t)
	begin := l.w.Clock.Now()
	e := app("{}")
	e.EventBusName = "b"
	l.put(hub, e)
	l.idle()
	l.messages(q)
	in := StartReplayInput{
		ReplayName: "x", EventSourceArn: archive.Attributes["Arn"], EventStartTime: begin, EventEndTime: begin.Add(time.Minute),
	}
	for what, destination := range map[string]*ReplayDestination{
		"another bus": {Arn: strings.Replace(bus.Attributes["Arn"], "/b", "/default", 1)}, "none": nil,
		"a rule that is not there": {Arn: bus.Attributes["Arn"], FilterArns: []string{"arn:aws:events:us-east-1:100000000000:rule/b/none"}},
	} {
		in.Destination = destination
		_, err := l.try(hub, "events", "StartReplay", &in)
		expect(t, what, code(err), "ValidationException")
	}
	l.rule(hub, "b", "deaf")
	in.Destination = &ReplayDestination{bus.Attributes["Arn"], []string{"arn:aws:events:us-east-1:100000000000:rule/b/deaf"}}
	do[StartReplayOutput](l, hub, "StartReplay", &in)
	l.idle()
	expect(t, "delivered by a rule that was left out", len(l.messages(q)), 0)
}

func TestAssumption_EV_13_ABusWithAnArchiveStays(t *testing.T) {
	l := newLab(t)
	bus := l.deploy(hub, "AWS::Events::EventBus", "Bus", `{"Name":"b"}`)
	archive := l.deploy(hub, "AWS::Events::Archive", "Archive", `{"SourceArn":"`+bus.Attributes["Arn"]+`"}`)
	expect(t, "listed", do[ListArchivesOutput](l, hub, "ListArchives", &ListArchivesInput{}).Archives[0].ArchiveName, archive.Ref)
	_, err := l.try(hub, "events", "DeleteEventBus", &DeleteEventBusInput{"b"})
	expect(t, "delete the bus", code(err), "ValidationException")
	do[Empty](l, hub, "DeleteArchive", &ArchiveInput{archive.Ref})
	do[Empty](l, hub, "DeleteEventBus", &DeleteEventBusInput{"b"})
}
