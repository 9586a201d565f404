package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/originhub/originhub/pkg/awscloudfront"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

var (
	lives     = flag.Int("lives", 2, "how many random lives to live")
	lifeSeed  = flag.Uint64("life", 1, "seed of the first one")
	forgetful = flag.Bool("forgetful", false, "random lives lose the registry, too")
)

// Teams and strangers act in random order, with random harm; in the end everything is where it belongs.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	for i := range *lives {
		seed := *lifeSeed + uint64(i)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			randomLife(t, seed)
		})
	}
}

func randomLife(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	s := &tale{actors: map[string]*actor{}, origins: map[string]vpcOrigin{}, shares: map[string]string{}, certificates: map[string]string{}, ctx: context.Background()}
	args := []string{"adopt=first"}
	if rnd.IntN(2) == 0 {
		args = nil
	}
	perHost := rnd.IntN(2) == 0
	args = append(args, "host=*.example.com")
	if perHost {
		args = append(args, "aliases=per-host")
	}
	var log []string
	note := func(format string, a ...any) { log = append(log, s.at(s.Now())+" "+fmt.Sprintf(format, a...)) }
	if err := s.world(nil, args); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	defer func() {
		if t.Failed() {
			_ = s.said(nil, []string{"-"})
			for _, h := range s.spoken {
				log = append(log, s.at(h.Time)+"      "+s.named(fmt.Sprintf("%s %s %s %s", h.Type, h.Detail.Origin, h.Detail.What, h.Detail.Why)))
			}
			slices.Sort(log)
			t.Logf("world %v\n%s", args, strings.Join(log, "\n"))
		}
	}()
	type existence struct {
		team   string
		shared bool
	}
	lives := map[string]*existence{}
	var names []string
	hosts := []string{"one.example.com", "two.example.com", "three.example.com"}
	claimPaths := func(team string, n int) string {
		return []string{fmt.Sprintf("/%s/%d/", team, n), fmt.Sprintf("/%s/%d/ /%s/%d-x/", team, n, team, n), fmt.Sprintf("/%s/%d/sub/", team, n)}[rnd.IntN(3)]
	}
	steps := 6 + rnd.IntN(16)
	for range steps {
		pick := func() (string, *existence) {
			if len(names) == 0 {
				return "", nil
			}
			n := names[rnd.IntN(len(names))]
			return n, lives[n]
		}
		n, l := pick()
		var err error
		switch op := rnd.IntN(20); {
		case op < 4 || l == nil:
			team := []string{"team-a", "team-b", "team-c"}[rnd.IntN(3)]
			n = fmt.Sprintf("o%d", len(names))
			p, h := claimPaths(team, len(names)), hosts[rnd.IntN(3)]
			note("create %s %s %s %s", n, team, h, p)
			if err = s.begin(n, team, "host="+h, "paths="+p, "balancer=b"+strconv.Itoa(rnd.IntN(2))); err != nil {
				t.Fatal(err)
			}
			names = append(names, n)
			lives[n] = &existence{team: team}
			if rnd.IntN(4) > 0 {
				s.Advance(time.Duration(rnd.IntN(400)) * time.Second)
				note("share %s", n)
				err = s.shareIt(nil, []string{n})
				lives[n].shared = true
			}
		case op < 6:
			if l.shared {
				note("unshare %s", n)
				err = s.unshare(nil, []string{n})
				l.shared = false
			} else {
				note("share %s", n)
				err = s.shareIt(nil, []string{n})
				l.shared = err == nil
			}
		case op < 10:
			v := []string{"now", "now", "5m", "20m"}[rnd.IntN(4)]
			note("tag %s %s", n, v)
			err = s.tagIt(nil, []string{n, v})
		case op < 12:
			note("untag %s", n)
			err = s.untag(nil, []string{n})
		case op < 13:
			h := hosts[rnd.IntN(3)]
			note("host %s %s", n, h)
			err = s.tagIt(nil, []string{n, h, contract.TagHost})
		case op < 14:
			i, _ := strconv.Atoi(n[1:])
			p := claimPaths(l.team, i)
			note("paths %s %s", n, p)
			err = s.tagIt(nil, []string{n, p, contract.TagPaths})
		case op < 15:
			note("comment")
			if s.existing == nil {
				err = s.comment(nil, []string{fmt.Sprint("c", rnd.IntN(1000))})
			}
		case op < 16:
			note("drop behaviors %s", n)
			if s.existing == nil {
				_ = s.dropBehaviors(nil, []string{n})
			}
		case op < 17:
			f := []string{"*Wire*", "*Admit*", "*Teardown*", "*Retire*"}[rnd.IntN(4)]
			j := fmt.Sprintf(`{"fault":"crash","function":"%s","nth":%d}`, f, 1+rnd.IntN(12))
			note("fault %s", j)
			err = s.fault(nil, []string{j})
		case op < 18:
			f := []string{
				`{"fault":"event-drop","times":3}`, `{"fault":"event-delay","delay":900,"times":3}`, `{"fault":"event-reverse","times":3}`,
				`{"fault":"event-duplicate","delay":300,"times":4}`, `{"fault":"throttle","service":"cloudfront","operation":"UpdateDistribution","times":6}`,
				`{"fault":"timeout-after-success","service":"cloudfront","operation":"UpdateDistribution","times":1}`,
				`{"fault":"foreign-edit","hook":"foreign-edit","service":"cloudfront","operation":"UpdateDistribution","times":3}`,
			}[rnd.IntN(7)]
			note("fault %s", f)
			if err = s.fault(nil, []string{f}); err != nil {
				note("  %v", err)
				err = nil
			}
		case op < 19 && *forgetful:
			note("empty registry")
			err = s.emptyRegistry(nil, nil)
		default:
			h := hosts[rnd.IntN(3)]
			note("remove dns %s", h)
			_ = s.dnsRecord(nil, []string{h, "remove"})
		}
		if err != nil {
			note("  refused: %v", err)
		}
		s.Advance(time.Duration(rnd.IntN(10)*rnd.IntN(10)*rnd.IntN(10)) * time.Second)
	}
	note("faults end")
	if err := s.fault(nil, nil); err != nil {
		t.Fatal(err)
	}
	rest := func(n int) {
		for range n {
			s.Advance(10 * time.Minute)
		}
		if !s.UntilIdle() {
			t.Errorf("it does not come to rest: %v", s.Pending())
		}
	}
	rest(12)
	look := func(final bool) {
		hub := awscloudfront.New(s.Config(hubAccount, region))
		seen, err := hub.VpcOrigins(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		visible := map[string]bool{}
		for _, v := range seen {
			visible[v.ID] = v.Deployed
		}
		known, err := s.snapshot()
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		var config *wiring.Config
		for _, d := range known.Distributions {
			id = d.ID
		}
		if id != "" {
			served, err := hub.Distribution(s.ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if config, err = wiring.ParseConfig(served.Config); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range names {
			o := s.origins[n]
			_, err := s.owner(n).cloudfront.GetVpcOrigin(s.ctx, &cloudfront.GetVpcOriginInput{Id: &o.id})
			var missing *cloudfronttypes.EntityNotFound
			exists := !errors.As(err, &missing)
			tags := map[string]string{}
			if exists {
				tags, err = awscloudfront.New(s.Config(s.owner(n).account, region)).Tags(s.ctx, o.arn)
				if err != nil {
					t.Fatal(err)
				}
			}
			_, tagged := tags[contract.TagTeardown]
			r, found := known.Find(o.id)
			in := config != nil && config.Uses(o.id)
			state := fmt.Sprintf("%s: exists %v visible %v tagged %v; record %v %s %s gen %d, in config %v; teardown %+v; history %v", n, exists, visible[o.id], tagged, found, r.Intent, r.State, r.Generation, in, r.Teardown, r.History)
			note("END %s", state)
			switch {
			case exists && visible[o.id] && !tagged:
				if r.State != origin.Live || !in {
					t.Errorf("should be live: %s", state)
					continue
				}
				path := strings.ReplaceAll(strings.Fields(tags[contract.TagPaths])[0], "=", "x") + "customers/1"
				status, body, err := get(s.ctx, s.Edge(), tags[contract.TagHost], path)
				if err != nil || status != 200 {
					t.Errorf("%s answers %d %s %v", path, status, body, err)
				}
			case in && !visible[o.id]:
				t.Errorf("still in: %s", state)
			case exists && tagged && found && (visible[o.id] || r.Teardown != nil):
				t.Errorf("should be gone: %s", state)
			case exists && in:
				t.Errorf("still wired: %s", state)
			case !exists && found && r.State != origin.Deleted:
				t.Errorf("remains: %s", state)
			}
		}
		if final && s.existing != nil {
			if err := s.asBefore(nil, []string{"first"}); err != nil {
				text := err.Error()
				if !slices.ContainsFunc(log, func(l string) bool { return strings.Contains(l, " comment") || strings.Contains(l, "foreign-edit") }) {
					t.Error(text)
				}
			}
		}
		if final {
			for _, h := range hosts {
				if err := s.dns(nil, []string{h, "absent"}); err != nil {
					t.Error(err)
				}
				if config != nil && slices.Contains(config.Aliases(), h) {
					t.Errorf("alias %s is left", h)
				}
			}
		}
	}
	look(false)
	if t.Failed() {
		return
	}
	note("all leave")
	for _, n := range names {
		_ = s.tagIt(nil, []string{n, "now"})
	}
	rest(18)
	look(true)
	for _, q := range []string{"AdmitDeadLettersUrl", "WireDeadLettersUrl", "UndeliveredEventsUrl"} {
		if s.outputs[q] != "" {
			if err := s.deadLetters(nil, []string{q, "0"}); err != nil {
				note("%v", err)
			}
		}
	}
}
