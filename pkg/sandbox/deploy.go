package sandbox

// Deploy creates or updates a stack from a CloudFormation template and returns its outputs. Parameters that are not given keep
// their previous values. If the sandbox cannot deploy something, Deploy returns an error that names it and changes nothing.
func (s *Sandbox) Deploy(account, region, stack string, template []byte, params map[string]string) (map[string]string, error) {
	return s.services.cfn.Deploy(account, region, stack, template, params)
}

// DeleteStack deletes a stack and its resources, except those that its template retains.
func (s *Sandbox) DeleteStack(account, region, stack string) error {
	_, err := s.services.cfn.Delete(account, region, stack)
	return err
}
