package wiring

import (
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/origin"
)

// Plan is what to change in one configuration. It is complete: Apply needs nothing else.
type Plan struct {
	Changes []Change
	Refused []Problem // origins that Changes leaves out or leaves in, against what is desired
}

// Change is one change.
type Change struct {
	Op     Op
	Kind   Kind
	ID     string  // origin id, path pattern or alias
	Origin *Origin // what an origin becomes
	Target string  // id of the origin that a behavior gets
	Before string  // path pattern of the behavior that an added or moved one goes before; empty: last
	Was    string  // what is changed, in words
}

// Op is what happens.
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

// Kind is what it happens to.
type Kind string

// Kinds.
const (
	KindOrigin       Kind = "origin"
	KindBehavior     Kind = "behavior"
	KindAlias        Kind = "alias"
	KindDefault      Kind = "default behavior" // its viewer-request function, which ID names
	KindDistribution Kind = "distribution"
)

// Problem says why an origin cannot be wired, or cannot be removed.
type Problem struct {
	VPCOrigin string
	origin.Reason
}

// Codes of problems.
const (
	PathTaken  origin.Code = "path-taken" // a foreign behavior has the same path pattern
	PathTwice  origin.Code = "path-twice" // another of our origins has it
	DoesNotFit             = origin.DoesNotFit
	StillUsed  origin.Code = "still-used" // cannot be removed: a foreign part of the configuration uses it
	HostApart  origin.Code = "host-apart" // another distribution has one of its hosts
)

// Waits tells whether nothing is wrong with the origin itself: room has to be made, or another place found.
func (p Problem) Waits() bool { return p.Code == DoesNotFit || p.Code == HostApart }

// Empty tells whether there is nothing to write.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// String tells people what the plan does, one line each.
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

// String tells people what the change is.
func (c Change) String() string {
	if c.Kind == KindDistribution {
		return fmt.Sprintf("%s the distribution", c.Op)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", c.Op, c.Kind, c.ID)
	if c.Origin != nil {
		fmt.Fprintf(&b, " (%s in account %s)", c.Origin.Domain, c.Origin.Account)
	}
	if c.Target != "" {
		fmt.Fprintf(&b, " to %s", c.Target)
	}
	if c.Before != "" {
		fmt.Fprintf(&b, " before %s", c.Before)
	}
	if c.Was != "" {
		fmt.Fprintf(&b, ", was %s", c.Was)
	}
	return b.String()
}
