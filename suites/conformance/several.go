package conformance

import (
	"fmt"
	"net/http"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("Several limits", Label("rule:each-binds"), func() {
	It("bind each in its turn", harness.On(harness.Several), Case("K07"), func(ctx SpecContext) {
		several := bed.On(harness.Several)
		alice := several.Enroll(ctx, withSeveralLimits(several).Name)
		byWindow := slices.SortedFunc(slices.Values(alice.Limits), func(a, b tier.Limit) int { return int(a.Window - b.Window) })
		for i, limit := range byWindow[1:] {
			if limit.Quota <= byWindow[i].Quota {
				several.NotJudged("%s binds no later than %s, so that not every limit has its turn", limit, byWindow[i])
			}
		}

		first := several.Fire(ctx, attack.Attack{As: alice, Hits: int(byWindow[0].Quota) + 1, Pacer: attack.OneAtATime})
		all := several.JudgeCounters(ctx, alice, oracle.DenialsSpend)
		for i, limit := range byWindow[1:] {
			several.Wait(ctx, first.FirstAnswered()+byWindow[i].Window+afterEdge, fmt.Sprintf("the end of the windows of %s", byWindow[i].Window))
			several.Fire(ctx, attack.Attack{As: alice, Hits: int(limit.Quota-byWindow[i].Quota) + 1, Pacer: attack.OneAtATime})
		}

		Expect(append(all, several.Judge(ctx, alice, oracle.EachBinds, oracle.NoOverrun, oracle.NoUnderrun, oracle.Served, oracle.Reconciled)...)).To(Hold())
	})

	It("of two policies on one request bind both, and it is told what a denial spends", Serial, harness.On(harness.Edits), Case("K06"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		overlapping, err := edits.Set().WithOverlap()
		after := edits.Edit(ctx, overlapping, err)
		alice := after.Under(after.Enroll(ctx, tierWith(after, policy.OverlapLimit).Name))

		after.Fire(ctx, pastQuota(alice, 4))

		all := after.JudgeCounters(ctx, alice, oracle.DenialsSpend)
		Expect(append(all, after.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.DenialsAre429, oracle.Served)...)).To(Hold())
	})
})

var _ = Describe("A limit for some requests", Label("rule:only-matching"), func() {
	It("counts those alone, by header, path and method", harness.On(harness.Several), Case("K08"), func(ctx SpecContext) {
		several := bed.On(harness.Several)
		var all harness.Judgement
		for _, shape := range requestShapes() {
			alice := several.Enroll(ctx, several.Largest().Name)
			limit, applies := several.LimitNamed(shape.limit, alice, shape.change)
			if fired := limit.Quota + 2 + 2*strays; !applies || alice.Quota() <= fired {
				continue
			}
			stray := attack.Attack{As: alice, Hits: strays, Pacer: attack.OneAtATime}
			matching := shape.attack(several.Set().Request())
			matching.Name, matching.As, matching.Hits, matching.Pacer = "matching-"+shape.limit, alice, int(limit.Quota)+2, attack.OneAtATime

			hits := several.Fire(ctx, stray).And(several.Fire(ctx, matching)).And(several.Fire(ctx, stray))

			alice.Limits = []tier.Limit{limit}
			all = append(all, several.JudgeAbout(ctx, alice, hits, oracle.Want{Matching: []string{matching.Name}}, oracle.OnlyMatching)...)
		}
		if len(all) == 0 {
			several.NotJudged("no tier has room for a limit of some requests beside its own")
		}
		Expect(all).To(Hold())
	})
})

// strays is how many hits that a limit does not match go before and after those
// that it does.
const strays = 2

// requestShape is what makes the policy's request one that a limit matches.
type requestShape struct {
	limit  string
	change func(*policy.Request)
}

func requestShapes() []requestShape {
	return []requestShape{
		{policy.HeaderLimit, func(r *policy.Request) { r.Headers = map[string]string{policy.MeteredHeader: policy.MeteredValue} }},
		{policy.PathLimit, func(r *policy.Request) {
			r.Path = map[bool]string{true: "/v1/completions", false: "/v1/chat/completions"}[r.Path == "/v1/chat/completions"]
		}},
		{policy.MethodLimit, func(r *policy.Request) { r.Method, r.Path, r.ContentType = http.MethodGet, "/v1/models", "" }},
	}
}

// attack is an attack with the request of the shape.
func (s requestShape) attack(request policy.Request) attack.Attack {
	s.change(&request)
	a := attack.Attack{Target: attack.Target{Method: request.Method, Path: request.Path}, Header: http.Header{}}
	for name, value := range request.Headers {
		a.Header.Set(name, value)
	}
	return a
}

// sizes are how many limits are in force in turn, and inFlight how many hits are
// under way then.
var sizes = []int{1, 10, 100, 1000}

const inFlight = 64

var _ = Describe("A limiter with many limits", Label("rule:heard-at-any-size"), func() {
	It("hears every hit", Serial, harness.On(harness.Edits), Case("K11"), func(ctx SpecContext) {
		edits := bed.On(harness.Edits)
		inForce := map[string]int{}
		var crowd []tier.Identity
		var hits harness.Hits
		for _, size := range sizes {
			sized, err := edits.Set().WithIdleLimits(size)
			after := edits.Edit(ctx, sized, err)
			alice := after.Enroll(ctx, after.Smallest().Name)
			fired := attack.Attack{Name: fmt.Sprintf("size-%d", size), As: alice, Hits: 2 * inFlight, Pacer: attack.Callers(inFlight)}
			hits = hits.And(after.Fire(ctx, fired))
			crowd, inForce[fired.Name] = append(crowd, alice), len(sized.LimitadorLimits())
		}

		Expect(edits.JudgeCrowdAbout(ctx, crowd, hits, oracle.Want{Sizes: inForce}, oracle.HeardAtAnySize)).To(Hold())
	})
})
