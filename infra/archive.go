package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// archiveDays is how long events are kept: as long as logs and executions' histories.
const archiveDays = 90

// newArchive keeps whatever the bus received. It outlives the stack, and the bus with it: a replay goes to no other bus than
// the one that the events came from, and a bus whose rules remain, as an archive's own does, cannot be deleted.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
func newArchive(scope constructs.Construct, id string, bus awsevents.EventBus, key awskms.IKey) awsevents.CfnArchive {
	archive := awsevents.NewCfnArchive(scope, jsii.String(id), &awsevents.CfnArchiveProps{
		SourceArn:     bus.EventBusArn(),
		Description:   jsii.String("originhub: everything on the hub bus, to be replayed"),
		RetentionDays: jsii.Number(archiveDays),

		KmsKeyIdentifier: key.KeyArn(),
	})
	archive.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	bus.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	return archive
}
