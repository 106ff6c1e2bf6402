package harness

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestLimitersShowTheSameCounters(t *testing.T) {
	counter := func(who string, remaining, expires uint64) evidence.LiveCounter {
		return evidence.LiveCounter{Limit: evidence.LimitInForce{Namespace: "ns", MaxValue: 2}, Values: []string{who}, Remaining: remaining, ExpiresIn: expires}
	}
	alice, bob := counter("alice", 1, 60), counter("bob", 0, 60)
	for name, c := range map[string]struct {
		other []evidence.LiveCounter
		same  bool
	}{
		"in another order, a second later": {[]evidence.LiveCounter{counter("bob", 0, 59), counter("alice", 1, 60)}, true},
		"another rest":                     {[]evidence.LiveCounter{counter("alice", 2, 60), bob}, false},
		"one is missing":                   {[]evidence.LiveCounter{alice}, false},
		"one twice":                        {[]evidence.LiveCounter{alice, alice}, false},
		"none":                             {nil, false},
	} {
		if got := sameCounters([]evidence.LiveCounter{alice, bob}, c.other); got != c.same {
			t.Errorf("%s: same %v, want %v", name, got, c.same)
		}
	}
}
