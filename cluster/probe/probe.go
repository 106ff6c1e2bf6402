// Package probe asks the components of a stack whether they have taken what they
// were given, in ways that spend nobody's quota.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	rlsv3 "github.com/envoyproxy/go-control-plane/envoy/service/ratelimit/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	// Interval is the pause between two questions, Timeout how long one may take.
	Interval = 20 * time.Millisecond
	Timeout  = time.Second
)

// readinessDomain is a namespace that has no limits: asking about it spends
// nobody's quota.
const readinessDomain = "floodgate-readiness"

// dial opens a gRPC connection of its own for one probe: the next one is not
// held up by the backoff of this one.
func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(), grpc.WithDisableServiceConfig())
}

// Reachable returns nil if somebody speaks HTTP/2 at address. It is what can
// be asked of a component that was told to be wrong.
func Reachable(ctx context.Context, address string) error {
	connection, err := dial(address)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	connection.Connect()
	for state := connection.GetState(); state != connectivity.Ready; state = connection.GetState() {
		if state == connectivity.TransientFailure || !connection.WaitForStateChange(ctx, state) {
			return fmt.Errorf("nobody speaks gRPC at %s (%s)", address, state)
		}
	}
	return nil
}

// LimiterAnswers returns nil if the limiter at address decides.
func LimiterAnswers(ctx context.Context, address string) error {
	connection, err := dial(address)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	answer, err := rlsv3.NewRateLimitServiceClient(connection).ShouldRateLimit(ctx, &rlsv3.RateLimitRequest{Domain: readinessDomain})
	if err != nil {
		return err
	}
	if answer.GetOverallCode() != rlsv3.RateLimitResponse_OK {
		return fmt.Errorf("asked about %s, which has no limits, the limiter says %s", readinessDomain, answer.GetOverallCode())
	}
	return nil
}

// Answers returns nil if a GET is answered with 200.
func Answers(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	// An idle connection would keep some components from ending.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Timeout}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: status %d", address, answer.StatusCode)
	}
	return nil
}

// Until repeats a question until its answer is nil, or ctx ends.
func Until(ctx context.Context, question func(context.Context) error) error {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	last := errors.New("not asked yet")
	for {
		err := question(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the last answer: %w", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}
