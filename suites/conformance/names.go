package conformance

import (
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// members is how many callers of one tier have counters at a time: as many as the
// limiter's documentation says that it keeps (cases.md G11).
const members = 1000

// crowdQuota is the largest quota that a crowd is to use up, and crowdWindow the
// shortest window that it can do so in on a busy machine.
const (
	crowdQuota  = 4
	crowdWindow = 30 * time.Second
)

// volleys is how many of them fire side by side.
const volleys = 50

var _ = Describe("A counter", Label("rule:isolation"), func() {
	It("is the identity's, whichever of its keys it shows", Case("I02"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		alias := bed.Alias(ctx, alice)

		bed.Fire(ctx, pastQuota(alice, 1))
		bed.Fire(ctx, attack.Attack{As: alias, Hits: 3, Pacer: attack.OneAtATime})

		Expect(bed.JudgeCounters(ctx, alice, boundary...)).To(Hold())
	})

	It("is kept apart from others, however the identities are named", Case("I07"), func(ctx SpecContext) {
		var all harness.Judgement
		named := bed.EnrollNamed(ctx, bed.Smallest().Name, oddEndings()...)
		for i, who := range named {
			bed.Fire(ctx, pastQuota(who, 1+i%3))
		}
		for _, who := range named {
			all = append(all, bed.Judge(ctx, who, boundary...)...)
		}
		Expect(all).To(Hold())
	})

	// The crowd has a variant with few other cases: their books would hold it, too.
	It("is each member's own in a crowd", harness.On(harness.Unguarded), Case("I13"), func(ctx SpecContext) {
		unguarded := bed.On(harness.Unguarded)
		t := crowdTier(unguarded)
		crowd := unguarded.EnrollCrowd(ctx, t.Name, members)
		rounds := int(t.Quota()) + 1

		var hits harness.Hits
		for range rounds {
			hits = hits.And(unguarded.FireInTurn(ctx, volleys, 1, crowd))
		}

		Expect(unguarded.JudgeCrowd(ctx, crowd, hits, oracle.OwnQuota, oracle.Served)).To(Hold())
	})
})

var _ = Describe("Counters by the thousand", Label("rule:own-quota"), func() {
	It("are each exact, and none is dropped for another", Serial, harness.On(harness.Unguarded), Case("K04"), func(ctx SpecContext) {
		unguarded := bed.On(harness.Unguarded)
		crowd, hits := multitudeFires(ctx, unguarded)

		Expect(unguarded.JudgeCrowd(ctx, crowd, hits, oracle.OwnQuota, oracle.Served)).To(Hold())
	})
})

var _ = Describe("The limiter's metrics of thousands", Label("rule:series-bounded"), func() {
	It("have one series a caller in each family, and are read in time", Serial, harness.On(harness.Unguarded), Case("M14"), func(ctx SpecContext) {
		unguarded := bed.On(harness.Unguarded)
		unguarded.NeedsUserLabel()

		earlier := unguarded.Page(ctx)
		_, hits := multitudeFires(ctx, unguarded)

		Expect(unguarded.JudgeGrowth(ctx, hits, earlier, oracle.SeriesBounded)).To(Hold())
	})
})

// multitudeFires has a multitude use up its quotas before anybody comes back.
func multitudeFires(ctx SpecContext, bed *harness.Bed) ([]tier.Identity, harness.Hits) {
	GinkgoHelper()
	t := crowdTier(bed)
	crowd := bed.EnrollCrowd(ctx, t.Name, bed.Multitude())
	hits := bed.FireInTurn(ctx, volleys, int(t.Quota()), crowd)
	return crowd, hits.And(bed.FireInTurn(ctx, volleys, 1, crowd))
}

var _ = Describe("Who is in two tiers", Label("rule:no-overrun"), func() {
	It("has the smaller quota, and spends no more of the larger one", Serial, Case("I08"), func(ctx SpecContext) {
		alice := bed.EnrollBoth(ctx, bed.Smallest().Name, bed.Largest().Name)

		bed.Fire(ctx, pastQuota(alice, 4))

		Expect(bed.JudgeCounters(ctx, alice, append([]string{oracle.CountersTell}, boundary...)...)).To(Hold())
	})
})

// crowdTier is a tier whose quota a crowd can use up within its window, in few
// hits each.
func crowdTier(bed *harness.Bed) tier.Tier {
	GinkgoHelper()
	for _, t := range bed.Tiers() {
		short := slices.ContainsFunc(t.Limits, func(l tier.Limit) bool { return l.Window < crowdWindow })
		if t.Quota() <= crowdQuota && !short {
			return t
		}
	}
	bed.NotJudged("no tier has a quota of %d hits at most, in windows of at least %s: %d callers could not use it up in time", crowdQuota, crowdWindow, members)
	return tier.Tier{}
}

// oddEndings make names that a key put together carelessly, or a metric's line,
// takes for one another: each stands beside one from which it differs by little.
func oddEndings() []string {
	return []string{
		"1", "11", ",1", ",2", `"1`, `"2`, "=1", "=2", "\n1", "\n2", `\n1`, " 1", " 2", "ü", "ö", "時",
		// The same in another case, behind a space, as a number, percent-encoded, or
		// put together of other code points.
		"Ab", "aB", "z", "z ", "7", "07", "%31", "\u00e9", "e\u0301",
		strings.Repeat("x", 240) + "1", strings.Repeat("x", 240) + "2",
	}
}
