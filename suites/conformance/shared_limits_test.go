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

// TestLimitsThatACaseCanJudge tells by the shape of a policy which cases it puts to a
// test.
func TestLimitsThatACaseCanJudge(t *testing.T) {
	own := tier.Limit{Name: "own", Quota: 5, Unit: tier.Hits, Window: 30 * time.Second, Counters: []string{"auth.identity.userid"}}
	long, tokens, ceiling, everybody, team := own, own, own, own, own
	long.Window = time.Hour
	tokens.Unit = tier.Tokens
	ceiling.Counters, ceiling.Quota = nil, 1_000_000
	everybody.Counters, everybody.Quota = nil, 50
	team.Pooled = true
	for name, c := range map[string]struct {
		limits               []tier.Limit
		edited, several, may bool
	}{
		"one of its own":               {[]tier.Limit{own}, true, false, false},
		"two of its own":               {[]tier.Limit{own, long}, false, true, false},
		"beside a ceiling":             {[]tier.Limit{ceiling, own}, true, false, true},
		"beside a limit of everybody":  {[]tier.Limit{own, everybody}, false, false, false},
		"of tokens too":                {[]tier.Limit{own, tokens}, false, true, false},
		"of tokens alone":              {[]tier.Limit{tokens}, false, false, false},
		"of a team":                    {[]tier.Limit{team}, false, false, false},
		"a ceiling alone":              {[]tier.Limit{ceiling}, false, false, true},
		"two of its own and a ceiling": {[]tier.Limit{own, long, ceiling}, false, false, true},
	} {
		if got := deniedByOne(c.limits); got != c.edited {
			t.Errorf("%s: denied by one %v, want %v", name, got, c.edited)
		}
		if got := severalOwn(c.limits); got != c.several {
			t.Errorf("%s: several of its own %v, want %v", name, got, c.several)
		}
		if got := everybodyMay([]tier.Tier{{Limits: c.limits}}, 2000); got != c.may {
			t.Errorf("%s: everybody may fire 2000 hits %v, want %v", name, got, c.may)
		}
	}
}
