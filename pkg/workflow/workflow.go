// Package workflow runs the hub's use cases: it observes through narrow ports, lets the core decide, and carries out the
// decision. Every use case may be run again at any point: what was done is seen, not remembered.
//
// What is decided is published before it is recorded. A crash between the two says it twice; the other order could say it
// never. Distribution Updated is published when the distribution shows that the update has come through, in whichever run that is.
// Three events report a call that AWS has answered: Share Accepted, Distribution Created and Teardown Stepped. A crash after the
// call loses them, and nothing rests on them; CloudTrail has the calls.
package workflow

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

type queue interface {
	Send(ctx context.Context, body string, delay time.Duration) error
}

type bus interface {
	Publish(ctx context.Context, events ...origin.Event) error
}

type meter interface {
	Count(name string, n int, by ...contract.Dimension)
	Seconds(name string, d time.Duration)
	Percent(name string, share float64, by ...contract.Dimension)
}

// Spoke is a team's account, seen through the role that the team granted.
type Spoke interface {
	Tags(ctx context.Context, arn string) (map[string]string, error)
}

// Detail is outcome.Detail.
type Detail = outcome.Detail

func about(r origin.Record, why string) Detail { return outcome.About(r, why) }

func remember(r *origin.Record, now time.Time, code origin.Code, why string) {
	r.Remember(now, code, nil, why)
}

// announcer gathers the events of one run, and publishes and logs them together. It goes when every use case asks the core for
// an outcome and commits that.
type announcer struct {
	bus  bus
	log  *slog.Logger
	said outcome.Outcome
}

func (a *announcer) say(what, resource string, d Detail)   { a.said.Inform(what, resource, d) }
func (a *announcer) alarm(what, resource string, d Detail) { a.said.Alarm(what, resource, d) }

func (a *announcer) publish(ctx context.Context) error {
	events := a.said.Events
	a.said = outcome.Outcome{}
	return committer{bus: a.bus, log: a.log}.publish(ctx, events)
}

// For so many team accounts there is one asker, and askersAtMost in all: what is read at 50 ms a call takes minutes
// of 1,000 accounts one after the other, and CloudFront's API has a rate limit that nobody publishes. Up to askerFor
// accounts are asked in their order, so that the calls of a usual hub come in the same order every time.
const askerFor, askersAtMost = 150, 10

// each calls ask with 0 to n-1, a few at a time if there are many, and returns when all are done. What is asked for is put
// into a slice and judged afterwards, in order.
func each(n int, ask func(i int)) {
	next := make(chan int)
	var askers sync.WaitGroup
	for range min(1+(n-1)/askerFor, askersAtMost) {
		askers.Go(func() {
			for i := range next {
				ask(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	askers.Wait()
}
