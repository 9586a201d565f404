package rehearsal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/originhub/originhub/pkg/audit"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/sandbox"
	"github.com/originhub/originhub/pkg/teardown"
)

// item is an item of the registry.
type item = map[string]dynamodbtypes.AttributeValue

// nameOf returns the key of an item as one text.
func nameOf(i item) string {
	return textOf(i[contract.RegistryPartition]) + " " + textOf(i[contract.RegistrySort])
}

func textOf(v dynamodbtypes.AttributeValue) string {
	s, _ := v.(*dynamodbtypes.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// items returns all items of the registry, in the order of their keys.
func (l *life) items() ([]item, error) {
	out, err := l.table().Scan(l.ctx, &dynamodb.ScanInput{TableName: aws.String(l.outputs["RegistryTable"])})
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

func (l *life) table() *dynamodb.Client { return dynamodb.NewFromConfig(l.Config(HubAccount, Region)) }

func (l *life) putItem(i item) error {
	_, err := l.table().PutItem(l.ctx, &dynamodb.PutItemInput{TableName: aws.String(l.outputs["RegistryTable"]), Item: i})
	return err
}

// damages returns the ways in which an item may be damaged.
func damages() map[string]func(item) {
	text := func(s string) func(item) {
		return func(i item) { i["document"] = &dynamodbtypes.AttributeValueMemberS{Value: s} }
	}
	return map[string]func(item){
		"not JSON":              text(`{"ID":`),
		"another type":          text(`[]`),
		"without version":       func(i item) { delete(i, "version") },
		"document not a string": func(i item) { i["document"] = &dynamodbtypes.AttributeValueMemberN{Value: "7"} },
	}
}

// planDamage damages one item of the registry: the record of an origin, the item of a distribution, or what the audit remembers. The others are
// written again, or only keep a message from being repeated.
func (l *life) planDamage() (string, func() error, error) {
	known, err := l.snapshot()
	if err != nil {
		return "", nil, err
	}
	all, err := l.items()
	if err != nil {
		return "", nil, err
	}
	candidates := slices.DeleteFunc(all, func(i item) bool {
		key := textOf(i[contract.RegistrySort])
		return strings.HasPrefix(key, "refusal#") || strings.HasPrefix(key, "reported#") || key == "fleet" || slices.ContainsFunc(known.Damaged, func(d origin.Damaged) bool { return d.Partition+" "+d.Key == nameOf(i) })
	})
	if len(candidates) == 0 {
		return "", nil, nil
	}
	i := candidates[l.rnd.IntN(len(candidates))]
	ways := slices.Sorted(maps.Keys(damages()))
	way := ways[l.rnd.IntN(len(ways))]
	return l.withNames(nameOf(i)) + " " + way, func() error {
		l.before[nameOf(i)] = maps.Clone(i)
		damages()[way](i)
		if err := l.putItem(i); err != nil {
			return err
		}
		now, err := l.snapshot()
		damaged := slices.ContainsFunc(now.Damaged, func(d origin.Damaged) bool { return d.Partition+" "+d.Key == nameOf(i) })
		return errors.Join(err, want(damaged, "%s can still be read", nameOf(i)))
	}, nil
}

// planDeleteDistribution deletes the distribution of the hub. While it is being disabled, CloudFront throttles the hub's updates, which would
// enable it again. Of two distributions that can be adopted, one is deleted in a life.
func (l *life) planDeleteDistribution() (string, func() error, error) {
	if editable, err := l.editable(); err != nil || !editable || l.adoptable != nil && l.applied[deleteDistribution] > 0 {
		return "", nil, err
	}
	id, err := l.distributionID()
	if err != nil {
		return "", nil, err
	}
	return id, func() error {
		var mu sync.Mutex
		deleting := true
		l.OnCall(func(c sandbox.Call) *sandbox.Fault {
			mu.Lock()
			defer mu.Unlock()
			if !deleting || c.Operation != "UpdateDistribution" || !strings.Contains(c.Function, "WireFunction") {
				return nil
			}
			return &sandbox.Fault{Name: deleteDistribution, Error: &sandbox.RuleError{Code: "Throttling", Message: "Rate exceeded"}}
		})
		err := l.deleteDistribution(nil, nil)
		for again := new(cloudfronttypes.DistributionNotDisabled); errors.As(err, &again); { // a fault let an update of the hub pass
			err = l.deleteDistribution(nil, nil)
		}
		mu.Lock()
		deleting = false
		mu.Unlock()
		if err != nil {
			return err
		}
		_, err = l.hubCloudFront.GetDistribution(l.ctx, &cloudfront.GetDistributionInput{Id: &id})
		missing := new(cloudfronttypes.NoSuchDistribution)
		return want(errors.As(err, &missing), "reading %s returns %v", id, err)
	}, nil
}

// betweenCallsOf returns the operations that may happen between two calls of the hub's functions.
func betweenCallsOf() []string { return []string{tag, untag, share, unshare, changeHost, changePaths} }

// planBetweenCalls draws an operation of a team, and a call of the hub's functions before which it happens, or before the first later one
// when it is possible.
func (l *life) planBetweenCalls() (string, func() error, error) {
	name, nth := betweenCallsOf()[l.rnd.IntN(len(betweenCallsOf()))], 1+l.rnd.IntN(80)
	return fmt.Sprintf("%s, from call %d", name, nth), func() error {
		var mu sync.Mutex
		seen, ended := 0, false
		l.OnCall(func(c sandbox.Call) *sandbox.Fault {
			mu.Lock()
			defer mu.Unlock()
			if seen++; c.Function == "" || ended || seen < nth {
				return nil
			}
			ended = true // the operation's own calls come here, too
			return &sandbox.Fault{Before: func() {
				done := l.between(c, name)
				mu.Lock()
				defer mu.Unlock()
				ended = done
			}}
		})
		return nil
	}, nil
}

// between applies an operation before a call, if it is possible, and counts that.
func (l *life) between(c sandbox.Call, name string) bool {
	what, do, err := operationOf(name).plan(l)
	if err == nil && do == nil {
		return false
	}
	boundary := c.Function[strings.LastIndex(c.Function, "-")+1:] + " " + c.Operation
	if at := strings.LastIndex(c.Function, "Function"); at >= 0 {
		boundary = c.Function[:at] + " " + c.Operation
	}
	l.note("%s %s, between two calls, before %s %s", name, what, c.Function, c.Operation)
	if err == nil {
		err = do()
	}
	if err != nil {
		l.failed = errors.Join(l.failed, fmt.Errorf("%s %s before %s: %w", name, what, boundary, err))
		return true
	}
	l.applied[name]++
	l.hits[betweenCalls+": "+name]++
	l.boundaries[boundary]++
	return true
}

// resolve does what events advise, until nothing is left to do: it restores or deletes damaged items, adopts another distribution, sets
// the tags of blocked teardowns again, and, at the end of a life, deletes tagged origins that nothing tears down. What no event names is an error.
func (l *life) resolve(t *testing.T, end bool) {
	t.Helper()
	for range 6 {
		known, err := l.snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.receiveEvents(); err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, of := range []func(origin.Snapshot, bool) (int, error){l.resolveDamaged, l.resolveDistribution, l.resolveBlocked, l.resolveUntouched} {
			n, err := of(known, end)
			if err != nil {
				t.Error(err)
			}
			done += n
		}
		if done == 0 {
			return
		}
		l.waitForSweeps(t, 8)
	}
}

// resolving notes and counts what somebody does as an event advises.
func (l *life) resolving(what, format string, a ...any) {
	l.note(format+", as its event advises", a...)
	l.resolved[what]++
}

// heard reports whether the hub has published an event of a type that matches.
func (l *life) heard(eventType string, matches func(Event) bool) bool {
	return slices.ContainsFunc(l.received, func(h Event) bool { return h.Type == eventType && matches(h) })
}

// The kinds of findings that are resolved.
const (
	itemDeleted     = "damaged item deleted"
	itemRestored    = "damaged item restored"
	adoptedAnother  = "another distribution adopted"
	tagSetAgain     = "tag of a blocked teardown set again"
	forgottenOrigin = "origin deleted that its teardown had forgotten"
	refusedOrigin   = "tagged origin deleted that was never admitted"
)

func resolutions() []string {
	return []string{itemDeleted, itemRestored, adoptedAnother, tagSetAgain, forgottenOrigin, refusedOrigin}
}

func (l *life) resolveDamaged(known origin.Snapshot, _ bool) (n int, err error) {
	for _, d := range known.Damaged {
		name := d.Partition + " " + d.Key
		if !l.heard(contract.RegistryItemDamaged, func(h Event) bool {
			return h.Detail.What == d.Key && strings.Contains(h.Detail.Why, "restore the item")
		}) && l.hits[eventsLost] == 0 {
			return n, fmt.Errorf("item %s is damaged, and no event names it", l.withNames(name))
		}
		n++
		if before := l.before[name]; before != nil && l.rnd.IntN(2) == 0 {
			l.resolving(itemRestored, "item %s is restored", name)
			if err := l.putItem(before); err != nil {
				return n, err
			}
			continue
		}
		l.resolving(itemDeleted, "item %s is deleted", name)
		if _, err := l.table().DeleteItem(l.ctx, &dynamodb.DeleteItemInput{TableName: aws.String(l.outputs["RegistryTable"]), Key: item{
			contract.RegistryPartition: &dynamodbtypes.AttributeValueMemberS{Value: d.Partition}, contract.RegistrySort: &dynamodbtypes.AttributeValueMemberS{Value: d.Key},
		}}); err != nil {
			return n, err
		}
	}
	return n, nil
}

// resolveDistribution adopts the second distribution if the first one was deleted. While an item of the registry is damaged, the hub says only that.
func (l *life) resolveDistribution(known origin.Snapshot, _ bool) (int, error) {
	first := l.adoptable["first"]
	if first == "" || first == l.adoptable["second"] || len(known.Damaged) > 0 {
		return 0, nil
	}
	_, err := l.hubCloudFront.GetDistribution(l.ctx, &cloudfront.GetDistributionInput{Id: &first})
	if missing := new(cloudfronttypes.NoSuchDistribution); !errors.As(err, &missing) {
		return 0, err
	}
	names := func(h Event) bool { return strings.Contains(h.Detail.What+h.Detail.Why, first) }
	if !l.heard(contract.DriftFound, names) && !l.heard(contract.DistributionUnavailable, names) && !l.heard(contract.LeakFound, names) {
		return 0, fmt.Errorf("distribution %s is deleted, and no event names it", first)
	}
	l.resolving(adoptedAnother, "the second distribution is adopted")
	err = l.adopt(nil, []string{"second"})
	l.adoptable["first"], l.originalConfigs["first"] = l.adoptable["second"], l.originalConfigs["second"]
	return 1, err
}

// resolveBlocked sets the tag of each teardown again that is blocked because its execution died.
func (l *life) resolveBlocked(known origin.Snapshot, _ bool) (n int, err error) {
	for _, name := range l.names {
		r, _ := known.Find(l.origins[name].ID)
		if r.Teardown == nil || !r.Teardown.Ended || r.Teardown.Because.Code != teardown.ExecutionDied {
			continue
		}
		if !l.heard(contract.TeardownBlocked, func(h Event) bool { return h.Detail.Origin == r.ID && strings.Contains(h.Detail.Why, "set") }) {
			return n, fmt.Errorf("the teardown of %s is blocked, and no event names it: %+v", name, r.Teardown)
		}
		tags, err := l.tags(name)
		if err != nil {
			return n, err
		}
		if value := tags[contract.TagTeardown]; value != "" {
			n++
			l.resolving(tagSetAgain, "the team of %s sets the tag again", name)
			if err := l.tag(nil, []string{name, value}); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// resolveUntouched deletes, at the end of a life, the tagged origins of which the registry has no record: those that the audit reports, because
// they are in no share, and those that are shared and were refused because of their tag.
func (l *life) resolveUntouched(known origin.Snapshot, end bool) (n int, err error) {
	if !end {
		return 0, nil
	}
	visible, err := l.visible()
	if err != nil {
		return 0, err
	}
	waited := false
	for _, name := range l.names {
		id := l.origins[name].ID
		tags, err := l.tags(name)
		if err != nil {
			return n, err
		}
		if _, recorded := known.Find(id); recorded || known.IsDamaged(id) || tags[contract.TagTeardown] == "" {
			continue
		}
		n++
		if visible[id] {
			if !l.heard(contract.OriginRefused, func(h Event) bool {
				return h.Detail.Origin == id && strings.Contains(h.Detail.Repair, "delete-vpc-origin")
			}) {
				return n, fmt.Errorf("%s is tagged and not admitted, and no event names it", name)
			}
			l.resolving(refusedOrigin, "%s is unshared and deleted", name)
			if err := errors.Join(l.unshare(nil, []string{name}), l.deleteOrigin(nil, []string{name})); err != nil {
				return n, err
			}
			continue
		}
		if !waited { // for the daily audit
			waited = true
			l.Advance(audits)
			if known, err = l.snapshot(); err != nil {
				return n, err
			}
			if err := l.receiveEvents(); err != nil {
				return n, err
			}
		}
		open := slices.ContainsFunc(known.Findings.Open, func(f origin.OpenFinding) bool { return f.Kind == string(audit.TeardownForgotten) && f.Origin == id })
		named := l.heard(contract.LeakFound, func(h Event) bool {
			return h.Detail.Origin == id && strings.Contains(h.Detail.Repair, "delete-vpc-origin")
		})
		if !open || !named {
			return n, fmt.Errorf("%s is tagged and in no share, and no open finding names it", name)
		}
		l.resolving(forgottenOrigin, "%s is deleted", name)
		if err := l.deleteOrigin(nil, []string{name}); err != nil {
			return n, err
		}
	}
	return n, nil
}
