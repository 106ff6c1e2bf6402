// Package reports is what a run leaves behind: the record, and the pages that
// are drawn from it. It knows neither clusters nor suites.
package reports

import "fmt"

// Verdict is the outcome of judging. Its zero value is Inconclusive: silence
// is never a pass.
type Verdict int

// The verdicts.
const (
	Inconclusive Verdict = iota
	Pass
	Fail
	// NotJudged marks a case that did not run, with a reason: it needs what
	// this policy, provider or build does not have.
	NotJudged
)

var verdictTexts = map[Verdict]string{
	Inconclusive: "inconclusive", Pass: "pass", Fail: "fail", NotJudged: "not judged",
}

func (v Verdict) String() string { return verdictTexts[v] }

// MarshalText writes the verdict's word.
func (v Verdict) MarshalText() ([]byte, error) {
	text, ok := verdictTexts[v]
	if !ok {
		return nil, fmt.Errorf("verdict %d is unknown", int(v))
	}
	return []byte(text), nil
}

// UnmarshalText reads the verdict's word; an unknown word is an error.
func (v *Verdict) UnmarshalText(text []byte) error {
	for verdict, word := range verdictTexts {
		if word == string(text) {
			*v = verdict
			return nil
		}
	}
	return fmt.Errorf("verdict %q: want pass, fail, inconclusive or not judged", text)
}

// Worst is the verdict of a whole made of parts: a fail anywhere is a fail,
// else a doubt anywhere is inconclusive, and nothing at all is inconclusive.
// Parts that were not judged do not count.
func Worst(verdicts ...Verdict) Verdict {
	worst, judged := Pass, false
	for _, v := range verdicts {
		switch v {
		case Fail:
			return Fail
		case Inconclusive:
			worst, judged = Inconclusive, true
		case Pass:
			judged = true
		case NotJudged:
		}
	}
	if !judged {
		return Inconclusive
	}
	return worst
}
