package teardown_test

import (
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/teardown"
)

func TestParseTag(t *testing.T) {
	bounds := teardown.Bounds{Default: time.Hour, Maximum: 720 * time.Hour}
	for value, want := range map[string]time.Duration{
		"now": time.Hour, " now ": time.Hour, "1s": time.Hour, "30m": time.Hour, "72h": 72 * time.Hour, "3d": 72 * time.Hour, "30d": 720 * time.Hour,
		"2026-11-22T08:30:00Z": time.Hour, "2026-11-21T08:00:00Z": time.Hour, "2026-11-23T09:00:00+01:00": 24 * time.Hour,
	} {
		if due, err := teardown.ParseTag(value, start, bounds); err != nil || !due.Equal(start.Add(want)) {
			t.Errorf("%q is due at %v: %v", value, due, err)
		}
	}
	for _, bad := range []string{
		"", "yes", "-1h", "31d", "721h", "d", "-3d", "3.5d", "2026-11-23", "2036-11-22T08:00:00Z", "99999d",
		"2026-11-21T07:59:59Z", "2020-01-01T00:00:00Z", "0", "0s", "0d",
	} {
		if due, err := teardown.ParseTag(bad, start, bounds); err == nil {
			t.Errorf("%q is due at %v", bad, due)
		}
	}
	_, early := teardown.ParseTag("31d", start, bounds)
	if _, late := teardown.ParseTag("31d", start.Add(time.Hour), bounds); early.Error() != late.Error() {
		t.Errorf("said twice: %v; %v", early, late)
	}
	if due, err := teardown.ParseTag("900d", start, teardown.Bounds{}); err != nil || !due.Equal(start.Add(900*24*time.Hour)) {
		t.Errorf("without bounds: %v, %v", due, err)
	}
}

func TestReadTag(t *testing.T) {
	const tag, confirm = contract.TagTeardown, contract.TagConfirm
	for name, c := range map[string]struct {
		tags           map[string]string
		plain, confirm teardown.TagState // with and without the policy that requires the second tag
		value          string
	}{
		"no tag":               {nil, teardown.TagAbsent, teardown.TagAbsent, ""},
		"only the second":      {map[string]string{confirm: "vo_1"}, teardown.TagAbsent, teardown.TagAbsent, ""},
		"only the first":       {map[string]string{tag: "now"}, teardown.TagPresent, teardown.TagUnconfirmed, "now"},
		"both":                 {map[string]string{tag: "now", confirm: "vo_1"}, teardown.TagPresent, teardown.TagPresent, "now"},
		"of another origin":    {map[string]string{tag: "3d", confirm: "vo_2"}, teardown.TagPresent, teardown.TagUnconfirmed, "3d"},
		"the second has a yes": {map[string]string{tag: "3d", confirm: "yes"}, teardown.TagPresent, teardown.TagUnconfirmed, "3d"},
	} {
		for required, want := range map[bool]teardown.TagState{false: c.plain, true: c.confirm} {
			if state, value := teardown.ReadTag(c.tags, "vo_1", required); state != want || value != c.value {
				t.Errorf("%s, required %v: %s %q", name, required, state, value)
			}
		}
	}
}
