package attack

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// errNotFired is vegeta's result for a hit that an interrupted attack held back.
var errNotFired = errors.New("not fired")

// written is vegeta's result for every other hit: all there is to know stands
// in the ledger.
var written = http.Response{
	Status: "204 No Content", StatusCode: http.StatusNoContent,
	Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
}

// caller carries the hits of one attack. Vegeta hands it a request that has
// nothing but a sequence number; it sends the hit, reads the answer and writes
// the entry before vegeta's worker gets the next one.
type caller struct {
	ctx      context.Context // vegeta's requests carry none of ours
	fail     context.CancelCauseFunc
	attack   Attack
	identity string
	request  *request
	secrets  secrets
	inner    http.RoundTripper
	ledger   *evidence.Ledger
	tally    tally
	// gate is nil unless the hits leave together.
	gate   *gate
	pacing *pacing
	// lastSent is when the latest hit left, -1 before the first.
	lastSent atomic.Int64
}

// RoundTrip fires one hit.
func (c *caller) RoundTrip(ticket *http.Request) (*http.Response, error) {
	nth, err := strconv.ParseUint(ticket.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, err
	}
	seq := c.attack.Share.seq(nth)
	entry := evidence.Entry{Hit: c.request.id(seq), Attack: c.attack.Name, Seq: seq, Identity: c.identity}
	if c.gate != nil {
		entry.Due = c.gate.pass(c.ctx, c.pacing.start)
	}
	if c.ctx.Err() != nil {
		return nil, errNotFired
	}
	ctx, cancel := c.attack.patience(c.ctx, seq)
	defer cancel()
	hit := c.request.hit(ctx, entry.Hit, seq)

	entry.Sent = c.ledger.Since()
	last := time.Duration(c.lastSent.Swap(int64(entry.Sent)))
	response, err := c.inner.RoundTrip(hit)
	if err == nil {
		c.receive(ctx, response, &entry)
	} else {
		entry.Outcome, entry.Error = evidence.Lost, c.failure(ctx, err)
	}
	entry.Received = c.ledger.Since()

	switch {
	case c.pacing.rate > 0:
		entry.Due = c.pacing.due(nth)
	case c.gate == nil:
		entry.Due = entry.Sent
	}
	gap := time.Duration(-1)
	if last >= 0 {
		gap = max(entry.Sent-last, 0)
	}
	c.tally.add(&entry, gap)
	if err := c.ledger.Append(&entry); err != nil {
		// Hits that cannot be written down must not be fired.
		c.fail(err)
		return nil, err
	}
	return &written, nil
}

// gate holds hits back until all of them have come.
type gate struct {
	missing  atomic.Int64
	open     chan struct{}
	released time.Duration
}

func newGate(hits int) *gate {
	g := &gate{open: make(chan struct{})}
	g.missing.Store(int64(hits))
	return g
}

// pass waits for all others, the last of whom waits for the start, and is the
// time of release; it gives up with ctx.
func (g *gate) pass(ctx context.Context, start func() time.Duration) time.Duration {
	if g.missing.Add(-1) == 0 {
		g.released = start()
		close(g.open)
	}
	select {
	case <-g.open:
		return g.released
	case <-ctx.Done():
		return 0
	}
}
