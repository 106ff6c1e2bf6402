package oracle

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// BenchmarkJudge judges all rules about windows and books on ledgers of a
// sustained overload with many windows.
func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(7, 7))
			limits := []tier.Limit{limitOf(500, sec)}
			w := newWorld(rng, map[string][]tier.Limit{"premium/alice": limits})
			shots := make([]shot, n)
			for i := range shots {
				sent := time.Duration(i) * ms / 2
				latency := time.Duration(rng.IntN(4000)+1) * time.Microsecond
				shots[i] = shot{identity: "premium/alice", attack: "main", seq: uint64(i), sent: sent, decided: sent + latency/2, received: sent + latency}
			}
			c := conditions{Users: true}
			before := w.snapshot(c, nil)
			entries := w.run(shots)
			q := Question{
				Rules: judgedOnCorrect, Model: FirstHit, Alone: true, Began: began, Before: before, After: w.snapshot(c, shots),
				Subject: Subject{Identity: "premium/alice", Name: "alice", Limits: limits, Fresh: true},
				Attacks: []Attack{{Name: "main", Planned: n}},
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range Judge(q, entries) {
					if f.Verdict == reports.Fail {
						b.Fatal(f.Rule, f.Reason)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
		})
	}
}
