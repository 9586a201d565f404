// Command originhub rehearses the hub in a local sandbox, checks the hub policy, and prints the commands that deploy the spoke.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/originhub/originhub/pkg/cli"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // most commands are short: fewer garbage collections make them faster and cost only memory
	}
	os.Exit(run())
}

func run() int {
	signal.Ignore(syscall.SIGPIPE) // if the reader of the output goes away, the sandbox still has to clean up
	return cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
