package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Smithy RPC v2: POST /service/<TargetPrefix>/operation/<name>, with a body in CBOR (RFC 8949).
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func (c *Codec) decodeRPC(r *http.Request, body []byte) (*cloud.Operation, any, *cloud.Error) {
	service, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/service/"), "/operation/")
	if !ok || service != c.service.TargetPrefix {
		return nil, nil, cloud.Errorf(http.StatusNotFound, "UnknownOperationException",
			"the sandbox expects POST /service/%s/operation/<operation> for %s, not %s", c.service.TargetPrefix, c.service.Name, r.URL.Path)
	}
	op := c.names[name]
	if op == nil {
		return nil, nil, cloud.NotImplemented(c.service.Name, name)
	}
	text, err := jsonOfCBOR(body)
	if err != nil {
		return nil, nil, malformed("SerializationException", c.service, op, err)
	}
	in := op.NewInput()
	if err := c.types.decodeJSON(text, reflect.ValueOf(in).Elem(), ""); err != nil {
		return nil, nil, malformed("SerializationException", c.service, op, err)
	}
	return op, in, nil
}

// deepest is far more than any input of a service has levels.
const deepest = 64

var (
	cborReader = must(cbor.DecOptions{
		DupMapKey:            cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:      deepest,
		DefaultMapType:       reflect.TypeFor[map[string]any](),
		UnrecognizedTagToAny: cbor.UnrecognizedTagContentToAny,
		SimpleValues:         must(cbor.NewSimpleValueRegistryFromDefaults(rejectOtherSimpleValues)),
		NaN:                  cbor.NaNDecodeForbidden, // JSON has neither
		Inf:                  cbor.InfDecodeForbidden,
	}.DecMode())
	// Sorted, so that the same answer has the same bytes.
	cborWriter = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, NilContainers: cbor.NilContainerAsEmpty}.EncMode())
)

// must returns what was made of options that are constants.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rejectOtherSimpleValues leaves false, true, null and undefined. 24 to 31 are reserved.
func rejectOtherSimpleValues(r *cbor.SimpleValueRegistry) error {
	for v := range 256 {
		if v >= 20 && v <= 31 {
			continue
		}
		if err := cbor.WithRejectedSimpleValue(cbor.SimpleValue(v))(r); err != nil {
			return err
		}
	}
	return nil
}

// jsonOfCBOR turns a document into JSON, which then is read as strictly as any other body.
func jsonOfCBOR(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	var v any
	if err := cborReader.Unmarshal(body, &v); err != nil {
		return nil, fmt.Errorf("the body is not CBOR that the sandbox knows: %w", err)
	}
	return json.Marshal(v)
}

// encodeCBOR writes what appendJSON writes, in CBOR.
func (t *types) encodeCBOR(v reflect.Value) ([]byte, error) {
	plain, err := t.plain(v)
	if err != nil {
		return nil, err
	}
	return cborWriter.Marshal(plain)
}

// plain returns v with its structures as maps, so that the members are those of appendJSON.
func (t *types) plain(v reflect.Value) (any, error) {
	if !v.IsValid() {
		return map[string]any{}, nil
	}
	info, err := t.of(v.Type())
	if err != nil {
		return nil, err
	}
	switch info.kind {
	case pointer:
		if v.IsNil() {
			return nil, nil
		}
		return t.plain(v.Elem())
	case instant:
		// By hand: the library divides nanoseconds, and is off by a bit from what AWS's milliseconds are.
		return cbor.Tag{Number: 1, Content: float64(v.Interface().(time.Time).UnixMilli()) / 1000}, nil
	case structure:
		members := make(map[string]any, len(info.shape.body))
		for _, m := range info.shape.body {
			f := v.FieldByIndex(m.index)
			if m.json == "" || absent(f) || m.jsonOmit && empty(f) {
				continue
			}
			if members[m.json], err = t.plain(f); err != nil {
				return nil, fmt.Errorf("%s: %w", m.json, err)
			}
		}
		return members, nil
	case list:
		items := make([]any, v.Len())
		for i := range items {
			if items[i], err = t.plain(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return items, nil
	case scalar, blob:
		return v.Interface(), nil
	}
	return nil, fmt.Errorf("a %s cannot travel in CBOR", v.Type())
}

// errorCBOR is what a client reads an error from.
func errorCBOR(e *cloud.Error) []byte {
	return must(cborWriter.Marshal(map[string]string{"__type": e.Code, "message": e.Message})) // two strings always have a form
}
