package oracle

import "github.com/floodgate-dev/floodgate/reports"

// judgeRetriesSpendOnce is judged on hits that the model failed and the gateway sent
// to it again (cases.md F12). The filter stands before the router: whatever the
// model got, the limiter was asked once for each hit.
func judgeRetriesSpendOnce(t *trial) reports.Finding {
	served, why := t.journal()
	switch {
	case why != "":
		return doubt("that hits were sent again was not seen: %s", why)
	case served == nil:
		return doubt("the backend keeps no journal of hits, so that any were sent again was not seen")
	}
	again, most := 0, 0
	for _, i := range t.mine {
		if n := served(t.entries[i].Hit); n > 1 {
			again, most = again+1, max(most, n)
		}
	}
	if again == 0 {
		return doubt("no hit reached the model more than once")
	}
	f := judgeFailuresSpend(t)
	if f.Verdict == reports.Pass {
		f.Reason = count(again, "hit") + " sent again, up to " + count(most, "time") + " in all; " + f.Reason
	}
	return f
}
