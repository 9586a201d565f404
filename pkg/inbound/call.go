package inbound

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// CallHint says that somebody made a call that may undo what the hub did. Account is the one that AWS vouches for; the rest
// is what CloudTrail's record says.
type CallHint struct {
	Account string
	ID      string // CloudTrail's id of the record
	Call    string // one of the calls of ParseCall, without version suffix
	Target  string // the distribution, VPC origin, share or hosted zone that the record names; "" if it names none
	By      string // the principal, for people to read
	Role    string // ARN of the role that the principal is a session of; "" if it is none
	Failed  string // error code; "" if the call succeeded
}

func (CallHint) message() {}

const route53 = "aws.route53"

// Calls after which the hub looks at what is left of its own work.
const (
	UpdateDistribution        = "UpdateDistribution"
	DeleteDistribution        = "DeleteDistribution"
	DeleteVpcOrigin           = "DeleteVpcOrigin"
	DisassociateResourceShare = "DisassociateResourceShare"
	DeleteResourceShare       = "DeleteResourceShare"
	ChangeResourceRecordSets  = "ChangeResourceRecordSets"
)

// guarded are the calls by their source, each with the parameter that names what it was done to.
var guarded = map[string][][2]string{
	cloudFront: {{UpdateDistribution, "id"}, {DeleteDistribution, "id"}, {DeleteVpcOrigin, "id"}},
	ram:        {{DisassociateResourceShare, "resourceShareArn"}, {DeleteResourceShare, "resourceShareArn"}},
	route53:    {{ChangeResourceRecordSets, "hostedZoneId"}},
}

// ParseCall reads an event of the audit's.
//
//	source                               detail type                    event name       message
//	aws.cloudfront, aws.ram, aws.route53 AWS API Call via CloudTrail    one of guarded   CallHint
//	aws.events                           Scheduled Event                -                Sweep
//	other                                that of an AWS event           -                Refused
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
	case e.Source == scheduler && e.DetailType == scheduled:
		return Sweep{}, nil
	case guarded[e.Source] != nil && e.DetailType == apiCall:
		return e.guarded()
	}
	return Nothing{fmt.Sprintf("no use for %.100q of %.100q", e.DetailType, e.Source)}, nil
}

// guarded reads the record. CloudFront's are not documented for VPC origins (facts/aws.md section 5), so that a record which
// does not name its target is still a hint.
func (e envelope) guarded() (Message, error) {
	var record struct {
		EventID           string         `json:"eventID"`
		EventName         string         `json:"eventName"`
		ErrorCode         string         `json:"errorCode"`
		UserIdentity      identity       `json:"userIdentity"`
		RequestParameters map[string]any `json:"requestParameters"`
	}
	if err := json.Unmarshal(e.Detail, &record); err != nil {
		return nil, fmt.Errorf("parse event: detail: %w", err)
	}
	calls := guarded[e.Source]
	i := slices.IndexFunc(calls, func(c [2]string) bool { return strings.HasPrefix(record.EventName, c[0]) })
	if i < 0 {
		return Nothing{fmt.Sprintf("no use for the call %.100q", record.EventName)}, nil
	}
	target, _ := record.RequestParameters[calls[i][1]].(string)
	if !like(targetForm, target) {
		target = ""
	}
	return CallHint{
		Account: e.Account, ID: record.EventID, Call: calls[i][0], Target: strings.TrimPrefix(target, "/hostedzone/"),
		By: record.UserIdentity.name(), Role: record.UserIdentity.SessionContext.SessionIssuer.ARN, Failed: record.ErrorCode,
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

// Names go into alarms, and so hold nothing that could be read as anything else.
var (
	principalForm = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::\d{12}:[\w+=,.@/-]+$`)
	targetForm    = regexp.MustCompile(`^[\w:/-]+$`)
	serviceForm   = regexp.MustCompile(`^[a-z0-9.-]+$`)
)

// like bounds a name, too: as a part of the form, the bound would be compiled for a millisecond at every start.
func like(form *regexp.Regexp, name string) bool { return len(name) <= 240 && form.MatchString(name) }

func (i identity) name() string {
	switch {
	case like(principalForm, i.ARN):
		return i.ARN
	case like(serviceForm, i.InvokedBy):
		return i.InvokedBy
	case accountForm.MatchString(i.AccountID):
		return "somebody of account " + i.AccountID
	}
	return "somebody whom CloudTrail does not name"
}
