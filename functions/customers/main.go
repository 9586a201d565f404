// Command customers is the sample behind a team's private API: it answers GET /<team>/customers/{id}.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/originhub/originhub/pkg/hub/customers"
)

func main() { lambda.Start(customers.New()) }
