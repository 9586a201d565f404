// Package workflow runs the hub's use cases. Each one observes AWS and the registry through small interfaces, lets the core decide, and
// carries out the decision. Every use case may be repeated at any point, because it observes what was done and does not rely on memory.
//
// A decision is published before it is recorded. A crash in between publishes it twice; the other order could lose it. Distribution Updated
// is published by the run that observes the update in the distribution. Three events report a call that AWS has answered: Share
// Accepted, Distribution Created and Teardown Advanced. A crash after the call loses them. Nothing depends on them, and CloudTrail has the
// calls.
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

// Spoke is a team's account, accessed through the role that the team granted.
type Spoke interface {
	Tags(ctx context.Context, arn string) (map[string]string, error)
}

// each uses one worker for this many calls or distributions, and maxWorkers at most. At 50 ms a call, reading 1,000 accounts one after the other
// takes minutes, and CloudFront's API has a rate limit that AWS does not publish. Up to accountsPerWorker calls run in order, so that a hub
// of usual size makes its calls in the same order every time. A run on one distribution makes a dozen calls.
const accountsPerWorker, distributionsPerWorker, maxWorkers = 150, 10, 10

// each calls ask with 0 to n-1, with one worker for perWorker calls, and returns when all calls have returned. ask stores its result in a
// slice, so that results are judged in order.
func each(n, perWorker int, ask func(i int)) {
	next := make(chan int)
	var askers sync.WaitGroup
	for range min(1+(n-1)/perWorker, maxWorkers) {
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
