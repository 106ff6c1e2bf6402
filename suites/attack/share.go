package attack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Share is one worker's part of an attack that several carry out. Its hits are
// every so-manieth of the whole attack's, so that all workers together fire the
// hits, bodies and ids that one would have fired, at the same times.
type Share struct {
	// First is the sequence number of the share's first hit in the whole attack,
	// Every the distance to its next.
	First, Every uint64
	// IDPrefix begins the ids of the whole attack's hits.
	IDPrefix string
	// Await is asked once, when the share's first hit could leave. It returns
	// when the time at which the whole attack begins is known, on the ledger's
	// clock, or when ctx ends.
	Await func(ctx context.Context) (time.Duration, error)
}

func (s *Share) check() (wrong []error) {
	if s == nil {
		return nil
	}
	if s.Every < 1 || s.First >= s.Every {
		wrong = append(wrong, fmt.Errorf("Share: first hit %d of every %d: want it below", s.First, s.Every))
	}
	if s.IDPrefix == "" {
		wrong = append(wrong, errors.New("Share.IDPrefix: want the whole attack's"))
	}
	if s.Await == nil {
		wrong = append(wrong, errors.New("Share.Await: want what tells when the attack begins"))
	}
	return wrong
}

// seq is the sequence number in the whole attack of the share's nth hit.
func (s *Share) seq(nth uint64) uint64 {
	if s == nil {
		return nth
	}
	return s.First + nth*s.Every
}

// phase is how much later than the attack a share of a rate begins, so that the
// shares' hits alternate.
func (s *Share) phase(rate Rate) time.Duration {
	if s == nil || rate <= 0 {
		return 0
	}
	return time.Duration(float64(s.First) / (float64(s.Every) * float64(rate)) * float64(time.Second))
}

// Summary makes the Report of hits that others have fired.
type Summary struct {
	tally tally
	rate  Rate
	sent  []time.Duration
}

// NewSummary begins the summary of an attack with that pacer.
func NewSummary(pacer Pacer) *Summary {
	s := &Summary{tally: tally{outcomes: map[evidence.Outcome]int{}}}
	s.rate, _ = pacer.(Rate)
	return s
}

// Add counts one hit, as it was measured.
func (s *Summary) Add(e *evidence.Entry) {
	s.tally.add(e, -1)
	s.sent = append(s.sent, e.Sent)
}

// Report is the attack's, of whose hits so many were planned.
func (s *Summary) Report(name string, planned int) Report {
	report := s.tally.report(name, planned)
	if s.rate <= 0 || len(s.sent) < 2 {
		return report
	}
	slices.Sort(s.sent)
	paired := 0
	for i := 1; i < len(s.sent); i++ {
		if float64(s.sent[i]-s.sent[i-1]) < backToBack*float64(s.rate.due(1)) {
			paired++
		}
	}
	report.BackToBack = float64(paired) / float64(len(s.sent)-1)
	return report
}
