package cloudwatch

import (
	"fmt"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// ResourceTypes returns the CloudFormation types that this package deploys.
func (s *Service) ResourceTypes() []cloud.ResourceType {
	return []cloud.ResourceType{
		{Name: "AWS::CloudWatch::Alarm", Create: createAlarm, Update: updateAlarm, Delete: deleteAlarm},
		{Name: "AWS::CloudWatch::Dashboard", Create: createDashboard, Update: updateDashboard, Delete: deleteDashboard},
	}
}

func call[O any](r *cloud.ResourceRequest, operation string, in any) (*O, error) {
	out, err := r.World.Invoke(cloud.Root(r.Account), r.Region, "monitoring", operation, in)
	if err != nil {
		return nil, fmt.Errorf("stack %s, resource %s: %w", r.Stack, r.LogicalID, err)
	}
	return out.(*O), nil
}

// alarmProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
type alarmProperties struct {
	AlarmName, AlarmDescription string
	ActionsEnabled              *cloud.Bool
	AlarmActions, OKActions     []string
	InsufficientDataActions     []string

	Namespace, MetricName string
	Dimensions            []Dimension
	Statistic, Unit       string
	Period                cloud.Int

	EvaluationPeriods, DatapointsToAlarm cloud.Int
	Threshold                            *float64
	ComparisonOperator, TreatMissingData string
	Tags                                 []cloud.Tag
}

func putAlarm(r *cloud.ResourceRequest, old string) (*cloud.Resource, error) {
	var p alarmProperties
	if err := r.DecodeProperties("AWS::CloudWatch::Alarm", &p); err != nil {
		return nil, err
	}
	switch {
	case old != "" && p.AlarmName != "" && p.AlarmName != old:
		return nil, fmt.Errorf("update alarm %s: the sandbox does not replace alarms", old)
	case old != "":
		p.AlarmName = old
	case p.AlarmName == "":
		p.AlarmName = r.Name(255)
	}
	in := &PutMetricAlarmInput{
		AlarmName: p.AlarmName, AlarmDescription: p.AlarmDescription, ActionsEnabled: (*bool)(p.ActionsEnabled),
		AlarmActions: p.AlarmActions, OKActions: p.OKActions, InsufficientDataActions: p.InsufficientDataActions,
		Namespace: p.Namespace, MetricName: p.MetricName, Dimensions: p.Dimensions, Statistic: p.Statistic, Unit: p.Unit,
		Period: int(p.Period), EvaluationPeriods: int(p.EvaluationPeriods), DatapointsToAlarm: int(p.DatapointsToAlarm),
		Threshold: p.Threshold, ComparisonOperator: p.ComparisonOperator, TreatMissingData: p.TreatMissingData, Tags: p.Tags,
	}
	if _, err := call[Empty](r, "PutMetricAlarm", in); err != nil {
		return nil, err
	}
	arn := "arn:aws:cloudwatch:" + r.Region + ":" + r.Account + ":alarm:" + p.AlarmName
	return &cloud.Resource{Ref: p.AlarmName, Attributes: map[string]string{"Arn": arn}}, nil
}

func createAlarm(r *cloud.ResourceRequest) (*cloud.Resource, error) { return putAlarm(r, "") }

func updateAlarm(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	return putAlarm(r, old.Ref)
}

func deleteAlarm(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := call[Empty](r, "DeleteAlarms", &DeleteAlarmsInput{AlarmNames: []string{old.Ref}})
	return err
}

// dashboardProperties has the properties of the resource type in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
type dashboardProperties struct {
	DashboardName, DashboardBody string
	Tags                         []cloud.Tag
}

func putDashboard(r *cloud.ResourceRequest, old string) (*cloud.Resource, error) {
	var p dashboardProperties
	if err := r.DecodeProperties("AWS::CloudWatch::Dashboard", &p); err != nil {
		return nil, err
	}
	switch {
	case old != "" && p.DashboardName != "" && p.DashboardName != old:
		return nil, fmt.Errorf("update dashboard %s: the sandbox does not replace dashboards", old)
	case old != "":
		p.DashboardName = old
	case p.DashboardName == "":
		p.DashboardName = r.Name(255)
	}
	in := &PutDashboardInput{DashboardName: p.DashboardName, DashboardBody: p.DashboardBody, Tags: p.Tags}
	if _, err := call[PutDashboardOutput](r, "PutDashboard", in); err != nil {
		return nil, err
	}
	return &cloud.Resource{Ref: p.DashboardName}, nil
}

func createDashboard(r *cloud.ResourceRequest) (*cloud.Resource, error) { return putDashboard(r, "") }

func updateDashboard(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
	return putDashboard(r, old.Ref)
}

func deleteDashboard(r *cloud.ResourceRequest, old *cloud.Resource) error {
	_, err := call[Empty](r, "DeleteDashboards", &DeleteDashboardsInput{DashboardNames: []string{old.Ref}})
	return err
}
