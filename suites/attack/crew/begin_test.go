package crew

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/suites/attack"
)

// lateStarts has the first calls to begin reach each worker later than the
// begin.
func lateStarts(t *testing.T, c *Crew, late int64, by time.Duration) *atomic.Int64 {
	t.Helper()
	var told atomic.Int64
	for _, m := range c.members {
		to, err := url.Parse(m.url)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/start" && told.Add(1) <= late {
				hold := time.NewTimer(by)
				defer hold.Stop()
				select {
				case <-hold.C:
				case <-r.Context().Done():
				}
			}
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(front.Close)
		m.url = front.URL
	}
	return &told
}

func TestAWorkerThatFiresAloneIsToldAgain(t *testing.T) {
	t.Parallel()
	g := newTarget(t, ok)
	c := inProcess(t, 0, 0)
	told := lateStarts(t, c, 2, 700*time.Millisecond)
	ledger, path := newLedger(t)
	report, _, err := c.Fire(t.Context(), at(g.URL, 5, attack.OneAtATime), ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Fired != 5 || len(g.hits()) != 5 || len(readLedger(t, ledger, path)) != 5 || told.Load() != 3 {
		t.Errorf("%d hits fired, %d served, told %d times", report.Fired, len(g.hits()), told.Load())
	}
}

func TestWorkersThatBeginTogetherAreNotToldAgain(t *testing.T) {
	t.Parallel()
	g := newTarget(t, ok)
	c := inProcess(t, 0, 0)
	told := lateStarts(t, c, 1, 2*time.Second)
	ledger, path := newLedger(t)
	_, _, err := c.Fire(t.Context(), at(g.URL, 40, attack.Rate(10)), ledger, nil)
	if !errors.Is(err, errTooLate) || told.Load() != 2 {
		t.Errorf("told %d times: %v", told.Load(), err)
	}
	// The other had begun: what it fired is written down.
	if served, entries := len(g.hits()), len(readLedger(t, ledger, path)); served == 0 || served != entries {
		t.Errorf("%d hits served, %d in the ledger", served, entries)
	}
}
