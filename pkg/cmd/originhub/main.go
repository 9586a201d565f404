// Command originhub rehearses and checks what the hub does in AWS.
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
	signal.Ignore(syscall.SIGPIPE) // a reader that has seen enough must not keep the sandbox from cleaning up
	return cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
