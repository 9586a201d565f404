package customers

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		method, proxy string
		status        int
		body          string
	}{
		"a customer":     {"GET", "customers/123", 200, `{"customerId":"123"}`},
		"quoted":         {"GET", `customers/1"2`, 200, `{"customerId":"1\"2"}`},
		"no customer":    {"GET", "customers/", 404, `{"message":"no resource has the path /team-a/customers/"}`},
		"another path":   {"GET", "orders/123", 404, `{"message":"no resource has the path /team-a/orders/123"}`},
		"a path below":   {"GET", "customers/123/x", 404, `{"message":"no resource has the path /team-a/customers/123/x"}`},
		"another method": {"DELETE", "customers/123", 405, `{"message":"DELETE is not allowed; use GET"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := answer(context.Background(), events.APIGatewayProxyRequest{
				HTTPMethod: c.method, Path: "/team-a/" + c.proxy, PathParameters: map[string]string{"proxy": c.proxy},
			})
			if err != nil || got.StatusCode != c.status || got.Body != c.body {
				t.Errorf("%d %s, %v; want %d %s", got.StatusCode, got.Body, err, c.status, c.body)
			}
		})
	}
}

func TestAnswerReadsWhatAPIGatewaySends(t *testing.T) {
	raw, err := os.ReadFile("../../../events/customers/input-get.json")
	if err != nil {
		t.Fatal(err)
	}
	var request events.APIGatewayProxyRequest
	if err := json.Unmarshal(raw, &request); err != nil {
		t.Fatal(err)
	}
	got, err := answer(context.Background(), request)
	if err != nil || got.Body != `{"customerId":"123"}` {
		t.Errorf("%+v, %v", got, err)
	}
}
