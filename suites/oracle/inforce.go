package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// differInForce compares limits as multisets: missing are wanted and not in
// force, extra the other way round.
func differInForce(want, got []evidence.LimitInForce) (missing, extra []evidence.LimitInForce) {
	extra = slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(extra, func(g evidence.LimitInForce) bool { return sameLimit(w, g) })
		if i < 0 {
			missing = append(missing, w)
			continue
		}
		extra = slices.Delete(extra, i, i+1)
	}
	return missing, extra
}

// sameLimit compares two limits; the order of conditions and variables has no
// meaning, and neither has a name that one side does not give (operators
// before 1.3 leave it empty, sut.md 3.1).
func sameLimit(a, b evidence.LimitInForce) bool {
	return a.Namespace == b.Namespace && a.MaxValue == b.MaxValue && a.Seconds == b.Seconds &&
		(a.Name == b.Name || a.Name == "" || b.Name == "") &&
		sameSet(a.Conditions, b.Conditions) && sameSet(a.Variables, b.Variables)
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// showInForce shows a limit that the system under test may have named.
func showInForce(l evidence.LimitInForce) string {
	return fmt.Sprintf("%.80q %d / %s in %.80q, if %.200q, by %.200q", l.Name, l.MaxValue,
		time.Duration(l.Seconds)*time.Second, l.Namespace, l.Conditions, l.Variables)
}
