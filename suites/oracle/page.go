package oracle

import (
	"fmt"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// judgeWellFormed wants metrics text that a strict reader takes. A family without
// HELP costs people and no number: it is a weakness of its own (sut.md 2.8).
func judgeWellFormed(t *trial) reports.Finding {
	page := t.q.Page
	if why := missingPage(page); why != "" {
		return doubt("%s", why)
	}
	switch {
	case page.Samples == 0 && len(page.Defects) == 0:
		return doubt("the limiter's metrics page has no samples, so nothing was seen of its form")
	}
	text := cause{reports.Limiter, "", "the page is the limiter's own: a strict reader refuses it, and its calls with it"}
	broken := slices.DeleteFunc(slices.Clone(page.Defects), func(d evidence.PageDefect) bool { return d.Kind == evidence.HelpMissing })
	if len(broken) > 0 {
		return blame(text, nil, "of %s in %s the first is %s", count(len(broken), "defect"), count(page.Samples, "sample"), showDefect(broken[0]))
	}
	if len(page.Defects) > 0 {
		return t.weak([]string{weakness.HelpMissing}, cause{reports.Limiter, "", "the page is the limiter's own"}, nil,
			"%s without HELP, such as %.60q", count(len(page.Defects), "family"), page.Defects[0].Family)
	}
	return pass()
}

// missingPage is why there is no page to look at, "" if there is one.
func missingPage(page *evidence.Page) string {
	switch {
	case page == nil:
		return "the question does not say which page was read"
	case page.Missing != "":
		return fmt.Sprintf("the limiter's metrics page could not be read: %.200q", page.Missing)
	}
	return ""
}

func showDefect(d evidence.PageDefect) string {
	return fmt.Sprintf("%s in line %d: %.200q", d.Kind, d.Line, d.Says)
}
