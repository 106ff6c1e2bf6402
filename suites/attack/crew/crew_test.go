package crew

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

const secret = "s3cr3t-0f-al1ce"

// TestMain makes the test binary a worker's executable, as floodgate's own is.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != WorkerCommand && os.Args[1] != "parent" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Args[1] == "parent" {
		parent(ctx, os.Args[2])
	}
	os.Exit(Main(ctx, os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
}

// parent starts workers and waits to be killed.
func parent(ctx context.Context, logs string) {
	pool, err := StartProcesses(ctx, os.Args[0], 2, logs)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, strings.Join(pool.URLs(), " "))
	<-ctx.Done()
	os.Exit(0)
}

// target serves hits and remembers when it decided each of them.
type target struct {
	*httptest.Server
	mu      sync.Mutex
	decided map[string][]time.Time
	most    atomic.Int64
	flying  atomic.Int64
}

func newTarget(t *testing.T, handle http.HandlerFunc) *target {
	t.Helper()
	g := &target{decided: map[string][]time.Time{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := g.flying.Add(1)
		defer g.flying.Add(-1)
		for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
		}
		id := r.Header.Get(evidence.HitHeader)
		g.mu.Lock()
		g.decided[id] = append(g.decided[id], time.Now())
		g.mu.Unlock()
		handle(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *target) hits() map[string][]time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := map[string][]time.Time{}
	for id, times := range g.decided {
		all[id] = append([]time.Time(nil), times...)
	}
	return all
}

func ok(http.ResponseWriter, *http.Request) {}

// fires answers so late that an attack takes a while.
func slowly(d time.Duration) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
	}
}

func at(url string, hits int, pacer attack.Pacer) attack.Attack {
	return attack.Attack{
		As: tier.Identity{
			Name: "premiumuser1", Tier: "premium", Key: secret,
			Credential: tier.Credential{Place: tier.AuthorizationHeader, Name: "APIKEY"},
		},
		Hits: hits, Pacer: pacer,
		Target: attack.Target{URL: url, Path: "/v1/completions", Bodies: [][]byte{[]byte(`{"model":"a"}`), []byte(`{"model":"b"}`)}},
	}
}

func newLedger(t *testing.T) (*evidence.Ledger, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "B02.jsonl")
	ledger, err := evidence.Create(path, evidence.Header{Case: "B02"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	return ledger, path
}

func readLedger(t *testing.T, ledger *evidence.Ledger, path string) []evidence.Entry {
	t.Helper()
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	_, entries, err := evidence.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// processes are workers of the test binary, and their crew.
func processes(t *testing.T, n int) (*Pool, *Crew) {
	t.Helper()
	pool, err := StartProcesses(t.Context(), os.Args[0], n, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Stop(context.WithoutCancel(t.Context())) })
	crew := New(pool.URLs(), pool.Token())
	t.Cleanup(crew.Close)
	return pool, crew
}

// inProcess are workers of this process whose clocks are wrong by skews and
// whose answers about it come after a while.
func inProcess(t *testing.T, skews ...time.Duration) *Crew {
	t.Helper()
	var urls []string
	token := NewToken()
	for _, skew := range skews {
		worker := newServer(t.Context(), token)
		worker.wall += int64(skew)
		inner := worker.handler()
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/clock" {
				<-time.After(time.Duration(rand.Int64N(int64(2 * time.Millisecond))))
			}
			inner.ServeHTTP(w, r)
		}))
		t.Cleanup(s.Close)
		urls = append(urls, s.URL)
	}
	return New(urls, token)
}

func TestWorkersFireExactlyTheHitsOfTheAttack(t *testing.T) {
	_, crew := processes(t, 3)
	for _, pacer := range []attack.Pacer{attack.OneAtATime, attack.Callers(7), attack.Callers(2), attack.Rate(2000), attack.Together} {
		for _, hits := range []int{1, 2, 100} {
			t.Run(fmt.Sprintf("%T(%v)/%d", pacer, pacer, hits), func(t *testing.T) {
				g := newTarget(t, ok)
				ledger, path := newLedger(t)
				var done int
				report, rows, err := crew.Fire(t.Context(), at(g.URL, hits, pacer), ledger, func(n int) { done = n })
				if err != nil {
					t.Fatal(err)
				}
				entries, served := readLedger(t, ledger, path), g.hits()
				if len(entries) != hits || len(served) != hits || report.Fired != hits || report.Outcomes[evidence.Admitted] != hits || done != hits {
					t.Fatalf("%d entries, %d served, report %+v, told %d; want %d", len(entries), len(served), report, done, hits)
				}
				seen := map[uint64]bool{}
				for _, e := range entries {
					if len(served[e.Hit]) != 1 || seen[e.Seq] || e.Seq >= uint64(hits) || !strings.HasSuffix(e.Hit, fmt.Sprintf(".%d", e.Seq)) {
						t.Errorf("hit %s, seq %d: served %d times", e.Hit, e.Seq, len(served[e.Hit]))
					}
					seen[e.Seq] = true
					if e.Attack != "attack-1" || e.Identity != "premium/premiumuser1" || e.Worker == "" || e.Unsure <= 0 {
						t.Errorf("entry %+v", e)
					}
				}
				fired := 0
				for _, row := range rows {
					fired += row.Fired
					if row.Fired != row.Planned || row.Uncertainty <= 0 || row.Offset.Abs() > time.Second {
						t.Errorf("row %+v", row)
					}
				}
				if fired != hits {
					t.Errorf("rows of %d hits", fired)
				}
				if pacer == attack.OneAtATime && (g.most.Load() != 1 || len(rows) != 1 || rows[0].Note == "") {
					t.Errorf("%d at once, rows %+v", g.most.Load(), rows)
				}
			})
		}
	}
}

// However wrong the workers' clocks are, the true time of each decision lies in
// its entry's interval.
func TestMergedEntriesHoldTheDecision(t *testing.T) {
	for _, pacer := range []attack.Pacer{attack.Callers(6), attack.Rate(300), attack.Together} {
		t.Run(fmt.Sprintf("%T", pacer), func(t *testing.T) {
			crew := inProcess(t, 0, 5*time.Hour, -7*time.Hour)
			g := newTarget(t, ok)
			ledger, path := newLedger(t)
			began := ledger.Header().Began
			report, rows, err := crew.Fire(t.Context(), at(g.URL, 90, pacer), ledger, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, skew := range []time.Duration{0, 5 * time.Hour, -7 * time.Hour} {
				if (rows[i].Offset - skew).Abs() > rows[i].Uncertainty+time.Millisecond {
					t.Errorf("%s is %v off, %v ± %v was measured", rows[i].Name, skew, rows[i].Offset, rows[i].Uncertainty)
				}
			}
			served := g.hits()
			var sent []time.Duration
			var unsure time.Duration
			for _, e := range readLedger(t, ledger, path) {
				decided := served[e.Hit][0].Sub(began)
				if decided < e.Sent || decided > e.Received {
					t.Errorf("hit %d was decided at %v, not in %v to %v", e.Seq, decided, e.Sent, e.Received)
				}
				sent, unsure = append(sent, e.Sent), max(unsure, e.Unsure)
			}
			rate, ok := pacer.(attack.Rate)
			if !ok {
				return
			}
			// A busy machine lets hits leave late, never early: what it may do to their
			// spacing is bounded by how late they were.
			interval := time.Duration(float64(time.Second) / float64(rate))
			if took, least := slices.Max(sent)-slices.Min(sent), 89*interval-report.MaxLag-2*unsure; took < least {
				t.Errorf("90 hits at %v/s left within %v, want %v at least", rate, took, least)
			}
			if report.LagP99 < interval/2 && report.BackToBack > 0.2 {
				t.Errorf("%.2f of the hits left together, with a lag of %v", report.BackToBack, report.LagP99)
			}
		})
	}
}

func TestAWorkerThatDiesLeavesItsHitsAsLost(t *testing.T) {
	pool, crew := processes(t, 3)
	crew.Silence = time.Second
	g := newTarget(t, slowly(10*time.Millisecond))
	ledger, path := newLedger(t)
	var once sync.Once
	report, rows, err := crew.Fire(t.Context(), at(g.URL, 300, attack.Callers(3)), ledger, func(done int) {
		if done > 50 {
			once.Do(func() { _ = syscall.Kill(pool.PIDs()[1], syscall.SIGKILL) })
		}
	})
	if err == nil || !strings.Contains(err.Error(), "worker-1: it is gone") {
		t.Fatalf("error %v", err)
	}
	entries, served := readLedger(t, ledger, path), g.hits()
	if len(entries) != 300 || report.Fired != 300 {
		t.Fatalf("%d entries of 300, report %+v", len(entries), report)
	}
	lost, ids := 0, map[string]bool{}
	for _, e := range entries {
		ids[e.Hit] = true
		if e.Outcome != evidence.Lost {
			continue
		}
		if lost++; e.Worker != "worker-1" || e.Error == "" {
			t.Errorf("lost %+v", e)
		}
		for _, at := range served[e.Hit] {
			if decided := at.Sub(ledger.Header().Began); decided < e.Sent || decided > e.Received {
				t.Errorf("lost hit %d was decided at %v, not in %v to %v", e.Seq, decided, e.Sent, e.Received)
			}
		}
	}
	for id := range served {
		if !ids[id] {
			t.Errorf("hit %s was served and is in no ledger", id)
		}
	}
	if lost == 0 || lost > 100 || rows[1].Lost != lost || rows[0].Lost+rows[2].Lost != 0 {
		t.Errorf("%d lost, rows %+v", lost, rows)
	}
}

func TestAnInterruptedAttackHandsOverWhatItFired(t *testing.T) {
	_, crew := processes(t, 2)
	g := newTarget(t, slowly(10*time.Millisecond))
	ledger, path := newLedger(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	report, _, err := crew.Fire(ctx, at(g.URL, 2000, attack.Callers(2)), ledger, func(done int) {
		if done > 20 {
			cancel(errors.New("enough"))
		}
	})
	if err == nil || !strings.Contains(err.Error(), "enough") {
		t.Fatalf("error %v", err)
	}
	entries, served := readLedger(t, ledger, path), g.hits()
	if report.Fired != len(entries) || len(entries) < len(served) || len(entries) >= 2000 {
		t.Errorf("%d entries, %d served, %d reported", len(entries), len(served), report.Fired)
	}
}

func TestAttacksSideBySideShareTheCrew(t *testing.T) {
	_, crew := processes(t, 2)
	g := newTarget(t, ok)
	ledger, path := newLedger(t)
	var attacks sync.WaitGroup
	for i := range 4 {
		attacks.Go(func() {
			a := at(g.URL, 40+i, attack.Callers(4))
			a.Name = fmt.Sprintf("a%d", i)
			if _, _, err := crew.Fire(t.Context(), a, ledger, nil); err != nil {
				t.Error(err)
			}
		})
	}
	attacks.Wait()
	if entries := readLedger(t, ledger, path); len(entries) != 166 || len(g.hits()) != 166 {
		t.Errorf("%d entries, %d served, want 166", len(entries), len(g.hits()))
	}
}

func TestNothingIsFiredWhereAWorkerCannotTakePart(t *testing.T) {
	pool, _ := processes(t, 2)
	g := newTarget(t, ok)
	for name, tc := range map[string]struct {
		urls   []string
		token  string
		change func(*attack.Attack)
		want   string
	}{
		"nobody listens":     {[]string{pool.URLs()[0], "http://127.0.0.1:1"}, pool.Token(), nil, "worker-1: read its clock"},
		"another's token":    {pool.URLs(), "other", nil, "401"},
		"a pacer of no hits": {pool.URLs(), pool.Token(), func(a *attack.Attack) { a.Pacer = attack.Rate(0) }, "Pacer"},
		"a place unheard of": {pool.URLs(), pool.Token(), func(a *attack.Attack) { a.As.Credential.Place = "shoe" }, "a credential at"},
		"a transport":        {pool.URLs(), pool.Token(), func(a *attack.Attack) { a.Transport = http.DefaultTransport }, "cannot be shared"},
		"no workers":         {nil, "", nil, "no worker"},
	} {
		t.Run(name, func(t *testing.T) {
			ledger, path := newLedger(t)
			a := at(g.URL, 10, attack.Callers(2))
			if tc.change != nil {
				tc.change(&a)
			}
			_, _, err := New(tc.urls, tc.token).Fire(t.Context(), a, ledger, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if entries := readLedger(t, ledger, path); len(entries) != 0 || len(g.hits()) != 0 {
				t.Errorf("%d entries, %d served", len(entries), len(g.hits()))
			}
		})
	}
}

func TestAStreamThatBreaksIsTakenUpAgain(t *testing.T) {
	token := NewToken()
	inner := newServer(t.Context(), token).handler()
	var broken atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ledger" && broken.Add(1) <= 3 {
			ctx, cancel := context.WithTimeout(r.Context(), 120*time.Millisecond)
			defer cancel()
			r = r.WithContext(ctx)
			defer panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	g := newTarget(t, slowly(10*time.Millisecond))
	ledger, path := newLedger(t)
	if _, _, err := New([]string{s.URL}, token).Fire(t.Context(), at(g.URL, 80, attack.OneAtATime), ledger, nil); err != nil {
		t.Fatal(err)
	}
	if entries := readLedger(t, ledger, path); len(entries) != 80 || len(g.hits()) != 80 || broken.Load() < 4 {
		t.Errorf("%d entries, %d served, %d streams", len(entries), len(g.hits()), broken.Load())
	}
}

func TestWorkersEndWithWhoStartedThem(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "parent", t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 200)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	urls := strings.Fields(string(line[:n]))
	if len(urls) != 2 {
		t.Fatalf("workers at %q", line[:n])
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	deadline := time.After(time.Minute)
	for _, url := range urls {
		for address := strings.TrimPrefix(url, "http://"); ; {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				break
			}
			_ = conn.Close()
			select {
			case <-deadline:
				t.Fatalf("a worker still listens at %s", address)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

func TestNoKeyAndNoTokenIsWrittenDown(t *testing.T) {
	logs := t.TempDir()
	pool, err := StartProcesses(t.Context(), os.Args[0], 2, logs)
	if err != nil {
		t.Fatal(err)
	}
	g := newTarget(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(r.Header.Get("Authorization")))
	})
	ledger, path := newLedger(t)
	a := at(g.URL, 10, attack.Callers(2))
	a.KeepAnswers = true
	_, rows, err := New(pool.URLs(), pool.Token()).Fire(t.Context(), a, ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	readLedger(t, ledger, path)
	if err := pool.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	written := fmt.Sprint(rows)
	files, _ := filepath.Glob(filepath.Join(logs, "*"))
	for _, file := range append(files, path) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		written += string(text)
	}
	if !strings.Contains(written, "[redacted]") || strings.Contains(written, secret) || strings.Contains(written, pool.Token()) {
		t.Errorf("written down:\n%s", written)
	}
}

func TestAWorkerWithoutATokenDoesNotServe(t *testing.T) {
	t.Setenv(EnvToken, "")
	var stdout, stderr bytes.Buffer
	if code := Main(t.Context(), nil, strings.NewReader(""), &stdout, &stderr); code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), EnvToken) {
		t.Errorf("exit %d, %q, %q", code, stdout.String(), stderr.String())
	}
}

func TestRowsSayHowFastEachWorkerWas(t *testing.T) {
	crew := inProcess(t, 0, 0)
	g := newTarget(t, ok)
	ledger, _ := newLedger(t)
	_, rows, err := crew.Fire(t.Context(), at(g.URL, 100, attack.Rate(200)), ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	record := reports.Record{Cases: []reports.Case{{ID: "B02", Workers: rows}}}
	for _, row := range record.WorkerRows() {
		if row.PlannedRate != 100 || row.Rate < 80 || row.Rate > 120 || row.Fired != 50 {
			t.Errorf("row %+v", row)
		}
	}
}
