package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/onsi/ginkgo/v2"
	"golang.org/x/sync/errgroup"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// maxQuota bounds the quotas that cases spend, and maxHits what a case
	// fires at one identity: one at a time, more would take a lane's time.
	maxQuota = 1000
	maxHits  = 2000
	// tellEvery is how often an attack tells how far it is.
	tellEvery = 250 * time.Millisecond
	// maxLag is the generator lag that a rate can bear before the spacing of
	// its hits means nothing.
	maxLag = 250 * time.Millisecond
)

// ginkgoHelper makes failures point at the spec's line.
func ginkgoHelper() { ginkgo.GinkgoHelper() }

// Hits are what attacks of the case under way have fired.
type Hits struct {
	attacks []string
	entries []evidence.Entry
}

// And are these hits and others.
func (h Hits) And(others Hits) Hits {
	return Hits{append(slices.Clone(h.attacks), others.attacks...), append(slices.Clone(h.entries), others.entries...)}
}

// Of are the hits of one identity.
func (h Hits) Of(who tier.Identity) Hits {
	return Hits{h.attacks, slices.DeleteFunc(slices.Clone(h.entries), func(e evidence.Entry) bool { return e.Identity != who.String() })}
}

// AllDenied is true if a limit denied every hit.
func (h Hits) AllDenied() bool {
	return !slices.ContainsFunc(h.entries, func(e evidence.Entry) bool { return e.Outcome != evidence.Denied })
}

// FirstSent is when the first hit left, on the ledger's clock.
func (h Hits) FirstSent() time.Duration {
	return h.extreme(func(e evidence.Entry) time.Duration { return e.Sent }, slices.Min)
}

// FirstAnswered is when the first answer came: by then the first window is
// open, if the hit was counted.
func (h Hits) FirstAnswered() time.Duration {
	return h.extreme(func(e evidence.Entry) time.Duration { return e.Received }, slices.Min)
}

// LastAnswered is when the last answer came.
func (h Hits) LastAnswered() time.Duration {
	return h.extreme(func(e evidence.Entry) time.Duration { return e.Received }, slices.Max)
}

func (h Hits) extreme(of func(evidence.Entry) time.Duration, pick func([]time.Duration) time.Duration) time.Duration {
	if len(h.entries) == 0 {
		return 0
	}
	times := make([]time.Duration, len(h.entries))
	for i, entry := range h.entries {
		times[i] = of(entry)
	}
	return pick(times)
}

// Fire runs attacks side by side and returns when all their hits are answered
// and written down. What an attack leaves open is filled in: the gateway of
// this bed, the request that the policy's route takes, bodies that alternate
// between the models served, a name. The books are read before the first hit
// of the case.
func (b *Bed) Fire(ctx context.Context, attacks ...attack.Attack) Hits {
	ginkgoHelper()
	return b.fired(b.fire(ctx, attacks))
}

// fired are the hits of attacks, read back from the ledger.
func (b *Bed) fired(attacks []string) Hits {
	ginkgoHelper()
	entries, err := b.entriesOf(attacks)
	b.must(err)
	return Hits{attacks, entries}
}

// fire is Fire without reading back what was fired. It returns the attacks' names.
func (b *Bed) fire(ctx context.Context, attacks []attack.Attack) []string {
	ginkgoHelper()
	s := b.run.spec
	b.open(ctx)
	clear(s.after)
	b.settleIntoWindow(ctx, attacks)
	var names []string
	group, ctx := errgroup.WithContext(ctx)
	for i := range attacks {
		a := &attacks[i]
		b.complete(ctx, a)
		if a.Hits > maxHits {
			b.NotJudged("%d hits at %s are more than a case fires (%d)", a.Hits, a.As, maxHits)
		}
		names = append(names, a.Name)
		b.planned(*a, 0)
	}
	reports, rows := make([]attack.Report, len(attacks)), make([][]workerRow, len(attacks))
	for i, a := range attacks {
		group.Go(func() (err error) {
			reports[i], rows[i], err = b.carryOut(ctx, a, b.teller(a))
			return err
		})
	}
	err := group.Wait()
	s.last = time.Now()
	s.result.Workers = append(s.result.Workers, slices.Concat(rows...)...)
	for i, a := range attacks {
		b.planned(a, reports[i].LagP99)
	}
	b.must(err)
	return names
}

// planned notes the plan of an attack, and how late its hits left as far as that is
// known.
func (b *Bed) planned(a attack.Attack, lag time.Duration) {
	plan := oracle.Attack{Name: a.Name, Planned: a.Hits, OneAtATime: a.Pacer == attack.OneAtATime, LagP99: lag, MaxLag: maxLag}
	if callers, ok := a.Pacer.(attack.Callers); ok {
		plan.Callers = min(int(callers), a.Hits)
	}
	b.run.spec.attacks[a.Name] = attackPlan{Attack: plan, identity: subjectOf(a), variant: b.variant.Name, fired: attackOf(a)}
}

// subjectOf is whose hits an attack's are; a forged credential is nobody's.
func subjectOf(a attack.Attack) string {
	if a.Anonymous || a.Forged != nil {
		return ""
	}
	return a.As.String()
}

func (b *Bed) complete(ctx context.Context, a *attack.Attack) {
	request := b.set.Request()
	if a.Name == "" {
		a.Name = "a" + strconv.Itoa(len(b.run.spec.attacks)+1)
	}
	if a.Target.URL == "" {
		a.Target.URL = b.variant.Gateway
	}
	// What only HTTP/1.1 has is asked for because a case needs it.
	if a.Protocol == "" && !a.NoKeepAlive && a.Connections == 0 && !a.Target.AbsoluteForm {
		a.Protocol = b.run.session.Protocol
	}
	if a.Target.Method == "" {
		a.Target.Method = request.Method
	}
	if a.Target.Host == "" {
		a.Target.Host = request.Host
	}
	if a.Target.Path == "" {
		a.Target.Path = request.Path
	}
	if a.Target.ContentType == "" {
		a.Target.ContentType = request.ContentType
	}
	if len(a.Target.Bodies) == 0 && a.Target.Method == request.Method {
		a.Target.Bodies = b.bodies(ctx, a.Target.Path)
	}
	for name, value := range request.Headers {
		if a.Header == nil {
			a.Header = map[string][]string{}
		}
		if a.Header.Get(name) == "" {
			a.Header.Set(name, value)
		}
	}
}

// bodies ask for one short answer each, of every model served in turn: a
// counter that is keyed by the model by mistake then admits too much.
func (b *Bed) bodies(ctx context.Context, path string) [][]byte {
	var bodies [][]byte
	for _, name := range b.models(ctx) {
		body := map[string]any{"model": name, "prompt": "How long is a window?", "max_tokens": 4}
		if filepath.Base(filepath.Dir(path)) == "chat" {
			delete(body, "prompt")
			body["messages"] = []map[string]string{{"role": "user", "content": "How long is a window?"}}
		}
		encoded, err := json.Marshal(body)
		b.must(err)
		bodies = append(bodies, encoded)
	}
	return bodies
}

// teller says how far an attack is, not more often than people can read.
func (b *Bed) teller(a attack.Attack) func(done int) {
	var last atomic.Int64
	whom := subjectOf(a)
	if whom == "" {
		whom = "no identity"
	}
	return func(done int) {
		now, before := time.Now().UnixNano(), last.Load()
		if done < a.Hits && now-before < int64(tellEvery) || !last.CompareAndSwap(before, now) {
			return
		}
		// Progress is for people: the attack does not stop for it, and the
		// ledger says what was fired.
		_ = b.tell(Event{Kind: CaseFires, Text: fmt.Sprintf("at %s as %s", b.variant.Name, whom), Done: done, Total: a.Hits})
	}
}

// entriesOf reads back what the attacks have written.
func (b *Bed) entriesOf(attacks []string) ([]evidence.Entry, error) {
	if err := b.run.spec.ledger.Flush(); err != nil {
		return nil, err
	}
	_, all, err := evidence.Read(filepath.Join(b.run.dir, ledgerDir, b.run.spec.name+".jsonl"))
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(attacks))
	for _, name := range attacks {
		wanted[name] = true
	}
	return slices.DeleteFunc(all, func(e evidence.Entry) bool { return !wanted[e.Attack] }), nil
}
