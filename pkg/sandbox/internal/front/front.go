// Package front is the sandbox's HTTP server: every AWS service in every Region on one port, and the control endpoints under
// /_sandbox/.
package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
	"github.com/originhub/originhub/pkg/sandbox/internal/ledger"
	"github.com/originhub/originhub/pkg/sandbox/internal/wire"
)

// Options configure a Front.
type Options struct {
	World *cloud.World
	// Credentials returns the principal of a temporary access key.
	Credentials func(accessKeyID string) (cloud.Principal, bool)
	// State returns a snapshot of all accounts, ready for JSON.
	State func() map[string]any
	// Received returns the events that buses received.
	Received func() []cloud.Received
	// Ledger returns the modeled behaviors of AWS.
	Ledger func() []ledger.Entry
	Faults *Faults
}

// Front serves the AWS APIs and the control endpoints. It is an http.Handler.
type Front struct {
	options   Options
	world     *cloud.World
	codecs    map[string]*wire.Codec
	older     map[string]*wire.Codec // JSON 1.0 codecs of the services that speak CBOR
	endpoints []endpoint
}

// maxBody is the largest request body in bytes, well above the 6 MiB of a Lambda payload.
const maxBody = 16 << 20

// New returns a server of all services that are registered.
func New(o Options) (*Front, error) {
	f := &Front{options: o, world: o.World, codecs: map[string]*wire.Codec{}, older: map[string]*wire.Codec{}}
	for _, s := range o.World.Services() {
		codec, err := wire.New(s)
		if err != nil {
			return nil, err
		}
		f.codecs[s.Name] = codec
		if s.Protocol != cloud.RPCCBOR {
			continue
		}
		// A service that speaks CBOR still speaks JSON to clients that do not, such as the AWS CLI.
		older := *s
		older.Protocol = cloud.JSON10
		if f.older[s.Name], err = wire.New(&older); err != nil {
			return nil, err
		}
	}
	f.endpoints = f.control()
	return f, nil
}

// ServeHTTP serves one request. The Date header is the virtual time, which the sandbox's clients use.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := refusal(r); why != "" {
		http.Error(w, why, http.StatusForbidden)
		return
	}
	w.Header().Set("Date", f.world.Clock.Now().Format(http.TimeFormat))
	if strings.HasPrefix(r.URL.Path, "/_sandbox") {
		f.serveControl(w, r)
		return
	}
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			// A panic of a handler is a fault of the sandbox. The client must see it, and the sandbox must keep running.
			wire.EncodeError(w, stranger("", r), "", cloud.Errorf(http.StatusInternalServerError, "InternalFailure", "%v\n%s", p, debug.Stack()))
		}
	}()
	body, err := readBody(w, r)
	if err != nil {
		wire.EncodeError(w, stranger("", r), f.world.IDs.UUID(), cloud.Errorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "read body: %v", err))
		return
	}
	f.serveCall(w, r, body)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxBody {
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := io.Copy(&b, http.MaxBytesReader(w, r.Body, maxBody))
	return b.Bytes(), err
}

func (f *Front) serveCall(w http.ResponseWriter, r *http.Request, body []byte) {
	scope, err := parseScope(r)
	if err != nil {
		wire.EncodeError(w, stranger("", r), f.world.IDs.UUID(), err)
		return
	}
	codec := f.codecs[scope.service]
	if older := f.older[scope.service]; older != nil && r.Header.Get("X-Amz-Target") != "" {
		codec = older
	}
	if codec == nil {
		f.refuseService(w, r, scope.service, body)
		return
	}
	caller, ok := f.caller(scope.accessKey)
	if !ok {
		codec.EncodeError(w, f.world.IDs.UUID(), invalidKey(f.world.Service(scope.service).Protocol))
		return
	}
	op, in, err := codec.Decode(r, body)
	if err != nil {
		codec.EncodeError(w, f.world.IDs.UUID(), err)
		return
	}
	call := &cloud.Call{
		World: f.world, Service: f.world.Service(scope.service), Operation: op, Region: scope.region, Caller: caller,
		UserAgent: r.UserAgent(), SourceIP: host(r.RemoteAddr), SDKCall: r.Header.Get("Amz-Sdk-Invocation-Id"), Attempt: attempt(r),
	}
	out, failure := f.world.Perform(call, in)
	if errors.Is(failure, cloud.ErrNoResponse) {
		// The client must see a broken connection, not a response.
		panic(http.ErrAbortHandler)
	}
	if failure == nil {
		failure = codec.Encode(w, op, call.RequestID, out)
	}
	if failure != nil {
		codec.EncodeError(w, call.RequestID, cloud.AsError(failure))
	}
}

// caller returns the account itself for an access key of 12 digits, or else the principal of the temporary key.
func (f *Front) caller(accessKey string) (cloud.Principal, bool) {
	if cloud.IsAccount(accessKey) {
		return cloud.Root(accessKey), true
	}
	if f.options.Credentials == nil {
		return cloud.Principal{}, false
	}
	return f.options.Credentials(accessKey)
}

// attempt reads "attempt=2; max=4", which SDKs send with each call.
func attempt(r *http.Request) int {
	for part := range strings.SplitSeq(r.Header.Get("Amz-Sdk-Request"), ";") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(part), "attempt="); ok {
			n, _ := strconv.Atoi(text)
			return n
		}
	}
	return 0
}

func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return h
}

// refuseService responds to a call of a service that the sandbox does not have, in the client's protocol if the request shows it.
func (f *Front) refuseService(w http.ResponseWriter, r *http.Request, service string, body []byte) {
	wire.EncodeError(w, stranger(service, r), f.world.IDs.UUID(), cloud.NotImplemented(service, operationName(r, body)))
}

// stranger returns a service of which only the protocol is known, guessed from a request.
func stranger(name string, r *http.Request) *cloud.Service {
	s := &cloud.Service{Name: name, Protocol: cloud.RESTJSON}
	contentType := r.Header.Get("Content-Type")
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		s.Protocol = cloud.RPCCBOR
	case strings.HasPrefix(contentType, "application/x-amz-json-1.1"):
		s.Protocol = cloud.JSON11
	case r.Header.Get("X-Amz-Target") != "":
		s.Protocol = cloud.JSON10
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		s.Protocol = cloud.Query
	case strings.HasPrefix(contentType, "application/xml"), name == "s3", name == "cloudfront", name == "route53":
		s.Protocol = cloud.RESTXML
	}
	return s
}

func operationName(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); strings.Contains(target, ".") {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if _, name, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return name
	}
	for pair := range strings.SplitSeq(string(body[:min(len(body), 4096)]), "&") {
		if name, ok := strings.CutPrefix(pair, "Action="); ok {
			return name
		}
	}
	return fmt.Sprintf("%s %s", r.Method, r.URL.EscapedPath())
}
