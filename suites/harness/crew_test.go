package harness

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/attack/crew"
)

// TestMain makes the test binary a worker's executable.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == crew.WorkerCommand {
		os.Exit(crew.Main(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestWorkersFireTheRunsAttacksWhereTheyCan(t *testing.T) {
	pool, err := crew.StartProcesses(t.Context(), os.Args[0], 2, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Stop(context.WithoutCancel(t.Context())) })
	token, err := crew.WriteToken(t.TempDir(), pool.Token())
	if err != nil {
		t.Fatal(err)
	}
	counted := func() (*httptest.Server, *atomic.Int64) {
		var hits atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
		t.Cleanup(s.Close)
		return s, &hits
	}
	outer, outside := counted()
	inner, within := counted()
	alone := &Workers{}
	here := &Workers{URLs: pool.URLs(), TokenFile: token}
	inside := &Workers{URLs: pool.URLs(), TokenFile: token, Inside: true}
	kept := func(*attack.Attack) {}
	onLine := func(a *attack.Attack) { a.Line = new(attack.Line) }
	ofTwo := func(a *attack.Attack) {
		a.Also = []tier.Identity{{Name: "b", Tier: "free", Key: "l", Credential: tier.Credential{Place: tier.CustomHeader, Name: "X-Key"}}}
	}
	for name, tc := range map[string]struct {
		workers         *Workers
		inner, url      string
		edit            func(*attack.Attack)
		outside, within int64
		rows            int
	}{
		"nobody shares":                          {nil, inner.URL, outer.URL, kept, 6, 0, 0},
		"an empty list":                          {alone, inner.URL, outer.URL, kept, 6, 0, 0},
		"processes":                              {here, inner.URL, outer.URL, kept, 6, 0, 2},
		"pods":                                   {inside, inner.URL, outer.URL, kept, 0, 6, 2},
		"pods, at something else":                {inside, inner.URL, outer.URL + "/", kept, 6, 0, 0},
		"pods of a system that knows no gateway": {inside, "", outer.URL, kept, 6, 0, 0},
		"pods, on a connection that is shared":   {inside, inner.URL, outer.URL, onLine, 6, 0, 0},
		"pods, with two keys":                    {inside, inner.URL, outer.URL, ofTwo, 6, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			outside.Store(0)
			within.Store(0)
			workers, err := tc.workers.crew()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "B02.jsonl")
			ledger, err := evidence.Create(path, evidence.Header{Case: "B02"})
			if err != nil {
				t.Fatal(err)
			}
			defer ledger.Close()
			bed := &Bed{
				run: &run{
					session: Session{Workers: tc.workers}, crew: workers,
					spec: &spec{ledger: ledger, began: time.Now()},
				},
				variant: cluster.Variant{Name: Twin, Gateway: outer.URL, GatewayInside: tc.inner},
			}
			a := attack.Attack{
				As:   tier.Identity{Name: "a", Tier: "free", Key: "k", Credential: tier.Credential{Place: tier.AuthorizationHeader, Name: "APIKEY"}},
				Hits: 6, Pacer: attack.Callers(2), Target: attack.Target{URL: tc.url},
			}
			tc.edit(&a)
			report, rows, err := bed.carryOut(t.Context(), a, nil)
			if err != nil || report.Fired != 6 {
				t.Fatalf("%+v, %v", report, err)
			}
			if outside.Load() != tc.outside || within.Load() != tc.within || len(rows) != tc.rows {
				t.Errorf("%d hits from outside, %d from inside, %d rows", outside.Load(), within.Load(), len(rows))
			}
		})
	}
}
