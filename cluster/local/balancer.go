package local

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// balancer spreads connections over the replicas behind one address, in turn, as
// a Service does.
type balancer struct {
	listener net.Listener
	carrying sync.WaitGroup

	mu       sync.Mutex
	backends []string
	next     int
	// open counts the connections to each backend, whether it is still one or not.
	open map[string]int
	all  map[net.Conn]bool
	// closed is closed whenever a connection was.
	closed chan struct{}
}

func newBalancer(backends ...string) (*balancer, error) {
	listener, err := net.Listen("tcp", hostPort(0))
	if err != nil {
		return nil, err
	}
	b := &balancer{
		listener: listener, backends: backends, open: map[string]int{}, all: map[net.Conn]bool{}, closed: make(chan struct{}),
	}
	b.carrying.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			b.carrying.Go(func() { b.carry(client) })
		}
	})
	return b, nil
}

func (b *balancer) address() string { return b.listener.Addr().String() }

// set has connections go to these from now on; those that are open stay.
func (b *balancer) set(backends []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = backends
}

// drained returns once no connection to a backend is open, or patience is over.
func (b *balancer) drained(backend string, patience time.Duration) {
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		b.mu.Lock()
		open, closed := b.open[backend], b.closed
		b.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-closed:
		case <-over.C:
			return
		}
	}
}

// carry copies between a client and the backend whose turn it is.
func (b *balancer) carry(client net.Conn) {
	backend := b.pick()
	defer b.leave(backend)
	upstream, err := net.DialTimeout("tcp", backend, time.Second)
	if err != nil {
		_ = client.Close()
		return
	}
	if !b.enter(client, upstream) {
		return
	}
	var copying sync.WaitGroup
	copying.Go(func() { pour(upstream, client) })
	pour(client, upstream)
	copying.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, connection := range []net.Conn{client, upstream} {
		delete(b.all, connection)
		_ = connection.Close()
	}
}

// pour copies what comes, and says where it ends.
func pour(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

func (b *balancer) pick() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.backends) == 0 {
		return ""
	}
	b.next++
	backend := b.backends[b.next%len(b.backends)]
	b.open[backend]++
	return backend
}

func (b *balancer) leave(backend string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[backend]--
	close(b.closed)
	b.closed = make(chan struct{})
}

// enter notes connections; it is false, and they are closed, once all are.
func (b *balancer) enter(connections ...net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, connection := range connections {
		if b.all == nil {
			_ = connection.Close()
			continue
		}
		b.all[connection] = true
	}
	return b.all != nil
}

func (b *balancer) close() error {
	err := b.listener.Close()
	b.mu.Lock()
	for connection := range b.all {
		err = errors.Join(err, ignoreClosed(connection.Close()))
	}
	b.all = nil
	b.mu.Unlock()
	b.carrying.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
