package infra

import (
	"maps"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/hubpolicy"
	"github.com/originhub/originhub/pkg/origin"
)

const (
	// functionTimeout is for one look: a teardown's step makes a dozen calls at most.
	functionTimeout = 60 * time.Second
	// sweepTimeout is for admit and retire, which ask for the tags of every origin: of 1,000 in 1,000 accounts in 29 seconds at
	// 100 ms a call (go test ./pkg/workflow -run Thousand -v). 50 shares at once take 375 calls in all, by all runs together
	// (go test ./pkg/rehearsal -run '^$' -bench Shares/50 -benchtime 1x).
	sweepTimeout = 5 * time.Minute
	// wireTimeout leaves room to find, by halves, the one entry that makes an update invalid.
	wireTimeout = 120 * time.Second
	// admitWindow lets hints about many shares gather before one look at all of them.
	admitWindow = 5 * time.Second
	// auditTimeout is for asking every team's account: 1,000 in 43 seconds at 100 ms a call.
	auditTimeout = 10 * time.Minute
	// auditEvery is how long a leak can go unseen. What it finds costs by the hour, or was seen when it was done.
	auditEvery = 24 * time.Hour
	// sweepEvery is how long an event that never came can delay anything. Invitations live for 12 hours.
	sweepEvery = 10 * time.Minute
	// What events and executions start has a limit of its own, so that a team that tags in a loop takes no capacity from
	// other functions of the account, nor they from these; what is over it is tried again. Queues start admit and wire two at
	// a time at most.
	auditsAtOnce    = 2
	retiresAtOnce   = 5
	teardownsAtOnce = 10
)

type hubProps struct {
	Policy  hubpolicy.Policy
	Code    functionCode
	Tracing bool
}

// newHubStack is everything in the Networking account. What it manages, the distribution and its DNS records, is not in
// it: a deployment would overwrite what function wire wrote.
func newHubStack(scope constructs.Construct, id string, p hubProps) {
	hub := p.Policy.Hub
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName: jsii.String(stackName(hub)),
		Description: jsii.String("originhub hub " + hub + ": admits shared VPC origins, wires them, and takes them out. Deleting this stack " +
			"keeps the registry, the bus with its archive, and their key; the distribution and its DNS records were never in it"),
		// With another account's credentials the CDK CLI refuses to deploy.
		Env: &awscdk.Environment{Account: jsii.String(p.Policy.Account()), Region: jsii.String(parts.Region)},
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})

	key := newKey(stack, "Key", hub)
	// No key of ours: it holds what EventBridge could not deliver because it may not use the key.
	undelivered := parts.NewDeadLetters(stack, "UndeliveredEvents", nil)
	table := newRegistry(stack, "Registry", key)
	bus := newBus(stack, "Bus", p.Policy, key, undelivered)
	archive := newArchive(stack, "Archive", bus, key)
	admitQueue := newQueue(stack, "AdmitQueue", visibilityFor(sweepTimeout, admitWindow), key)
	wireQueue := newQueue(stack, "WireQueue", visibilityFor(wireTimeout, p.Policy.Updates.Window), key)
	retireFailures := parts.NewDeadLetters(stack, "RetireDeadLetters", key)
	auditFailures := parts.NewDeadLetters(stack, "AuditDeadLetters", key)
	topic := newTopic(stack, "Alarms", key)

	can := grants{policy: p.Policy, table: table, bus: bus}
	environment := map[string]string{
		contract.EnvTable:      *table.TableName(),
		contract.EnvBus:        *bus.EventBusName(),
		contract.EnvAdmitQueue: *admitQueue.QueueUrl(),
		contract.EnvWireQueue:  *wireQueue.QueueUrl(),
	}

	admit := parts.NewFunction(stack, "Admit", parts.FunctionProps{
		Description: "Decides which shares the hub accepts and which origins are to be wired",
		Code:        p.Code.dir(admitFunction),
		Timeout:     sweepTimeout,
		Environment: environment,
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Permissions: can.admit(admitQueue, wireQueue),
	})
	consume(admit, admitQueue, admitWindow)

	wire := parts.NewFunction(stack, "Wire", parts.FunctionProps{
		Description: "The one writer of the distribution: makes it what the registry asks for",
		Code:        p.Code.dir(wireFunction),
		Timeout:     wireTimeout,
		Environment: environment,
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Permissions: can.wire(wireQueue, admitQueue),
	})
	consume(wire, wireQueue, p.Policy.Updates.Window)

	step := parts.NewFunction(stack, "TeardownStep", parts.FunctionProps{
		Description: "One look, and at most one act, of the state machine that takes an origin out",
		Code:        p.Code.dir(teardownFunction),
		Timeout:     functionTimeout,
		Environment: environment,
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Permissions: can.teardown(wireQueue),
		AtOnce:      teardownsAtOnce,
	})
	teardown := newTeardown(stack, "Teardown", step, contract.RolePath(hub), p.Tracing)

	retire := parts.NewFunction(stack, "Retire", parts.FunctionProps{
		Description: "Starts a teardown for an origin whose team tagged it, and calls it off",
		Code:        p.Code.dir(retireFunction),
		Timeout:     sweepTimeout,
		Environment: with(environment, contract.EnvStateMachine, *teardown.AttrArn()),
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Permissions: can.retire(retireFailures, teardown),
		AtOnce:      retiresAtOnce,
	})
	keepFailures(retire, retireFailures)

	audit := parts.NewFunction(stack, "Audit", parts.FunctionProps{
		Description: "Reports what was done behind the hub's back, and what is left over",
		Code:        p.Code.dir(auditFunction),
		Timeout:     auditTimeout,
		Environment: with(environment, contract.EnvAccount, parts.Account()),
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Permissions: can.audit(auditFailures, admitQueue, wireQueue),
		AtOnce:      auditsAtOnce,
	})
	keepFailures(audit, auditFailures)

	toAdmit, toRetire, toAudit := toQueue("Admit", admitQueue), parts.ToFunction("Retire", retire), parts.ToFunction("Audit", audit)
	toPeople := toTopic("Alarms", topic)
	parts.NewRules(stack, undelivered,
		parts.Rule{
			ID: "ShareChanges", Description: "RAM says that a share changed",
			Pattern: shareChanges(), Targets: []*parts.Target{toAdmit},
		},
		parts.Rule{
			ID: "SpokeCalls", Description: "A spoke forwarded a call after which there may be something to admit",
			Bus: bus, Pattern: parts.ForwardedCalls(), Targets: []*parts.Target{toAdmit},
		},
		parts.Rule{
			ID: "SpokeTags", Description: "A spoke forwarded a call that may ask for a teardown or call it off",
			Bus: bus, Pattern: tagCalls(), Targets: []*parts.Target{toRetire},
		},
		parts.Rule{
			ID: "SpokeLosses", Description: "A spoke forwarded a call, not the hub's own, that may take an origin away from the hub",
			Bus: bus, Pattern: lossCalls(hub), Targets: []*parts.Target{toAudit},
		},
		parts.Rule{
			ID: "ForeignEdits", Description: "Somebody else than the hub changed a distribution or DNS records",
			Pattern: editCalls(hub), Targets: []*parts.Target{toAudit},
		},
		parts.Rule{
			ID: "DailyAudit", Description: "Looks for what costs money for nothing or opens a side door",
			Every: auditEvery, Targets: []*parts.Target{toAudit},
		},
		parts.Rule{
			// Wire has no part in it: admit wakes it at the end of every sweep, when all that is to be wired is known.
			ID: "Sweep", Description: "Looks at everything although no event asked for it: every event may be lost",
			Every: sweepEvery, Targets: []*parts.Target{toAdmit, toRetire},
		},
		parts.Rule{
			ID: "AlarmEvents", Description: "originhub says that somebody must look",
			Bus: bus, Pattern: alarms(), Targets: []*parts.Target{toPeople},
		},
		parts.Rule{
			ID: "FailedTeardowns", Description: "A teardown did not end well",
			Pattern: failedExecutions(*teardown.AttrArn()), Targets: []*parts.Target{toPeople},
		},
	)

	letters := []deadLetters{
		{id: "AdmitDeadLetters", queue: deadLettersOf(admitQueue), of: "messages that function admit failed on five times", log: admit, back: true},
		{id: "WireDeadLetters", queue: deadLettersOf(wireQueue), of: "messages that function wire failed on five times", log: wire, back: true},
		{id: "RetireDeadLetters", queue: retireFailures, of: "events that function retire failed on three times", log: retire},
		{id: "AuditDeadLetters", queue: auditFailures, of: "events that function audit failed on three times", log: audit},
		{id: "UndeliveredEvents", queue: undelivered, of: "events that EventBridge could not deliver to a target for a day"},
	}
	fleet := p.Policy.Distribution.Fleet()
	arns := newAlarms(stack, "Watch", alarmsProps{
		Hub: hub, Fullest: fleet[len(fleet)-1], Topic: topic, DeadLetters: letters, Machine: *teardown.AttrArn(),
		Admit: admit, Audit: audit, Wire: wire,
	})
	newDashboard(stack, "Dashboard", dashboardProps{
		Hub: hub, States: states(), Fleet: fleet, Queues: []awssqs.Queue{admitQueue, wireQueue}, DeadLetters: letters,
		Functions: []awslambda.Function{admit, wire, step, retire, audit}, Machine: *teardown.AttrArn(), Alarms: arns,
	})

	output(stack, "KeyArn", *key.KeyArn())
	output(stack, "RegistryTable", *table.TableName())
	output(stack, "BusArn", *bus.EventBusArn())
	output(stack, "ArchiveArn", *archive.AttrArn())
	output(stack, "DashboardName", contract.DashboardName(hub))
	output(stack, "AlarmTopicArn", *topic.TopicArn())
	output(stack, "TeardownStateMachineArn", *teardown.AttrArn())
	output(stack, "AuditFunction", *audit.FunctionName())
	output(stack, "AdmitQueueUrl", *admitQueue.QueueUrl())
	output(stack, "WireQueueUrl", *wireQueue.QueueUrl())
	output(stack, "AdmitDeadLettersUrl", *deadLettersOf(admitQueue).QueueUrl())
	output(stack, "WireDeadLettersUrl", *deadLettersOf(wireQueue).QueueUrl())
	output(stack, "RetireDeadLettersUrl", *retireFailures.QueueUrl())
	output(stack, "AuditDeadLettersUrl", *auditFailures.QueueUrl())
	output(stack, "UndeliveredEventsUrl", *undelivered.QueueUrl())
}

// stackName begins the names that CloudFormation makes for what is in the stack.
func stackName(hub string) string { return "originhub-" + hub }

// states are those of origins, as the metric's dimension says them.
func states() []string {
	var names []string
	for _, s := range origin.States() {
		names = append(names, string(s))
	}
	return names
}

func deadLettersOf(queue awssqs.Queue) awssqs.Queue {
	return queue.DeadLetterQueue().Queue.(awssqs.Queue) //nolint:errcheck // newQueue made it
}

func with(environment map[string]string, name, value string) map[string]string {
	more := maps.Clone(environment)
	more[name] = value
	return more
}

func output(stack awscdk.Stack, name, value string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: jsii.String(value)})
}
