//go:build modules

package sandbox

// TestGoldenRequestsOfTheSDK reads the requests that these modules ship. Nothing compiles them; this keeps them in go.mod.
import (
	_ "github.com/aws/aws-sdk-go-v2/service/acm"
	_ "github.com/aws/aws-sdk-go-v2/service/apigateway"
	_ "github.com/aws/aws-sdk-go-v2/service/kms"
	_ "github.com/aws/aws-sdk-go-v2/service/lambda"
)
