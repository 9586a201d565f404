package sandbox

// Deploy creates a stack from a CloudFormation template, or updates it, and answers its outputs. Parameters that are not
// given keep their former value. What the sandbox cannot deploy is an error that names it, and changes nothing.
func (s *Sandbox) Deploy(account, region, stack string, template []byte, params map[string]string) (map[string]string, error) {
	return s.services.cfn.Deploy(account, region, stack, template, params)
}

// DeleteStack removes a stack with its resources, but for those that its template retains.
func (s *Sandbox) DeleteStack(account, region, stack string) error {
	_, err := s.services.cfn.Delete(account, region, stack)
	return err
}
