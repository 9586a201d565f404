// Command admit brings permitted shares into the registry.
package main

import (
	"github.com/originhub/originhub/functions/internal/process"
	"github.com/originhub/originhub/pkg/hub/admit"
)

func main() { process.Run(admit.New) }
