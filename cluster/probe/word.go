package probe

import (
	"context"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

// Authorizer is asked about callers over one connection, as a gateway does it. It
// may be asked several things at once.
type Authorizer struct{ connection *grpc.ClientConn }

// Word is what an authorizer says of a caller.
type Word struct {
	// Status is what the gateway would answer, 200 for a caller who is let in.
	Status int
	// Auth is what the gateway's filter gets to read of such a caller as auth: the
	// dynamic metadata.
	Auth map[string]any
}

// DialAuthorizer makes a connection to an authorizer's host:port.
func DialAuthorizer(address string) (*Authorizer, error) {
	connection, err := dial(address)
	if err != nil {
		return nil, err
	}
	return &Authorizer{connection}, nil
}

// Ask asks about a request for an AuthConfig's host. Its error is the call's; a
// refusal is none.
func (a *Authorizer) Ask(ctx context.Context, host string, shown Shown) (Word, error) {
	said, err := ask(ctx, authv3.NewAuthorizationClient(a.connection), checkRequest(host, shown))
	return Word{said.status, said.auth}, err
}

// Close ends the connection.
func (a *Authorizer) Close() error { return a.connection.Close() }
