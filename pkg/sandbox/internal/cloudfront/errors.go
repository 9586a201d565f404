package cloudfront

import (
	"regexp"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Error codes and statuses are on each operation's page under
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/.

func invalidArgument(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "InvalidArgument", format, args...)
}

func accessDenied(format string, args ...any) *cloud.Error {
	return cloud.Errorf(403, "AccessDenied", format, args...)
}

func throttling() *cloud.Error { return cloud.Errorf(400, "Throttling", "Rate exceeded") }

func entityNotFound() *cloud.Error {
	return cloud.Errorf(404, "EntityNotFound", "The specified VPC origin does not exist.")
}

func noSuchDistribution() *cloud.Error {
	return cloud.Errorf(404, "NoSuchDistribution", "The specified distribution does not exist.")
}

func noSuchFunction() *cloud.Error {
	return cloud.Errorf(404, "NoSuchFunctionExists", "The specified function does not exist.")
}

func noSuchResource(arn string) *cloud.Error {
	return cloud.Errorf(404, "NoSuchResource", "The resource that was specified is not found: %s", arn)
}

func preconditionFailed() *cloud.Error {
	return cloud.Errorf(412, "PreconditionFailed",
		"The request failed because it didn't meet the preconditions in one or more request-header fields.")
}

func noIfMatch() *cloud.Error {
	return cloud.Errorf(400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
}

// inUse returns the error with the message of AWS, word for word (https://github.com/aws/aws-cdk/issues/34629 and 35765).
func inUse(code string) *cloud.Error {
	return cloud.Errorf(409, code, "The specified VPC origin is currently associated with one or more distributions. "+
		"Please disassociate the VPC origin from all distributions before updating or deleting.")
}

func illegalUpdate(format string, args ...any) *cloud.Error {
	return cloud.Errorf(400, "IllegalUpdate", format, args...)
}

// checkIfMatch compares the If-Match header with the current ETag. Assumption CF-01.
func checkIfMatch(ifMatch, etag string) error {
	switch {
	case !regexp.MustCompile(`^E[A-Z0-9]{8,20}$`).MatchString(ifMatch):
		return noIfMatch()
	case ifMatch != etag:
		return preconditionFailed()
	}
	return nil
}
