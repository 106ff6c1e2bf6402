package oracle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// began dates the ledgers of the tests.
var began = time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)

func limitOf(quota int64, window time.Duration) tier.Limit {
	return tier.Limit{
		Name: "requests", Policy: "llm-d/limits", Quota: quota, Unit: tier.Hits, Window: window,
		Counters: []string{"auth.identity.userid"},
	}
}

// question is about premium/alice, who sent all entries one at a time, fresh,
// with the stack to itself and books that agree with her.
func question(entries []evidence.Entry, limits ...tier.Limit) Question {
	q := Question{
		Case: "B02", Model: FirstHit, Alone: true, Began: began, Ledger: "ledger/B02.jsonl",
		Subject: Subject{Identity: "premium/alice", Name: "alice", Limits: limits, Fresh: true},
		Attacks: []Attack{{Name: "main", Planned: len(entries), OneAtATime: true}},
	}
	setBooks(&q, entries)
	return q
}

// setBooks makes every book agree with the entries.
func setBooks(q *Question, entries []evidence.Entry) {
	var calls evidence.Calls
	var gateway evidence.GatewayBook
	served := map[string]int{}
	last := time.Duration(0)
	for _, e := range entries {
		last = max(last, e.Received)
		gateway.Hits++
		switch {
		case isPassed(&e):
			calls.Authorized++
			calls.Hits++
			served[e.Hit] = 1
		case e.Outcome == evidence.Denied:
			calls.Limited++
			gateway.Denied++
		case e.Outcome == evidence.Refused:
			gateway.Denied++
		}
	}
	after := began.Add(last + sec)
	book := func(c evidence.Calls) *evidence.LimiterBook {
		return &evidence.LimiterBook{
			Users: map[string]evidence.Calls{q.Subject.Name: c}, Total: c, Instances: []string{"limiter@1"}, Scraped: after,
		}
	}
	q.Before = evidence.Snapshot{
		At: began, Limiter: book(evidence.Calls{}), Prometheus: book(evidence.Calls{}),
		Gateway: &evidence.GatewayBook{}, Backend: &evidence.BackendBook{Hits: map[string]int{}},
	}
	q.After = evidence.Snapshot{
		At: after, Limiter: book(calls), Prometheus: book(calls),
		Gateway: &gateway, Backend: &evidence.BackendBook{Served: int64(len(served)), Hits: served},
	}
}

// ledger reads a line of hits as "A0+5 D10+1": outcome, departure and latency
// in milliseconds. A admitted, D denied, R refused, L lost, F failed at the
// gateway, E by its filter, B failed behind it, M refused by the model.
func ledger(t *testing.T, hits ...string) []evidence.Entry {
	t.Helper()
	entries, err := parseLedger(hits)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func parseLedger(hits []string) ([]evidence.Entry, error) {
	var entries []evidence.Entry
	for i, h := range hits {
		var kind rune
		var sent, latency int
		if _, err := fmt.Sscanf(h, "%c%d+%d", &kind, &sent, &latency); err != nil {
			return nil, fmt.Errorf("hit %q: %w", h, err)
		}
		e := evidence.Entry{
			Hit: fmt.Sprintf("hit-%d", i), Attack: "main", Seq: uint64(i), Identity: "premium/alice",
			Sent: time.Duration(sent) * ms, Received: time.Duration(sent+latency) * ms, From: evidence.FromGateway,
		}
		switch kind {
		case 'A':
			e.Outcome, e.Status, e.From = evidence.Admitted, 200, evidence.FromBackend
		case 'D':
			e.Outcome, e.Status = evidence.Denied, 429
		case 'R':
			e.Outcome, e.Status = evidence.Refused, 401
		case 'L':
			e.Outcome, e.From, e.Error = evidence.Lost, "", "timeout"
		case 'F':
			e.Outcome, e.Status = evidence.Failed, 503
		case 'M':
			e.Outcome, e.Status, e.From = evidence.Refused, 401, evidence.FromBackend
		case 'E':
			e.Outcome, e.Status = evidence.Failed, 500
		case 'B':
			e.Outcome, e.Status, e.From = evidence.Failed, 429, evidence.FromBackend
		default:
			return nil, fmt.Errorf("hit %q: unknown outcome %c", h, kind)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// ruleNamed finds a rule.
func ruleNamed(t *testing.T, name string) Rule {
	t.Helper()
	for _, r := range All() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no rule %q", name)
	return Rule{}
}

// want is what a finding must say.
type want struct {
	verdict   reports.Verdict
	component reports.Component
	reason    string // a part of it
}

func (w want) check(t *testing.T, f reports.Finding) {
	t.Helper()
	switch {
	case f.Verdict != w.verdict:
		t.Errorf("%s: verdict %s, want %s; it says: %s", f.Rule, f.Verdict, w.verdict, f.Reason)
	case f.Component != w.component:
		t.Errorf("%s: blames %q, want %q; it says: %s", f.Rule, f.Component, w.component, f.Reason)
	case !strings.Contains(f.Reason, w.reason):
		t.Errorf("%s says %q, want it to contain %q", f.Rule, f.Reason, w.reason)
	case f.Verdict == reports.Inconclusive && f.Reason == "":
		t.Errorf("%s is in doubt without a reason", f.Rule)
	case f.Verdict == reports.Fail && (f.Reason == "" || f.Attribution == ""):
		t.Errorf("%s fails without a reason or an attribution: %+v", f.Rule, f)
	}
}
