package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// largestResponse is the most that a synchronous answer may carry, in bytes.
// Assumption LAMBDA-03: 6 MiB and 100 bytes, as AWS's own error message says; its quota page says 6 MB.
const largestResponse = 6<<20 + 100

// runtimeAPI serves the Lambda Runtime API, version 2018-06-01.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (i *instance) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", i.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", i.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", i.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", i.initFailure)
	return mux
}

func (i *instance) next(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	if !i.isReady {
		i.isReady = true
		close(i.ready)
	}
	if i.current != nil && i.current.answered {
		close(i.current.done)
		i.current = nil
	}
	i.mu.Unlock()
	select {
	case v := <-i.work:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		// The deadline is of the real clock: the process compares it with its own time, which is real.
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", v.function)
		h.Set("Lambda-Runtime-Trace-Id", v.trace)
		_, _ = w.Write(v.payload)
	case <-r.Context().Done():
	}
}

func (i *instance) response(w http.ResponseWriter, r *http.Request) {
	body, tooLarge, err := readBody(r)
	if err != nil {
		return // the process died while it spoke; the end of the process is what counts
	}
	if tooLarge {
		f := failure{
			Type:    "Function.ResponseSizeTooLarge",
			Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", largestResponse),
		}
		if i.settle(w, r.PathValue("id"), f.document(r.PathValue("id")), true) {
			reply(w, http.StatusRequestEntityTooLarge, map[string]string{"errorType": "RequestEntityTooLarge", "errorMessage": f.Message})
		}
		return
	}
	failed := false
	// A handler that streams its answer and fails half-way says so in trailers.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		failed = true
		body, err = base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil || len(body) == 0 {
			f := failure{Type: kind, Message: "the answer broke off"}
			body = f.document(r.PathValue("id"))
		}
	}
	if i.settle(w, r.PathValue("id"), body, failed) {
		reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
	}
}

func (i *instance) failure(w http.ResponseWriter, r *http.Request) {
	body, _, err := readBody(r)
	if err != nil {
		return
	}
	if i.settle(w, r.PathValue("id"), body, true) {
		reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
	}
}

func (i *instance) initFailure(w http.ResponseWriter, r *http.Request) {
	body, _, err := readBody(r)
	if err != nil {
		return
	}
	i.mu.Lock()
	i.initError = &failure{raw: body}
	i.mu.Unlock()
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// settle records the outcome of the invocation, or refuses it with the Runtime API's errors and returns false.
func (i *instance) settle(w http.ResponseWriter, id string, payload []byte, failed bool) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.current == nil || i.current.id != id:
		reply(w, http.StatusBadRequest, map[string]string{"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
		return false
	case i.current.answered:
		reply(w, http.StatusForbidden, map[string]string{
			"errorType": "InvalidStateTransition", "errorMessage": "The invocation has been answered already",
		})
		return false
	}
	i.current.answered, i.current.failed, i.current.answer = true, failed, payload
	return true
}

// readBody reads all of a body, also one that is too large: a client that is still writing would miss the answer.
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
