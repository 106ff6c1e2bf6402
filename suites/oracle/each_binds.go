package oracle

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeEachBinds wants every limit of the subject to have been put to the test,
// and none to have been exceeded (cases.md K07).
func judgeEachBinds(t *trial) reports.Finding {
	if len(t.limits) < 2 {
		return doubt("one limit applies: none can bind after another")
	}
	for i, limit := range t.limits {
		if f, over := t.overrun(i, limit); over {
			f.Limit = limit.String()
			if f.Verdict == reports.Fail {
				f.Reason = fmt.Sprintf("%d limits apply, and this one does not bind: %s", len(t.limits), f.Reason)
			}
			return f
		}
	}
	for i, limit := range t.limits {
		if !t.tested(i) {
			f := doubt("the limit of %s was not put to the test: no more than its quota certainly fell into one window", limit)
			f.Limit = limit.String()
			return f
		}
	}
	return passSaying("each of %d limits was reached and held", len(t.limits))
}
