package lambda

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// linesKept is the number of lines of a log group that stay in memory.
const linesKept = 2000

// LogLine is one line that a function wrote.
type LogLine struct {
	Time            time.Time // virtual
	Stream, Message string
}

// LogGroup is a log group with its lines.
type LogGroup struct {
	Region, Name, ARN, Key string
	RetentionInDays        int
	Created                time.Time // virtual
	Lines                  []LogLine // at least the newest lines, in the order in which they were written
	Dropped                int       // number of lines before those
	Bytes                  int       // bytes of all lines that were written
}

// logs has a lock of its own, because lines arrive at any time.
type logs struct {
	clock  *cloud.Clock
	writer func(function string) io.Writer
	line   func(account, region, text string)

	mu     sync.Mutex
	groups map[string]*logGroup // by ARN
	sinks  map[string]io.Writer // by function name
}

type logGroup struct {
	account, region, name, arn string
	key                        string
	retention                  int
	created                    time.Time
	lines                      []LogLine // only appended to, because others read earlier slices
	written, bytes             int
}

func newLogs(clock *cloud.Clock, o Options) *logs {
	return &logs{clock: clock, writer: o.LogWriter, line: o.Line, groups: map[string]*logGroup{}, sinks: map[string]io.Writer{}}
}

func logGroupARN(account, region, name string) string {
	return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", region, account, name)
}

// group returns a log group. It creates one that does not exist, as a function's first line does. Call with l.mu locked.
func (l *logs) group(account, region, name string) (g *logGroup, made bool) {
	arn := logGroupARN(account, region, name)
	if g = l.groups[arn]; g != nil {
		return g, false
	}
	g = &logGroup{account: account, region: region, name: name, arn: arn, created: l.clock.Now()}
	l.groups[arn] = g
	return g, true
}

func (l *logs) write(f *function, stream, line string) {
	if l.line != nil {
		l.line(f.account, f.region, line)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, _ := l.group(f.account, f.region, f.logGroup)
	g.written++
	g.bytes += len(line)
	if g.lines = append(g.lines, LogLine{Time: l.clock.Now(), Stream: stream, Message: line}); len(g.lines) > 2*linesKept {
		g.lines = append([]LogLine(nil), g.lines[linesKept:]...)
	}
	if l.writer == nil {
		return
	}
	sink, known := l.sinks[f.name]
	if !known {
		sink = l.writer(f.name)
		l.sinks[f.name] = sink
	}
	if sink != nil {
		_, _ = io.WriteString(sink, line+"\n")
	}
}

// of returns an account's groups by name. Call with l.mu locked.
func (l *logs) of(account string) []*logGroup {
	var list []*logGroup
	for _, g := range l.groups {
		if g.account == account {
			list = append(list, g)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].arn < list[j].arn })
	return list
}

// snapshot omits the lines, because they may contain real times and a snapshot must be the same for the same seed.
func (l *logs) snapshot(account string) []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := []any{}
	for _, g := range l.of(account) {
		list = append(list, map[string]any{"name": g.name, "region": g.region, "retentionInDays": g.retention, "lines": g.written})
	}
	return list
}

// LogGroups returns an account's log groups, by Region and name, with their lines.
func (s *Service) LogGroups(account string) []LogGroup {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	var list []LogGroup
	for _, g := range s.logs.of(account) {
		list = append(list, LogGroup{
			Region: g.region, Name: g.name, ARN: g.arn, Key: g.key, RetentionInDays: g.retention, Created: g.created,
			Lines: slices.Clip(g.lines), Dropped: g.written - len(g.lines), Bytes: g.bytes,
		})
	}
	return list
}

// lockLogs checks that CloudWatch Logs may use the key of a log group. It is checked when the key is set, and not for every line
// (assumption KMS-05).
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func lockLogs(r *cloud.ResourceRequest, name string, old *cloud.Resource, key string) error {
	if key == "" {
		return nil
	}
	if old != nil {
		name = old.Ref
	}
	service := "logs." + r.Region + ".amazonaws.com"
	arn := logGroupARN(r.Account, r.Region, name)
	var err error
	r.World.Do(func() {
		_, err = r.World.Keys.Use(cloud.KeyUse{
			Key: key, Account: r.Account, Region: r.Region, Principal: cloud.ServicePrincipal(service), Via: "logs",
			Context: map[string]string{"aws:logs:arn": arn},
			Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"},
		})
	})
	if err != nil {
		return cloud.Errorf(400, "InvalidParameterException",
			"The specified KMS key does not exist or is not allowed to be used with Arn '%s': %v", arn, err)
	}
	return nil
}

// logGroupType is AWS::Logs::LogGroup.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
func (s *Service) logGroupType() cloud.ResourceType {
	const name = "AWS::Logs::LogGroup"
	type properties struct {
		LogGroupName    string
		LogGroupClass   string
		KmsKeyId        string
		RetentionInDays cloud.Int
		Tags            []cloud.Tag
	}
	put := func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
		var p properties
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		if old == nil && p.LogGroupName == "" {
			p.LogGroupName = r.Name(512)
		}
		if err := lockLogs(r, p.LogGroupName, old, p.KmsKeyId); err != nil {
			return nil, err
		}
		s.logs.mu.Lock()
		defer s.logs.mu.Unlock()
		if old != nil {
			if p.LogGroupName != "" && p.LogGroupName != old.Ref {
				return nil, invalid("LogGroupName of %s cannot change from %s to %s", r.LogicalID, old.Ref, p.LogGroupName)
			}
			p.LogGroupName = old.Ref
		}
		g, made := s.logs.group(r.Account, r.Region, p.LogGroupName)
		if old == nil && !made {
			return nil, cloud.Errorf(400, "ResourceAlreadyExistsException", "the log group %s already exists", p.LogGroupName)
		}
		g.retention, g.key = int(p.RetentionInDays), p.KmsKeyId
		return &cloud.Resource{Ref: g.name, Attributes: map[string]string{"Arn": g.arn + ":*"}}, nil
	}
	return cloud.ResourceType{
		Name:   name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) { return put(r, nil) },
		Update: put,
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			s.logs.mu.Lock()
			defer s.logs.mu.Unlock()
			delete(s.logs.groups, logGroupARN(r.Account, r.Region, old.Ref))
			return nil
		},
	}
}
