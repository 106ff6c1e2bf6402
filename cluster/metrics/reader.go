package metrics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// answerLimit bounds an answer: 50,000 users make 7 MB of metrics text,
	// 100,000 counters 33 MB of JSON (vectors of Limitador 2.4.0-dev).
	answerLimit = 64 << 20
	// answerTimeout bounds one request; the slowest answer measured took 1.3 s.
	answerTimeout = 15 * time.Second
	// quoteLimit is how much of a strange answer an error repeats.
	quoteLimit = 120
)

// Reader reads books over HTTP. It may be used by several goroutines.
type Reader struct {
	client *http.Client
	// scopes are the limiter's namespaces whose calls are counted; none for all.
	scopes []string
}

// NewReader returns a reader that sends its requests through transport; nil
// stands for plain connections of its own, without any proxy.
func NewReader(transport http.RoundTripper) *Reader {
	if transport == nil {
		transport = &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second}
	}
	return &Reader{client: &http.Client{
		Transport: bounded{transport},
		Timeout:   answerTimeout,
		// A book that has moved is a configuration to correct.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Within is the reader that counts calls of these namespaces of the limiter alone,
// of all if none is named: a limiter that others have routes behind counts for them
// too. What a series without a namespace counts is counted, whoever's it is.
func (r *Reader) Within(scopes ...string) *Reader { return &Reader{r.client, scopes} }

// Close drops idle connections: an idle one keeps Limitador from ending for
// five seconds (sut.md 2.9).
func (r *Reader) Close() { r.client.CloseIdleConnections() }

// get returns the body of a 200 answer.
func (r *Reader) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4, application/json;q=0.9, */*;q=0.1")
	return r.do(request)
}

// do sends a request and returns the body of its 200 answer.
func (r *Reader) do(request *http.Request) ([]byte, error) {
	answer, err := r.client.Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return nil, fmt.Errorf("read %s: %w", request.URL.Redacted(), err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", request.URL.Redacted(), err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read %s: status %d, want 200: %s", request.URL.Redacted(), answer.StatusCode, quote(body))
	}
	return body, nil
}

// getJSON decodes the JSON of a 200 answer into value.
func (r *Reader) getJSON(ctx context.Context, address string, value any) error {
	body, err := r.get(ctx, address)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, value); err != nil {
		return fmt.Errorf("read %s: %w in %s", address, err, quote(body))
	}
	return nil
}

// quote shows the beginning of hostile text on one line.
func quote(body []byte) string {
	text := strings.TrimSpace(string(body[:min(len(body), quoteLimit)]))
	if len(body) > quoteLimit {
		text += "…"
	}
	return fmt.Sprintf("%q", text)
}

// bounded gives up on an answer that is longer than answerLimit.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer.Body = &boundedBody{ReadCloser: answer.Body, left: answerLimit}
	return answer, nil
}

// CloseIdleConnections lets http.Client reach the transport below.
func (b bounded) CloseIdleConnections() {
	if closer, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d MiB", answerLimit>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// join appends a path to a base URL.
func join(base, path string) string { return strings.TrimRight(base, "/") + path }

// encode is a request body that net/http cannot replay on its own, so that
// nothing is asked twice.
func encode(value any) (io.Reader, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(body)), nil
}
