package oracle

import (
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeEveryLimiterScraped wants each limiter of the stack among Prometheus'
// targets. One that is no target at all is lost for good; one whose scrape was
// missed is a doubt, which the next scrape may settle (cases.md M09, M10).
func judgeEveryLimiterScraped(t *trial) reports.Finding {
	targets := t.q.Targets
	switch {
	case targets == nil:
		return doubt("the question does not say what Prometheus scrapes")
	case targets.Missing != "":
		return doubt("Prometheus' targets could not be read: %.200q", targets.Missing)
	case len(targets.Limiters) == 0:
		return doubt("the question does not say which limiters there are")
	}
	var absent, down []string
	for _, l := range targets.Limiters {
		switch {
		case !l.Target:
			absent = append(absent, l.Instance)
		case l.Down != "":
			down = append(down, l.Instance)
		}
	}
	all := count(len(targets.Limiters), "limiter")
	switch {
	case len(absent) > 0:
		return blame(cause{reports.Prometheus, "", "Prometheus answers and lists other targets: what it is not told to scrape it will never show"}, nil,
			"%d of %s are no target of Prometheus: %.200s", len(absent), all, strings.Join(absent, ", "))
	case len(down) > 0:
		return doubt("the last scrape of %d of %s failed, so what they count is not known yet: %.200q", len(down), all, downOf(targets, down[0]))
	}
	return pass()
}

func downOf(targets *evidence.Targets, instance string) string {
	for _, l := range targets.Limiters {
		if l.Instance == instance {
			return instance + ": " + l.Down
		}
	}
	return instance
}
