package origin

import "time"

// Tally is what the hub reported and counted of one account's refusals within an hour, which begins with the first of them.
type Tally struct {
	Account  string `json:"-"` // "" for all accounts that belong to no team
	Since    time.Time
	Reported int      // refusals that were published, each as an event
	Counted  int      // refusals beyond these
	Told     int      // how many of Counted were published as a number
	Seen     []string // names each of Counted that would be refused again, so that it is counted once
}
