package rehearsal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	"github.com/originhub/originhub/pkg/awsroute53"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/sandbox"
	"github.com/originhub/originhub/pkg/teardown"
)

// operation is something that somebody does in a random life.
type operation struct {
	name   string
	weight int
	// plan draws what the operation applies to, and returns a function that applies it and checks that it has taken effect. The function is
	// nil if the operation is not possible now.
	plan func(*life) (what string, do func() error, err error)
}

// The names of the operations.
const (
	create        = "create"
	share         = "share"
	unshare       = "unshare"
	tag           = "tag"
	untag         = "untag"
	changeHost    = "host"
	changePaths   = "paths"
	comment       = "comment"
	dropBehaviors = "drop behaviors"
	removeDNS     = "remove dns"
	stopExecution = "stop execution"
	moveOrigin    = "move"
	injectFault   = "fault"
	emptyRegistry = "empty registry"
	damageItem    = "damage item"
	betweenCalls  = "between two calls"

	deleteDistribution = "delete distribution"
)

// operations returns the table of operations.
func operations() []operation {
	return []operation{
		{create, 5, (*life).planCreate},
		{share, 3, (*life).planShare},
		{unshare, 2, (*life).planUnshare},
		{tag, 4, (*life).planTeardown},
		{untag, 2, (*life).planUntag},
		{changeHost, 1, (*life).planHost},
		{changePaths, 1, (*life).planPaths},
		{comment, 1, (*life).planComment},
		{dropBehaviors, 1, (*life).planDropBehaviors},
		{removeDNS, 1, (*life).planRemoveDNS},
		{stopExecution, 2, (*life).planStop},
		{moveOrigin, 1, (*life).planMove},
		{injectFault, 3, (*life).planFault},
		{damageItem, 1, (*life).planDamage},
		{betweenCalls, 3, (*life).planBetweenCalls},
		{deleteDistribution, 1, (*life).planDeleteDistribution},
		{emptyRegistry, emptyRegistryWeight(), (*life).planEmptyRegistry},
	}
}

// operationOf returns the operation of a name.
func operationOf(name string) operation {
	table := operations()
	return table[slices.IndexFunc(table, func(o operation) bool { return o.name == name })]
}

// emptyRegistryWeight returns the weight of the loss of the registry, which only happens with -forgetful.
func emptyRegistryWeight() int {
	if *forgetful {
		return 1
	}
	return 0
}

// faultKind is a fault that may happen in a random life.
type faultKind struct {
	name  string
	among int // the fault hits one of this many matching calls, or the first ones if this is zero
	rule  sandbox.Rule
}

// fromCall returns the rule that hits the nth matching call.
func (h faultKind) fromCall(nth int) sandbox.Rule {
	if h.among > 0 {
		h.rule.Nth = nth
	}
	return h.rule
}

// faultKinds returns the table of faults. Faults of calls hit the hub's functions only, because the operations do not retry.
func faultKinds() []faultKind {
	update := func(r sandbox.Rule) sandbox.Rule {
		r.Function, r.Service, r.Operation = "*WireFunction*", "cloudfront", "UpdateDistribution"
		return r
	}
	return []faultKind{
		{"crash of admit", 12, sandbox.Rule{Fault: "crash", Function: "*AdmitFunction*"}},
		{"crash of wire", 12, sandbox.Rule{Fault: "crash", Function: "*WireFunction*"}},
		{"crash of retire", 8, sandbox.Rule{Fault: "crash", Function: "*RetireFunction*"}},
		{"crash of teardown", 8, sandbox.Rule{Fault: "crash", Function: "*TeardownStep*"}},
		{"crash of audit", 6, sandbox.Rule{Fault: "crash", Function: "*AuditFunction*"}},
		{eventsLost, 0, sandbox.Rule{Fault: "event-drop", Times: 3}},
		{"events late", 0, sandbox.Rule{Fault: "event-delay", Delay: 900, Times: 3}},
		{"events reversed", 0, sandbox.Rule{Fault: "event-reverse", Times: 3}},
		{"events doubled", 0, sandbox.Rule{Fault: "event-duplicate", Delay: 300, Times: 4}},
		{"updates throttled", 0, update(sandbox.Rule{Fault: "throttle", Times: 6})},
		{"response to update lost", 0, update(sandbox.Rule{Fault: "timeout-after-success", Times: 1})},
		{editsBeforeUpdates, 0, update(sandbox.Rule{Fault: "foreign-edit", Hook: "distribution-comment", Times: 3})},
		{"teardown throttled", 0, sandbox.Rule{Fault: "throttle", Function: "*TeardownStep*", Times: 4}},
		{teardownDenied, 6, sandbox.Rule{Fault: "error", Function: "*TeardownStep*", Times: 2, Error: &sandbox.RuleError{Code: "AccessDenied", Message: "denied for a while", Status: 403}}},
		{"response to teardown lost", 4, sandbox.Rule{Fault: "timeout-after-success", Function: "*TeardownStep*"}},
		{distributionUnreadable, 4, sandbox.Rule{
			Fault: "error", Function: "?*", Service: "cloudfront", Operation: "GetDistribution", Times: 6,
			Error: &sandbox.RuleError{Code: "AccessDenied", Message: "unreadable for a while", Status: 403},
		}},
	}
}

// editsBeforeUpdates is the fault that changes the distribution's comment.
const (
	eventsLost         = "events lost"
	editsBeforeUpdates = "edits before updates"
)

// teardownDenied is the fault that lets an execution fail.
const teardownDenied = "teardown denied"

// distributionUnreadable is the fault that denies the hub's functions to read distributions.
const distributionUnreadable = "distribution unreadable"

// planFault adds a fault rule. clearFaults counts its hits.
func (l *life) planFault() (string, func() error, error) {
	h := faultKinds()[l.rnd.IntN(len(faultKinds()))]
	nth := 1 + l.rnd.IntN(max(1, h.among))
	return fmt.Sprintf("%s, from call %d", h.name, nth), func() error { return l.inject(h, nth) }, nil
}

// inject adds the rule of a fault that hits the nth matching call.
func (l *life) inject(h faultKind, nth int) error {
	if err := l.Faults().Add(h.fromCall(nth)); err != nil {
		return err
	}
	l.injected = append(l.injected, h.name)
	l.inForce[h.name]++
	return nil
}

// clearFaults counts the hits of the current fault rules, and removes them.
func (l *life) clearFaults(t *testing.T) {
	t.Helper()
	l.note("faults end")
	rules := l.Faults().Rules()
	if len(rules) != len(l.injected) {
		t.Fatalf("there are %d fault rules, want those of %v", len(rules), l.injected)
	}
	for i, r := range rules {
		l.hits[l.injected[i]] += r.Hits
	}
	l.injected = nil
	l.Faults().Reset()
}

// pick draws one of the origins for which an operation is possible, or returns "" if there is none.
func (l *life) pick(possible func(name string) (bool, error)) (string, error) {
	var names []string
	for _, n := range l.names {
		ok, err := possible(n)
		if err != nil {
			return "", err
		}
		if ok {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return names[l.rnd.IntN(len(names))], nil
}

// exists reports whether the VPC origin exists in its owner's account.
func (l *life) exists(name string) (bool, error) {
	id := l.origins[name].ID
	_, err := l.owner(name).cloudfront.GetVpcOrigin(l.ctx, &cloudfront.GetVpcOriginInput{Id: &id})
	if missing := new(cloudfronttypes.EntityNotFound); errors.As(err, &missing) {
		return false, nil
	}
	return err == nil, err
}

// tags returns the tags of a VPC origin, or nil if it does not exist.
func (l *life) tags(name string) (map[string]string, error) {
	if exists, err := l.exists(name); err != nil || !exists {
		return nil, err
	}
	arn := l.origins[name].ARN
	out, err := l.owner(name).cloudfront.ListTagsForResource(l.ctx, &cloudfront.ListTagsForResourceInput{Resource: &arn})
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, tag := range out.Tags.Items {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags, nil
}

// shared reports whether the origin is in an active share.
func (l *life) shared(name string) (bool, error) {
	out, err := l.owner(name).ram.GetResourceShareAssociations(l.ctx, &ram.GetResourceShareAssociationsInput{
		AssociationType: ramtypes.ResourceShareAssociationTypeResource, ResourceArn: aws.String(l.origins[name].ARN),
	})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(out.ResourceShareAssociations, func(a ramtypes.ResourceShareAssociation) bool {
		return a.Status == ramtypes.ResourceShareAssociationStatusAssociating || a.Status == ramtypes.ResourceShareAssociationStatusAssociated
	}), nil
}

func lifeHosts() []string { return []string{"one.example.com", "two.example.com", "three.example.com"} }

func (l *life) drawHost() string { return lifeHosts()[l.rnd.IntN(len(lifeHosts()))] }

// drawPaths draws paths that no other origin of the life claims.
func (l *life) drawPaths(team, name string) string {
	own := "/" + team + "/" + name[1:]
	return []string{own + "/", own + "/ " + own + "-x/", own + "/sub/"}[l.rnd.IntN(3)]
}

func (l *life) planCreate() (string, func() error, error) {
	n := "o" + strconv.Itoa(len(l.names))
	team, host, balancer := []string{"team-a", "team-b", "team-c"}[l.rnd.IntN(3)], l.drawHost(), "b"+strconv.Itoa(l.rnd.IntN(2))
	paths := l.drawPaths(team, n)
	return fmt.Sprint(n, " ", host, " ", paths), func() error {
		if err := l.createOrigin(n, team, "host="+host, "paths="+paths, "balancer="+balancer); err != nil {
			return err
		}
		l.names, l.teams[n] = append(l.names, n), team
		return l.hasTag(n, contract.TagPaths, paths)
	}, nil
}

// planShare shares an origin that is in no share. It shares none that is being deleted, because that share would be left in the team's
// account.
func (l *life) planShare() (string, func() error, error) {
	n, err := l.pick(func(n string) (bool, error) {
		exists, err := l.exists(n)
		if err != nil || !exists {
			return false, err
		}
		r, _, err := l.record(n)
		if err != nil || r.Teardown != nil && r.Teardown.Phase == string(teardown.Delete) {
			return false, err
		}
		shared, err := l.shared(n)
		return !shared, err
	})
	if err != nil || n == "" {
		return "", nil, err
	}
	return n, func() error {
		if err := l.share(nil, []string{n}); err != nil {
			return err
		}
		shared, err := l.shared(n)
		return errors.Join(err, want(shared, "%s is in no share", n))
	}, nil
}

func (l *life) planUnshare() (string, func() error, error) {
	n, err := l.pick(l.shared)
	if err != nil || n == "" {
		return "", nil, err
	}
	return n, func() error {
		if err := l.unshare(nil, []string{n}); err != nil {
			return err
		}
		shared, err := l.shared(n)
		return errors.Join(err, want(!shared, "%s is still in a share", n))
	}, nil
}

func (l *life) hasTag(name, key, value string) error {
	tags, err := l.tags(name)
	return errors.Join(err, want(tags[key] == value, "%s has the tags %v, want %s=%s", name, tags, key, value))
}

// planTag sets a tag of an existing origin. In three of four cases the origin is visible to the hub. RAM may list an origin as shared for a
// moment after it was deleted.
func (l *life) planTag(key string, draw func(name string) (value string)) (string, func() error, error) {
	visible := l.rnd.IntN(4) != 0
	n, err := l.pick(func(name string) (bool, error) {
		exists, err := l.exists(name)
		if err != nil || !exists || !visible {
			return exists, err
		}
		return l.shared(name)
	})
	if err != nil || n == "" {
		return "", nil, err
	}
	value := draw(n)
	return n + " " + value, func() error {
		if err := l.tag(nil, []string{n, value, key}); err != nil {
			return err
		}
		return l.hasTag(n, key, value)
	}, nil
}

func (l *life) planTeardown() (string, func() error, error) {
	return l.planTag(contract.TagTeardown, func(string) string { return []string{"now", "now", "5m", "20m"}[l.rnd.IntN(4)] })
}

func (l *life) planHost() (string, func() error, error) {
	return l.planTag(contract.TagHost, func(string) string { return l.drawHost() })
}

func (l *life) planPaths() (string, func() error, error) {
	return l.planTag(contract.TagPaths, func(n string) string { return l.drawPaths(l.teams[n], n) })
}

func (l *life) planUntag() (string, func() error, error) {
	n, err := l.pick(func(n string) (bool, error) {
		tags, err := l.tags(n)
		return tags[contract.TagTeardown] != "", err
	})
	if err != nil || n == "" {
		return "", nil, err
	}
	return n, func() error {
		if err := l.untag(nil, []string{n}); err != nil {
			return err
		}
		return l.hasTag(n, contract.TagTeardown, "")
	}, nil
}

// hubConfig returns the configuration of the hub's distribution, or nil if there is none yet, or it was deleted.
func (l *life) hubConfig() (*cloudfronttypes.DistributionConfig, error) {
	id := l.adoptable["first"]
	if id == "" {
		list, err := l.hubCloudFront.ListDistributions(l.ctx, &cloudfront.ListDistributionsInput{})
		if err != nil || len(list.DistributionList.Items) == 0 {
			return nil, err
		}
		if n := len(list.DistributionList.Items); n > 1 {
			return nil, fmt.Errorf("the hub has %d distributions, want 1", n)
		}
		id = aws.ToString(list.DistributionList.Items[0].Id)
	}
	out, err := l.hubCloudFront.GetDistributionConfig(l.ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if missing := new(cloudfronttypes.NoSuchDistribution); errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.DistributionConfig, nil
}

// editable reports whether CloudFront accepts changes of the hub's distribution. It accepts none while one of the distribution's VPC origins
// is not shared.
func (l *life) editable() (bool, error) {
	config, err := l.hubConfig()
	if err != nil || config == nil {
		return false, err
	}
	visible, err := l.visible()
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(config.Origins.Items, func(o cloudfronttypes.Origin) bool {
		return o.VpcOriginConfig != nil && !visible[aws.ToString(o.VpcOriginConfig.VpcOriginId)]
	}), nil
}

// visible returns the ids of the VPC origins that are visible to the hub.
func (l *life) visible() (map[string]bool, error) {
	ids := map[string]bool{}
	for page := (&cloudfront.ListVpcOriginsInput{}); ; {
		out, err := l.hubCloudFront.ListVpcOrigins(l.ctx, page)
		if err != nil {
			return nil, err
		}
		for _, o := range out.VpcOriginList.Items {
			ids[aws.ToString(o.Id)] = true
		}
		if page.Marker = out.VpcOriginList.NextMarker; page.Marker == nil {
			return ids, nil
		}
	}
}

func (l *life) planComment() (string, func() error, error) {
	if editable, err := l.editable(); err != nil || !editable {
		return "", nil, err
	}
	text := "comment " + strconv.Itoa(l.rnd.IntN(1000))
	return text, func() error {
		if err := l.editComment(nil, []string{text}); err != nil {
			return err
		}
		config, err := l.hubConfig()
		return errors.Join(err, want(config != nil && aws.ToString(config.Comment) == text, "the comment of the distribution is not %q", text))
	}, nil
}

// countBehaviors returns the number of behaviors of an origin.
func (l *life) countBehaviors(name string) (n int, err error) {
	config, err := l.hubConfig()
	if err != nil || config == nil || config.CacheBehaviors == nil {
		return 0, err
	}
	for _, b := range config.CacheBehaviors.Items {
		if strings.Contains(aws.ToString(b.TargetOriginId), l.origins[name].ID) {
			n++
		}
	}
	return n, nil
}

func (l *life) planDropBehaviors() (string, func() error, error) {
	if editable, err := l.editable(); err != nil || !editable {
		return "", nil, err
	}
	n, err := l.pick(func(n string) (bool, error) {
		there, err := l.countBehaviors(n)
		return there > 0, err
	})
	if err != nil || n == "" {
		return "", nil, err
	}
	return n, func() error {
		if err := l.removeBehaviors(nil, []string{n}); err != nil {
			return err
		}
		there, err := l.countBehaviors(n)
		return errors.Join(err, want(there == 0, "%s still has %d behaviors", n, there))
	}, nil
}

// countRecords returns the number of records of a host in the hub's zone.
func (l *life) countRecords(host string) (n int, err error) {
	records, err := awsroute53.New(l.Config(HubAccount, Region), l.policy.HostedZone).Records(l.ctx, nil)
	for _, r := range records {
		if r.Name == host {
			n++
		}
	}
	return n, err
}

func (l *life) planRemoveDNS() (string, func() error, error) {
	var hosts []string
	for _, h := range lifeHosts() {
		there, err := l.countRecords(h)
		if err != nil {
			return "", nil, err
		}
		if there > 0 {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		return "", nil, nil
	}
	h := hosts[l.rnd.IntN(len(hosts))]
	return h, func() error {
		if err := l.editDNS(nil, []string{h, "remove"}); err != nil {
			return err
		}
		there, err := l.countRecords(h)
		return errors.Join(err, want(there == 0, "%s still has %d records", h, there))
	}, nil
}

// registryItems returns the number of items in the registry.
func (l *life) registryItems() (int, error) {
	out, err := dynamodb.NewFromConfig(l.Config(HubAccount, Region)).Scan(l.ctx, &dynamodb.ScanInput{TableName: aws.String(l.outputs["RegistryTable"])})
	if err != nil {
		return 0, err
	}
	return len(out.Items), nil
}

func (l *life) planEmptyRegistry() (string, func() error, error) {
	n, err := l.registryItems()
	if err != nil || n == 0 {
		return "", nil, err
	}
	return "", func() error {
		if err := l.emptyRegistry(nil, nil); err != nil {
			return err
		}
		n, err := l.registryItems()
		return errors.Join(err, want(n == 0, "%d items are left", n))
	}, nil
}

// tagForTeardown tags an origin for teardown. The call may fail only if the origin is deleted already.
func (l *life) tagForTeardown(t *testing.T, name string) {
	t.Helper()
	exists, err := l.exists(name)
	if err != nil {
		t.Fatal(err)
	}
	err = l.tag(nil, []string{name, "now"})
	var refused smithy.APIError
	switch {
	case exists && err != nil:
		t.Fatalf("tag %s: %v", name, err)
	case !exists && (!errors.As(err, &refused) || refused.ErrorCode() != "NoSuchResource"):
		t.Fatalf("tag %s, which is deleted: %v", name, err)
	}
}

// planStop stops an execution that runs.
func (l *life) planStop() (string, func() error, error) {
	var running []sandbox.Execution
	for _, x := range l.Executions(HubAccount) {
		if x.Status == "RUNNING" {
			running = append(running, x)
		}
	}
	if len(running) == 0 {
		return "", nil, nil
	}
	x := running[l.rnd.IntN(len(running))]
	return l.withNames(x.Name), func() error {
		if _, err := l.executions.StopExecution(l.ctx, &sfn.StopExecutionInput{ExecutionArn: aws.String(x.ARN), Cause: aws.String("by hand")}); err != nil {
			return err
		}
		out, err := l.executions.DescribeExecution(l.ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(x.ARN)})
		if err != nil {
			return err
		}
		return want(out.Status == "ABORTED", "execution %s is %s", x.Name, out.Status)
	}, nil
}

// planMove points a VPC origin that no distribution uses at a load balancer in another Region.
func (l *life) planMove() (string, func() error, error) {
	config, err := l.hubConfig()
	if err != nil {
		return "", nil, err
	}
	if config != nil {
		id, err := l.distributionID()
		if err != nil {
			return "", nil, err
		}
		if served, err := l.hub.Distribution(l.ctx, id); err != nil || !served.Deployed {
			return "", nil, err
		}
	}
	n, err := l.pick(func(n string) (bool, error) {
		id := l.origins[n].ID
		if config != nil && slices.ContainsFunc(config.Origins.Items, func(o cloudfronttypes.Origin) bool {
			return o.VpcOriginConfig != nil && aws.ToString(o.VpcOriginConfig.VpcOriginId) == id
		}) {
			return false, nil
		}
		out, err := l.owner(n).cloudfront.GetVpcOrigin(l.ctx, &cloudfront.GetVpcOriginInput{Id: &id})
		if missing := new(cloudfronttypes.EntityNotFound); errors.As(err, &missing) {
			return false, nil
		}
		if err != nil || aws.ToString(out.VpcOrigin.Status) != "Deployed" {
			return false, err
		}
		used, err := l.owner(n).cloudfront.ListDistributionsByVpcOriginId(l.ctx, &cloudfront.ListDistributionsByVpcOriginIdInput{VpcOriginId: &id})
		return err == nil && len(used.DistributionIdList.Items) == 0, err
	})
	if err != nil || n == "" {
		return "", nil, err
	}
	return n, func() error {
		id, to := l.origins[n].ID, "arn:aws:elasticloadbalancing:eu-west-1:"+l.owner(n).Account+":loadbalancer/app/moved/50dc6c495c0c9188"
		if err := l.moveOrigin(nil, []string{n, to}); err != nil {
			return err
		}
		out, err := l.owner(n).cloudfront.GetVpcOrigin(l.ctx, &cloudfront.GetVpcOriginInput{Id: &id})
		if err != nil {
			return err
		}
		return want(aws.ToString(out.VpcOrigin.VpcOriginEndpointConfig.Arn) == to, "%s was not moved", n)
	}, nil
}
