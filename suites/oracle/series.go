package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
)

// pageBudget is how long the metrics text may take to be read: a Prometheus that
// scrapes every second has it by then (cases.md M14).
const pageBudget = time.Second

// judgeSeriesBounded is judged on a crowd of callers whom no metric has named before
// (cases.md M14): each of them is one series more in every family of calls that it
// has moved, and nothing else is.
func judgeSeriesBounded(t *trial) reports.Finding {
	if why := t.noGrowth(); why != "" {
		return doubt("%s", why)
	}
	passed, denied, unknown := 0, 0, 0
	for _, m := range t.members() {
		passed, denied, unknown = passed+min(1, len(m.passed)), denied+min(1, len(m.denied)), unknown+m.unknown
	}
	page, before := t.q.Page, t.q.Earlier
	text := cause{reports.Limiter, "", "the page is the limiter's own"}
	var grown []string
	for _, family := range slices.Sorted(maps.Keys(page.Series)) {
		by := page.Series[family] - before.Series[family]
		told := fmt.Sprintf("%.60q has %d series more for %d callers who were admitted and %d who were denied", family, by, passed, denied)
		switch {
		case by == 0:
		case by < 0:
			return doubt("%.60q has fewer series than before: its counters started anew", family)
		case by > max(passed, denied):
			return blame(text, nil, "%s: a label takes another value from call to call", told)
		case by == passed || by == denied:
			grown = append(grown, fmt.Sprintf("%.60s +%d", family, by))
		case unknown > 0 || t.callsFailed():
			return doubt("%s, and hits were lost or not heard by the limiter", told)
		default:
			return blame(text, nil, "%s: some callers have no series of their own", told)
		}
	}
	switch {
	case len(grown) == 0:
		return doubt("no family grew by the %d callers", max(passed, denied))
	case page.Took > pageBudget:
		return blame(text, nil, "the page of %s took %s to be read at best: at most %s it may", count(page.Samples, "sample"), at(page.Took), at(pageBudget))
	}
	return passSaying("%d callers: %s; the page of %s was read in %s", max(passed, denied), strings.Join(grown, ", "), count(page.Samples, "sample"), at(page.Took))
}

// noGrowth is why the growth of the metrics text cannot be judged.
func (t *trial) noGrowth() string {
	for _, page := range []string{missingPage(t.q.Earlier), missingPage(t.q.Page)} {
		if page != "" {
			return page
		}
	}
	switch _, why := t.limiterMoved(); {
	case !t.q.Alone:
		return "others ran beside, and their series are among those on the page"
	case why != "":
		return why
	case len(t.q.After.Limiter.Instances) != 1:
		return "several limiters have series of the same callers"
	}
	return ""
}

// callsFailed tells whether the limiter may not have heard every hit.
func (t *trial) callsFailed() bool {
	g, why := t.gatewayMoved()
	return why != "" || g.Errors > 0
}
