// Package customers builds the sample function behind a team's private API: it answers GET /<team>/customers/{id}.
package customers

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// New returns the handler.
func New() lambda.Handler { return lambda.NewHandler(answer) }

// answer handles every path below the base path mapping: the resource {proxy+} matches them all
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
func answer(_ context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	parts := strings.Split(r.PathParameters["proxy"], "/")
	if len(parts) != 2 || parts[0] != "customers" || parts[1] == "" {
		return respond(http.StatusNotFound, map[string]string{"message": "no resource has the path " + r.Path})
	}
	if r.HTTPMethod != http.MethodGet {
		return respond(http.StatusMethodNotAllowed, map[string]string{"message": r.HTTPMethod + " is not allowed; use GET"})
	}
	return respond(http.StatusOK, map[string]string{"customerId": parts[1]})
}

func respond(status int, body map[string]string) (events.APIGatewayProxyResponse, error) {
	text, err := json.Marshal(body)
	return events.APIGatewayProxyResponse{
		StatusCode: status, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(text),
	}, err
}
