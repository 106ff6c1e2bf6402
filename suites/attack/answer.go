package attack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

const (
	// keptBody is how much of a body stays in the ledger, keptError of an error.
	keptBody  = 512
	keptError = 200
)

// origin says who answered. Envoy marks the answers of the backend with
// x-envoy-upstream-service-time (sut.md 3.6b); where that is suppressed, or
// there is no gateway at all, the form of the answer tells: the filter's own
// replies are plain text (sut.md 3.4), the model server's are JSON and, from
// the simulator, signed by fasthttp (sut.md 5.2).
func origin(status int, header http.Header) string {
	switch {
	case header.Get("X-Envoy-Upstream-Service-Time") != "":
		return evidence.FromBackend
	case status >= 200 && status < 300:
		// A gateway refuses on its own, but admits only what was answered.
		return evidence.FromBackend
	case strings.EqualFold(header.Get("Server"), "fasthttp"):
		return evidence.FromBackend
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		// An AuthPolicy may give its refusals a JSON body (sut.md 4).
		return evidence.FromGateway
	case isJSON(header.Get("Content-Type")):
		return evidence.FromBackend
	default:
		return evidence.FromGateway
	}
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// outcome is how a hit with an answer ended.
func outcome(status int, from string) evidence.Outcome {
	switch {
	case status >= 200 && status < 300:
		return evidence.Admitted
	case status == http.StatusTooManyRequests && from == evidence.FromGateway:
		return evidence.Denied
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return evidence.Refused
	default:
		return evidence.Failed
	}
}

// receive reads the whole answer and notes in entry how the hit ended.
func (c *caller) receive(ctx context.Context, response *http.Response, entry *evidence.Entry) {
	defer response.Body.Close()
	entry.Status = response.StatusCode
	entry.From = origin(response.StatusCode, response.Header)
	entry.Outcome = outcome(response.StatusCode, entry.From)
	if response.StatusCode == http.StatusSwitchingProtocols {
		return // its body is the connection, which does not end
	}
	var err error
	if c.attack.KeepAnswers {
		err = c.keep(response, entry)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err != nil {
		entry.Error = c.failure(ctx, err)
	}
}

func (c *caller) keep(response *http.Response, entry *evidence.Entry) error {
	// A key that begins within the limit is read to its end, to be recognised.
	head, err := io.ReadAll(io.LimitReader(response.Body, int64(keptBody+c.secrets.longest)))
	entry.Answer = &evidence.Answer{
		Header: make(map[string][]string, len(response.Header)),
		Body:   c.secrets.hide(string(head), keptBody),
	}
	for name, values := range response.Header {
		kept := make([]string, len(values))
		for i, value := range values {
			kept[i] = c.secrets.hide(value, len(value))
		}
		entry.Answer.Header[c.secrets.hide(name, len(name))] = kept
	}
	return err
}

// failure is a transport's error in words that name no key, no URL and no port
// of ours.
func (c *caller) failure(ctx context.Context, err error) string {
	var network *net.OpError
	var errno syscall.Errno
	switch {
	case c.ctx.Err() != nil:
		return "interrupted"
	case errors.Is(context.Cause(ctx), errGivenUp):
		return errGivenUp.Error()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("no whole answer within %v", c.attack.Timeout)
	case errors.As(err, &network) && errors.As(err, &errno):
		return network.Op + ": " + errno.Error()
	case errors.As(err, &network):
		err = fmt.Errorf("%s: %w", network.Op, network.Err)
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	}
	return c.secrets.hide(err.Error(), keptError)
}
