package cloudfront

import "bytes"

// completed returns a configuration as CloudFront stores it: with the default of what was not written. Every byte that was
// written stays (assumption CF-36). A multi-tenant distribution is stored as it was written, because most of the settings
// are not supported there.
func (s *Service) completed(config *Element) (*Element, error) {
	if config.Value("ConnectionMode") == "tenant-only" {
		return config, nil
	}
	var b bytes.Buffer
	s.schema.fill(&b, config)
	return parseElement(b.Bytes())
}
