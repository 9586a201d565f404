package route53

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// RecordSet is a simple or alias record set. Weights, failover and other policies are unknown members.
type RecordSet struct {
	Name            string
	Type            string
	TTL             *int
	ResourceRecords []ResourceRecord `xml:"ResourceRecords>ResourceRecord,omitempty"`
	AliasTarget     *AliasTarget
}

// ResourceRecord is one value of a record set.
type ResourceRecord struct{ Value string }

// AliasTarget is an AWS resource, or another record of the zone.
type AliasTarget struct {
	HostedZoneID         string `xml:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth bool
}

func (r *RecordSet) values() []string {
	list := []string{}
	for _, v := range r.ResourceRecords {
		list = append(list, v.Value)
	}
	return list
}

func (r *RecordSet) same(other *RecordSet) bool {
	if r.AliasTarget != nil || other.AliasTarget != nil {
		return r.AliasTarget != nil && other.AliasTarget != nil && *r.AliasTarget == *other.AliasTarget
	}
	a, b := r.values(), other.values()
	slices.Sort(a)
	slices.Sort(b)
	return *r.TTL == *other.TTL && slices.Equal(a, b)
}

// cloudFrontZone is the hosted zone of all distributions' domain names.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
const cloudFrontZone = "Z2FDTNDATAQYW2"

// These are the limits of one batch.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
const (
	mostRecords    = 1000
	mostCharacters = 32000
)

// ChangeResourceRecordSetsInput is the input of ChangeResourceRecordSets.
type ChangeResourceRecordSetsInput struct {
	HostedZoneID string      `loc:"uri" name:"HostedZoneId" json:"hostedZoneId"`
	ChangeBatch  ChangeBatch `json:"changeBatch"`
}

// ChangeBatch has changes of which all or none are made.
type ChangeBatch struct {
	Comment string   `json:"comment,omitempty"`
	Changes []Change `xml:"Changes>Change" json:"changes"`
}

// Change is one change of a batch.
type Change struct {
	Action            string    `json:"action"`
	ResourceRecordSet RecordSet `json:"resourceRecordSet"`
}

// ChangeResourceRecordSetsOutput has the status of the change.
type ChangeResourceRecordSetsOutput struct{ ChangeInfo ChangeInfo }

// changeResourceRecordSets implements ChangeResourceRecordSets.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
func (s *Service) changeResourceRecordSets(
	c *cloud.Call, in *ChangeResourceRecordSetsInput,
) (*ChangeResourceRecordSetsOutput, error) {
	z, err := s.open(c, in.HostedZoneID, conditions(in.ChangeBatch.Changes))
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.ChangeBatch.Changes); err != nil {
		return nil, err
	}
	draft := slices.Clone(z.records)
	var wrong []string
	for _, ch := range in.ChangeBatch.Changes {
		r := ch.ResourceRecordSet
		r.Name = normal(r.Name)
		if r.AliasTarget != nil {
			target := *r.AliasTarget
			target.DNSName = normal(target.DNSName)
			r.AliasTarget = &target
		}
		var fault string
		if draft, fault = z.apply(draft, ch.Action, r); fault != "" {
			wrong = append(wrong, fault)
		}
	}
	if len(wrong) > 0 {
		return nil, cloud.Errorf(400, "InvalidChangeBatch", "[%s]", strings.Join(wrong, ", "))
	}
	slices.SortStableFunc(draft, func(a, b RecordSet) int {
		return cmp.Or(strings.Compare(reversed(a.Name), reversed(b.Name)), strings.Compare(a.Type, b.Type))
	})
	z.records = draft
	return &ChangeResourceRecordSetsOutput{s.submit(c, in.ChangeBatch.Comment)}, nil
}

// conditions returns the condition keys of a batch.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
func conditions(changes []Change) map[string][]string {
	var names, types, actions []string
	for _, ch := range changes {
		names = append(names, strings.TrimSuffix(normal(ch.ResourceRecordSet.Name), "."))
		types = append(types, ch.ResourceRecordSet.Type)
		actions = append(actions, ch.Action)
	}
	unique := func(list []string) []string {
		slices.Sort(list)
		return slices.Compact(list)
	}
	return map[string][]string{
		"route53:ChangeResourceRecordSetsNormalizedRecordNames": unique(names),
		"route53:ChangeResourceRecordSetsRecordTypes":           unique(types),
		"route53:ChangeResourceRecordSetsActions":               unique(actions),
	}
}

// checkBatch returns an error for a batch that is invalid in every zone.
func checkBatch(changes []Change) error {
	if len(changes) == 0 {
		return cloud.Errorf(400, "InvalidInput", "A change batch needs at least one change")
	}
	records, characters := 0, 0
	for _, ch := range changes {
		r := ch.ResourceRecordSet
		weight := 1
		switch ch.Action {
		case "CREATE", "DELETE":
		case "UPSERT":
			weight = 2
		default:
			return cloud.Errorf(400, "InvalidInput", "Invalid value for 'action': %q; it must be CREATE, DELETE or UPSERT",
				ch.Action)
		}
		if !slices.Contains(recordTypes(), r.Type) {
			return cloud.Errorf(400, "InvalidInput", "Invalid value for 'type': %q", r.Type)
		}
		plain := r.TTL != nil && len(r.ResourceRecords) > 0
		if r.AliasTarget != nil && (r.TTL != nil || len(r.ResourceRecords) > 0) || r.AliasTarget == nil && !plain {
			return cloud.Errorf(400, "InvalidInput",
				"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId] in Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=null]",
				ch.Action, normal(r.Name), r.Type)
		}
		records += weight * max(1, len(r.ResourceRecords))
		for _, v := range r.ResourceRecords {
			characters += weight * len(v.Value)
		}
	}
	if records > mostRecords {
		return cloud.Errorf(400, "InvalidChangeBatch", "[Number of records limit of %d exceeded.]", mostRecords)
	}
	if characters > mostCharacters {
		return cloud.Errorf(400, "InvalidChangeBatch", "[Number of characters limit of %d exceeded.]", mostCharacters)
	}
	return nil
}

func recordTypes() []string {
	return []string{
		"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV",
		"SSHFP", "SVCB", "TLSA", "TXT",
	}
}

// apply makes one change in the draft, or returns what is wrong with the change.
func (z *zone) apply(draft []RecordSet, action string, r RecordSet) ([]RecordSet, string) {
	if r.Name != z.name && !strings.HasSuffix(r.Name, "."+z.name) {
		return draft, fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", r.Name, z.name)
	}
	at := slices.IndexFunc(draft, func(old RecordSet) bool { return old.Name == r.Name && old.Type == r.Type })
	what := fmt.Sprintf("resource record set [name='%s', type='%s']", r.Name, r.Type)
	if action == "DELETE" {
		switch {
		case at < 0:
			return draft, fmt.Sprintf("Tried to delete %s but it was not found", what)
		case !draft[at].same(&r):
			return draft, fmt.Sprintf("Tried to delete %s but the values provided do not match the current values", what)
		case r.Name == z.name && (r.Type == "NS" || r.Type == "SOA"):
			return draft, fmt.Sprintf("A HostedZone must contain exactly one SOA record and at least one NS record: %s", what)
		}
		return slices.Delete(slices.Clone(draft), at, at+1), ""
	}
	if action == "CREATE" && at >= 0 {
		return draft, fmt.Sprintf("Tried to create %s but it already exists", what)
	}
	if fault := z.check(draft, &r); fault != "" {
		return draft, fault
	}
	draft = slices.Clone(draft)
	if at >= 0 {
		draft[at] = r
		return draft, ""
	}
	return append(draft, r), ""
}

// check returns what is wrong with a new record set.
func (z *zone) check(draft []RecordSet, r *RecordSet) string {
	if r.Type == "CNAME" && r.Name == z.name {
		return fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", r.Name, z.name)
	}
	for _, other := range draft {
		if other.Name == r.Name && other.Type != r.Type && (other.Type == "CNAME" || r.Type == "CNAME") {
			return fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s",
				r.Type, r.Name, z.name)
		}
	}
	for _, v := range r.ResourceRecords {
		address, err := netip.ParseAddr(v.Value)
		switch {
		case r.Type == "A" && (err != nil || !address.Is4()):
			return fmt.Sprintf("Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '%s'", v.Value)
		case r.Type == "AAAA" && (err != nil || !address.Is6()):
			return fmt.Sprintf("Invalid Resource Record: FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '%s'", v.Value)
		}
	}
	if t := r.AliasTarget; t != nil {
		switch {
		case t.HostedZoneID == z.id && !strings.HasSuffix(t.DNSName, "."+z.name) && t.DNSName != z.name,
			t.HostedZoneID == cloudFrontZone && !strings.HasSuffix(t.DNSName, ".cloudfront.net."):
			return fmt.Sprintf("Tried to create an alias that targets %s, type %s in zone %s, but the alias target name does not lie within the target zone",
				t.DNSName, r.Type, t.HostedZoneID)
		case t.HostedZoneID == cloudFrontZone && t.EvaluateTargetHealth:
			return "EvaluateTargetHealth cannot be true for an alias to a CloudFront distribution"
		case t.HostedZoneID == cloudFrontZone && r.Type != "A" && r.Type != "AAAA" && r.Type != "HTTPS":
			return fmt.Sprintf("An alias to a CloudFront distribution cannot be of type %s", r.Type)
		}
	}
	return ""
}

// ListResourceRecordSetsInput is the input of ListResourceRecordSets.
type ListResourceRecordSetsInput struct {
	HostedZoneID    string `loc:"uri" name:"HostedZoneId" json:"hostedZoneId"`
	StartRecordName string `loc:"query" name:"name" json:"startRecordName,omitempty"`
	StartRecordType string `loc:"query" name:"type" json:"startRecordType,omitempty"`
	MaxItems        string `loc:"query" name:"maxitems" json:"maxItems,omitempty"`
}

// ListResourceRecordSetsOutput is a page of record sets.
type ListResourceRecordSetsOutput struct {
	ResourceRecordSets []RecordSet `xml:"ResourceRecordSets>ResourceRecordSet"`
	IsTruncated        bool
	NextRecordName     string `xml:",omitempty"`
	NextRecordType     string `xml:",omitempty"`
	MaxItems           int
}

// listResourceRecordSets implements ListResourceRecordSets. Names are sorted with their labels reversed.
// listResourceRecordSets implements ListResourceRecordSets.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
func (s *Service) listResourceRecordSets(
	c *cloud.Call, in *ListResourceRecordSetsInput,
) (*ListResourceRecordSetsOutput, error) {
	z, err := s.open(c, in.HostedZoneID, nil)
	if err != nil {
		return nil, err
	}
	size, err := maxItems(in.MaxItems, 300)
	if err != nil {
		return nil, err
	}
	if in.StartRecordType != "" && in.StartRecordName == "" {
		return nil, cloud.Errorf(400, "InvalidInput", "The input is not valid: type needs a name")
	}
	records := z.records
	if in.StartRecordName != "" {
		start := reversed(normal(in.StartRecordName))
		i := slices.IndexFunc(records, func(r RecordSet) bool {
			order := strings.Compare(reversed(r.Name), start)
			return order > 0 || order == 0 && r.Type >= in.StartRecordType
		})
		if i < 0 {
			i = len(records)
		}
		records = records[i:]
	}
	out := &ListResourceRecordSetsOutput{MaxItems: size}
	if len(records) > size {
		out.IsTruncated, out.NextRecordName, out.NextRecordType = true, records[size].Name, records[size].Type
		records = records[:size]
	}
	out.ResourceRecordSets = slices.Clone(records)
	return out, nil
}
