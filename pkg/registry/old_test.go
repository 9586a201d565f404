package registry

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/origin"
)

// Renaming a field in Go does not rename it in stored items.
func TestStoredFieldNamesDoNotChange(t *testing.T) {
	var d origin.Distribution
	err := readDistribution([]byte(`{"Name":"main","ID":"E1","Domain":"d1","Former":["d0"],"Holder":"me","Expires":"2035-01-08T09:00:00Z",
		"Updated":"2035-01-08T09:01:00Z","Sent":{"ETag":"e","Print":"p","Why":"w"},"Look":"2035-01-08T09:02:00Z","Seen":"2035-01-08T09:03:00Z",
		"Others":{"Origins":1},"Strays":[{"ID":"vo_9"}],"Aliases":["other"],"Brought":["own"],"Pointed":["own A"],"Quota":{"Origins":7},
		"Asked":"2035-01-08T09:04:00Z","Version":3}`), &d)
	at := func(minute int) time.Time { return time.Date(2035, 1, 8, 9, minute, 0, 0, time.UTC) }
	want := origin.Distribution{
		Name: "main", Version: 3,
		Identity: origin.Identity{ID: "E1", Domain: "d1", Former: []string{"d0"}},
		Lease:    origin.Lease{Holder: "me", Expires: at(0)},
		Pacing:   origin.Pacing{UpdateSent: at(1), PendingUpdate: &origin.Update{ETag: "e", Fingerprint: "p", Why: "w"}, RecheckDue: at(2)},
		Observation: origin.Observation{
			ObservedAt: at(3), Others: origin.Size{Origins: 1}, Orphans: []origin.Ref{{ID: "vo_9"}}, OtherAliases: []string{"other"},
			Quota: origin.Size{Origins: 7}, QuotaReadAt: at(4),
		},
		Owned: origin.Owned{OwnedAliases: []string{"own"}, OwnedRecords: []string{"own A"}},
	}
	if err != nil || !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v, %v", d, err)
	}
	var r origin.Record
	err = readRecord([]byte(`{"ID":"vo_1","Left":["old"],"Said":"2035-01-08T09:00:00Z","Teardown":{"Asked":"2035-01-08T09:01:00Z","Left":["share"]}}`), &r)
	if err != nil || !slices.Equal(r.ReleasedHosts, []string{"old"}) || !r.ReasonsReported.Equal(at(0)) ||
		!r.Teardown.ExecutionAsked.Equal(at(1)) || !slices.Equal(r.Teardown.SharesLeft, []string{"share"}) {
		t.Errorf("got %+v, %v", r, err)
	}
}
