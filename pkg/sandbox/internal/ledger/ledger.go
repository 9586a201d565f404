// Package ledger holds what the sandbox models of AWS, as data: each behavior with an id that code, templates and documents cite,
// where it comes from, how certain it is, and the test that pins it.
package ledger

import (
	"bytes"
	_ "embed" // the data file
	"encoding/json"
	"fmt"
)

//go:embed ledger.json
var data []byte

// Entry is one modeled behavior.
type Entry struct {
	ID        string    `json:"id"` // such as "CF-03"; never given to another behavior
	Claim     string    `json:"claim"`
	Sources   []string  `json:"sources"`        // URLs
	Note      string    `json:"note,omitempty"` // what of the claim the sources do not say
	Certainty Certainty `json:"certainty"`
	PinnedBy  []string  `json:"pinnedBy"` // tests that fail without the behavior, as <package below pkg/sandbox>.<test>
}

// Certainty says how sure an entry is.
type Certainty string

// Certainties.
const (
	Documented Certainty = "documented" // AWS's documentation says so
	Model      Certainty = "model"      // AWS's API model or resource schema says so, or the sandbox leaves out what they say
	Observed   Certainty = "observed"   // somebody saw it on AWS and published it
	Inferred   Certainty = "inferred"   // follows from what is documented or observed
	NotFound   Certainty = "not found"  // nobody says; anyone with an account can settle it
	Choice     Certainty = "choice"     // not AWS's behavior: how the sandbox was made
)

// Certainties lists all certainties.
func Certainties() []Certainty {
	return []Certainty{Documented, Model, Observed, Inferred, NotFound, Choice}
}

// Entries returns the ledger in the order of its ids. It panics if the data file, which a test reads, is not valid.
func Entries() []Entry {
	var entries []Entry
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&entries); err != nil {
		panic(fmt.Sprintf("read ledger.json: %v", err))
	}
	return entries
}
