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

var _ = Describe("A route", Label("rule:isolation"), func() {
	It("has counters of its own", harness.On(harness.Shapes), Case("I05"), func(ctx SpecContext) {
		routes := withRoutes()
		alice := routes.Enroll(ctx, routes.Smallest().Name)

		there, elsewhere := onRoute(ctx, routes, alice, policy.SecondRoute)

		all := fireApart(ctx, routes, alice, pastQuota(alice, 2))
		all = append(all, fireApart(ctx, routes, there, elsewhere(int(there.Quota())+3, attack.OneAtATime))...)

		Expect(all).To(Hold())
	})

	It("with a policy of its own has counters of its own, though the limits have the names of another's", harness.On(harness.Shapes), Case("I12"), func(ctx SpecContext) {
		routes := withRoutes()
		alice := routes.Enroll(ctx, routes.Smallest().Name)

		there, elsewhere := onRoute(ctx, routes, alice, policy.SameNameRoute)

		all := fireApart(ctx, routes, alice, pastQuota(alice, 2))
		all = append(all, fireApart(ctx, routes, there, elsewhere(int(there.Quota())+3, attack.OneAtATime))...)

		Expect(all).To(Hold())
	})
})

var _ = Describe("A listener", Label("rule:isolation"), func() {
	It("shares the counters of the route that others lead to", harness.On(harness.Shapes), Case("I06"), func(ctx SpecContext) {
		routes := withRoutes()
		alice := routes.Enroll(ctx, firstWith(routes, 2).Name)
		through, _ := routes.LimitsFor(alice, routes.Set().HostedRequest())
		if !sameCounters(alice.Limits, through) {
			routes.NotJudged("the policy counts the hits through each listener for themselves")
		}
		hosted := attack.Attack{As: alice, Hits: int(alice.Quota()), Pacer: attack.OneAtATime}
		hosted.Target.Host = policy.SecondHost

		routes.Fire(ctx, pastQuota(alice, -1))
		routes.Fire(ctx, hosted)
		routes.Fire(ctx, attack.Attack{As: alice, Hits: 2, Pacer: attack.OneAtATime})

		Expect(routes.JudgeCounters(ctx, alice, boundary...)).To(Hold())
	})
})

var _ = Describe("A limit without counters", Label("rule:no-overrun"), func() {
	It("is one for everybody", Serial, harness.On(harness.Shapes), Case("B10"), func(ctx SpecContext) {
		routes := withRoutes()
		alice, bob := routes.Enroll(ctx, routes.Smallest().Name), routes.Enroll(ctx, routes.Largest().Name)
		shared, hers := onRoute(ctx, routes, alice, policy.TogetherRoute)
		_, his := onRoute(ctx, routes, bob, policy.TogetherRoute)
		half := int(shared.Quota()) / 2

		hits := routes.Fire(ctx, hers(half, attack.OneAtATime))
		hits = hits.And(routes.Fire(ctx, his(int(shared.Quota()), attack.OneAtATime)))
		hits = hits.And(routes.Fire(ctx, hers(2, attack.OneAtATime)))

		Expect(routes.JudgeTogether(ctx, hits, shared.Limits, shared.Fresh, oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.Served)).To(Hold())
	})
})

// withRoutes is the bed of the policy with copies of its route.
func withRoutes() *harness.Bed {
	GinkgoHelper()
	routes := bed.On(harness.Shapes)
	if !routes.Set().HasMoreRoutes() {
		_, why := routes.Set().WithMoreRoutes()
		routes.NotJudged("the policy's route cannot be copied: %v", why)
	}
	return routes
}

// onRoute is a caller with the limits of another route, and makes attacks on it.
func onRoute(ctx SpecContext, bed *harness.Bed, who tier.Identity, route string) (tier.Identity, func(hits int, pacer attack.Pacer) attack.Attack) {
	GinkgoHelper()
	who.Limits, _ = bed.LimitsFor(who, bed.Set().RoutedRequest(route))
	who.Fresh = bed.AwaitUnused(ctx, who) && who.Fresh
	return who, func(hits int, pacer attack.Pacer) attack.Attack {
		a := attack.Attack{As: who, Hits: hits, Pacer: pacer, Header: http.Header{}}
		a.Header.Set(policy.RouteHeader, route)
		return a
	}
}

// fireApart fires some of a caller's hits and judges them for themselves, on books
// that hold nothing of those before.
func fireApart(ctx SpecContext, bed *harness.Bed, who tier.Identity, a attack.Attack) harness.Judgement {
	GinkgoHelper()
	bed.Reopen()
	hits := bed.Fire(ctx, a)
	return bed.JudgeAbout(ctx, who, hits, oracle.Want{}, oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.Served, oracle.Reconciled)
}

// sameCounters tells whether limits are the same ones, with the same counters.
func sameCounters(limits, others []tier.Limit) bool {
	if len(limits) != len(others) {
		return false
	}
	for i, l := range limits {
		if l.ID != others[i].ID || l.Scope != others[i].Scope {
			return false
		}
	}
	return true
}
