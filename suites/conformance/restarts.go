package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// restartRate finds a phase of some 60 ms, in which a real authorizer has
	// taken no key in yet.
	restartRate = 100
	restartHits = 400
	// returnBudget is how long after a restart the gateway may need to find the
	// authorizer again: gRPC's first pause between two attempts is a second.
	returnBudget = 2 * time.Second
)

var _ = Describe("An authorizer that is down", Label("rule:stays-known"), func() {
	It("lets nobody in, and turns nobody away for good", harness.On(harness.Restarts), Case("A08"), func(ctx SpecContext) {
		restarts := bed.On(harness.Restarts)
		alice := restarts.Enroll(ctx, lastingTier(restarts, 1).Name)
		through := attack.Attack{As: alice, Hits: restartHits, Pacer: attack.Rate(restartRate)}

		restarts.Fire(ctx, pastQuota(alice, 1))
		hits, asked, done := restarts.FireWhile(ctx, restarts.RestartAuthorizer(), through)

		all := restarts.JudgeHits(ctx, hits, oracle.Want{Change: &oracle.Change{
			What: "the authorizer was restarted", Asked: asked, Done: done, Budget: returnBudget, Owner: reports.Authorizer, Then: known(),
		}}, oracle.StaysKnown)
		all = append(all, restarts.JudgeHits(ctx, hits, oracle.Want{Statuses: notServed()}, oracle.AllRefused)...)
		Expect(all).To(Hold())
	})
})

// notServed are the answers to a caller whose quota is spent, whatever the
// authorizer does meanwhile. That 401 and 403 are wrong, StaysKnown says.
func notServed() []int { return []int{401, 403, 404, 429, 500, 503} }
