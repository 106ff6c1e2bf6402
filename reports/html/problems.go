package html

import (
	"path/filepath"

	"github.com/floodgate-dev/floodgate/reports"
)

type problemsView struct {
	Problems []problemView
	LeftOut  int
}

type problemView struct {
	Verdict reports.Verdict
	// Anchor is set on a case's first problem.
	Anchor               string
	Title, Reason, Again string
	Subject, Limit       string
	Blames               reports.Component
	Evidence, Link       string
	Weakness             string
	Entries              string
	// Remedy says of a doubt what to change.
	Remedy string
	// Diagnosis is a folder, DiagnosisLink how the page links it.
	Diagnosis, DiagnosisLink string
	// Policy is a manifest, PolicyLink how the page links it.
	Policy, PolicyLink string
	Strip              *stripView
}

func viewProblems(p *page) any {
	view := problemsView{LeftOut: p.moreProblems}
	anchored := make(map[*reports.Case]bool)
	pictured := make(map[*stripView]bool)
	for _, problem := range p.problems {
		shown := problemView{
			Verdict: problem.Verdict, Title: problem.Title(p.Record), Reason: problem.Reason(p.Record),
			Policy: problem.Policy(), PolicyLink: link(problem.Policy()),
			Again: problem.Again(), Blames: problem.Blames(), Weakness: problem.Undeclared(), Remedy: problem.Remedy(),
		}
		if diagnosis := problem.Diagnosis(p.Record); diagnosis != nil {
			shown.Diagnosis, shown.DiagnosisLink = diagnosis.Dir, link(diagnosis.Dir)
		}
		if problem.Case != nil && !anchored[problem.Case] {
			shown.Anchor = p.anchors[problem.Case]
			anchored[problem.Case] = true
		}
		if finding := problem.Finding; finding != nil {
			shown.Subject, shown.Limit = finding.Subject, reports.ShortLimit(finding.Limit)
			shown.Evidence, shown.Link = finding.Evidence.Ledger, link(finding.Evidence.Ledger)
			shown.Entries = reports.EntriesText(finding.Evidence.Entries)
		}
		if strip := p.stripOf(problem); strip != nil && !pictured[strip] && len(pictured) < p.size.pictures {
			shown.Strip = strip
			pictured[strip] = true
		}
		view.Problems = append(view.Problems, shown)
	}
	if len(view.Problems) == 0 {
		return nil
	}
	return view
}

// stripOf pictures the problem's subject, or the first caller of a case that
// is in trouble as a whole; nil if there is no picture.
func (p *page) stripOf(problem reports.Problem) *stripView {
	for i := range p.strips {
		strip := &p.strips[i]
		if strip.Case == problem.Case && (problem.Finding == nil || strip.subject == problem.Finding.Subject) {
			return strip
		}
	}
	return nil
}

// link is a path of the run's folder as the page, which lies in it, links it;
// "" if the path leaves the folder.
func link(path string) string {
	if !filepath.IsLocal(path) {
		return ""
	}
	return "./" + filepath.ToSlash(path)
}
