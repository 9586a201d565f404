package infra

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/jsii-runtime-go"

	"github.com/originhub/originhub/pkg/contract"
)

// The functions. Each name is that of a directory under functions/ and of the function's binary.
const (
	admitFunction     = "admit"
	auditFunction     = "audit"
	retireFunction    = "retire"
	teardownFunction  = "teardown"
	wireFunction      = "wire"
	customersFunction = "customers"
	targetsFunction   = "targets"
)

// inTeam returns the functions that run in accounts of teams. They must not get the hub policy.
func inTeam() []string { return []string{customersFunction, targetsFunction} }

// functionCode is a directory with one subdirectory for each function. Each subdirectory becomes a Lambda asset. It holds the binary as
// bootstrap and, for a function of the hub, the hub policy.
type functionCode string

func (c functionCode) dir(function string) string { return filepath.Join(string(c), function) }

func (c functionCode) remove() { _ = os.RemoveAll(string(c)) }

func packFunctions(s settings) (functionCode, error) {
	root, err := os.MkdirTemp("", "originhub-code-")
	if err != nil {
		return "", fmt.Errorf("pack functions: %w", err)
	}
	code := functionCode(root)
	for _, function := range slices.Concat(contract.Functions(), inTeam()) {
		if err := code.pack(function, s); err != nil {
			code.remove()
			return "", fmt.Errorf("pack function %s: %w", function, err)
		}
	}
	return code, nil
}

func (c functionCode) pack(function string, s settings) error {
	if err := os.Mkdir(c.dir(function), 0o755); err != nil {
		return err
	}
	err := copyFile(filepath.Join(s.Functions, function), filepath.Join(c.dir(function), "bootstrap"), 0o755)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; run `make functions` first, or name another directory with the context functions=DIR", err)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(contract.Functions(), function) {
		return nil
	}
	return copyFile(s.PolicyFile, filepath.Join(c.dir(function), contract.PolicyFile), 0o644)
}

func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, mode)
}

// newCode declares the parameters for the functions' packages, and returns the package of each function.
func newCode(stack awscdk.Stack) func(function string) awslambda.Code {
	bucket := awss3.Bucket_FromBucketName(stack, jsii.String("Code"),
		jsii.String(parameter(stack, contract.CodeBucket, `[a-z0-9.-]{3,63}`, "S3 bucket with the functions' packages")))
	awscdk.Annotations_Of(bucket).AcknowledgeWarning(jsii.String("@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified"),
		jsii.String("the key is a hash of the package"))
	return func(function string) awslambda.Code {
		return awslambda.Code_FromBucket(bucket, jsii.String(parameter(stack, contract.CodeKey(function), `.+`, "S3 key of the package of function "+function)), nil)
	}
}

// publish makes the packages of the hub's functions assets of a stack, which a deployment uploads. It returns the values of the parameters
// that newCode declares.
func (c functionCode) publish(stack awscdk.Stack) map[string]string {
	values := map[string]string{}
	for _, function := range contract.Functions() {
		asset := awss3assets.NewAsset(stack, jsii.String(contract.CodeKey(function)+"Asset"), &awss3assets.AssetProps{Path: jsii.String(c.dir(function))})
		values[contract.CodeBucket] = *asset.S3BucketName()
		values[contract.CodeKey(function)] = *asset.S3ObjectKey()
	}
	return values
}
