// Command targets keeps the addresses of a team's interface endpoint registered with the team's load balancer.
package main

import (
	"github.com/originhub/originhub/functions/internal/process"
	"github.com/originhub/originhub/pkg/hub/targets"
)

func main() { process.Run(targets.New) }
