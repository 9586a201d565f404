// Command handler runs the function for tests in a process of its own.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/sandbox/internal/lambda/lambdatest"
)

func main() {
	handler, err := lambdatest.New(lambdatest.Host{Environment: os.Environ, Output: os.Stdout, Client: http.DefaultClient, PID: os.Getpid()})
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler)
}
