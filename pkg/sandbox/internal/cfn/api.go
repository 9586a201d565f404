package cfn

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// API returns the operations that the sandbox implements. They only read, because the sandbox itself deploys stacks.
func (s *Service) API() *cloud.Service {
	return &cloud.Service{
		Name: "cloudformation", Protocol: cloud.Query, EventSource: "cloudformation.amazonaws.com",
		Version: "2010-05-15", Namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
		Operations: []cloud.Operation{
			cloud.Op(cloud.Operation{Name: "DescribeStacks", ReadOnly: true}, s.describeStacks),
			cloud.Op(cloud.Operation{Name: "ListStacks", ReadOnly: true}, s.listStacks),
		},
	}
}

// DescribeStacksInput is the input of DescribeStacks. The output has one page.
type DescribeStacksInput struct {
	StackName string // or id
	NextToken string
}

// DescribeStacksOutput is the output of DescribeStacks.
type DescribeStacksOutput struct {
	Stacks []Stack `xml:"Stacks>member"`
}

// Stack is a stack in the output of DescribeStacks.
type Stack struct {
	StackID          string `xml:"StackId"`
	StackName        string
	Description      string      `xml:",omitempty"`
	Parameters       []Parameter `xml:"Parameters>member"`
	CreationTime     time.Time
	LastUpdatedTime  time.Time `xml:",omitempty"`
	DeletionTime     time.Time `xml:",omitempty"`
	StackStatus      string
	Outputs          []Output `xml:"Outputs>member"`
	DriftInformation Drift
}

// Parameter is a parameter's value. The value of an SSM parameter is its name; ResolvedValue is what it holds.
type Parameter struct {
	ParameterKey, ParameterValue string

	ResolvedValue string `xml:",omitempty"`
}

// Output is an output's value.
type Output struct {
	OutputKey, OutputValue string

	Description string `xml:",omitempty"`
	ExportName  string `xml:",omitempty"`
}

// Drift says whether resources differ from the template. The sandbox does not check it.
type Drift struct{ StackDriftStatus string }

// describeStacks implements DescribeStacks. A deleted stack is found by its id only. Assumptions CFN-07 and CFN-08.
// describeStacks implements DescribeStacks.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
func (s *Service) describeStacks(c *cloud.Call, in *DescribeStacksInput) (*DescribeStacksOutput, error) {
	all := s.of(c)
	found := slices.DeleteFunc(slices.Clone(all), func(st *stack) bool {
		alive := st.deleted.IsZero()
		if in.StackName == "" {
			return !alive
		}
		return st.id != in.StackName && (!alive || st.key.name != in.StackName)
	})
	resource := "*"
	switch {
	case in.StackName == "":
	case len(found) > 0:
		resource = found[0].id
	case strings.HasPrefix(in.StackName, "arn:"):
		resource = in.StackName
	default:
		resource = "arn:aws:cloudformation:" + c.Region + ":" + c.Account() + ":stack/" + in.StackName + "/*"
	}
	if err := c.Authorize("cloudformation:DescribeStacks", resource, nil); err != nil {
		return nil, err
	}
	if in.NextToken != "" {
		return nil, noSuchPage()
	}
	if in.StackName != "" && len(found) == 0 {
		return nil, cloud.Errorf(400, "ValidationError", "Stack with id %s does not exist", in.StackName)
	}
	out := &DescribeStacksOutput{}
	for _, st := range found {
		out.Stacks = append(out.Stacks, Stack{
			StackID: st.id, StackName: st.key.name, Description: st.description, Parameters: st.declared, CreationTime: st.created,
			LastUpdatedTime: st.lastUpdate(), DeletionTime: st.deleted, StackStatus: st.status, Outputs: st.results,
			DriftInformation: Drift{"NOT_CHECKED"},
		})
	}
	return out, nil
}

// ListStacksInput is the input of ListStacks. The output has one page.
type ListStacksInput struct {
	StackStatusFilter []string `query:"StackStatusFilter.member"`
	NextToken         string
}

// ListStacksOutput is the output of ListStacks.
type ListStacksOutput struct {
	StackSummaries []StackSummary `xml:"StackSummaries>member"`
}

// StackSummary is a stack in the output of ListStacks.
type StackSummary struct {
	StackID             string `xml:"StackId"`
	StackName           string
	TemplateDescription string `xml:",omitempty"`
	CreationTime        time.Time
	LastUpdatedTime     time.Time `xml:",omitempty"`
	DeletionTime        time.Time `xml:",omitempty"`
	StackStatus         string
	DriftInformation    Drift
}

// listStacks implements ListStacks.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html
func (s *Service) listStacks(c *cloud.Call, in *ListStacksInput) (*ListStacksOutput, error) {
	if err := c.Authorize("cloudformation:ListStacks", "*", nil); err != nil {
		return nil, err
	}
	if in.NextToken != "" {
		return nil, noSuchPage()
	}
	out := &ListStacksOutput{}
	for _, st := range s.of(c) {
		if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, st.status) {
			continue
		}
		out.StackSummaries = append(out.StackSummaries, StackSummary{
			StackID: st.id, StackName: st.key.name, TemplateDescription: st.description, CreationTime: st.created,
			LastUpdatedTime: st.lastUpdate(), DeletionTime: st.deleted, StackStatus: st.status, DriftInformation: Drift{"NOT_CHECKED"},
		})
	}
	return out, nil
}

// deletedFor is the time for which a deleted stack is listed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html
const deletedFor = 90 * 24 * time.Hour

// of returns the stacks of the call's account and Region, newest first, including deleted ones.
func (s *Service) of(c *cloud.Call) []*stack {
	var list []*stack
	for _, st := range slices.Concat(s.sorted(c.Account()), s.gone) {
		if st.key.account == c.Account() && st.key.region == c.Region && (st.deleted.IsZero() || c.Now().Sub(st.deleted) <= deletedFor) {
			list = append(list, st)
		}
	}
	slices.SortStableFunc(list, func(a, b *stack) int {
		return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.key.name, b.key.name))
	})
	return list
}

// lastUpdate returns the zero time for a stack that was never updated.
func (st *stack) lastUpdate() time.Time {
	if !st.revised {
		return time.Time{}
	}
	return st.updated
}

func noSuchPage() error {
	return cloud.Errorf(400, "ValidationError", "NextToken is not one of the sandbox's: its answers have one page")
}
