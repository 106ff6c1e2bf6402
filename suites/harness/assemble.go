package harness

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Assemble fills a record's cases, identities and verdict from the files that
// spec processes have left in the run's folder so far.
func Assemble(runDir string, record *reports.Record) error {
	cases, err := ReadCases(runDir)
	if err != nil {
		return err
	}
	session, err := ReadSession(runDir)
	if err != nil {
		return err
	}
	for _, name := range session.Planned {
		if _, left := cases[name]; !left {
			cases[name] = unfinished(name)
		}
	}
	record.Cases, record.Identities = nil, nil
	for _, name := range sortedNames(cases) {
		c := cases[name]
		if c.Began.IsZero() {
			record.Cases = append(record.Cases, c)
			continue
		}
		c.Identities, err = tallies(runDir, name, c)
		if err != nil {
			return err
		}
		record.Cases = append(record.Cases, c)
		record.Identities = append(record.Identities, c.Identities...)
	}
	record.Settle()
	return nil
}

// unfinished stands for a planned case that left no result.
func unfinished(name string) reports.Case {
	id, lane, _ := strings.Cut(name, "-")
	return reports.Case{ID: id, Lane: lane, Verdict: reports.Inconclusive, Reason: "the case left no result: it did not run"}
}

// tallies counts what each identity of a case sent and how it ended, beside
// what the books of its last question say of it.
func tallies(runDir, name string, c reports.Case) ([]reports.IdentityTally, error) {
	_, entries, err := evidence.Read(filepath.Join(runDir, ledgerDir, name+".jsonl"))
	if err != nil && !errors.Is(err, evidence.ErrTruncated) {
		return nil, err
	}
	byIdentity := map[string]*reports.IdentityTally{}
	ids := map[string][]string{}
	for _, entry := range entries {
		tally := byIdentity[entry.Identity]
		if tally == nil {
			tierName, user := splitSubject(entry.Identity)
			tally = &reports.IdentityTally{Name: user, Tier: tierName, Case: c.ID}
			byIdentity[entry.Identity] = tally
		}
		count(tally, entry.Outcome)
		ids[entry.Identity] = append(ids[entry.Identity], entry.Hit)
	}
	for _, file := range c.Evidence {
		if filepath.Dir(file) != questionsDir {
			continue
		}
		q, err := readQuestion(filepath.Join(runDir, file))
		if err != nil {
			return nil, err
		}
		if tally := byIdentity[q.Subject.Identity]; tally != nil && q.Subject.Name != "" {
			tally.Name, tally.Tier = q.Subject.Name, strings.TrimSuffix(q.Subject.Identity, "/"+q.Subject.Name)
			tally.Books = booksOf(q.Subject.Name, q.Before, q.After, ids[q.Subject.Identity])
		}
	}
	all := make([]reports.IdentityTally, 0, len(byIdentity))
	for _, tally := range byIdentity {
		all = append(all, *tally)
	}
	slices.SortFunc(all, func(a, b reports.IdentityTally) int {
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// splitSubject takes tier/name apart where no question says which is which.
// Names of callers that were enrolled hold no slash, names of tiers may.
func splitSubject(subject string) (tierName, user string) {
	at := strings.LastIndex(subject, "/")
	if at < 0 {
		return "", subject
	}
	return subject[:at], subject[at+1:]
}

func count(tally *reports.IdentityTally, outcome evidence.Outcome) {
	tally.Sent++
	switch outcome {
	case evidence.Admitted:
		tally.Admitted++
	case evidence.Denied:
		tally.Denied++
	case evidence.Refused:
		tally.Refused++
	case evidence.Failed:
		tally.Failed++
	case evidence.Lost:
		tally.Lost++
	}
}

func booksOf(user string, before, after evidence.Snapshot, ids []string) reports.Books {
	var books reports.Books
	books.Limiter = callsOf(user, before.Limiter, after.Limiter)
	books.Prometheus = callsOf(user, before.Prometheus, after.Prometheus)
	if after.Backend != nil && after.Backend.Hits != nil {
		var served int64
		for _, id := range ids {
			served += int64(after.Backend.Hits[id])
		}
		books.Backend = &served
	}
	return books
}

func callsOf(user string, before, after *evidence.LimiterBook) *evidence.Calls {
	if before == nil || after == nil || after.Users == nil {
		return nil
	}
	from, to := before.Users[user], after.Users[user]
	return &evidence.Calls{
		Authorized: to.Authorized - from.Authorized, Limited: to.Limited - from.Limited, Hits: to.Hits - from.Hits,
	}
}
