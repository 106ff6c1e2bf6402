package conformance

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A counter", Label("rule:isolation"), func() {
	It("is one identity's own, also on another's connection", Case("I01"), func(ctx SpecContext) {
		var all harness.Judgement
		// As behind a proxy, which keeps its connections for everybody.
		line := new(attack.Line)
		DeferCleanup(line.Close)
		for _, t := range bed.Tiers() {
			alice, bob := bed.Enroll(ctx, t.Name), bed.Enroll(ctx, t.Name)
			first, second := pastQuota(alice, 2), pastQuota(bob, 3)
			first.Line, second.Line = line, line

			bed.Fire(ctx, first)
			bed.Fire(ctx, second)

			all = append(all, bed.Judge(ctx, alice, boundary...)...)
			all = append(all, bed.Judge(ctx, bob, boundary...)...)
		}
		if bed.Set().RefusesStrangers() {
			nobody := bed.Fire(ctx, attack.Attack{Anonymous: true, Hits: 2, Pacer: attack.OneAtATime, Line: line})
			all = append(all, bed.JudgeHits(ctx, nobody, orDenied(bed.Set(), bed.Set().Request(), oracle.Want{Statuses: []int{401}}), oracle.AllRefused)...)
		}
		Expect(all).To(Hold())
	})

	It("is never escaped by a caller outside of all tiers", Case("I10"), func(ctx SpecContext) {
		var all harness.Judgement
		for _, how := range []policy.Outsider{policy.MissingGroup, policy.EmptyGroup} {
			outsider := bed.EnrollOutsider(ctx, how)
			if len(outsider.Limits) == 0 && !bed.Set().Refuses(how) {
				bed.NotJudged("the policy lets callers without a group pass unlimited")
			}

			bed.Fire(ctx, attack.Attack{As: outsider, Hits: moreThanQuotaOf(outsider), Pacer: attack.OneAtATime})

			all = append(all, bed.Judge(ctx, outsider, oracle.NeverFree)...)
		}
		Expect(all).To(Hold())
	})

	It("is not chosen by a header of the client", Case("I15"), func(ctx SpecContext) {
		alice, bob := bed.Enroll(ctx, bed.Smallest().Name), bed.Enroll(ctx, bed.Smallest().Name)

		bed.Fire(ctx, pastQuota(alice, 1))
		spoofed := pastQuota(alice, 0)
		spoofed.Hits = 3
		spoofed.Header = http.Header{
			"X-Userid": {bob.Name}, "Auth.identity.userid": {bob.Name}, "X-Ext-Auth-Userid": {bob.Name}, "X-Forwarded-User": {bob.Name},
		}
		bed.Fire(ctx, spoofed)
		bed.Fire(ctx, pastQuota(bob, 2))

		all := bed.Judge(ctx, alice, boundary...)
		all = append(all, bed.Judge(ctx, bob, boundary...)...)
		Expect(all).To(Hold())
	})
})

// moreThanQuotaOf is how many hits tell whether a caller outside of all tiers is
// limited. It skips the spec where no case can fire that many.
func moreThanQuotaOf(outsider tier.Identity) int {
	GinkgoHelper()
	hits := bed.MoreThanAnyQuota()
	if len(outsider.Limits) > 0 && outsider.Quota() >= int64(hits) {
		bed.NotJudged("the policy gives a caller outside of all tiers a quota of %d, and a case fires %d hits at most", outsider.Quota(), hits)
	}
	return hits
}
