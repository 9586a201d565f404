package wire

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

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

// Major types of CBOR.
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborList
	cborMap
	cborTag
	cborSimple
)

// cborReader turns a document into JSON, which then is read as strictly as any other body.
type cborReader struct {
	rest []byte
	deep int
}

// deepest is far more than any input of a service has levels.
const deepest = 64

var errCBOR = errors.New("the body is not CBOR: it ends too early")

func jsonOfCBOR(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	r := &cborReader{rest: body}
	text, err := r.value(nil)
	if err == nil && len(r.rest) > 0 {
		err = fmt.Errorf("the body is not CBOR: %d bytes follow it", len(r.rest))
	}
	return text, err
}

// head reads a type and its argument. An indefinite length is -1.
func (r *cborReader) head() (major byte, info byte, argument int64, err error) {
	if len(r.rest) == 0 {
		return 0, 0, 0, errCBOR
	}
	major, info = r.rest[0]>>5, r.rest[0]&31
	r.rest = r.rest[1:]
	switch {
	case info < 24:
		return major, info, int64(info), nil
	case info == 31:
		return major, info, -1, nil
	case info > 27:
		return 0, 0, 0, fmt.Errorf("the body is not CBOR: %d is no length", info)
	}
	size := 1 << (info - 24)
	if len(r.rest) < size {
		return 0, 0, 0, errCBOR
	}
	wide := make([]byte, 8)
	copy(wide[8-size:], r.rest)
	r.rest = r.rest[size:]
	return major, info, int64(binary.BigEndian.Uint64(wide)), nil
}

func (r *cborReader) value(b []byte) ([]byte, error) {
	if r.deep++; r.deep > deepest {
		return nil, fmt.Errorf("the body has more than %d levels", deepest)
	}
	defer func() { r.deep-- }()
	major, info, n, err := r.head()
	if err != nil {
		return nil, err
	}
	switch major {
	case cborUint:
		return strconv.AppendUint(b, uint64(n), 10), nil
	case cborNegative:
		return strconv.AppendInt(b, -1-n, 10), nil
	case cborBytes, cborText:
		text, err := r.text(major, n)
		if err == nil && major == cborBytes {
			text = base64.StdEncoding.EncodeToString([]byte(text))
		}
		return appendString(b, text), err
	case cborList:
		b, err = r.items(append(b, '['), n, r.value)
		return append(b, ']'), err
	case cborMap:
		b, err = r.items(append(b, '{'), n, func(b []byte) ([]byte, error) {
			b, err := r.value(b)
			if err != nil {
				return nil, err
			}
			return r.value(append(b, ':'))
		})
		return append(b, '}'), err
	case cborTag:
		return r.value(b) // a time is written as its number
	}
	switch info {
	case 20, 21:
		return strconv.AppendBool(b, info == 21), nil
	case 22, 23:
		return append(b, "null"...), nil
	case 26:
		return strconv.AppendFloat(b, float64(math.Float32frombits(uint32(n))), 'g', -1, 32), nil
	case 27:
		return strconv.AppendFloat(b, math.Float64frombits(uint64(n)), 'g', -1, 64), nil
	}
	return nil, fmt.Errorf("the body is not CBOR that the sandbox knows: simple value %d", info)
}

func (r *cborReader) text(major byte, n int64) (string, error) {
	if n >= 0 {
		if n > int64(len(r.rest)) {
			return "", errCBOR
		}
		text := string(r.rest[:n])
		r.rest = r.rest[n:]
		return text, nil
	}
	var all strings.Builder
	for !r.over() {
		part, _, size, err := r.head()
		if err != nil {
			return "", err
		}
		if part != major || size < 0 {
			return "", errors.New("the body is not CBOR: a part of a string is none")
		}
		text, err := r.text(major, size)
		if err != nil {
			return "", err
		}
		all.WriteString(text)
	}
	return all.String(), nil
}

// items reads n items, or items up to a break.
func (r *cborReader) items(b []byte, n int64, item func([]byte) ([]byte, error)) ([]byte, error) {
	for i := int64(0); i != n; i++ {
		if n < 0 && r.over() {
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = item(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (r *cborReader) over() bool {
	if len(r.rest) > 0 && r.rest[0] == 0xff {
		r.rest = r.rest[1:]
		return true
	}
	return false
}

func cborHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n <= math.MaxUint8:
		return append(b, major<<5|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), n)
}

func cborString(b []byte, s string) []byte {
	return append(cborHead(b, cborText, uint64(len(s))), s...)
}

func cborFloat(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, cborSimple<<5|27), math.Float64bits(f))
}

// appendCBOR writes what appendJSON writes, in CBOR.
func (t *types) appendCBOR(b []byte, v reflect.Value) ([]byte, error) {
	if !v.IsValid() {
		return cborHead(b, cborMap, 0), nil
	}
	info, err := t.of(v.Type())
	if err != nil {
		return nil, err
	}
	switch info.kind {
	case pointer:
		if v.IsNil() {
			return append(b, cborSimple<<5|22), nil
		}
		return t.appendCBOR(b, v.Elem())
	case instant:
		return cborFloat(cborHead(b, cborTag, 1), float64(v.Interface().(time.Time).UnixMilli())/1000), nil
	case structure:
		var present []*member
		for _, m := range info.shape.body {
			if f := v.FieldByIndex(m.index); m.json != "" && !absent(f) && (!m.jsonOmit || !empty(f)) {
				present = append(present, m)
			}
		}
		b = cborHead(b, cborMap, uint64(len(present)))
		for _, m := range present {
			if b, err = t.appendCBOR(cborString(b, m.json), v.FieldByIndex(m.index)); err != nil {
				return nil, fmt.Errorf("%s: %w", m.json, err)
			}
		}
		return b, nil
	case list:
		b = cborHead(b, cborList, uint64(v.Len()))
		for i := range v.Len() {
			if b, err = t.appendCBOR(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return b, nil
	case scalar:
		return cborScalar(b, v), nil
	}
	return nil, fmt.Errorf("a %s cannot travel in CBOR", v.Type())
}

func cborScalar(b []byte, v reflect.Value) []byte {
	switch {
	case v.Kind() == reflect.String:
		return cborString(b, v.String())
	case v.Kind() == reflect.Bool && v.Bool():
		return append(b, cborSimple<<5|21)
	case v.Kind() == reflect.Bool:
		return append(b, cborSimple<<5|20)
	case v.CanFloat():
		return cborFloat(b, v.Float())
	case v.CanUint():
		return cborHead(b, cborUint, v.Uint())
	case v.Int() < 0:
		return cborHead(b, cborNegative, uint64(-1-v.Int()))
	}
	return cborHead(b, cborUint, uint64(v.Int()))
}

// errorCBOR is what a client reads an error from.
func errorCBOR(e *cloud.Error) []byte {
	b := cborHead(nil, cborMap, 2)
	b = cborString(cborString(b, "__type"), e.Code)
	return cborString(cborString(b, "message"), e.Message)
}
