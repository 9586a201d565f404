package kms

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/iam"
)

const (
	hub    = "100000000000"
	region = "us-east-1"

	account = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::100000000000:root"},"Action":"kms:*","Resource":"*"}`
)

type lab struct {
	testing.TB
	w   *cloud.World
	s   *Service
	iam *iam.Service
}

func newLab(t testing.TB) *lab {
	w := cloud.New(cloud.Options{Seed: 1})
	l := &lab{t, w, New(w), iam.New(w)}
	w.Authorizer, w.Keys = l.iam, l.s
	w.Register(l.s.API())
	return l
}

func (l *lab) request(id, properties string) *cloud.ResourceRequest {
	return &cloud.ResourceRequest{World: l.w, Account: hub, Region: region, Stack: "s", LogicalID: id, Properties: json.RawMessage(properties)}
}

func (l *lab) deploy(types []cloud.ResourceType, name, properties string) (*cloud.Resource, error) {
	for _, rt := range types {
		if rt.Name == name {
			return rt.Create(l.request("R", properties))
		}
	}
	return nil, fmt.Errorf("no type %s", name)
}

func policy(statements string) string {
	return `{"EnableKeyRotation":true,"KeyPolicy":{"Version":"2012-10-17","Statement":[` + statements + `]}}`
}

func (l *lab) key(statements string) *cloud.Resource {
	l.Helper()
	made, err := l.deploy(l.s.ResourceTypes(), "AWS::KMS::Key", policy(statements))
	if err != nil {
		l.Fatal(err)
	}
	return made
}

// role is a session of a role with one statement.
func (l *lab) role(statement string) cloud.Principal {
	l.Helper()
	made, err := l.deploy(l.iam.ResourceTypes(), "AWS::IAM::Role", `{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]},
		"Policies":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17","Statement":[`+statement+`]}}]}`)
	if err != nil {
		l.Fatal(err)
	}
	return cloud.AssumedRole(hub, made.Attributes["Arn"], made.Ref, "session")
}

// use answers the error code of a use.
func (l *lab) use(key string, who cloud.Principal, via, action string, context map[string]string) string {
	var err error
	l.w.Do(func() {
		_, err = l.s.Use(cloud.KeyUse{
			Key: key, Account: hub, Region: region, Principal: who, Via: via, Context: context, Actions: []string{action},
		})
	})
	return code(err)
}

func code(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

const (
	fine   = "<nil>"
	denied = "AccessDeniedException"
)

func TestAKeyAsksItsOwnPolicyFirst(t *testing.T) {
	l := newLab(t)
	permitted := l.role(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}`)
	bare := l.role(`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`)
	handedOn := l.key(account)
	named := l.key(`{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::100000000000:root","` + bare.RoleARN + `"]},
		"Action":["kms:PutKeyPolicy"],"Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":"` + bare.RoleARN + `"},"Action":"kms:Decrypt","Resource":"*"}`)
	for name, c := range map[string]struct {
		key  *cloud.Resource
		who  cloud.Principal
		want string
	}{
		"handed on to the account, and the role may":      {handedOn, permitted, fine},
		"handed on to the account, and the role may not":  {handedOn, bare, denied},
		"handed on to the account, and it is the account": {handedOn, cloud.Root(hub), fine},
		"another account":           {handedOn, cloud.Root("222222222222"), denied},
		"named by the key's policy": {named, bare, fine},
		"not handed on to the account, whatever the role's say": {named, permitted, denied},
	} {
		t.Run(name, func(t *testing.T) {
			if got := l.use(c.key.Ref, c.who, "sqs", "kms:Decrypt", nil); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAssumption_KMS_01_EventBridgeShowsNoSourceToAQueueOrATopic(t *testing.T) {
	l := newLab(t)
	key := l.key(account + `,{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","cloudwatch.amazonaws.com"]},"Action":"kms:Decrypt",
		"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"100000000000"}}}`)
	for _, c := range []struct{ service, source, via, want string }{
		{"events.amazonaws.com", "arn:aws:events:us-east-1:100000000000:rule/r", "sns", denied},
		{"events.amazonaws.com", "arn:aws:events:us-east-1:100000000000:rule/r", "sqs", denied},
		{"events.amazonaws.com", "arn:aws:events:us-east-1:100000000000:event-bus/b", "events", fine},
		{"cloudwatch.amazonaws.com", "arn:aws:cloudwatch:us-east-1:100000000000:alarm:a", "sns", fine},
		{"cloudwatch.amazonaws.com", "arn:aws:cloudwatch:us-east-1:222222222222:alarm:a", "sns", denied},
	} {
		who := cloud.Principal{Service: c.service, ARN: c.service, SourceARN: c.source}
		if got := l.use(key.Ref, who, c.via, "kms:Decrypt", nil); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestAssumption_KMS_02_AnotherPolicyCountsAtOnce(t *testing.T) {
	l := newLab(t)
	key := l.key(account)
	logs := cloud.ServicePrincipal("logs.us-east-1.amazonaws.com")
	context := map[string]string{"aws:logs:arn": "arn:aws:logs:us-east-1:100000000000:log-group:hub-a"}
	if got := l.use(key.Ref, logs, "logs", "kms:Decrypt", context); got != denied {
		t.Errorf("before: %s", got)
	}
	in := &PutKeyPolicyInput{KeyId: key.Ref, Policy: `{"Version":"2012-10-17","Statement":[` + account + `,{"Effect":"Allow",
		"Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*",
		"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:us-east-1:100000000000:log-group:hub-*"}}}]}`}
	if _, err := l.w.Invoke(cloud.Root(hub), region, "kms", "PutKeyPolicy", in); err != nil {
		t.Fatal(err)
	}
	if got := l.use(key.Ref, logs, "logs", "kms:Decrypt", context); got != fine {
		t.Errorf("after: %s", got)
	}
	context["aws:logs:arn"] = "arn:aws:logs:us-east-1:100000000000:log-group:other"
	if got := l.use(key.Ref, logs, "logs", "kms:Decrypt", context); got != denied {
		t.Errorf("for another log group: %s", got)
	}
}

func TestAssumption_KMS_03_ViaServiceIsTheServiceInItsRegion(t *testing.T) {
	l := newLab(t)
	key := l.key(account + `,{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*",
		"Condition":{"Null":{"kms:ViaService":"true"}}}`)
	who := l.role(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{
		"kms:ViaService":"sqs.us-east-1.amazonaws.com","kms:CallerAccount":"100000000000"}}}`)
	for via, want := range map[string]string{"sqs": fine, "dynamodb": denied} {
		if got := l.use(key.Ref, who, via, "kms:Decrypt", nil); got != want {
			t.Errorf("via %s: %s", via, got)
		}
	}
	if got := l.use(key.Ref, cloud.ServicePrincipal("events.amazonaws.com"), "sqs", "kms:Decrypt", nil); got != fine {
		t.Errorf("a service for itself: %s", got)
	}
}

func TestAssumption_KMS_04_AKeyThatIsDisabledOrDeletedRefusesEverybody(t *testing.T) {
	l := newLab(t)
	key := l.key(account)
	for op, want := range map[string]string{"DisableKey": "DisabledException", "EnableKey": fine} {
		if _, err := l.w.Invoke(cloud.Root(hub), region, "kms", op, &KeyInput{key.Ref}); err != nil {
			t.Fatal(err)
		}
		if got := l.use(key.Attributes["Arn"], cloud.Root(hub), "sqs", "kms:Decrypt", nil); got != want {
			t.Errorf("after %s: %s", op, got)
		}
	}
	if err := l.s.ResourceTypes()[0].Delete(l.request("R", ""), key); err != nil {
		t.Fatal(err)
	}
	if got := l.use(key.Ref, cloud.Root(hub), "sqs", "kms:Decrypt", nil); got != "KMSInvalidStateException" {
		t.Errorf("after its deletion: %s", got)
	}
	if got := l.use("1234", cloud.Root(hub), "sqs", "kms:Decrypt", nil); got != "NotFoundException" {
		t.Errorf("one that never was: %s", got)
	}
	out, err := l.w.Invoke(cloud.Root(hub), region, "kms", "DescribeKey", &KeyInput{key.Ref})
	if err != nil || out.(*DescribeKeyOutput).KeyMetadata.KeyState != "PendingDeletion" {
		t.Errorf("described as %+v, %v", out, err)
	}
}

func TestAPolicyThatLocksItsOwnerOutIsRefused(t *testing.T) {
	l := newLab(t)
	types := l.s.ResourceTypes()
	for name, properties := range map[string]string{
		"nobody may change it": policy(`{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}`),
		"no policy":            `{}`,
		"an unknown property":  `{"Colour":"red"}`,
		"asymmetric":           `{"KeySpec":"RSA_2048","KeyPolicy":{}}`,
	} {
		if _, err := l.deploy(types, "AWS::KMS::Key", properties); err == nil {
			t.Errorf("%s: deployed", name)
		}
	}
	if keys := l.s.Snapshot(hub)["keys"].([]any); len(keys) != 0 {
		t.Errorf("left behind: %v", keys)
	}
}

// TestListKeys: an operation on no key is a matter of identity policies alone.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
func TestListKeys(t *testing.T) {
	l := newLab(t)
	l.key(account)
	list := func(who cloud.Principal) (*ListKeysOutput, error) {
		out, err := l.w.Invoke(who, region, "kms", "ListKeys", &ListKeysInput{})
		if err != nil {
			return nil, err
		}
		return out.(*ListKeysOutput), nil
	}
	may := l.role(`{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}`)
	for _, who := range []cloud.Principal{cloud.Root(hub), may} {
		if out, err := list(who); err != nil || len(out.Keys) != 1 {
			t.Errorf("%s: %v %+v", who.ARN, err, out)
		}
	}
	if _, err := list(l.role(`{"Effect":"Allow","Action":"kms:DescribeKey","Resource":"*"}`)); err == nil || cloud.AsError(err).Code != "AccessDeniedException" {
		t.Errorf("a role without the permission: %v", err)
	}
}
