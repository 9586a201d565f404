package infra

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/infra/internal/parts"
)

// newArchive makes the archive of everything that the bus receives, which it keeps as many days as log groups keep lines. Archive and bus outlive the stack. A replay can go only to the
// bus that the events came from, and a bus cannot be deleted while it has rules, such as the one that an archive makes.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
func newArchive(scope constructs.Construct, id string, bus awsevents.EventBus, days *float64, key awskms.IKey) awsevents.CfnArchive {
	archive := awsevents.NewCfnArchive(scope, jsii.String(id), &awsevents.CfnArchiveProps{
		SourceArn:     bus.EventBusArn(),
		Description:   jsii.String("originhub: all events of the hub bus, for replay"),
		RetentionDays: days,

		KmsKeyIdentifier: key.KeyArn(),
	})
	archive.ApplyRemovalPolicy(parts.Keep, nil)
	bus.ApplyRemovalPolicy(parts.Keep)
	return archive
}
