package origin_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/originhub/originhub/pkg/origin"
)

func TestIndexOfASnapshotAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"", "main", "main-2", "main-3"})
		id := rapid.SampledFrom([]string{"", "vo_1", "vo_2", "vo_3", "vo_4"})
		var plain origin.Snapshot
		for range rapid.IntRange(0, 6).Draw(t, "records") {
			r := origin.Record{
				Ref: origin.Ref{ID: id.Draw(t, "id")}, Distribution: name.Draw(t, "distribution"),
				State: rapid.SampledFrom([]origin.State{origin.Live, origin.Deleted}).Draw(t, "state"),
			}
			if rapid.Bool().Draw(t, "released") {
				r.ReleasedHosts = []string{"a.example.com"}
			}
			plain.Records = append(plain.Records, r)
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "distributions") {
			plain.Distributions = append(plain.Distributions, origin.Distribution{Name: name.Draw(t, "name"), Version: i})
		}
		for range rapid.IntRange(0, 2).Draw(t, "damaged") {
			plain.Damaged = append(plain.Damaged, origin.Damaged{Origin: id.Draw(t, "damaged id"), Distribution: name.Draw(t, "damaged name")})
		}
		is := plain.Indexed()
		for _, id := range []string{"", "vo_1", "vo_2", "vo_3", "vo_4", "vo_5"} {
			got, known := is.Find(id)
			want, wantKnown := plain.Find(id)
			if known != wantKnown || !reflect.DeepEqual(got, want) || is.IsDamaged(id) != plain.IsDamaged(id) {
				t.Fatalf("origin %q: %v %t %t, and a walk finds %v %t %t", id, got, known, is.IsDamaged(id), want, wantKnown, plain.IsDamaged(id))
			}
		}
		for _, name := range []string{"", "main", "main-2", "main-3", "main-4"} {
			if !reflect.DeepEqual(is.In(name), plain.In(name)) || !reflect.DeepEqual(is.Distribution(name), plain.Distribution(name)) ||
				is.InUse(name) != plain.InUse(name) || is.IsDistributionDamaged(name) != plain.IsDistributionDamaged(name) {
				t.Fatalf("distribution %q: %v, and a walk finds %v", name, is.In(name), plain.In(name))
			}
		}
	})
}
