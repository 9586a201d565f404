// App synthesizes originhub's stacks.
//
//	make synth                                              writes the assembly without the CDK CLI
//	make cdk && .build/cdk/node_modules/.bin/cdk diff hub   runs it as cdk.json says
package main

import (
	"fmt"
	"os"

	"github.com/originhub/originhub/infra"
)

func main() {
	stderr := os.Stderr // Synth discards what jsii prints there while it ends
	if err := infra.Synth(); err != nil {
		fmt.Fprintln(stderr, "infra:", err)
		os.Exit(1)
	}
}
