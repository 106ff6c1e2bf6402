package harness

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// Judge asks the oracle whether rules hold for everything that an identity has
// fired in this case, and writes question and findings to the run's folder.
func (b *Bed) Judge(ctx context.Context, who tier.Identity, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.allOf(who), func(*oracle.Question) {}, rules)
}

// JudgeHits asks the oracle about some hits as they are, whoever fired them.
func (b *Bed) JudgeHits(ctx context.Context, hits Hits, want oracle.Want, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.question("", func(name string, _ attackPlan) bool {
		return slices.Contains(hits.attacks, name)
	}), func(q *oracle.Question) { q.Want = want }, rules)
}

// JudgeTogether asks the oracle about hits of several identities as if one caller
// had fired them all: they draw on one counter. fresh says that nobody drew on it
// before.
func (b *Bed) JudgeTogether(ctx context.Context, hits Hits, limits []tier.Limit, fresh bool, rules ...string) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.question("", func(name string, _ attackPlan) bool {
		return slices.Contains(hits.attacks, name)
	}), func(q *oracle.Question) { q.Subject.Limits, q.Subject.Fresh = limits, fresh }, rules)
}

// JudgeBooks asks the oracle about the books alone.
func (b *Bed) JudgeBooks(ctx context.Context, want oracle.Want, rules ...string) Judgement {
	ginkgoHelper()
	b.open(ctx)
	return b.ask(ctx, b.question("", func(string, attackPlan) bool { return false }), func(q *oracle.Question) { q.Want = want }, rules)
}

// judge is the oracle that every case asks.
var judge = oracle.Judge

// AskInstead makes every case of this process ask another oracle. It is for the
// test that a self-test notices a blind one; nothing else has a use for it.
func AskInstead(other func(oracle.Question, []evidence.Entry) []reports.Finding) { judge = other }

func (b *Bed) question(identity string, concerns func(name string, plan attackPlan) bool) oracle.Question {
	s := b.run.spec
	q := oracle.Question{
		Case: s.result.ID, Model: b.model(), ClockDoubt: b.clockDoubt(), Alone: s.serial, Shared: b.run.session.Stack.Shared, Began: s.ledger.Header().Began,
		Declared: b.run.session.Declared,
		Ledger:   filepath.Join(ledgerDir, s.name+".jsonl"),
	}
	q.Subject.Identity = identity
	for name, plan := range s.attacks {
		if concerns(name, plan) {
			q.Attacks = append(q.Attacks, plan.Attack)
		}
	}
	slices.SortFunc(q.Attacks, func(a, b oracle.Attack) int { return compareNames(a.Name, b.Name) })
	return q
}

func compareNames(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// allOf is the question about everything that an identity has fired in this case.
func (b *Bed) allOf(who tier.Identity) oracle.Question {
	q := b.question(who.String(), func(_ string, plan attackPlan) bool {
		return plan.identity == who.String() && plan.variant == b.variant.Name
	})
	q.Subject = oracle.Subject{Identity: who.String(), Name: who.Name, Limits: who.Limits, Fresh: who.Fresh}
	return q
}

func (b *Bed) ask(ctx context.Context, q oracle.Question, complete func(*oracle.Question), rules []string) Judgement {
	ginkgoHelper()
	s := b.run.spec
	q = b.pose(ctx, q, complete, rules)
	s.asked++
	file := filepath.Join(questionsDir, fmt.Sprintf("%s-%d.json", s.name, s.asked))
	b.must(writeJSON(filepath.Join(b.run.dir, file), q))
	findings, heard := b.decide(ctx, q)
	if heard != nil {
		q.Hearing = heard
		b.must(writeJSON(filepath.Join(b.run.dir, file), q))
	}
	s.result.Findings = append(s.result.Findings, findings...)
	s.result.Variant = b.variant.Name
	s.result.Evidence = append(s.result.Evidence, file)
	b.must(b.save())
	return findings
}

// pose completes a question by what was read.
func (b *Bed) pose(ctx context.Context, q oracle.Question, complete func(*oracle.Question), rules []string) oracle.Question {
	ginkgoHelper()
	s := b.run.spec
	aboutPrometheus := []string{oracle.PrometheusAgrees, oracle.PrometheusAcross}
	for _, rule := range rules {
		// A stack without Prometheus says so in its record; a rule about its
		// book would only repeat that as a doubt in every case.
		if slices.Contains(aboutPrometheus, rule) && b.run.session.Stack.Prometheus == "" {
			continue
		}
		q.Rules = append(q.Rules, rule)
	}
	b.leaveOutOtherModels(q.Rules)
	q.Before, q.After = s.before[b.variant.Name], b.close(ctx)
	complete(&q)
	return q
}

// decide has a question judged on the ledger as it is now, and returns what was heard
// of those who are blamed, nil if nobody is.
func (b *Bed) decide(ctx context.Context, q oracle.Question) (Judgement, *evidence.Hearing) {
	ginkgoHelper()
	b.must(b.run.spec.ledger.Flush())
	_, entries, err := evidence.Read(filepath.Join(b.run.dir, q.Ledger))
	b.must(err)
	findings := judge(q, entries)
	if slices.ContainsFunc(findings, contested) {
		// The verdicts stand; who is to blame for them is looked into.
		q.Hearing = b.hear(ctx, q)
		if findings = judge(q, entries); len(q.Subject.Limits) > 0 && slices.ContainsFunc(findings, againstLimiter) {
			q.Hearing.Examined = b.examine(ctx, q.Subject.Limits)
			findings = judge(q, entries)
		}
	}
	return findings, q.Hearing
}
