package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Why hits are let through that the limiter was not heard for, or may not have been.
const (
	letsPassUnheard = "the gateway lets a hit pass when the limiter fails or times out: failure mode allow"
	heardUntold     = "whether the limiter said yes to the hits that passed, or was not heard, cannot be told"
)

const (
	// slowAnswers is how long half of the denials take at least where calls of the
	// limiter come near the time that a gateway waits for them.
	slowAnswers = unheardAfter / 2
	// fewDenials say nothing of how long denials take.
	fewDenials = 5
)

// blamesSlowness is why a failure may be the machine's: calls that the gateway gave
// up explain it, which is declared to let hits pass, and everything was slow. A
// limiter that is late now and then shows on a machine that keeps up.
func (t *trial) blamesSlowness(f reports.Finding) string {
	g, unread := t.gatewayMoved()
	unheard := f.Attribution == letsPassUnheard || f.Attribution == heardUntold
	if f.Verdict != reports.Fail || !unheard || unread != "" || g.Errors == 0 || !slices.Contains(t.q.Declared, weakness.FailOpen) {
		return ""
	}
	if t.assumed.pace != "" {
		return t.assumed.pace
	}
	var took []time.Duration
	for i := range t.entries {
		if e := &t.entries[i]; e.Outcome == evidence.Denied {
			took = append(took, e.Received-e.Sent)
		}
	}
	if len(took) < fewDenials {
		return ""
	}
	slices.Sort(took)
	if half := took[(len(took)-1)/2]; half >= slowAnswers {
		return fmt.Sprintf("answers were slow: half of %d denials took %s or more", len(took), at(half))
	}
	return ""
}

// doubtful makes a failure a doubt.
func doubtful(f reports.Finding, why string) reports.Finding {
	f.Verdict, f.Component, f.Attribution = reports.Inconclusive, reports.Unattributed, ""
	f.Reason += "; but " + why + ", so that it may be the machine's, and hits that are not heard are declared to pass"
	return f
}
