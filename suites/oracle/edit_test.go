package oracle

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// raised is a quota of 2 that became 5 between 100 and 110 ms, shown at 150 ms.
func raised(q *Question) {
	q.Subject.Limits = []tier.Limit{limitOf(5, 10*sec)}
	q.Want.Edit = editOf("the quota was raised", limitOf(2, 10*sec))
}

// shortened is a window of 20 s that became one of 10 s likewise.
func shortened(q *Question) {
	q.Subject.Limits = []tier.Limit{limitOf(2, 10*sec)}
	q.Want.Edit = editOf("the window was changed", limitOf(2, 20*sec))
}

func editOf(what string, formerly ...tier.Limit) *Edit {
	return &Edit{
		What: what, Asked: 100 * ms, Put: 110 * ms, Watched: 600 * ms, Shown: []time.Duration{150 * ms},
		Tells: true, Told: 130 * ms, Budget: 400 * ms, Formerly: formerly,
	}
}

func TestKeepsCounters(t *testing.T) {
	difference := []string{"A10+1", "A12+1", "D14+1", "A160+1", "A162+1", "A164+1", "D170+1"}
	for _, c := range []bookCase{
		{name: "the difference", hits: difference, want: want{verdict: reports.Pass, reason: "from 2 to 5 in mid-window with 2 used: exactly 3 more were admitted"}},
		{name: "denied while it came", hits: []string{"A10+1", "A12+1", "D115+1", "A120+1", "A122+1", "A124+1", "D170+1"}, want: want{verdict: reports.Pass}},
		{
			name: "it started anew", hits: []string{"A10+1", "A12+1", "A160+1", "A162+1", "A164+1", "A166+1", "A168+1", "D170+1"},
			want: want{reports.Fail, reports.Limiter, "5 more were admitted, not 3, as if it had started anew; the limiter answered all 7"},
		},
		{name: "the old quota stayed", hits: []string{"A10+1", "A12+1", "D160+1"}, want: want{reports.Fail, reports.Limiter, "1 hit was denied 10ms after every limiter had shown it, with 2 admitted"}},
		{name: "not tried to the end", hits: []string{"A10+1", "A12+1", "A160+1"}, want: want{reason: "only 1 more were admitted"}},
		{name: "no denial after", hits: difference[:6], want: want{reason: "no hit was denied after it"}},
		{name: "not used up before", hits: []string{"A10+1", "A160+1", "D170+1"}, want: want{reason: "only 1 of 2 hits were certainly admitted before"}},
		{name: "an answer lost", hits: append([]string{"L5+1"}, difference...), want: want{reason: "may have been counted"}},
		{name: "never shown", hits: difference, edit: both(raised, func(q *Question) { q.Want.Edit.Shown[0] = 0 }), want: want{reason: "when it was in force is not known"}},
		{name: "not raised", hits: difference, edit: shortened, want: want{reason: "is not raised in its window"}},
		{name: "nothing before", hits: []string{"R10+1"}, want: want{reason: "no hit was admitted"}},
		{name: "of two limits", hits: difference, edit: both(raised, twoPolicies), want: want{reason: "several limits apply, and which of them has denied is not told"}},
		{name: "of tokens too", hits: difference, edit: both(raised, tokensToo), want: want{reason: "several limits apply"}},
		{name: "under a ceiling", hits: difference, edit: both(raised, func(q *Question) { q.Subject.Limits = append(q.Subject.Limits, beside(1_000_000)[1]) }), want: want{verdict: reports.Pass, reason: "exactly 3 more were admitted"}},
		{name: "beside a limit that others use up", hits: difference, edit: both(raised, func(q *Question) { q.Subject.Limits = append(q.Subject.Limits, beside(7)[1]) }), want: want{reason: "several limits apply"}},
		{name: "everybody's alone", hits: difference, edit: both(raised, func(q *Question) { q.Subject.Limits[0].Counters = nil }), want: want{reason: "others draw on the same counter"}},
	} {
		if c.edit == nil {
			c.edit = raised
		}
		c.run(t, KeepsCounters)
	}
	bookCase{name: "no edit", want: want{reason: "names no edit"}}.run(t, KeepsCounters)
}

func TestStartsAnew(t *testing.T) {
	anew := []string{"A10+1", "A12+1", "D14+1", "A160+1", "A162+1", "D170+1"}
	counter := func(left uint64) func(*Question) {
		return func(q *Question) {
			shortened(q)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: []evidence.LiveCounter{{
				Limit:  evidence.LimitInForce{Seconds: 10, MaxValue: 2, Conditions: []string{`descriptors[0][""] == "1"`}},
				Values: []string{"alice"}, ExpiresIn: left,
			}}}
		}
	}
	for _, c := range []bookCase{
		{name: "anew", hits: anew, want: want{verdict: reports.Pass, reason: "from 20s to 10s with 2 used: the new counter admitted its whole quota of 2"}},
		{name: "the count was kept", hits: []string{"A10+1", "A12+1", "D160+1"}, want: want{reports.Fail, reports.Limiter, "with 0 of 2 admitted since: the old counter's use was kept"}},
		{name: "too many", hits: []string{"A10+1", "A12+1", "A160+1", "A162+1", "A164+1"}, want: want{reports.Fail, reports.Limiter, "the new window admitted 3 of 2 hits"}},
		{name: "not tried to the end", hits: anew[:5], want: want{reason: "no hit was denied after the new quota"}},
		{name: "too few", hits: anew[:4], want: want{reason: "only 1 of 2 hits were fired"}},
		{name: "the next old window", hits: []string{"A10+1", "A12+1", "A20010+1", "A20012+1", "D20020+1"}, want: want{reason: "the old window may have ended"}},
		{name: "its own end", hits: anew, edit: counter(10), want: want{verdict: reports.Pass}},
		{name: "the old window's end", hits: anew, edit: counter(19), want: want{reports.Fail, reports.Limiter, "/counters says that the new window ends in 19 s"}},
		{name: "the same window", hits: anew, edit: raised, want: want{reason: "is what it was"}},
	} {
		if c.edit == nil {
			c.edit = shortened
		}
		c.run(t, StartsAnew)
	}
}

func TestShownInTime(t *testing.T) {
	shown := func(at ...time.Duration) func(*Question) {
		return func(q *Question) {
			raised(q)
			q.Want.Edit.Shown = at
		}
	}
	fired := []string{"A10+1", "A120+1", "D140+1", "L145+1", "D500+1"}
	for _, c := range []bookCase{
		{name: "in time", hits: fired, edit: raised, want: want{verdict: reports.Pass, reason: "1 limiter showed it 40ms after it was put, and its status said Enforced=True 20ms after it was put; meanwhile 1 admitted, 1 denied, 1 refused, failed or lost"}},
		{name: "no status", edit: both(raised, func(q *Question) { q.Want.Edit.Tells = false }), want: want{verdict: reports.Pass, reason: "the system tells no status"}},
		{name: "a status that never came", edit: both(raised, func(q *Question) { q.Want.Edit.Told = 0 }), want: want{verdict: reports.Pass, reason: "did not say Enforced=True in 490ms"}},
		{name: "too late", edit: shown(511 * ms), want: want{reports.Fail, reports.Unattributed, "1 of 1 limiter did not show it 400ms after it was put; the last one did after 401ms; its status said Enforced=True 20ms"}},
		{name: "one of two", edit: shown(150*ms, 0), want: want{reports.Fail, reports.Limiter, "1 of 2 limiters did not show it 400ms after it was put; not all did in 490ms"}},
		{name: "not watched for long", edit: both(shown(0), func(q *Question) { q.Want.Edit.Watched = 300 * ms }), want: want{reason: "no longer was looked"}},
		{name: "no limiter", edit: shown(), want: want{reason: "no limiter's /limits could be read"}},
		{name: "no edit", want: want{reason: "names no edit"}},
	} {
		c.run(t, ShownInTime)
	}
}

// created is a policy that limits alice to 2, put at 110 ms, said to be enforced
// at 130 ms.
func created(q *Question) {
	q.Want.Edit = editOf("the policy was created")
}

func TestLimitsInTime(t *testing.T) {
	for _, c := range []bookCase{
		{
			name: "late but in time", hits: []string{"A10+1", "A140+1", "A150+1", "A160+1", "A170+1", "D180+1", "D600+1"},
			want: want{verdict: reports.Pass, reason: "the first 429 came 51ms after its status said Enforced=True, 71ms after it was put, after 2 hits without a limit; its status said Enforced=True 20ms after it was put"},
		},
		{name: "before the status", hits: []string{"A10+1", "A112+1", "A114+1", "D120+1", "D600+1"}, want: want{verdict: reports.Pass, reason: "9ms before its status said Enforced=True, 11ms after it was put"}},
		{
			name: "without a status", hits: []string{"A10+1", "A112+1", "A114+1", "D120+1"}, edit: both(created, func(q *Question) { q.Want.Edit.Tells, q.Want.Edit.Told = false, 0 }),
			want: want{verdict: reports.Pass, reason: "the first 429 came 11ms after it was put, after 0 hits without a limit; the system tells no status"},
		},
		{
			name: "too late", hits: []string{"A10+1", "A540+1", "A550+1", "A560+1", "A570+1", "A580+1", "D590+1"},
			want: want{reports.Fail, reports.Limiter, "more than 400ms after its status said Enforced=True, 5 hits were still admitted, the last one at 580ms; the first 429 came 461ms after"},
		},
		{name: "never", hits: []string{"A10+1", "A540+1", "A550+1", "A560+1", "A570+1", "A580+1"}, edit: both(created, booked(0, 0)), want: want{reports.Fail, reports.Gateway, "none was denied"}},
		{name: "there and back", hits: []string{"A10+1", "A140+1", "A150+1", "D160+1", "A540+1"}, want: want{reports.Fail, reports.Limiter, "1 hit was admitted after the limit had shown"}},
		{name: "back in the next window", hits: []string{"A10+1", "A140+1", "A150+1", "D160+1", "A10200+1"}, want: want{verdict: reports.Pass}},
		{name: "too early", hits: []string{"D10+1"}, want: want{reports.Fail, reports.Limiter, "1 hit was denied before it"}},
		{name: "not open before", hits: []string{"D140+1"}, want: want{reason: "that it was open was not seen"}},
		{name: "too few", hits: []string{"A10+1", "A540+1"}, want: want{reason: "too few were fired more than 400ms after"}},
	} {
		if c.edit == nil {
			c.edit = created
		}
		c.run(t, LimitsInTime)
	}
	bookCase{name: "no edit", want: want{reason: "names no policy"}}.run(t, LimitsInTime)
}

// A gateway that has not heard of the edit goes on asking about the caller's old limit.
func TestWhoLetsPassWhatAnEditLimits(t *testing.T) {
	old, added := named("old", 50, 10*sec), named("added", 2, 10*sec)
	entries := ledger(t, "A10+1", "A540+1", "A550+1", "A560+1", "A570+1", "A580+1")
	for name, c := range map[string]struct {
		counters []evidence.LiveCounter
		edit     func(*Question)
		blamed   reports.Component
	}{
		"only the old one was counted":       {counters: []evidence.LiveCounter{live(old, 50, 44)}, blamed: reports.Gateway},
		"both were counted":                  {counters: []evidence.LiveCounter{live(old, 50, 44), live(added, 2, 0)}, blamed: reports.Limiter},
		"nothing is shown":                   {blamed: reports.Limiter},
		"/counters was not read":             {edit: func(q *Question) { q.Counters = nil }, blamed: reports.Limiter},
		"the limiter did not keep it either": {counters: []evidence.LiveCounter{live(old, 50, 44)}, edit: func(q *Question) { q.Hearing.Examined.Together.Admitted++ }, blamed: reports.Limiter},
		"the old one's windows are longer": {
			counters: []evidence.LiveCounter{live(named("old", 50, 20*sec), 50, 44)}, edit: func(q *Question) { q.Subject.Limits[0].Window = 20 * sec }, blamed: reports.Limiter,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := question(entries, old, added)
			created(&q)
			q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: c.counters}
			fresh := func(l tier.Limit, left uint64) evidence.LiveCounter {
				of := live(l, l.Quota, left)
				of.Values = []string{"fresh"}
				return of
			}
			q.Hearing = &evidence.Hearing{Examined: &evidence.Examination{
				Limits: []string{"old", "added"}, Quota: 2, Caller: "fresh",
				InTurn: evidence.Asked{Calls: 5, Admitted: 2, Before: 2}, Together: evidence.Asked{Calls: 62, Admitted: 2},
				Counters: []evidence.LiveCounter{fresh(old, 48), fresh(added, 0)},
			}}
			if c.edit != nil {
				c.edit(&q)
				q.Hearing.Examined.Counters[0] = fresh(q.Subject.Limits[0], 48)
			}
			f := ruleNamed(t, LimitsInTime).Judge(q, entries)
			if f.Verdict != reports.Fail || f.Component != c.blamed {
				t.Errorf("%s blames %s, want %s: %s", f.Verdict, f.Component, c.blamed, f.Reason)
			}
		})
	}
}

// editing simulates a limiter with one counter whose limit is edited while hits
// come, one every few milliseconds. From inForce on it has the new limit; keeps
// says whether it then keeps the count, and end whether it keeps the window. For
// gap from then on nobody asks it, and everything passes.
type editing struct {
	was, is    tier.Limit
	inForce    time.Duration
	keepsCount bool
	keepsEnd   bool
	gap        time.Duration
}

func (w editing) play(t *rapid.T, hits int) []evidence.Entry {
	latency := rapid.IntRange(1, 30)
	var entries []evidence.Entry
	var used int64
	end, now, edited := longAgo, time.Duration(0), false
	for i := range hits {
		now += time.Duration(rapid.IntRange(1, 60).Draw(t, "pause")) * ms
		lasts := time.Duration(latency.Draw(t, "latency")) * ms
		decided := now + time.Duration(rapid.Int64Range(0, int64(lasts)).Draw(t, "decided"))
		limit := w.was
		if decided >= w.inForce {
			limit = w.is
			if !edited {
				edited = true
				if !w.keepsCount {
					used = 0
				}
				if !w.keepsEnd {
					end = longAgo
				}
			}
		}
		if decided >= end && end != longAgo {
			used, end = 0, longAgo
		}
		outcome := evidence.Denied
		if edited && decided < w.inForce+w.gap {
			outcome = evidence.Admitted
		} else if used < limit.Quota {
			outcome = evidence.Admitted
			if used++; end == longAgo {
				end = decided + limit.Window
			}
		}
		entries = append(entries, entryOf(i, now, now+lasts, outcome))
		now += lasts
	}
	return entries
}

func entryOf(i int, sent, received time.Duration, outcome evidence.Outcome) evidence.Entry {
	e := evidence.Entry{
		Hit: "hit-" + string(rune('a'+i%26)) + string(rune('a'+i/26)), Attack: "main", Seq: uint64(i), Identity: "premium/alice",
		Sent: sent, Received: received, Outcome: outcome, Status: 429, From: evidence.FromGateway,
	}
	if outcome == evidence.Admitted {
		e.Status, e.From = 200, evidence.FromBackend
	}
	return e
}

// drawEdit is an edit in force somewhere between its request and its sight.
func drawEdit(t *rapid.T, was tier.Limit) (*Edit, time.Duration) {
	asked := time.Duration(rapid.IntRange(400, 1500).Draw(t, "asked")) * ms
	takes := time.Duration(rapid.IntRange(0, 500).Draw(t, "takes")) * ms
	inForce := asked + takes
	shown := inForce + time.Duration(rapid.IntRange(1, 50).Draw(t, "sight"))*ms
	return &Edit{
		What: "the edit", Asked: asked, Put: asked + takes/2, Watched: shown + sec, Shown: []time.Duration{shown},
		Budget: sec, Formerly: []tier.Limit{was},
	}, inForce
}

func TestEditsOfASoundLimiterAreNeverAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was := limitOf(int64(rapid.IntRange(1, 8).Draw(t, "was")), time.Duration(rapid.IntRange(1, 6).Draw(t, "window"))*sec)
		is, rule := was, KeepsCounters
		switch rapid.IntRange(0, 2).Draw(t, "what") {
		case 0:
			rule, is.Window = StartsAnew, was.Window/2
		case 1:
			rule, is.ID = StartsAnew, "limit.another__1"
		default:
			is.Quota += int64(rapid.IntRange(1, 6).Draw(t, "more"))
		}
		edit, inForce := drawEdit(t, was)
		keeps, gap := rule == KeepsCounters, time.Duration(0)
		if is.ID != was.ID {
			gap = time.Duration(rapid.IntRange(0, 400).Draw(t, "gap")) * ms
		}
		entries := editing{was, is, inForce, keeps, keeps, gap}.play(t, rapid.IntRange(10, 120).Draw(t, "hits"))
		q := question(entries, is)
		q.Want.Edit = edit
		q.Rules = []string{rule, ShownInTime}
		for _, f := range Judge(q, entries) {
			if f.Verdict == reports.Fail {
				t.Fatalf("%s accuses a sound limiter: %s", f.Rule, f.Reason)
			}
		}
	})
}

// TestBrokenEditsAreFound has the quota used up before the edit and enough hits
// after it, in windows that outlast them.
func TestBrokenEditsAreFound(t *testing.T) {
	another := limitOf(2, time.Minute)
	another.ID = "limit.another__1"
	for name, c := range map[string]struct {
		rule       string
		keepsCount bool
		is         tier.Limit
		gap        time.Duration
	}{
		"an edit of the quota resets the counter": {KeepsCounters, false, limitOf(5, time.Minute), 0},
		"an edit of the window keeps the count":   {StartsAnew, true, limitOf(2, 30*sec), 0},
		"a new name keeps the count":              {StartsAnew, true, another, 0},
		"a new name is never enforced":            {StartsAnew, false, another, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				was := limitOf(2, time.Minute)
				edit, inForce := drawEdit(t, was)
				entries := editing{was, c.is, inForce, c.keepsCount, c.keepsCount, c.gap}.play(t, 120)
				q := question(entries, c.is)
				q.Want.Edit, q.Rules = edit, []string{c.rule}
				f := Judge(q, entries)[1]
				if f.Verdict != reports.Fail || f.Component != reports.Limiter {
					t.Fatalf("not found: %s %s", f.Verdict, f.Reason)
				}
			})
		})
	}
}

// TestAPolicyInTimeIsNeverAccused creates a policy whose limiter is right from
// some moment within the budget on.
func TestAPolicyInTimeIsNeverAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := limitOf(int64(rapid.IntRange(1, 8).Draw(t, "quota")), time.Duration(rapid.IntRange(1, 6).Draw(t, "window"))*sec)
		open := is
		open.Quota = 1 << 40
		edit, inForce := drawEdit(t, open)
		edit.Tells = rapid.Bool().Draw(t, "tells")
		if edit.Tells {
			edit.Told = edit.Put + time.Duration(rapid.IntRange(0, 400).Draw(t, "told"))*ms
		}
		entries := editing{open, is, inForce, false, false, 0}.play(t, rapid.IntRange(10, 120).Draw(t, "hits"))
		q := question(entries, is)
		q.Want.Edit, q.Rules = edit, []string{LimitsInTime}
		if f := Judge(q, entries)[1]; f.Verdict == reports.Fail {
			t.Fatalf("accused: %s", f.Reason)
		}
	})
}

// TestAPolicyThatIsTooLateIsFound has it in force long after its budget.
func TestAPolicyThatIsTooLateIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := limitOf(2, time.Minute)
		open := is
		open.Quota = 1 << 40
		edit, _ := drawEdit(t, open)
		edit.Budget = 500 * ms
		entries := editing{open, is, edit.Put + 2*sec, false, false, 0}.play(t, 120)
		q := question(entries, is)
		q.Want.Edit, q.Rules = edit, []string{LimitsInTime}
		if f := Judge(q, entries)[1]; f.Verdict != reports.Fail {
			t.Fatalf("not found: %s %s", f.Verdict, f.Reason)
		}
	})
}
