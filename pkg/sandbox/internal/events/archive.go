package events

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/pattern"
)

// archive keeps the events of a bus.
type archive struct {
	name, arn, account, region, description string
	bus                                     string // ARN of the bus
	text                                    string // text of the pattern
	pattern                                 *pattern.Pattern
	retention                               int // days; 0 for ever
	key                                     string
	lost                                    int // number of events that could not be encrypted
	created                                 time.Time
	events                                  []*envelope // in the order in which they came
}

// replay sends the events of an archive again.
type replay struct {
	name, arn, description, account, region string
	archive                                 *archive
	from, to                                time.Time
	rules                                   []string // ARNs; all rules of the bus when empty
	state                                   string
	started, ended, last                    time.Time
	sent                                    int
}

func archiveARN(account, region, name string) string {
	return "arn:aws:events:" + region + ":" + account + ":archive/" + name
}

var archiveName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,48}$`)

// keep adds an event to the archives of its bus. The rule of an archive does not match replayed events.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
func (s *Service) keep(b *bus, e *envelope, event pattern.Event) {
	if e.Replay != "" {
		return
	}
	for _, a := range s.archives {
		if a.bus != b.arn {
			continue
		}
		if a.pattern == nil || event.Satisfies(a.pattern) {
			if s.unlock(b, a.key, ofArchive()...) != nil {
				a.lost++ // assumption EV-15
				continue
			}
			a.events = append(a.events, e)
		}
	}
}

// held returns the events that are within the retention period.
func (a *archive) held(now time.Time) []*envelope {
	if a.retention > 0 {
		oldest := stamp(now.AddDate(0, 0, -a.retention))
		a.events = slices.DeleteFunc(a.events, func(e *envelope) bool { return e.Time < oldest })
	}
	return a.events
}

func (s *Service) archive(account, region, name string) *archive {
	arn := archiveARN(account, region, name)
	for _, a := range s.archives {
		if a.arn == arn {
			return a
		}
	}
	return nil
}

// archivedBy returns the name of an archive of the bus, or "".
func (s *Service) archivedBy(b *bus) string {
	for _, a := range s.archives {
		if a.bus == b.arn {
			return a.name
		}
	}
	return ""
}

// CreateArchiveInput is the input of CreateArchive.
type CreateArchiveInput struct {
	ArchiveName    string
	Description    string `json:",omitempty"`
	EventPattern   string `json:",omitempty"`
	EventSourceArn string
	RetentionDays  int

	KmsKeyIdentifier string `json:",omitempty"`
}

// CreateArchiveOutput is the output of CreateArchive and UpdateArchive.
type CreateArchiveOutput struct {
	ArchiveArn   string
	CreationTime time.Time
	State        string
}

// createArchive implements CreateArchive.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html
func (s *Service) createArchive(c *cloud.Call, in *CreateArchiveInput) (*CreateArchiveOutput, error) {
	arn := archiveARN(c.Account(), c.Region, in.ArchiveName)
	if err := c.Authorize("events:CreateArchive", arn, nil); err != nil {
		return nil, err
	}
	if !archiveName.MatchString(in.ArchiveName) {
		return nil, errInvalid("Parameter ArchiveName %q is not valid.", in.ArchiveName)
	}
	if s.archive(c.Account(), c.Region, in.ArchiveName) != nil {
		return nil, cloud.Errorf(400, "ResourceAlreadyExistsException", "Archive %s already exists.", in.ArchiveName)
	}
	b, err := s.own(c, in.EventSourceArn)
	if err != nil {
		return nil, err
	}
	a := &archive{name: in.ArchiveName, arn: arn, account: c.Account(), region: c.Region, bus: b.arn, created: c.Now()}
	if err := s.configure(a, in.Description, in.EventPattern, in.RetentionDays, in.KmsKeyIdentifier); err != nil {
		return nil, err
	}
	s.archives = append(s.archives, a)
	return &CreateArchiveOutput{arn, a.created, enabled}, nil
}

func (s *Service) configure(a *archive, description, text string, days int, key string) error {
	if days < 0 {
		return errInvalid("Parameter RetentionDays must not be negative.")
	}
	var compiled *pattern.Pattern
	if text != "" {
		var err error
		if compiled, err = pattern.Compile([]byte(text)); err != nil {
			return errPattern(err)
		}
	}
	if err := s.lock(s.buses[a.bus], key); err != nil {
		return err
	}
	a.description, a.text, a.pattern, a.retention, a.key = description, text, compiled, days, key
	return nil
}

// UpdateArchiveInput is the input of UpdateArchive. The source of an archive cannot change.
type UpdateArchiveInput struct {
	ArchiveName   string
	Description   string `json:",omitempty"`
	EventPattern  string `json:",omitempty"`
	RetentionDays int

	KmsKeyIdentifier string `json:",omitempty"`
}

// updateArchive implements UpdateArchive.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html
func (s *Service) updateArchive(c *cloud.Call, in *UpdateArchiveInput) (*CreateArchiveOutput, error) {
	a, err := s.archiveFor(c, "UpdateArchive", in.ArchiveName)
	if err != nil {
		return nil, err
	}
	if err := s.configure(a, in.Description, in.EventPattern, in.RetentionDays, in.KmsKeyIdentifier); err != nil {
		return nil, err
	}
	return &CreateArchiveOutput{a.arn, a.created, enabled}, nil
}

// archiveFor authorizes action on an archive and finds the archive.
func (s *Service) archiveFor(c *cloud.Call, action, name string) (*archive, error) {
	if err := c.Authorize("events:"+action, archiveARN(c.Account(), c.Region, name), nil); err != nil {
		return nil, err
	}
	if a := s.archive(c.Account(), c.Region, name); a != nil {
		return a, nil
	}
	return nil, errNone("Archive", name)
}

func errNone(what, name string) error {
	return cloud.Errorf(400, "ResourceNotFoundException", "%s %s does not exist.", what, name)
}

// ArchiveInput names an archive.
type ArchiveInput struct{ ArchiveName string }

// Archive is the output of DescribeArchive and an element of ListArchives.
type Archive struct {
	ArchiveArn     string `json:",omitempty"`
	ArchiveName    string
	CreationTime   time.Time
	Description    string `json:",omitempty"`
	EventCount     int
	EventPattern   string `json:",omitempty"`
	EventSourceArn string
	RetentionDays  int
	SizeBytes      int
	State          string

	KmsKeyIdentifier string `json:",omitempty"`
}

func (a *archive) wire(now time.Time) *Archive {
	size, held := 0, a.held(now)
	for _, e := range held {
		size += len(e.Detail)
	}
	return &Archive{
		ArchiveArn: a.arn, ArchiveName: a.name, CreationTime: a.created, Description: a.description, EventCount: len(held),
		EventPattern: a.text, EventSourceArn: a.bus, RetentionDays: a.retention, SizeBytes: size, State: enabled,
		KmsKeyIdentifier: a.key,
	}
}

// describeArchive implements DescribeArchive.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeArchive.html
func (s *Service) describeArchive(c *cloud.Call, in *ArchiveInput) (*Archive, error) {
	a, err := s.archiveFor(c, "DescribeArchive", in.ArchiveName)
	if err != nil {
		return nil, err
	}
	return a.wire(c.Now()), nil
}

// ListArchivesInput is the input of ListArchives.
type ListArchivesInput struct {
	EventSourceArn string
	NamePrefix     string
	State          string
	Limit          int
	NextToken      string
}

// ListArchivesOutput is the output of ListArchives.
type ListArchivesOutput struct {
	Archives  []*Archive
	NextToken string `json:",omitempty"`
}

// listArchives implements ListArchives.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListArchives.html
func (s *Service) listArchives(c *cloud.Call, in *ListArchivesInput) (*ListArchivesOutput, error) {
	if err := c.Authorize("events:ListArchives", archiveARN(c.Account(), c.Region, "*"), nil); err != nil {
		return nil, err
	}
	out := &ListArchivesOutput{}
	for _, a := range s.archives {
		if a.account != c.Account() || a.region != c.Region || !strings.HasPrefix(a.name, in.NamePrefix) ||
			in.EventSourceArn != "" && in.EventSourceArn != a.bus || in.State != "" && in.State != enabled {
			continue
		}
		item := a.wire(c.Now())
		item.ArchiveArn, item.Description, item.EventPattern, item.KmsKeyIdentifier = "", "", "", ""
		out.Archives = append(out.Archives, item)
	}
	var err error
	out.Archives, out.NextToken, err = page(out.Archives, in.NextToken, in.Limit)
	return out, err
}

// deleteArchive implements DeleteArchive.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteArchive.html
func (s *Service) deleteArchive(c *cloud.Call, in *ArchiveInput) (*Empty, error) {
	a, err := s.archiveFor(c, "DeleteArchive", in.ArchiveName)
	if err != nil {
		return nil, err
	}
	s.archives = slices.DeleteFunc(s.archives, func(other *archive) bool { return other == a })
	return &Empty{}, nil
}

// StartReplayInput is the input of StartReplay.
type StartReplayInput struct {
	ReplayName     string
	Description    string `json:",omitempty"`
	EventSourceArn string // of the archive
	EventStartTime time.Time
	EventEndTime   time.Time
	Destination    *ReplayDestination
}

// ReplayDestination is the bus of the events, and those of its rules that get the events again.
type ReplayDestination struct {
	Arn        string
	FilterArns []string `json:",omitempty"`
}

// StartReplayOutput is the output of StartReplay.
type StartReplayOutput struct {
	ReplayArn       string
	ReplayStartTime time.Time
	State           string
}

const (
	replayStarting  = "STARTING"
	replayCompleted = "COMPLETED"
)

// startReplay implements StartReplay. It sends all events of the period again, in the order of their time (assumption EV-12).
// startReplay implements StartReplay.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
func (s *Service) startReplay(c *cloud.Call, in *StartReplayInput) (*StartReplayOutput, error) {
	arn := "arn:aws:events:" + c.Region + ":" + c.Account() + ":replay/" + in.ReplayName
	if err := c.Authorize("events:StartReplay", arn, nil); err != nil {
		return nil, err
	}
	_, name, _ := strings.Cut(in.EventSourceArn, ":archive/")
	a := s.archive(c.Account(), c.Region, name)
	switch {
	case !ruleName.MatchString(in.ReplayName):
		return nil, errInvalid("Parameter ReplayName %q is not valid.", in.ReplayName)
	case slices.ContainsFunc(s.replays, func(r *replay) bool { return r.arn == arn }):
		return nil, cloud.Errorf(400, "ResourceAlreadyExistsException", "Replay %s already exists.", in.ReplayName)
	case a == nil || a.arn != in.EventSourceArn:
		return nil, errNone("Archive", in.EventSourceArn)
	case in.Destination == nil || in.Destination.Arn != a.bus:
		return nil, errInvalid("Parameter Destination.Arn is not valid. Reason: must be the event bus of the archive, %s.", a.bus)
	case !in.EventStartTime.Before(in.EventEndTime):
		return nil, errInvalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
	}
	b := s.buses[a.bus]
	for _, filter := range in.Destination.FilterArns {
		if b == nil || !slices.ContainsFunc(b.sorted(), func(r *rule) bool { return r.arn == filter }) {
			return nil, errInvalid("Parameter Destination.FilterArns is not valid. Reason: %s is not a rule of the event bus.", filter)
		}
	}
	r := &replay{
		name: in.ReplayName, arn: arn, description: in.Description, account: c.Account(), region: c.Region, archive: a,
		from: in.EventStartTime, to: in.EventEndTime, rules: in.Destination.FilterArns, state: replayStarting, started: c.Now(),
	}
	s.replays = append(s.replays, r)
	s.world.Clock.After(hop, "replay "+r.name, func() {
		var jobs []*job
		s.world.Do(func() { jobs = s.again(r) })
		s.run(jobs)
	})
	return &StartReplayOutput{arn, r.started, r.state}, nil
}

// again returns the jobs of a replay. A replayed event has the name of the replay and is otherwise unchanged.
func (s *Service) again(r *replay) []*job {
	var due []*envelope
	for _, e := range r.archive.held(s.world.Clock.Now()) {
		if e.Time >= stamp(r.from) && e.Time < stamp(r.to) {
			due = append(due, e)
		}
	}
	slices.SortStableFunc(due, func(a, b *envelope) int { return strings.Compare(a.Time, b.Time) })
	var jobs []*job
	for _, e := range due {
		copied := *e
		copied.Replay = r.name
		jobs = append(jobs, s.match(r.archive.bus, &copied, false, r.rules)...)
		r.last, _ = time.Parse(time.RFC3339, e.Time)
		r.sent++
	}
	r.state, r.ended = replayCompleted, s.world.Clock.Now()
	return jobs
}

// DescribeReplayInput names a replay.
type DescribeReplayInput struct{ ReplayName string }

// Replay is the output of DescribeReplay.
type Replay struct {
	ReplayArn             string
	ReplayName            string
	Description           string `json:",omitempty"`
	State                 string
	EventSourceArn        string
	Destination           ReplayDestination
	EventStartTime        time.Time
	EventEndTime          time.Time
	EventLastReplayedTime time.Time
	ReplayStartTime       time.Time
	ReplayEndTime         time.Time
}

// describeReplay implements DescribeReplay.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeReplay.html
func (s *Service) describeReplay(c *cloud.Call, in *DescribeReplayInput) (*Replay, error) {
	arn := "arn:aws:events:" + c.Region + ":" + c.Account() + ":replay/" + in.ReplayName
	if err := c.Authorize("events:DescribeReplay", arn, nil); err != nil {
		return nil, err
	}
	for _, r := range s.replays {
		if r.arn == arn {
			return &Replay{
				ReplayArn: arn, ReplayName: r.name, Description: r.description, State: r.state, EventSourceArn: r.archive.arn,
				Destination: ReplayDestination{r.archive.bus, r.rules}, EventStartTime: r.from, EventEndTime: r.to,
				EventLastReplayedTime: r.last, ReplayStartTime: r.started, ReplayEndTime: r.ended,
			}, nil
		}
	}
	return nil, errNone("Replay", in.ReplayName)
}

// archiveType is AWS::Events::Archive.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
func archiveType() cloud.ResourceType {
	const kind = "AWS::Events::Archive"
	type properties struct {
		ArchiveName   string
		Description   string
		EventPattern  json.RawMessage
		RetentionDays cloud.Int
		SourceArn     string

		KmsKeyIdentifier string
	}
	read := func(r *cloud.ResourceRequest) (p properties, err error) {
		err = r.DecodeProperties(kind, &p)
		return p, err
	}
	return cloud.ResourceType{
		Name: kind,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) {
			p, err := read(r)
			if err != nil {
				return nil, err
			}
			if p.ArchiveName == "" {
				p.ArchiveName = r.Name(48)
			}
			out, err := call(r, "CreateArchive", &CreateArchiveInput{
				ArchiveName: p.ArchiveName, Description: p.Description, EventPattern: string(p.EventPattern),
				EventSourceArn: p.SourceArn, RetentionDays: int(p.RetentionDays), KmsKeyIdentifier: p.KmsKeyIdentifier,
			})
			if err != nil {
				return nil, err
			}
			attributes := map[string]string{"Arn": out.(*CreateArchiveOutput).ArchiveArn, "source": p.SourceArn}
			return &cloud.Resource{Ref: p.ArchiveName, Attributes: attributes}, nil
		},
		Update: func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
			p, err := read(r)
			if err != nil {
				return nil, err
			}
			if p.SourceArn != old.Attributes["source"] || p.ArchiveName != "" && p.ArchiveName != old.Ref {
				return nil, fmt.Errorf("update archive %s: the sandbox does not replace archives", old.Ref)
			}
			_, err = call(r, "UpdateArchive", &UpdateArchiveInput{
				ArchiveName: old.Ref, Description: p.Description, EventPattern: string(p.EventPattern), RetentionDays: int(p.RetentionDays),
				KmsKeyIdentifier: p.KmsKeyIdentifier,
			})
			return old, err
		},
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			_, err := call(r, "DeleteArchive", &ArchiveInput{ArchiveName: old.Ref})
			return err
		},
	}
}
