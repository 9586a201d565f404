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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
