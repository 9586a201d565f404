package front

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// endpoint is one control endpoint. What handle returns is written as JSON. An error becomes {"error": "…"} with status 400.
type endpoint struct {
	method, path string
	handle       func(r *http.Request) (any, error)
}

const (
	// IdleLimit is the limit of an advance until idle: a month of virtual time, which is longer than the longest grace period.
	IdleLimit = 31 * 24 * time.Hour
	// advanceLimit is the limit of one advance by seconds.
	advanceLimit = 10 * 365 * 24 * time.Hour
)

// control returns the table of control endpoints.
func (f *Front) control() []endpoint {
	return []endpoint{
		{"GET", "/_sandbox/state", func(*http.Request) (any, error) { return f.options.State(), nil }},
		{"GET", "/_sandbox/calls", f.calls},
		{"GET", "/_sandbox/events", f.events},
		{"POST", "/_sandbox/advance", f.advance},
		{"GET", "/_sandbox/faults", func(*http.Request) (any, error) { return map[string]any{"rules": f.options.Faults.Rules()}, nil }},
		{"POST", "/_sandbox/faults", f.addFault},
		{"DELETE", "/_sandbox/faults", func(*http.Request) (any, error) {
			f.options.Faults.Reset()
			return map[string]any{"rules": []Rule{}}, nil
		}},
		{"GET", "/_sandbox/ledger", func(*http.Request) (any, error) {
			return map[string]any{"ledger": f.options.Ledger()}, nil
		}},
		{"GET", "/_sandbox/operations", func(*http.Request) (any, error) { return map[string]any{"services": f.operations()}, nil }},
	}
}

func (f *Front) serveControl(w http.ResponseWriter, r *http.Request) {
	var allowed, all []string
	for _, e := range f.endpoints {
		all = append(all, e.method+" "+e.path)
		if e.path != r.URL.Path {
			continue
		}
		if e.method != r.Method {
			allowed = append(allowed, e.method)
			continue
		}
		answer, err := e.handle(r)
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
			return
		}
		reply(w, http.StatusOK, answer)
		return
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		reply(w, http.StatusMethodNotAllowed, map[string]any{"error": r.Method + " " + r.URL.Path + " is not possible", "allowed": allowed})
		return
	}
	reply(w, http.StatusNotFound, map[string]any{"error": "the sandbox has no " + r.URL.Path, "endpoints": all})
}

func reply(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"error": ` + strconv.Quote("encode answer: "+err.Error()) + "}\n")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	// An error means that the client has disconnected.
	_, _ = w.Write(b.Bytes())
}

// decodeStrict reads the JSON body of a control request; an unknown member is an error.
func decodeStrict(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		var tooLarge *http.MaxBytesError
		var wrongType *json.UnmarshalTypeError
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("the request has no body")
		case errors.As(err, &tooLarge):
			return errors.New("the body is larger than 1 MiB")
		case errors.As(err, &wrongType):
			return fmt.Errorf("%s cannot be %s", cmp.Or(wrongType.Field, "the body"), wrongType.Value)
		}
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body has more than one JSON value")
	}
	return nil
}

// calls returns the call log.
func (f *Front) calls(r *http.Request) (any, error) {
	calls, dropped, err := since(r, f.world.Calls(), func(c cloud.CallRecord) int { return c.Seq })
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return map[string]any{"calls": calls, "dropped": dropped}, nil
}

// events returns the events that buses received.
func (f *Front) events(r *http.Request) (any, error) {
	events, dropped, err := since(r, f.options.Received(), func(e cloud.Received) int { return e.Seq })
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return map[string]any{"events": events, "dropped": dropped}, nil
}

// since returns the part of a log after the sequence number in the request, and how many entries of that part the log has dropped.
func since[T any](r *http.Request, log []T, seq func(T) int) (part []T, dropped int, err error) {
	seen := 0
	for name, values := range r.URL.Query() {
		if seen, err = strconv.Atoi(values[0]); name != "since" || err != nil || seen < 0 {
			return nil, 0, fmt.Errorf("the one parameter is since=<seq>, not %s=%s", name, values[0])
		}
	}
	before := 0
	if len(log) > 0 {
		before = seq(log[0]) - 1
	}
	return append([]T{}, log[min(max(0, seen-before), len(log)):]...), max(0, before-seen), nil
}

func (f *Front) advance(r *http.Request) (any, error) {
	const usage = `say {"seconds": n} or {"until": "idle"}`
	var in struct {
		Seconds *float64 `json:"seconds"`
		Until   *string  `json:"until"`
	}
	if err := decodeStrict(r, &in); err != nil {
		return nil, fmt.Errorf("advance: %w; %s", err, usage)
	}
	switch {
	case (in.Seconds == nil) == (in.Until == nil):
		return nil, errors.New("advance: " + usage)
	case in.Until != nil && *in.Until != "idle":
		return nil, fmt.Errorf("advance: the world can be advanced until \"idle\", not until %q", *in.Until)
	case in.Until != nil:
		f.world.Clock.UntilIdle(IdleLimit)
	case *in.Seconds < 0 || *in.Seconds > advanceLimit.Seconds():
		return nil, fmt.Errorf("advance: seconds must be from 0 to %d", int(advanceLimit.Seconds()))
	default:
		f.world.Clock.Advance(time.Duration(*in.Seconds * float64(time.Second)))
	}
	underway := f.world.Clock.Underway()
	return map[string]any{"now": f.world.Clock.Now(), "idle": len(underway) == 0, "underway": underway}, nil
}

func (f *Front) addFault(r *http.Request) (any, error) {
	var rule Rule
	if err := decodeStrict(r, &rule); err != nil {
		return nil, fmt.Errorf("add fault: %w", err)
	}
	if err := f.options.Faults.Add(rule); err != nil {
		return nil, err
	}
	return map[string]any{"rules": f.options.Faults.Rules()}, nil
}

type supportedService struct {
	Service    string               `json:"service"`
	Protocol   string               `json:"protocol"`
	Operations []supportedOperation `json:"operations"`
}

type supportedOperation struct {
	Name     string `json:"name"`
	ReadOnly bool   `json:"readOnly"`
	// Trailed operations leave a CloudTrail record.
	Trailed bool `json:"trailed"`
}

// operations returns the operations that the sandbox supports.
func (f *Front) operations() []supportedService {
	names := map[cloud.Protocol]string{
		cloud.RESTXML: "REST-XML", cloud.RESTJSON: "REST-JSON", cloud.JSON10: "AWS JSON 1.0", cloud.JSON11: "AWS JSON 1.1",
		cloud.Query: "Query", cloud.EC2Query: "EC2 Query", cloud.RPCCBOR: "Smithy RPC v2 CBOR",
	}
	table := []supportedService{}
	for _, s := range f.world.Services() {
		row := supportedService{Service: s.Name, Protocol: names[s.Protocol], Operations: []supportedOperation{}}
		for _, op := range s.Operations {
			row.Operations = append(row.Operations, supportedOperation{op.Name, op.ReadOnly, !op.ReadOnly && !op.DataPlane})
		}
		slices.SortFunc(row.Operations, func(a, b supportedOperation) int { return strings.Compare(a.Name, b.Name) })
		table = append(table, row)
	}
	return table
}
