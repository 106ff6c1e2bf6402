//go:build unix

package attack_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// The benchmarks compare Fire with vegeta's own attack in the same run, on the
// same loopback server in a process of its own, so that only the generator's
// CPU counts. They give ratios, for absolute figures say little on a shared
// machine, and they fail where a promise is broken:
//
//	go test -run '^$' -bench . -benchtime 1x ./suites/attack

const (
	benchHits    = 200_000
	benchCallers = 50
	benchRounds  = 2
	// Promises: hits per CPU second of Fire over those of vegeta, and the share
	// of hits that leave back to back at benchRate.
	leastRatio     = 0.8
	mostBackToBack = 0.05
	benchRate      = 2000
)

const serveVariable = "FLOODGATE_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		if err := serveForBenchmark(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveForBenchmark answers completions until in ends; it writes its URL to out.
func serveForBenchmark(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer := []byte(`{"object":"text_completion","model":"random","choices":[{"index":0,"finish_reason":"stop","text":"` +
		strings.Repeat("token ", 10) + `"}],"usage":{"prompt_tokens":5,"completion_tokens":10,"total_tokens":15}}`)
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Envoy-Upstream-Service-Time", "1")
		_, _ = w.Write(answer)
	})}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Close()
	}()
	if _, err := fmt.Fprintf(out, "http://%s\n", listener.Addr()); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// startServer runs serveForBenchmark in another process and is its URL.
func startServer(b *testing.B) string {
	b.Helper()
	server := exec.CommandContext(context.WithoutCancel(b.Context()), os.Args[0])
	server.Env = append(os.Environ(), serveVariable+"=1")
	server.Stderr = os.Stderr
	in, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = server.Wait()
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

func BenchmarkHitsPerCPUSecond(b *testing.B) {
	url := startServer(b)
	for b.Loop() {
		var own, theirs time.Duration
		for round := range benchRounds {
			v := cpuOf(func() { fireVegeta(b, url) })
			f := cpuOf(func() { fireOurs(b, at(url, benchHits, attack.Callers(benchCallers))) })
			b.Logf("round %d: Fire with its ledger %.0f, vegeta with its encoder %.0f hits per CPU second",
				round+1, benchHits/f.Seconds(), benchHits/v.Seconds())
			own, theirs = own+f, theirs+v
		}
		ratio := theirs.Seconds() / own.Seconds()
		b.ReportMetric(ratio, "ratio")
		if ratio < leastRatio {
			b.Errorf("Fire makes %.2f of vegeta's hits per CPU second, want at least %v", ratio, leastRatio)
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	url := startServer(b)
	for b.Loop() {
		few := peakHeap(func() { fireOurs(b, at(url, benchHits/4, attack.Callers(benchCallers))) })
		many := peakHeap(func() { fireOurs(b, at(url, benchHits, attack.Callers(benchCallers))) })
		b.ReportMetric(many/few, "ratio")
		// A byte kept of each hit would be 200 kB; a word of each, 1.2 MB more.
		b.Logf("peak heap with %d hits %.1f MB, with %d hits %.1f MB", benchHits/4, few/1e6, benchHits, many/1e6)
		if many-few > 2e6 {
			b.Errorf("the heap grew by %.1f MB with the number of hits", (many-few)/1e6)
		}
	}
}

// What else the machine does can only add hits that leave together, so the best
// round counts, for both.
func BenchmarkBackToBack(b *testing.B) {
	url := startServer(b)
	for b.Loop() {
		own, theirs := 1.0, 1.0
		for round := range 2 * benchRounds {
			report := fireOurs(b, at(url, 3*benchRate, attack.Rate(benchRate)))
			v := vegetaBackToBack(b, url)
			b.Logf("round %d: %.1f %% back to back (lag p99 %v), vegeta's constant pacer %.1f %%",
				round+1, 100*report.BackToBack, report.LagP99, 100*v)
			own, theirs = min(own, report.BackToBack), min(theirs, v)
		}
		b.ReportMetric(100*own, "%")
		b.ReportMetric(100*theirs, "vegeta-%")
		if own >= mostBackToBack {
			b.Errorf("%.1f %% of the hits left back to back, want less than %.0f %%", 100*own, 100*mostBackToBack)
		}
	}
}

func fireOurs(b *testing.B, a attack.Attack) attack.Report {
	b.Helper()
	ledger, err := evidence.Create(filepath.Join(b.TempDir(), "bench.jsonl"), evidence.Header{Case: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	report, err := attack.Fire(b.Context(), a, ledger, nil)
	if err := errors.Join(err, ledger.Close()); err != nil {
		b.Fatal(err)
	}
	if report.Outcomes[evidence.Admitted] != a.Hits {
		b.Fatalf("outcomes %v of %d hits", report.Outcomes, a.Hits)
	}
	return report
}

// countedPacer ends an attack of vegeta's after so many hits.
type countedPacer struct {
	vegeta.Pacer
	hits uint64
}

func (p countedPacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= p.hits {
		return 0, true
	}
	return p.Pacer.Pace(elapsed, hits)
}

func vegetaTarget(url string) vegeta.Targeter {
	return vegeta.NewStaticTargeter(vegeta.Target{
		Method: http.MethodPost, URL: url + "/v1/completions", Body: []byte(`{"model":"random"}`),
		Header: http.Header{"Authorization": {"APIKEY " + secret}, "Content-Type": {"application/json"}},
	})
}

// fireVegeta is vegeta as one would use it: its attack, its encoder, a file.
func fireVegeta(b *testing.B, url string) {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "bench.gob"))
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 64<<10)
	encoder := vegeta.NewEncoder(out)
	attacker := vegeta.NewAttacker(vegeta.Workers(benchCallers), vegeta.MaxWorkers(benchCallers), vegeta.Connections(benchCallers))
	for result := range attacker.Attack(vegetaTarget(url), countedPacer{vegeta.Rate{}, benchHits}, 0, "bench") {
		if err := encoder.Encode(result); err != nil {
			b.Fatal(err)
		}
		if result.Code != http.StatusOK {
			b.Fatalf("vegeta got %d: %s", result.Code, result.Error)
		}
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		b.Fatal(err)
	}
}

// vegetaBackToBack is what Report.BackToBack would be for vegeta's own pacer.
func vegetaBackToBack(b *testing.B, url string) float64 {
	b.Helper()
	rate := vegeta.ConstantPacer{Freq: benchRate, Per: time.Second}
	attacker := vegeta.NewAttacker(vegeta.Workers(benchCallers))
	var left []time.Time
	for result := range attacker.Attack(vegetaTarget(url), countedPacer{rate, 3 * benchRate}, 0, "") {
		left = append(left, result.Timestamp)
	}
	slices.SortFunc(left, time.Time.Compare)
	together := 0
	for i := range left[1:] {
		if left[i+1].Sub(left[i]) < time.Second/benchRate/5 {
			together++
		}
	}
	return float64(together) / float64(len(left)-1)
}

// cpuOf is the CPU time that work takes in this process.
func cpuOf(work func()) time.Duration {
	runtime.GC()
	before := cpu()
	work()
	return cpu() - before
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakHeap is the most heap in use, garbage not counted, while work runs.
func peakHeap(work func()) float64 {
	runtime.GC()
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				var stats runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapAlloc)
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	work()
	close(stop)
	return float64(<-peak)
}
