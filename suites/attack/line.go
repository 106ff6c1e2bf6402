package attack

import "sync"

// Line is a way to the target that attacks share, one after the other, as callers
// behind one proxy do: their hits travel on the same connections. Its first attack
// says how it is made. The zero Line is ready; Close ends it.
type Line struct {
	mu      sync.Mutex
	network *network
}

// of is the line's network, made for an attack if there is none yet.
func (l *Line) of(a Attack, workers int) *network {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.network == nil {
		l.network = newNetwork(a, workers)
	}
	return l.network
}

// Close ends the line's connections.
func (l *Line) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.network != nil {
		l.network.close()
	}
}
