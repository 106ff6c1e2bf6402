package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
)

// controlSocket is where the process that brought a stack up takes orders from
// those that are attached to it: only it can restart what it started. It lies
// in the private folder, so that only the same user can give them.
const controlSocket = "control.sock"

// orderPatience bounds an order: a component may take as long to end as to
// start.
const orderPatience = startPatience + 2*killDelay

// order is what an attached process asks for, one thing at a time; reply is how
// that went.
type order struct {
	Restart string `json:"restart,omitempty"`
	// Stop names a component that is told to stop, and not waited for.
	Stop      string       `json:"stop,omitempty"`
	Interfere *interfering `json:"interfere,omitempty"`
	Pause     *pausing     `json:"pause,omitempty"`
	Scale     *scaling     `json:"scale,omitempty"`
}

type interfering struct {
	Component string               `json:"component"`
	Fault     cluster.NetworkFault `json:"fault"`
}

type pausing struct {
	Component string        `json:"component"`
	For       time.Duration `json:"for"`
}

type scaling struct {
	Component string `json:"component"`
	Replicas  int    `json:"replicas"`
}

type reply struct {
	Error string `json:"error,omitempty"`
	// Unsupported says that the error wraps errors.ErrUnsupported.
	Unsupported bool `json:"unsupported,omitempty"`
}

// control takes orders until it is closed.
type control struct {
	listener net.Listener
	carryOut func(ctx context.Context, asked order) error
	stop     context.CancelFunc
	serving  sync.WaitGroup
}

// newControl takes orders until it is closed, whatever becomes of ctx.
func newControl(ctx context.Context, state string, carryOut func(ctx context.Context, asked order) error) (*control, error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(state, controlSocket))
	if err != nil {
		stop()
		return nil, fmt.Errorf("take orders of other processes: %w", err)
	}
	c := &control{listener: listener, carryOut: carryOut, stop: stop}
	c.serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			c.serving.Go(func() { c.serve(ctx, connection) })
		}
	})
	return c, nil
}

// serve carries out the one order of a connection.
func (c *control) serve(ctx context.Context, connection net.Conn) {
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
	var asked order
	if err := json.NewDecoder(connection).Decode(&asked); err != nil {
		return
	}
	var answer reply
	if err := c.carryOut(ctx, asked); err != nil {
		answer.Error, answer.Unsupported = err.Error(), errors.Is(err, errors.ErrUnsupported)
	}
	// Who has gone does not wait for the answer.
	_ = json.NewEncoder(connection).Encode(answer)
}

func (c *control) close() {
	c.stop()
	_ = c.listener.Close()
	c.serving.Wait()
}

// Restart has the process that brought the stack up end a component and start
// it again on the same ports.
func (a *attached) Restart(ctx context.Context, component string) error {
	if err := a.do(ctx, order{Restart: component}); err != nil {
		return fmt.Errorf("restart %s: %w", component, err)
	}
	return nil
}

// Stop has it send a component SIGTERM.
func (a *attached) Stop(ctx context.Context, component string) error {
	// An idle connection of ours would keep the real limiter for five seconds.
	a.reader.Close()
	if err := a.do(ctx, order{Stop: component}); err != nil {
		return fmt.Errorf("stop %s: %w", component, err)
	}
	return nil
}

// send has the process that brought the stack up carry an order out.
func (a *attached) send(ctx context.Context, o order) error {
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(ctx, "unix", filepath.Join(a.up.State, controlSocket))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	defer context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) })()
	if err := json.NewEncoder(connection).Encode(o); err != nil {
		return err
	}
	var answer reply
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		return fmt.Errorf("no answer of the process that brought the stack up: %w", err)
	}
	switch {
	case answer.Unsupported:
		return unsupportedError(answer.Error)
	case answer.Error != "":
		return errors.New(answer.Error)
	}
	return nil
}

// unsupportedError is an error of another process that wraps
// errors.ErrUnsupported.
type unsupportedError string

func (e unsupportedError) Error() string { return string(e) }
func (unsupportedError) Unwrap() error   { return errors.ErrUnsupported }
