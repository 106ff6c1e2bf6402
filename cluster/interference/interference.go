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
	// Loss is the share of segments, from 0 to below 1, that are lost in either
	// direction. To who speaks TCP a lost segment is one that comes late: it is sent
	// again after Retransmit, and after twice as long each time it is lost again,
	// and what was sent after it waits for it.
	Loss float64
}

// Retransmit is how late a segment is that was lost once: the least that Linux
// waits for an acknowledgement before it sends again (TCP_RTO_MIN). No network loses
// anything here; proxies make what was lost as late.
const Retransmit = 200 * time.Millisecond

// valid says whether a fault can be shown.
func (f Fault) valid() bool { return f.Delay >= 0 && f.Jitter >= 0 && f.Loss >= 0 && f.Loss < 1 }

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
