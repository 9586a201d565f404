package front

import (
	"net/http"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// scope is the content of a Signature Version 4 that the sandbox uses. It does not check the signature: any secret is valid.
type scope struct{ accessKey, region, service string }

// parseScope reads "AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, SignedHeaders=…, Signature=…".
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html
func parseScope(r *http.Request) (scope, *cloud.Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return scope{}, cloud.Errorf(http.StatusForbidden, "MissingAuthenticationToken",
			"Missing Authentication Token: sign the request with the 12-digit account id as access key and any secret")
	}
	_, rest, found := strings.Cut(header, "Credential=")
	credential, _, _ := strings.Cut(rest, ",")
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if !found || len(parts) != 5 || parts[4] != "aws4_request" {
		return scope{}, cloud.Errorf(http.StatusBadRequest, "IncompleteSignature",
			"Authorization header needs Credential=<access key>/<date>/<region>/<service>/aws4_request")
	}
	return scope{accessKey: parts[0], region: parts[2], service: parts[3]}, nil
}

// invalidKey returns the error for an access key that does not exist.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html
func invalidKey(p cloud.Protocol) *cloud.Error {
	code := "InvalidClientTokenId"
	if p == cloud.JSON10 || p == cloud.JSON11 || p == cloud.RESTJSON {
		code = "UnrecognizedClientException"
	}
	return cloud.Errorf(http.StatusForbidden, code, "The security token included in the request is invalid.")
}
