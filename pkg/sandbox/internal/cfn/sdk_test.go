package cfn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire/wiretest"
)

// reader is the real client of the account's stacks.
func (s *shop) reader(t *testing.T) *client.Client {
	s.world.Register(s.cfn.API())
	return client.NewFromConfig(wiretest.Config(t, s.world, "cloudformation", account, region))
}

const described = `{
	"Description": "The hub & more",
	"Parameters": {
		"Hub": {"Type": "String", "Default": "networking"}, "Hosts": {"Type": "CommaDelimitedList"}, "Key": {"Type": "String", "NoEcho": true},
		"Bootstrap": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"}},
	"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Value": "x"}}},
	"Outputs": {
		"Arn": {"Value": {"Fn::GetAtt": ["A", "Arn"]}, "Description": "of A", "Export": {"Name": "a"}}, "Hub": {"Value": {"Ref": "Hub"}}}}`

func (s *shop) describe(t *testing.T, c *client.Client, name string) types.Stack {
	t.Helper()
	out, err := c.DescribeStacks(context.Background(), &client.DescribeStacksInput{StackName: aws.String(name)})
	if err != nil || len(out.Stacks) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	return out.Stacks[0]
}

func TestTheRealClientReadsAStack(t *testing.T) {
	s := newShop()
	c := s.reader(t)
	deploy := func(text string) {
		t.Helper()
		if _, err := s.cfn.Deploy(account, region, "hub", []byte(text), map[string]string{"Hosts": "a,b", "Key": "geheim"}); err != nil {
			t.Fatal(err)
		}
	}
	deploy(described)
	created := s.world.Clock.Now()
	st := s.describe(t, c, "hub")
	var parameters, outputs []string
	for _, p := range st.Parameters {
		parameters = append(parameters, aws.ToString(p.ParameterKey)+"="+aws.ToString(p.ParameterValue)+aws.ToString(p.ResolvedValue))
	}
	for _, o := range st.Outputs {
		outputs = append(outputs, aws.ToString(o.OutputKey)+"="+aws.ToString(o.OutputValue)+" "+aws.ToString(o.Description)+" "+aws.ToString(o.ExportName))
	}
	if got := strings.Join(parameters, " "); got != "Bootstrap=/cdk-bootstrap/hnb659fds/version30 Hosts=a,b Hub=networking Key=****" {
		t.Error(got)
	}
	if got := strings.Join(outputs, ", "); got != "Arn=arn:aws:test:us-east-1:100000000000:A of A a, Hub=networking  " {
		t.Error(got)
	}
	if aws.ToString(st.Description) != "The hub & more" || st.StackStatus != types.StackStatusCreateComplete || !st.CreationTime.Equal(created) ||
		st.LastUpdatedTime != nil || st.DeletionTime != nil || !strings.HasPrefix(aws.ToString(st.StackId), "arn:aws:cloudformation:us-east-1:100000000000:stack/hub/") {
		t.Errorf("%+v", st)
	}

	s.world.Clock.Advance(time.Hour)
	deploy(strings.Replace(described, `"Value": "x"`, `"Value": "y"`, 1))
	if st := s.describe(t, c, "hub"); st.StackStatus != types.StackStatusUpdateComplete || !st.CreationTime.Equal(created) ||
		st.LastUpdatedTime == nil || !st.LastUpdatedTime.Equal(created.Add(time.Hour)) {
		t.Errorf("updated: %+v", st)
	}
}

func TestWhichStacksAreSeen(t *testing.T) {
	s := newShop()
	c := s.reader(t)
	ctx := context.Background()
	listed := func(status ...types.StackStatus) (names string) {
		t.Helper()
		out, err := c.ListStacks(ctx, &client.ListStacksInput{StackStatusFilter: status})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range out.StackSummaries {
			names += fmt.Sprintf("%s %s ", aws.ToString(one.StackName), one.StackStatus)
		}
		return names
	}
	for _, one := range []stackKey{{account, region, "old"}, {account, region, "hub"}, {account, "eu-west-1", "far"}, {"222222222222", region, "spoke"}} {
		if _, err := s.cfn.Deploy(one.account, one.region, one.name, []byte(things("A", "1")), nil); err != nil {
			t.Fatal(err)
		}
		s.world.Clock.Advance(time.Minute)
	}
	id := aws.ToString(s.describe(t, c, "old").StackId)
	if _, err := s.cfn.Delete(account, region, "old"); err != nil {
		t.Fatal(err)
	}
	if got := listed(); got != "hub CREATE_COMPLETE old DELETE_COMPLETE " {
		t.Error(got)
	}
	if got := listed(types.StackStatusCreateComplete); got != "hub CREATE_COMPLETE " {
		t.Error(got)
	}
	out, err := c.DescribeStacks(ctx, &client.DescribeStacksInput{})
	if err != nil || len(out.Stacks) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if st := s.describe(t, c, id); st.StackStatus != types.StackStatusDeleteComplete || st.DeletionTime == nil {
		t.Errorf("%+v", st)
	}
	s.world.Clock.Advance(deletedFor + time.Second)
	if got := listed(); got != "hub CREATE_COMPLETE " {
		t.Error("after 90 days:", got)
	}
	for _, name := range []string{"old", "far", "spoke", id} {
		var api interface{ ErrorCode() string }
		_, err := c.DescribeStacks(ctx, &client.DescribeStacksInput{StackName: &name})
		if !errors.As(err, &api) || api.ErrorCode() != "ValidationError" || !strings.Contains(err.Error(), "Stack with id "+name+" does not exist") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAssumption_CFN_07_AFailedCreationLeavesNoStack(t *testing.T) {
	s := newShop()
	c := s.reader(t)
	if _, err := s.deploy(things("A", "1", "B", `"broken"`)); err == nil {
		t.Fatal("deployed")
	}
	out, err := c.ListStacks(context.Background(), &client.ListStacksInput{})
	if err != nil || len(out.StackSummaries) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// only allows one resource.
type only string

func (o only) Authorize(r cloud.Request) cloud.Decision {
	return cloud.Decision{Allowed: r.Resource == string(o)}
}

func TestAssumption_CFN_08_WhatReadingAStackNeeds(t *testing.T) {
	s := newShop()
	s.must(t, things("A", "1"))
	c := s.reader(t)
	id := aws.ToString(s.describe(t, c, "hub").StackId)
	for name, resource := range map[string]string{
		"hub": id, id: id, "": "*", "other": "arn:aws:cloudformation:us-east-1:100000000000:stack/other/*",
	} {
		in := &client.DescribeStacksInput{}
		if name != "" {
			in.StackName = &name
		}
		for _, allowed := range []string{resource, resource + "x"} {
			s.world.Authorizer = only(allowed)
			_, err := c.DescribeStacks(context.Background(), in)
			if denied := err != nil && strings.Contains(err.Error(), "AccessDenied"); denied == (allowed == resource) {
				t.Errorf("%q with permission on %s: %v", name, allowed, err)
			}
		}
	}
	s.world.Authorizer = only(id)
	if _, err := c.ListStacks(context.Background(), &client.ListStacksInput{}); err == nil {
		t.Error("all stacks were listed with permission on one")
	}
}
