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

// needless are the permissions that no story needs, by role and action or by action alone, each with the reason why roles
// have it all the same.
func unneededPermissions() map[string]string {
	const lines = "the sandbox keeps a function's lines itself; on AWS they go to the log group in the function's name"
	const table = "DynamoDB names it among the least that it needs of a table's key in a caller's name, and not when it uses it " +
		"(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html)"
	return map[string]string{
		"kms:describekey":                     table,
		"kms:encrypt":                         table,
		"kms:generatedatakeywithoutplaintext": table,
		"kms:reencryptfrom":                   table,
		"kms:reencryptto":                     table,
		"logs:createlogstream":                lines,
		"logs:putlogevents":                   lines,
		"originhub-networking-WireRole cloudfront:getvpcorigin": "RAM lets the hub use a shared origin only as far as its own role " +
			"allows what the share's permission does (facts/aws.md section 10); CloudFront asks when the distribution is updated",
	}
}

// permissions collects over all stories which permissions the roles of the stacks have, and which were needed.
type permissions struct {
	mu      sync.Mutex
	stories int
	needed  map[string]bool // by role, policy, statement and action, without what CloudFormation adds to names
}

// add looks at one story's world when the story is over; nil for one that has none.
func (p *permissions) add(w *World) {
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
				continue // the first hub's roles once more, for fewer stories
			}
			name = suffix.ReplaceAllString(name, "$1")
			p.needed[name] = p.needed[name] || needed
		}
	}
}

var (
	// suffix is what CloudFormation appends to a role's name.
	suffix = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-Z]{12}(/)`)
	// where is a policy and a statement, which change places more often than a role changes what it needs.
	where = regexp.MustCompile(`/[^ ]*#[^ ]*`)
)

// report fails on a permission that no story has needed and that nobody gave a reason for. It says nothing of a part of the
// stories.
func (p *permissions) report(t *testing.T) {
	t.Helper()
	all, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() || someStories() {
		return
	}
	if p.stories != len(all) {
		t.Errorf("%d stories were told, of %d", p.stories, len(all))
	}
	reasons := unneededPermissions()
	applied := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(p.needed)) {
		if p.needed[name] {
			continue
		}
		short := where.ReplaceAllString(name, "")
		_, action, _ := strings.Cut(short, " ")
		applied[short], applied[action] = true, true
		if reasons[short] == "" && reasons[action] == "" {
			t.Errorf("no story needs %s: take it out of the role, or give the reason for %q here", name, short)
		}
	}
	for name, reason := range reasons {
		if !applied[name] {
			t.Errorf("a story needs %q now: remove the reason %q", name, reason)
		}
	}
}
