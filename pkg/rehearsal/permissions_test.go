package rehearsal

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// unneededPermissions returns the permissions that no story needs, by role and action or by action alone, each with the reason why a role
// has it nevertheless.
func unneededPermissions() map[string]string {
	const lines = "the sandbox keeps the log of a function itself; on AWS, the function writes to its log group"
	const table = "AWS lists it among the permissions that DynamoDB needs on a table's key on behalf of a caller, without saying for which calls " +
		"(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html)"
	return map[string]string{
		"kms:describekey":                     table,
		"kms:encrypt":                         table,
		"kms:generatedatakeywithoutplaintext": table,
		"kms:reencryptfrom":                   table,
		"kms:reencryptto":                     table,
		"logs:createlogstream":                lines,
		"logs:putlogevents":                   lines,
	}
}

// permissionUse records, over all stories, which permissions the roles of the stacks have and which of them were needed.
type permissionUse struct {
	mu      sync.Mutex
	stories int
	needed  map[string]bool // whether a permission was needed, by role, policy, statement and action, without roleSuffix
}

// add records the permissions of one story's world when the story has ended. w is nil for a story without a world.
func (p *permissionUse) add(w *World) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stories++
	if w == nil {
		return
	}
	if p.needed == nil {
		p.needed = map[string]bool{}
	}
	for _, account := range append(w.policy.Accounts(), HubAccount) {
		for name, needed := range w.Permissions(account) {
			if strings.HasPrefix(name, "originhub-second-") {
				continue // a second hub has the same roles and runs in one story only
			}
			name = roleSuffix.ReplaceAllString(name, "$1")
			p.needed[name] = p.needed[name] || needed
		}
	}
}

var (
	// roleSuffix matches what CloudFormation appends to a role's name.
	roleSuffix = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-Z]{12}(/)`)
	// policyAndStatement matches the policy and the statement of a permission, which change more often than what a role needs.
	policyAndStatement = regexp.MustCompile(`/[^ ]*#[^ ]*`)
)

// report fails on a permission that no story needed and that unneededPermissions gives no reason for. It checks nothing if only some
// stories ran.
func (p *permissionUse) report(t *testing.T) {
	t.Helper()
	all, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() || someStories() {
		return
	}
	if p.stories != len(all) {
		t.Errorf("%d stories ran, of %d", p.stories, len(all))
	}
	reasons := unneededPermissions()
	applied := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(p.needed)) {
		if p.needed[name] {
			continue
		}
		short := policyAndStatement.ReplaceAllString(name, "")
		_, action, _ := strings.Cut(short, " ")
		applied[short], applied[action] = true, true
		if reasons[short] == "" && reasons[action] == "" {
			t.Errorf("no story needs %s: remove it from the role, or add %q with a reason to unneededPermissions", name, short)
		}
	}
	for name, reason := range reasons {
		if !applied[name] {
			t.Errorf("a story needs %q: remove it from unneededPermissions, with the reason %q", name, reason)
		}
	}
}
