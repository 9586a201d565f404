// Package servicequotas emulates Service Quotas. An account's quotas have the values that AWS documents until Set changes them.
package servicequotas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// quota is one quota of https://docs.aws.amazon.com/general/latest/gr/cf_region.html
type quota struct {
	service, code, name string
	documented          int
}

// quotas returns the quotas that a service of the sandbox enforces, in the order in which they are listed.
func quotas() []quota {
	return []quota{
		{"cloudfront", "L-A53701DE", "VPC origins per AWS account", 25},
		{"cloudfront", "L-AAD4943E", "Alternate domain names (CNAMEs) per distribution", 100},
		{"cloudfront", "L-B4048FB4", "Origins per distribution", 100},
		{"cloudfront", "L-F432D044", "Cache behaviors per distribution", 75},
	}
}

// Service holds the quotas of all accounts. The world lock guards its state.
type Service struct {
	applied map[string]int // by account and code; all others have the documented value
}

// New returns the service.
func New() *Service { return &Service{applied: map[string]int{}} }

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "servicequotas", Protocol: cloud.JSON11, EventSource: "servicequotas.amazonaws.com", TargetPrefix: "ServiceQuotasV20190624",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "ListServiceQuotas", ReadOnly: true}, s.listServiceQuotas),
		},
	}
}

// ResourceTypes returns nothing, because no template sets a quota.
func (s *Service) ResourceTypes() []cloud.ResourceType { return nil }

// Snapshot returns the quotas of an account that do not have the documented value. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	applied := map[string]any{}
	for _, q := range quotas() {
		if value, ok := s.applied[account+" "+q.code]; ok {
			applied[q.code] = value
		}
	}
	return map[string]any{"applied": applied}
}

// Value returns an account's value of a quota. Call with the world locked.
func (s *Service) Value(account, code string) int {
	if value, ok := s.applied[account+" "+code]; ok {
		return value
	}
	for _, q := range quotas() {
		if q.code == code {
			return q.documented
		}
	}
	panic("no service of the sandbox has the quota " + code)
}

// Set sets an account's value of a quota, at once. Call with the world locked.
func (s *Service) Set(account, code string, value int) error {
	if !slices.ContainsFunc(quotas(), func(q quota) bool { return q.code == code }) {
		return fmt.Errorf("the sandbox enforces no quota %s: add it to pkg/sandbox/internal/servicequotas", code)
	}
	s.applied[account+" "+code] = value
	return nil
}

// ListServiceQuotasInput is the input of ListServiceQuotas.
type ListServiceQuotasInput struct {
	ServiceCode string
	NextToken   string
	MaxResults  *int
}

// ListServiceQuotasOutput is one page of quotas.
type ListServiceQuotasOutput struct {
	Quotas    []ServiceQuota
	NextToken string `json:",omitempty"`
}

// ServiceQuota is one quota of the caller's account.
type ServiceQuota struct {
	ServiceCode, ServiceName, QuotaArn, QuotaCode, QuotaName, Unit, QuotaAppliedAtLevel string

	Value                   float64
	Adjustable, GlobalQuota bool
}

const largestPage = 100

// listServiceQuotas implements ListServiceQuotas. The quotas of a global service are in us-east-1 only (assumption QUOTA-01).
// listServiceQuotas implements ListServiceQuotas.
// https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
func (s *Service) listServiceQuotas(c *cloud.Call, in *ListServiceQuotasInput) (*ListServiceQuotasOutput, error) {
	if err := c.Authorize("servicequotas:ListServiceQuotas", "*", nil); err != nil {
		return nil, err
	}
	size := largestPage
	if in.MaxResults != nil {
		if size = *in.MaxResults; size < 1 || size > largestPage {
			return nil, cloud.Errorf(400, "IllegalArgumentException", "MaxResults must be from 1 to %d, not %d", largestPage, size)
		}
	}
	var all []quota
	for _, q := range quotas() {
		if q.service == in.ServiceCode && c.Region == "us-east-1" {
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		return nil, cloud.Errorf(400, "NoSuchResourceException", "The request failed because the specified service does not exist.")
	}
	from := 0
	if in.NextToken != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(in.NextToken, in.ServiceCode+":"))
		if err != nil || n < 1 || n > len(all) {
			return nil, cloud.Errorf(400, "InvalidPaginationTokenException", "Invalid input was provided: NextToken")
		}
		from = n
	}
	out := &ListServiceQuotasOutput{Quotas: []ServiceQuota{}}
	to := min(from+size, len(all))
	for _, q := range all[from:to] {
		out.Quotas = append(out.Quotas, ServiceQuota{
			ServiceCode: q.service, ServiceName: "Amazon CloudFront", QuotaCode: q.code, QuotaName: q.name, Unit: "None",
			QuotaArn: "arn:aws:servicequotas::" + c.Account() + ":" + q.service + "/" + q.code, QuotaAppliedAtLevel: "ACCOUNT",
			Value: float64(s.Value(c.Account(), q.code)), Adjustable: true, GlobalQuota: true,
		})
	}
	if to < len(all) {
		out.NextToken = in.ServiceCode + ":" + strconv.Itoa(to)
	}
	return out, nil
}
