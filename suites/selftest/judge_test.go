package selftest_test

import (
	"strings"
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/selftest"
)

func fault(name string, blame reports.Component, rules ...string) selftest.Fault {
	return selftest.Fault{Name: name, Concern: catalogue.Concern{Blame: blame, Rules: rules}}
}

func failed(rule string, component reports.Component) reports.Finding {
	return reports.Finding{Rule: rule, Verdict: reports.Fail, Component: component, Reason: rule + " was broken"}
}

func ran(cases ...reports.Case) selftest.Run {
	return selftest.Run{Record: &reports.Record{Cases: cases}, Again: "floodgate run", Evidence: "out/x"}
}

func TestAFaultIsKilledOnlyByWhatConcernsIt(t *testing.T) {
	high := fault("limitador:high", reports.Limiter, "no-overrun", "in-order")
	red := func(findings ...reports.Finding) reports.Case {
		return reports.Case{ID: "B01", Verdict: reports.Fail, Findings: findings}
	}
	doubtful := failed("no-overrun", reports.Limiter)
	doubtful.Verdict = reports.Inconclusive
	void := red(failed("no-overrun", reports.Limiter))
	void.Void = true
	for name, test := range map[string]struct {
		run                selftest.Run
		killed, attributed bool
		reason             string
	}{
		"by its rule": {ran(red(failed("no-overrun", reports.Limiter))), true, true, ""},
		"by another rule": {
			ran(red(failed("served", reports.Limiter))), false, false, "other rules failed: served in B01",
		},
		"a doubt": {
			ran(reports.Case{ID: "B01", Verdict: reports.Inconclusive, Findings: []reports.Finding{doubtful}}), false, false, "1 more came to no verdict",
		},
		"under a component's death": {ran(void), false, false, "no rule that concerns it failed"},
		"a case whose verdict is not its finding's": {
			ran(reports.Case{ID: "B01", Verdict: reports.Inconclusive, Findings: []reports.Finding{failed("no-overrun", reports.Limiter)}}),
			false, false, "no rule that concerns it failed",
		},
		"nothing ran":     {ran(), false, false, "failed in 0 cases"},
		"no record":       {selftest.Run{Problem: "exit status 4"}, false, false, "exit status 4"},
		"cut off":         {selftest.Run{Record: ran(red(failed("no-overrun", reports.Limiter))).Record, Problem: "it hung"}, false, false, "it hung"},
		"blamed on other": {ran(red(failed("no-overrun", reports.Gateway))), true, false, "1 of its findings blame gateway, 0 blame limiter"},
		"blamed on nobody": {
			ran(red(failed("no-overrun", reports.Unattributed))), true, false, "no finding names a component",
		},
		"blamed on nobody and on it": {
			ran(red(failed("no-overrun", reports.Unattributed), failed("no-overrun", reports.Unattributed), failed("in-order", reports.Limiter))), true, true, "",
		},
		"as often on another": {
			ran(red(failed("no-overrun", reports.Limiter), failed("in-order", reports.Gateway))), true, false, "1 of its findings blame gateway, 1 blame limiter",
		},
		"more often on it": {
			ran(red(failed("no-overrun", reports.Limiter), failed("no-overrun", reports.Limiter), failed("in-order", reports.Gateway))), true, true, "",
		},
		"what does not concern it blames another": {
			ran(red(failed("no-overrun", reports.Limiter), failed("served", reports.Gateway), failed("served", reports.Gateway))), true, true, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			trial := selftest.TrialOf([]selftest.Fault{high}, test.run)
			if trial.Killed != test.killed || trial.Attributed != test.attributed || !strings.Contains(trial.Reason, test.reason) || (test.reason == "") != (trial.Reason == "") {
				t.Errorf("killed %v, attributed %v, %q; want %v, %v, %q", trial.Killed, trial.Attributed, trial.Reason, test.killed, test.attributed, test.reason)
			}
		})
	}
}

func TestAPairIsKilledByEither(t *testing.T) {
	pair := []selftest.Fault{fault("limitador:high", reports.Limiter, "no-overrun"), fault("gateway:twice", reports.Gateway, "backend-agrees")}
	for rule, component := range map[string]reports.Component{"no-overrun": reports.Limiter, "backend-agrees": reports.Gateway} {
		trial := selftest.TrialOf(pair, ran(reports.Case{ID: "B01", Verdict: reports.Fail, Findings: []reports.Finding{failed(rule, component)}}))
		if !trial.Killed || !trial.Attributed || trial.Faults[0].Found == trial.Faults[1].Found {
			t.Errorf("%s: %+v", rule, trial)
		}
	}
	if trial := selftest.TrialOf(pair, ran(reports.Case{ID: "B01", Verdict: reports.Fail, Findings: []reports.Finding{failed("served", reports.Model)}})); trial.Killed {
		t.Error("killed by what concerns neither")
	}
}

func TestEveryFailedFindingOnACorrectSystemIsAnAlarm(t *testing.T) {
	variant := selftest.Variant{Name: "slow", About: "slow"}
	result := selftest.VariantOf(variant, ran(
		reports.Case{ID: "B01", Verdict: reports.Pass},
		reports.Case{ID: "B02", Verdict: reports.Inconclusive, Doubt: "cut off", Findings: []reports.Finding{failed("no-overrun", reports.Limiter)}},
		reports.Case{ID: "B03", Verdict: reports.NotJudged},
	))
	if len(result.Alarms) != 1 || !strings.Contains(result.Alarms[0], "B02 no-overrun") || result.Judged != 1 || result.Doubts != 1 {
		t.Errorf("%+v", result)
	}
	if result := selftest.VariantOf(variant, selftest.Run{Problem: "exit status 4"}); result.Reason == "" || result.Judged != 0 || result.Opinion() != reports.Inconclusive {
		t.Errorf("a run that left nothing: %+v", result)
	}
}
