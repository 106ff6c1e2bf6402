package local

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/interference"
	"github.com/floodgate-dev/floodgate/cluster/probe"
)

// reach is where a variant's gateway finds what it calls.
type reach struct {
	// limiter and authorizer are host:port, backend is a base URL.
	limiter, authorizer, backend string
}

// reachOf is where they are, or, in a variant that is made for it, where the
// proxies before them are.
func (u *upping) reachOf(v *variant) (reach, error) {
	straight := reach{v.limiter, v.up.Authorizer, u.backendOf(v)}
	if !v.interfered {
		return straight, nil
	}
	limiterAt, err := u.stack.interpose(componentName(limiter, v.name), straight.limiter)
	if err != nil {
		return reach{}, err
	}
	authorizerAt, err := u.stack.interpose(componentName(authorizer, v.name), straight.authorizer)
	if err != nil {
		return reach{}, err
	}
	backend, err := url.Parse(straight.backend)
	if err != nil {
		return reach{}, err
	}
	// The model server is shared; the way to it from this variant is not.
	backendAt, err := u.stack.interpose(componentName(modelServer, v.name), backend.Host)
	if err != nil {
		return reach{}, err
	}
	return reach{limiterAt, authorizerAt, "http://" + backendAt}, nil
}

// interpose puts a proxy before a component of a variant.
func (s *stack) interpose(component, upstream string) (address string, err error) {
	proxy, err := interference.Listen(hostPort(0), upstream)
	if err != nil {
		return "", &cluster.StartError{Component: component, Cause: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proxies[component] = proxy
	return proxy.Address(), nil
}

// interfere has calls of a component meet a fault.
func (s *stack) interfere(ctx context.Context, component string, fault cluster.NetworkFault) error {
	s.mu.Lock()
	proxy, ok := s.proxies[component]
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return errors.New("the stack is down")
	case !ok:
		return errNoProxy
	}
	proxy.Set(interference.Fault(fault))
	if kind, _, _ := strings.Cut(component, "@"); fault != (cluster.NetworkFault{}) || kind == modelServer {
		return nil
	}
	// A gateway whose attempts to connect have failed fails calls until the next one
	// succeeds. One that does not try waits for its next call, and connects then: it
	// never answers here, and misses nothing.
	bounded, cancel := context.WithTimeout(ctx, reconnectPatience)
	defer cancel()
	_ = probe.Until(bounded, func(context.Context) error {
		if !proxy.Answers() {
			return errors.New("nobody is connected")
		}
		return nil
	})
	return ctx.Err()
}

// reconnectPatience is long beside the 20 ms between two attempts of a gateway to
// connect.
const reconnectPatience = time.Second

// errNoProxy is why calls of a component cannot be interfered with.
var errNoProxy = fmt.Errorf("no proxy stands before it: its variant was not made for faults of the network: %w", errors.ErrUnsupported)

// closeProxies ends all proxies.
func (s *stack) closeProxies() error {
	var errs []error
	for _, proxy := range s.proxies {
		errs = append(errs, proxy.Close())
	}
	return errors.Join(errs...)
}

// Interfere puts a fault on the way to a component of a variant that was made for
// it.
func (a *attached) Interfere(ctx context.Context, component string, fault cluster.NetworkFault) (mend func(context.Context) error, err error) {
	set := func(ctx context.Context, f cluster.NetworkFault) error {
		if err := a.do(ctx, order{Interfere: &interfering{component, f}}); err != nil {
			return fmt.Errorf("interfere with %s: %w", component, err)
		}
		return nil
	}
	if err := set(ctx, fault); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return set(ctx, cluster.NetworkFault{}) }, nil
}
