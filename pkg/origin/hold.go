package origin

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Hold is an item of the registry by which a person suspends a team or an origin, or pauses a distribution or the whole hub. Only people
// write and delete holds. The key of a hold says what it does, so a hold whose other fields are damaged has its effect nevertheless.
type Hold struct {
	Key     string // "suspend#" or "pause#", and the subject
	Kind    HoldKind
	Subject string // of a Suspend: the name of a team, or a VPC origin id; of a Pause: the id or the name of a distribution, or "hub"
	Who     string // who wrote the item
	Why     string
	Since   time.Time // zero if the item has no such time
	Lacks   []string  // the attributes among who, why and since that are missing or cannot be read
}

// HoldKind is what a hold does.
type HoldKind string

// Kinds of holds.
const (
	Suspend HoldKind = "suspend" // its origins are in no distribution
	Pause   HoldKind = "pause"   // the distribution and its DNS records are not written
	NoHold  HoldKind = ""        // the key is not one of a hold
)

// WholeHub is the subject of the hold that pauses every distribution of the hub.
const WholeHub = "hub"

// ParseHold returns the hold in an item with that key and these attributes. It never fails: see Hold.
func ParseHold(key, who, why, since string) Hold {
	h := Hold{Key: key, Who: who, Why: Brief(why)}
	kind, subject, _ := strings.Cut(key, "#")
	if subject != "" && (HoldKind(kind) == Suspend || HoldKind(kind) == Pause) {
		h.Kind, h.Subject = HoldKind(kind), subject
	}
	at, err := time.Parse(time.RFC3339, since)
	if err == nil {
		h.Since = at.UTC()
	}
	for _, f := range []struct {
		name  string
		lacks bool
	}{{"who", who == ""}, {"why", why == ""}, {"since", err != nil}} {
		if f.lacks {
			h.Lacks = append(h.Lacks, f.name)
		}
	}
	return h
}

// String returns who has suspended or paused what, since when and why.
func (h Hold) String() string {
	verb := "suspended"
	if h.Kind == Pause {
		verb = "paused"
	}
	out := fmt.Sprintf("%s has %s %s", cmp.Or(h.Who, "somebody"), verb, h.Title())
	if !h.Since.IsZero() {
		out += " since " + h.Since.Format(time.RFC3339)
	}
	return out + " (" + cmp.Or(h.Why, "no reason is given") + ")"
}

// Title returns what the hold is about, in words.
func (h Hold) Title() string {
	switch {
	case h.Kind == Pause && h.Subject == WholeHub:
		return "the hub"
	case h.Kind == Pause:
		return "distribution " + h.Subject
	case h.OfOrigin():
		return "VPC origin " + h.Subject
	}
	return "team " + h.Subject
}

// OfOrigin reports whether the hold suspends a single VPC origin.
func (h Hold) OfOrigin() bool { return h.Kind == Suspend && strings.HasPrefix(h.Subject, "vo_") }

// Suspended says which origins are suspended, by VPC origin id and by the account of the owner.
type Suspended struct{ Origins, Accounts map[string]Hold }

// Of returns the hold that suspends an origin, and whether there is one.
func (s Suspended) Of(r Ref) (Hold, bool) {
	if h, suspended := s.Origins[r.ID]; suspended {
		return h, true
	}
	h, suspended := s.Accounts[r.Account]
	return h, suspended
}

// Paused returns the hold that pauses distribution d, and whether there is one.
func (s Snapshot) Paused(d Distribution) (Hold, bool) {
	for _, h := range s.Holds {
		if h.Kind == Pause && (h.Subject == WholeHub || h.Subject == d.Name || h.Subject == d.ID) {
			return h, true
		}
	}
	return Hold{}, false
}
