package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// What components said after a rule had failed decides whom a cause names, and
// nothing else: a cause is asked for only once the verdict is known.

// mistaken blames the authorizer if, asked directly, it took the subject for
// somebody else, or with other limits, or others for the subject: whoever counts
// by its word counts wrongly. Of a question about several callers any of them will
// do.
func (t *trial) mistaken() (c cause, is bool) {
	if t.q.Hearing == nil {
		return c, false
	}
	for _, w := range t.q.Hearing.Words {
		if w.Due == nil {
			continue
		}
		for _, said := range w.Said {
			if w.Due.Differs(said.Standing) && t.concerns(w, said.Standing) {
				return cause{
					reports.Authorizer, tellWord(w, said) + fmt.Sprintf(", where the policy makes it %s", standingText(*w.Due)),
					"the authorizer takes callers for what they are not, and the gateway and the limiter go by its word",
				}, true
			}
		}
	}
	return c, false
}

// concerns tells whether a wrong word bears on the subject.
func (t *trial) concerns(w evidence.Word, said evidence.Standing) bool {
	if t.q.Subject.Identity != "" {
		return w.Caller == t.q.Subject.Identity || t.q.Subject.Name != "" && said.User == t.q.Subject.Name
	}
	return slices.ContainsFunc(w.Attacks, func(name string) bool { return t.planned[name] })
}

// letInByWord blames the authorizer if, asked directly, it let callers in whose
// hits should have been refused.
func (t *trial) letInByWord() (c cause, is bool) {
	for _, w := range t.wordsOfStrangers() {
		for _, said := range w.Said {
			if said.LetIn() {
				return cause{reports.Authorizer, tellWord(w, said), "the authorizer lets in whom it should refuse"}, true
			}
		}
	}
	return c, false
}

// wordsOfStrangers are what the authorizer said of callers whom it is to refuse, as
// they were in the question's attacks.
func (t *trial) wordsOfStrangers() []evidence.Word {
	if t.q.Hearing == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.q.Hearing.Words), func(w evidence.Word) bool {
		return w.Due != nil || !slices.ContainsFunc(w.Attacks, func(name string) bool { return t.planned[name] })
	})
}

// surely is how often an authorizer must say one thing to be taken not to say the
// other at random.
const surely = 20

// turnedAwayByWord tells whether the gateway let pass whom the authorizer turns away:
// all of the hits, though asked directly it refuses each time.
func (t *trial) turnedAwayByWord() (c cause, is bool) {
	if len(t.having(isPassed)) < len(t.mine) {
		return c, false
	}
	refused := 0
	for _, w := range t.wordsOfStrangers() {
		if w.Failed > 0 {
			return c, false
		}
		for _, said := range w.Said {
			if said.LetIn() {
				return c, false
			}
			refused += said.Times
		}
	}
	return cause{
		reports.Gateway, fmt.Sprintf("the authorizer, asked directly %s about these callers, refused them each time", count(refused, "time")),
		"the gateway did not wait for the authorizer, or did not obey it",
	}, refused >= surely
}

// tellWord is "the authorizer, asked directly 200 times about the key (free/alice),
// said 3 times that it is "bob" under free-limit".
func tellWord(w evidence.Word, said evidence.Answered) string {
	asked := w.Failed
	for _, s := range w.Said {
		asked += s.Times
	}
	shown := w.Shown
	if w.Caller != "" {
		shown = fmt.Sprintf("%s (%s)", w.Shown, w.Caller)
	}
	return fmt.Sprintf("the authorizer, asked directly %s about %s, said %s that it is %s",
		count(asked, "time"), shown, count(said.Times, "time"), standingText(said.Standing))
}

// standingText is a caller in words; names come from the system under test.
func standingText(s evidence.Standing) string {
	if !s.LetIn() {
		return fmt.Sprintf("to be answered %d", s.Status)
	}
	who := "a caller"
	if s.User != "" {
		who = fmt.Sprintf("%.80q", s.User)
	}
	switch {
	case s.LimitsUnknown:
		return who
	case len(s.Limits) == 0:
		return who + " without limits"
	}
	return who + fmt.Sprintf(" under %.200s", strings.Join(s.Limits, ", "))
}
