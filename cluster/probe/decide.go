package probe

import (
	"context"

	commonv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/ratelimit/v3"
	rlsv3 "github.com/envoyproxy/go-control-plane/envoy/service/ratelimit/v3"
	"google.golang.org/grpc"
)

// Limiter is asked to decide over one connection, as a gateway does it. It may be
// asked several things at once.
type Limiter struct{ connection *grpc.ClientConn }

// Call is what a gateway asks about one hit: the limiter's namespace, and the
// entries of each descriptor (sut.md 3.2).
type Call struct {
	Namespace   string
	Descriptors []map[string]string
}

// DialLimiter makes a connection to a limiter's host:port.
func DialLimiter(address string) (*Limiter, error) {
	connection, err := dial(address)
	if err != nil {
		return nil, err
	}
	return &Limiter{connection}, nil
}

// Admits decides about one hit, which the limiter counts if it admits it.
func (l *Limiter) Admits(ctx context.Context, call Call) (bool, error) {
	request := &rlsv3.RateLimitRequest{Domain: call.Namespace, HitsAddend: 1}
	for _, entries := range call.Descriptors {
		descriptor := &commonv3.RateLimitDescriptor{}
		for key, value := range entries {
			descriptor.Entries = append(descriptor.Entries, &commonv3.RateLimitDescriptor_Entry{Key: key, Value: value})
		}
		request.Descriptors = append(request.Descriptors, descriptor)
	}
	answer, err := rlsv3.NewRateLimitServiceClient(l.connection).ShouldRateLimit(ctx, request)
	return answer.GetOverallCode() == rlsv3.RateLimitResponse_OK, err
}

// Close ends the connection.
func (l *Limiter) Close() error { return l.connection.Close() }
