package harness

import (
	"context"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// NeedsPrometheus skips the spec where the stack has no Prometheus.
func (b *Bed) NeedsPrometheus() {
	if b.run.session.Stack.Prometheus == "" {
		b.NotJudged("the stack has no Prometheus")
	}
}

// NeedsUserLabel skips the spec where the limiter's metrics name no caller.
func (b *Bed) NeedsUserLabel() {
	if b.variant.UserLabel == "" {
		b.NotJudged("this policy and limiter give the limiter's metrics no label that names the caller")
	}
}

// NeedsLimitNames skips the spec where the limiter's metrics name no limit.
func (b *Bed) NeedsLimitNames() {
	if !b.variant.LimitNames {
		b.NotJudged("this provider does not have the limiter name limits in its metrics (--limit-name-in-labels)")
	}
}

// JudgePage asks the oracle about the form of the limiters' metrics text.
func (b *Bed) JudgePage(ctx context.Context, rules ...string) Judgement {
	ginkgoHelper()
	b.open(ctx)
	page := b.page(ctx)
	return b.ask(ctx, b.question("", func(string, attackPlan) bool { return false }), func(q *oracle.Question) { q.Page = page }, rules)
}

// pageReads is how often a page is read whose time counts: the fastest tells.
const pageReads = 3

// Page is the limiters' metrics text as it is now, with how long it took.
func (b *Bed) Page(ctx context.Context) *evidence.Page {
	ginkgoHelper()
	b.open(ctx)
	page := b.page(ctx)
	for range pageReads - 1 {
		if again := b.page(ctx); again.Missing == "" && page.Missing == "" {
			page.Took = min(page.Took, again.Took)
		}
	}
	return page
}

// JudgeGrowth is JudgeCrowd with the limiters' metrics text before the crowd's hits
// and as it is now.
func (b *Bed) JudgeGrowth(ctx context.Context, hits Hits, earlier *evidence.Page, rules ...string) Judgement {
	ginkgoHelper()
	page := b.Page(ctx)
	return b.ask(ctx, b.question("", hits.fired()), func(q *oracle.Question) { q.Page, q.Earlier = page, earlier }, rules)
}

func (b *Bed) page(ctx context.Context) *evidence.Page {
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	page := &evidence.Page{}
	limiters, err := b.limiters(ctx)
	if err == nil && len(limiters) == 0 {
		page.Missing = "the limiter's HTTP API is not reachable"
	}
	for _, base := range limiters {
		seen, readErr := b.run.reader.Exposition(ctx, base)
		if readErr != nil {
			err = readErr
			break
		}
		page.Families += seen.Families
		page.Samples += seen.Samples
		page.Took = max(page.Took, seen.Took)
		for family, samples := range seen.Series {
			if page.Series == nil {
				page.Series = map[string]int{}
			}
			page.Series[family] += samples
		}
		for _, d := range seen.Defects {
			page.Defects = append(page.Defects, evidence.PageDefect{Kind: string(d.Kind), Line: d.Line, Family: d.Family, Says: d.Says})
		}
	}
	if err != nil {
		page.Missing = err.Error()
	}
	return page
}

// Books reads the books as they are now, in the midst of a case: Prometheus' by a
// scrape that began after the last hit.
func (b *Bed) Books(ctx context.Context) evidence.Snapshot {
	ginkgoHelper()
	return b.snapshot(ctx, nil, b.run.spec.last)
}

// JudgeReadings asks the oracle about everything that an identity has fired, with
// books that were read meanwhile.
func (b *Bed) JudgeReadings(ctx context.Context, who tier.Identity, readings []evidence.Snapshot, rules ...string) Judgement {
	ginkgoHelper()
	return b.askAbout(ctx, who, rules, func(q *oracle.Question) { q.Readings = readings })
}

// JudgeTargets asks the oracle whether Prometheus scrapes every limiter of the
// stack, whatever its variant.
func (b *Bed) JudgeTargets(ctx context.Context, rules ...string) Judgement {
	ginkgoHelper()
	b.open(ctx)
	targets := b.targets(ctx)
	return b.ask(ctx, b.question("", func(string, attackPlan) bool { return false }), func(q *oracle.Question) { q.Targets = targets }, rules)
}

func (b *Bed) targets(ctx context.Context) *evidence.Targets {
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	var instances []string
	for _, variant := range b.run.session.Stack.Variants {
		instances = append(instances, variant.PrometheusInstances...)
	}
	slices.Sort(instances)
	reader, err := b.run.reader.Prometheus(b.run.session.Stack.Prometheus, b.variant.UserLabel, instances...)
	if err != nil {
		return &evidence.Targets{Missing: err.Error()}
	}
	states, err := reader.Targets(ctx)
	if err != nil {
		return &evidence.Targets{Missing: err.Error()}
	}
	targets := &evidence.Targets{}
	for _, s := range states {
		targets.Limiters = append(targets.Limiters, evidence.LimiterTarget{Instance: s.Instance, Target: s.Listed, Down: s.Down})
	}
	return targets
}

// outagePatience is how long Prometheus' book is waited for while its scrapes are
// missed: three of its intervals, and some.
const outagePatience = 4 * time.Second

// MissScrapes makes a change of the case under way while Prometheus misses its
// scrapes of this bed's limiters, and returns the books of that time.
func (b *Bed) MissScrapes(ctx context.Context, meanwhile func()) evidence.Snapshot {
	ginkgoHelper()
	breaker, err := cluster.As[cluster.ScrapeBreaker](b.run.system)
	if err != nil {
		b.NotJudged("provider %s cannot have Prometheus miss scrapes: %v", b.run.session.Stack.Provider, err)
	}
	b.open(ctx)
	mend, err := breaker.BreakScrapes(ctx, b.variant.Name)
	if mend != nil {
		ginkgo.DeferCleanup(mend)
	}
	b.able(err)
	meanwhile()
	outage := evidence.Snapshot{At: time.Now(), Missing: map[string]string{}}
	bounded, cancel := context.WithTimeout(ctx, outagePatience)
	defer cancel()
	if outage.Prometheus, err = b.prometheusBook(bounded, b.run.spec.last); err != nil {
		outage.Missing["prometheus"] = err.Error()
	}
	b.must(mend(ctx))
	return outage
}

// JudgeOutage is Judge with the books of a time in which scrapes were missed.
func (b *Bed) JudgeOutage(ctx context.Context, who tier.Identity, outage evidence.Snapshot, rules ...string) Judgement {
	ginkgoHelper()
	return b.askAbout(ctx, who, rules, func(q *oracle.Question) { q.Outage = &outage })
}

// JudgeIncrease is Judge with what Prometheus' increase() shows of the identity.
func (b *Bed) JudgeIncrease(ctx context.Context, who tier.Identity, rules ...string) Judgement {
	ginkgoHelper()
	b.close(ctx)
	return b.askAbout(ctx, who, rules, func(q *oracle.Question) { q.Increase = b.increase(ctx, who) })
}

func (b *Bed) increase(ctx context.Context, who tier.Identity) *evidence.Increase {
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	shown := &evidence.Increase{}
	reader, err := b.run.reader.Prometheus(b.run.session.Stack.Prometheus, b.variant.UserLabel, b.variant.PrometheusInstances...)
	if err == nil {
		shown.Authorized, shown.Limited, err = reader.Increase(ctx, who.Name)
	}
	if err != nil {
		shown.Missing = err.Error()
	}
	return shown
}

// askAbout asks about everything that an identity has fired, with what the
// question holds besides.
func (b *Bed) askAbout(ctx context.Context, who tier.Identity, rules []string, besides func(*oracle.Question)) Judgement {
	ginkgoHelper()
	return b.ask(ctx, b.allOf(who), func(q *oracle.Question) {
		besides(q)
	}, rules)
}
