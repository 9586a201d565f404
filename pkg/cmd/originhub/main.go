// Command originhub rehearses the hub in a local sandbox, checks the hub policy, and prints the commands that deploy the spoke.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/originhub/originhub/pkg/cli"
)

func main() { os.Exit(run()) }

func run() int {
	signal.Ignore(syscall.SIGPIPE) // if the reader of the output goes away, the sandbox still has to clean up
	return cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
