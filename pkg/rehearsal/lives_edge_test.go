package rehearsal

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/wiring"
)

// claimed finds the paths in the message of Origin Went Live.
var claimed = regexp.MustCompile(`(?:serves|is wired for) (.+?) on `)

// checkEdges checks each event since its last call that says that an origin has become live or is detached: at that moment the slowest edge
// has the origin with all its paths, or has nothing of it. It returns how many events it has checked. The world needs bounds of propagations.
func (s *story) checkEdges(t *testing.T) (checked int) {
	t.Helper()
	from := len(s.received)
	if err := s.receiveEvents(); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.received[from:] {
		at := e.Time
		edges := s.edgeConfigs(t, at)
		uses := func(c *wiring.Config) bool { return c.Uses(e.Detail.Origin) }
		switch {
		case e.Type == contract.OriginDetached:
			for _, c := range edges {
				if uses(c) {
					t.Errorf("%s %s: the slowest edge still serves it: %s", s.Elapsed(at), e.Type, s.withNames(e.Detail.Why))
				}
			}
			checked++
		case e.Type == contract.OriginWentLive && s.becameLive(t, e.Detail.Origin, at):
			for path := range strings.SplitSeq(claimed.FindStringSubmatch(e.Detail.Why)[1], ", ") {
				serves := false
				for _, c := range edges {
					for _, b := range c.Behaviors() {
						serves = serves || b.Path == path && b.Origin == wiring.OriginID(e.Detail.Origin)
					}
				}
				if !serves {
					t.Errorf("%s %s: the slowest edge does not serve %s: %s", s.Elapsed(at), e.Type, path, s.withNames(e.Detail.Why))
				}
			}
			checked++
		}
	}
	return checked
}

// edgeConfigs returns what the slowest edges served at a time of the distributions of the hub's account.
func (s *story) edgeConfigs(t *testing.T, at time.Time) (edges []*wiring.Config) {
	t.Helper()
	all, err := s.hubCloudFront.ListDistributions(s.ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all.DistributionList.Items {
		document := s.EdgeConfig(aws.ToString(d.Id), at)
		if document == nil {
			continue
		}
		c, err := wiring.ParseConfig(document)
		if err != nil {
			t.Fatal(err)
		}
		edges = append(edges, c)
	}
	return edges
}

// becameLive reports whether an origin became live in the two minutes before a time. The same event also says what a live origin serves
// meanwhile.
func (s *story) becameLive(t *testing.T, id string, at time.Time) bool {
	t.Helper()
	snapshot, err := s.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r, _ := snapshot.Find(id)
	for _, d := range r.History {
		if since := at.Sub(d.At); d.Code == origin.DecidedLive && since >= 0 && since < 2*time.Minute {
			return true
		}
	}
	return false
}

// TestEdgesHaveWhatIsLive lets teams change their claims, leave and come back while propagations take 1 to 35 minutes and somebody edits the
// distribution in between.
func TestEdgesHaveWhatIsLive(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*lives) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			l := &life{rnd: rand.New(rand.NewPCG(seed, 2)), kind: []string{longPropagations}}
			l.start(t)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			names, teams := []string{"a", "b", "c"}, []string{"team-a", "team-b", "team-c"}
			for i, n := range names {
				must(l.create(nil, []string{n, teams[i]}))
				must(l.share(nil, []string{n}))
			}
			checked := 0
			shared := map[string]bool{"a": true, "b": true, "c": true}
			for range 40 {
				n := names[l.rnd.IntN(len(names))]
				team := teams[strings.Index("abc", n)]
				switch draw := l.rnd.IntN(10); {
				case draw < 5:
					l.note("tag %s", n)
					must(l.tag(nil, []string{n, "/" + team + "/" + strconv.Itoa(l.rnd.IntN(3)) + "/", contract.TagPaths}))
				case draw < 7 && shared[n]:
					l.note("unshare %s", n)
					must(l.unshare(nil, []string{n}))
					shared[n] = false
				case draw < 9 && !shared[n]:
					l.note("share %s", n)
					must(l.share(nil, []string{n}))
					shared[n] = true
				default:
					l.note("edit comment")
					must(l.editComment(nil, []string{strconv.Itoa(l.rnd.Int())}))
				}
				for range l.rnd.IntN(12) {
					l.Advance(time.Minute)
					checked += l.checkEdges(t)
				}
			}
			for _, n := range names {
				if !shared[n] {
					must(l.share(nil, []string{n}))
				}
			}
			l.waitForSweeps(t, 24)
			checked += l.checkEdges(t)
			for _, n := range names {
				must(l.tag(nil, []string{n, "now"}))
			}
			l.waitForSweeps(t, 24)
			if checked += l.checkEdges(t); checked < 2*len(names) {
				t.Errorf("only %d events are checked", checked)
			}
			for _, n := range names {
				must(l.nothingLeft(nil, []string{n}))
			}
			t.Logf("%d events", checked)
		})
	}
}
