package sandbox

// LeaveOrganization takes an account out of the organization. Its shares stay as they are (RAM-14).
func (s *Sandbox) LeaveOrganization(account string) {
	s.world.Do(func() { s.world.Account(account).InOrganization = false })
}
