package lambda

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

func TestFunctionsAreChecked(t *testing.T) {
	b := newBench(t)
	valid := `"Code": {"S3Bucket": "assets", "S3Key": "asset.zip"}, "Handler": "bootstrap", "Runtime": "provided.al2023", "Role": "` + roleARN + `"`
	for properties, want := range map[string]string{
		strings.Replace(valid, "asset.zip", "other.zip", 1):                                        "find asset Code.S3Key other.zip: no such asset",
		strings.Replace(valid, `"S3Bucket": "assets", "S3Key": "asset.zip"`, `"ZipFile": "x"`, 1):  "Code.ZipFile is not supported",
		strings.Replace(valid, `"S3Bucket": "assets", "S3Key": "asset.zip"`, `"ImageUri": "x"`, 1): "Code.ImageUri is not supported",
		strings.Replace(valid, `"S3Key": "asset.zip"`, `"S3Key": ""`, 1):                           "Code.S3Key is missing",
		strings.Replace(valid, "provided.al2023", "nodejs22.x", 1):                                 "Runtime nodejs22.x is not supported",
		strings.Replace(valid, "bootstrap", "", 1):                                                 "Handler is missing",
		strings.Replace(valid, roleARN, "hub", 1):                                                  `Role "hub" is not the ARN`,
		strings.Replace(valid, "function-role", "nobody", 1):                                       "The role defined for the function cannot be assumed by Lambda",
		valid + `, "Layers": ["x"]`:                                                                "Layers are not supported",
		valid + `, "VpcConfig": {}`:                                                                `unknown field "VpcConfig"`,
		valid + `, "FunctionName": "a b"`:                                                          "FunctionName a b must match",
		valid + `, "Timeout": 901`:                                                                 "Timeout is 901; it must be from 1 to 900",
		valid + `, "MemorySize": "64"`:                                                             "MemorySize is 64",
		valid + `, "Environment": {"Variables": {"AWS_REGION": "x"}}`:                              "Reserved keys used in this request: AWS_REGION",
		valid + `, "Environment": {"Variables": {"AWS_ENDPOINT_URL_SQS": "x"}}`:                    "AWS_ENDPOINT_URL_SQS is set by the sandbox itself",
		valid + `, "Environment": {"Variables": {"A": "` + strings.Repeat("x", 4096) + `"}}`:       "at most 4096",
		valid + `, "DeadLetterConfig": {"TargetArn": "arn:aws:s3:::bucket"}`:                       "DeadLetterConfig.TargetArn arn:aws:s3:::bucket is neither a queue nor a topic",
	} {
		_, err := b.resourceType("AWS::Lambda::Function").Create(b.request("Fn", "{"+properties+"}"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Fn") {
			t.Errorf("%s\n%v, want %s", properties, err, want)
		}
	}
	first := b.create("AWS::Lambda::Function", "Fn", "{"+valid+"}")
	if !strings.HasPrefix(first.Ref, "test-Fn-") || first.Attributes["Arn"] != "arn:aws:lambda:us-east-1:100000000000:function:"+first.Ref {
		t.Errorf("%+v", first)
	}
	b.function(`"FunctionName": "one",`)
	if _, err := b.resourceType("AWS::Lambda::Function").Create(b.request("Fn", functionTemplate(`"FunctionName": "one",`))); err == nil {
		t.Error("there are two functions of one name")
	}
}

func TestAnUpdateReachesTheNextInvocation(t *testing.T) {
	b := newBench(t)
	kind := b.resourceType("AWS::Lambda::Function")
	old := b.create("AWS::Lambda::Function", "Fn", functionTemplate(`"FunctionName": "wire",`))
	arn := old.Attributes["Arn"]
	b.create("AWS::Lambda::Permission", "P", `{"Action": "lambda:InvokeFunction", "FunctionName": "wire", "Principal": "*"}`)
	before := b.served(arn)
	updated, err := kind.Update(b.request("Fn", functionTemplate(`"Environment": {"Variables": {"NEW": "yes"}},`)), old)
	if err != nil || updated.Ref != "wire" {
		t.Fatal(updated, err)
	}
	if running(before.PID) {
		t.Error("the old process is still there")
	}
	var env []string
	b.decode(b.invoke(arn, `{"do":"environment"}`), &env)
	if !slices.Contains(env, "NEW=yes") {
		t.Error(env)
	}
	out, err := b.world.Invoke(cloud.Root(account), region, "lambda", "GetPolicy", &FunctionInput{FunctionName: "wire"})
	if err != nil || !strings.Contains(out.(*GetPolicyOutput).Policy, `"Principal":"*"`) {
		t.Error("the update lost the resource policy:", out, err)
	}
	if _, err := kind.Update(b.request("Fn", functionTemplate(`"FunctionName": "other",`)), old); err == nil {
		t.Error("a function was renamed")
	}
	last := b.served(arn)
	if err := kind.Delete(b.request("Fn", ""), old); err != nil {
		t.Fatal(err)
	}
	if running(last.PID) {
		t.Error("the process of a deleted function is still there")
	}
	if _, err := b.lambda.Invoke(arn, nil); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Error(err)
	}
}

func TestAnUpdateWaitsForTheInvocationUnderWay(t *testing.T) {
	b := newBench(t)
	old := b.create("AWS::Lambda::Function", "Fn", functionTemplate(`"FunctionName": "wire", "Timeout": 20,`))
	arn := old.Attributes["Arn"]
	before := b.served(arn)
	updated := false
	b.onCall = func(http.ResponseWriter, string) {
		_, err := b.resourceType("AWS::Lambda::Function").Update(b.request("Fn", functionTemplate(`"Timeout": 21,`)), old)
		updated = err == nil
	}
	b.decode(b.invoke(arn, `{"do":"call"}`), new(int))
	if !updated || running(before.PID) {
		t.Error("updated:", updated, "old process still there:", running(before.PID))
	}
	if s := b.served(arn); s.PID == before.PID {
		t.Error("the old process serves on")
	}
}

func TestFunctionsAreListedAndDescribed(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"c", "a", "b"} {
		b.function(fmt.Sprintf(`"FunctionName": %q, "Tags": [{"Key": "team", "Value": "x"}], "ReservedConcurrentExecutions": 3, "Environment": {"Variables": {"A": "1"}},`, name))
	}
	var names []string
	marker := ""
	for range 3 {
		out, err := b.world.Invoke(cloud.Root(account), region, "lambda", "ListFunctions", &ListFunctionsInput{MaxItems: 2, Marker: marker})
		if err != nil {
			t.Fatal(err)
		}
		list := out.(*ListFunctionsOutput)
		for _, f := range list.Functions {
			names = append(names, f.FunctionName)
		}
		if marker = list.NextMarker; marker == "" {
			break
		}
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Error(names)
	}
	out, err := b.world.Invoke(cloud.Root(account), region, "lambda", "GetFunction", &FunctionInput{FunctionName: "a", Qualifier: "$LATEST"})
	if err != nil {
		t.Fatal(err)
	}
	f := out.(*GetFunctionOutput)
	if f.Tags["team"] != "x" || f.Concurrency.ReservedConcurrentExecutions != 3 || f.Configuration.Environment.Variables["A"] != "1" ||
		f.Configuration.Timeout != 3 || f.Configuration.MemorySize != 128 || f.Configuration.CodeSize == 0 || f.Code.Location != os.Getenv("LAMBDA_TEST_ASSET") {
		t.Errorf("%+v", f)
	}
	configuration, err := b.world.Invoke(cloud.Root(account), region, "lambda", "GetFunctionConfiguration", &FunctionInput{FunctionName: "a"})
	if err != nil || configuration.(*FunctionConfiguration).LastModified != "2035-01-08T09:00:00.000+0000" {
		t.Errorf("%+v %v", configuration, err)
	}
}

func TestLogGroupsAreOneOfAKind(t *testing.T) {
	b := newBench(t)
	kind := b.resourceType("AWS::Logs::LogGroup")
	group := b.create("AWS::Logs::LogGroup", "Logs", `{}`)
	if !strings.HasPrefix(group.Ref, "test-Logs-") || group.Attributes["Arn"] != "arn:aws:logs:us-east-1:100000000000:log-group:"+group.Ref+":*" {
		t.Errorf("%+v", group)
	}
	if _, err := kind.Update(b.request("Logs", `{"RetentionInDays": 7}`), group); err != nil {
		t.Error(err)
	}
	if _, err := kind.Update(b.request("Logs", `{"LogGroupName": "other"}`), group); err == nil {
		t.Error("a log group was renamed")
	}
	if _, err := kind.Create(b.request("Again", fmt.Sprintf(`{"LogGroupName": %q}`, group.Ref))); err == nil {
		t.Error("there are two log groups of one name")
	}
	if groups := b.lambda.LogGroups(account); len(groups) != 1 || groups[0].RetentionInDays != 7 {
		t.Errorf("%+v", groups)
	}
	if err := kind.Delete(b.request("Logs", ""), group); err != nil || len(b.lambda.LogGroups(account)) > 0 {
		t.Error(err)
	}
}

func TestAssumption_LAMBDA_01_InvocationsTakeNoVirtualTime(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"Timeout": 20,`)
	b.invoke(arn, `{"do":"call"}`)
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: arn, InvocationType: "Event"}); err != nil {
		t.Fatal(err)
	}
	b.world.Clock.UntilIdle(time.Hour)
	if !b.world.Clock.Now().Equal(cloud.DefaultStart) {
		t.Error(b.world.Clock.Now())
	}
}

func TestAssumption_LAMBDA_02_EveryErrorIsUnhandled(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"Timeout": 20,`)
	for _, payload := range []string{`{"do":"error"}`, `{"do":"panic"}`, `{"do":"exit"}`} {
		if r := b.invoke(arn, payload); r.FunctionError != "Unhandled" {
			t.Errorf("%s: %s", payload, r.FunctionError)
		}
	}
}

func TestAssumption_LAMBDA_03_TheLargestAnswer(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"Timeout": 20,`)
	// Two quotes belong to the answer.
	if r := b.invoke(arn, fmt.Sprintf(`{"do":"big","size":%d}`, largestResponse-2)); r.FunctionError != "" || len(r.Payload) != 6291556 {
		t.Errorf("%s, %d bytes", r.FunctionError, len(r.Payload))
	}
	if r := b.invoke(arn, fmt.Sprintf(`{"do":"big","size":%d}`, largestResponse-1)); r.ErrorType != "Function.ResponseSizeTooLarge" {
		t.Errorf("%s, %d bytes", r.ErrorType, len(r.Payload))
	}
}

func TestAssumption_LAMBDA_04_AnInvocationEndsWithTheNextRequestForWork(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"Timeout": 20,`)
	// The process ends itself when it has reported a panic. By then the invocation has ended, and so has the process.
	before := b.served(arn)
	b.invoke(arn, `{"do":"panic"}`)
	if running(before.PID) {
		t.Error("the invocation was over before the process was")
	}
}

func TestAssumption_LAMBDA_08_OnlyLatest(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"FunctionName": "wire",`)
	for _, name := range []string{arn + ":1", arn + ":live", "wire:2"} {
		if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: name}); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.api(cloud.Root(account), &InvokeInput{FunctionName: "wire", Qualifier: "1"}); err == nil {
		t.Error("version 1 is there")
	}
}

func TestAssumption_LAMBDA_11_ArchitecturesIsOnlyReported(t *testing.T) {
	b := newBench(t)
	for _, architecture := range []string{"arm64", "x86_64"} {
		arn := b.function(fmt.Sprintf(`"FunctionName": %q, "Architectures": [%q],`, architecture, architecture))
		b.served(arn)
		out, err := b.world.Invoke(cloud.Root(account), region, "lambda", "GetFunctionConfiguration", &FunctionInput{FunctionName: arn})
		if err != nil || !slices.Equal(out.(*FunctionConfiguration).Architectures, []string{architecture}) {
			t.Errorf("%+v %v", out, err)
		}
	}
}

func TestAssumption_LAMBDA_14_TheDeadlineIsRealTime(t *testing.T) {
	b := newBench(t)
	arn := b.function(`"Timeout": 900,`)
	b.world.Clock.Advance(24 * time.Hour)
	var c struct{ Left float64 }
	b.decode(b.invoke(arn, `{"do":"context"}`), &c)
	if c.Left < 800 || c.Left > 900 {
		t.Errorf("%v seconds are left", c.Left)
	}
}
