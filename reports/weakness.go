package reports

import (
	"fmt"
	"slices"
	"strings"
)

// Declaration is one weakness of the system under test that a run takes as
// given: with it a finding passes, without it the finding fails.
type Declaration struct {
	Name string `json:"name"`
	// About says what is accepted by it.
	About string `json:"about"`
	// By says who declared it: "provider local", "--declare".
	By string `json:"by"`
}

// Weakness is a declared weakness that a case has seen.
type Weakness struct {
	Case    *Case
	Finding *Finding
}

// Weaknesses are the passes of the record that rest on declarations, in the
// order of its cases.
func (r *Record) Weaknesses() []Weakness {
	var seen []Weakness
	for i := range r.Cases {
		kase := &r.Cases[i]
		for j := range kase.Findings {
			if finding := &kase.Findings[j]; finding.Verdict == Pass && len(finding.Weaknesses) > 0 {
				seen = append(seen, Weakness{kase, finding})
			}
		}
	}
	return seen
}

// Title names the guarantee that falls short, such as
// "W10 expiry-races: hits that race at the end of a window …".
func (w Weakness) Title() string {
	return fmt.Sprintf("%s %s: %s", w.Case.ID, w.Finding.Rule, w.Finding.Guarantee)
}

// DeclaredText says who declared the weaknesses of a finding, such as
// "fail-open (declared by provider local)".
func (w Weakness) DeclaredText(r *Record) string {
	texts := make([]string, len(w.Finding.Weaknesses))
	for i, name := range w.Finding.Weaknesses {
		texts[i] = name
		if at := slices.IndexFunc(r.Declared, func(d Declaration) bool { return d.Name == name }); at >= 0 {
			texts[i] += " (declared by " + r.Declared[at].By + ")"
		}
	}
	return strings.Join(texts, ", ")
}

// Undeclared says how a fail on a known weakness is accepted by whoever means
// to have it, "" where the problem is none.
func (p Problem) Undeclared() string {
	if p.Verdict != Fail || p.Finding == nil || len(p.Finding.Weaknesses) == 0 {
		return ""
	}
	flags := make([]string, len(p.Finding.Weaknesses))
	for i, name := range p.Finding.Weaknesses {
		flags[i] = "--declare " + name
	}
	return strings.Join(p.Finding.Weaknesses, ", ") + ", not declared; " + strings.Join(flags, " ") + " takes it as given"
}

// DeclaredText lists a run's declarations by who made them, such as
// "fail-open, fresh-counters (provider local)"; "" if there are none.
func (r *Record) DeclaredText() string {
	var by []string
	names := map[string][]string{}
	for _, d := range r.Declared {
		if !slices.Contains(by, d.By) {
			by = append(by, d.By)
		}
		names[d.By] = append(names[d.By], d.Name)
	}
	for i, who := range by {
		by[i] = fmt.Sprintf("%s (%s)", strings.Join(names[who], ", "), who)
	}
	return strings.Join(by, "; ")
}
