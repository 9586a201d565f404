// Command audit reports what was done behind the hub's back, and what is left over.
package main

import (
	"github.com/originhub/originhub/functions/internal/process"
	"github.com/originhub/originhub/pkg/hub/audit"
)

func main() { process.Run(audit.New) }
