package oracle

import (
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// The names of the rules, as Question.Rules holds them.
const (
	// Assumptions is judged first and always; the others build on it.
	Assumptions      = "assumptions"
	NoOverrun        = "no-overrun"
	NoUnderrun       = "no-underrun"
	InOrder          = "in-order"
	NoEarlyReset     = "no-early-reset"
	Resets           = "resets"
	BorderBurst      = "border-burst"
	KeepsPace        = "keeps-pace"
	CountedAtOnce    = "counted-at-once"
	OwnQuota         = "own-quota"
	DenialsAre429    = "denials-are-429"
	Served           = "served"
	Reconciled       = "reconciled"
	PrometheusAgrees = "prometheus-agrees"
	GatewayAgrees    = "gateway-agrees"
	BackendAgrees    = "backend-agrees"
	AllAdmitted      = "all-admitted"
	AllRefused       = "all-refused"
	NeverFree        = "never-free"
	Untouched        = "untouched"
	AnswerForm       = "answer-form"
	LimitsInForce    = "limits-in-force"
	AllDenied        = "all-denied"
	CountersTell     = "counters-tell"
	WindowTold       = "window-told"
	// RefusalsOpenNothing and StoppedIsSilent are named for what a refused
	// call, and a limiter that was told to stop, must not do.
	RefusalsOpenNothing = "refusals-open-nothing"
	StoppedIsSilent     = "stopped-is-silent"
	RemainingTold       = "remaining-told"
	ResetTold           = "reset-told"
	ExpiryRaces         = "expiry-races"
	ReadyMeansServing   = "ready-means-serving"
	TakesEffect         = "takes-effect"
	MovedTier           = "moved-tier"
	NoBypass            = "no-bypass"
	Metered             = "metered"
	StaysKnown          = "stays-known"
	TokensSpent         = "tokens-spent"
	AnswersEnd          = "answers-end"
	// LimitsInTime and ShownInTime are about the gap between a policy and its
	// enforcement.
	LimitsInTime    = "limits-in-time"
	ShownInTime     = "shown-in-time"
	KeepsCounters   = "keeps-counters"
	StartsAnew      = "starts-anew"
	LimitsGone      = "limits-gone"
	RefusalTold     = "refusal-told"
	OneCounter      = "one-counter"
	UnsharedIsFound = "unshared-is-found"
	ComesBack       = "comes-back"
	ScalingUnseen   = "scaling-unseen"
	// WellFormed and those after it are about the limiter's metrics and the way
	// to Prometheus.
	WellFormed          = "well-formed"
	NamesCallers        = "names-callers"
	NamesLimit          = "names-limit"
	NeverBackwards      = "never-backwards"
	CountsAcross        = "counts-across"
	PrometheusAcross    = "prometheus-across"
	EveryLimiterScraped = "every-limiter-scraped"
	MissedScrapesDoubt  = "missed-scrapes-doubt"
	FirstCallsTold      = "first-calls-told"
	Overshoot           = "overshoot"
	// CountedAtStart and AbortsCounted are about hits that take long and hits
	// that nobody waits for.
	CountedAtStart   = "counted-at-start"
	AbortsCounted    = "aborts-counted"
	ResetKept        = "reset-kept"
	RetryAfterHonest = "retry-after-honest"
	SpoofIgnored     = "spoof-ignored"
	OneIdentity      = "one-identity"
	DenialsSpend     = "denials-spend"
	EachBinds        = "each-binds"
	OnlyMatching     = "only-matching"
	HeardAtAnySize   = "heard-at-any-size"
	AsModelled       = "as-modelled"
	// SeriesBounded is about the size of the limiter's metrics text.
	SeriesBounded = "series-bounded"
)

// The names of the rules about calls and hits that fail, and about what is
// restarted or stepped.
const (
	UnheardIsTold = "unheard-is-told"
	FailuresSpend = "failures-spend"
	LimitsAgain   = "limits-again"
	CountsOn      = "counts-on"
	ClockSteps    = "clock-steps"
	// KeysCostNothing is about how long an authorizer takes.
	KeysCostNothing = "keys-cost-nothing"
	// RetriesSpendOnce is about hits that a gateway sends to the model again.
	RetriesSpendOnce = "retries-spend-once"
	// UndecidedUncounted is about calls that name no limits at all.
	UndecidedUncounted = "undecided-uncounted"
)

// Rule is one guarantee and how to judge it on evidence.
type Rule struct {
	// Name is the rule's constant.
	Name string
	// Guarantee is the promise in one sentence.
	Guarantee string

	needs need
	judge func(*trial) reports.Finding
}

// need is what must be true of the evidence before a rule can be judged on it.
type need uint8

const (
	// needsLedger: the attacks fired what was planned and every hit has one
	// sane entry, the subject's at least one.
	needsLedger need = 1 << iota
	// needsOrder: attacks that are planned one at a time were.
	needsOrder
	// needsPace: the generator kept up. A lagging one can hide a defect, so
	// that a pass is in doubt, but not invent one: a fail stands.
	needsPace
	// needsWindows: hit limits apply to the subject and the declared window
	// model is one that the oracle knows.
	needsWindows
	// needsFirstHit: windows begin with a hit, as the rule takes for granted.
	needsFirstHit
)

// judgesWindows are the needs of the rules that say how a limiter counts.
const judgesWindows = needsPace | needsWindows

// All are the rules in the order in which a report shows them, without the
// assumptions, which are no guarantee of the system under test.
func All() []Rule {
	const windowed = needsLedger | needsPace | needsWindows
	return []Rule{
		{NoOverrun, "a counter admits at most its quota in one window", windowed, judgeNoOverrun},
		{NoUnderrun, "no hit is denied while the quota cannot have been used", windowed, judgeNoUnderrun},
		{InOrder, "one at a time, a window admits its quota first and only then denies", windowed | needsOrder, judgeInOrder},
		{NoEarlyReset, "a used quota stays used for the whole window", windowed, judgeNoEarlyReset},
		{Resets, "a window ends its length after the first counted hit, whatever was denied in it", windowed, judgeResets},
		{BorderBurst, "what a window left unused and what the next one grants may come together, and no hit of it is denied", windowed | needsFirstHit, judgeBorderBurst},
		{KeepsPace, "window after window grants its quota, and no more, under steady pressure", windowed | needsFirstHit, judgeKeepsPace},
		{CountedAtOnce, "a hit is counted before it is answered", needsLedger | needsWindows | needsFirstHit, judgeCountedAtOnce},
		{OwnQuota, "everybody in a crowd has a quota of their own, and no more", needsLedger | needsWindows | needsFirstHit, judgeOwnQuota},
		{DenialsAre429, "a hit that the limiter denies is answered 429", needsLedger, judgeDenialsAre429},
		{Served, "a caller with a valid key is served or denied, never refused, and never failed by the model", needsLedger, judgeServed},
		{Reconciled, "the limiter's counters tell what the caller saw", needsLedger, judgeReconciled},
		{PrometheusAgrees, "Prometheus tells what the limiter's counters tell", needsLedger, judgePrometheusAgrees},
		{GatewayAgrees, "the gateway matched every hit, booked every denial and heard every call", needsLedger, judgeGatewayAgrees},
		{BackendAgrees, "every admitted hit reaches the model once, no other hit does", needsLedger, judgeBackendAgrees},
		{AllAdmitted, "every hit is admitted", needsLedger, judgeAllAdmitted},
		{AllRefused, "every hit is refused before the model", needsLedger, judgeAllRefused},
		{NeverFree, "nobody is served without a limit", needsLedger, judgeNeverFree},
		{Untouched, "hits that must not count move no counter of the limiter", needsLedger, judgeUntouched},
		{AnswerForm, "answers have the declared form", needsLedger, judgeAnswerForm},
		{LimitsInForce, "the limiter enforces the policy's limits, no more and no less", 0, judgeLimitsInForce},
		{AllDenied, "without quota left, every hit is denied", needsLedger | needsFirstHit, judgeAllDenied},
		{CountersTell, "/counters tells what is left of the quota in force, never more than all of it", needsLedger | needsFirstHit, judgeCountersTell},
		{WindowTold, "/counters tells the end of the window in force, also of one that nobody waits for", needsLedger | needsFirstHit, judgeWindowTold},
		{RefusalsOpenNothing, "a refused call opens no window", needsLedger | needsFirstHit, judgeRefusalsOpenNothing},
		{StoppedIsSilent, "a limiter that was told to stop decides nothing more", needsLedger, judgeStoppedIsSilent},
		{RemainingTold, "X-RateLimit-Limit and -Remaining tell which limit is scarcest and what it has left", needsLedger | needsOrder | needsWindows | needsFirstHit, judgeRemainingTold},
		{ResetTold, "X-RateLimit-Reset tells when the window ends, to a second", needsLedger | needsOrder | needsWindows | needsFirstHit, judgeResetTold},
		{ExpiryRaces, "hits that race at the end of a window rarely get one more than the quota, and never two", needsLedger | needsWindows | needsFirstHit, judgeExpiryRaces},
		{ReadyMeansServing, "a limiter that cannot serve is not called ready", 0, judgeReadyMeansServing},
		{TakesEffect, "a change is in force within its budget, and from then on for good", needsLedger, judgeTakesEffect},
		{MovedTier, "who was moved to another tier gets its quota, unused, and no longer the old one's", windowed | needsFirstHit, judgeMovedTier},
		{NoBypass, "no form of a request is a way past the limit", needsLedger, judgeNoBypass},
		{UnheardIsTold, "a hit whose limiter call fails is treated as the failure mode says, and the gateway's errors tell of each", windowed, judgeUnheardIsTold},
		{FailuresSpend, "a hit that fails behind the limiter spends its quota once, as a served one does", windowed, judgeFailuresSpend},
		{RetriesSpendOnce, "a hit that the gateway sends to the model again spends its quota once", windowed, judgeRetriesSpendOnce},
		{UndecidedUncounted, "a call that asks for nobody's limits is booked as no decision, and fails at the gateway", needsLedger, judgeUndecidedUncounted},
		{LimitsAgain, "a limiter that can be reached again limits again within a budget", needsLedger, judgeLimitsAgain},
		{CountsOn, "a counter outlives whatever keeps none", windowed, judgeCountsOn},
		{ClockSteps, "a step of the limiter's clock ends windows early at most, and takes nothing else away", windowed, judgeClockSteps},
		{Metered, "who is served was counted by the limiter", needsLedger, judgeMetered},
		{StaysKnown, "a valid key is never called invalid: whoever restarts fails its callers, and knows them again within a budget", needsLedger, judgeStaysKnown},
		{TokensSpent, "a quota of tokens that is spent serves nobody, whatever other limits stand beside it", needsLedger | needsFirstHit, judgeTokensSpent},
		{AnswersEnd, "an answer ends, and the next one on its connection comes", needsLedger, judgeAnswersEnd},
		{LimitsInTime, "a policy limits within a budget after its status says that it is enforced", needsLedger | needsFirstHit, judgeLimitsInTime},
		{ShownInTime, "a policy is in force on every limiter within a budget after it was put", 0, judgeShownInTime},
		{KeepsCounters, "an edit of a quota keeps what was counted: the difference is admitted, no more and no less", needsLedger | needsFirstHit, judgeKeepsCounters},
		{StartsAnew, "an edit of a window or a name starts its counter at 0", needsLedger | needsFirstHit, judgeStartsAnew},
		{LimitsGone, "a policy that is deleted leaves neither limits nor counters", needsLedger, judgeLimitsGone},
		{RefusalTold, "a limiter that refuses an edit says so", 0, judgeRefusalTold},
		{OneCounter, "an identity has one counter, however many limiters there are", needsLedger | needsFirstHit, judgeOneCounter},
		{UnsharedIsFound, "limiters share a counter, or are found to count each for itself, and no worse than that", needsLedger | needsFirstHit, judgeUnsharedIsFound},
		{ComesBack, "a limiter that is replaced fails nobody, limits again within a budget, and loses no more than what it had counted", needsLedger | needsFirstHit, judgeComesBack},
		{ScalingUnseen, "nobody is failed or lost while replicas come and go", needsLedger, judgeScalingUnseen},
		{WellFormed, "the limiter's metrics text is what a strict reader of its format takes", 0, judgeWellFormed},
		{NamesCallers, "every call that the limiter counts bears its caller's name", needsLedger, judgeNamesCallers},
		{NamesLimit, "limited_calls names the limit that denied, and no other", needsLedger | needsWindows, judgeNamesLimit},
		{NeverBackwards, "while a limiter lives its counters only grow, and none vanishes", needsLedger, judgeNeverBackwards},
		{CountsAcross, "what a limiter counted before and after a restart adds up to what the caller saw", needsLedger, judgeCountsAcross},
		{PrometheusAcross, "Prometheus' raw samples tell the same across a restart, nothing twice and nothing negative", needsLedger, judgePrometheusAcross},
		{EveryLimiterScraped, "Prometheus scrapes every limiter that there is", 0, judgeEveryLimiterScraped},
		{MissedScrapesDoubt, "a scrape that was missed is a doubt and never a difference, and the next one tells everything", needsLedger, judgeMissedScrapesDoubt},
		{FirstCallsTold, "Prometheus' raw samples tell a caller's first calls, which increase() need not", needsLedger, judgeFirstCallsTold},
		{Overshoot, "however many callers fire side by side, no more hits get past the quota than are declared", windowed, judgeOvershoot},
		{CountedAtStart, "a hit is counted when it comes, not when its answer ends", needsLedger | needsWindows, judgeCountedAtStart},
		{AbortsCounted, "a hit that its caller gives up is no way past the quota", needsLedger | needsWindows, judgeAbortsCounted},
		{ResetKept, "who comes back before the end that X-RateLimit-Reset told is denied, who comes after it is admitted", needsLedger | needsWindows, judgeResetKept},
		{RetryAfterHonest, "a denial that tells when to come back does not tell of a time when it is denied again", needsLedger | needsWindows, judgeRetryAfterHonest},
		{SpoofIgnored, "rate-limit headers that a client sends are not sent back", needsLedger, judgeSpoofIgnored},
		{OneIdentity, "a hit with two keys is refused, or counted once, on the first", needsLedger, judgeOneIdentity},
		{DenialsSpend, "a hit that one limit denies spends nothing of another that is asked for in the same call", needsLedger | needsWindows, judgeDenialsSpend},
		{EachBinds, "each of several limits binds", windowed, judgeEachBinds},
		{OnlyMatching, "a limit counts the hits that it matches, and no other", needsLedger | needsWindows, judgeOnlyMatching},
		{KeysCostNothing, "the authorizer answers as soon with many keys as with few", 0, judgeKeysCostNothing},
		{HeardAtAnySize, "the limiter hears every hit, however many limits it has", needsLedger, judgeHeardAtAnySize},
		{AsModelled, "hit by hit, what is decided is what a reference model of the policy decides", needsLedger | needsOrder | needsFirstHit, judgeAsModelled},
		{SeriesBounded, "the limiter's metrics text grows by one series a family for each caller, and stays fast to read", needsLedger, judgeSeriesBounded},
	}
}

// Judge judges the rule alone, with the assumptions that it needs.
func (r Rule) Judge(q Question, entries []evidence.Entry) reports.Finding {
	t := newTrial(q, entries)
	return t.apply(r)
}

// Judge judges the assumptions and then every rule that the question names, in
// the question's order. Entries are all entries of the ledger in the order of
// the file. An unknown rule, or no rule at all, is an inconclusive finding.
func Judge(q Question, entries []evidence.Entry) []reports.Finding {
	t := newTrial(q, entries)
	findings := []reports.Finding{t.assumptionsFinding()}
	rules := make(map[string]Rule)
	for _, r := range All() {
		rules[r.Name] = r
	}
	for _, name := range q.Rules {
		if name == Assumptions {
			continue
		}
		rule, ok := rules[name]
		if !ok {
			rule = Rule{Name: name, judge: func(*trial) reports.Finding {
				return doubt("rule %q is unknown: this build of the oracle cannot judge it", name)
			}}
		}
		findings = append(findings, t.apply(rule))
	}
	if len(findings) == 1 {
		findings = append(findings, t.apply(Rule{Name: "no-rule", judge: func(*trial) reports.Finding {
			return doubt("the question names no rule, so nothing was judged")
		}}))
	}
	return findings
}

// apply judges one rule on a trial and fills in what every finding says.
func (t *trial) apply(r Rule) reports.Finding {
	f := t.opinion(r)
	f.Rule, f.Guarantee = r.Name, r.Guarantee
	f.Remedy = t.remedy(f)
	f.Subject = t.subjectName()
	f.Evidence.Ledger = t.q.Ledger
	return f
}

// opinion is the rule's verdict after what the rule needs was checked.
func (t *trial) opinion(r Rule) reports.Finding {
	if reason := t.unmet(r.needs); reason != "" {
		return doubt("%s", reason)
	}
	f := r.judge(t)
	if why := t.blamesSlowness(f); why != "" {
		return doubtful(f, why)
	}
	if f.Verdict == reports.Fail && r.needs&judgesWindows == judgesWindows && (f.Component == reports.Limiter || f.Component == reports.Unattributed) {
		f.Reason += t.otherModels()
	}
	if f.Verdict == reports.Pass && r.needs&needsPace != 0 && t.assumed.pace != "" {
		f.Verdict, f.Reason = reports.Inconclusive, t.assumed.pace
	}
	return f
}
