package rehearsal

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// The places where an origin may be found when nothing is under way.
const (
	foundLive       = "live"
	foundTornDown   = "torn down"
	foundUnadmitted = "tagged before it was admitted"
	foundUnshared   = "not shared"
)

// foundPlaces returns the places where an origin may be found.
func foundPlaces() []string {
	return []string{foundLive, foundTornDown, foundUnadmitted, foundUnshared}
}

// checkEveryOrigin checks that every origin is where its tags and its shares say.
func (l *life) checkEveryOrigin(t *testing.T) {
	t.Helper()
	visible, err := l.visible()
	if err != nil {
		t.Fatal(err)
	}
	known, err := l.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	config, err := l.hubConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range l.names {
		o := observation{visible: visible[l.origins[n].ID]}
		if o.exists, err = l.exists(n); err != nil {
			t.Fatal(err)
		}
		if o.tags, err = l.tags(n); err != nil {
			t.Fatal(err)
		}
		o.record, o.known = known.Find(l.origins[n].ID)
		if config != nil {
			for _, c := range config.Origins.Items {
				o.wired = o.wired || c.VpcOriginConfig != nil && aws.ToString(c.VpcOriginConfig.VpcOriginId) == l.origins[n].ID
			}
		}
		l.note("END %s: %v", n, o)
		end, err := l.findOrigin(n, o)
		if err != nil {
			t.Errorf("%s: %v: %v", n, err, o)
		}
		l.found[end]++
	}
}

// observation is what was observed of one origin.
type observation struct {
	exists, visible bool // for its owner, for the hub
	tags            map[string]string
	known           bool // whether the registry has a record of it
	record          origin.Record
	wired           bool
}

func (o observation) String() string {
	return fmt.Sprintf("exists %v visible %v tags %v; record %v %s %s gen %d, wired %v; teardown %+v; history %v", o.exists, o.visible, o.tags,
		o.known, o.record.Intent, o.record.State, o.record.Generation, o.wired, o.record.Teardown, o.record.History)
}

// findOrigin returns where an origin was found, or an error if it should not be there.
//
//	exists  visible to hub   tagged  in the registry        found
//	yes     yes              no                             live: in the distribution, and it answers
//	yes     yes              yes     no                     tagged before it was admitted: not in the distribution
//	yes     no                       no teardown            not shared: not in the distribution
//	no                               deleted                torn down: nothing is left
//
// Every other combination is an error.
func (l *life) findOrigin(name string, o observation) (end string, err error) {
	_, tagged := o.tags[contract.TagTeardown]
	forgotten := !o.known && (l.applied[emptyRegistry]+l.resolved[itemDeleted]+l.resolved[forgottenOrigin]+l.resolved[refusedOrigin] > 0)
	switch {
	case o.exists && o.visible && !tagged:
		return foundLive, l.checkLive(o)
	case o.exists && o.wired:
		return "", errors.New("the origin should not be in the distribution")
	case o.exists && o.visible && !o.known:
		return foundUnadmitted, nil
	case o.exists && !o.visible && (o.record.Teardown == nil || !tagged):
		return foundUnshared, want(o.record.State != origin.Live, "the origin should not be live")
	case !o.exists && (o.record.State == origin.Deleted || forgotten):
		return foundTornDown, l.nothingLeft(nil, []string{name})
	}
	return "", errors.New("the origin should be deleted")
}

// checkLive checks that an origin is live, and that viewers reach all its paths.
func (l *life) checkLive(o observation) error {
	if o.record.State != origin.Live || !o.wired {
		return errors.New("the origin should be live")
	}
	host, paths := o.tags[contract.TagHost], strings.Fields(o.tags[contract.TagPaths])
	if len(paths) == 0 {
		return errors.New("the origin claims no path")
	}
	for _, p := range paths {
		status, body, err := Get(l.ctx, l.Edge(), host, p+"customers/1")
		if err := errors.Join(err, want(status == 200, "%s%s answers %d %s", host, p, status, body)); err != nil {
			return err
		}
	}
	return l.dns(nil, []string{host, "present"})
}

// checkLeftovers checks, after all teardowns, that nothing is left, and that faults or operations explain everything that went wrong.
func (l *life) checkLeftovers(t *testing.T) {
	t.Helper()
	for _, left := range []func() error{l.leftoverHosts, l.leftoverParts} {
		if err := left(); err != nil {
			t.Error(err)
		}
	}
	for _, unexplained := range []func() error{l.unexplainedDenials, l.unexplainedLetters, l.unexplainedExecutions, l.unexplainedAlarms, l.overBudget} {
		if err := unexplained(); err != nil {
			t.Error(err)
		}
	}
}

// leftoverHosts returns an error if an alias or a record of a host is left. A hub that lost its registry takes them for unmanaged, so they
// may be left then.
func (l *life) leftoverHosts() error {
	config, err := l.hubConfig()
	if err != nil || l.applied[emptyRegistry]+l.resolved[itemDeleted] > 0 {
		return err
	}
	var all []error
	for _, h := range lifeHosts() {
		left := config != nil && config.Aliases != nil && slices.Contains(config.Aliases.Items, h)
		all = append(all, l.dns(nil, []string{h, "absent"}), want(!left, "alias %s is left", h))
	}
	return errors.Join(all...)
}

var (
	commentElement = regexp.MustCompile(`<Comment>[^<]*</Comment>`)
	aliasesElement = regexp.MustCompile(`(?s)<Aliases>.*</Aliases>`)
)

// leftoverParts returns an error if an adopted distribution differs from what it was before the adoption. The comment may differ if somebody
// has edited it, and the aliases if the hub lost its registry or an item of it. The hub leaves a wildcard alias that it added to a distribution that
// was adopted later than first, which has that alias.
func (l *life) leftoverParts() error {
	if l.adoptable == nil {
		return nil
	}
	served, err := l.hub.Distribution(l.ctx, l.adoptable["first"])
	if err != nil {
		return err
	}
	before, now := l.originalConfigs["first"], served.Config
	for element, changed := range map[*regexp.Regexp]bool{
		commentElement: l.applied[comment] > 0 || l.hits[editsBeforeUpdates] > 0,
		aliasesElement: l.applied[emptyRegistry] > 0 || l.resolved[itemDeleted] > 0 || l.resolved[adoptedAnother] > 0 && !slices.Contains(l.kind, "aliases=per-host"),
	} {
		if n := len(element.FindAll(now, -1)); n != 1 {
			return fmt.Errorf("the configuration has %d parts %v, want one:\n%s", n, element, now)
		}
		if changed {
			before, now = element.ReplaceAll(before, nil), element.ReplaceAll(now, nil)
		}
	}
	return want(bytes.Equal(before, now), "the configuration changed from\n%s\nto\n%s", before, now)
}

// deliveries returns, by dead-letter queue, the function whose failures fill it, and the number of failures after which one message or event
// ends there. No fault of the table fills any other queue.
func deliveries() map[string]struct {
	function string
	failures int
} {
	return map[string]struct {
		function string
		failures int
	}{
		"AdmitQueueDeadLetters": {"AdmitFunction", 5},
		"WireQueueDeadLetters":  {"WireFunction", 5},
		"RetireDeadLetters":     {"RetireFunction", 3},
		"AuditDeadLetters":      {"AuditFunction", 3},
	}
}

// unexplainedLetters returns an error if a queue holds messages, unless faults have hit its function often enough for one message to end
// there.
func (l *life) unexplainedLetters() error {
	if err := l.receiveEvents(); err != nil { // empties the queue of received events
		return err
	}
	e := ending{Letters: map[string]int{}}
	if err := l.readState(&e); err != nil {
		return err
	}
	var all []error
	for queue, n := range e.Letters {
		explained := false
		for name, d := range deliveries() {
			explained = explained || strings.Contains(queue, name) && l.failedRuns(d.function) >= d.failures
		}
		all = append(all, want(explained, "%s holds %d messages, which no fault explains", queue, n))
	}
	return errors.Join(all...)
}

// unexplainedDenials returns an error if IAM denied the hub a call other than a deletion whose tag was removed at the last moment.
func (l *life) unexplainedDenials() error {
	var all []error
	for _, d := range l.denials() {
		explained := l.applied[untag] > 0 && strings.HasPrefix(d, "cloudfront DeleteVpcOrigin by arn:aws:sts:")
		all = append(all, want(explained, "the hub's functions were denied: %s", d))
	}
	return errors.Join(all...)
}

// unexplainedExecutions returns an error if an execution did not succeed, unless the removal of its tag between unsharing and deletion, or
// the loss of the registry, explains that.
func (l *life) unexplainedExecutions() error {
	var all []error
	for _, x := range l.Executions(HubAccount) {
		explained := x.Status == "SUCCEEDED" || x.Status == "FAILED" &&
			(x.Error == "Blocked" && l.applied[untag] > 0 || slices.Contains([]string{"GiveUp", "States.Timeout"}, x.Error) &&
				l.applied[emptyRegistry]+l.applied[damageItem]+l.applied[deleteDistribution]+l.hits[teardownDenied]+l.hits[distributionUnreadable] > 0) ||
			x.Status == "ABORTED" && l.applied[stopExecution] > 0
		all = append(all, want(explained, "execution %s is %s in %s: %s %s", l.withNames(x.Name), x.Status, x.State, x.Error, l.withNames(x.Cause)))
	}
	return errors.Join(all...)
}

// alarms returns the operations and faults that explain an alarm event, by type. One of them must have happened; no other type may occur.
func alarms() map[string][]string {
	return map[string][]string{
		contract.DriftFound:               {comment, dropBehaviors, removeDNS, unshare, editsBeforeUpdates, deleteDistribution},
		contract.OriginRefused:            {tag, refusedOrigin},
		contract.TeardownTagRefused:       {tag},
		contract.OriginWithdrawn:          {unshare},
		contract.DistributionWriteRefused: {unshare},
		contract.TeardownBlocked:          {untag, emptyRegistry, stopExecution, teardownDenied, distributionUnreadable, damageItem, deleteDistribution},
		contract.LeakFound:                {stopExecution, teardownDenied, emptyRegistry, damageItem, forgottenOrigin, deleteDistribution},
		contract.RegistryItemDamaged:      {damageItem},
		contract.DistributionUnavailable:  {deleteDistribution, distributionUnreadable},
		contract.OriginDeferred:           {deleteDistribution, distributionUnreadable, damageItem},
		contract.PropagationDelayed:       {comment, dropBehaviors, editsBeforeUpdates},
	}
}

// unexplainedAlarms returns an error if the hub published an alarm event that nothing explains.
func (l *life) unexplainedAlarms() error {
	all := []error{l.receiveEvents()}
	for _, h := range l.received {
		if h.Detail.Severity != contract.SeverityAlarm {
			continue
		}
		explained := slices.ContainsFunc(alarms()[h.Type], func(by string) bool { return l.applied[by]+l.hits[by]+l.resolved[by] > 0 }) ||
			l.ending && slices.Contains(h.Detail.Codes, string(admission.OriginTearingDown)) ||
			h.Type == contract.PropagationDelayed && slices.Contains(l.kind, longPropagations)
		all = append(all, want(explained, "nothing explains %s %s %s", h.Type, l.withNames(h.Detail.Origin+h.Detail.What), l.withNames(h.Detail.Why)))
	}
	return errors.Join(all...)
}

// failedRuns returns how many runs of a function faults can have made fail: one for each call whose last attempt they hit.
func (l *life) failedRuns(function string) (n int) {
	last := map[string]bool{} // whether a fault hit the last attempt, by call of the SDK
	for _, c := range l.Calls() {
		if strings.Contains(c.Function, function) && c.SDKCall != "" {
			last[c.SDKCall] = c.Fault != ""
		}
	}
	for _, hit := range last {
		if hit {
			n++
		}
	}
	return n
}
