package sandbox

import "time"

// EdgeConfig returns the configuration, as XML, that the slowest edge served of a distribution at a time that is not in the future, or nil if
// it served none. Options.Propagation must have bounds.
func (s *Sandbox) EdgeConfig(distributionID string, at time.Time) []byte {
	return s.services.cloudfront.ServedAt(distributionID, at)
}
