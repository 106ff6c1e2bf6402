package kuadrant

import (
	"fmt"
	"testing"
)

func TestOverridden(t *testing.T) {
	manifest := "apiVersion: kuadrant.io/v1\nkind: RateLimitPolicy\nmetadata: {name: p, namespace: n, generation: 2}\nstatus: {observedGeneration: %d, conditions: [{type: Enforced, status: \"False\", reason: %s}]}\n"
	for _, kase := range []struct {
		observed int
		reason   string
		want     bool
	}{{2, "Overridden", true}, {1, "Overridden", false}, {2, "Unknown", false}} {
		if got := overridden(decoded(t, fmt.Sprintf(manifest, kase.observed, kase.reason))[0]); got != kase.want {
			t.Errorf("%+v: %v", kase, got)
		}
	}
}
