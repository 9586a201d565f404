package rehearsal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
)

// command is a command of the stories.
type command struct {
	min, max int // numbers of arguments
	run      func(*story, *testscript.TestScript, []string) error
}

const anyNumber = math.MaxInt

// commands is the table of the commands. testdata/stories/README.md says what each of them does.
func commands() map[string]command {
	return map[string]command{
		"accept-invitation":            {1, 1, (*story).acceptInvitation},
		"add-public-behavior":          {2, 2, (*story).addPublicBehavior},
		"add-to-share":                 {2, anyNumber, (*story).addToShare},
		"add-unmanaged-alias":          {2, 2, (*story).addUnmanagedAlias},
		"add-unmanaged-interface":      {1, 1, (*story).addUnmanagedInterface},
		"adopt":                        {1, anyNumber, (*story).adopt},
		"advance":                      {1, 1, (*story).advance},
		"alarm":                        {2, 3, (*story).alarm},
		"alias":                        {3, 3, (*story).alias},
		"associate-alias":              {2, 2, (*story).associateAlias},
		"change-policy":                {2, anyNumber, (*story).changePolicy},
		"clear-faults":                 {0, 0, (*story).fault},
		"clear-other-distribution":     {0, 0, (*story).clearOtherDistribution},
		"config-original":              {1, 1, (*story).configOriginal},
		"config-unchanged":             {0, 0, (*story).configUnchanged},
		"config-unchanged-except":      {1, 1, (*story).configUnchanged},
		"copy-distribution":            {1, 1, (*story).copyDistribution},
		"create":                       {2, 5, (*story).create},
		"create-and-share":             {1, 1, (*story).createAndShare},
		"create-without-waiting":       {2, 5, (*story).createWithoutWaiting},
		"create-distribution":          {2, 2, (*story).createDistribution},
		"create-disabled-distribution": {1, 1, (*story).createDisabledDistribution},
		"create-other-distribution":    {2, 2, (*story).createOtherDistribution},
		"create-policy":                {3, 3, (*story).createPolicy},
		"dead-letters":                 {2, 2, (*story).deadLetters},
		"delete-distribution":          {0, 0, (*story).deleteDistribution},
		"delete-load-balancer":         {2, 2, (*story).deleteLoadBalancer},
		"delete-origin":                {1, 1, (*story).deleteOrigin},
		"delete-origin-as":             {2, 2, (*story).deleteOriginAs},
		"delete-team-stack":            {1, 1, (*story).deleteTeamStack},
		"denied-call":                  {1, 1, (*story).deniedCall},
		"deploy-hub":                   {0, anyNumber, (*story).deployHub},
		"deploy-key":                   {0, 0, (*story).deployKey},
		"deploy-key-without":           {1, 1, (*story).deployKey},
		"deploy-second-hub":            {0, 0, (*story).deploySecondHub},
		"deploy-stack":                 {3, 3, (*story).deployStack},
		"deploy-team-stack":            {1, 3, (*story).deployTeamStack},
		"deploy-without-key":           {0, 0, (*story).deployWithoutKey},
		"disable-rule":                 {1, 1, (*story).disableRule},
		"distributions":                {1, 1, (*story).distributions},
		"dns":                          {2, 2, (*story).dns},
		"edit-comment":                 {1, 1, (*story).editComment},
		"edit-distribution":            {1, 1, (*story).overlayDistribution},
		"edit-dns":                     {2, 2, (*story).editDNS},
		"fail-origin":                  {1, 1, (*story).failOrigin},
		"set-item":                     {2, 2, (*story).setItem},
		"delete-item":                  {1, 1, (*story).deleteItem},
		"move-record":                  {2, 2, (*story).moveRecord},
		"change-record":                {3, anyNumber, (*story).changeRecord},
		"empty-copy":                   {1, 1, (*story).emptyCopy},
		"put-hold":                     {1, anyNumber, (*story).putHold},
		"delete-hold":                  {1, 1, (*story).deleteHold},
		"empty-registry":               {0, 0, (*story).emptyRegistry},
		"enable-rule":                  {1, 1, (*story).enableRule},
		"error":                        {1, 1, (*story).errorIs},
		"event":                        {1, 2, (*story).event},
		"events":                       {2, 3, (*story).eventCount},
		"execution":                    {3, 4, (*story).executionEnded},
		"execution-tasks":              {3, anyNumber, (*story).executionTasks},
		"execution-transitions":        {3, 3, (*story).executionTransitions},
		"hold-interfaces":              {1, 1, (*story).holdInterfaces},
		"inject-fault":                 {1, 1, (*story).fault},
		"invitation":                   {2, 2, (*story).invitation},
		"leave-organization":           {1, 1, (*story).leaveOrganization},
		"live-origins":                 {2, 2, (*story).liveOrigins},
		"log-line":                     {1, 1, (*story).logLine},
		"never-called":                 {2, 2, (*story).neverCalled},
		"called":                       {3, 3, (*story).called},
		"nothing-left":                 {1, 1, (*story).nothingLeft},
		"notification":                 {1, 1, (*story).notification},
		"notifications-unchanged":      {0, 0, (*story).notificationsUnchanged},
		"placement":                    {2, 2, (*story).placement},
		"print-events":                 {0, 0, (*story).printEvents},
		"print-execution":              {2, 2, (*story).printExecution},
		"move-origin":                  {2, 2, (*story).moveOrigin},
		"put-event":                    {3, 3, (*story).putEvent},
		"publish-function":             {0, 1, (*story).publishFunction},
		"reject-invitation":            {1, 1, (*story).rejectInvitation},
		"take-alias":                   {2, 2, (*story).takeAlias},
		"redeploy":                     {0, 1, (*story).redeploy},
		"redeploy-spoke":               {2, 2, (*story).redeploySpoke},
		"redrive":                      {2, 2, (*story).redrive},
		"stop-execution":               {2, 2, (*story).stopExecution},
		"release-interfaces":           {1, 1, (*story).releaseInterfaces},
		"remove-behaviors":             {1, 1, (*story).removeBehaviors},
		"replay-archive":               {0, 0, (*story).replayArchive},
		"refusals":                     {1, 1, (*story).refusals},
		"records":                      {1, 1, (*story).records},
		"response":                     {3, 4, (*story).response},
		"response-header":              {4, 4, (*story).responseHeader},
		"response-to":                  {4, 5, (*story).responseTo},
		"restore-saved-config":         {0, 0, (*story).restoreSavedConfig},
		"rename-share":                 {2, 2, (*story).renameShare},
		"retarget-behavior":            {2, 2, (*story).retargetBehavior},
		"retarget-default-behavior":    {0, 0, (*story).retargetDefaultBehavior},
		"save-config":                  {0, 0, (*story).saveConfig},
		"save-notifications":           {0, 0, (*story).saveNotifications},
		"saved-config-has":             {1, 1, (*story).savedConfigHas},
		"second-hub-state":             {2, 2, (*story).secondHubState},
		"send-message":                 {2, 2, (*story).sendMessage},
		"set-quota":                    {3, 3, (*story).setQuota},
		"set-unknown-field":            {1, 1, (*story).setUnknownField},
		"share":                        {1, anyNumber, (*story).share},
		"share-in-steps":               {1, 1, (*story).shareInSteps},
		"share-other":                  {3, anyNumber, (*story).shareOther},
		"share-together":               {1, anyNumber, (*story).shareTogether},
		"state":                        {2, 2, (*story).state},
		"tag":                          {2, 3, (*story).tag},
		"tag-through-tagging-api":      {2, anyNumber, (*story).tagThroughTaggingAPI},
		"tag-as":                       {3, 3, (*story).tagAs},
		"undelivered-event":            {2, 2, (*story).undeliveredEvent},
		"unshare":                      {1, 1, (*story).unshare},
		"untag":                        {1, 2, (*story).untag},
		"update-domain-association":    {2, 2, (*story).updateDomainAssociation},
		"updates":                      {1, 1, (*story).updates},
		"updates-apart":                {1, 1, (*story).updatesApart},
		"updates-at-most":              {2, 2, (*story).updatesAtMost},
		"wait-for-sweep":               {0, 0, (*story).waitForSweep},
		"wait-until-idle":              {0, 0, (*story).waitUntilIdle},
		"write-original":               {1, 1, (*story).writeOriginal},
	}
}

// testscriptCommands returns the commands as testscript calls them.
func testscriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	for name, v := range commands() {
		all[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			s := ts.Value("story").(*story)
			s.ctx = context.Background()
			if err := errors.Join(s.runLine(name, v, neg, ts, args), s.observeUnmanaged()); err != nil {
				ts.Fatalf("%v", err)
			}
		}
	}
	return all
}

// runLine runs one line of a story. neg means that the line begins with !: then a check must not hold, and an action must be refused. The
// line after a refused action has to be the command error.
func (s *story) runLine(name string, v command, neg bool, ts *testscript.TestScript, args []string) error {
	if len(args) < v.min || len(args) > v.max {
		return fmt.Errorf("%s has %d arguments, want %d to %d", name, len(args), v.min, v.max)
	}
	if s.refusal != nil && name != "error" {
		return fmt.Errorf("the line after a refused action must be the command error: %w", s.refusal)
	}
	err := v.run(s, ts, args)
	var unmet *unmet
	switch {
	case !neg:
		return err
	case err == nil:
		return errors.New("the line begins with !, and succeeds")
	case !errors.As(err, &unmet):
		s.refusal = err
	}
	return nil
}

// errorIs checks the error with which the action in the line before was refused.
func (s *story) errorIs(_ *testscript.TestScript, args []string) error {
	if s.refusal == nil {
		return errors.New("the line before was not refused")
	}
	text := s.withNames(s.refusal.Error())
	s.refusal = nil
	ok, err := regexp.MatchString(args[0], text)
	return errors.Join(err, want(ok, "it was refused with %s", text))
}

// unmet is the error of a check that does not hold.
type unmet struct{ error }

// want returns nil if ok, and an *unmet error otherwise.
func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return &unmet{fmt.Errorf(format, args...)}
}

// checkOrigins returns an error if a name is not the name of an origin, so that a mistyped name cannot make a negated check succeed.
func (s *story) checkOrigins(names ...string) error {
	for _, name := range names {
		if _, ok := s.origins[name]; !ok {
			return fmt.Errorf("no origin is called %s", name)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`<([a-z][a-z0-9-]*)>`)

// checkPlaceholders returns an error if a <name> in a text is neither the name of an origin nor of a distribution.
func (s *story) checkPlaceholders(text string) error {
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		if s.adoptable[found[1]] == "" {
			if err := s.checkOrigins(found[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkEventType returns an error if the hub publishes no events of that type.
func checkEventType(name string) error {
	all := []string{
		contract.ShareAccepted, contract.TeardownTagRefused, contract.RegistryItemDamaged, contract.RegistryItemRefused, contract.RefusalsCounted, contract.MembershipUnknown, contract.SuspensionBegan, contract.SuspensionEnded, contract.PauseBegan, contract.PauseEnded, contract.ShareRefused, contract.EventRefused, contract.OriginAdmitted, contract.OriginRefused, contract.OriginWentLive,
		contract.OriginDeferred, contract.OriginQuarantined, contract.OriginDetached, contract.OriginWithdrawn, contract.DistributionCreated,
		contract.DistributionUpdated, contract.DistributionExamined, contract.DistributionWriteRefused, contract.DistributionUnavailable, contract.PropagationDelayed, contract.DNSRecordRefused, contract.DriftFound, contract.ChangePlanned,
		contract.LeakFound, contract.LeakResolved, contract.TeardownStarted, contract.TeardownAnnounced, contract.TeardownCancelled,
		contract.TeardownAdvanced, contract.TeardownCompleted, contract.TeardownEndedIncomplete, contract.TeardownBlocked,
	}
	if !slices.Contains(all, name) {
		return fmt.Errorf("the hub publishes no events of type %q", name)
	}
	return nil
}

var documentedCommand = regexp.MustCompile("(?m)^\\| `([a-z-]+)([^`]*)` \\| .+ \\|$")

// The README of the stories documents every command, and no other, with the arguments that it takes.
func TestReadmeDocumentsEveryCommand(t *testing.T) {
	text, err := os.ReadFile("testdata/stories/README.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range documentedCommand.FindAllStringSubmatch(string(text), -1) {
		name, usage := row[1], row[2]
		c, known := commands()[name]
		if !known || documented[name] {
			t.Errorf("the README documents %s, which is no command or is documented already", name)
			continue
		}
		documented[name] = true
		required, optional, _ := strings.Cut(usage, "[")
		most := len(strings.Fields(required)) + len(strings.Fields(optional))
		if c.min != len(strings.Fields(required)) || c.max != most && (c.max < most || !strings.Contains(usage, "...")) {
			t.Errorf("the README documents %s%s, which takes %d to %d arguments", name, usage, c.min, c.max)
		}
	}
	for name := range commands() {
		if !documented[name] {
			t.Errorf("the README does not document the command %s", name)
		}
	}
}

// Every story begins with a comment that describes it, and then with the command deploy-hub.
func TestEveryStoryHasADescription(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d stories: %v", len(files), err)
	}
	begin := regexp.MustCompile(`^(# .+\n)+deploy-hub\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !begin.Match(text) {
			t.Errorf("%s does not begin with a comment and deploy-hub", file)
		}
	}
}

// someStories reports whether go test runs only a part of the stories.
func someStories() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/") || flag.Lookup("test.skip").Value.String() != ""
}

// A line fails if its check does not hold or its action is refused. A line with ! fails in the opposite case, and if the next line does
// not name the error of the refused action.
func TestLinesOfAStoryCanFail(t *testing.T) {
	answers := func(err error) command {
		return command{0, 1, func(*story, *testscript.TestScript, []string) error { return err }}
	}
	holds, refuses := answers(nil), answers(errors.New("AccessDenied: no"))
	fails := answers(fmt.Errorf("is: %w", want(false, "it is live")))
	because := commands()["error"]
	type line struct {
		name string
		verb command
		neg  bool
		args []string
		ok   bool
	}
	for name, lines := range map[string][]line{
		"holds":                         {{"is", holds, false, nil, true}},
		"does not hold":                 {{"is", fails, false, nil, false}},
		"must not hold, and does":       {{"is", holds, true, nil, false}},
		"must not hold, and does not":   {{"is", fails, true, nil, true}, {"is", holds, false, nil, true}},
		"is refused":                    {{"tag", refuses, false, nil, false}},
		"must be refused, reason":       {{"tag", refuses, true, nil, true}, {"error", because, false, []string{"AccessDenied"}, true}},
		"must be refused, other reason": {{"tag", refuses, true, nil, true}, {"error", because, false, []string{"Throttling"}, false}},
		"must be refused, no reason":    {{"tag", refuses, true, nil, true}, {"is", holds, false, nil, false}},
		"a reason without a refusal":    {{"error", because, false, []string{"."}, false}},
		"an argument too many":          {{"is", holds, false, []string{"a", "b"}, false}},
		"an argument missing":           {{"error", because, false, nil, false}},
	} {
		s := &story{}
		for i, l := range lines {
			if err := s.runLine(l.name, l.verb, l.neg, nil, l.args); (err == nil) != l.ok {
				t.Errorf("%s: line %d: %v", name, i+1, err)
			}
		}
	}
}
