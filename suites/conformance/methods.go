package conformance

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A spent quota", Label("rule:no-bypass"), func() {
	It("is not escaped by another method, and a preflight is no way in", Serial, Case("H08"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		methods := limitedMethods(alice)

		bed.Fire(ctx, pastQuota(alice, 1))
		var unusual harness.Hits
		for _, method := range append(methods, bed.Set().Request().Method) {
			unusual = unusual.And(bed.Fire(ctx, attack.Attack{As: alice, Hits: 2, Pacer: attack.OneAtATime, Target: attack.Target{Method: method}}))
		}
		var preflights harness.Hits
		noKey := oracle.Want{Statuses: []int{401}}
		for _, method := range methods {
			preflights = preflights.And(bed.Fire(ctx, preflight(method)))
			request := bed.Set().Request()
			request.Method = method
			noKey = orDenied(bed.Set(), request, noKey)
		}

		all := bed.JudgeAbout(ctx, alice, unusual, oracle.Want{}, oracle.NoBypass)
		all = append(all, bed.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.Reconciled)...)
		if bed.Set().RefusesStrangers() {
			all = append(all, bed.JudgeHits(ctx, preflights, noKey, oracle.AllRefused)...)
		}
		Expect(all).To(Hold())
	})
})

// limitedMethods are the methods without a body to which the same limits apply
// as to the policy's own request. One that the policy exempts is free by its own
// words, one that it does not route is nobody's.
func limitedMethods(who tier.Identity) []string {
	GinkgoHelper()
	var methods []string
	for _, method := range []string{http.MethodOptions, http.MethodHead} {
		if limits, routed := bed.LimitsOn(who, method, bed.Set().Request().Path); routed && len(limits) == len(who.Limits) {
			methods = append(methods, method)
		}
	}
	if len(methods) == 0 {
		bed.NotJudged("the policy limits neither OPTIONS nor HEAD on the path that it limits")
	}
	return methods
}

// preflight is what a browser sends ahead of a request: it has no key.
func preflight(method string) attack.Attack {
	return attack.Attack{
		Anonymous: true, Hits: 2, Pacer: attack.OneAtATime, Target: attack.Target{Method: method},
		Header: http.Header{"Origin": {"https://floodgate.example"}, "Access-Control-Request-Method": {http.MethodPost}},
	}
}
