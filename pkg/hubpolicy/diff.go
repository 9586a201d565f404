package hubpolicy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/admission"
)

// Difference is one statement that only one of two policies makes.
type Difference struct {
	Gained bool // the new policy makes the statement; otherwise the old one
	Says   string
}

func (d Difference) String() string {
	if d.Gained {
		return "+ " + d.Says
	}
	return "- " + d.Says
}

// Diff returns what differs between two policies, for the person who reviews the change: the teams by name, each with its accounts and what
// each grant permits; then hosts that several teams share, reserved hosts, and settings. Of one subject, what is lost comes first.
func Diff(old, new Policy) []Difference {
	var differences []Difference
	before, after := old.statements(), new.statements()
	subjects := slices.Sorted(maps.Keys(before))
	for s := range after {
		if at, known := slices.BinarySearch(subjects, s); !known {
			subjects = slices.Insert(subjects, at, s)
		}
	}
	for _, s := range subjects {
		for _, says := range before[s] {
			if !slices.Contains(after[s], says) {
				differences = append(differences, Difference{false, says})
			}
		}
		for _, says := range after[s] {
			if !slices.Contains(before[s], says) {
				differences = append(differences, Difference{true, says})
			}
		}
	}
	return differences
}

// Subjects of statements, in the order of a diff. A team's name follows the first one.
const (
	ofTeam     = "1 "
	ofHosts    = "2"
	ofSettings = "3 "
)

// statements returns what a policy says, by subject. Every field of a policy that somebody can write is in a statement.
func (p Policy) statements() map[string][]string {
	says := map[string][]string{}
	teams := map[string][]string{} // by host
	for _, t := range p.Teams {
		says[ofTeam+t.Name] = p.ofTeam(t)
		for _, g := range t.Grants {
			if names := teams[g.Host]; len(names) == 0 || names[len(names)-1] != t.Name {
				teams[g.Host] = append(teams[g.Host], t.Name)
			}
		}
	}
	for _, host := range slices.Sorted(maps.Keys(teams)) {
		if names := teams[host]; len(names) > 1 {
			says[ofHosts] = append(says[ofHosts], fmt.Sprintf("host %s is shared by %s", host, strings.Join(names, ", ")))
		}
	}
	for _, host := range p.Reserved {
		says[ofHosts] = append(says[ofHosts], "host "+host+" is reserved: no team may claim it")
	}
	for name, value := range p.settings() {
		says[ofSettings+name] = []string{fmt.Sprintf("%s: %v", name, value)}
	}
	return says
}

// ofTeam returns the statements about one team.
func (p Policy) ofTeam(t admission.Team) []string {
	says := []string{}
	for _, account := range slices.Sorted(slices.Values(t.Accounts)) {
		says = append(says, fmt.Sprintf("%s owns account %s", t.Name, account))
	}
	if slices.Contains(p.External, t.Name) {
		says = append(says, t.Name+" is outside the organization")
	}
	if t.Spoke {
		says = append(says, t.Name+" has a spoke role in its accounts")
	}
	if t.ConfirmTeardown {
		says = append(says, "the teardown of an origin of "+t.Name+" needs a second tag")
	}
	if network, ok := p.Networks[t.Name]; ok {
		says = append(says, fmt.Sprintf("%s has the network %s", t.Name, network))
	}
	for _, g := range t.Grants {
		for _, path := range g.Paths {
			says = append(says, fmt.Sprintf("%s may claim %s on %s%s", t.Name, path, g.Host, wide(g.Host, path)))
		}
	}
	if c := t.Claim; c != nil {
		says = append(says, strings.TrimSuffix(fmt.Sprintf("%s claims, by the policy, %s on %s at %s with %s",
			t.Name, strings.Join(c.Paths, ", "), strings.Join(c.Hosts, ", "), c.Domain, c.Settings), " with "))
	}
	return says
}

// wide returns what a reviewer has to know about a wide grant, as the end of a statement.
//
//	host         path                             says
//	a name       begins with text                 nothing
//	a wildcard   any                              every host with one label there
//	any          /*                               every path
//	any          begins with another wildcard     paths of every team
func wide(host, path string) string {
	var notes []string
	if name, wildcard := strings.CutPrefix(host, "*."); wildcard {
		notes = append(notes, "every host with one label in front of "+name)
	}
	switch {
	case strings.Trim(path, "/*") == "":
		notes = append(notes, "every path")
	case strings.HasPrefix(path, "/*"), strings.HasPrefix(path, "/?"):
		notes = append(notes, "also below the paths of other teams")
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// settings returns the settings that are one value, by key of the policy file. A limit of 0 is none.
func (p Policy) settings() map[string]any {
	d, l := p.Distribution, p.Limits
	return map[string]any{
		"hub": p.Hub, "organization": p.Organization, "domain": p.Domain, "hostedZone": p.HostedZone, "certificate": p.Certificate, "aliases": p.Aliases,
		"distribution.adopt": strings.Join(d.Adopt, ", "), "distribution.base.maximum": d.Create, "distribution.mode dry-run": d.DryRun,
		"distribution.permissions.logBuckets": strings.Join(p.Permissions.LogBuckets, ", "), "distribution.permissions.edgeFunctions": strings.Join(p.Permissions.EdgeFunctions, ", "),
		"distribution.base.comment": p.Created.Comment, "distribution.base.priceClass": p.Created.PriceClass, "distribution.base.httpVersion": p.Created.HTTPVersion,
		"distribution.base.webAcl": p.Created.WebACL, "distribution.base.logBucket": p.Created.LogBucket, "distribution.base.responseHeadersPolicy": p.Created.ResponseHeaders,
		"shares.external allow": p.Shares.External, "shares.refused reject": p.Shares.Reject, "claims.refused wait": p.Claims.Wait,
		"grace.default": p.Grace.Default, "grace.maximum": p.Grace.Maximum, "updates.spacing": p.Updates.Spacing, "updates.window": p.Updates.Window, "updates.perMinute": p.Updates.PerMinute,
		"limits.origins": l.Origins, "limits.behaviors": l.Behaviors, "limits.aliases": l.Aliases,
		"limits.originsPerTeam": l.PerTeam.Origins, "limits.behaviorsPerTeam": l.PerTeam.Behaviors, "limits.aliasesPerTeam": l.PerTeam.Aliases,
		"limits.readTimeout": l.Settings.ReadTimeout, "limits.keepaliveTimeout": l.Settings.KeepaliveTimeout, "limits.connectionAttempts": l.Settings.ConnectionAttempts,
		"spokes.externalId": p.ExternalID, "retention": p.Retention,
	}
}
