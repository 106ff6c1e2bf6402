package conformance

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// judgeRefused judges hits, of the policy's own request, that authentication or
// authorization turns away. Where a limit is asked before anybody knows who calls,
// they count and may be denied (sut.md 3.2).
func judgeRefused(ctx context.Context, on *harness.Bed, hits harness.Hits, want oracle.Want, rules ...string) harness.Judgement {
	GinkgoHelper()
	own := on.Set().Request()
	if first := on.Set().LimitsBeforeAuth(own); len(first) > 0 {
		if hits.AllDenied() {
			on.NotJudged("limit %s is asked before authentication, and every hit was denied", first[0].Name)
		}
		rules = slices.DeleteFunc(slices.Clone(rules), func(rule string) bool { return rule == oracle.Untouched })
	}
	return on.JudgeHits(ctx, hits, orDenied(on.Set(), own, want), rules...)
}

// orDenied lets refused hits of a request be denied instead, where a limit is asked
// first.
func orDenied(set *policy.Set, r policy.Request, want oracle.Want) oracle.Want {
	want.OrDenied = want.OrDenied || len(set.LimitsBeforeAuth(r)) > 0
	return want
}

// needAuthFirst skips the spec where strangers draw on a limit by the policy's own
// words.
func needAuthFirst() {
	GinkgoHelper()
	if first := bed.Set().LimitsBeforeAuth(bed.Set().Request()); len(first) > 0 {
		bed.NotJudged("limit %s is asked before authentication: hits without a key count too", first[0].Name)
	}
}
