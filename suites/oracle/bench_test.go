package oracle

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// overload is a ledger of a sustained overload of many windows.
type overload struct {
	name   string
	model  WindowModel
	limits []tier.Limit
	// latency is how long a hit is under way at most.
	latency time.Duration
}

// overloads are what judging must be fast on: each model, several limits of
// several windows, and hits that are under way over many windows.
func overloads() []overload {
	several := []tier.Limit{limitOf(500, sec), limitOf(2_000, 10*sec), limitOf(9_000, time.Minute)}
	for i := range several {
		several[i].Name = fmt.Sprintf("limit-%d", i)
	}
	return []overload{
		{"first-hit", FirstHit, several[:1], 4 * ms},
		{"epoch", Epoch, several[:1], 4 * ms},
		{"sliding", Sliding, several[:1], 4 * ms},
		{"several", FirstHit, several, 4 * ms},
		{"slow", FirstHit, several[:1], 30 * sec},
	}
}

// evidence fires n hits at a correct limiter.
func (o overload) evidence(n int) (Question, []evidence.Entry) {
	rng := rand.New(rand.NewPCG(7, 7))
	w := newWorld(rng, map[string][]tier.Limit{"premium/alice": o.limits})
	w.model = o.model
	shots := make([]shot, n)
	for i := range shots {
		sent := time.Duration(i) * ms / 2
		latency := time.Duration(rng.Int64N(int64(o.latency)) + 1)
		shots[i] = shot{identity: "premium/alice", attack: "main", seq: uint64(i), sent: sent, decided: sent + latency/2, received: sent + latency}
	}
	c := conditions{Users: true}
	before := w.snapshot(c, nil)
	entries := w.run(shots)
	return Question{
		Rules: judgedOnCorrect, Model: o.model, Alone: true, Began: began, Before: before, After: w.snapshot(c, shots),
		Subject: Subject{Identity: "premium/alice", Name: "alice", Limits: o.limits, Fresh: true},
		Attacks: []Attack{{Name: "main", Planned: n}},
	}, entries
}

func judgeSound(b *testing.B, q Question, entries []evidence.Entry) {
	for _, f := range Judge(q, entries) {
		if f.Verdict == reports.Fail {
			b.Fatal(f.Rule, f.Reason)
		}
	}
}

// cpuTime is what this process has computed so far, garbage collection included.
func cpuTime(tb testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// judging is what one judgement costs: collecting the garbage of its own, and not
// that of the one before.
func judging(b *testing.B, q Question, entries []evidence.Entry) time.Duration {
	runtime.GC()
	began := cpuTime(b)
	judgeSound(b, q, entries)
	return cpuTime(b) - began
}

// TestMemoryIsLinear holds what a judgement takes in memory to a small constant
// an entry, beside the entries, whatever their number.
func TestMemoryIsLinear(t *testing.T) {
	for _, o := range overloads() {
		per := func(n int) float64 {
			q, entries := o.evidence(n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			Judge(q, entries)
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
		}
		small, large := per(50_000), per(100_000)
		t.Logf("%s: %.0f and %.0f bytes an entry", o.name, small, large)
		if limit := 160 * float64(len(o.limits)); large > limit || large > 1.15*small {
			t.Errorf("%s: %.0f bytes an entry of 50,000, %.0f of 100,000; want at most %.0f, and as many", o.name, small, large, limit)
		}
	}
}

// BenchmarkJudge judges all rules about windows and books.
func BenchmarkJudge(b *testing.B) {
	for _, o := range overloads() {
		for _, n := range []int{10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/entries=%d", o.name, n), func(b *testing.B) {
				q, entries := o.evidence(n)
				b.ReportAllocs()
				spent := cpuTime(b)
				for b.Loop() {
					judgeSound(b, q, entries)
				}
				b.ReportMetric((cpuTime(b)-spent).Seconds()/float64(b.N), "cpu-s/op")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
			})
		}
	}
}

// BenchmarkDoubling judges half a million entries and a million in turn, and
// reports by how much the doubled ledger takes longer: the ratio of medians of
// one run, in CPU time, which others on the machine do not change much.
func BenchmarkDoubling(b *testing.B) {
	const n, rounds = 500_000, 9
	for _, o := range overloads() {
		b.Run(o.name, func(b *testing.B) {
			half, halfEntries := o.evidence(n)
			whole, wholeEntries := o.evidence(2 * n)
			var halves, wholes []time.Duration
			for b.Loop() {
				for range rounds {
					halves = append(halves, judging(b, half, halfEntries))
					wholes = append(wholes, judging(b, whole, wholeEntries))
				}
			}
			slices.Sort(halves)
			slices.Sort(wholes)
			b.ReportMetric(float64(wholes[len(wholes)/2])/float64(halves[len(halves)/2]), "x/doubling")
			b.ReportMetric(wholes[len(wholes)/2].Seconds(), "cpu-s/1M")
		})
	}
}
