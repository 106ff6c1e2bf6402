package oracle

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/weakness"
	"github.com/floodgate-dev/floodgate/reports"
)

const (
	// declaredRaces is the rate of the real limiter's race at the expiry that is
	// declared a weakness: the upper 95 % bound of 2 in 1,250 aimed pairs
	// (cases.md G5).
	declaredRaces = 0.0058
	// surprise is how improbable a number of races must be at that rate to be
	// no weakness but a defect.
	surprise = 1e-3
	// aimed is how near to an expiry a window must have opened for its opening
	// to be a trial.
	aimed = 25 * time.Millisecond
	// fewestRaces is how many trials tell anything.
	fewestRaces = 20
)

// judgeExpiryRaces counts, over all identities of the attacks, how often a
// window admitted one more than its quota because a hit at the expiry before
// went uncounted. One more is a declared weakness while it is rare; two more
// are a defect (cases.md W10).
func judgeExpiryRaces(t *trial) reports.Finding {
	trials, raced := 0, []*trial(nil)
	var entries []int
	for _, alone := range t.byIdentity() {
		unheard, known := alone.unheard()
		if known && unheard > int64(alone.forgetUnheard()) {
			continue
		}
		// Which hits passed unheard is a guess, too weak to accuse anybody.
		certain := !known || unheard == 0
		for i, limit := range alone.limits {
			if n, w, ok := alone.line(i, true).overrun(); ok && certain {
				f := blame(alone.raced(), beyond(w, limit),
					"window %d of %s, opened at %s, admitted %d of %d hits, even if one more at the expiry before is taken for the limiter's known race",
					n, alone.subjectName(), at(w.opened), w.admitted, limit.Quota)
				f.Limit = limit.String()
				return f
			}
			windows := alone.line(i, false).windows
			for n := 1; n < len(windows); n++ {
				w, before := windows[n], windows[n-1]
				if w.opened-before.until > aimed {
					continue
				}
				trials++
				if int64(w.admitted) > limit.Quota && certain {
					raced, entries = append(raced, alone), append(entries, beyond(w, limit)...)
				}
			}
		}
	}
	switch most := likely(trials); {
	case trials < fewestRaces:
		return doubt("%s aimed at an expiry, and fewer than %d tell nothing", count(trials, "pair"), fewestRaces)
	case len(raced) > most:
		return blame(raced[0].raced(), entries,
			"%d of %d windows opened right after an expiry admitted one hit too many; a rate of 2 in 1,250 is a known weakness of the limiter, %d of %d are not", len(raced), trials, len(raced), trials)
	case len(raced) > 0:
		return t.weak([]string{weakness.ExpiryRace}, raced[0].raced(), entries,
			"%d of %d windows opened right after an expiry admitted one hit too many, at no higher rate than the real limiter's", len(raced), trials)
	}
	return passSaying("none of %d windows opened right after an expiry admitted one hit too many", trials)
}

// unheardAfter is how long a hit takes at least that passes because the limiter
// was not heard: the gateway waits 100 ms for it (cases.md G6).
const unheardAfter = 90 * time.Millisecond

// forgetUnheard leaves out the hits that may have passed unheard, and says how
// many those are. What is left is a part of what the limiter admitted, so that
// it can still be more than a window allows, but never seem to be.
func (t *trial) forgetUnheard() (forgotten int) {
	before := len(t.passed)
	if unheard, _ := t.unheard(); unheard > 0 {
		t.passed = slices.DeleteFunc(t.passed, func(h hit) bool { return h.received-h.sent >= unheardAfter })
	}
	return before - len(t.passed)
}

// raced is the cause of what was admitted without the hits that were forgotten.
func (t *trial) raced() cause {
	forgotten := t.tally.passed() - len(t.passed)
	if forgotten == 0 {
		return t.overAdmission()
	}
	return cause{
		reports.Limiter, fmt.Sprintf("%s that may have passed unheard left out", hitsWere(forgotten)),
		"the limiter said yes to the hits that are left, and the gateway obeyed",
	}
}

// byIdentity are trials of each identity among the attacks, on the subject's
// limits.
func (t *trial) byIdentity() []*trial {
	seen := map[string]bool{}
	var trials []*trial
	for _, i := range t.mine {
		identity := t.entries[i].Identity
		if identity == "" || seen[identity] {
			continue
		}
		seen[identity] = true
		trials = append(trials, t.alone(identity))
	}
	slices.SortFunc(trials, func(a, b *trial) int { return cmp.Compare(a.q.Subject.Identity, b.q.Subject.Identity) })
	return trials
}

// likely is the largest number of races in so many trials that is no surprise
// at the declared rate.
func likely(trials int) int {
	n, p := float64(trials), declaredRaces
	term := math.Pow(1-p, n)
	left := 1 - term
	k := 0
	for left >= surprise && k < trials {
		k++
		term *= (n - float64(k) + 1) / float64(k) * p / (1 - p)
		left -= term
	}
	return k
}
