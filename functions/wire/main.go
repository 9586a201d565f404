// Command wire makes the distributions what the registry wants, and settles what has become Deployed.
package main

import (
	"github.com/originhub/originhub/functions/internal/process"
	"github.com/originhub/originhub/pkg/hub/wire"
)

func main() { process.Run(wire.New) }
