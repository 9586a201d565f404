package sandbox

// AddCertificate creates an issued ACM certificate for the given names, which may begin with "*.", and returns its ARN.
func (s *Sandbox) AddCertificate(account, region string, names ...string) (arn string) {
	return s.services.acm.Add(account, region, names...)
}
