package attack_test

import (
	"sync/atomic"
	"testing"

	"github.com/floodgate-dev/floodgate/suites/attack"
)

func TestAttacksOfALineShareItsConnections(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol    attack.Protocol
		shared      bool
		connections int64
	}{
		"each its own":        {attack.HTTP1, false, 3},
		"one line":            {attack.HTTP1, true, 1},
		"one line of streams": {attack.H2C, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Int64
			s := serve(t, ok, counting(&opened))
			ledger, path := newLedger(t)
			line := new(attack.Line)
			defer line.Close()
			for range 3 {
				a := at(s.URL, 2, attack.OneAtATime)
				a.Protocol = tc.protocol
				if tc.shared {
					a.Line = line
				}
				if _, err := attack.Fire(t.Context(), a, ledger, nil); err != nil {
					t.Fatal(err)
				}
			}
			if opened.Load() != tc.connections || len(entries(t, ledger, path)) != 6 {
				t.Errorf("%d connections, want %d", opened.Load(), tc.connections)
			}
		})
	}
}
