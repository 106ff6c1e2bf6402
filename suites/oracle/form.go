package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// longestBody is how much of a body an entry keeps (evidence.Answer).
const longestBody = 512

// judgeAnswerForm holds every answer that the ledger kept against the form
// that the case declares.
func judgeAnswerForm(t *trial) reports.Finding {
	want := t.q.Want
	if len(want.Statuses)+len(want.Headers)+len(want.NoHeaders) == 0 && want.Body == nil {
		return doubt("the question declares no form of an answer")
	}
	if want.Body != nil && len(*want.Body) >= longestBody {
		return doubt("the declared body has %d bytes, and a ledger keeps fewer than %d", len(*want.Body), longestBody)
	}
	kept, wrong, telling, said := 0, []int(nil), -1, ""
	for _, i := range t.mine {
		e := &t.entries[i]
		if e.Answer == nil || want.OrDenied && e.Outcome == evidence.Denied {
			continue
		}
		kept++
		if reason := wrongForm(want, e); reason != "" {
			wrong = append(wrong, i+1)
			// Of an answer that came through the model nobody tells who gave it its
			// form, so one that did not is told first.
			if telling < 0 || t.entries[telling].Outcome == evidence.Admitted && e.Outcome != evidence.Admitted {
				telling, said = i, fmt.Sprintf("entry %d %s", i+1, reason)
			}
		}
	}
	switch {
	case kept == 0:
		return doubt("the ledger kept no answer whose form could be judged")
	case len(wrong) > 0:
		return blame(t.misshapen(&t.entries[telling], said), wrong, "%d of %s not have the declared form", len(wrong), do(kept))
	}
	return pass()
}

// misshapen blames who gave an answer its form. A hit that was served where it
// should not have been says nothing of who let it through.
func (t *trial) misshapen(e *evidence.Entry, said string) cause {
	c, is := t.letInByWord()
	switch {
	case is && (e.Outcome == evidence.Admitted || e.Outcome == evidence.Denied):
		c.clause = said + ", " + c.clause
		return c
	case e.Outcome == evidence.Admitted:
		return cause{clause: said, conclusion: "the hit was let through to the model"}
	case e.From == evidence.FromBackend:
		return cause{reports.Model, said, "the answer came from behind the gateway"}
	case e.Outcome == evidence.Refused:
		return cause{reports.Authorizer, said, "the gateway passes on what the authorizer answers"}
	}
	return cause{reports.Gateway, said, "the gateway gives the answer its form"}
}

// do is "1 answer does", "2 answers do".
func do(n int) string {
	if n == 1 {
		return "1 answer does"
	}
	return count(n, "answer") + " do"
}

// wrongForm is what is wrong with one answer, "" if nothing is. Answers are
// hostile text: they are quoted and cut.
func wrongForm(want Want, e *evidence.Entry) string {
	if len(want.Statuses) > 0 && !slices.Contains(want.Statuses, e.Status) {
		return fmt.Sprintf("has status %d, want one of %v", e.Status, want.Statuses)
	}
	names := make([]string, 0, len(want.Headers))
	for name := range want.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values, ok := header(e.Answer.Header, name)
		value := want.Headers[name]
		if !ok {
			return fmt.Sprintf("has no header %s", name)
		}
		if value != "" && !slices.Contains(values, value) {
			return fmt.Sprintf("has %s: %.100q, want %q", name, values, value)
		}
	}
	for _, pattern := range want.NoHeaders {
		if name, ok := matching(e.Answer.Header, pattern); ok {
			return fmt.Sprintf("has the header %.100q, want none like %s", name, pattern)
		}
	}
	if want.Body != nil && e.Answer.Body != *want.Body {
		return fmt.Sprintf("has the body %.100q, want %.100q", e.Answer.Body, *want.Body)
	}
	return ""
}

// header finds a header whatever its case.
func header(headers map[string][]string, name string) (values []string, ok bool) {
	for have, vs := range headers {
		if strings.EqualFold(have, name) {
			values, ok = append(values, vs...), true
		}
	}
	slices.Sort(values)
	return values, ok
}

// matching is the first header, by name, that a pattern with an optional
// trailing * matches.
func matching(headers map[string][]string, pattern string) (name string, ok bool) {
	prefix, wild := strings.CutSuffix(strings.ToLower(pattern), "*")
	for have := range headers {
		low := strings.ToLower(have)
		if (low == prefix || wild && strings.HasPrefix(low, prefix)) && (!ok || have < name) {
			name, ok = have, true
		}
	}
	return name, ok
}
