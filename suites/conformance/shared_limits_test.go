package conformance

import (
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// A limit of everybody's is the same in two tiers, whatever else they have.
func TestLimitsThatTiersShare(t *testing.T) {
	everybody := tier.Limit{Policy: "ns/p", Name: "everybody", Scope: "ns/r", Quota: 12, Window: 30 * time.Second}
	minute := everybody
	minute.Window = time.Minute
	free := tier.Limit{Policy: "ns/p", Name: "free", Scope: "ns/r", Quota: 2, Window: time.Minute}
	if got := except([]tier.Limit{free, everybody, minute}, []tier.Limit{everybody}); len(got) != 2 || got[0].Name != "free" || got[1].Window != time.Minute {
		t.Errorf("got %v, want the limit of free and that of a minute", got)
	}
	if got := except([]tier.Limit{everybody}, []tier.Limit{free, everybody}); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}
