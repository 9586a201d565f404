package audit

import (
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/inbound"
	"github.com/originhub/originhub/pkg/origin"
)

func dns(records ...origin.DNSRecord) func(*Observed) {
	return func(o *Observed) { o.DNS = records }
}

func TestHosts(t *testing.T) {
	alias := origin.DNSRecord{Name: "team-a.example.com", Type: "A", Target: "d222.cloudfront.net"}
	finds(t, Observed.hosts, []row{
		{"not live", all(dns(alias), func(o *Observed) { o.Records[0].State = origin.Wired }), nil, ""},
		{"to be detached", all(dns(alias), func(o *Observed) { o.Records[0].Intent = origin.Detach }), nil, ""},
		{"no record set", dns(), nil, ""},
		{"of another type", dns(origin.DNSRecord{Name: "team-a.example.com", Type: "TXT"}), nil, ""},
		{"of a managed distribution", nil, nil, ""},
		{"of another distribution", dns(alias), []Kind{HostElsewhere}, "to d222.cloudfront.net"},
		{"of something else", dns(origin.DNSRecord{Name: "Team-A.example.com", Type: "CNAME", Target: "other.example.net"}), []Kind{HostElsewhere}, "other.example.net"},
		{"no alias", dns(origin.DNSRecord{Name: "team-a.example.com", Type: "A"}), []Kind{HostElsewhere}, `Name==` + "`\"team-a.example.com.\"`"},
	})
}

func TestGuardRecords(t *testing.T) {
	call := inbound.CallHint{Account: hub, Call: inbound.ChangeResourceRecordSets, Target: zone}
	unnamed := inbound.CallHint{Account: hub, Call: inbound.ChangeResourceRecordSets}
	guards(t, []judged{
		{"of another account", inbound.CallHint{Account: teamA, Call: inbound.ChangeResourceRecordSets, Target: zone}, nil, Forged, "", ""},
		{"of another zone", inbound.CallHint{Account: hub, Call: inbound.ChangeResourceRecordSets, Target: "ZOTHER"}, dns(), Harmless, "", ""},
		{"one leads elsewhere", unnamed, func(o *Observed) { o.DNS[0].Target = "" }, Found, RecordChanged, "leads elsewhere"},
		{"no A", call, func(o *Observed) { o.DNS = o.DNS[1:] }, Found, RecordChanged, "no A record"},
		{"no AAAA", call, func(o *Observed) { o.DNS = o.DNS[:1] }, Found, RecordChanged, "no AAAA record"},
		{"no AAAA, and only another distribution answers IPv6", call, func(o *Observed) {
			two(o)
			o.Listed[0].IPv6, o.DNS = false, o.DNS[:1]
			o.Listed = append(o.Listed, origin.Listed{ID: "E2", IPv6: true})
		}, Harmless, "", ""},
		{"none, of one that is not live", call, all(dns(), func(o *Observed) { o.Records[0].State = origin.Wired }), Harmless, "", ""},
		{"none, of one that is to be detached", call, all(dns(), func(o *Observed) { o.Records[0].Intent = origin.Detach }), Harmless, "", ""},
		{"every one is there", call, nil, Harmless, "", ""},
	})
}

// Of a host's records only the one that leads elsewhere is to go.
func TestARecordIsDeletedByNameAndType(t *testing.T) {
	const want = "[route53][list-resource-record-sets][--region][us-east-1][--hosted-zone-id][" + zone + "][--output][json][--query]" +
		"[{Changes: [{Action: `\"DELETE\"`, ResourceRecordSet: ResourceRecordSets[?Name==`\"\\\\052.example.com.\"` && Type==`\"AAAA\"`] | [0]}]}]\n"
	if got := pasted(t, orderly().deleteRecord(origin.DNSRecord{Name: "*.example.com", Type: "AAAA"})); !strings.HasPrefix(got, want) {
		t.Errorf("it calls %s\nwant     %s", got, want)
	}
}
