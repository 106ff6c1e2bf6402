package golden

import (
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/selftest"
)

// SelfTest is a small self-test with one of everything. Its texts are hostile.
func SelfTest() *selftest.Report {
	fault := func(name string, blame reports.Component, found bool, rules ...string) selftest.Fault {
		return selftest.Fault{Name: name, About: "every limit admits one <b>more</b>", Blame: blame, Rules: rules, Found: found}
	}
	kill := func(rule string, concerns bool, blamed map[reports.Component]int, cases ...string) selftest.Kill {
		return selftest.Kill{Rule: rule, Cases: cases, Blamed: blamed, Concerns: concerns}
	}
	high := fault("limitador:off-by-one-high", reports.Limiter, true, "no-overrun", "in-order")
	body := fault("gateway:drops-denial-body", reports.Gateway, true, "answer-form")
	r := &selftest.Report{
		Version: "v1 <script>\u202e", Seed: 41, Began: time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC), Duration: 312 * time.Second,
		Single: []selftest.Trial{
			{
				Faults: []selftest.Fault{high}, Killed: true, Attributed: true, Again: "floodgate run --fault limitador:off-by-one-high", Cases: 21,
				Kills: []selftest.Kill{
					kill("no-overrun", true, map[reports.Component]int{reports.Limiter: 14}, "B01", "B02"),
					kill("answer-form", false, map[reports.Component]int{"": 1}, "H06"),
				},
			},
			{
				Faults: []selftest.Fault{body}, Killed: true, Again: "floodgate run --fault gateway:drops-denial-body", Cases: 21,
				Reason: "no finding names a component, want gateway",
				Kills:  []selftest.Kill{kill("answer-form", true, map[reports.Component]int{"": 1}, "H06")},
			},
			{
				Faults: []selftest.Fault{fault("authorino:late", reports.Authorizer, false, "served")}, Again: "floodgate run --fault authorino:late", Doubts: 21,
				Reason: "no rule that concerns it failed in 0 cases, 21 more came to no verdict \x1b[31m<i>", Kills: []selftest.Kill{}, Evidence: "out/selftest/authorino-late",
			},
		},
		Combined: []selftest.Trial{{
			Faults: []selftest.Fault{high, body}, Killed: true, Attributed: true, Again: "floodgate run --fault …", Cases: 21,
			Kills: []selftest.Kill{
				kill("no-overrun", true, map[reports.Component]int{reports.Limiter: 14}, "B01", "B02"),
				kill("answer-form", true, map[reports.Component]int{"": 1}, "H06"),
			},
		}},
		Correct: []selftest.Variant{
			{Name: "as-recorded", About: "as recorded", Verdict: reports.Pass, Judged: 21, Alarms: []string{}, Took: 12 * time.Second},
			{Name: "loaded", About: "every core is kept busy", Verdict: reports.Fail, Judged: 20, Doubts: 1, Alarms: []string{"B01 no-overrun: admitted 3 of 2 <hits>"}},
			{Name: "processes", About: "processes of their own", Alarms: []string{}, Reason: "the run did not come to its end: exit status 4"},
		},
	}
	r.Untried = []string{"limitador:cost-per-limit: it takes hundreds of <limits>"}
	r.Settle([]string{"assumptions", "no-overrun", "in-order", "answer-form", "served"})
	return r
}
