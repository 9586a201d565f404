package lambda

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// largestResponse is the maximum synchronous response in bytes: 6 MiB and 100 bytes according to AWS's error message, 6 MB
// according to its quota page. Assumption LAMBDA-03.
const largestResponse = 6<<20 + 100

// runtimeAPI serves the Lambda Runtime API, version 2018-06-01.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (p *process) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", p.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", p.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", p.initFailure)
	return mux
}

func (p *process) serveNext(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	if !p.isReady {
		p.isReady = true
		close(p.ready)
	}
	if p.current != nil && p.current.answered {
		close(p.current.done)
		p.current = nil
	}
	p.mu.Unlock()
	select {
	case v := <-p.next:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		// The deadline is in real time, because the process compares it with its own clock.
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", v.function)
		h.Set("Lambda-Runtime-Trace-Id", v.trace)
		_, _ = w.Write(v.payload)
	case <-r.Context().Done():
	}
}

func (p *process) response(w http.ResponseWriter, r *http.Request) {
	body, tooLarge, err := readBody(r)
	if err != nil {
		return // the process died while writing; reap handles its end
	}
	if tooLarge {
		f := responseTooLarge()
		if p.settle(w, r.PathValue("id"), f.document(r.PathValue("id")), true) {
			reply(w, http.StatusRequestEntityTooLarge, map[string]string{"errorType": "RequestEntityTooLarge", "errorMessage": f.Message})
		}
		return
	}
	failed := false
	// A handler that streams its response and fails halfway reports the error in trailers.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		failed = true
		body, err = base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil || len(body) == 0 {
			f := failure{Type: kind, Message: "the answer broke off"}
			body = f.document(r.PathValue("id"))
		}
	}
	if p.settle(w, r.PathValue("id"), body, failed) {
		reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
	}
}

func (p *process) failure(w http.ResponseWriter, r *http.Request) {
	body, _, err := readBody(r)
	if err != nil {
		return
	}
	if p.settle(w, r.PathValue("id"), body, true) {
		reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
	}
}

func (p *process) initFailure(w http.ResponseWriter, r *http.Request) {
	body, _, err := readBody(r)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.initError = &failure{raw: body}
	p.mu.Unlock()
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// settle records the outcome of the invocation. If it is invalid, settle responds with the Runtime API's error and returns false.
func (p *process) settle(w http.ResponseWriter, id string, payload []byte, failed bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current == nil || p.current.id != id:
		reply(w, http.StatusBadRequest, map[string]string{"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
		return false
	case p.current.answered:
		reply(w, http.StatusForbidden, map[string]string{
			"errorType": "InvalidStateTransition", "errorMessage": "The invocation has been answered already",
		})
		return false
	}
	p.current.answered, p.current.failed, p.current.answer = true, failed, payload
	return true
}

// readBody reads the whole body, even if it is too large, because a client that is still writing would miss the response.
func readBody(r *http.Request) (body []byte, tooLarge bool, err error) {
	body, err = io.ReadAll(io.LimitReader(r.Body, largestResponse+1))
	if err != nil || len(body) <= largestResponse {
		return body, false, err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return nil, true, err
}

func reply(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}
