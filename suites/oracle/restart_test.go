package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func TestStaysKnown(t *testing.T) {
	restart := func(q *Question) {
		q.Want.Change = &Change{
			What: "the authorizer was restarted", Asked: 100 * ms, Done: 150 * ms, Budget: 50 * ms, Owner: reports.Authorizer,
			Then: []evidence.Outcome{evidence.Admitted, evidence.Denied},
		}
	}
	for _, c := range []bookCase{
		{name: "failed meanwhile", hits: []string{"A10+1", "F110+1", "L130+1", "D190+1", "D210+1"}, want: want{verdict: reports.Pass, reason: "took 50ms: 2 hits were failed or lost"}},
		{name: "refused", hits: []string{"A10+1", "F110+1", "R130+1", "D210+1"}, want: want{reports.Fail, reports.Authorizer, "1 hit was refused although the key is valid; entry 3 was answered 401"}},
		{name: "not known again", hits: []string{"A10+1", "F110+1", "F210+1"}, want: want{reports.Fail, reports.Authorizer, "1 hit was not answered more than 50ms after it; entry 3 was answered 503"}},
		{name: "unknown before", hits: []string{"F10+1", "F110+1", "A210+1"}, want: want{reason: "was not known before it"}},
		{name: "nothing meanwhile", hits: []string{"A10+1", "A210+1"}, want: want{reason: "no hit was under way meanwhile"}},
		{name: "nothing after", hits: []string{"A10+1", "F110+1"}, want: want{reason: "no hit was sent more than 50ms after it"}},
	} {
		c.edit = restart
		c.run(t, StaysKnown)
	}
	bookCase{name: "no restart", want: want{reason: "names no restart"}}.run(t, StaysKnown)
}
