package crew

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// firing is one attack under way.
type firing struct {
	crew   *Crew
	attack attack.Attack
	ledger *evidence.Ledger
	// id names the attack's plans at the workers, prefix begins its hits' ids.
	id, prefix, identity string
	parts                []*part
	// zero is our clock at 0 of the ledger's, begins when the attack begins.
	zero, begins time.Duration
	// stopped is true once the workers were told to stop.
	stopped atomic.Bool
	// fail ends the attack because it cannot be written down.
	fail func(error)

	mu       sync.Mutex
	summary  *attack.Summary
	done     int
	told     time.Time
	progress func(done int)
}

// part is a worker's part in an attack.
type part struct {
	share
	member *member
	// began is the worker's clock at 0 of its share's ledger, offset that clock
	// minus ours by which the whole share is translated, so that its order stays.
	began, offset time.Duration
	// seen are the share's hits that are in the ledger, by their place in it.
	seen []bool
	row  reports.Worker
	// firstSent and lastSent are when the first and the last of its hits left.
	firstSent, lastSent time.Duration
	gone                bool
}

func newFiring(c *Crew, a attack.Attack, ledger *evidence.Ledger, progress func(done int)) *firing {
	f := &firing{
		crew: c, attack: a, ledger: ledger, id: rand.Text(), prefix: attack.IDPrefix(ledger.Header(), a.Name),
		zero: c.at(ledger.Header().Began), summary: attack.NewSummary(a.Pacer), told: time.Now(), progress: progress,
	}
	if a.As.Name != "" && !a.Anonymous {
		f.identity = a.As.String()
	}
	for _, s := range split(a.Hits, a.Pacer, len(c.members)) {
		m := c.members[s.worker]
		p := &part{share: s, member: m, seen: make([]bool, s.hits), row: reports.Worker{Attack: a.Name, Name: m.name, Planned: s.hits}}
		if rate, ok := s.pacer.(attack.Rate); ok {
			p.row.PlannedRate = float64(rate)
		}
		if a.Pacer == attack.OneAtATime && len(c.members) > 1 {
			p.row.Note = "fires alone: one hit at a time cannot be shared"
		}
		f.parts = append(f.parts, p)
	}
	return f
}

func (p *part) blame(err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", p.member.name, err)
	}
	return err
}

// read takes a worker's ledger over into ours. What a worker that is gone did
// not hand over is written as lost.
func (f *firing) read(ctx context.Context, p *part) error {
	last, err := p.member.follow(ctx, f.id, f.crew.Silence, func(line []byte) error { return f.take(p, line) })
	if err == nil {
		if last.Error != "" && !f.stopped.Load() {
			return p.blame(fmt.Errorf("it stopped: %s", last.Error))
		}
		return nil
	}
	p.gone = true
	lost, writing := f.lose(p)
	if writing != nil {
		return writing
	}
	return p.blame(fmt.Errorf("it is gone, %d of its %d hits were not handed over and count as lost: %w", lost, p.hits, err))
}

// take writes one of the worker's entries into our ledger.
func (f *firing) take(p *part, line []byte) error {
	var e evidence.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("its ledger has a line that is no entry: %w", err)
	}
	nth := e.Seq / p.every
	switch {
	case e.Seq%p.every != p.first || nth >= uint64(p.hits) || e.Hit != f.hit(e.Seq) || e.Attack != f.attack.Name:
		return fmt.Errorf("its ledger has an entry of hit %d, which is not of its share", e.Seq)
	case p.seen[nth]:
		return fmt.Errorf("its ledger has hit %d twice", e.Seq)
	}
	p.seen[nth] = true
	measured := f.translate(p, e)
	f.count(p, &measured)
	return f.write(widen(measured))
}

// translate puts an entry on our ledger's clock, as it was measured.
func (f *firing) translate(p *part, e evidence.Entry) evidence.Entry {
	known, unsure := p.member.clock.span(p.began+e.Sent, p.began+e.Received)
	unsure += (known.offset - p.offset).Abs()
	shift := p.began - p.offset - f.zero
	e.Due, e.Sent, e.Received = e.Due+shift, e.Sent+shift, e.Received+shift
	e.Worker, e.Unsure = p.member.name, unsure
	f.mu.Lock()
	defer f.mu.Unlock()
	p.row.Offset, p.row.Uncertainty = p.offset, max(p.row.Uncertainty, unsure)
	return e
}

// widen makes the entry an interval that holds the decision however the
// worker's clock stood.
func widen(e evidence.Entry) evidence.Entry {
	e.Sent = max(0, e.Sent-e.Unsure)
	e.Received += e.Unsure
	return e
}

// count sums up a hit as it was measured.
func (f *firing) count(p *part, e *evidence.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.summary.Add(e)
	if p.row.Fired == 0 {
		p.firstSent, p.lastSent = e.Sent, e.Sent
	}
	p.firstSent, p.lastSent = min(p.firstSent, e.Sent), max(p.lastSent, e.Sent)
	p.row.Fired++
	if e.Outcome == evidence.Lost {
		p.row.Lost++
	}
}

func (f *firing) write(e evidence.Entry) error {
	if err := f.ledger.Append(&e); err != nil {
		// Hits that cannot be written down must not be fired.
		f.fail(err)
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done++
	if f.progress != nil && time.Since(f.told) >= progressEvery {
		f.told = time.Now()
		f.progress(f.done)
	}
	return nil
}

// lose writes the hits that a worker did not hand over: they may have left at
// any time since the begin, or never.
func (f *firing) lose(p *part) (lost int, err error) {
	now := f.ledger.Since()
	sent := max(0, min(now, f.begins-f.zero-p.member.clock.best(f.begins).within(f.begins)))
	for nth, seen := range p.seen {
		if seen {
			continue
		}
		seq := p.first + uint64(nth)*p.every
		e := evidence.Entry{
			Hit: f.hit(seq), Attack: f.attack.Name, Seq: seq, Identity: f.identity, Worker: p.member.name,
			Due: sent, Sent: sent, Received: now, Outcome: evidence.Lost, Error: "the worker was gone before it handed the hit over",
		}
		p.seen[nth] = true
		f.mu.Lock()
		f.summary.Add(&e)
		p.row.Lost++
		f.mu.Unlock()
		if err := f.write(e); err != nil {
			return lost, err
		}
		lost++
	}
	return lost, nil
}

func (f *firing) hit(seq uint64) string { return f.prefix + strconv.FormatUint(seq, 10) }

// report is what all workers have done.
func (f *firing) report() attack.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.progress != nil {
		f.progress(f.done)
	}
	return f.summary.Report(f.attack.Name, f.attack.Hits)
}

// rows are the workers' rows for the record.
func (f *firing) rows() []reports.Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows := make([]reports.Worker, len(f.parts))
	for i, p := range f.parts {
		if took := p.lastSent - p.firstSent; p.row.Fired > 1 && took > 0 {
			p.row.Rate = float64(p.row.Fired-1) / took.Seconds()
		}
		rows[i] = p.row
	}
	return rows
}
