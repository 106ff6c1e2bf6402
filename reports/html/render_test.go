package html_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/html"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
)

func read(t *testing.T, name string) html.Run {
	t.Helper()
	run, err := html.Read(golden.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func render(t *testing.T, run html.Run) string {
	t.Helper()
	var page bytes.Buffer
	if err := html.Render(&page, run); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestWorkersOfASharedRun(t *testing.T) {
	page := render(t, html.Run{Record: golden.Shared(t)})
	_, section, found := strings.Cut(page, `<section id="workers">`)
	section, _, ended := strings.Cut(section, "</section>")
	if !found || !ended || !strings.Contains(page, `href="#workers"`) {
		t.Fatal("the page has no section of workers")
	}
	golden.Compare(t, "workers.html", []byte(section))
}

func TestDeclaredWeaknessesAreTold(t *testing.T) {
	page := render(t, html.Run{Record: golden.Weak(t)})
	_, section, found := strings.Cut(page, `<section id="weaknesses">`)
	section, _, ended := strings.Cut(section, "</section>")
	if !found || !ended || !strings.Contains(page, `href="#weaknesses"`) {
		t.Fatal("the page has no section of declared weaknesses")
	}
	golden.Compare(t, "weaknesses.html", []byte(section))
	for _, told := range []string{
		`<dt>weakness</dt><dd>stop-lingers, not declared; --declare stop-lingers takes it as given</dd>`,
		`<span class="badge inconclusive">weakness fresh-counters</span>`,
	} {
		if !strings.Contains(page, told) {
			t.Errorf("the page does not say %s", told)
		}
	}
}

func TestAPassWithDoubtsIsLoud(t *testing.T) {
	page := render(t, html.Run{Record: golden.Doubted(t)})
	for _, want := range []string{
		`<span class="counts">WITH DOUBTS 8 cases`,
		`<p class="alert">1 case is in doubt: C01; the budget is 1 case`,
		`<span class="label">change</span> see why nobody answered, and run it alone`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestHowThePolicyCameIntoForce(t *testing.T) {
	page := render(t, html.Run{Record: golden.Clustered(t)})
	_, section, found := strings.Cut(page, `<section id="readiness">`)
	section, _, ended := strings.Cut(section, "</section>")
	if !found || !ended || !strings.Contains(page, `href="#readiness"`) {
		t.Fatal("the page has no section of readiness")
	}
	golden.Compare(t, "readiness.html", []byte(section))
	if links := strings.Count(page, `<dt>diagnosis</dt><dd><a href="./diagnosis/B02">diagnosis/B02</a></dd>`); links != 1 {
		t.Errorf("%d links lead to the diagnosis of B02, want 1", links)
	}
}

func TestRenderMatchesGolden(t *testing.T) {
	for _, name := range golden.Runs() {
		t.Run(name, func(t *testing.T) {
			golden.Compare(t, name+".html", []byte(render(t, read(t, name))))
		})
	}
}

func TestSameRunSameBytes(t *testing.T) {
	if first, second := render(t, read(t, "fail")), render(t, read(t, "fail")); first != second {
		t.Errorf("two pages of one run differ:\n%s", cmp.Diff(first, second))
	}
}

func TestFailuresComeBeforeDoubtsAndBoth(t *testing.T) {
	page := render(t, read(t, "fail"))
	order := []string{
		`<span class="word">fail</span>`, "limitador STAND-IN v0.1.0, fault off-by-two-high", `<section id="problems">`,
		"admitted 12 of 10 hits; the limiter answered all 12", "1 of 60 hits was lost", `<section id="tiers">`,
		`<section id="books">`, `<section id="timeline">`, `<section id="cases">`, `<section id="stack">`, `<section id="data">`,
	}
	at := 0
	for _, text := range order {
		next := strings.Index(page[at:], text)
		if next < 0 {
			t.Fatalf("%q does not come after what has to stand before it", text)
		}
		at += next
	}
}

func TestEveryCaseHasOneAnchor(t *testing.T) {
	run := html.Run{Record: read(t, "fail").Record}
	run.Record.Cases = append(run.Record.Cases, run.Record.Cases[0], reports.Case{ID: "data"}, reports.Case{ID: `"><i>`}, reports.Case{ID: "<>"})
	page := render(t, run)
	seen := map[string]int{}
	for _, match := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		seen[match[1]]++
	}
	for _, id := range []string{"B01", "B01-2", "B02", "I15", "C01", "W02", "A01", "M12", "data", "data-2", "i", "case"} {
		if seen[id] == 0 {
			t.Errorf("no element has the id %q", id)
		}
	}
	for id, times := range seen {
		if times > 1 {
			t.Errorf("id %q stands %d times", id, times)
		}
	}
	for _, match := range regexp.MustCompile(` href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if seen[match[1]] == 0 {
			t.Errorf("a link leads to #%s, which is nowhere", match[1])
		}
	}
}

func TestAbsentIsNotZero(t *testing.T) {
	run := read(t, "interrupted")
	page := render(t, run)
	if cells := strings.Count(page, `<td class="n absent">not available</td>`); cells < 3 {
		t.Errorf("%d cells say that Prometheus was not available, want at least its three of the whole run", cells)
	}
	if !strings.Contains(page, "Not read to its end: ledger ledger/W02.jsonl:10: the last line is cut off") {
		t.Error("the page does not tell that a ledger is cut off")
	}
}

func TestBooksMarkWhatContradictsTheClient(t *testing.T) {
	page := render(t, read(t, "fail"))
	const want = `<td class="n differs"><span aria-hidden="true">≠</span> 10 / 4 <span class="delta">(−1 / &#43;1)</span></td>`
	if cells := strings.Count(page, want); cells != 2 {
		t.Errorf("%d cells are marked, want limiter and Prometheus of I15", cells)
	}
	if cells := strings.Count(render(t, read(t, "pass")), "≠"); cells != 0 {
		t.Errorf("%d cells of a run that passed are marked", cells)
	}
}

func TestTheRecordIsEmbedded(t *testing.T) {
	run := read(t, "fail")
	var got reports.Record
	if err := json.Unmarshal([]byte(embedded(t, render(t, run))), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Record, &got); diff != "" {
		t.Errorf("the embedded record is not the run's:\n%s", diff)
	}
}

func embedded(t *testing.T, page string) string {
	t.Helper()
	_, rest, begins := strings.Cut(page, `<script type="application/json" id="record">`)
	data, _, ends := strings.Cut(rest, "</script>")
	if !begins || !ends {
		t.Fatal("no data is embedded")
	}
	return data
}
