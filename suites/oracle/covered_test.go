package oracle

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// heldElsewhere names, for each rule that TestCorrectLimiterIsNeverAccused does
// not judge, the property test that does; or, after "no: ", why random sound
// ledgers would say nothing about it.
var heldElsewhere = map[string]string{
	KeepsCounters:    "TestEditsOfASoundLimiterAreNeverAccused",
	StartsAnew:       "TestEditsOfASoundLimiterAreNeverAccused",
	LimitsInTime:     "TestAPolicyInTimeIsNeverAccused",
	ComesBack:        "TestALimiterThatComesBackIsNeverAccused",
	CountsAcross:     "TestReadingsOfASoundLimiterAreNeverAccused",
	NeverBackwards:   "TestReadingsOfASoundLimiterAreNeverAccused",
	PrometheusAcross: "TestReadingsOfASoundLimiterAreNeverAccused",
	NamesCallers:     "TestReadingsOfASoundLimiterAreNeverAccused",
	RetriesSpendOnce: "TestRetriesOfASoundSystemAreNeverAccused",
	BorderBurst:      "TestAimedRulesNeverAccuse",
	KeepsPace:        "TestAimedRulesNeverAccuse",
	CountedAtOnce:    "TestAimedRulesNeverAccuse",
	OwnQuota:         "TestAimedRulesNeverAccuse",
	EachBinds:        "TestCorrectLimiterIsNeverAccused", // as judgedToo
	Overshoot:        "TestCorrectLimiterIsNeverAccused",
	CountedAtStart:   "TestCorrectLimiterIsNeverAccused",
	AbortsCounted:    "TestCorrectLimiterIsNeverAccused",
	OneCounter:       "TestReplicasAreToldApart",
	WindowTold:       "TestToldWindowsOfACorrectLimiterAreNeverAccused",
	UnsharedIsFound:  "TestReplicasAreToldApart",

	AsModelled: "TestTheReferenceModelNeverAccusesACorrectLimiter",

	AllAdmitted:         "no: what a caller without a limit gets, hit by hit; no placement of decisions to get wrong",
	AllRefused:          "no: what a caller whom authentication stops gets, hit by hit",
	AllDenied:           "no: asked only where nothing is left; judged hit by hit",
	AnswerForm:          "no: status, headers and body of each answer",
	Untouched:           "no: compares counters, and the hits are refused before the limiter",
	LimitsInForce:       "no: compares /limits with the policy; judges no ledger",
	ReadyMeansServing:   "no: judges what a limiter showed at its start; no ledger",
	ShownInTime:         "no: judges when /limits showed a policy; no ledger",
	CountersTell:        "no: compares /counters with one ledger's sums",
	RefusalsOpenNothing: "no: a correct limiter of version 2 does open windows by refused calls",
	StoppedIsSilent:     "no: asked only of a limiter that was told to stop",
	RemainingTold:       "no: needs answers that were kept; judged answer by answer where the window is certain",
	ResetTold:           "no: needs answers that were kept; judged answer by answer where the window is certain",
	TakesEffect:         "no: needs a change with a budget; judged on sent and received beside it",
	MovedTier:           "no: NoOverrun and NoUnderrun after a change of the limits, both of which are held",
	NoBypass:            "no: judges each spelling by whether it was served",
	StaysKnown:          "no: needs a restart; judged hit by hit",
	LimitsAgain:         "no: needs a limiter that was out of reach; judged hit by hit beside a budget",
	ClockSteps:          "no: needs a step of the limiter's clock; judged hit by hit on either side of it",
	TokensSpent:         "no: needs answers that tell their tokens",
	WellFormed:          "no: judges the text of /metrics; no ledger",
	NamesLimit:          "no: compares names in limited_calls with the policy's; no placement of decisions to get wrong",
	EveryLimiterScraped: "no: compares lists of limiters; no ledger",
	MissedScrapesDoubt:  "no: needs scrapes that Prometheus missed; judges readings of books",
	FirstCallsTold:      "no: needs Prometheus' raw samples of first calls; judges readings of books",
	ResetKept:           "no: needs answers that were kept and tell of an end; judged on sent and received beside it",
	RetryAfterHonest:    "no: needs answers that were kept; judged answer by answer where the window is certain",
	SpoofIgnored:        "no: headers of each answer",
	OneIdentity:         "no: compares counters with the number of hits",
	DenialsSpend:        "no: compares /counters with one ledger's sums",
	OnlyMatching:        "no: counts within one window, hit by hit",
	UndecidedUncounted:  "no: compares counters, and the calls ask for no limit",
	KeysCostNothing:     "TestKeysThatCostNothingAreNeverAccused",
	SeriesBounded:       "no: compares numbers of series with the number of callers",
	HeardAtAnySize:      "no: compares counters with the number of hits",
	RefusalTold:         "no: judged answer by answer",
	LimitsGone:          "no: needs a policy that is deleted with a budget; judged on sent and received beside it",
	ScalingUnseen:       "no: needs replicas that come and go; a hit failed or lost is one",
}

// TestEveryRuleIsHeldToSoundness fails where a rule is added that nobody holds to
// random sound ledgers, and where a reason or a test is named in vain. A new rule
// that judges placements in time belongs into judgedOnCorrect, or gets a property
// test of its own that is named here.
func TestEveryRuleIsHeldToSoundness(t *testing.T) {
	tests := testsOfThisPackage(t)
	known := map[string]bool{}
	for _, r := range All() {
		known[r.Name] = true
		where, elsewhere := heldElsewhere[r.Name]
		switch held := slices.Contains(neverAccused, r.Name); {
		case held && elsewhere:
			t.Errorf("%s stands in neverAccused and in heldElsewhere", r.Name)
		case held:
		case !elsewhere:
			t.Errorf("%s is held to no random sound ledgers: add it to judgedOnCorrect, or say in heldElsewhere which test holds it, or why none can", r.Name)
		case strings.HasPrefix(where, "no: ") && len(where) > len("no: "):
		case !tests[where]:
			t.Errorf("%s: there is no test %s", r.Name, where)
		}
	}
	for name := range heldElsewhere {
		if !known[name] {
			t.Errorf("heldElsewhere names the rule %q, which is none", name)
		}
	}
}

func testsOfThisPackage(t *testing.T) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}
