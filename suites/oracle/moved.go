package oracle

import (
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// judgeMovedTier looks at the hits of a caller that has moved to a larger tier
// after it had spent the quota of a smaller one. A limiter that counts wrong
// admits something to a counter that is unused; who gets nothing at all is still
// taken for what it was, and that the authorizer says.
func judgeMovedTier(t *trial) reports.Finding {
	before, limited := tier.Binding(t.q.Want.Formerly)
	now, _ := tier.Binding(t.limits)
	passed := int64(len(t.passed))
	switch {
	case !limited || before.Quota >= now.Quota:
		return doubt("the quota that was left is not smaller than the one of %d hits that came, so that one cannot be told from the other", now.Quota)
	case passed >= now.Quota || len(t.denied) == 0 && passed > before.Quota:
		f := pass()
		f.Limit = now.String()
		return f
	case len(t.denied) == 0:
		return doubt("%s were admitted and none was denied, which both tiers allow", count(passed, "hit"))
	case passed > 0:
		return doubt("%d of %d hits were admitted before the others were denied, which fits neither tier", passed, now.Quota)
	}
	f := blame(cause{
		reports.Authorizer, "",
		"the authorizer still hands out what the Secret said before it was changed: the limits of the tier that was left apply",
	}, numbers(t.denied), "%s denied and none admitted of the new quota of %d, as if the spent %d of the tier that was left applied",
		hitsWere(len(t.denied)), now.Quota, before.Quota)
	f.Limit = now.String()
	return f
}
