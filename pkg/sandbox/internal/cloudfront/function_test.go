package cloudfront_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloudfront"
)

func TestAssumption_CF_24_FunctionLife(t *testing.T) {
	w := newWorld(t)
	arn := w.publish(hub, "f", "one")
	code := func(stage string) string {
		return string(must[cloudfront.GetFunctionOutput](w, hub, "GetFunction", &cloudfront.FunctionStageInput{Name: "f", Stage: stage}).FunctionCode)
	}
	running := func() (code string) {
		w.Do(func() { code, _ = w.cf.FunctionCode(arn) })
		return code
	}
	describe := must[cloudfront.FunctionOutput](w, hub, "DescribeFunction", &cloudfront.FunctionStageInput{Name: "f"})
	update := &cloudfront.UpdateFunctionInput{
		Name: "f", IfMatch: describe.ETag, FunctionConfig: &describe.FunctionSummary.FunctionConfig,
		FunctionCode: base64.StdEncoding.EncodeToString([]byte("two")),
	}
	updated := must[cloudfront.UpdateFunctionOutput](w, hub, "UpdateFunction", update)
	_, err := call[cloudfront.UpdateFunctionOutput](w, hub, "UpdateFunction", update)
	refused(t, err, 412, "PreconditionFailed")
	if code("DEVELOPMENT") != "two" || code("LIVE") != "one" || running() != "one" {
		t.Error("an update reached the live stage")
	}
	must[cloudfront.FunctionOutput](w, hub, "PublishFunction", &cloudfront.FunctionVersionInput{Name: "f", IfMatch: updated.ETag})
	if running() != "two" {
		t.Error("what was published does not run")
	}

	id := w.distribution(hub, config{functions: function("viewer-request", arn)})
	remove := &cloudfront.FunctionVersionInput{Name: "f", IfMatch: updated.ETag}
	_, err = call[cloudfront.Empty](w, hub, "DeleteFunction", remove)
	refused(t, err, 409, "FunctionInUse")
	if err := w.update(hub, id, config{}); err != nil {
		t.Fatal(err)
	}
	must[cloudfront.Empty](w, hub, "DeleteFunction", remove)
	_, err = call[cloudfront.FunctionOutput](w, hub, "DescribeFunction", &cloudfront.FunctionStageInput{Name: "f"})
	refused(t, err, 404, "NoSuchFunctionExists")
}

func TestFunctionRefusals(t *testing.T) {
	w := newWorld(t)
	w.publish(hub, "taken", "//")
	big := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", 10<<10+1)))
	for name, test := range map[string]struct {
		name, runtime, code string
		status              int
		want                string
	}{
		"taken": {"taken", "cloudfront-js-2.0", "Ly8=", 409, "FunctionAlreadyExists"}, "bad name": {"a b", "cloudfront-js-2.0", "Ly8=", 400, "InvalidArgument"},
		"runtime": {"f", "nodejs", "Ly8=", 400, "InvalidArgument"}, "too large": {"f", "cloudfront-js-2.0", big, 413, "FunctionSizeLimitExceeded"},
		"no code": {"f", "cloudfront-js-2.0", "", 400, "MalformedXML"}, "not base64": {"f", "cloudfront-js-2.0", "//", 400, "MalformedInput"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call[cloudfront.FunctionOutput](w, hub, "CreateFunction", &cloudfront.CreateFunctionInput{
				Name: test.name, FunctionConfig: &cloudfront.FunctionConfig{Runtime: test.runtime}, FunctionCode: test.code,
			})
			refused(t, err, test.status, test.want)
		})
	}
	if l := must[cloudfront.ListFunctionsOutput](w, hub, "ListFunctions", &cloudfront.ListFunctionsInput{}).FunctionList; l.Quantity != 2 {
		t.Errorf("%d stages listed, want DEVELOPMENT and LIVE of one function", l.Quantity)
	}
}
