package attack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// inProcess is a system under test that takes its time, on the bubble's clock.
type inProcess func(*http.Request) (*http.Response, error)

func (f inProcess) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerAfter(d time.Duration) inProcess {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func TestAnHourOnTheVirtualClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := at("http://gateway", 3601, attack.Rate(1))
		a.Transport = answerAfter(3 * time.Second)
		began := time.Now()
		report, entries := fire(t, a)
		if took := time.Since(began); took < time.Hour || took > time.Hour+10*time.Second {
			t.Errorf("it took %v", took)
		}
		for i, e := range entries {
			if want := time.Duration(i) * time.Second; e.Due-entries[0].Due != want || e.Sent != e.Due || e.Received != e.Sent+3*time.Second {
				t.Fatalf("hit %d: due %v, sent %v, received %v", i, e.Due, e.Sent, e.Received)
			}
		}
		if report.Fired != 3601 || report.MaxLag != 0 || report.LagP99 != 0 || report.BackToBack != 0 {
			t.Errorf("report %+v", report)
		}
	})
}

// A caller that waits for its answers cannot keep up; that must show instead of
// being smoothed away.
func TestLateHitsAreDueWhenTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := at("http://gateway", 2000, attack.Rate(2000))
		a.Timeout = time.Hour
		a.Transport = answerAfter(time.Minute)
		report, entries := fire(t, a)
		for _, e := range entries {
			if e.Due > time.Second {
				t.Fatalf("hit %d was due at %v", e.Seq, e.Due)
			}
		}
		if report.MaxLag < 59*time.Second || report.LagP99 < 59*time.Second || report.LagP99 > report.MaxLag {
			t.Errorf("lag p99 %v, max %v; want about a minute", report.LagP99, report.MaxLag)
		}
	})
}

func TestUnansweredHitIsLostAtItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := at("http://gateway", 3, attack.OneAtATime)
		a.Transport, a.Timeout = answerAfter(time.Hour), 2*time.Second
		report, entries := fire(t, a)
		for _, e := range entries {
			if e.Outcome != evidence.Lost || e.Received-e.Sent != 2*time.Second || e.Error != "no whole answer within 2s" || e.Status != 0 || e.From != "" {
				t.Errorf("entry %+v", e)
			}
		}
		if report.Outcomes[evidence.Lost] != 3 {
			t.Errorf("outcomes %v", report.Outcomes)
		}
	})
}

func TestInterruptedAttackStopsAndKeepsWhatItFired(t *testing.T) {
	for _, pacer := range []attack.Pacer{attack.OneAtATime, attack.Callers(3), attack.Rate(2), attack.Rate(0.001), attack.Together} {
		t.Run(fmt.Sprintf("%T(%v)", pacer, pacer), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger, path := newLedger(t)
				ctx, cancel := context.WithTimeout(t.Context(), 7500*time.Millisecond)
				defer cancel()
				var served atomic.Int64
				a := at("http://gateway", 100, pacer)
				a.Transport = inProcess(func(r *http.Request) (*http.Response, error) {
					if served.Add(1); r.Context().Err() != nil {
						t.Error("a hit left after the end")
					}
					return answerAfter(time.Second * 8 / 5)(r)
				})
				if pacer == attack.Together {
					a.Transport = answerAfter(time.Hour)
					served.Add(100)
				}
				report, err := attack.Fire(ctx, a, ledger, nil)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if now := ledger.Since(); now != 7500*time.Millisecond {
					t.Errorf("it stopped after %v", now)
				}
				written := entries(t, ledger, path)
				if len(written) != report.Fired || int64(report.Fired) != served.Load() {
					t.Errorf("%d entries, %d fired, %d served", len(written), report.Fired, served.Load())
				}
				interrupted := 0
				for _, e := range written {
					if e.Outcome == evidence.Lost && e.Error == "interrupted" {
						interrupted++
					}
				}
				if interrupted != report.Outcomes[evidence.Lost] || pacer != attack.Rate(0.001) && interrupted == 0 {
					t.Errorf("%d interrupted, outcomes %v", interrupted, report.Outcomes)
				}
			})
		})
	}
}
