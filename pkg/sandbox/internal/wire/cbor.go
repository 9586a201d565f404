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

// decodeRPC decodes a request of Smithy RPC v2: POST /service/<TargetPrefix>/operation/<name>, with a body in CBOR (RFC 8949).
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

// deepest is the maximum nesting depth, far above that of any input.
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
	// Members are sorted, so that the same output has the same bytes.
	cborWriter = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, NilContainers: cbor.NilContainerAsEmpty}.EncMode())
)

// must returns v. An error cannot happen, because the options are constants.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rejectOtherSimpleValues accepts false, true, null and undefined only. 24 to 31 are reserved.
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

// jsonOfCBOR returns a document as JSON, which is then decoded as strictly as any other body.
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

// encodeCBOR encodes what appendJSON writes, in CBOR.
func (t *types) encodeCBOR(v reflect.Value) ([]byte, error) {
	plain, err := t.plain(v)
	if err != nil {
		return nil, err
	}
	return cborWriter.Marshal(plain)
}

// plain returns v with its structures as maps, with the same members as appendJSON.
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
		// The library divides nanoseconds, which differs from AWS's milliseconds by one bit.
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
	return nil, fmt.Errorf("a %s cannot be encoded in CBOR", v.Type())
}

// errorCBOR returns the body of an error.
func errorCBOR(e *cloud.Error) []byte {
	return must(cborWriter.Marshal(map[string]string{"__type": e.Code, "message": e.Message})) // two strings always marshal
}
