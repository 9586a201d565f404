package sandbox

// AddCertificate makes an issued ACM certificate for the given names, which may begin with *., and answers its ARN.
func (s *Sandbox) AddCertificate(account, region string, names ...string) (arn string) {
	return s.services.acm.Add(account, region, names...)
}
