package oracle

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// reading is a snapshot of one process' book of alice, and of Prometheus' of it.
func reading(process string, authorized, limited int64) evidence.Snapshot {
	calls := evidence.Calls{Authorized: authorized, Limited: limited, Hits: authorized}
	book := func() *evidence.LimiterBook {
		return &evidence.LimiterBook{Users: map[string]evidence.Calls{"alice": calls}, Total: calls, Instances: []string{process}}
	}
	return evidence.Snapshot{Limiter: book(), Prometheus: book()}
}

// twoLives are a caller's hits around a restart: 2 admitted and 1 denied in each
// of two processes.
func twoLives(t *testing.T) (Question, []evidence.Entry) {
	t.Helper()
	entries := ledger(t, "A84+1", "A86+1", "D88+1", "A184+1", "A186+1", "D188+1")
	q := question(entries, limitOf(2, 10*sec))
	q.Readings = []evidence.Snapshot{
		reading("limiter@1", 0, 0), reading("limiter@1", 2, 1), reading("limiter@1", 2, 1),
		reading("limiter@2", 2, 1), reading("limiter@2", 2, 1),
	}
	return q, entries
}

func TestReadingsOverARestart(t *testing.T) {
	for name, c := range map[string]struct {
		rule string
		edit func(*Question)
		want want
	}{
		"the sum is the caller's": {CountsAcross, func(*Question) {}, want{verdict: reports.Pass, reason: "authorized_calls +4 and limited_calls +2"}},
		"nobody was labelled before": {
			CountsAcross, func(q *Question) {
				q.Readings[0].Limiter.Users, q.Readings[0].Limiter.Total.Authorized = nil, 1
			}, want{verdict: reports.Pass, reason: "authorized_calls +4"},
		},
		"a call is counted twice": {
			CountsAcross, func(q *Question) { q.Readings[4] = reading("limiter@2", 3, 1) },
			want{verdict: reports.Fail, component: reports.Limiter, reason: "over all processes, authorized_calls +5"},
		},
		"a denial is lost": {
			CountsAcross, func(q *Question) { q.Readings[4] = reading("limiter@2", 2, 0) },
			want{verdict: reports.Fail, component: reports.Limiter, reason: "limited_calls +1"},
		},
		"no restart":                          {CountsAcross, func(q *Question) { q.Readings = q.Readings[:3] }, want{reason: "no restart was seen"}},
		"one reading":                         {CountsAcross, func(q *Question) { q.Readings = q.Readings[:1] }, want{reason: "no readings"}},
		"unread":                              {CountsAcross, func(q *Question) { q.Readings[1] = evidence.Snapshot{Missing: map[string]string{"limiter": "refused"}} }, want{reason: "refused"}},
		"nobody's name":                       {CountsAcross, nobody, want{reason: "tells no user apart"}},
		"nobody's name, and no call at first": {CountsAcross, nobodyYet, want{reason: "tells no user apart"}},

		"counters grow": {NeverBackwards, func(*Question) {}, want{verdict: reports.Pass}},
		"counters shrink": {
			NeverBackwards, func(q *Question) {
				q.Readings = []evidence.Snapshot{reading("limiter@1", 2, 1), reading("limiter@1", 1, 0), reading("limiter@1", 1, 0)}
			}, want{verdict: reports.Fail, component: reports.Limiter, reason: "without a restart"},
		},
		"a series vanishes": {
			NeverBackwards, func(q *Question) {
				for i := range 2 {
					gone := reading("limiter@2", 2, 1)
					gone.Limiter.Users = map[string]evidence.Calls{}
					q.Readings[3+i] = gone
				}
				q.Readings = append(q.Readings[:3:3], reading("limiter@2", 2, 1), q.Readings[3], q.Readings[4])
			}, want{verdict: reports.Fail, component: reports.Limiter, reason: `"alice"`},
		},
		"the last reading shrinks": {
			NeverBackwards, func(q *Question) { q.Readings[4] = reading("limiter@2", 1, 1) },
			want{reason: "no later reading tells"},
		},
		"another process after it": {
			NeverBackwards, func(q *Question) {
				q.Readings = []evidence.Snapshot{reading("limiter@1", 2, 1), reading("limiter@1", 0, 0), reading("limiter@2", 0, 0)}
			}, want{reason: "no later reading tells"},
		},
		"never twice": {
			NeverBackwards, func(q *Question) {
				q.Readings = []evidence.Snapshot{reading("limiter@1", 2, 1), reading("limiter@2", 0, 0)}
			}, want{reason: "no process was read twice"},
		},

		"Prometheus agrees": {PrometheusAcross, func(*Question) {}, want{verdict: reports.Pass}},
		"Prometheus adds the second life to the first": {
			PrometheusAcross, func(q *Question) { q.Readings[4].Prometheus = reading("limiter@2", 4, 2).Prometheus },
			want{verdict: reports.Fail, component: reports.Prometheus, reason: "+6, limited_calls +3 where the limiter's own text shows +4, +2"},
		},
		"Prometheus was not read": {
			PrometheusAcross, func(q *Question) {
				q.Readings[4].Prometheus, q.Readings[4].Missing = nil, map[string]string{"prometheus": "no scrape"}
			}, want{reason: "no scrape"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			q, entries := twoLives(t)
			c.edit(&q)
			c.want.check(t, ruleNamed(t, c.rule).Judge(q, entries))
		})
	}
}

// nobody takes the names off every reading.
func nobody(q *Question) {
	for i := range q.Readings {
		q.Readings[i].Limiter.Users = nil
	}
}

// nobodyYet is nobody with a first reading from before the first call.
func nobodyYet(q *Question) {
	nobody(q)
	q.Readings[0].Limiter.Users, q.Readings[0].Limiter.Total = map[string]evidence.Calls{}, evidence.Calls{}
}

func TestNamesInTheMetrics(t *testing.T) {
	refusals := func(q *Question, before, after map[string]int64) {
		q.Before.Limiter.Refusals = map[string]map[string]int64{"alice": before}
		q.After.Limiter.Refusals = map[string]map[string]int64{"alice": after}
	}
	for name, c := range map[string]struct {
		rule string
		edit func(*Question)
		want want
	}{
		"every call has a name": {NamesCallers, func(*Question) {}, want{verdict: reports.Pass}},
		"a call has none": {
			NamesCallers, func(q *Question) { q.After.Limiter.Unlabelled.Authorized = 1 },
			want{verdict: reports.Fail, component: reports.Limiter, reason: "booked 1 call on nobody"},
		},
		"a call has none, of whom is not known": {
			NamesCallers, func(q *Question) { q.Alone, q.After.Limiter.Unlabelled.Authorized = false, 1 },
			want{reason: "others ran beside"},
		},
		"no call has one": {
			NamesCallers, func(q *Question) { q.After.Limiter.Users, q.Before.Limiter.Users = nil, nil }, want{reason: "name no caller"},
		},
		"nothing was counted": {
			NamesCallers, func(q *Question) { q.After.Limiter.Users = map[string]evidence.Calls{"bob": {Authorized: 1}} },
			want{reason: "no label was seen"},
		},

		"the limit that denied": {NamesLimit, func(q *Question) { refusals(q, map[string]int64{"a-limit": 4}, map[string]int64{"a-limit": 5}) }, want{verdict: reports.Pass}},
		"another limit": {
			NamesLimit, func(q *Question) { refusals(q, nil, map[string]int64{"another": 1}) },
			want{verdict: reports.Fail, component: reports.Limiter, reason: `name the limit "another"`},
		},
		"no limit": {
			NamesLimit, func(q *Question) { refusals(q, nil, map[string]int64{"": 1}) },
			want{verdict: reports.Fail, component: reports.Limiter, reason: "without the name"},
		},
		"too few": {
			NamesLimit, func(q *Question) { refusals(q, nil, map[string]int64{}) },
			want{verdict: reports.Fail, component: reports.Limiter, reason: "0 times for 1 denial"},
		},
		"no names at all": {NamesLimit, func(*Question) {}, want{reason: "name no limit"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A84+1", "A86+1", "D88+1")
			limit := limitOf(2, 10*sec)
			limit.Name = "a-limit"
			q := question(entries, limit)
			c.edit(&q)
			c.want.check(t, ruleNamed(t, c.rule).Judge(q, entries))
		})
	}
}

func TestFormAndTargets(t *testing.T) {
	help := evidence.PageDefect{Kind: evidence.HelpMissing, Line: 3, Family: "authorized_hits", Says: "no HELP"}
	twice := evidence.PageDefect{Kind: "series-repeated", Line: 9, Family: "limited_calls", Says: "the series of line 8 again"}
	scraped, absent := evidence.LimiterTarget{Instance: "a:1", Target: true}, evidence.LimiterTarget{Instance: "b:1"}
	missed := evidence.LimiterTarget{Instance: "b:1", Target: true, Down: "down: connection refused"}
	for name, c := range map[string]struct {
		rule string
		q    Question
		want want
	}{
		"sound":          {WellFormed, Question{Page: &evidence.Page{Families: 2, Samples: 5}}, want{verdict: reports.Pass}},
		"HELP is absent": {WellFormed, Question{Page: &evidence.Page{Samples: 5, Defects: []evidence.PageDefect{help}}}, want{verdict: reports.Fail, component: reports.Limiter, reason: "without HELP"}},
		"as declared": {
			WellFormed,
			Question{Declared: []string{"help-missing"}, Page: &evidence.Page{Samples: 5, Defects: []evidence.PageDefect{help}}},
			want{verdict: reports.Pass, reason: "as declared"},
		},
		"broken, whatever is declared": {
			WellFormed,
			Question{Declared: []string{"help-missing"}, Page: &evidence.Page{Samples: 5, Defects: []evidence.PageDefect{help, twice}}},
			want{verdict: reports.Fail, component: reports.Limiter, reason: "series-repeated in line 9"},
		},
		"nothing on it":    {WellFormed, Question{Page: &evidence.Page{}}, want{reason: "no samples"}},
		"not read":         {WellFormed, Question{Page: &evidence.Page{Missing: "refused"}}, want{reason: "refused"}},
		"not asked":        {WellFormed, Question{}, want{reason: "which page"}},
		"all scraped":      {EveryLimiterScraped, Question{Targets: &evidence.Targets{Limiters: []evidence.LimiterTarget{scraped}}}, want{verdict: reports.Pass}},
		"one is no target": {EveryLimiterScraped, Question{Targets: &evidence.Targets{Limiters: []evidence.LimiterTarget{scraped, absent}}}, want{verdict: reports.Fail, component: reports.Prometheus, reason: "1 of 2 limiters are no target of Prometheus: b:1"}},
		"one was missed":   {EveryLimiterScraped, Question{Targets: &evidence.Targets{Limiters: []evidence.LimiterTarget{scraped, missed}}}, want{reason: "connection refused"}},
		"nobody was asked": {EveryLimiterScraped, Question{}, want{reason: "what Prometheus scrapes"}},
		"no answer":        {EveryLimiterScraped, Question{Targets: &evidence.Targets{Missing: "refused"}}, want{reason: "refused"}},
		"no limiters":      {EveryLimiterScraped, Question{Targets: &evidence.Targets{}}, want{reason: "which limiters"}},
	} {
		t.Run(name, func(t *testing.T) { c.want.check(t, ruleNamed(t, c.rule).Judge(c.q, nil)) })
	}
}

func TestALabelThatTheScrapeLostIsPrometheus(t *testing.T) {
	entries := ledger(t, "A84+1", "A86+1", "D88+1")
	for name, c := range map[string]struct {
		edit func(*Question, []evidence.Entry)
		want want
	}{
		"the label is lost": {func(*Question, []evidence.Entry) {}, want{verdict: reports.Fail, component: reports.Prometheus, reason: "name no caller"}},
		"the sample is too old": {
			func(q *Question, _ []evidence.Entry) { q.After.Prometheus.Scraped = q.Before.At }, want{reason: "before the last hit was over"},
		},
		"a hit was lost": {
			func(_ *Question, entries []evidence.Entry) { entries[2].Outcome = evidence.Lost },
			want{verdict: reports.Fail, component: reports.Prometheus, reason: "name no caller"},
		},
		"no caller ever had one, and no sample was kept": {
			func(q *Question, entries []evidence.Entry) {
				entries[0].Identity = "premium/bob"
				noUsers(q)
				q.Before.Prometheus.Users, q.After.Prometheus.Users = map[string]evidence.Calls{}, map[string]evidence.Calls{}
				q.After.Prometheus.Total = evidence.Calls{}
			}, want{verdict: reports.Fail, component: reports.Prometheus, reason: "shows authorized_calls +0, limited_calls +0"},
		},
		"all hits were lost": {
			func(q *Question, entries []evidence.Entry) {
				for i := range entries {
					entries[i].Outcome = evidence.Lost
				}
				q.Alone = false
			}, want{reason: "do"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			own := ledger(t, "A84+1", "A86+1", "D88+1")
			q := question(entries, limitOf(2, 10*sec))
			q.After.Prometheus.Users, q.Before.Prometheus.Users = nil, nil
			c.edit(&q, own)
			c.want.check(t, ruleNamed(t, PrometheusAgrees).Judge(q, own))
		})
	}
}

// TestReadingsOfASoundLimiterAreNeverAccused draws the lives of a limiter's
// processes, with hits that were lost, counted or not, and readings anywhere
// between the hits.
func TestReadingsOfASoundLimiterAreNeverAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hits []string
		now := 10
		calls := evidence.Calls{}
		process := 1
		// A stack finds its limiter ready by calls that bear nobody's name.
		probes := rapid.Int64Range(0, 1).Draw(t, "probes")
		read := func() evidence.Snapshot {
			r := reading(fmt.Sprintf("limiter@%d", process), calls.Authorized, calls.Limited)
			for _, book := range []*evidence.LimiterBook{r.Limiter, r.Prometheus} {
				book.Total.Authorized += probes
				switch {
				case calls == (evidence.Calls{}) && probes == 0:
					book.Users = map[string]evidence.Calls{}
				case calls == (evidence.Calls{}):
					book.Users = nil
				}
			}
			return r
		}
		readings := []evidence.Snapshot{read()}
		for range rapid.IntRange(1, 3).Draw(t, "lives") {
			for range rapid.IntRange(0, 6).Draw(t, "hits") {
				kind := rapid.SampledFrom([]string{"A", "A", "D", "L", "R"}).Draw(t, "outcome")
				counted := kind != "R" && (kind != "L" || rapid.Bool().Draw(t, "counted"))
				switch {
				case counted && (kind == "D" || kind == "L" && rapid.Bool().Draw(t, "denied")):
					calls.Limited++
				case counted:
					calls.Authorized++
					calls.Hits++
				}
				hits = append(hits, fmt.Sprintf("%s%d+1", kind, now))
				now += 2
				if rapid.Bool().Draw(t, "read between") {
					readings = append(readings, read())
				}
			}
			readings = append(readings, read(), read())
			process++
			calls = evidence.Calls{}
		}
		if len(hits) == 0 {
			return
		}
		entries, err := parseLedger(hits)
		if err != nil {
			t.Fatal(err)
		}
		q := question(entries, limitOf(2, 10*sec))
		q.Readings, q.Alone = readings, rapid.Bool().Draw(t, "alone")
		for _, rule := range All() {
			switch rule.Name {
			case CountsAcross, NeverBackwards, PrometheusAcross, NamesCallers:
				if f := rule.Judge(q, entries); f.Verdict == reports.Fail {
					t.Fatalf("%s accuses a sound limiter: %s", rule.Name, f.Reason)
				}
			}
		}
	})
}

func TestScrapesThatWereMissed(t *testing.T) {
	missing := func(q *Question) {
		q.Outage = &evidence.Snapshot{Missing: map[string]string{"prometheus": "no scrape since"}}
	}
	for name, c := range map[string]struct {
		edit func(*Question)
		want want
	}{
		"no book meanwhile, all of it afterwards": {missing, want{verdict: reports.Pass, reason: "no scrape since"}},
		"an old sample for a new one": {func(q *Question) {
			q.Outage = &evidence.Snapshot{Prometheus: q.Before.Prometheus}
		}, want{verdict: reports.Fail, component: reports.Suite, reason: "a book of Prometheus was read"}},
		"nothing was missed":      {func(q *Question) { q.Outage = &evidence.Snapshot{Prometheus: q.After.Prometheus} }, want{reason: "no scrape was missed"}},
		"it did not come back":    {func(q *Question) { missing(q); q.After.Prometheus = nil }, want{reason: "did not come back"}},
		"nothing was counted":     {func(q *Question) { missing(q); q.After.Limiter = q.Before.Limiter }, want{reason: "missed nothing"}},
		"no limiter's book":       {func(q *Question) { missing(q); q.After.Limiter = nil }, want{reason: "was not read"}},
		"the question knows none": {func(*Question) {}, want{reason: "names no time"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A84+1", "A86+1", "D88+1")
			q := question(entries, limitOf(2, 10*sec))
			c.edit(&q)
			c.want.check(t, ruleNamed(t, MissedScrapesDoubt).Judge(q, entries))
		})
	}
}

func TestFirstCallsByRawSamples(t *testing.T) {
	shows := func(q *Question, authorized, limited int64) {
		q.After.Prometheus.Users["alice"] = evidence.Calls{Authorized: authorized, Limited: limited}
	}
	for name, c := range map[string]struct {
		edit func(*Question)
		want want
	}{
		"raw samples tell all": {func(*Question) {}, want{verdict: reports.Pass, reason: "increase() shows 0.0 and 0.5 of them"}},
		"the scrape lost the first": {func(q *Question) { shows(q, 1, 1) }, want{
			verdict: reports.Fail, component: reports.Prometheus, reason: "Prometheus' raw samples show authorized_calls +1",
		}},
		"the limiter lost it": {func(q *Question) {
			shows(q, 2, 0)
			q.After.Limiter.Users["alice"] = evidence.Calls{Authorized: 2}
		}, want{verdict: reports.Fail, component: reports.Limiter, reason: "limited_calls +0"}},
		"seen before": {func(q *Question) {
			q.Before.Prometheus.Users["alice"] = evidence.Calls{Authorized: 1}
		}, want{reason: "had seen the subject before"}},
		"too old":            {func(q *Question) { q.After.Prometheus.Scraped = q.Before.At }, want{reason: "before the last hit was over"}},
		"no names":           {func(q *Question) { q.After.Prometheus.Users = nil }, want{reason: "name no caller"}},
		"not read":           {func(q *Question) { q.After.Prometheus = nil }, want{reason: "was not read"}},
		"increase not asked": {func(q *Question) { q.Increase = nil }, want{reason: "increase() shows"}},
		"increase not read":  {func(q *Question) { q.Increase = &evidence.Increase{Missing: "refused"} }, want{reason: "refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A84+1", "A86+1", "D88+1")
			q := question(entries, limitOf(2, 10*sec))
			q.Increase = &evidence.Increase{Limited: 0.5}
			c.edit(&q)
			c.want.check(t, ruleNamed(t, FirstCallsTold).Judge(q, entries))
		})
	}
}
