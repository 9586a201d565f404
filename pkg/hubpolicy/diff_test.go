package hubpolicy_test

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/admission"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
)

func reviewed() hubpolicy.Policy {
	return hubpolicy.Policy{
		Hub: "networking", Networks: map[string]netip.Prefix{},
		Policy: admission.Policy{Teams: []admission.Team{
			{Name: "team-a", Accounts: []string{"111111111111"}, Spoke: true, Grants: []admission.Grant{{Host: "a.example.com", Paths: []string{"/a/*", "/a2/*"}}}},
			{Name: "team-b", Accounts: []string{"222222222222"}, Spoke: true, Grants: []admission.Grant{{Host: "b.example.com", Paths: []string{"/b/*"}}}},
		}},
	}
}

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *hubpolicy.Policy)
		want   []string
	}{
		"nothing": {func(*hubpolicy.Policy) {}, nil},
		"a path": {func(p *hubpolicy.Policy) { p.Teams[0].Grants[0].Paths[1] = "/a3/*" }, []string{
			"- team-a may claim /a2/* on a.example.com", "+ team-a may claim /a3/* on a.example.com",
		}},
		"a team": {func(p *hubpolicy.Policy) { p.Teams = p.Teams[:1] }, []string{
			"- team-b owns account 222222222222", "- team-b has a spoke role in its accounts", "- team-b may claim /b/* on b.example.com",
		}},
		"an account": {func(p *hubpolicy.Policy) { p.Teams[1].Accounts = append(p.Teams[1].Accounts, "333333333333") }, []string{"+ team-b owns account 333333333333"}},
		"a wildcard host": {func(p *hubpolicy.Policy) { p.Teams[1].Grants[0].Host = "*.example.com" }, []string{
			"- team-b may claim /b/* on b.example.com", "+ team-b may claim /b/* on *.example.com (every host with one label in front of example.com)",
		}},
		"every path": {func(p *hubpolicy.Policy) { p.Teams[1].Grants[0].Paths = []string{"/b/*", "/*"} }, []string{
			"+ team-b may claim /* on b.example.com (every path)",
		}},
		"paths of others": {func(p *hubpolicy.Policy) { p.Teams[1].Grants[0].Paths = []string{"/b/*", "/*.json"} }, []string{
			"+ team-b may claim /*.json on b.example.com (also below the paths of other teams)",
		}},
		"both": {func(p *hubpolicy.Policy) {
			p.Teams[1].Grants = append(p.Teams[1].Grants, admission.Grant{Host: "*.example.com", Paths: []string{"/**"}})
		}, []string{"+ team-b may claim /** on *.example.com (every host with one label in front of example.com, every path)"}},
		"a shared host": {func(p *hubpolicy.Policy) {
			p.Teams[1].Grants = append(p.Teams[1].Grants, admission.Grant{Host: "a.example.com", Paths: []string{"/b2/*"}})
		}, []string{"+ team-b may claim /b2/* on a.example.com", "+ host a.example.com is shared by team-a, team-b"}},
		"a reserved host": {func(p *hubpolicy.Policy) { p.Reserved = []string{"www.example.com"} }, []string{"+ host www.example.com is reserved: no team may claim it"}},
		"a team outside":  {func(p *hubpolicy.Policy) { p.External = []string{"team-a"} }, []string{"+ team-a is outside the organization"}},
		"a claim": {func(p *hubpolicy.Policy) {
			p.Teams[1].Spoke, p.Teams[1].Claim = false, &origin.Claim{Hosts: []string{"b.example.com"}, Paths: []string{"/b/x"}, Domain: "b.internal"}
		}, []string{"- team-b has a spoke role in its accounts", "+ team-b claims, by the policy, /b/x on b.example.com at b.internal"}},
		"a network": {func(p *hubpolicy.Policy) { p.Networks["team-a"] = netip.MustParsePrefix("10.0.0.0/20") }, []string{"+ team-a has the network 10.0.0.0/20"}},
		"a limit":   {func(p *hubpolicy.Policy) { p.Limits.PerTeam.Behaviors = 40 }, []string{"- limits.behaviorsPerTeam: 0", "+ limits.behaviorsPerTeam: 40"}},
		"a team's name": {func(p *hubpolicy.Policy) { p.Teams[1].Name = "team-c" }, []string{
			"- team-b owns account 222222222222", "- team-b has a spoke role in its accounts", "- team-b may claim /b/* on b.example.com",
			"+ team-c owns account 222222222222", "+ team-c has a spoke role in its accounts", "+ team-c may claim /b/* on b.example.com",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := reviewed()
			c.change(&changed)
			var got []string
			for _, d := range hubpolicy.Diff(reviewed(), changed) {
				got = append(got, d.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
			if back := hubpolicy.Diff(changed, reviewed()); len(back) != len(got) {
				t.Errorf("the way back differs by %v", back)
			}
		})
	}
}

// A change of any value of a policy is in the diff, also of one that a later version adds.
func TestDiffOmitsNothing(t *testing.T) {
	full := func() hubpolicy.Policy {
		p := reviewed()
		p.External, p.Networks["team-a"], p.Reserved, p.Distribution.Adopt = []string{"team-a"}, netip.MustParsePrefix("10.0.0.0/20"), []string{"www.example.com"}, []string{"E1"}
		p.Teams[1].Claim = &origin.Claim{Hosts: []string{"b.example.com"}, Paths: []string{"/b/*"}, Domain: "b.internal"}
		p.Permissions.LogBuckets, p.Permissions.EdgeFunctions = []string{"logs"}, []string{"arn:aws:lambda:us-east-1:100000000000:function:auth:1"}
		return p
	}
	omitted := []string{
		".Policy.Teams[].Outside", // follows from External and Organization
	}
	changed := full()
	all := leaves(t, reflect.ValueOf(&changed).Elem(), "")
	for _, l := range all {
		was := reflect.New(l.value.Type()).Elem()
		was.Set(l.value)
		switch l.value.Kind() {
		case reflect.Bool:
			l.value.SetBool(!was.Bool())
		case reflect.String:
			l.value.SetString(was.String() + "0")
		case reflect.Int, reflect.Int64:
			l.value.SetInt(was.Int() + int64(time.Second))
		case reflect.Map:
			l.value.Set(reflect.MakeMap(was.Type()))
		default:
			t.Errorf("the test changes no value such as %s", l.place)
		}
		if found := hubpolicy.Diff(full(), changed); len(found) == 0 != slices.Contains(omitted, l.place) {
			t.Errorf("a change of %s: %v", l.place, found)
		}
		l.value.Set(was)
	}
	if len(all) < 40 {
		t.Errorf("%d values were changed", len(all))
	}
}

// leaf is a value in a policy that is no composite of others, and its place.
type leaf struct {
	place string
	value reflect.Value
}

func leaves(t *testing.T, v reflect.Value, place string) (all []leaf) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() { // the others are derived
				all = append(all, leaves(t, v.Field(i), place+"."+v.Type().Field(i).Name)...)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			t.Errorf("%s is empty in the test", place)
		}
		for i := range v.Len() {
			all = append(all, leaves(t, v.Index(i), place+"[]")...)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			all = leaves(t, v.Elem(), place)
		}
	default:
		all = []leaf{{place, v}}
	}
	return all
}
