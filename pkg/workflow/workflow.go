// Package workflow runs the hub's use cases: it observes through narrow ports, lets the core decide, and carries out the
// decision. Every use case may be run again at any point: what was done is seen, not remembered.
//
// What is decided is published before it is recorded. A crash between the two says it twice; the other order could say it
// never. Distribution Updated is published when the distribution shows that the update has come through, in whichever run that is.
// Three events report a call that AWS has answered: Share Accepted, Distribution Created and Teardown Advanced. A crash after the
// call loses them, and nothing rests on them; CloudTrail has the calls.
package workflow

import (
	"context"
	"sync"
	"time"

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
	Record(m outcome.Metric)
}

// Spoke is a team's account, seen through the role that the team granted.
type Spoke interface {
	Tags(ctx context.Context, arn string) (map[string]string, error)
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
