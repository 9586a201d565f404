package admission_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/origin"
)

// forgotten returns the names of the refusals that changes forget.
func forgotten(changes []admission.Change) (names []string) {
	for what, reasons := range remembered(changes) {
		if len(reasons) == 0 {
			names = append(names, what)
		}
	}
	slices.Sort(names)
	return names
}

func TestRefusalIsForgottenWhenTheClaimIsPermitted(t *testing.T) {
	is := live("team-a", accountA, "vo_1", "/team-a/x")
	deferred := is
	deferred.State = origin.Deferred
	before := []admission.Reason{{Code: admission.ClaimTaken, Subject: "/team-a/x vo_9", Message: "the path is taken: change it"}}
	for name, c := range map[string]struct {
		records []origin.Record
		reading *admission.Reading
		forgets bool
	}{
		"new":                           {reading: new(tagged(is)), forgets: true},
		"live, same claim":              {records: []origin.Record{is}, reading: new(tagged(is)), forgets: true},
		"live, another claim":           {records: []origin.Record{is}, reading: new(tagged(claiming(is, "/team-a/y"))), forgets: true},
		"live, refused claim":           {records: []origin.Record{is}, reading: new(tagged(claiming(is, "/team-b/*")))},
		"deferred, its tags read":       {records: []origin.Record{deferred}, reading: new(tagged(is)), forgets: true},
		"deferred, its tags unreadable": {records: []origin.Record{deferred}, reading: &admission.Reading{Offer: offered(is), Unreadable: true}},
		"deferred, its tags not read":   {records: []origin.Record{deferred}},
	} {
		t.Run(name, func(t *testing.T) {
			r := with(round(c.records...))
			r.Registry.Refusals = map[string][]admission.Reason{is.ARN: before}
			var read []admission.Reading
			if c.reading != nil {
				read = append(read, *c.reading)
			}
			r = with(r, read...)
			changes, _ := r.Decide(read)
			if got := forgotten(changes); (len(got) == 1) != c.forgets || c.forgets && got[0] != is.ARN {
				t.Errorf("forgets %q", got)
			}
			for _, change := range changes {
				for _, e := range change.Events {
					if e.Type == contract.OriginAdmitted && strings.HasSuffix(e.Detail.Why, "; the earlier refusal no longer applies (the path is taken)") != c.forgets {
						t.Errorf("admitted because %s", e.Detail.Why)
					}
				}
			}
		})
	}
}

func TestRefusalIsForgottenWhenItsSubjectIsGone(t *testing.T) {
	const share = "arn:aws:ram:us-east-1:111111111111:resource-share/"
	known := live("team-a", accountA, "vo_known", "/team-a/x")
	why := []admission.Reason{{Code: "because"}}
	r := with(round(known), tagged(live("team-a", accountA, "vo_shared", "/team-a/y")))
	r.Visible = slices.DeleteFunc(r.Visible, func(v origin.VpcOrigin) bool { return v.ID == known.ID })
	r.Shares = []string{share + "open"}
	r.Registry.Damaged = []origin.Damaged{{Partition: "main", Key: "origin#vo_2", Origin: "vo_2", Why: "damaged"}}
	tagOf := func(id string) string { return arn(accountA, id) + " " + contract.TagTeardown }
	stays := []string{
		share + "open", arn(accountA, "vo_shared"), tagOf("vo_shared"), tagOf("vo_known"), "registry main origin#vo_2", "team-a.example.com A",
		"arn:aws:ram:us-east-1:111111111111:resource-share-invitation/1",
	}
	goes := []string{share + "deleted", arn(accountA, "vo_gone"), tagOf("vo_gone"), arn(accountA, "vo_known"), "registry main origin#vo_3"}
	r.Registry.Refusals = map[string][]admission.Reason{}
	for _, what := range slices.Concat(stays, goes) {
		r.Registry.Refusals[what] = why
	}
	if got := forgotten(r.Due().Changes); got != nil {
		t.Errorf("without a sweep it forgets %q", got)
	}
	r.Sweep = true
	changes := r.Due().Changes
	slices.Sort(goes)
	if diff := cmp.Diff(goes, forgotten(changes)); diff != "" {
		t.Error(diff)
	}
	maps.Copy(r.Registry.Refusals, remembered(changes))
	if got := forgotten(r.Due().Changes); got != nil {
		t.Errorf("forgotten before, it forgets %q again", got)
	}
}
