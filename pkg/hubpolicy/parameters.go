package hubpolicy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/admission"
)

// Parameters of the hub's template. Everything else that the template needs of the policy, the functions read from the policy themselves.
const (
	ParameterHub           = "HubName"
	ParameterDomain        = "Domain"
	ParameterZone          = "HostedZone"
	ParameterExternalID    = "ExternalId"           // empty: no team has a spoke
	ParameterOrganization  = "Organization"         // empty: none
	ParameterShares        = "ExternalShares"       // allow or deny
	ParameterAccounts      = "ExternalAccounts"     // a list: the accounts outside the organization
	ParameterAdopted       = "AdoptedDistributions" // a list of ids; empty: the hub creates its distributions
	ParameterLogBuckets    = "LogBuckets"           // a list of S3 buckets for legacy logs of adopted distributions
	ParameterEdgeFunctions = "EdgeFunctions"        // a list of ARNs of Lambda@Edge function versions of adopted distributions
	ParameterLast          = "LastDistribution"     // name of the distribution that is filled last
	ParameterWindow        = "UpdateWindow"         // seconds
	ParameterAdmitWindow   = "AdmitWindow"          // seconds
	ParameterRetention     = "Retention"            // days
)

// Parameters returns what the hub's template needs of the policy, by name of the parameter.
func (p Policy) Parameters() map[string]string {
	shares, externalID := "deny", ""
	if p.Shares.External {
		shares = "allow"
	}
	if slices.ContainsFunc(p.Teams, func(t admission.Team) bool { return t.Spoke }) {
		externalID = p.ExternalID
	}
	fleet := p.Distribution.Fleet()
	return map[string]string{
		ParameterHub: p.Hub, ParameterDomain: p.Domain, ParameterZone: p.HostedZone, ParameterExternalID: externalID,
		ParameterOrganization: p.Organization, ParameterShares: shares, ParameterAccounts: strings.Join(p.Outside(), ","),
		ParameterLogBuckets: strings.Join(p.logBuckets(), ","), ParameterEdgeFunctions: strings.Join(p.Permissions.EdgeFunctions, ","),
		ParameterAdopted: strings.Join(p.Distribution.Adopt, ","), ParameterLast: fleet[len(fleet)-1],
		ParameterWindow: strconv.Itoa(int(p.Updates.Window.Seconds())), ParameterAdmitWindow: strconv.Itoa(p.admitWindow()), ParameterRetention: strconv.Itoa(p.Retention),
	}
}

// ShortestAdmitWindow and longestAdmitWindow bound the time for which Lambda collects messages before one run of function admit, in seconds.
const ShortestAdmitWindow, longestAdmitWindow = 5, 60

// accountsPerSecond is how many accounts make that window a second longer. A run reads the whole registry and everything that is shared,
// so what it reads in an hour grows with the number of its runs times the number of origins. The window lets the runs become fewer as the
// origins become more.
const accountsPerSecond = 20

// admitWindow returns for how many seconds Lambda collects messages before one run of function admit.
func (p Policy) admitWindow() int {
	accounts := 0
	for _, t := range p.Teams {
		accounts += len(t.Accounts)
	}
	return min(max(accounts/accountsPerSecond, ShortestAdmitWindow), longestAdmitWindow)
}

// logBuckets returns the buckets to whose ACL function wire needs access, since it writes distributions that log there.
func (p Policy) logBuckets() []string {
	if p.Created.LogBucket != "" {
		return []string{p.Created.LogBucket}
	}
	return p.Permissions.LogBuckets
}
