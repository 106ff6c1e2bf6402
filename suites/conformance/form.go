package conformance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A denied answer", Label("rule:answer-form"), func() {
	It("is a plain 429 of the gateway", Case("H06"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		bed.Fire(ctx, pastQuota(alice, 0))
		denied := bed.Fire(ctx, attack.Attack{As: alice, Hits: 3, Pacer: attack.OneAtATime, KeepAnswers: true})

		all := bed.JudgeHits(ctx, denied, denial(), oracle.AnswerForm)
		all = append(all, bed.Judge(ctx, alice, boundary...)...)
		Expect(all).To(Hold())
	})

	It("to a request for a stream is plain too, and ends", Case("H09"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		streaming := pastQuota(alice, 0)
		streaming.Target = bed.Asking(ctx, map[string]any{"stream": true})

		bed.Fire(ctx, streaming)
		streaming.Hits, streaming.KeepAnswers, streaming.Timeout = 3, true, answerBudget
		denied := bed.Fire(ctx, streaming)

		all := bed.JudgeHits(ctx, denied, denial(), oracle.AnswerForm)
		all = append(all, bed.Judge(ctx, alice, boundary...)...)
		Expect(all).To(Hold())
	})

	It("that says when to come back does not say it too early", Case("H07"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		hits := bed.Fire(ctx, keeping(pastQuota(alice, 3)))

		Expect(bed.JudgeAbout(ctx, alice, hits, oracle.Want{}, oracle.RetryAfterHonest)).To(Hold())
	})
})

// denial is the form of a 429 as Kuadrant's filter sends it (sut.md 3.4).
func denial() oracle.Want {
	body := "Too Many Requests\n"
	return oracle.Want{
		Statuses:  []int{429},
		Headers:   map[string]string{"Content-Type": "text/plain"},
		NoHeaders: []string{"X-Envoy-Upstream-Service-Time", "X-Inference-*"},
		Body:      &body,
	}
}
