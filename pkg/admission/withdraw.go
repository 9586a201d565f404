package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
	"github.com/originhub/originhub/pkg/outcome"
)

// withdraw decides what may not be wired any longer, whatever the round has given a place: requests that do not stay as they
// are count as they are to become. It returns the origins, too.
//
//	origin                                offered or shown   policy and earlier claims  then
//	to be wired                           yes                permit it                  stays
//	to be wired                           no                 any                        withdrawn: not shared
//	to be wired                           yes                do not                     withdrawn: the reasons of Settle
//	in a distribution, without a record   yes                -                          left: it is decided by its claim
//	in a distribution, without a record   no                 -                          withdrawn, unless a distribution is uncertain
//
// RAM and CloudFront must both miss an origin: an empty answer from one of them takes no team off the air. One that is wired and
// shared no longer has to go even if the registry was lost, since CloudFront takes no update of its distribution, whichever team
// that is for. What it claimed is lost, and so its alias and its DNS record stay: nobody knows any longer whose they are.
func (r Round) withdraw(asking []request, stays map[string]bool) (changes []Change, withdrawn map[string]bool) {
	withdrawn = map[string]bool{}
	drop := func(o origin.Record, reasons ...Reason) {
		withdrawn[o.ID] = true
		o.Intent = origin.Detach
		o.SetReasons(reasons...)
		o.Remember(r.Registry.Now, origin.DecidedWithdrawn, reasons, "")
		c := Change{Record: &o}
		c.Alarm(contract.OriginWithdrawn, o.ARN, outcome.About(o, "").Because(reasons))
		changes = append(changes, c)
	}
	records := slices.Clone(r.Registry.Records)
	for _, q := range asking {
		if !stays[q.is.ID] {
			records = replace(records, q.is, false)
		}
	}
	for _, o := range records {
		if o.Intent == origin.Wire && r.unshared(o.ID) {
			drop(o, notShared)
		}
	}
	if r.uncertain().Name == "" {
		for _, d := range r.Registry.Distributions {
			for _, s := range d.Orphans {
				if _, known := r.Registry.Find(s.ID); !known && !r.Registry.IsDamaged(s.ID) && !withdrawn[s.ID] && s.ARN != "" && r.unshared(s.ID) {
					team, _ := r.Policy.TeamOf(s.Account)
					drop(origin.Record{Ref: s, Distribution: d.Name, Team: team.Name, State: origin.Wired, Generation: 1}, notShared)
				}
			}
		}
	}
	records = slices.DeleteFunc(records, func(o origin.Record) bool { return withdrawn[o.ID] })
	for _, dropped := range Settle(records, r.Policy) {
		drop(dropped.Record, dropped.Reasons...)
	}
	return changes, withdrawn
}

// notShared is why an origin is withdrawn that its team took away.
var notShared = Reason{Code: OriginNotShared, Message: "it is no longer shared with the hub: share it again to bring it back"}

// unshared reports whether neither RAM offers an origin nor CloudFront shows it.
func (r Round) unshared(id string) bool {
	_, visible := r.shown(id)
	return !visible && !slices.ContainsFunc(r.Offers, func(o Offer) bool { return o.ID == id })
}
