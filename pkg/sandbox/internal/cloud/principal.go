package cloud

import "strings"

// Principal is who makes a call.
type Principal struct {
	// Account is the 12-digit account that the call is made in. Empty for a service principal.
	Account string
	// ARN is what CloudTrail and a resource policy see: arn:aws:iam::<account>:root, or
	// arn:aws:sts::<account>:assumed-role/<role>/<session>.
	ARN string
	// RoleARN is the role whose identity policies apply. Empty for root and for a service principal.
	RoleARN string
	// Service is set when AWS itself acts, e.g. "events.amazonaws.com".
	Service string
	// SourceARN is the resource on whose behalf a service principal acts (aws:SourceArn), e.g. a rule.
	SourceARN string
	// Function and Invocation are set when a hosted function makes the call.
	Function   string
	Invocation string
}

// Root is the account itself: no identity policy limits it.
func Root(account string) Principal {
	return Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root"}
}

// ServicePrincipal is AWS acting for itself, e.g. ServicePrincipal("events.amazonaws.com").
func ServicePrincipal(name string) Principal { return Principal{Service: name, ARN: name} }

// AssumedRole is a session of a role, named by the role's ARN.
func AssumedRole(account, roleARN, roleName, session string) Principal {
	return Principal{
		Account: account, RoleARN: roleARN,
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + roleName + "/" + session,
	}
}

// Anonymous is somebody who shows no credentials, such as the caller of a private API without an authorizer.
func Anonymous() Principal { return Principal{ARN: "anonymous"} }

// IsAnonymous tells whether p shows no credentials.
func (p Principal) IsAnonymous() bool { return p.Account == "" && p.Service == "" }

// IsRoot tells whether p is an account's root.
func (p Principal) IsRoot() bool { return p.Account != "" && p.RoleARN == "" && p.Service == "" }

// IsAccount tells whether s has the form of an account id.
func IsAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// AccountOf is the account in an ARN; empty if there is none.
func AccountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return parts[4]
	}
	return ""
}
