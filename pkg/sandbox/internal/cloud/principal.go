package cloud

import "strings"

// Principal is who makes a call.
type Principal struct {
	// Account is the 12-digit account that the call is made in. Empty for a service principal.
	Account string
	// ARN is the ARN in CloudTrail and in resource policies: arn:aws:iam::<account>:root, or
	// arn:aws:sts::<account>:assumed-role/<role>/<session>.
	ARN string
	// RoleARN is the role whose identity policies apply. Empty for root and for a service principal.
	RoleARN string
	// Service is set when AWS itself acts, for example "events.amazonaws.com".
	Service string
	// SourceARN is the resource for which a service principal acts (aws:SourceArn), for example a rule.
	SourceARN string
	// Function and Invocation are set when a hosted function makes the call.
	Function   string
	Invocation string
}

// Root returns the account itself, which no identity policy limits.
func Root(account string) Principal {
	return Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root"}
}

// ServicePrincipal returns AWS acting for itself, for example ServicePrincipal("events.amazonaws.com").
func ServicePrincipal(name string) Principal { return Principal{Service: name, ARN: name} }

// AssumedRole returns a session of a role, given by the role's ARN.
func AssumedRole(account, roleARN, roleName, session string) Principal {
	return Principal{
		Account: account, RoleARN: roleARN,
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + roleName + "/" + session,
	}
}

// Anonymous returns a principal without credentials, such as the caller of a private API without an authorizer.
func Anonymous() Principal { return Principal{ARN: "anonymous"} }

// IsAnonymous reports whether p has no credentials.
func (p Principal) IsAnonymous() bool { return p.Account == "" && p.Service == "" }

// IsRoot reports whether p is an account's root.
func (p Principal) IsRoot() bool { return p.Account != "" && p.RoleARN == "" && p.Service == "" }

// IsAccount reports whether s has the form of an account id.
func IsAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// AccountOf returns the account in an ARN, or "" if there is none.
func AccountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return parts[4]
	}
	return ""
}
