// App synthesizes originhub's stacks.
//
//	CDK_OUTDIR=cdk.out go run ./infra/app    writes the assembly without the CDK CLI
//	npx aws-cdk@2.1148.1 diff hub            uses cdk.json
package main

import (
	"fmt"
	"os"

	"github.com/originhub/originhub/infra"
)

func main() {
	stderr := os.Stderr // what is left of it while jsii ends
	if err := infra.Synth(); err != nil {
		fmt.Fprintln(stderr, "infra:", err)
		os.Exit(1)
	}
}
