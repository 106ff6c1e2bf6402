package oracle

import (
	"fmt"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// An authorizer may take a little longer the more keys it knows: comparing a thousand
// takes microseconds. What a busy machine does to a median of direct calls is less
// than this, of which a gateway that waits 200 ms by default (sut.md 3.3) bears four.
const (
	dearBy    = 50 * time.Millisecond
	dearTimes = 3
	// fewestCalls make a median.
	fewestCalls = 5
)

// judgeKeysCostNothing compares answers with many keys to those before they were
// added and after they were taken away: what only the machine made slow was so by
// chance in the middle alone, and not for the whole of it.
func judgeKeysCostNothing(t *trial) reports.Finding {
	times := t.q.AnswerTimes
	if len(times) != 3 || times[0].Keys >= times[1].Keys || times[2].Keys >= times[1].Keys {
		return doubt("the authorizer was not timed before many keys, with them, and after them")
	}
	curve := &reports.Curve{Over: "keys added", Of: "milliseconds that half of the authorizer's answers took at most"}
	for _, one := range times {
		if one.Calls < fewestCalls || one.Failed > 0 {
			return doubt("with %s, %d of %s to the authorizer failed: that tells no time", count(one.Keys, "key"), one.Failed, count(one.Calls, "call"))
		}
		curve.Points = append(curve.Points, reports.Point{At: one.Keys, Value: float64(one.Median) / float64(time.Millisecond)})
	}
	few, many := max(times[0].Median, times[2].Median), times[1]
	var f reports.Finding
	if many.Median-few > dearBy && many.Median > dearTimes*few {
		f = blame(cause{
			reports.Authorizer, fmt.Sprintf("without them it takes %s at most", at(few)),
			"the authorizer's answer takes longer the more keys it knows, until the gateway waits no longer and refuses everybody",
		}, nil, "asked directly with %s more, half of %s took %s or longer", count(many.Keys, "key"), count(many.Calls, "call"), at(many.Median))
	} else {
		f = passSaying("asked directly, the authorizer answered in %s with %s more, and in %s without them", at(many.Median), count(many.Keys, "key"), at(few))
	}
	f.Curve = curve
	return f
}
