package lambda

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	stamp = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d `)
	stack = regexp.MustCompile(`,"stackTrace":\[.*\]`)
)

// The state machine goes by the type of an error, and people by the lines that it leaves.
func TestFailuresAreThoseOfAProcess(t *testing.T) {
	processes, residents := newBench(t), benchWith(t, resides())
	for name, c := range map[string]struct{ environment, payload string }{
		"an error of the function":   {"", `{"do":"error","text":"no luck"}`},
		"an error with a type":       {"", `{"do":"typed error","text":"no \"luck\" & <more>"}`},
		"a panic":                    {"", `{"do":"panic"}`},
		"a stream that breaks":       {"", `{"do":"stream"}`},
		"an event that is not one":   {"", `[]`},
		"an answer above 6 MiB":      {"", `{"do":"big","size":6300000}`},
		"a constructor that refuses": {`"Environment": {"Variables": {"INIT": "fail"}},`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			document := func(b *bench) (string, []string) {
				b.t = t
				arn := b.create("AWS::Lambda::Function", "Fn", functionTemplate(`"FunctionName": "`+strings.ReplaceAll(name, " ", "-")+`",`+c.environment)).Attributes["Arn"]
				r := b.invoke(arn, c.payload)
				if r.FunctionError != "Unhandled" {
					t.Errorf("it succeeds: %s", r.Payload)
				}
				var lines []string
				for _, group := range b.lambda.LogGroups(account) {
					if group.Name != "/aws/lambda/"+strings.ReplaceAll(name, " ", "-") {
						continue
					}
					for _, l := range group.Lines {
						line := strings.ReplaceAll(l.Message, r.RequestID, "<id>")
						lines = append(lines, stack.ReplaceAllString(stamp.ReplaceAllString(line, "<time> "), ""))
					}
				}
				return strings.ReplaceAll(stack.ReplaceAllString(string(r.Payload), ""), r.RequestID, "<id>"), lines
			}
			want, wantLines := document(processes)
			got, lines := document(residents)
			if got != want {
				t.Errorf("%s, of a process %s", got, want)
			}
			if strings.Contains(name, "6 MiB") || strings.Contains(name, "stream") {
				return // a process complains of the status that its answer got, and is silent of a stream
			}
			if !slices.Equal(lines, wantLines) {
				t.Errorf("lines %q, of a process %q", lines, wantLines)
			}
		})
	}
}

func TestPanicOfAConstructorEndsTheInstanceOnly(t *testing.T) {
	b := benchWith(t, func(context.Context, Hosting) (Handler, error) { panic("no luck") })
	r := b.invoke(b.function(""), `{}`)
	if r.ErrorType != "Runtime.ExitError" || !strings.Contains(string(r.Payload), "exit status 2") {
		t.Errorf("got %s", r.Payload)
	}
}

// handle is a handler that is a function.
type handle func(ctx context.Context, payload []byte) ([]byte, error)

func (h handle) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

// What is left of an instance that was killed, or took too long, goes on but has no effect.
func TestWhatIsLeftOfAnInstanceHasNoEffect(t *testing.T) {
	type remains struct {
		ctx, call, write error
	}
	for name, c := range map[string]struct{ properties, errorType string }{
		"killed":   {`"Timeout": 20,`, "Runtime.ExitError"},
		"too late": {`"Timeout": 1,`, "Sandbox.Timedout"},
	} {
		t.Run(name, func(t *testing.T) {
			over, left := make(chan struct{}), make(chan remains)
			started := 0
			b := benchWith(t, func(_ context.Context, h Hosting) (Handler, error) {
				started++
				first := started == 1
				return handle(func(ctx context.Context, _ []byte) ([]byte, error) {
					if !first {
						return []byte(`{}`), nil
					}
					client := &http.Client{Transport: h.Transport}
					get := func(path string) error {
						response, err := client.Get(h.Environment["AWS_ENDPOINT_URL"] + path)
						if err == nil {
							_ = response.Body.Close()
						}
						return err
					}
					if name == "killed" {
						if err := get("/fatal"); err == nil {
							return nil, errors.New("a dead instance got an answer")
						}
					}
					<-over
					_, wrote := h.Log.Write([]byte("still here\n"))
					left <- remains{ctx.Err(), get("/after"), wrote}
					return []byte(`"too late"`), nil
				}), nil
			})
			var calls []string
			b.onCall = func(_ http.ResponseWriter, path string) {
				calls = append(calls, path)
				if path == "/fatal" {
					b.lambda.Kill("Fn", b.sessions.current())
				}
			}
			arn := b.function(c.properties)
			if r := b.invoke(arn, `{}`); r.ErrorType != c.errorType {
				t.Errorf("got %s", r.Payload)
			}
			if r := b.invoke(arn, `{}`); r.FunctionError != "" || started != 2 {
				t.Errorf("%d instances were started, the second answers %s", started, r.Payload)
			}
			close(over)
			if r := <-left; r.ctx == nil || r.call == nil || r.write == nil {
				t.Errorf("what is left of it could go on: %+v", r)
			}
			if slices.Contains(calls, "/after") {
				t.Errorf("calls: %v", calls)
			}
			for _, group := range b.lambda.LogGroups(account) {
				for _, l := range group.Lines {
					if strings.Contains(l.Message, "still here") {
						t.Errorf("it logged %q", l.Message)
					}
				}
			}
		})
	}
}

func TestResidentGetsWhatAProcessInherits(t *testing.T) {
	var got Hosting
	b := benchWith(t, func(_ context.Context, h Hosting) (Handler, error) {
		got = h
		return handle(func(context.Context, []byte) ([]byte, error) { return []byte(`{}`), nil }), nil
	})
	b.invoke(b.function(`"FunctionName": "admit", "Environment": {"Variables": {"TABLE": "a=b"}},`), `{}`)
	if got.Asset != os.Getenv("LAMBDA_TEST_ASSET") || !got.Now().Equal(b.world.Clock.Now()) {
		t.Errorf("asset %s, now %v", got.Asset, got.Now())
	}
	for name, want := range map[string]string{
		"TABLE": "a=b", "LAMBDA_TASK_ROOT": got.Asset, "AWS_REGION": region, "AWS_ACCESS_KEY_ID": key(1), "AWS_ENDPOINT_URL": b.front.URL,
		"AWS_LAMBDA_FUNCTION_NAME": "admit", "PATH": "",
	} {
		if got.Environment[name] != want {
			t.Errorf("%s=%s, want %s", name, got.Environment[name], want)
		}
	}
	if _, set := os.LookupEnv("TABLE"); set {
		t.Error("it got into the environment of this process")
	}
}

func TestCloseEndsResidents(t *testing.T) {
	life := make(chan context.Context, 1)
	b := benchWith(t, func(ctx context.Context, _ Hosting) (Handler, error) {
		life <- ctx
		return handle(func(context.Context, []byte) ([]byte, error) { return []byte(`{}`), nil }), nil
	})
	b.invoke(b.function(""), `{}`)
	b.lambda.Close()
	select {
	case <-(<-life).Done():
	case <-time.After(10 * time.Second): // only to fail
		t.Error("the instance lives on")
	}
}
