package rehearsal

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudfront"

	"github.com/originhub/originhub/pkg/origin"
)

var fleetSize = flag.Int("fleet-teams", 1000, "number of teams in BenchmarkFleet, with two origins each")

// BenchmarkFleet shares two origins of each of many teams at one instant, and tears down one of each team. It fails if a viewer does not reach
// exactly the origins that are live, each on the host of its team.
func BenchmarkFleet(b *testing.B) {
	for b.Loop() {
		began := time.Now()
		o := storyOptions("")
		o.Sandbox.Keep = *soakKeep
		f, err := newFleet(2**fleetSize, *fleetSize, o)
		if err != nil {
			b.Fatal(err)
		}
		step := func(name string, run func() error) {
			from := time.Now()
			if err := run(); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
			fmt.Printf("%s: %s\n", name, time.Since(from).Round(time.Second))
		}
		fmt.Printf("%d teams with %d origins: %s\n", f.teams, f.n, time.Since(began).Round(time.Second))
		step("all are shared", f.shareAtOnce)
		step("all are reached", func() error { return errors.Join(f.checkAll(origin.Live), f.reached(func(int) bool { return true })) })
		step("one of each team is torn down", func() error {
			for i := range f.teams {
				if err := f.tag(nil, []string{fleetName(2 * i), "now"}); err != nil {
					return err
				}
			}
			return f.WaitUntilIdle()
		})
		step("the others are reached", func() error { return f.reached(func(i int) bool { return i%2 == 1 }) })
		if err := f.printLevel(int(f.Now().Sub(f.start).Hours())); err != nil {
			b.Fatal(err)
		}
		closeWorld(b, f.World)
	}
}

func (f *fleet) shareAtOnce() error {
	for i := range f.n {
		if err := f.share(nil, []string{fleetName(i)}); err != nil {
			return err
		}
	}
	return f.WaitUntilIdle()
}

// reached checks that viewers reach the live origins on their hosts, and that nobody reaches the others, or an origin on a host
// of the next team. It prints the number of distributions.
func (f *fleet) reached(live func(i int) bool) error {
	known, err := f.snapshot()
	if err != nil {
		return err
	}
	for i := range f.n {
		want := origin.Deleted
		if live(i) {
			want = origin.Live
		}
		if r, _ := known.Find(f.origins[fleetName(i)].ID); r.State != want {
			return fmt.Errorf("%s is %s (%s), want %s", fleetName(i), r.State, origin.Why(r.Reasons), want)
		}
		for host, expected := range map[string]bool{f.host(i): live(i), f.host(i + 2): false} {
			status, body, err := Get(f.ctx, f.Edge(), host, f.path(i)+"customers/123")
			if err != nil {
				return err
			}
			if (status == 200) != expected {
				return fmt.Errorf("host %s answers %s with %d %s", host, f.path(i), status, body)
			}
		}
	}
	list, err := f.hubCloudFront.ListDistributions(f.ctx, &cloudfront.ListDistributionsInput{})
	if err != nil {
		return err
	}
	fmt.Printf("%d distributions\n", len(list.DistributionList.Items))
	return nil
}
