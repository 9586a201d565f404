// Package kms emulates Key Management Service: keys that templates deploy, and who may use them. It encrypts nothing.
package kms

import (
	"slices"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

// Service holds the keys of all accounts. The world lock guards its state.
type Service struct {
	w    *cloud.World
	keys []*key // in order of creation
}

// New returns the service. The caller sets the world's Keys to it.
func New(w *cloud.World) *Service { return &Service{w: w} }

type key struct {
	id, arn, account, region string
	description, policy      string
	rotates, enabled         bool
	deletion                 time.Time // when the key is deleted; zero for a key that stays
	created                  time.Time
}

func (k *key) state() string {
	switch {
	case !k.deletion.IsZero():
		return "PendingDeletion"
	case !k.enabled:
		return "Disabled"
	}
	return "Enabled"
}

// API returns the operations that the sandbox implements.
func (s *Service) API() *cloud.Service {
	read := func(name string) cloud.Operation { return cloud.Operation{Name: name, ReadOnly: true} }
	write := func(name string) cloud.Operation { return cloud.Operation{Name: name} }
	return &cloud.Service{
		Name: "kms", Protocol: cloud.JSON11, EventSource: "kms.amazonaws.com", TargetPrefix: "TrentService",
		Operations: []cloud.Operation{
			cloud.Op(read("ListKeys"), s.listKeys),
			cloud.Op(read("DescribeKey"), s.describeKey),
			cloud.Op(read("GetKeyPolicy"), s.getKeyPolicy),
			cloud.Op(write("PutKeyPolicy"), s.putKeyPolicy),
			cloud.Op(read("GetKeyRotationStatus"), s.getKeyRotationStatus),
			cloud.Op(write("DisableKey"), s.disableKey),
			cloud.Op(write("EnableKey"), s.enableKey),
		},
	}
}

// Snapshot returns an account's keys. Call with the world locked.
func (s *Service) Snapshot(account string) map[string]any {
	keys := []any{}
	for _, k := range s.keys {
		if k.account == account {
			keys = append(keys, map[string]any{
				"id": k.id, "arn": k.arn, "description": k.description, "state": k.state(), "rotates": k.rotates,
			})
		}
	}
	return map[string]any{"keys": keys}
}

// managed is the prefix of the aliases of AWS managed keys.
const managed = "alias/aws/"

// Use decides like KMS for a service that acts for a principal.
// https://docs.aws.amazon.com/kms/latest/developerguide/determining-access.html
func (s *Service) Use(u cloud.KeyUse) (statement string, err error) {
	if strings.HasPrefix(u.Key, managed) {
		// The fixed policy of an AWS managed key allows callers of the account, and no other service.
		// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
		if u.Principal.Account != u.Account {
			return "none", cloud.Errorf(400, "AccessDeniedException", "%s may not use the AWS managed key %s", u.Principal.ARN, u.Key)
		}
		return "", nil
	}
	k := s.find(u.Account, u.Region, u.Key)
	if k == nil {
		return "none", noKey(u.Key)
	}
	for _, action := range u.Actions {
		d := s.w.Authorizer.Authorize(k.request(u, action))
		if !d.Allowed {
			return d.Statement, cloud.Errorf(400, "AccessDeniedException",
				"User: %s is not authorized to perform: %s on resource: %s because %s", u.Principal.ARN, action, k.arn, d.Reason)
		}
	}
	switch k.state() {
	case "Disabled":
		return "", cloud.Errorf(400, "DisabledException", "%s is disabled.", k.arn)
	case "PendingDeletion":
		return "", cloud.Errorf(400, "KMSInvalidStateException", "%s is pending deletion.", k.arn)
	}
	return "", nil
}

func (k *key) request(u cloud.KeyUse, action string) cloud.Request {
	context := map[string][]string{}
	for name, value := range u.Context {
		context["kms:EncryptionContext:"+name] = []string{value}
		context["kms:EncryptionContextKeys"] = append(context["kms:EncryptionContextKeys"], name)
	}
	slices.Sort(context["kms:EncryptionContextKeys"])
	who := u.Principal
	if who.Service == "" {
		context["kms:CallerAccount"] = []string{who.Account}
		context["kms:ViaService"] = []string{u.Via + "." + u.Region + ".amazonaws.com"}
	}
	// Assumption KMS-01.
	if who.Service == "events.amazonaws.com" && (u.Via == "sns" || u.Via == "sqs") {
		who.SourceARN = ""
	}
	return cloud.Request{
		Principal: who, Action: action, Resource: k.arn, ResourceAccount: k.account, ResourcePolicy: k.policy, Context: context,
		Region: u.Region,
	}
}

// find returns a key by id or ARN.
func (s *Service) find(account, region, name string) *key {
	if !strings.HasPrefix(name, "arn:") {
		name = keyARN(region, account, name)
	}
	for _, k := range s.keys {
		if k.arn == name && k.region == region {
			return k
		}
	}
	return nil
}

func keyARN(region, account, id string) string {
	return "arn:aws:kms:" + region + ":" + account + ":key/" + id
}

func noKey(name string) *cloud.Error {
	return cloud.Errorf(400, "NotFoundException", "Key '%s' does not exist", name)
}

// setPolicy refuses a policy that locks out the caller.
// setPolicy implements PutKeyPolicy.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
func (s *Service) setPolicy(k *key, policy string, by cloud.Principal) error {
	if _, err := iam.Parse(iam.Resource, []byte(policy)); err != nil {
		return cloud.Errorf(400, "MalformedPolicyDocumentException", "%v", err)
	}
	next := *k
	next.policy = policy
	request := next.request(cloud.KeyUse{Principal: by, Account: k.account, Region: k.region, Via: "kms"}, "kms:PutKeyPolicy")
	if s.w.Authorizer != nil && !s.w.Authorizer.Authorize(request).Allowed {
		return cloud.Errorf(400, "MalformedPolicyDocumentException",
			"The new key policy will not allow you to update the key policy in the future.")
	}
	k.policy = policy
	return nil
}

// Refusal returns the error of SQS and SNS for an error of Use. Their codes have a prefix and another spelling.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func Refusal(prefix string, e *cloud.Error) error {
	words := map[string]string{
		"AccessDeniedException": "AccessDenied", "DisabledException": "Disabled", "KMSInvalidStateException": "InvalidState",
		"NotFoundException": "NotFound",
	}
	return cloud.Errorf(400, prefix+words[e.Code], "%s", e.Message)
}
