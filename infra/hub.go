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
	"github.com/originhub/originhub/pkg/origin"
)

const (
	// functionTimeout is the timeout of function teardown, which makes at most a dozen calls in one run.
	functionTimeout = 60 * time.Second
	// sweepTimeout is the timeout of admit and retire, which read the tags of every origin. With 1,000 origins in 1,000 accounts that
	// takes 29 seconds at 100 ms a call (go test ./pkg/workflow -run Thousand -v). 50 new shares take 375 calls in all runs together
	// (go test ./pkg/rehearsal -run '^$' -bench Shares/50 -benchtime 1x).
	sweepTimeout = 5 * time.Minute
	// wireTimeout leaves time for a binary search for the one entry that makes an update invalid.
	wireTimeout = 120 * time.Second
	// longestWindow is the longest time for which messages are collected before one run.
	longestWindow = 300 * time.Second
	// auditTimeout is the timeout of audit, which reads every team's account: 1,000 accounts in 86 seconds at 100 ms a call, and 29 seconds
	// more for each further Region with VPC origins.
	auditTimeout = 10 * time.Minute
	// auditEvery is how long a leak can stay unreported. Leaks cost money by the hour. Riskier changes are also reported when they
	// happen, from their CloudTrail events.
	auditEvery = 24 * time.Hour
	// sweepEvery is the longest delay that a lost event can cause. Invitations expire after 12 hours.
	sweepEvery = 10 * time.Minute
	// Functions that events and executions start have reserved concurrency. So a team that sets tags in a loop takes no capacity from
	// other functions of the account, nor they from these. Throttled invocations are retried. Admit and wire need no reservation,
	// because their queues start at most two runs at a time.
	auditsAtOnce    = 2
	retiresAtOnce   = 5
	teardownsAtOnce = 10
)

// hubProps is what the hub stack needs beside the parameters of its template.
type hubProps struct {
	// Hub is the name of the hub, for the stack's name; Account is the one that it is deployed to. Neither is part of the template.
	Hub, Account string
	Tracing      bool
}

// newHubStack makes the stack of the Networking account. The distributions and DNS records that the hub manages are not in it,
// because a deployment would overwrite what function wire wrote.
func newHubStack(scope constructs.Construct, id string, p hubProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName: jsii.String(stackName(p.Hub)),
		Description: jsii.String("originhub hub: admits shared VPC origins, wires them, and takes them out. Deleting this stack " +
			"keeps the registry, the bus with its archive, the response headers policy, and the key. Distributions and DNS records are not part of it"),
		// With another account's credentials the CDK CLI refuses to deploy.
		Env: &awscdk.Environment{Account: jsii.String(p.Account), Region: jsii.String(parts.Region)},
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})

	in := newInputs(stack)
	hub := in.hub
	code := newCode(stack)
	key := newKey(stack, "Key", hub)
	// Without the hub's key: this queue also receives what EventBridge cannot deliver because it may not use that key.
	undelivered := parts.NewDeadLetters(stack, "UndeliveredEvents", nil)
	table, past := newRegistry(stack, "Registry", key), newRegistry(stack, "PastOrigins", key)
	bus := newBus(stack, "Bus", in, key, undelivered)
	archive := newArchive(stack, "Archive", bus, in.retention, key)
	admitQueue := newQueue(stack, "AdmitQueue", visibilityFor(sweepTimeout, longestWindow), key)
	wireQueue := newQueue(stack, "WireQueue", visibilityFor(wireTimeout, longestWindow), key)
	retireFailures := parts.NewDeadLetters(stack, "RetireDeadLetters", key)
	auditFailures := parts.NewDeadLetters(stack, "AuditDeadLetters", key)
	topic := newTopic(stack, "Alarms", key)

	can := grants{in: in, table: table, past: past, bus: bus}
	environment := map[string]string{
		contract.EnvTable:      *table.TableName(),
		contract.EnvBus:        *bus.EventBusName(),
		contract.EnvAdmitQueue: *admitQueue.QueueUrl(),
		contract.EnvWireQueue:  *wireQueue.QueueUrl(),
	}

	admit := parts.NewFunction(stack, "Admit", parts.FunctionProps{
		Description: "Decides which shares the hub accepts and which origins it admits",
		Code:        code(admitFunction),
		Timeout:     sweepTimeout,
		Environment: with(environment, contract.EnvPastTable, *past.TableName()),
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Retention:   in.retention,
		Permissions: can.admit(admitQueue, wireQueue),
	})
	consume(admit, admitQueue, in.admitWindow, jsii.Number(largestBatch))

	wire := parts.NewFunction(stack, "Wire", parts.FunctionProps{
		Description: "The only writer of the distributions: writes what the registry asks for",
		Code:        code(wireFunction),
		Timeout:     wireTimeout,
		Environment: with(environment, contract.EnvHeaders, newHeaders(stack, "ResponseHeaders", in)),
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Retention:   in.retention,
		Permissions: can.wire(wireQueue, admitQueue),
	})
	consume(wire, wireQueue, in.window, awscdk.Token_AsNumber(parts.If(in.writesAtOnce, largestBatchAtOnce, largestBatch)))

	step := parts.NewFunction(stack, "TeardownStep", parts.FunctionProps{
		Description: "One step of a teardown: observes, and makes at most one change",
		Code:        code(teardownFunction),
		Timeout:     functionTimeout,
		Environment: environment,
		RolePath:    contract.TeardownRolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Retention:   in.retention,
		Permissions: can.teardown(wireQueue),
		AtOnce:      teardownsAtOnce,
	})
	teardown := newTeardown(stack, "Teardown", step, contract.RolePath(hub), p.Tracing)

	retire := parts.NewFunction(stack, "Retire", parts.FunctionProps{
		Description: "Starts and cancels teardowns, as the teams' tags ask",
		Code:        code(retireFunction),
		Timeout:     sweepTimeout,
		Environment: with(environment, contract.EnvStateMachine, *teardown.AttrArn()),
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Retention:   in.retention,
		Permissions: can.retire(retireFailures, teardown),
		AtOnce:      retiresAtOnce,
	})
	keepFailures(retire, retireFailures)

	audit := parts.NewFunction(stack, "Audit", parts.FunctionProps{
		Description: "Reports drift, and what is left over",
		Code:        code(auditFunction),
		Timeout:     auditTimeout,
		Environment: with(environment, contract.EnvAccount, parts.Account()),
		RolePath:    contract.RolePath(hub),
		Traced:      p.Tracing,
		Key:         key,
		Retention:   in.retention,
		Permissions: can.audit(auditFailures, admitQueue, wireQueue),
		AtOnce:      auditsAtOnce,
	})
	keepFailures(audit, auditFailures)

	toAdmit, toRetire, toAudit := toQueue("Admit", admitQueue), parts.ToFunction("Retire", retire), parts.ToFunction("Audit", audit)
	toPeople := toTopic(stack, "Alarms", topic, key, contract.RolePath(hub))
	parts.NewRules(stack, undelivered,
		parts.Rule{
			ID: "ShareChanges", Description: "RAM reports that a share changed",
			Pattern: shareChanges(), Targets: []*parts.Target{toAdmit},
		},
		parts.Rule{
			ID: "SpokeCalls", Description: "A spoke forwarded a call that may have changed a share or a claim",
			Bus: bus, Pattern: parts.ClaimCalls(), Targets: []*parts.Target{toAdmit},
		},
		parts.Rule{
			ID: "SpokeTags", Description: "A spoke forwarded a call that may start or cancel a teardown",
			Bus: bus, Pattern: tagCalls(), Targets: []*parts.Target{toRetire},
		},
		parts.Rule{
			ID: "SpokeLosses", Description: "A spoke forwarded a call, not made by the hub, that may take an origin away from the hub, or use it in another distribution",
			Bus: bus, Pattern: lossCalls(hub), Targets: []*parts.Target{toAudit},
		},
		parts.Rule{
			ID: "UnmanagedEdits", Description: "Somebody other than the hub created, changed or copied a distribution, changed an alias, a function or DNS records, or answered an invitation",
			Pattern: editCalls(hub), Targets: []*parts.Target{toAudit},
		},
		parts.Rule{
			ID: "DailyAudit", Description: "Daily audit: finds what costs money for nothing, and ways past the distribution",
			Every: auditEvery, Targets: []*parts.Target{toAudit},
		},
		parts.Rule{
			// Wire is not a target: admit triggers it at the end of every sweep, when it knows everything that has to be wired.
			ID: "Sweep", Description: "Sweep: observes everything without an event, since any event may be lost",
			Every: sweepEvery, Targets: []*parts.Target{toAdmit, toRetire},
		},
		parts.Rule{
			ID: "AlarmEvents", Description: "The hub published an event with severity alarm",
			Bus: bus, Pattern: alarms(), Targets: []*parts.Target{toPeople},
		},
		parts.Rule{
			ID: "FailedTeardowns", Description: "An execution of the teardown state machine failed, timed out or was aborted",
			Pattern: failedExecutions(*teardown.AttrArn()), Targets: []*parts.Target{toPeople},
		},
		parts.Rule{
			ID: "OwnChanges", Description: "Somebody changed a role or a function of the hub, and not by a deployment of the stack",
			Pattern: ownChanges(hub), Targets: []*parts.Target{toPeople},
		},
	)

	letters := []deadLetters{
		{id: "AdmitDeadLetters", queue: deadLettersOf(admitQueue), of: "messages that function admit failed to process five times", log: admit, back: true},
		{id: "WireDeadLetters", queue: deadLettersOf(wireQueue), of: "messages that function wire failed to process five times", log: wire, back: true},
		{id: "RetireDeadLetters", queue: retireFailures, of: "events that function retire failed to process three times", log: retire},
		{id: "AuditDeadLetters", queue: auditFailures, of: "events that function audit failed to process three times", log: audit},
		{id: "UndeliveredEvents", queue: undelivered, of: "events that EventBridge could not deliver for a day"},
	}
	arns := newAlarms(stack, "Watch", alarmsProps{
		Hub: hub, Fullest: in.last, Topic: topic, DeadLetters: letters, Machine: *teardown.AttrArn(), Registry: *table.TableName(),
		Admit: admit, Audit: audit, Wire: wire, Retire: retire, Step: step,
	})
	newDashboard(stack, "Dashboard", dashboardProps{
		Hub: hub, States: states(), Queues: []awssqs.Queue{admitQueue, wireQueue}, DeadLetters: letters,
		Functions: []awslambda.Function{admit, wire, step, retire, audit}, Machine: *teardown.AttrArn(), Alarms: arns,
	})

	output(stack, "KeyArn", *key.KeyArn())
	output(stack, "RegistryTable", *table.TableName())
	output(stack, "PastOriginsTable", *past.TableName())
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
	return stack
}

// stackName returns the name of the hub's stack. The names that CloudFormation generates for its resources begin with it.
func stackName(hub string) string { return "originhub-" + hub }

// states returns the states of origins, as values of the metric dimension State.
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
