// Package route53 emulates Amazon Route 53: public hosted zones with simple and alias records.
package route53

import (
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// propagation is the time for which a change is PENDING. AWS documents "generally within 60 seconds".
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html
const propagation = 60 * time.Second

// Service holds all hosted zones. The world lock guards its state.
type Service struct {
	w       *cloud.World
	zones   []*zone
	changes map[string]change // by id
}

type change struct {
	account, comment string
	at               time.Time
}

// New returns the service.
func New(w *cloud.World) *Service { return &Service{w: w, changes: map[string]change{}} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	const zones, zone = "/2013-04-01/hostedzone", "/2013-04-01/hostedzone/{Id}"
	const records = "/2013-04-01/hostedzone/{HostedZoneId}/rrset"
	read := func(name, path string) cloud.Operation {
		return cloud.Operation{Name: name, Method: "GET", Path: path, ReadOnly: true}
	}
	return &cloud.Service{
		Name: "route53", Protocol: cloud.RESTXML, Global: true, EventSource: "route53.amazonaws.com",
		Namespace: "https://route53.amazonaws.com/doc/2013-04-01/",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "CreateHostedZone", Method: "POST", Path: zones, Status: 201}, s.createHostedZone),
			cloud.Op(read("GetHostedZone", zone), s.getHostedZone),
			cloud.Op(read("ListHostedZones", zones), s.listHostedZones),
			cloud.Op(read("ListHostedZonesByName", "/2013-04-01/hostedzonesbyname"), s.listHostedZonesByName),
			cloud.Op(cloud.Operation{Name: "ChangeResourceRecordSets", Method: "POST", Path: records}, s.changeResourceRecordSets),
			cloud.Op(read("ListResourceRecordSets", records), s.listResourceRecordSets),
			cloud.Op(read("GetChange", "/2013-04-01/change/{Id}"), s.getChange),
			cloud.Op(cloud.Operation{Name: "DeleteHostedZone", Method: "DELETE", Path: zone}, s.deleteHostedZone),
		},
	}
}

// ResourceTypes returns nothing, because no template needs zones or records.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot returns an account's zones with their records. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	zones := []any{}
	for _, z := range s.zones {
		if z.account != account {
			continue
		}
		records := []any{}
		for _, r := range z.records {
			record := map[string]any{"name": r.Name, "type": r.Type}
			if r.AliasTarget != nil {
				record["alias"] = r.AliasTarget.DNSName
			} else {
				record["values"], record["ttl"] = r.values(), *r.TTL
			}
			records = append(records, record)
		}
		zones = append(zones, map[string]any{"id": z.id, "name": z.name, "records": records})
	}
	return map[string]any{"hostedZones": zones}
}

// ChangeInfo has the status of a change.
type ChangeInfo struct {
	ID          string `xml:"Id"`
	Status      string
	SubmittedAt time.Time
	Comment     string `xml:",omitempty"`
}

func (s *Service) submit(c *cloud.Call, comment string) ChangeInfo {
	id := "C" + s.w.IDs.Upper(20)
	s.changes[id] = change{c.Account(), comment, c.Now()}
	s.w.Clock.After(propagation, "Route 53 change "+id+" in sync", nil)
	return s.changeInfo(id)
}

func (s *Service) changeInfo(id string) ChangeInfo {
	ch := s.changes[id]
	status := "PENDING"
	if !s.w.Clock.Now().Before(ch.at.Add(propagation)) {
		status = "INSYNC"
	}
	return ChangeInfo{ID: "/change/" + id, Status: status, SubmittedAt: ch.at, Comment: ch.comment}
}

// GetChangeInput is the input of GetChange.
type GetChangeInput struct {
	ID string `loc:"uri" name:"Id" json:"id"`
}

// GetChangeOutput has the status of a change.
type GetChangeOutput struct{ ChangeInfo ChangeInfo }

// getChange implements GetChange.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html
func (s *Service) getChange(c *cloud.Call, in *GetChangeInput) (*GetChangeOutput, error) {
	if err := c.Authorize("route53:GetChange", "arn:aws:route53:::change/"+in.ID, nil); err != nil {
		return nil, err
	}
	if ch, ok := s.changes[in.ID]; !ok || ch.account != c.Account() {
		return nil, cloud.Errorf(404, "NoSuchChange", "Could not find resource with ID: %s", in.ID)
	}
	return &GetChangeOutput{s.changeInfo(in.ID)}, nil
}

// normal returns a domain name in Route 53's form: in lower case, with a dot at the end, and with \ooo for every character except
// letters, digits, hyphen and underscore. *.example.com becomes \052.example.com.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
func normal(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		ch := name[i]
		switch {
		case 'A' <= ch && ch <= 'Z':
			b.WriteByte(ch - 'A' + 'a')
		case 'a' <= ch && ch <= 'z', '0' <= ch && ch <= '9', ch == '-', ch == '_', ch == '.':
			b.WriteByte(ch)
		case ch == '\\' && i+3 < len(name) && octal(name[i+1:i+4]):
			b.WriteString(name[i : i+4])
			i += 3
		default:
			b.WriteString(`\` + string([]byte{'0' + ch>>6, '0' + ch>>3&7, '0' + ch&7}))
		}
	}
	return strings.TrimSuffix(b.String(), ".") + "."
}

func octal(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '7' }) < 0
}

// reversed returns a name with its labels reversed, such as com.example.www, for sorting.
func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}
