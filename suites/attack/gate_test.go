package attack

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestGateOpensForAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, err := evidence.Create(filepath.Join(t.TempDir(), "gate.jsonl"), evidence.Header{})
		if err != nil {
			t.Fatal(err)
		}
		defer ledger.Close()
		g := newGate(3)
		var passed atomic.Int64
		come := func() {
			if released := g.pass(t.Context(), ledger.Since); released != 2*time.Second {
				t.Errorf("released at %v", released)
			}
			passed.Add(1)
		}
		for range 2 {
			go come()
			<-time.After(time.Second)
			synctest.Wait()
			if passed.Load() != 0 {
				t.Fatal("the gate opened before the last had come")
			}
		}
		come()
		synctest.Wait()
		if passed.Load() != 3 {
			t.Errorf("%d of 3 passed", passed.Load())
		}
	})
}

func TestGateLetsNobodyWaitForAnInterruptedAttack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if released := newGate(2).pass(ctx, nil); released != 0 {
		t.Errorf("released at %v", released)
	}
}
