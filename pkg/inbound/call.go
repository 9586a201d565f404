package inbound

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// CallHint is a hint that somebody made a call that may have undone work of the hub. EventBridge guarantees Account; the other fields
// are from CloudTrail's record.
type CallHint struct {
	Account string
	ID      string // id of the CloudTrail record
	Call    string // name of the call, without version suffix
	Target  string // distribution, function, VPC origin, load balancer, share, invitation or hosted zone in the record; "" if there is none
	By      string // principal that made the call, for people
	Role    string // ARN of the role if the principal is a session of a role; else ""
}

func (CallHint) message() {}

const (
	route53   = "aws.route53"
	balancing = "aws.elasticloadbalancing"
)

// Calls after which the audit checks the hub's own work.
const (
	UpdateDistribution        = "UpdateDistribution"
	DeleteDistribution        = "DeleteDistribution"
	DeleteVpcOrigin           = "DeleteVpcOrigin"
	DisassociateResourceShare = "DisassociateResourceShare"
	DeleteResourceShare       = "DeleteResourceShare"
	ChangeResourceRecordSets  = "ChangeResourceRecordSets"

	AssociateAlias                = "AssociateAlias"
	UpdateDomainAssociation       = "UpdateDomainAssociation"
	PublishFunction               = "PublishFunction"
	CreateDistribution            = "CreateDistribution" // also CreateDistributionWithTags
	CopyDistribution              = "CopyDistribution"
	AcceptResourceShareInvitation = "AcceptResourceShareInvitation"
	RejectResourceShareInvitation = "RejectResourceShareInvitation"
	UpdateResourceShare           = "UpdateResourceShare"
	DeleteLoadBalancer            = "DeleteLoadBalancer"
)

// guarded holds the calls by event source, each with the request parameter that identifies its target; "" if the audit compares everything
// that such a call may have changed.
var guarded = map[string][][2]string{
	cloudFront: {
		{UpdateDistribution, "id"},
		{DeleteDistribution, "id"},
		{DeleteVpcOrigin, "id"},
		{AssociateAlias, ""},
		{UpdateDomainAssociation, ""},
		{PublishFunction, "name"},
		{CreateDistribution, ""},
		{CopyDistribution, ""},
	},
	ram: {
		{DisassociateResourceShare, "resourceShareArn"},
		{DeleteResourceShare, "resourceShareArn"},
		{UpdateResourceShare, "resourceShareArn"},
		{AcceptResourceShareInvitation, "resourceShareInvitationArn"},
		{RejectResourceShareInvitation, "resourceShareInvitationArn"},
	},
	route53:   {{ChangeResourceRecordSets, "hostedZoneId"}},
	balancing: {{DeleteLoadBalancer, "loadBalancerArn"}},
}

// ParseCall parses an event for function audit. It returns an error if raw is not an event.
//
//	source                               detail type                    event name       message
//	aws.cloudfront, aws.ram,             AWS API Call via CloudTrail    of a call above  CallHint
//	aws.route53,
//	aws.elasticloadbalancing
//	any of these                         AWS API Call via CloudTrail    of a call that failed         Nothing
//	aws.events                           Scheduled Event                -                Sweep
//	other                                that of AWS events             -                Refused
//	other                                other                          other            Nothing
func ParseCall(raw []byte) (Message, error) {
	e, err := open(raw)
	if err != nil {
		return nil, err
	}
	if err := e.sender(); err != nil {
		return nil, err
	}
	switch {
	case e.impostor():
		return e.refused(), nil
	case e.failed() != "":
		return e.unchanged(), nil
	case e.Source == scheduler && e.DetailType == scheduled:
		return e.sweep(), nil
	case guarded[e.Source] != nil && e.DetailType == apiCall:
		return e.guarded()
	}
	return Nothing{fmt.Sprintf("originhub does not handle %.100q events of %.100q", e.DetailType, e.Source)}, nil
}

// guarded parses a CloudTrail record. The form of CloudFront's records about VPC origins is not documented (CF-15), so a record without
// a target is still a hint.
func (e envelope) guarded() (Message, error) {
	var record struct {
		EventID           string         `json:"eventID"`
		EventName         string         `json:"eventName"`
		UserIdentity      identity       `json:"userIdentity"`
		RequestParameters map[string]any `json:"requestParameters"`
	}
	if err := json.Unmarshal(e.Detail, &record); err != nil {
		return nil, fmt.Errorf("parse event: detail: %w", err)
	}
	calls := guarded[e.Source]
	i := slices.IndexFunc(calls, func(c [2]string) bool { return strings.HasPrefix(record.EventName, c[0]) })
	if i < 0 {
		return Nothing{fmt.Sprintf("originhub does not handle the call %.100q", record.EventName)}, nil
	}
	target, _ := record.RequestParameters[calls[i][1]].(string)
	if !like(targetForm, target) {
		target = ""
	}
	return CallHint{
		Account: e.Account, ID: record.EventID, Call: calls[i][0], Target: strings.TrimPrefix(target, "/hostedzone/"),
		By: record.UserIdentity.name(), Role: record.UserIdentity.SessionContext.SessionIssuer.ARN,
	}, nil
}

// identity is CloudTrail's userIdentity
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).
type identity struct {
	ARN            string `json:"arn"`
	AccountID      string `json:"accountId"`
	InvokedBy      string `json:"invokedBy"`
	SessionContext struct {
		SessionIssuer struct {
			ARN string `json:"arn"`
		} `json:"sessionIssuer"`
	} `json:"sessionContext"`
}

// Names become part of alarms and commands, so only characters are accepted that have no special meaning there.
var (
	principalForm = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::\d{12}:[\w+=,.@/-]+$`)
	targetForm    = regexp.MustCompile(`^[\w:/-]+$`)
	serviceForm   = regexp.MustCompile(`^[a-z0-9.-]+$`)
)

// like reports whether name has the form and at most 240 characters. As part of the regular expression, the limit would take a
// millisecond to compile at every start.
func like(form *regexp.Regexp, name string) bool { return len(name) <= 240 && form.MatchString(name) }

func (i identity) name() string {
	switch {
	case like(principalForm, i.ARN):
		return i.ARN
	case like(serviceForm, i.InvokedBy):
		return i.InvokedBy
	case accountForm.MatchString(i.AccountID):
		return "an unnamed principal of account " + i.AccountID
	}
	return "a principal that CloudTrail does not name"
}
