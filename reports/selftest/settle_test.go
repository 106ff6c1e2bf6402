package selftest_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/internal/golden"
	"github.com/floodgate-dev/floodgate/reports/selftest"
)

// sound is a report of faults that are all killed and attributed, and of a
// correct system that is left alone.
func sound(faults int) *selftest.Report {
	r := &selftest.Report{Correct: []selftest.Variant{{Name: "slow", Judged: 21}}}
	for range faults {
		r.Single = append(r.Single, selftest.Trial{Faults: []selftest.Fault{{Name: "limitador:x", Found: true}}, Killed: true, Attributed: true})
	}
	return r
}

func TestVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		edit   func(*selftest.Report)
		want   reports.Verdict
		reason string
	}{
		"all is well": {func(*selftest.Report) {}, reports.Pass, ""},
		"a survivor": {
			func(r *selftest.Report) { r.Single[3].Killed, r.Single[3].Reason = false, "nothing failed" },
			reports.Fail, "limitador:x survived: nothing failed",
		},
		"a survivor of two": {
			func(r *selftest.Report) {
				r.Combined = []selftest.Trial{{Faults: []selftest.Fault{{Name: "a:b"}, {Name: "c:d"}}}}
			},
			reports.Fail, "a:b + c:d survived",
		},
		"1 of 20 is misblamed": {func(r *selftest.Report) { r.Single[0].Attributed = false }, reports.Pass, ""},
		"2 of 20 are misblamed": {
			func(r *selftest.Report) { r.Single[0].Attributed, r.Single[1].Attributed = false, false }, reports.Fail, "18 of 20 faults",
		},
		"an alarm": {func(r *selftest.Report) { r.Correct[0].Alarms = []string{"B01 no-overrun: x"} }, reports.Fail, "slow was accused: B01"},
		"a correct system without a verdict": {
			func(r *selftest.Report) { r.Correct[0].Judged, r.Correct[0].Reason = 0, "exit status 4" },
			reports.Inconclusive, "slow came to no verdict: exit status 4",
		},
		"nothing tried": {func(r *selftest.Report) { *r = selftest.Report{} }, reports.Inconclusive, "nothing was tried"},
	} {
		t.Run(name, func(t *testing.T) {
			r := sound(20)
			test.edit(r)
			r.Settle([]string{"no-overrun"})
			if r.Verdict != test.want || !strings.Contains(strings.Join(r.Reasons, "\n"), test.reason) || (test.reason == "") != (len(r.Reasons) == 0) {
				t.Errorf("%s, %q; want %s, %q", r.Verdict, r.Reasons, test.want, test.reason)
			}
			r.Interrupt()
			if r.Verdict == reports.Pass {
				t.Error("what was interrupted passes")
			}
		})
	}
}

func TestWhatWouldBeMissedWithoutARule(t *testing.T) {
	r := golden.SelfTest()
	want := []selftest.Rule{
		{Name: "assumptions"},
		{Name: "no-overrun", Kills: 1, Only: []string{"limitador:off-by-one-high"}},
		{Name: "in-order"},
		{Name: "answer-form", Kills: 1, Only: []string{"gateway:drops-denial-body"}},
		{Name: "served"},
	}
	if diff := cmp.Diff(want, r.Rules); diff != "" {
		t.Error(diff)
	}
}

func TestTheNumbersOfAScript(t *testing.T) {
	path := filepath.Join(t.TempDir(), "selftest.json")
	r := golden.SelfTest()
	if err := selftest.Write(path, r); err != nil {
		t.Fatal(err)
	}
	back, err := selftest.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("what is read is not what was written: %s", diff)
	}
	content, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var numbers map[string]any
	if err := json.Unmarshal(content, &numbers); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"faults": 3., "killed": 2., "attributed": 1., "variants": 3., "alarms": 1., "pairs": 1., "pairsKilled": 1., "pairsBoth": 1.,
		"judged": 41., "doubts": 1., "verdict": "fail", "apiVersion": selftest.APIVersion,
	} {
		if numbers[name] != want {
			t.Errorf("%s is %v, want %v", name, numbers[name], want)
		}
	}
}

func TestAnotherSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "selftest.json")
	r := golden.SelfTest()
	r.APIVersion = "floodgate.selftest/v9"
	if err := selftest.Write(path, r); err != nil {
		t.Fatal(err)
	}
	if _, err := selftest.Load(path); err == nil || !strings.Contains(err.Error(), "v9") {
		t.Errorf("error %v", err)
	}
}
