package lambda

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Error codes: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors

func notFound(arn string) error {
	return cloud.Errorf(404, "ResourceNotFoundException", "Function not found: %s", arn)
}

const tooManyRequests = "TooManyRequestsException"

func throttled() error {
	return cloud.Errorf(429, tooManyRequests, "Rate Exceeded.")
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(400, "InvalidParameterValueException", format, args...)
}

func tooLarge(size, limit int) error {
	return cloud.Errorf(413, "RequestTooLargeException", "%d byte payload is too large for the invocation (limit %d bytes)", size, limit)
}

// failure is the error of an invocation, from the function itself (raw) or from Lambda.
type failure struct {
	Type    string
	Message string
	raw     []byte
}

func responseTooLarge() *failure {
	return &failure{
		Type:    "Function.ResponseSizeTooLarge",
		Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", largestResponse),
	}
}

// document returns the error payload of an invocation.
func (f *failure) document(requestID string) []byte {
	if f.raw != nil {
		return f.raw
	}
	message := f.Message
	// An error of the process has the request id. An error of its response does not.
	if !strings.HasPrefix(f.Type, "Function.") {
		message = "RequestId: " + requestID + " Error: " + message
	}
	b, err := json.Marshal(map[string]string{"errorType": f.Type, "errorMessage": message})
	if err != nil {
		return []byte("{}")
	}
	return b
}

// errorType returns the type in an error payload. Without one it is Lambda's "Unhandled".
func errorType(payload []byte) string {
	var e struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(payload, &e) != nil || e.ErrorType == "" {
		return "Unhandled"
	}
	return e.ErrorType
}
