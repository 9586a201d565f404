package admission

import (
	"slices"

	"github.com/originhub/originhub/pkg/origin"
)

// Fleet returns what functions that read a part of the registry have to know of the rest, and whether that has to be written.
func (r Run) Fleet() (_ origin.Fleet, changed bool) {
	s := r.Registry
	is := origin.Fleet{Named: r.Policy.Distribution.Fleet(), Deferred: slices.ContainsFunc(s.Records, origin.Record.WaitsForCapacity)}
	for _, d := range s.Distributions {
		is.Unnamed = append(is.Unnamed, d.Name)
	}
	for _, o := range s.Records {
		is.Unnamed = append(is.Unnamed, o.Distribution)
	}
	slices.Sort(is.Unnamed)
	is.Unnamed = slices.DeleteFunc(slices.Compact(is.Unnamed), func(name string) bool { return slices.Contains(is.Named, name) })
	return is, !s.Fleet.Known || is.Deferred != s.Fleet.Deferred || !slices.Equal(is.Unnamed, s.Fleet.Unnamed) || !slices.Equal(is.Named, s.Fleet.Named)
}
