// Package interference puts network faults between two components: a proxy
// before one of them, which the others call in its place. Accepting, dialling and
// copying are Toxiproxy's.
package interference

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// Fault is what a proxy does to the connections through it. The zero value does
// nothing.
type Fault struct {
	// Cut ends every connection, also those that are open, before anything gets
	// through.
	Cut bool
	// Delay is how much later answers arrive, give or take Jitter. They stay in
	// order, and questions are as fast as ever.
	Delay, Jitter time.Duration
}

// Proxy stands before an upstream.
type Proxy struct {
	proxy *toxiproxy.Proxy
	state *state
	stop  sync.Once
}

// Listen stands before host:port upstream, whose name is looked up for each
// connection anew. It returns once address is listened on; port 0 leaves the
// choice to the kernel.
func Listen(address, upstream string) (*Proxy, error) {
	for _, hostPort := range []string{address, upstream} {
		if _, _, err := net.SplitHostPort(hostPort); err != nil {
			return nil, fmt.Errorf("put a proxy before %s: %w", upstream, err)
		}
	}
	register()
	// A registry of its own: the metrics of proxies are nobody's.
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{proxy: toxiproxy.NewProxy(server, upstream, address, upstream), state: newState()}
	for _, direction := range []string{questions, answers} {
		if err := p.hang(direction); err != nil {
			return nil, fmt.Errorf("put a proxy before %s: %w", upstream, err)
		}
	}
	if err := p.proxy.Start(); err != nil {
		return nil, fmt.Errorf("put a proxy before %s: %w", upstream, err)
	}
	return p, nil
}

// The directions, in Toxiproxy's words.
const (
	questions = "upstream"
	answers   = "downstream"
)

// hang puts the toxic into a direction, before there is any connection.
func (p *Proxy) hang(direction string) error {
	spec, err := json.Marshal(map[string]any{"type": toxicName, "stream": direction, "toxicity": 1})
	if err != nil {
		return err
	}
	wrapper, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(string(spec)))
	if err != nil {
		return err
	}
	t, ok := wrapper.Toxic.(*toxic)
	if !ok {
		return errors.New("the library has another toxic of this name")
	}
	t.state, t.delays = p.state, direction == answers
	return nil
}

// Address is the host:port that it listens on.
func (p *Proxy) Address() string { return p.proxy.Listen }

// Set has the proxy do this and nothing else from now on, also to what is under
// way: Fault{} mends it.
func (p *Proxy) Set(f Fault) { p.state.set(f) }

// Answers tells whether the upstream has answered on a connection that is open.
func (p *Proxy) Answers() bool {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	return p.state.answering > 0
}

// Close ends the proxy and every connection through it.
func (p *Proxy) Close() error {
	p.stop.Do(func() {
		// What is held back for a peer that is gone would be held for ever.
		p.state.set(Fault{Cut: true})
		p.proxy.Stop()
	})
	return nil
}

const toxicName = "floodgate"

var register = sync.OnceFunc(func() { toxics.Register(toxicName, new(toxic)) })
