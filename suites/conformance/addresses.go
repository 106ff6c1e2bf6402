package conformance

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/suites/attack"
)

// claimed is an address for documentation, which no client has.
const claimed = "203.0.113.7"

var _ = Describe("A used quota", Label("rule:no-overrun"), func() {
	It("stays used from another connection, protocol or address", Case("I03"), func(ctx SpecContext) {
		alice := bed.Enroll(ctx, bed.Smallest().Name)
		again := attack.Attack{As: alice, Hits: 2, Pacer: attack.OneAtATime}
		anew, h2, forwarded := again, again, again
		anew.NoKeepAlive = true
		h2.Protocol = attack.H2C
		forwarded.Header = http.Header{}
		forwarded.Header.Set("X-Forwarded-For", claimed)
		others := []attack.Attack{anew, h2, forwarded}
		if address, ok := bed.OtherAddress(); ok {
			moved := again
			moved.From = address
			others = append(others, moved)
		}

		bed.Fire(ctx, pastQuota(alice, 1))
		for _, other := range others {
			bed.Fire(ctx, other)
		}

		Expect(bed.JudgeCounters(ctx, alice, boundary...)).To(Hold())
	})
})
