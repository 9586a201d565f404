package origin

// Tags that a team sets on its VPC origin. Package contract repeats them for everything outside the core.
const (
	TagHost     = "originhub:host"
	TagPaths    = "originhub:paths"
	TagDomain   = "originhub:domain"
	TagTeardown = "originhub:teardown"
)
