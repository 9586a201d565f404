package wiring

import "time"

// Times between rechecks. A propagation takes minutes, and AWS promises no duration
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToUpdateDistribution.html).
const (
	firstRecheck   = 180 * time.Second
	nextRecheck    = 60 * time.Second
	recheckGrowth  = 15 * time.Second
	longestRecheck = 5 * time.Minute
)

// NextRecheck returns how long to wait before the next observation of a propagation that began since ago. Observations are due 3 minutes
// after its beginning, which is before most end, then after another 60 s, 75 s, 90 s and so on, up to 5 minutes. The times follow from
// the beginning alone, however often a run asks.
func NextRecheck(since time.Duration) time.Duration {
	due, gap := firstRecheck, nextRecheck
	for due <= since {
		if gap == longestRecheck {
			return gap - (since-due)%gap // since is centuries if the beginning is unknown
		}
		due += gap
		gap = min(gap+recheckGrowth, longestRecheck)
	}
	return due - max(since, 0)
}

// needsRecheck reports whether the run has to send a recheck message: the delayed message by which function wire asks itself to observe a
// distribution again. announced is when the message that the item announces is due, and triggered is whether that message triggered the
// run. Only a run that this message triggered replaces it, so that no distribution has more than one series of messages.
//
//	needed  announced message          sent
//	no      -                          no
//	yes     none, or it triggered this yes
//	yes     due no later than this     no
//	yes     due later                  yes
func needsRecheck(announced, due, now time.Time, needed, triggered bool) bool {
	switch {
	case !needed:
		return false
	case !announced.After(now), triggered:
		return true
	}
	return due.Before(announced)
}
