package interference

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// state is the fault of a proxy, and who waits for another one.
type state struct {
	mu      sync.Mutex
	fault   Fault
	changed chan struct{}
	// answering counts the connections on which the upstream has answered.
	answering int
}

// answers notes that the upstream has answered on one more connection, or that one
// of those has ended.
func (s *state) answers(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answering += by
}

func newState() *state { return &state{changed: make(chan struct{})} }

func (s *state) set(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	close(s.changed)
	s.changed = make(chan struct{})
}

// now is the fault, and what is closed as soon as it is another one.
func (s *state) now() (Fault, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault, s.changed
}

// toxic is one direction of every connection of a proxy. It is hung in before the
// first connection and stays: the library's own are added and taken away while
// data flows, which waits for connections whose peer has gone.
type toxic struct {
	state *state
	// delays says that this is the direction that Fault.Delay is about.
	delays bool
}

// GetBufferSize lets what comes meanwhile be read, and so be late by its own time.
func (*toxic) GetBufferSize() int { return 1024 }

// Pipe passes on what comes until the connection ends, or is cut.
func (t *toxic) Pipe(stub *toxics.ToxicStub) {
	answered := false
	ended := func() {
		if answered {
			answered = false
			t.state.answers(-1)
		}
	}
	defer ended()
	for {
		fault, changed := t.state.now()
		if fault.Cut {
			ended()
			cut(stub)
			return
		}
		select {
		case <-stub.Interrupt:
			return
		case <-changed:
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			if !t.hold(c) || !t.pass(stub, c) {
				ended()
				cut(stub)
				return
			}
			if t.delays && !answered {
				answered = true
				t.state.answers(1)
			}
		}
	}
}

// hold keeps what was read until it is due. It is false where the connection is
// cut meanwhile.
func (t *toxic) hold(c *stream.StreamChunk) bool {
	fault, changed := t.state.now()
	for !fault.Cut {
		late := fault.sentAgain()
		if t.delays {
			late += fault.late()
		}
		if late <= 0 {
			break
		}
		timer := time.NewTimer(time.Until(c.Timestamp.Add(late)))
		select {
		case <-timer.C:
			return true
		case <-changed:
			timer.Stop()
			fault, changed = t.state.now()
		}
	}
	return !fault.Cut
}

// pass hands it to the other side, which may read slowly, or no more.
func (t *toxic) pass(stub *toxics.ToxicStub, c *stream.StreamChunk) bool {
	for {
		fault, changed := t.state.now()
		if fault.Cut {
			return false
		}
		select {
		case stub.Output <- c:
			return true
		case <-changed:
		}
	}
}

// cut ends the connection, and takes in what still comes so that nobody waits to
// be heard.
func cut(stub *toxics.ToxicStub) {
	stub.Close()
	for c := range stub.Input {
		if c == nil {
			return
		}
	}
}

// late is how late the next answer is.
func (f Fault) late() time.Duration {
	if f.Jitter <= 0 {
		return f.Delay
	}
	return max(0, f.Delay-f.Jitter+rand.N(2*f.Jitter+1))
}

// sentAgain is how late a segment is because it was lost, 0 if it was not.
func (f Fault) sentAgain() (late time.Duration) {
	for wait := Retransmit; f.Loss > 0 && rand.Float64() < f.Loss; wait *= 2 {
		late += wait
	}
	return late
}
