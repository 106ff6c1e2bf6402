package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// quietFor is after how long without a line a run says where it is, where no
// terminal shows it all the time.
const quietFor = 10 * time.Second

// progress tells people what a run is doing: a line that changes on a
// terminal, plain lines elsewhere and in CI.
type progress struct {
	out      io.Writer
	live     bool
	width    int
	plannedP *plan
	began    time.Time
	last     time.Time
	total    int
	ended    int
	doing    map[string]harness.Event
	shown    bool
}

func newProgress(out io.Writer, p *plan) *progress {
	show := &progress{out: out, plannedP: p, began: time.Now(), last: time.Now(), total: len(p.specs), doing: map[string]harness.Event{}}
	if file, ok := out.(*os.File); ok && onTerminal(out) {
		show.live = true
		show.width, _, _ = term.GetSize(int(file.Fd()))
	}
	return show
}

// onTerminal is true where somebody watches: a terminal, and not in CI.
func onTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("CI") == "" && term.IsTerminal(int(file.Fd()))
}

// Write passes on what a provider says while the stack comes up.
func (s *progress) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		s.line("  %s", strings.TrimRight(string(line), "\r\n"))
	}
	return len(text), nil
}

func (s *progress) line(format string, args ...any) {
	s.wipe()
	fmt.Fprintf(s.out, format+"\n", args...)
	s.last = time.Now()
}

func (s *progress) wipe() {
	if s.shown {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.shown = false
	}
}

func (s *progress) plan() {
	p := s.plannedP
	s.line("floodgate %s · lane %s · provider %s · policies %s · seed %d", version(), p.lane, p.provider.Name(), p.policies, p.seed)
	s.line("%d tiers, %d identities; %d cases in %d processes, about %s after the stack is up",
		len(p.set.Tiers()), len(p.set.Identities()), s.total, p.processes, p.estimate().Round(time.Second))
	for _, warning := range p.set.Warnings {
		s.line("warning: %v", warning)
	}
	for _, note := range p.notes {
		s.line("not found: %s", note)
	}
	s.line("stack")
}

func (s *progress) stack(record *reports.Record) {
	byOrigin := map[string][]string{}
	for _, kind := range record.Stack.Kinds() {
		byOrigin[kind.OriginLabel()] = append(byOrigin[kind.OriginLabel()], kind.NameAndBuild())
	}
	for _, label := range reports.OriginLabels() {
		if len(byOrigin[label]) > 0 {
			s.line("  %-8s  %s", strings.ToUpper(label), strings.Join(byOrigin[label], "; "))
		}
	}
	if declared := record.DeclaredText(); declared != "" {
		s.line("  declared weaknesses: %s", declared)
	}
}

// cases begins the list of cases.
func (s *progress) cases() { s.line("cases") }

func (s *progress) kept(stack cluster.Stack) {
	s.line("kept up until Ctrl-C:")
	for _, name := range slices.Sorted(maps.Keys(stack.Variants)) {
		variant := stack.Variants[name]
		s.line("  %-8s gateway %s  limiter %s", name, variant.Gateway, strings.Join(variant.Limiters, " "))
	}
}

func (s *progress) event(event harness.Event) {
	switch event.Kind {
	case harness.CaseEnded:
		s.ended++
		delete(s.doing, event.Case)
		text := event.Text
		if text != "" {
			text = "  " + text
		}
		s.line("  [%*d/%d] %-12s %s%s", len(fmt.Sprint(s.total)), s.ended, s.total, strings.ToUpper(event.Verdict), event.Case, text)
	case harness.CaseBegan, harness.CaseFires, harness.CaseWaits, harness.CaseReads:
		s.doing[event.Case] = event
		// Without a terminal a wait is told when it begins: cases that take turns
		// spend most of their time so.
		if event.Kind == harness.CaseWaits && s.plannedP.given && !s.live {
			s.line("  %s %s", event.Case, doing(event))
		}
	}
}

// tick shows where the run is.
func (s *progress) tick() {
	switch {
	case s.live:
		s.wipe()
		text := s.now()
		if s.width > 1 && len([]rune(text)) >= s.width {
			text = string([]rune(text)[:s.width-1])
		}
		fmt.Fprint(s.out, text)
		s.shown = true
	case time.Since(s.last) > quietFor:
		s.line("%s", s.now())
	}
}

// now is one line on everything that is under way.
func (s *progress) now() string {
	var b strings.Builder
	left := s.plannedP.estimate() - time.Since(s.began)
	fmt.Fprintf(&b, "  [%d/%d] %s", s.ended, s.total, time.Since(s.began).Round(time.Second))
	if left > 0 {
		fmt.Fprintf(&b, ", about %s left", left.Round(time.Second))
	}
	for _, event := range sortedEvents(s.doing) {
		fmt.Fprintf(&b, " · %s %s", event.Case, doing(event))
	}
	return b.String()
}

func doing(event harness.Event) string {
	switch event.Kind {
	case harness.CaseFires:
		return fmt.Sprintf("fires %d/%d %s", event.Done, event.Total, event.Text)
	case harness.CaseWaits:
		left := max(0, event.Left-time.Since(event.At))
		return fmt.Sprintf("waits %s for %s", left.Round(time.Second), event.Text)
	case harness.CaseReads:
		return "reads " + event.Text
	case harness.CaseBegan, harness.CaseEnded:
	}
	return "begins"
}

func (s *progress) end() { s.wipe() }

func sortedEvents(doing map[string]harness.Event) []harness.Event {
	events := slices.Collect(maps.Values(doing))
	slices.SortFunc(events, func(a, b harness.Event) int { return strings.Compare(a.Case, b.Case) })
	return events
}
