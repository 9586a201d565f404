// Command teardown performs one step of the state machine that takes an origin out.
package main

import (
	"github.com/originhub/originhub/functions/internal/process"
	"github.com/originhub/originhub/pkg/hub/teardown"
)

func main() { process.Run(teardown.New) }
