package cloudwatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// dashboard is one dashboard. Dashboards have no Region.
type dashboard struct {
	account, name, body string
	metrics             []string // the metrics in its body
	changed             time.Time
}

// PutDashboardInput is the input of PutDashboard.
type PutDashboardInput struct {
	DashboardName string
	DashboardBody string
	Tags          []cloud.Tag
}

// PutDashboardOutput is the output of PutDashboard.
type PutDashboardOutput struct {
	DashboardValidationMessages []DashboardValidationMessage
}

// DashboardValidationMessage says what is wrong with a body. In the sandbox, an invalid body is an error.
type DashboardValidationMessage struct{ DataPath, Message string }

var dashboardName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

func dashboardARN(account, name string) string {
	return "arn:aws:cloudwatch::" + account + ":dashboard/" + name
}

// putDashboard implements PutDashboard.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
func (s *Service) putDashboard(c *cloud.Call, in *PutDashboardInput) (*PutDashboardOutput, error) {
	if err := c.Authorize("cloudwatch:PutDashboard", dashboardARN(c.Account(), in.DashboardName), nil); err != nil {
		return nil, err
	}
	if !dashboardName.MatchString(in.DashboardName) {
		return nil, cloud.Errorf(400, "DashboardInvalidInputError", "The name %q is not valid.", in.DashboardName)
	}
	metrics, err := shown(in.DashboardBody)
	if err != nil {
		return nil, cloud.Errorf(400, "DashboardInvalidInputError", "The dashboard body is invalid: %v", err)
	}
	d := s.dashboard(c.Account(), in.DashboardName)
	if d == nil {
		d = &dashboard{account: c.Account(), name: in.DashboardName}
		s.dashboards = append(s.dashboards, d)
	}
	d.body, d.metrics, d.changed = in.DashboardBody, metrics, c.Now()
	return &PutDashboardOutput{}, nil
}

func (s *Service) dashboard(account, name string) *dashboard {
	for _, d := range s.dashboards {
		if d.account == account && d.name == name {
			return d
		}
	}
	return nil
}

// widget is a part of a dashboard.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          json.RawMessage
}

// graph is the content of a metric widget.
type graph struct {
	Title, Region, View, Stat string
	Period                    int
	Stacked, SetPeriodToTime  bool
	Metrics                   [][]any
	YAxis                     json.RawMessage
	Annotations               json.RawMessage
}

// shown reads a body strictly and returns the metrics in it, each once.
func shown(body string) ([]string, error) {
	var d struct {
		Start, PeriodOverride string
		Widgets               []widget
	}
	if err := strict([]byte(body), &d); err != nil {
		return nil, err
	}
	var all []string
	for i, w := range d.Widgets {
		at := fmt.Sprintf("widgets[%d]", i)
		if w.Width < 1 || w.Width > 24 || w.X < 0 || w.X+w.Width > 24 || w.Height < 1 || w.Y < 0 {
			return nil, fmt.Errorf("%s: %d wide at %d does not fit the 24 columns", at, w.Width, w.X)
		}
		switch w.Type {
		case "text":
			var text struct{ Markdown, Background string }
			if err := strict(w.Properties, &text); err != nil || text.Markdown == "" {
				return nil, fmt.Errorf("%s: a text needs markdown: %w", at, err)
			}
		case "alarm":
			var list struct {
				Title  string
				Alarms []string
			}
			if err := strict(w.Properties, &list); err != nil || len(list.Alarms) == 0 {
				return nil, fmt.Errorf("%s: an alarm widget needs alarms: %w", at, err)
			}
		case "metric":
			var g graph
			if err := strict(w.Properties, &g); err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			if g.Region == "" || len(g.Metrics) == 0 {
				return nil, fmt.Errorf("%s: a metric widget needs a region and metrics", at)
			}
			for j, m := range g.Metrics {
				name, err := shownBy(m)
				if err != nil {
					return nil, fmt.Errorf("%s.metrics[%d]: %w", at, j, err)
				}
				all = append(all, name)
			}
		default:
			return nil, fmt.Errorf("%s: the sandbox does not know widgets of type %q", at, w.Type)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// searchForm matches a search expression that names a namespace, its dimensions and one metric.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
var searchForm = regexp.MustCompile(`^SEARCH\('\{"?([^,"}]+)"?(?:,[^}]+)?\} MetricName="([^"]+)"[^']*', '[A-Za-z]+'(?:, \d+)?\)$`)

// shownBy reads [namespace, name, dimension, value, ..., {options}], and [{expression, ...}] with a search expression. It does not know the
// abbreviations "." and "...".
func shownBy(m []any) (string, error) {
	if len(m) > 0 {
		if options, are := m[len(m)-1].(map[string]any); are {
			m = m[:len(m)-1]
			if expression, is := options["expression"].(string); is && len(m) == 0 {
				found := searchForm.FindStringSubmatch(expression)
				if found == nil {
					return "", fmt.Errorf("the sandbox does not know the expression %s, only searches for one metric", expression)
				}
				m = []any{found[1], found[2]}
			}
		}
	}
	var words []string
	for _, v := range m {
		word, ok := v.(string)
		if !ok || strings.Trim(word, ".") == "" {
			return "", fmt.Errorf("the sandbox does not know %v in a metric", v)
		}
		words = append(words, word)
	}
	if len(words) < 2 || len(words)%2 != 0 {
		return "", fmt.Errorf("%v is not a namespace, a name, and pairs of dimension and value", words)
	}
	if problem := unknownMetric(words[0], words[1]); problem != "" {
		return "", fmt.Errorf("%s", problem)
	}
	return words[0] + "/" + words[1], nil
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// GetDashboardInput is the input of GetDashboard.
type GetDashboardInput struct{ DashboardName string }

// GetDashboardOutput is the output of GetDashboard.
type GetDashboardOutput struct{ DashboardArn, DashboardName, DashboardBody string }

// getDashboard implements GetDashboard.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetDashboard.html
func (s *Service) getDashboard(c *cloud.Call, in *GetDashboardInput) (*GetDashboardOutput, error) {
	arn := dashboardARN(c.Account(), in.DashboardName)
	if err := c.Authorize("cloudwatch:GetDashboard", arn, nil); err != nil {
		return nil, err
	}
	d := s.dashboard(c.Account(), in.DashboardName)
	if d == nil {
		return nil, noDashboard(in.DashboardName)
	}
	return &GetDashboardOutput{arn, d.name, d.body}, nil
}

func noDashboard(name string) error {
	return cloud.Errorf(404, "DashboardNotFoundError", "Dashboard %s does not exist", name)
}

// ListDashboardsInput is the input of ListDashboards.
type ListDashboardsInput struct{ DashboardNamePrefix, NextToken string }

// ListDashboardsOutput is the output of ListDashboards.
type ListDashboardsOutput struct {
	DashboardEntries []DashboardEntry
	NextToken        string `json:",omitempty"`
}

// DashboardEntry is a dashboard in the output of ListDashboards. Size is the size of its body.
type DashboardEntry struct {
	DashboardName, DashboardArn string

	LastModified time.Time
	Size         int
}

// listDashboards implements ListDashboards.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListDashboards.html
func (s *Service) listDashboards(c *cloud.Call, in *ListDashboardsInput) (*ListDashboardsOutput, error) {
	if err := c.Authorize("cloudwatch:ListDashboards", "*", nil); err != nil {
		return nil, err
	}
	out := &ListDashboardsOutput{}
	for _, d := range s.dashboards {
		if d.account == c.Account() && strings.HasPrefix(d.name, in.DashboardNamePrefix) {
			out.DashboardEntries = append(out.DashboardEntries, DashboardEntry{d.name, dashboardARN(d.account, d.name), d.changed, len(d.body)})
		}
	}
	var ok bool
	if out.DashboardEntries, out.NextToken, ok = cloud.Page(out.DashboardEntries, in.NextToken, 1000); !ok {
		return nil, invalid("The parameter NextToken is not valid.")
	}
	return out, nil
}

// DeleteDashboardsInput is the input of DeleteDashboards.
type DeleteDashboardsInput struct{ DashboardNames []string }

// deleteDashboards implements DeleteDashboards.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteDashboards.html
func (s *Service) deleteDashboards(c *cloud.Call, in *DeleteDashboardsInput) (*Empty, error) {
	if len(in.DashboardNames) == 0 {
		return nil, invalid("DashboardNames names no dashboard.")
	}
	for _, name := range in.DashboardNames {
		if err := c.Authorize("cloudwatch:DeleteDashboards", dashboardARN(c.Account(), name), nil); err != nil {
			return nil, err
		}
		if s.dashboard(c.Account(), name) == nil {
			return nil, noDashboard(name)
		}
	}
	s.dashboards = slices.DeleteFunc(s.dashboards, func(d *dashboard) bool {
		return d.account == c.Account() && slices.Contains(in.DashboardNames, d.name)
	})
	return &Empty{}, nil
}
