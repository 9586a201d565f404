package sandbox

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// slowWriter is a connection whose writes return late: the one that ends a request not before the answer is being read.
type slowWriter struct {
	net.Conn
	end  []byte // of a request
	read chan struct{}
}

func (c *slowWriter) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if bytes.HasSuffix(b, c.end) {
		<-c.read
	}
	return n, err
}

// reading is the body of an answer. Its first read waits until the request has been written, as far as net/http knows.
type reading struct {
	io.ReadCloser
	begin func()
}

func (r *reading) Read(b []byte) (int, error) {
	r.begin()
	return r.ReadCloser.Read(b)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// On a loaded machine an answer may be there before the write that sent the request has returned. The call is not made twice
// for that.
func TestAnswerThatOvertakesItsRequestIsNotLost(t *testing.T) {
	s := start(t, Options{})
	body := strings.Repeat("x", 100_000) // more than net/http buffers, or the last write could not come before the last read
	queue := ok[*sqs.CreateQueueOutput](t)(sqs.NewFromConfig(s.Config(hub, region)).CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("q")})).QueueUrl

	read, wrote := make(chan struct{}), make(chan struct{})
	transport := s.client.Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return &slowWriter{c, []byte(`"}`), read}, err
	}
	t.Cleanup(transport.CloseIdleConnections)
	begin := sync.OnceFunc(func() {
		close(read)
		<-wrote
	})
	s.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, err := transport.RoundTrip(r)
		if err == nil {
			answer.Body = &reading{answer.Body, begin}
		}
		return answer, err
	})
	var failure error
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) {
		failure = i.Err
		close(wrote)
	}})
	ok[*sqs.SendMessageOutput](t)(sqs.NewFromConfig(s.Config(hub, region)).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: &body}))
	if failure != nil {
		t.Errorf("write the request: %v", failure)
	}
	if calls := s.Calls(); len(calls) != 2 || calls[1].Attempt != 1 {
		t.Errorf("calls %+v", calls)
	}
}
