package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// prompt is how many callers fire on right after the answer that used up their
	// quota: on a busy machine not every one of them is quick enough.
	prompt = 10
	// promptHits bounds what they fire in all, however large the quota.
	promptHits = 500
)

var _ = Describe("A hit", Label("rule:counted-at-once"), func() {
	It("is counted before the next one can leave", Case("B14"), func(ctx SpecContext) {
		var crowd []tier.Identity
		var hits harness.Hits
		t := bed.Smallest()
		for range max(2, min(prompt, promptHits/int(t.Quota()))) {
			alice := bed.Enroll(ctx, t.Name)
			crowd, hits = append(crowd, alice), hits.And(bed.Fire(ctx, pastQuota(alice, 1)))
		}

		Expect(bed.JudgeCrowd(ctx, crowd, hits, oracle.CountedAtOnce, oracle.OwnQuota)).To(Hold())
	})
})
