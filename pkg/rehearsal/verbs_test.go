package rehearsal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/originhub/originhub/pkg/contract"
)

// verb is a command of stories.
type verb struct {
	least, most int // arguments
	do          func(*tale, *testscript.TestScript, []string) error
}

const anyNumber = math.MaxInt

// verbs is the table of commands. What each does, the comment on its method says.
func verbs() map[string]verb {
	return map[string]verb{
		"adopt":                     {1, anyNumber, (*tale).adopt},
		"advance":                   {1, 1, (*tale).advance},
		"alarm":                     {2, 3, (*tale).alarmIs},
		"alarmed":                   {1, 1, (*tale).alarmed},
		"alias":                     {3, 3, (*tale).alias},
		"apart":                     {1, 1, (*tale).apart},
		"as-before":                 {1, 1, (*tale).asBefore},
		"because":                   {1, 1, (*tale).because},
		"comment":                   {1, 1, (*tale).comment},
		"create":                    {2, 5, (*tale).create},
		"dead-letters":              {2, 2, (*tale).deadLetters},
		"delete-distribution":       {0, 0, (*tale).deleteDistribution},
		"delete-origin":             {1, 1, (*tale).deleteOrigin},
		"delete-origin-as":          {2, 2, (*tale).deleteOriginAs},
		"delete-team-stack":         {1, 1, (*tale).deleteTeamStack},
		"denied":                    {1, 1, (*tale).denied},
		"deploy":                    {3, 3, (*tale).deployStack},
		"disable-rule":              {1, 1, (*tale).disableRule},
		"disabled-distribution":     {1, 1, (*tale).disabledDistribution},
		"distributions":             {1, 1, (*tale).distributions},
		"dns":                       {2, 2, (*tale).dns},
		"dns-record":                {2, 2, (*tale).dnsRecord},
		"drop-behaviors":            {1, 1, (*tale).dropBehaviors},
		"edge":                      {3, 4, (*tale).edge},
		"empty-registry":            {0, 0, (*tale).emptyRegistry},
		"enable-rule":               {1, 1, (*tale).enableRule},
		"ended":                     {3, 4, (*tale).ended},
		"fault":                     {0, 1, (*tale).fault},
		"fleet":                     {1, 1, (*tale).fleet},
		"foreign-alias":             {2, 2, (*tale).foreignAlias},
		"foreign-interface":         {1, 1, (*tale).foreignInterface},
		"future":                    {1, 1, (*tale).future},
		"gone":                      {1, 1, (*tale).gone},
		"hear":                      {0, 0, (*tale).hearAll},
		"history":                   {2, 2, (*tale).history},
		"hold-enis":                 {1, 1, (*tale).holdENIs},
		"holds":                     {2, 2, (*tale).holds},
		"idle":                      {0, 0, (*tale).idle},
		"invitation":                {2, 2, (*tale).invitation},
		"is":                        {2, 2, (*tale).is},
		"is-on":                     {2, 2, (*tale).isOn},
		"keep":                      {0, 0, (*tale).keep},
		"kept":                      {1, 1, (*tale).keptHas},
		"key-lacks":                 {0, 1, (*tale).keyLacks},
		"logged":                    {1, 1, (*tale).logged},
		"meddle":                    {2, 2, (*tale).meddle},
		"open-default":              {0, 0, (*tale).openDefault},
		"other-distribution":        {2, 2, (*tale).otherDistribution},
		"path":                      {3, anyNumber, (*tale).path},
		"policy":                    {2, anyNumber, (*tale).changePolicy},
		"public-path":               {2, 2, (*tale).publicPath},
		"put-event":                 {3, 3, (*tale).putEvent},
		"quota":                     {3, 3, (*tale).quota},
		"release-enis":              {1, 1, (*tale).releaseENIs},
		"remember-alarms":           {0, 0, (*tale).rememberAlarms},
		"remove-other-distribution": {0, 0, (*tale).removeOtherDistribution},
		"replay":                    {1, 1, (*tale).replay},
		"retarget":                  {2, 2, (*tale).retarget},
		"said":                      {1, 2, (*tale).said},
		"said-once":                 {1, 2, (*tale).saidOnce},
		"said-times":                {2, 2, (*tale).saidTimes},
		"same":                      {0, 1, (*tale).same},
		"same-alarms":               {0, 0, (*tale).sameAlarms},
		"second-hub":                {0, 0, (*tale).secondHub},
		"second-is":                 {2, 2, (*tale).secondIs},
		"send":                      {2, 2, (*tale).send},
		"share":                     {1, anyNumber, (*tale).shareIt},
		"share-together":            {1, anyNumber, (*tale).shareTogether},
		"sweep":                     {0, 0, (*tale).sweep},
		"tag":                       {2, 3, (*tale).tagIt},
		"team-stack":                {1, 3, (*tale).teamStack},
		"version":                   {0, 1, (*tale).version},
		"redrive":                   {2, 2, (*tale).redrive},
		"restore":                   {0, 0, (*tale).restore},
		"transitions":               {3, 3, (*tale).transitions},
		"uncalled":                  {2, 2, (*tale).uncalled},
		"undelivered":               {2, 2, (*tale).undelivered},
		"unshare":                   {1, 1, (*tale).unshare},
		"untag":                     {1, 1, (*tale).untag},
		"updates":                   {1, 1, (*tale).updates},
		"updates-within":            {2, 2, (*tale).updatesWithin},
		"without-key":               {0, 0, (*tale).withoutKey},
		"world":                     {0, anyNumber, (*tale).world},
	}
}

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	for name, v := range verbs() {
		all[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			s := ts.Value("tale").(*tale)
			s.ctx = context.Background()
			if err := s.tell(name, v, neg, ts, args); err != nil {
				ts.Fatalf("%v", err)
			}
		}
	}
	return all
}

// tell does what a line of a story says. With !, what the line asks must not be so, or what it does must be refused; the line
// after it says why it was refused.
func (s *tale) tell(name string, v verb, neg bool, ts *testscript.TestScript, args []string) error {
	if len(args) < v.least || len(args) > v.most {
		return fmt.Errorf("%s has %d arguments, want %d to %d", name, len(args), v.least, v.most)
	}
	if s.refused != nil && name != "because" {
		return fmt.Errorf("say why it was refused, by because: %w", s.refused)
	}
	err := v.do(s, ts, args)
	var unmet *unmet
	switch {
	case !neg:
		return err
	case err == nil:
		return errors.New("it should have failed")
	case !errors.As(err, &unmet):
		s.refused = err
	}
	return nil
}

// because REGEXP: what the line before it did was refused with an error that matches.
func (s *tale) because(_ *testscript.TestScript, args []string) error {
	if s.refused == nil {
		return errors.New("nothing was refused")
	}
	text := s.named(s.refused.Error())
	s.refused = nil
	ok, err := regexp.MatchString(args[0], text)
	return errors.Join(err, want(ok, "it was refused with %s", text))
}

// unmet is an expectation that does not hold.
type unmet struct{ error }

func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return &unmet{fmt.Errorf(format, args...)}
}

// named checks that an origin goes by that name, so that nothing is asked of one that is only mistyped.
func (s *tale) known(names ...string) error {
	for _, name := range names {
		if _, ok := s.origins[name]; !ok {
			return fmt.Errorf("no origin is called %s", name)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`<([a-z][a-z0-9-]*)>`)

// knownIn checks that each <name> in a text is the name of an origin or of a distribution.
func (s *tale) knownIn(text string) error {
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		if s.existing[found[1]] == "" {
			if err := s.known(found[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// eventType checks that the hub has events of that type.
func eventType(name string) error {
	all := []string{
		contract.ShareAccepted, contract.TeardownTagRefused, contract.ShareRefused, contract.EventRefused, contract.OriginAdmitted, contract.OriginRefused, contract.OriginWentLive,
		contract.OriginDeferred, contract.OriginQuarantined, contract.OriginDetached, contract.OriginWithdrawn, contract.DistributionCreated,
		contract.DistributionUpdated, contract.DistributionWriteRefused, contract.DistributionUnavailable, contract.DNSRecordRefused, contract.DriftFound,
		contract.LeakFound, contract.LeakResolved, contract.TeardownStarted, contract.TeardownAnnounced, contract.TeardownCancelled,
		contract.TeardownAdvanced, contract.TeardownCompleted, contract.TeardownEndedIncomplete, contract.TeardownBlocked,
	}
	if !slices.Contains(all, name) {
		return fmt.Errorf("there are no events of type %q", name)
	}
	return nil
}

// someStories reports whether go test was told to run a part of the stories only.
func someStories() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/") || flag.Lookup("test.skip").Value.String() != ""
}

// A line of a story fails unless what it says is so: with !, only an expectation that does not hold will do, or a refusal whose
// reason the next line names.
func TestLinesOfAStoryCanFail(t *testing.T) {
	answers := func(err error) verb {
		return verb{0, 1, func(*tale, *testscript.TestScript, []string) error { return err }}
	}
	holds, refuses := answers(nil), answers(errors.New("AccessDenied: no"))
	fails := answers(fmt.Errorf("is: %w", want(false, "it is live")))
	because := verbs()["because"]
	type line struct {
		name string
		verb verb
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
		"must be refused, and why":      {{"tag", refuses, true, nil, true}, {"because", because, false, []string{"AccessDenied"}, true}},
		"must be refused, another way":  {{"tag", refuses, true, nil, true}, {"because", because, false, []string{"Throttling"}, false}},
		"must be refused, no why":       {{"tag", refuses, true, nil, true}, {"is", holds, false, nil, false}},
		"why, though nothing was":       {{"because", because, false, []string{"."}, false}},
		"an argument that nobody reads": {{"is", holds, false, []string{"a", "b"}, false}},
		"an argument missing":           {{"because", because, false, nil, false}},
	} {
		s := &tale{}
		for i, l := range lines {
			if err := s.tell(l.name, l.verb, l.neg, nil, l.args); (err == nil) != l.ok {
				t.Errorf("%s: line %d: %v", name, i+1, err)
			}
		}
	}
}
