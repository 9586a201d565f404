package lambda

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// function is one function. The world lock guards it. An instance starts with a copy of what it needs.
type function struct {
	account, region, name, arn string
	description, role          string
	dir                        string // the unpacked asset
	handler, runtime           string
	architectures              []string
	memory                     int
	timeout                    time.Duration
	environment                map[string]string
	logGroup, logFormat        string
	logLevel                   string
	deadLetter                 string // ARN of a queue or topic
	tracing                    string
	reserved                   *int // reserved concurrency
	tags                       []cloud.Tag
	permissions                []permission
	async                      asyncConfig
	modified                   time.Time
	revision                   string // changes with every update; instances of an older revision are not used again
}

func functionARN(region, account, name string) string {
	return "arn:aws:lambda:" + region + ":" + account + ":function:" + name
}

// parseName reads a function name, partial ARN (account:function:name) or ARN, with or without a qualifier. The only version is
// $LATEST, so any other qualifier is not found (assumption LAMBDA-08).
func parseName(text, qualifier, region, account string) (arn string, ok bool) {
	parts := strings.Split(text, ":")
	switch {
	case len(parts) >= 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function":
		region, account, parts = parts[3], parts[4], parts[6:]
	case len(parts) >= 3 && parts[1] == "function":
		account, parts = parts[0], parts[2:]
	}
	if len(parts) == 2 && (qualifier == "" || qualifier == parts[1]) {
		qualifier, parts = parts[1], parts[:1]
	}
	if len(parts) != 1 || parts[0] == "" || qualifier != "" && qualifier != "$LATEST" {
		return "", false
	}
	return functionARN(region, account, parts[0]), true
}

// find returns a function. Call with the world locked.
func (s *Service) find(text, qualifier, region, account string) (*function, error) {
	arn, ok := parseName(text, qualifier, region, account)
	if f := s.functions[arn]; ok && f != nil {
		return f, nil
	}
	if !ok {
		arn = functionARN(region, account, text)
	}
	return nil, notFound(arn)
}

// reservedKeys returns the environment variables that Lambda sets itself and refuses in a configuration.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func reservedKeys() []string {
	return []string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}
}

// processEnvironment returns the whole environment of an instance, except the address of its Runtime API.
func (f *function) processEnvironment(endpoint, stream, key, secret, token string) []string {
	env := []string{
		"_HANDLER=" + f.handler, "LAMBDA_TASK_ROOT=" + f.dir, "TZ=:UTC",
		"AWS_REGION=" + f.region, "AWS_DEFAULT_REGION=" + f.region,
		"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SESSION_TOKEN=" + token,
		"AWS_ENDPOINT_URL=" + endpoint,
		// A process without credentials of its own would use those of the machine.
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_LAMBDA_FUNCTION_NAME=" + f.name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", f.memory), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=" + f.logGroup, "AWS_LAMBDA_LOG_STREAM_NAME=" + stream,
	}
	if f.logFormat == "JSON" {
		env = append(env, "AWS_LAMBDA_LOG_FORMAT=JSON")
		if f.logLevel != "" {
			env = append(env, "AWS_LAMBDA_LOG_LEVEL="+f.logLevel)
		}
	}
	var names []string
	for name := range f.environment {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		env = append(env, name+"="+f.environment[name])
	}
	return env
}

// checkBootstrap checks an asset before the deployment, so that no function is deployed that cannot run.
func checkBootstrap(function, dir string) error {
	file := filepath.Join(dir, "bootstrap")
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("function %s: %s does not exist: build the function into a file of that name", function, file)
	case err != nil:
		return fmt.Errorf("function %s: read %s: %w", function, file, err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("function %s: %s is not an executable file: build the function into it, with mode 0755", function, file)
	case runtime.GOOS != "linux":
		return nil
	}
	binary, err := elf.Open(file)
	if err != nil {
		return nil //nolint:nilerr // a script with a #! line is as good a bootstrap
	}
	defer func() { _ = binary.Close() }()
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	emulators := map[elf.Machine]string{elf.EM_X86_64: "qemu-x86_64", elf.EM_AARCH64: "qemu-aarch64"}
	if want, known := machines[runtime.GOARCH]; known && binary.Machine != want {
		emulator := emulators[binary.Machine]
		if _, err := os.Stat("/proc/sys/fs/binfmt_misc/" + emulator); err == nil && emulator != "" {
			return nil
		}
		return fmt.Errorf("function %s: %s is built for %s, which this machine (%s) does not run: build it with GOOS=linux GOARCH=%s",
			function, file, binary.Machine, runtime.GOARCH, runtime.GOARCH)
	}
	return nil
}

type functionProperties struct {
	Architectures []string
	Code          struct {
		S3Bucket, S3Key, S3ObjectVersion string
		ImageUri, ZipFile                string
	}
	DeadLetterConfig *struct{ TargetArn string }
	Description      string
	Environment      *struct{ Variables map[string]string }
	EphemeralStorage *struct{ Size cloud.Int }
	FunctionName     string
	Handler          string
	Layers           []string
	LoggingConfig    *struct{ ApplicationLogLevel, LogFormat, LogGroup, SystemLogLevel string }
	MemorySize       *cloud.Int
	PackageType      string
	RecursiveLoop    string

	ReservedConcurrentExecutions *cloud.Int

	Role          string
	Runtime       string
	Tags          []cloud.Tag
	Timeout       *cloud.Int
	TracingConfig *struct{ Mode string }
}

// functionType is AWS::Lambda::Function.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
func (s *Service) functionType() cloud.ResourceType {
	const name = "AWS::Lambda::Function"
	put := func(r *cloud.ResourceRequest, old *cloud.Resource) (*cloud.Resource, error) {
		var p functionProperties
		if err := r.DecodeProperties(name, &p); err != nil {
			return nil, err
		}
		f, err := s.configure(r, &p, old)
		if err != nil {
			return nil, fmt.Errorf("configure function %s: %w", r.LogicalID, err)
		}
		s.world.Do(func() {
			before := s.functions[f.arn]
			if _, denied := s.sessions.Assume(lambdaFor(f), f.role, f.name); denied != nil {
				err = invalid("The role defined for the function cannot be assumed by Lambda: %v", denied)
				return
			}
			switch {
			case old == nil && before != nil:
				err = cloud.Errorf(409, "ResourceConflictException", "Function already exist: %s", f.name)
				return
			case before != nil:
				f.permissions, f.async = before.permissions, before.async
			}
			s.functions[f.arn] = f
		})
		if err != nil {
			return nil, fmt.Errorf("configure function %s: %w", r.LogicalID, err)
		}
		s.retire(f.arn, f.revision)
		return &cloud.Resource{Ref: f.name, Attributes: map[string]string{"Arn": f.arn}}, nil
	}
	return cloud.ResourceType{
		Name:   name,
		Create: func(r *cloud.ResourceRequest) (*cloud.Resource, error) { return put(r, nil) },
		Update: put,
		Delete: func(r *cloud.ResourceRequest, old *cloud.Resource) error {
			arn := functionARN(r.Region, r.Account, old.Ref)
			s.world.Do(func() { delete(s.functions, arn) })
			s.retire(arn, "")
			return nil
		},
	}
}

// configure checks properties and returns the function that they describe.
func (s *Service) configure(r *cloud.ResourceRequest, p *functionProperties, old *cloud.Resource) (*function, error) {
	if old != nil {
		if p.FunctionName != "" && p.FunctionName != old.Ref {
			return nil, invalid("FunctionName cannot change from %s to %s: the sandbox does not replace functions", old.Ref, p.FunctionName)
		}
		p.FunctionName = old.Ref
	}
	if p.FunctionName == "" {
		p.FunctionName = r.Name(64)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	dir, err := r.Asset(p.Code.S3Key)
	if err != nil {
		return nil, fmt.Errorf("find asset Code.S3Key %s: %w", p.Code.S3Key, err)
	}
	if s.starter == nil {
		if err := checkBootstrap(p.FunctionName, dir); err != nil {
			return nil, err
		}
	}
	f := &function{
		account: r.Account, region: r.Region, name: p.FunctionName, arn: functionARN(r.Region, r.Account, p.FunctionName),
		description: p.Description, role: p.Role, dir: dir, handler: p.Handler, runtime: p.Runtime, architectures: p.Architectures,
		memory: 128, timeout: 3 * time.Second, logGroup: "/aws/lambda/" + p.FunctionName, logFormat: "Text", tags: p.Tags,
		tracing: "PassThrough", modified: s.world.Clock.Now(), revision: s.world.IDs.UUID(),
	}
	if len(f.architectures) == 0 {
		f.architectures = []string{"x86_64"}
	}
	if p.MemorySize != nil {
		f.memory = int(*p.MemorySize)
	}
	if p.Timeout != nil {
		f.timeout = time.Duration(*p.Timeout) * time.Second
	}
	if p.Environment != nil {
		f.environment = p.Environment.Variables
	}
	if c := p.LoggingConfig; c != nil {
		f.logLevel = c.ApplicationLogLevel
		if c.LogGroup != "" {
			f.logGroup = c.LogGroup
		}
		if c.LogFormat != "" {
			f.logFormat = c.LogFormat
		}
	}
	if p.DeadLetterConfig != nil {
		f.deadLetter = p.DeadLetterConfig.TargetArn
	}
	if p.TracingConfig != nil {
		f.tracing = p.TracingConfig.Mode
	}
	if n := p.ReservedConcurrentExecutions; n != nil {
		reserved := int(*n)
		f.reserved = &reserved
	}
	return f, nil
}

// check returns an error for properties that Lambda refuses, and for those that the sandbox cannot run. Quotas:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
func (p *functionProperties) check() error {
	within := func(name string, n *cloud.Int, low, high cloud.Int) error {
		if n != nil && (*n < low || *n > high) {
			return invalid("%s is %d; it must be from %d to %d", name, *n, low, high)
		}
		return nil
	}
	size := 0
	if p.Environment != nil {
		for name, value := range p.Environment.Variables {
			size += len(name) + len(value)
			if slices.Contains(reservedKeys(), name) {
				return invalid("Lambda was unable to configure your environment variables because the environment variables you have "+
					"provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", name)
			}
			if strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
				return invalid("Environment variable %s is set by the sandbox itself: remove it", name)
			}
		}
	}
	switch {
	case p.Code.ZipFile != "":
		return invalid("Code.ZipFile is not supported by the sandbox: it runs compiled functions from assets (Code.S3Bucket and Code.S3Key)")
	case p.Code.ImageUri != "" || p.PackageType == "Image":
		return invalid("Code.ImageUri is not supported by the sandbox: it runs compiled functions from assets (Code.S3Bucket and Code.S3Key)")
	case p.Code.S3Key == "":
		return invalid("Code.S3Key is missing: the sandbox finds the compiled function by it")
	case p.Runtime != "provided.al2023" && p.Runtime != "provided.al2":
		return invalid("Runtime %s is not supported by the sandbox: it runs provided.al2023 and provided.al2", p.Runtime)
	case p.Handler == "":
		return invalid("Handler is missing: Lambda asks for one with every zip package")
	case !strings.HasPrefix(p.Role, "arn:aws:iam::"):
		return invalid("Role %q is not the ARN of a role", p.Role)
	case len(p.Layers) > 0:
		return invalid("Layers are not supported by the sandbox")
	case !regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`).MatchString(p.FunctionName):
		return invalid("FunctionName %s must match [a-zA-Z0-9-_]+ and have at most 64 characters", p.FunctionName)
	case size > 4<<10:
		return invalid("Environment is %d bytes, at most 4096 are allowed", size)
	}
	if p.DeadLetterConfig != nil {
		if err := checkDestination("DeadLetterConfig.TargetArn", p.DeadLetterConfig.TargetArn); err != nil {
			return err
		}
	}
	return errors.Join(
		within("MemorySize", p.MemorySize, 128, 10240), within("Timeout", p.Timeout, 1, 900),
		within("ReservedConcurrentExecutions", p.ReservedConcurrentExecutions, 0, 1000),
	)
}

func (f *function) snapshot() map[string]any {
	return map[string]any{
		"name": f.name, "arn": f.arn, "region": f.region, "role": f.role, "handler": f.handler, "runtime": f.runtime,
		"memorySize": f.memory, "timeout": f.timeout.Seconds(), "environment": f.environment, "logGroup": f.logGroup,
		"deadLetter": f.deadLetter, "policy": f.policy(),
	}
}

// FunctionConfiguration is the wire form of a function's configuration.
type FunctionConfiguration struct {
	Architectures    []string
	CodeSize         int
	DeadLetterConfig *DeadLetterConfig `json:",omitempty"`
	Description      string
	Environment      *Environment `json:",omitempty"`
	FunctionArn      string
	FunctionName     string
	Handler          string
	LastModified     string
	LastUpdateStatus string
	LoggingConfig    LoggingConfig
	MemorySize       int
	PackageType      string
	RevisionId       string
	Role             string
	Runtime          string
	State            string
	Timeout          int
	TracingConfig    TracingConfig
	Version          string
}

// DeadLetterConfig is a part of FunctionConfiguration.
type DeadLetterConfig struct {
	TargetArn string
}

// Environment is a part of FunctionConfiguration.
type Environment struct{ Variables map[string]string }

// LoggingConfig is a part of FunctionConfiguration.
type LoggingConfig struct{ LogFormat, LogGroup string }

// TracingConfig is a part of FunctionConfiguration.
type TracingConfig struct{ Mode string }

func (f *function) configuration() FunctionConfiguration {
	c := FunctionConfiguration{
		Architectures: f.architectures, Description: f.description, FunctionArn: f.arn, FunctionName: f.name, Handler: f.handler,
		LastModified: f.modified.Format("2006-01-02T15:04:05.000+0000"), LastUpdateStatus: "Successful",
		LoggingConfig: LoggingConfig{LogFormat: f.logFormat, LogGroup: f.logGroup}, MemorySize: f.memory, PackageType: "Zip",
		RevisionId: f.revision, Role: f.role, Runtime: f.runtime, State: "Active", Timeout: int(f.timeout / time.Second),
		TracingConfig: TracingConfig{Mode: f.tracing}, Version: "$LATEST",
	}
	if info, err := os.Stat(filepath.Join(f.dir, "bootstrap")); err == nil {
		c.CodeSize = int(info.Size())
	}
	if f.deadLetter != "" {
		c.DeadLetterConfig = &DeadLetterConfig{TargetArn: f.deadLetter}
	}
	if len(f.environment) > 0 {
		c.Environment = &Environment{Variables: f.environment}
	}
	return c
}

// FunctionInput names a function.
type FunctionInput struct {
	FunctionName string `loc:"uri" name:"FunctionName"`
	Qualifier    string `loc:"query" name:"Qualifier"`
}

// GetFunctionOutput is the output of GetFunction.
type GetFunctionOutput struct {
	Code          CodeLocation
	Concurrency   *Concurrency `json:",omitempty"`
	Configuration FunctionConfiguration
	Tags          map[string]string `json:",omitempty"`
}

// CodeLocation is a part of GetFunctionOutput. In the sandbox, the location is the asset's directory.
type CodeLocation struct{ Location, RepositoryType string }

// Concurrency is a part of GetFunctionOutput.
type Concurrency struct{ ReservedConcurrentExecutions int }

// allowed finds a function and authorizes action on it, with its resource policy.
func (s *Service) allowed(c *cloud.Call, action, name, qualifier string) (*function, error) {
	f, err := s.find(name, qualifier, c.Region, c.Account())
	if err != nil {
		return nil, err
	}
	return f, c.AuthorizeWithResourcePolicy("lambda:"+action, f.arn, f.account, f.policy(), nil)
}

// getFunction implements GetFunction.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
func (s *Service) getFunction(c *cloud.Call, in *FunctionInput) (*GetFunctionOutput, error) {
	f, err := s.allowed(c, "GetFunction", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &GetFunctionOutput{Code: CodeLocation{Location: f.dir, RepositoryType: "S3"}, Configuration: f.configuration()}
	if f.reserved != nil {
		out.Concurrency = &Concurrency{ReservedConcurrentExecutions: *f.reserved}
	}
	for _, t := range f.tags {
		if out.Tags == nil {
			out.Tags = map[string]string{}
		}
		out.Tags[t.Key] = t.Value
	}
	return out, nil
}

// getFunctionConfiguration implements GetFunctionConfiguration.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
func (s *Service) getFunctionConfiguration(c *cloud.Call, in *FunctionInput) (*FunctionConfiguration, error) {
	f, err := s.allowed(c, "GetFunctionConfiguration", in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	configuration := f.configuration()
	return &configuration, nil
}

// ListFunctionsInput is the input of ListFunctions.
type ListFunctionsInput struct {
	FunctionVersion string `loc:"query" name:"FunctionVersion"`
	Marker          string `loc:"query" name:"Marker"`
	MaxItems        int    `loc:"query" name:"MaxItems"`
}

// ListFunctionsOutput is the output of ListFunctions.
type ListFunctionsOutput struct {
	Functions  []FunctionConfiguration
	NextMarker string `json:",omitempty"`
}

// listFunctions implements ListFunctions.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func (s *Service) listFunctions(c *cloud.Call, in *ListFunctionsInput) (*ListFunctionsOutput, error) {
	if err := c.Authorize("lambda:ListFunctions", "*", nil); err != nil {
		return nil, err
	}
	out := &ListFunctionsOutput{Functions: []FunctionConfiguration{}}
	for _, f := range s.functionsOf(c.Account()) {
		if f.region != c.Region || f.name <= in.Marker {
			continue
		}
		if len(out.Functions) == pageSize(in.MaxItems, 50) {
			out.NextMarker = out.Functions[len(out.Functions)-1].FunctionName
			break
		}
		out.Functions = append(out.Functions, f.configuration())
	}
	return out, nil
}

func pageSize(asked, most int) int {
	if asked < 1 || asked > most {
		return most
	}
	return asked
}
