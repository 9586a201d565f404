// Command retire starts the teardown of tagged origins.
package main

import (
	"github.com/originhub/originhub/functions/internal/process"
	"github.com/originhub/originhub/pkg/hub/retire"
)

func main() { process.Run(retire.New) }
