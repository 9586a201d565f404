// Package wire translates between HTTP and the operations of a service, in each of the wire formats of AWS.
//
// Bindings come from the struct tags that cloud.Service documents. Decoding is strict: a member, parameter or operation that the
// sandbox does not know is an error that names it. Nothing is ignored silently.
package wire

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/originhub/originhub/pkg/sandbox/internal/cloud"
)

// Codec encodes and decodes the protocol of one service. It is safe for concurrent use.
type Codec struct {
	service *cloud.Service
	names   map[string]*cloud.Operation
	routes  []route
	types   *types
}

// New returns the codec of a service. It fails if an input type of the service cannot be bound.
func New(s *cloud.Service) (*Codec, error) {
	c := &Codec{service: s, names: map[string]*cloud.Operation{}, types: &types{}}
	for i := range s.Operations {
		op := &s.Operations[i]
		if c.names[op.Name] != nil {
			return nil, fmt.Errorf("prepare %s: operation %s is defined twice", s.Name, op.Name)
		}
		c.names[op.Name] = op
		sh, err := c.types.inputShape(op)
		if err != nil {
			return nil, fmt.Errorf("prepare %s %s: %w", s.Name, op.Name, err)
		}
		if !rest(s.Protocol) {
			continue
		}
		r, err := newRoute(op, sh)
		if err != nil {
			return nil, fmt.Errorf("prepare %s %s: %w", s.Name, op.Name, err)
		}
		c.routes = append(c.routes, r)
	}
	return c, nil
}

// Decode finds the operation of a request and decodes its input.
func (c *Codec) Decode(r *http.Request, body []byte) (*cloud.Operation, any, *cloud.Error) {
	switch c.service.Protocol {
	case cloud.RESTXML, cloud.RESTJSON:
		return c.decodeREST(r, body)
	case cloud.JSON10, cloud.JSON11:
		return c.decodeTarget(r, body)
	case cloud.RPCCBOR:
		return c.decodeRPC(r, body)
	default:
		return c.decodeForm(r, body)
	}
}

func (c *Codec) decodeTarget(r *http.Request, body []byte) (*cloud.Operation, any, *cloud.Error) {
	target := r.Header.Get("X-Amz-Target")
	dot := strings.LastIndex(target, ".")
	prefix, name := target[:max(dot, 0)], target[dot+1:]
	// Older clients, such as the AWS CLI, send the whole package: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101".
	if prefix != c.service.TargetPrefix && !strings.HasSuffix(prefix, "."+c.service.TargetPrefix) {
		return nil, nil, cloud.Errorf(http.StatusBadRequest, "UnknownOperationException",
			"the sandbox expects X-Amz-Target: %s.<operation> for %s, not %q", c.service.TargetPrefix, c.service.Name, target)
	}
	op := c.names[name]
	if op == nil {
		return nil, nil, cloud.NotImplemented(c.service.Name, name)
	}
	in := op.NewInput()
	if err := c.types.decodeJSON(body, reflect.ValueOf(in).Elem(), ""); err != nil {
		return nil, nil, malformed("SerializationException", c.service, op, err)
	}
	return op, in, nil
}

// Encode writes the output of an operation.
func (c *Codec) Encode(w http.ResponseWriter, op *cloud.Operation, requestID string, out any) error {
	v := reflect.ValueOf(out)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	status := op.Status
	if status == 0 {
		status = http.StatusOK
	}
	var b []byte
	var contentType string
	var err error
	switch c.service.Protocol {
	case cloud.RESTXML, cloud.RESTJSON:
		b, contentType, err = c.encodeREST(w.Header(), op, v, &status)
	case cloud.JSON10, cloud.JSON11:
		contentType = c.contentType()
		b, err = c.types.appendJSON(nil, v)
	case cloud.RPCCBOR:
		contentType = c.contentType()
		b, err = c.types.encodeCBOR(v)
	default:
		contentType = c.contentType()
		b, err = c.encodeForm(op, requestID, v)
	}
	if err != nil {
		return fmt.Errorf("encode output of %s %s: %w", c.service.Name, op.Name, err)
	}
	write(w, c.service, status, requestID, contentType, b)
	return nil
}

func (c *Codec) contentType() string {
	switch c.service.Protocol {
	case cloud.JSON10:
		return "application/x-amz-json-1.0"
	case cloud.JSON11:
		return "application/x-amz-json-1.1"
	case cloud.RESTJSON:
		return "application/json"
	case cloud.RPCCBOR:
		return "application/cbor"
	case cloud.EC2Query:
		return "text/xml;charset=UTF-8"
	default:
		return "text/xml"
	}
}

func write(w http.ResponseWriter, s *cloud.Service, status int, requestID, contentType string, body []byte) {
	h := w.Header()
	h.Set("X-Amzn-Requestid", requestID)
	if s.Name == "dynamodb" {
		// Clients of DynamoDB check the body against this, and close the connection if it is wrong or absent.
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	if s.Protocol == cloud.RPCCBOR {
		h.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if len(body) > 0 {
		h.Set("Content-Type", contentType)
	}
	if status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	// An error means that the client has disconnected. Its call has had its effect.
	_, _ = w.Write(body)
}

func rest(p cloud.Protocol) bool { return p == cloud.RESTXML || p == cloud.RESTJSON }

// malformed returns the error of an input that cannot be decoded.
func malformed(code string, s *cloud.Service, op *cloud.Operation, err error) *cloud.Error {
	return cloud.Errorf(http.StatusBadRequest, code, "%s %s: %v", s.Name, op.Name, err)
}

// types caches the reflection of input and output types.
type types struct{ known sync.Map } // reflect.Type → *typeInfo
