package infra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
)

// statement is a policy statement in a template. Its place is for messages.
type statement struct {
	place                string
	effect               string
	actions, resources   []string
	principal, condition map[string]any
}

// statements returns the statements of all policy documents and bus policies.
func (t template) statements() []statement {
	var all []statement
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		visit(t.Resources[id].Properties, func(v map[string]any) {
			if _, ok := v["Effect"]; !ok {
				return
			}
			s := statement{place: id, actions: list(v["Action"]), resources: list(v["Resource"])}
			s.effect, _ = v["Effect"].(string)
			s.principal, _ = v["Principal"].(map[string]any)
			s.condition, _ = v["Condition"].(map[string]any)
			all = append(all, s)
		})
	}
	return all
}

func (t template) allowing(action string) []statement {
	return slices.DeleteFunc(t.statements(), func(s statement) bool {
		return s.effect != "Allow" || !slices.Contains(s.actions, action)
	})
}

// visit calls f for every object in v, v included.
func visit(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			visit(v[key], f)
		}
	case []any:
		for _, e := range v {
			visit(e, f)
		}
	}
}

// list returns the strings of a value that is one string or a list. Intrinsics are written by text.
func list(v any) []string {
	var all []string
	switch v := v.(type) {
	case nil:
	case []any:
		for _, e := range v {
			all = append(all, text(e))
		}
	default:
		all = append(all, text(v))
	}
	return all
}

// text writes an intrinsic in the form of Fn::Sub: "${Queue.Arn}".
func text(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprint(v)
	}
	if ref, ok := m["Ref"]; ok {
		return fmt.Sprintf("${%v}", ref)
	}
	if get, ok := m["Fn::GetAtt"].([]any); ok {
		return fmt.Sprintf("${%v.%v}", get[0], get[1])
	}
	if join, ok := m["Fn::Join"].([]any); ok {
		return strings.Join(list(join[1]), "")
	}
	return fmt.Sprint(v)
}

func stacks(t *testing.T) map[string]template {
	t.Helper()
	s := templates(t)
	return map[string]template{"hub": s.hub, "spoke": s.spoke, "team": s.team}
}

func TestAuditWritesOnlyWhatItRemembers(t *testing.T) {
	writes := 0
	for _, s := range templates(t).hub.allowing("dynamodb:PutItem") {
		if !strings.HasPrefix(s.place, "Audit") {
			continue
		}
		writes++
		keys, _ := s.condition["ForAllValues:StringEquals"].(map[string]any)
		null, _ := s.condition["Null"].(map[string]any)
		if !slices.Equal(list(keys["dynamodb:LeadingKeys"]), []string{contract.RegistryAudit}) || null["dynamodb:LeadingKeys"] != "false" {
			t.Errorf("%s may write under %v", s.place, s.condition)
		}
	}
	if writes != 1 {
		t.Errorf("audit has %d statements that let it write", writes)
	}
}

// Each function writes its own partitions of the registry: see the table in grants.go. Only people suspend and pause, and undo that.
func TestEachFunctionWritesItsOwnPartitions(t *testing.T) {
	partitions := []string{contract.RegistryHolds, contract.RegistryAudit, contract.RegistryDistribution + "main", contract.RegistryFleet, contract.RegistryUpdates, contract.RegistryRefusals, "main", "E1EXAMPLE"}
	want := map[string][]string{
		"Admit": {contract.RegistryFleet, contract.RegistryRefusals, "main", "E1EXAMPLE"}, "Retire": {contract.RegistryRefusals, "main", "E1EXAMPLE"}, "Teardown": {"main", "E1EXAMPLE"},
		"Wire": {contract.RegistryDistribution + "main", contract.RegistryUpdates, "main", "E1EXAMPLE"}, "Audit": {contract.RegistryAudit},
	}
	writes := map[string]map[string]bool{}
	for _, action := range []string{"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"} {
		for _, s := range templates(t).hub.allowing(action) {
			only, _ := s.condition["ForAllValues:StringEquals"].(map[string]any)
			others, _ := s.condition["ForAllValues:StringNotLike"].(map[string]any)
			null, _ := s.condition["Null"].(map[string]any)
			if slices.Equal(s.resources, []string{"${PastOrigins47196A32.Arn}"}) && strings.HasPrefix(s.place, "Admit") {
				continue // it has only what function admit puts there
			}
			if null["dynamodb:LeadingKeys"] != "false" || len(only)+len(others) != 1 {
				t.Errorf("%s allows %s under %v", s.place, action, s.condition)
			}
			role := ""
			for name := range want {
				if strings.HasPrefix(s.place, name) {
					role = name
				}
			}
			if writes[role] == nil {
				writes[role] = map[string]bool{}
			}
			for _, p := range partitions {
				excluded := slices.ContainsFunc(list(others["dynamodb:LeadingKeys"]), func(pattern string) bool {
					prefix, any := strings.CutSuffix(pattern, "*")
					return p == pattern || any && strings.HasPrefix(p, prefix)
				})
				if len(only) > 0 && slices.Contains(list(only["dynamodb:LeadingKeys"]), p) || len(others) > 0 && !excluded {
					writes[role][p] = true
				}
			}
		}
	}
	for role, may := range writes {
		for _, p := range partitions {
			if may[p] != slices.Contains(want[role], p) {
				t.Errorf("%s may write partition %s: %t", role, p, may[p])
			}
		}
	}
	if len(writes) != len(want) {
		t.Errorf("the test finds the writes of %d roles", len(writes))
	}
}

func TestNoActionIsAWildcard(t *testing.T) {
	for stack, template := range stacks(t) {
		for _, s := range template.statements() {
			for _, action := range s.actions {
				if s.effect == "Allow" && strings.Contains(action, "*") && !s.administration(template) {
					t.Errorf("%s: %s allows %s", stack, s.place, action)
				}
			}
		}
	}
}

// TestWildcardResources lists each action that may be granted on resource "*", with the reason.
func TestWildcardResources(t *testing.T) {
	const (
		aList   = "it is a list, which names no resource"
		noARN   = "what it creates has no ARN yet"
		unknown = "the service authorization reference lists no resource for it"
	)
	permitted := map[string]string{
		"cloudfront:CreateDistribution":               noARN,
		"cloudfront:CreateFunction":                   noARN,
		"cloudfront:ListDistributions":                aList,
		"cloudfront:ListDistributionsByOwnedResource": unknown,
		"cloudfront:ListVpcOrigins":                   aList,
		"ec2:DescribeInstances":                       aList,
		"ec2:DescribeNetworkInterfaces":               aList,
		"ec2:DescribeVpcEndpoints":                    aList,
		"elasticloadbalancing:DescribeLoadBalancers":  aList,
		"elasticloadbalancing:DescribeTargetHealth":   aList,
		"ram:GetResourceShareAssociations":            aList,
		"ram:GetResourceShareInvitations":             aList,
		"ram:GetResourceShares":                       aList,
		"ram:ListPrincipals":                          aList,
		"ram:ListResources":                           aList,
		"servicequotas:ListServiceQuotas":             aList,
		"states:SendTaskSuccess":                      unknown,
	}
	for stack, template := range stacks(t) {
		for _, s := range template.statements() {
			if s.effect != "Allow" || !slices.Contains(s.resources, "*") || template.Resources[s.place].Type == "AWS::KMS::Key" {
				continue // in a key's own policy, "*" is the key
			}
			for _, action := range s.actions {
				if permitted[action] == "" {
					t.Errorf("%s: %s allows %s on every resource", stack, s.place, action)
				}
			}
		}
	}
}

func TestSpokeDeletesOnlyWhatItsTeamTagged(t *testing.T) {
	allowed := templates(t).spoke.allowing("cloudfront:DeleteVpcOrigin")
	if len(allowed) != 1 {
		t.Fatalf("%d statements allow it, want 1", len(allowed))
	}
	tag, _ := allowed[0].condition["Null"].(map[string]any)
	if tag["aws:ResourceTag/"+contract.TagTeardown] != "false" {
		t.Errorf("condition %v does not ask for the tag %s", allowed[0].condition, contract.TagTeardown)
	}
	if want := []string{"arn:aws:cloudfront::${AWS::AccountId}:vpcorigin/*"}; !slices.Equal(allowed[0].resources, want) {
		t.Errorf("resources %v, want %v", allowed[0].resources, want)
	}
}

func TestSpokeUnsharesOnlyVPCOrigins(t *testing.T) {
	for _, s := range templates(t).spoke.allowing("ram:DisassociateResourceShare") {
		of, _ := s.condition["ArnLike"].(map[string]any)
		if got, want := text(of["ram:ResourceArn"]), "arn:aws:cloudfront::${AWS::AccountId}:vpcorigin/*"; got != want {
			t.Errorf("condition on ram:ResourceArn is %q, want %q", got, want)
		}
	}
}

func TestSpokeDeletesOnlySharesThatTheirTeamsNamed(t *testing.T) {
	allowed := templates(t).spoke.allowing("ram:DeleteResourceShare")
	if len(allowed) != 1 {
		t.Fatalf("%d statements allow it, want 1", len(allowed))
	}
	if name, _ := allowed[0].condition["StringLike"].(map[string]any); name["ram:ResourceShareName"] != contract.SharePrefix+"*" {
		t.Errorf("condition %v does not ask for the name of the share", allowed[0].condition)
	}
}

func TestSpokeTrustsTheHubsFunctionsOnly(t *testing.T) {
	s, sessions := templates(t), map[string]string{}
	for _, trust := range s.spoke.allowing("sts:AssumeRole") {
		if trust.principal["AWS"] == nil {
			continue // EventBridge
		}
		if got, want := text(trust.principal["AWS"]), "arn:aws:iam::${HubAccountId}:root"; got != want {
			t.Errorf("principal %s, want %s", got, want)
		}
		equals, _ := trust.condition["StringEquals"].(map[string]any)
		ids := "${ExternalId}"
		if text(equals["sts:RoleSessionName"]) == contract.Session {
			ids = "${ExternalId} " + contract.CurrentExternalID("${ExternalId}")
		}
		if got := strings.Join(list(equals["sts:ExternalId"]), " "); got != ids {
			t.Errorf("external ids %s, want %s", got, ids)
		}
		like, _ := trust.condition["ArnLike"].(map[string]any)
		sessions[text(equals["sts:RoleSessionName"])] = text(like["aws:PrincipalArn"])
	}
	if want := map[string]string{
		contract.Session:         "arn:aws:iam::${HubAccountId}:role/originhub/${HubName}/*",
		contract.SessionTeardown: "arn:aws:iam::${HubAccountId}:role/originhub/${HubName}/teardown/*",
	}; !maps.Equal(sessions, want) {
		t.Errorf("roles by session %v, want %v", sessions, want)
	}
	for id, r := range s.hub.Resources {
		if want := map[bool]string{true: "/originhub/networking/teardown/", false: "/originhub/networking/"}[strings.HasPrefix(id, "TeardownStepRole")]; r.Type == "AWS::IAM::Role" && r.Properties["Path"] != want {
			t.Errorf("hub role %s has path %v, want %s", id, r.Properties["Path"], want)
		}
	}
}

// Only a session of function teardown removes something in a team's account.
func TestSpokeLetsOnlyTeardownRemove(t *testing.T) {
	for _, action := range []string{"cloudfront:DeleteVpcOrigin", "ram:DisassociateResourceShare", "ram:DeleteResourceShare"} {
		allowed := templates(t).spoke.allowing(action)
		for _, s := range allowed {
			like, _ := s.condition["StringLike"].(map[string]any)
			if like["aws:userid"] != "*:"+contract.SessionTeardown {
				t.Errorf("%s is allowed under %v", action, s.condition)
			}
		}
		if len(allowed) != 1 {
			t.Errorf("%d statements allow %s", len(allowed), action)
		}
	}
}

// The hub may assume roles of one name only, and only with its own external id.
func TestHubAssumesSpokeRolesOnly(t *testing.T) {
	functions := map[string]bool{}
	for _, s := range templates(t).hub.allowing("sts:AssumeRole") {
		if s.principal != nil {
			continue // a trust policy
		}
		functions[s.place] = true
		if want := []string{"arn:aws:iam::*:role/originhub-networking-spoke"}; !slices.Equal(s.resources, want) {
			t.Errorf("%s may assume %v, want %v", s.place, s.resources, want)
		}
		equals, _ := s.condition["StringEquals"].(map[string]any)
		if got := list(equals["sts:ExternalId"]); !slices.Equal(got, []string{"rehearsal-7f3a", contract.CurrentExternalID("rehearsal-7f3a")}) {
			t.Errorf("%s may assume a role with external id %v", s.place, equals["sts:ExternalId"])
		}
	}
	if len(functions) != 4 {
		t.Errorf("%d functions may assume roles: %v", len(functions), functions)
	}
}

func TestHubChangesAddressRecordsUnderItsDomainOnly(t *testing.T) {
	for _, s := range templates(t).hub.allowing("route53:ChangeResourceRecordSets") {
		types, _ := s.condition["ForAllValues:StringEquals"].(map[string]any)
		if got := list(types["route53:ChangeResourceRecordSetsRecordTypes"]); !slices.Equal(got, []string{"A", "AAAA"}) {
			t.Errorf("record types %v", got)
		}
		names, _ := s.condition["ForAllValues:StringLike"].(map[string]any)
		got := list(names["route53:ChangeResourceRecordSetsNormalizedRecordNames"])
		if !slices.Equal(got, []string{"example.com", "*.example.com"}) {
			t.Errorf("record names %v", got)
		}
		if got := list(types["route53:ChangeResourceRecordSetsActions"]); !slices.Equal(got, []string{"UPSERT", "DELETE"}) {
			t.Errorf("actions %v", got)
		}
		null, _ := s.condition["Null"].(map[string]any)
		for key := range types {
			if null[key] != "false" {
				t.Errorf("%s may be absent", key)
			}
		}
		for key := range names {
			if null[key] != "false" {
				t.Errorf("%s may be absent", key)
			}
		}
	}
}

// The hub bus takes events of AWS services only, whether the policy admits an organization or accounts.
func TestBusTakesForwardedCallsOnly(t *testing.T) {
	var policies int
	for id, r := range templates(t).hub.Resources {
		if r.Type != "AWS::Events::EventBusPolicy" {
			continue
		}
		policies++
		s, _ := r.Properties["Statement"].(map[string]any)
		condition, _ := s["Condition"].(map[string]any)
		all, _ := condition["ForAllValues:StringEquals"].(map[string]any)
		for _, source := range list(all["events:source"]) {
			if !strings.HasPrefix(source, "aws.") {
				t.Errorf("%s lets source %q in, which anybody may put", id, source)
			}
		}
		if !slices.Equal(list(all["events:source"]), parts.ForwardedSources()) || !slices.Equal(list(all["events:detail-type"]), []string{parts.CallViaCloudTrail}) {
			t.Errorf("%s lets %v in, and spokes forward %v", id, all, parts.ForwardedSources())
		}
		null, _ := condition["Null"].(map[string]any)
		for _, key := range []string{"events:source", "events:detail-type"} {
			if len(list(all[key])) == 0 || null[key] != "false" {
				t.Errorf("%s lets an event without %s in", id, key)
			}
		}
		if r.Properties["StatementId"] == "Organization" {
			equals, _ := condition["StringEquals"].(map[string]any)
			if equals["aws:PrincipalOrgID"] != "o-exampleorg1" {
				t.Errorf("%s is not bound to the organization: %v", id, condition)
			}
		}
	}
	if policies != 2 {
		t.Errorf("%d bus policies, want one for the organization and one for accounts outside it", policies)
	}
}

func TestNamesAreLeftToCloudFormation(t *testing.T) {
	named := map[string]string{
		"hub AWS::Events::EventBus Name":     "spokes forward to the hub's bus by its name",
		"spoke AWS::IAM::Role RoleName":      "the hub assumes the spoke's role by its name",
		"team AWS::ApiGateway::RestApi Name": "a name is required, and need not be unique",
		"team AWS::RAM::ResourceShare Name":  "a name is required, and need not be unique",
	}
	for stack, template := range stacks(t) {
		for id, r := range template.Resources {
			for _, property := range []string{
				"Name", "FunctionName", "LogGroupName", "QueueName", "RoleName", "StateMachineName", "TableName", "TopicName",
			} {
				_, own := r.Properties[property].(string)
				_, token := r.Properties[property].(map[string]any)
				refers := r.Type == "AWS::Lambda::Permission" || r.Type == "AWS::Lambda::EventSourceMapping" || r.Type == "AWS::Lambda::EventInvokeConfig"
				if (own || token) && !refers && named[stack+" "+r.Type+" "+property] == "" {
					t.Errorf("%s: %s has a name, which blocks a second deployment", stack, id)
				}
			}
		}
	}
}
