package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// labelCase and labelLane prefix the labels that tie a spec to the catalogue.
const (
	labelCase = "case:"
	labelLane = "lane:"
)

// patience bounds how long a spec may take before it is in doubt; a lane that
// waits for real windows gets more. It is no promise of the limiter's.
const (
	patience     = 3 * time.Minute
	seedPatience = 20 * time.Minute
)

// Case ties a spec to the catalogue: its ID, its lane, its time. An ID that the
// catalogue lacks stops the tree from being built.
func Case(id string) []any {
	entry, err := catalogue.Find(id)
	if err != nil {
		panic(err)
	}
	timeout := casePatience()
	if entry.Lane == catalogue.Random {
		timeout = max(seedPatience, timeout)
	}
	return []any{ginkgo.Label(labelCase+id, labelLane+string(entry.Lane)), ginkgo.SpecTimeout(timeout)}
}

// EnvCasePatience names the environment variable that gives cases another
// patience, such as 15m: where no identities are issued, cases wait for each
// other and for real windows.
const EnvCasePatience = "FLOODGATE_CASE_PATIENCE"

func casePatience() time.Duration {
	if given, err := time.ParseDuration(os.Getenv(EnvCasePatience)); err == nil && given > 0 {
		return given
	}
	return patience
}

// CaseInRealTime is Case for a spec that waits for the policy's own windows.
func CaseInRealTime(id string) []any {
	if _, err := catalogue.Find(id); err != nil {
		panic(err)
	}
	return []any{ginkgo.Label(labelCase+id, labelLane+string(catalogue.Seed)), ginkgo.SpecTimeout(max(seedPatience, casePatience()))}
}

// CaseOf reads a spec's ID and lane off its labels.
func CaseOf(labels []string) (id string, lane catalogue.Lane) {
	for _, label := range labels {
		if rest, ok := strings.CutPrefix(label, labelCase); ok {
			id = rest
		}
		if rest, ok := strings.CutPrefix(label, labelLane); ok {
			lane = catalogue.Lane(rest)
		}
	}
	return id, lane
}

// FileName names the files of a case in a run's folder.
func FileName(id string, lane catalogue.Lane) string {
	if lane == catalogue.Seed {
		return id + "-" + string(lane)
	}
	return id
}

// spec is the case under way in this process.
type spec struct {
	result  reports.Case
	name    string
	serial  bool
	ledger  *evidence.Ledger
	began   time.Time
	attacks map[string]attackPlan
	before  map[string]evidence.Snapshot
	after   map[string]evidence.Snapshot
	asked   int
	last    time.Time
	// examinations are those of the limiter, by what was asked; examiners the names
	// that they were made under.
	examinations map[string]*evidence.Examination
	examiners    map[string]bool
	// edited are the variants whose policy is put back when the spec ends.
	edited map[string]bool
	// given are the claims on the policy's own identities, nil without any.
	given *given
}

// attackPlan is one attack of the case: who fired it, and where.
type attackPlan struct {
	oracle.Attack
	identity, variant string
	// fired is what its caller presented.
	fired attack.Attack
}

// Begin starts the case of a spec.
func (b *Bed) Begin(report types.SpecReport) error {
	id, lane := CaseOf(report.Labels())
	if id == "" {
		return fmt.Errorf("%q has no case: decorate it with harness.Case", report.FullText())
	}
	name := FileName(id, lane)
	ledger, err := evidence.Create(filepath.Join(b.run.dir, ledgerDir, name+".jsonl"), evidence.Header{Case: id})
	if err != nil {
		return err
	}
	b.run.spec = &spec{
		name: name, serial: report.IsSerial, ledger: ledger, began: time.Now(),
		attacks: map[string]attackPlan{}, edited: map[string]bool{},
		before: map[string]evidence.Snapshot{}, after: map[string]evidence.Snapshot{},
		examinations: map[string]*evidence.Examination{}, examiners: map[string]bool{},
		result: reports.Case{
			ID: id, Title: report.FullText(), Lane: string(lane), Variant: b.variant.Name, Began: time.Now(),
			Again: again(b.run.session.Again, id, lane), Evidence: []string{filepath.Join(ledgerDir, name+".jsonl")},
		},
	}
	return errors.Join(b.save(), b.tell(Event{Kind: CaseBegan, Text: report.FullText()}))
}

// again is the command that runs one case of a run again.
func again(run, id string, lane catalogue.Lane) string {
	if lane == catalogue.Seed || lane == catalogue.Random {
		run += " --lane " + string(lane)
	}
	return run + " --case " + id
}

// End settles the case of a spec that has ended, however it did.
func (b *Bed) End(report types.SpecReport) error {
	s := b.run.spec
	if s == nil {
		return nil
	}
	b.run.spec = nil
	err := s.ledger.Close()
	s.result.Duration = time.Since(s.began)
	switch {
	case err != nil:
		s.result.Doubt = "the ledger is not whole: " + err.Error()
	case report.State.Is(types.SpecStateSkipped):
		s.result.Verdict, s.result.Reason = reports.NotJudged, report.Failure.Message
	case len(s.result.Findings) == 0 && report.State.Is(types.SpecStatePassed):
		s.result.Doubt = "the spec judged nothing"
	case cutOff(report, s.result.Findings):
		s.result.Doubt = fmt.Sprintf("the spec %s: %s", report.State, report.Failure.Message)
	case !report.State.Is(types.SpecStatePassed) && Judgement(s.result.Findings).Verdict() == reports.Pass || len(s.result.Findings) == 0:
		s.result.Doubt = fmt.Sprintf("the spec %s: %s", report.State, report.Failure.Message)
	}
	Settle(&s.result)
	if saveErr := writeJSON(b.casePath(s), s.result); saveErr != nil {
		err = errors.Join(err, saveErr)
	}
	return errors.Join(err, b.run.events.write(Event{
		Case: s.name, Kind: CaseEnded, Verdict: s.result.Verdict.String(), Text: s.result.Reason,
	}))
}

// cutOff says whether a spec with doubts ended before it had judged all that it
// wanted to: its doubts are then not all that is not known.
func cutOff(report types.SpecReport, findings Judgement) bool {
	if report.State.Is(types.SpecStatePassed) || findings.Verdict() != reports.Inconclusive {
		return false
	}
	return !report.State.Is(types.SpecStateFailed) || !strings.HasPrefix(report.Failure.Message, doubtWord)
}

// Settle gives a case its verdict: a finding that failed stays a fail, and a
// doubt of any kind is never a pass. A case that was not judged stays so.
func Settle(c *reports.Case) {
	if c.Verdict == reports.NotJudged {
		return
	}
	c.Verdict, c.Reason = Judgement(c.Findings).Verdict(), ""
	switch {
	case c.Void:
		c.Verdict, c.Reason = reports.Inconclusive, c.Doubt
	case c.Verdict == reports.Fail:
	case c.Doubt != "":
		c.Verdict, c.Reason = reports.Inconclusive, c.Doubt
	case c.Verdict == reports.Inconclusive:
		c.Reason = "no rule was judged"
		if at := slices.IndexFunc(c.Findings, func(f reports.Finding) bool { return f.Verdict == reports.Inconclusive }); at >= 0 {
			c.Reason = c.Findings[at].Reason
		}
	}
}

// NotJudged ends the spec: this policy, provider or build lacks what the case
// needs. The reason is in the record.
func (b *Bed) NotJudged(format string, args ...any) {
	ginkgo.Skip(fmt.Sprintf(format, args...), 1)
}

// Wait holds the spec until the ledger's clock shows at, and says so.
func (b *Bed) Wait(ctx context.Context, at time.Duration, what string) {
	left := at - b.run.spec.ledger.Since()
	if left <= 0 {
		return
	}
	b.must(b.tell(Event{Kind: CaseWaits, Text: what, Left: left}))
	if err := pause(ctx, left); err != nil {
		b.must(fmt.Errorf("wait for %s: %w", what, err))
	}
}

func (b *Bed) casePath(s *spec) string {
	return filepath.Join(b.run.dir, casesDir, s.name+".json")
}

func (b *Bed) save() error { return writeJSON(b.casePath(b.run.spec), b.run.spec.result) }

func (b *Bed) tell(event Event) error {
	event.Case = b.run.spec.name
	return b.run.events.write(event)
}

// must ends the spec on what is no verdict: the harness itself cannot go on.
func (b *Bed) must(err error) {
	if err != nil {
		ginkgo.Fail(err.Error(), 1)
	}
}
