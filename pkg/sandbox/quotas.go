package sandbox

// SetQuota sets an account's value of a quota, given by its Service Quotas code, as AWS does when it grants a request. The value
// applies at once.
func (s *Sandbox) SetQuota(account, code string, value int) (err error) {
	s.world.Do(func() { err = s.services.quotas.Set(account, code, value) })
	return err
}
