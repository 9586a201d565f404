package wiring

import (
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Plan is the list of changes to one configuration. Apply needs nothing else.
type Plan struct {
	Changes []Change
	Refused []Problem // origins that Changes does not wire or remove although that is desired
}

// Change is one change to a configuration.
type Change struct {
	Op     Op
	Kind   Kind
	ID     string  // origin id, path pattern or alias
	Origin *Origin // the desired origin
	From   string  // id of the unmanaged origin whose settings an added origin takes over; empty: none
	Target string  // id of the origin to which a behavior sends requests
	Before string  // path pattern of the behavior before which this one is inserted; empty: at the end
	Was    string  // the previous value, for people
}

// Op is the kind of a change.
type Op string

// Operations.
const (
	Add     Op = "add"
	Amend   Op = "change"
	Move    Op = "move"
	Remove  Op = "remove"
	Enable  Op = "enable"
	Disable Op = "disable"
)

// Kind is the kind of element that changes.
type Kind string

// Kinds.
const (
	KindOrigin       Kind = "origin"
	KindBehavior     Kind = "behavior"
	KindAlias        Kind = "alias"
	KindDefault      Kind = "default behavior" // its viewer-request function, whose ARN is ID
	KindDistribution Kind = "distribution"
	KindHeaders      Kind = "response headers policy" // of each behavior that has none; its id is ID
	KindErrors       Kind = "error caching"           // for how many seconds errors are cached is ID
)

// Problem is the reason why an origin cannot be wired or removed.
type Problem struct {
	VPCOrigin string
	origin.Reason
}

// Codes of problems.
const (
	PathTaken  origin.Code = "path-taken" // an unmanaged behavior has the same path pattern
	PathTwice  origin.Code = "path-twice" // another managed origin has the same path pattern
	DoesNotFit             = origin.DoesNotFit
	StillUsed  origin.Code = "still-used" // an unmanaged part of the configuration uses the origin that has to be removed
	HostApart  origin.Code = "host-apart" // another distribution has one of the origin's hosts
)

// Waits reports whether the origin waits for capacity or for another place. Its claim itself is valid.
func (p Problem) Waits() bool { return p.Code == DoesNotFit || p.Code == HostApart }

// Empty reports whether the plan changes nothing.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// String returns the plan in words, one line for each change and problem.
func (p Plan) String() string {
	var lines []string
	for _, c := range p.Changes {
		lines = append(lines, c.String())
	}
	for _, r := range p.Refused {
		lines = append(lines, fmt.Sprintf("not %s: %s", r.VPCOrigin, r.Message))
	}
	if len(lines) == 0 {
		return "nothing to change"
	}
	return strings.Join(lines, "\n")
}

// String returns the change in words.
func (c Change) String() string {
	if c.Kind == KindDistribution {
		return fmt.Sprintf("%s the distribution", c.Op)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", c.Op, c.Kind, c.ID)
	if c.Origin != nil {
		fmt.Fprintf(&b, " (%s in account %s)", c.Origin.Domain, c.Origin.Account)
	}
	if c.Origin != nil && c.Origin.Settings != (origin.Settings{}) {
		fmt.Fprintf(&b, " with %s", c.Origin.Settings)
	}
	if c.From != "" {
		fmt.Fprintf(&b, " with the settings of origin %s", c.From)
	}
	if c.Target != "" {
		fmt.Fprintf(&b, ", which leads to %s", c.Target)
	}
	if c.Before != "" {
		if c.Target != "" {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " before behavior %s", c.Before)
	}
	if c.Was != "" {
		fmt.Fprintf(&b, " (before: %s)", c.Was)
	}
	return b.String()
}
