package harness

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
	"github.com/floodgate-dev/floodgate/suites/random"
)

// trialsDir holds the files that show a failed trial again.
const trialsDir = "trials"

// A trial that failed is made smaller for so long, and by so many attempts.
const (
	shrinkPatience = 2 * time.Minute
	shrinkAttempts = 80
)

// Trials are the random trials of this run: those that its seed draws for the
// bed's policy, or the one that it was given.
func (b *Bed) Trials() []random.Trial {
	ginkgoHelper()
	if path := b.run.session.Trial; path != "" {
		trial, err := random.Read(path)
		b.must(err)
		return []random.Trial{trial}
	}
	ground := random.Ground{Limits: b.set.LimitsOfCallers(), OtherPath: b.set.OtherPath()}
	for _, identity := range b.set.Identities() {
		if !slices.Contains(ground.Tiers, identity.Tier) {
			ground.Tiers = append(ground.Tiers, identity.Tier)
		}
	}
	if len(ground.Tiers) == 0 {
		b.NotJudged("the policy has no identity")
	}
	trials := make([]random.Trial, b.run.session.Trials)
	for n := range trials {
		trials[n] = random.Draw(b.run.session.Seed, n+1, ground)
	}
	return trials
}

// Tried is a trial that was fired.
type Tried struct {
	trial   random.Trial
	name    string
	bed     *Bed
	policy  *policy.Set
	callers []tier.Identity
	hits    Hits
	// strands are the attacks of the trial's volleys.
	strands   [][]Volley
	reference oracle.Reference
}

// Try puts a trial's policy in force and fires its volleys, each caller being a
// newcomer. The name tells its attacks from those of other trials.
func (b *Bed) Try(ctx context.Context, trial random.Trial, name string) Tried {
	ginkgoHelper()
	if _, err := cluster.As[cluster.IdentityIssuer](b.run.system); err != nil {
		b.NotJudged("every trial needs callers that no counter has seen: %v", err)
	}
	t := Tried{trial: trial, name: name, bed: b, reference: oracle.Reference{Draws: map[string][]oracle.Draw{}}}
	limits := slices.Clone(trial.Limits)
	for i := range limits {
		// Callers of another trial may have drawn on a shared counter of this name.
		limits[i].Name += "-" + name
	}
	drawn, err := b.set.WithDrawn(limits)
	t.policy = drawn
	b.Edit(ctx, drawn, err)
	b.Reopen()
	for _, tierName := range trial.Callers {
		t.callers = append(t.callers, b.Enroll(ctx, tierName))
	}
	for s, strand := range trial.Strands {
		var volleys []Volley
		for v, volley := range strand {
			fired := t.attackOf(volley)
			fired.Name = fmt.Sprintf("%s-s%d-v%d", name, s+1, v+1)
			b.must(t.model(fired, volley))
			volleys = append(volleys, Volley{After: volley.After, Attack: fired})
		}
		t.strands = append(t.strands, volleys)
	}
	t.hits = b.FireStrands(ctx, t.strands...)
	return t
}

func (t *Tried) attackOf(volley random.Volley) attack.Attack {
	fired := attack.Attack{As: t.callers[volley.Caller], Hits: volley.Hits, Pacer: attack.OneAtATime}
	if volley.Together {
		fired.Pacer = attack.Callers(volley.Hits)
	}
	if volley.Mark != "" {
		fired.Header = map[string][]string{}
		fired.Header.Set(policy.MarkHeader, volley.Mark)
	}
	fired.Target.Path = volley.Path
	return fired
}

// model notes which counters each hit of a volley draws on, and that the caller is
// subject to their limits.
func (t *Tried) model(fired attack.Attack, volley random.Volley) error {
	request := t.bed.set.Request()
	if volley.Path != "" {
		request.Path = volley.Path
	}
	if volley.Mark != "" {
		headers := map[string]string{policy.MarkHeader: volley.Mark}
		maps.Copy(headers, request.Headers)
		request.Headers = headers
	}
	caller := &t.callers[volley.Caller]
	limits, err := t.limitsFor(caller.Tier, request)
	if err != nil {
		return err
	}
	for _, limit := range limits {
		draw := oracle.Draw{Limit: slices.IndexFunc(t.reference.Limits, limit.Same)}
		if draw.Limit < 0 {
			draw.Limit = len(t.reference.Limits)
			t.reference.Limits = append(t.reference.Limits, limit)
		}
		draw.Counter, err = t.counterOf(limit, caller.Name, volley.Mark)
		if err != nil {
			return err
		}
		t.reference.Draws[fired.Name] = append(t.reference.Draws[fired.Name], draw)
		if !slices.ContainsFunc(caller.Limits, limit.Same) {
			caller.Limits = append(caller.Limits, limit)
		}
	}
	return nil
}

// limitsFor are the limits of a caller of a tier of the bed's policy. The drawn
// policy may put callers into other tiers, and name them by another
// counter, so that they are found by key.
func (t *Tried) limitsFor(tierName string, request policy.Request) ([]tier.Limit, error) {
	own := t.bed.set.Identities()
	like := own[slices.IndexFunc(own, func(who tier.Identity) bool { return who.Tier == tierName })]
	there := t.policy.Identities()
	i := slices.IndexFunc(there, func(who tier.Identity) bool { return who.Key == like.Key })
	if i < 0 {
		return nil, fmt.Errorf("the drawn policy does not let %s in", like)
	}
	return t.policy.LimitsFor(there[i], request)
}

// counterOf is what a limit's counter expressions are for a hit.
func (t *Tried) counterOf(limit tier.Limit, caller, mark string) (string, error) {
	var values []string
	for _, expression := range limit.Counters {
		switch expression {
		case t.bed.set.UserExpression():
			values = append(values, caller)
		case policy.MarkExpression:
			values = append(values, mark)
		default:
			return "", fmt.Errorf("limit %s is counted by %s, which the model cannot tell", limit.Name, expression)
		}
	}
	return strings.Join(values, " "), nil
}

// Judge asks the oracle about every caller of the trial, or about all as one where
// they share a counter.
func (t Tried) Judge(ctx context.Context, rules ...string) Judgement {
	ginkgoHelper()
	var all Judgement
	for _, ask := range t.questions() {
		all = append(all, t.bed.ask(ctx, ask.question, ask.complete, rules)...)
	}
	return all
}

// aside judges without a trace in the case: it is one of many attempts to see a
// fail again.
func (t Tried) aside(ctx context.Context, rules ...string) Judgement {
	ginkgoHelper()
	var all Judgement
	for _, ask := range t.questions() {
		findings, _ := t.bed.decide(ctx, t.bed.pose(ctx, ask.question, ask.complete, rules))
		all = append(all, findings...)
	}
	return all
}

type asked struct {
	question oracle.Question
	complete func(*oracle.Question)
}

func (t Tried) questions() []asked {
	want := oracle.Want{Reference: &t.reference}
	if len(t.trial.Callers) > 1 && len(t.trial.Strands) == 1 {
		var limits []tier.Limit
		for _, caller := range t.callers {
			limits = append(limits, caller.Limits...)
		}
		return []asked{{
			t.bed.question("", func(name string, _ attackPlan) bool { return slices.Contains(t.hits.attacks, name) }),
			func(q *oracle.Question) { q.Subject.Limits, q.Subject.Fresh, q.Want = limits, true, want },
		}}
	}
	var all []asked
	for _, caller := range t.callers {
		if len(t.hits.Of(caller).entries) == 0 {
			continue
		}
		all = append(all, asked{t.bed.allOf(caller), func(q *oracle.Question) { q.Want = want }})
	}
	return all
}

// Reproduce makes a trial that failed as small as it can in a bounded time, and
// leaves it in the run's folder: its policy as a manifest, and the whole as a file
// that shows it again.
func (b *Bed) Reproduce(ctx context.Context, failed Tried, judged Judgement, rules ...string) {
	ginkgoHelper()
	s := b.run.spec
	smallest, attempts := failed.trial, 0
	if b.run.session.Trial == "" {
		smallest, attempts = b.shrink(ctx, failed, judged, rules)
	}
	drawn, err := b.set.WithDrawn(smallest.Limits)
	b.must(err)
	manifest, err := drawn.LimitPolicies()
	b.must(err)
	content, err := smallest.Marshal()
	b.must(err)
	dir := filepath.Join(trialsDir, failed.name)
	b.must(os.MkdirAll(filepath.Join(b.run.dir, dir), 0o755))
	policyFile, trialFile := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "trial.yaml")
	head := fmt.Sprintf("# Trial %s of seed %d, after %d attempts to make it smaller.\n", failed.name, b.run.session.Seed, attempts)
	b.must(os.WriteFile(filepath.Join(b.run.dir, policyFile), append([]byte(head), manifest...), 0o644))
	b.must(os.WriteFile(filepath.Join(b.run.dir, trialFile), append([]byte(head), content...), 0o644))
	s.result.Policy = policyFile
	s.result.Evidence = append(s.result.Evidence, policyFile, trialFile)
	s.result.Again = b.run.session.Again + " --lane random --trial " + filepath.Join(b.run.session.Shown, trialFile)
	b.must(b.save())
}

// shrink looks for a smaller trial that fails as this one did.
func (b *Bed) shrink(ctx context.Context, failed Tried, judged Judgement, rules []string) (random.Trial, int) {
	ginkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, shrinkPatience)
	defer cancel()
	attempts := 0
	fails := func(candidate random.Trial) bool {
		attempts++
		b.must(b.tell(Event{Kind: CaseWaits, Text: fmt.Sprintf("attempt %d to make the trial smaller", attempts)}))
		tried := b.Try(ctx, candidate, fmt.Sprintf("%s-%d", failed.name, attempts))
		return slices.ContainsFunc(tried.aside(ctx, rules...), func(f reports.Finding) bool {
			return f.Verdict == reports.Fail && slices.ContainsFunc(judged, func(first reports.Finding) bool {
				return first.Verdict == reports.Fail && first.Rule == f.Rule && first.Component == f.Component
			})
		})
	}
	longest := failed.longest()
	more := func() bool {
		deadline, _ := ctx.Deadline()
		return attempts < shrinkAttempts && time.Until(deadline) > longest
	}
	first := failed.trial.Until(failed.where(judged))
	if !more() || !fails(first) {
		first = failed.trial
	}
	return random.Shrink(first, fails, more), attempts
}

// longest is about how long the trial takes.
func (t Tried) longest() time.Duration {
	longest := time.Duration(0)
	for _, strand := range t.strands {
		waits := 2 * time.Second
		for _, v := range strand {
			waits += v.After
		}
		longest = max(longest, waits)
	}
	return longest
}

// where is the strand and the volley that a finding points at, -1 if none does.
func (t Tried) where(judged Judgement) (strand, volley int) {
	_, entries, err := evidence.Read(filepath.Join(t.bed.run.dir, ledgerDir, t.bed.run.spec.name+".jsonl"))
	if err != nil {
		return -1, -1
	}
	for _, f := range judged {
		for _, number := range f.Evidence.Entries {
			for s, volleys := range t.strands {
				for v := range volleys {
					if f.Verdict == reports.Fail && number >= 1 && number <= len(entries) && entries[number-1].Attack == volleys[v].Attack.Name {
						return s, v
					}
				}
			}
		}
	}
	return -1, -1
}
