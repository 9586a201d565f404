package infra

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/contract"
)

const root = "arn:aws:iam::${AWS::AccountId}:root"

// administration reports whether a statement gives the key's account full access. Without that statement nobody could change the key's
// policy.
func (s statement) administration(t template) bool {
	return t.Resources[s.place].Type == "AWS::KMS::Key" && slices.Equal(s.actions, []string{"kms:*"}) &&
		len(s.principal) == 1 && text(s.principal["AWS"]) == root && s.condition == nil
}

// All data at rest is encrypted with the hub's key, except what is listed here with its reason.
func TestDataRestsUnderTheHubsKey(t *testing.T) {
	hub := templates(t).hub
	elsewhere := map[string]string{
		"UndeliveredEvents0A4241A7": "it holds events that EventBridge cannot deliver because it may not use the key, so SQS's own key encrypts it",
		"TeardownMachine82F14E6B": "with a customer managed key, events of failed executions have neither error nor cause, and a key that is disabled " +
			"for an hour ends all running teardowns: https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html",
	}
	where := map[string][]string{
		"AWS::DynamoDB::Table":             {"SSESpecification", "KMSMasterKeyId"},
		"AWS::Events::Archive":             {"KmsKeyIdentifier"},
		"AWS::Events::EventBus":            {"KmsKeyIdentifier"},
		"AWS::Logs::LogGroup":              {"KmsKeyId"},
		"AWS::SNS::Topic":                  {"KmsMasterKeyId"},
		"AWS::SQS::Queue":                  {"KmsMasterKeyId"},
		"AWS::StepFunctions::StateMachine": {"EncryptionConfiguration", "KmsKeyId"},
	}
	found := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(hub.Resources)) {
		r := hub.Resources[id]
		path := where[r.Type]
		if path == nil {
			continue
		}
		found[r.Type] = true
		var at any = r.Properties
		for _, name := range path {
			properties, _ := at.(map[string]any)
			at = properties[name]
		}
		locked := at != nil && hub.resource(text(at)).Type == "AWS::KMS::Key"
		switch {
		case elsewhere[id] != "" && locked:
			t.Errorf("%s is encrypted with the key: remove the reason %q", id, elsewhere[id])
		case elsewhere[id] == "" && !locked:
			t.Errorf("%s (%s) is not encrypted with the hub's key", id, r.Type)
		}
		if r.Type == "AWS::SQS::Queue" && !locked && r.Properties["SqsManagedSseEnabled"] != true {
			t.Errorf("%s is not encrypted at all", id)
		}
	}
	for kind := range where {
		if !found[kind] {
			t.Errorf("the hub no longer has a %s", kind)
		}
	}
}

func TestTheKeyRotatesAndHasNoNameToQuarrelAbout(t *testing.T) {
	keys := 0
	for id, r := range templates(t).hub.Resources {
		if r.Type == "AWS::KMS::Alias" {
			t.Errorf("%s: an alias can name one key only, so a second hub could not be deployed", id)
		}
		if r.Type != "AWS::KMS::Key" {
			continue
		}
		keys++
		if r.Properties["EnableKeyRotation"] != true || !strings.Contains(text(r.Properties["Description"]), "hub networking") {
			t.Errorf("%s: %v", id, r.Properties)
		}
	}
	if keys != 1 {
		t.Errorf("%d keys, want 1", keys)
	}
}

// The key's policy permits the account, and the services that write on the hub's behalf; the latter for the hub only, where AWS supports
// such a condition.
func TestTheKeysPolicyLetsInWhoMust(t *testing.T) {
	const here = "us-east-1:${AWS::AccountId}:"
	hub := templates(t).hub
	want := map[string]map[string]string{ // by principal: operator and key, value
		root: {},
		"events.amazonaws.com": {
			"StringEquals kms:EncryptionContext:aws:events:event-bus:arn": "arn:aws:events:" + here + "event-bus/" + contract.BusName("networking"),
		},
		"cloudwatch.amazonaws.com": {
			"StringEquals aws:SourceAccount": "${AWS::AccountId}",
			"ArnLike aws:SourceArn":          "arn:aws:cloudwatch:" + here + "alarm:${AWS::StackName}-*",
		},
		"logs.us-east-1.amazonaws.com": {
			"ArnLike kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:" + here + "log-group:${AWS::StackName}-*",
		},
	}
	seen := map[string]bool{}
	for _, s := range hub.statements() {
		if hub.Resources[s.place].Type != "AWS::KMS::Key" {
			continue
		}
		who := text(s.principal["Service"])
		if s.principal["Service"] == nil {
			who = text(s.principal["AWS"])
		}
		seen[who] = true
		conditions, known := want[who]
		if s.effect != "Allow" || !known || len(s.principal) != 1 {
			t.Errorf("the key's policy has a statement for %v", s.principal)
		}
		// AWS does not support conditions on the source here: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
		// The targets' own policies limit who may send; TestEveryRuleReachesItsTargets checks them.
		if who == "events.amazonaws.com" && slices.Contains(s.actions, "kms:Decrypt") {
			conditions = map[string]string{}
		}
		got := map[string]string{}
		for operator, keys := range s.condition {
			for key, value := range keys.(map[string]any) {
				got[operator+" "+key] = text(value)
			}
		}
		if !maps.Equal(got, conditions) {
			t.Errorf("%s may use the key if %v, want %v", who, got, conditions)
		}
	}
	for who := range want {
		if !seen[who] {
			t.Errorf("the key's policy has no statement for %s", who)
		}
	}
}

// A function can use the key only through AWS services. It can neither decrypt data directly nor change the key.
func TestRolesUseTheKeyThroughServicesOnly(t *testing.T) {
	hub := templates(t).hub
	uses := []string{
		"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
		"kms:DescribeKey",
	}
	roles := map[string]bool{}
	for _, s := range hub.statements() {
		if hub.Resources[s.place].Type != "AWS::IAM::Role" || !strings.HasPrefix(strings.Join(s.actions, " "), "kms:") {
			continue
		}
		roles[s.place] = true
		equals, _ := s.condition["StringEquals"].(map[string]any)
		if strings.HasPrefix(s.place, "AlarmsPublisher") { // what SNS asks of a publisher
			if !slices.Equal(s.actions, []string{"kms:GenerateDataKey", "kms:Decrypt"}) || equals["kms:ViaService"] != "sns.us-east-1.amazonaws.com" {
				t.Errorf("%s: %+v", s.place, s)
			}
			continue
		}
		if !slices.Equal(s.actions, uses) || !slices.Equal(s.resources, []string{"${Key961B73FD.Arn}"}) ||
			!slices.Equal(list(equals["kms:ViaService"]), []string{"dynamodb.us-east-1.amazonaws.com", "logs.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com"}) {
			t.Errorf("%s: %+v", s.place, s)
		}
	}
	for id, r := range hub.Resources {
		if r.Type == "AWS::Lambda::Function" && !roles[refOf(text(r.Properties["Role"]))] {
			t.Errorf("%s may not use the key", id)
		}
	}
}

// An event that the bus cannot decrypt goes to dead letters instead of being lost.
func TestTheBusKeepsWhatItCannotRead(t *testing.T) {
	hub := templates(t).hub
	for id, r := range hub.Resources {
		if r.Type != "AWS::Events::EventBus" {
			continue
		}
		dead, _ := r.Properties["DeadLetterConfig"].(map[string]any)
		if dead["Arn"] == nil || !hub.admits(text(dead["Arn"]), id) {
			t.Errorf("%s has no dead letters that permit it: %v", id, dead)
		}
	}
}
