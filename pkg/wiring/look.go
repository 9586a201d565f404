package wiring

import "time"

// A propagation takes minutes, and AWS promises no figure
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToUpdateDistribution.html).
const (
	firstRecheck   = 180 * time.Second
	nextRecheck    = 60 * time.Second
	recheckGrowth  = 15 * time.Second
	longestRecheck = 5 * time.Minute
)

// NextRecheck is how long to wait before looking again whether a deployment is done that began so long ago. Looks are due
// three minutes after it began, which is before most are done, then 60 s later, then 75 s, 90 s and so on up to every five
// minutes. Whoever asks, and how often, changes nothing about when they are due.
func NextRecheck(since time.Duration) time.Duration {
	due, gap := firstRecheck, nextRecheck
	for due <= since {
		if gap == longestRecheck {
			return gap - (since-due)%gap // nobody may know when it began, and since be centuries
		}
		due += gap
		gap = min(gap+recheckGrowth, longestRecheck)
	}
	return due - max(since, 0)
}

// recheck reports whether the delayed message is to be sent by which function wire observes a distribution again when that is due.
// Only the message that the distribution's item announces begets another, so that there is never more than one such chain.
//
//	needed  on its way                        sent
//	no      -                                 no
//	yes     none, or it triggered this run    yes
//	yes     one that comes no later           no
//	yes     one that comes later              yes
func recheck(onItsWay, due, now time.Time, needed, triggered bool) bool {
	switch {
	case !needed:
		return false
	case !onItsWay.After(now), triggered:
		return true
	}
	return due.Before(onItsWay)
}
