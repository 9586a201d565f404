package sandbox

// SetQuota gives an account another value of a quota, by its code in Service Quotas, as AWS does when it grants a request. It
// holds at once.
func (s *Sandbox) SetQuota(account, code string, value int) (err error) {
	s.world.Do(func() { err = s.services.quotas.Set(account, code, value) })
	return err
}
