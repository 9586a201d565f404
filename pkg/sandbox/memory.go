package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// memory carries requests to the front door without a connection, for clients and function instances in this process.
type memory struct{ door http.Handler }

// RoundTrip implements http.RoundTripper. A call without a response is an error, like a broken connection.
func (m *memory) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	arrived := arrival(r)
	defer arrived.Body.Close()
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint // it is never wrapped
				panic(p)
			}
			response, err = nil, io.ErrUnexpectedEOF
		}
	}()
	m.door.ServeHTTP(answer, arrived)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.response(r), nil
}

// Do implements aws.HTTPClient.
func (m *memory) Do(r *http.Request) (*http.Response, error) { return m.RoundTrip(r) }

// arrival returns a request as a server receives it.
func arrival(r *http.Request) *http.Request {
	in := *r
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.RequestURI, in.RemoteAddr = in.URL.RequestURI(), loopback
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.Header = make(http.Header, len(r.Header))
	for name, values := range r.Header {
		in.Header[http.CanonicalHeaderKey(name)] = values
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return &in
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header      http.Header
	status      int
	wroteHeader bool
	body        bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.wroteHeader {
		a.status, a.wroteHeader = status, true
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.wroteHeader = true
	return a.body.Write(b)
}

func (a *answer) response(r *http.Request) *http.Response {
	a.header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, ContentLength: int64(a.body.Len()), Body: io.NopCloser(&a.body), Request: r,
	}
}
