package oracle

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// said is the authorizer's word on alice's key: n answers that it is user under
// limits.
func said(user string, n int, limits ...string) evidence.Word {
	return evidence.Word{
		Caller: "premium/alice", Shown: "the key", Attacks: []string{"main"},
		Due:  &evidence.Standing{Status: 200, User: "alice", Limits: []string{"requests"}},
		Said: []evidence.Answered{{Standing: evidence.Standing{Status: 200, User: user, Limits: limits}, Times: n}},
	}
}

// heard is a hearing with these words of the authorizer.
func heard(words ...evidence.Word) func(*Question) {
	return func(q *Question) { q.Hearing = &evidence.Hearing{Words: words} }
}

// examined has a limiter with the limit "requests" (and "more" where there are two)
// asked directly, which kept its limits; spoil changes what it did.
func examined(spoil ...func(*evidence.Examination)) func(*Question) {
	return func(q *Question) {
		e := &evidence.Examination{
			Limits: []string{"requests"}, Quota: q.Subject.Limits[0].Quota, Caller: "b02-fresh",
			InTurn:   evidence.Asked{Calls: int(q.Subject.Limits[0].Quota) + 3, Admitted: int(q.Subject.Limits[0].Quota), Before: int(q.Subject.Limits[0].Quota)},
			Together: evidence.Asked{Calls: int(q.Subject.Limits[0].Quota) + 60, Admitted: int(q.Subject.Limits[0].Quota)},
		}
		for _, l := range q.Subject.Limits {
			c := live(l, l.Quota, uint64(l.Quota-e.Quota))
			c.Values = []string{e.Caller}
			e.Counters = append(e.Counters, c)
		}
		for _, s := range spoil {
			s(e)
		}
		if q.Hearing == nil {
			q.Hearing = &evidence.Hearing{}
		}
		q.Hearing.Examined = e
	}
}

func TestTheAuthorizersWordDecidesWhomACauseNames(t *testing.T) {
	three := []string{"A84+2", "A90+2", "A95+2", "D99+1"}
	early := []string{"A84+2", "D90+2", "D95+2"}
	const mistaken = "the authorizer takes callers for what they are not, and the gateway and the limiter go by its word"
	for _, c := range []struct {
		name, rule string
		hits       []string
		edit       func(*Question)
		component  reports.Component
		reason     string
	}{
		{
			"another name", NoOverrun, three, heard(said("bob", 200, "requests")), reports.Authorizer,
			`window 1, opened at 84ms, admitted 3 of 2 hits; the authorizer, asked directly 200 times about the key (premium/alice), said 200 times that it is "bob" under requests, where the policy makes it "alice" under requests`,
		},
		{
			"other limits", NoUnderrun, early, heard(said("alice", 200, "few")), reports.Authorizer,
			`2 hits were denied too early, the first at 90ms, when at most 1 of 2 hits can have been counted; the authorizer, asked directly 200 times about the key (premium/alice), said 200 times that it is "alice" under few, where the policy makes it "alice" under requests`,
		},
		{
			"hostile text", NoOverrun, three, heard(said("\x1b[31m", 1)), reports.Authorizer,
			`window 1, opened at 84ms, admitted 3 of 2 hits; the authorizer, asked directly 1 time about the key (premium/alice), said 1 time that it is "\x1b[31m" without limits, where the policy makes it "alice" under requests`,
		},
		{
			"the right word", NoOverrun, three, heard(said("alice", 200, "requests")), reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)",
		},
		{
			"a refusal is no other name", NoOverrun, three, func(q *Question) {
				w := said("", 200)
				w.Said[0].Standing = evidence.Standing{Status: 401}
				heard(w)(q)
			}, reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)",
		},
		{
			"a wrong word on somebody else", NoOverrun, three, func(q *Question) {
				w := said("eve", 200, "requests")
				w.Caller, w.Due.User = "premium/bob", "bob"
				heard(w)(q)
			}, reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)",
		},
		{
			"somebody else is taken for the subject", NoUnderrun, early, func(q *Question) {
				w := said("alice", 200, "requests")
				w.Caller, w.Shown, w.Due.User = "premium/bob", "the key and the client's X-Userid", "bob"
				heard(w)(q)
			}, reports.Authorizer,
			`2 hits were denied too early, the first at 90ms, when at most 1 of 2 hits can have been counted; the authorizer, asked directly 200 times about the key and the client's X-Userid (premium/bob), said 200 times that it is "alice" under requests, where the policy makes it "bob" under requests`,
		},
		{
			"booked under another name", Reconciled,
			[]string{"A84+2", "A90+2", "D99+1"},
			both(booked(2, 0), heard(said("bob", 200, "requests"))), reports.Authorizer,
			`limited_calls +0 for 2 admitted, 1 denied, 0 unknown: at least +1 must be; the authorizer, asked directly 200 times about the key (premium/alice), said 200 times that it is "bob" under requests, where the policy makes it "alice" under requests`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			c.edit(&q)
			f := ruleNamed(t, c.rule).Judge(q, entries)
			if f.Verdict != reports.Fail || f.Component != c.component || f.Reason != c.reason {
				t.Errorf("%s, blames %q: %s\nwant fail, %q: %s", f.Verdict, f.Component, f.Reason, c.component, c.reason)
			}
			if c.component == reports.Authorizer && f.Attribution != mistaken {
				t.Errorf("attribution is %q", f.Attribution)
			}
		})
	}
}

func TestTheAuthorizersWordTellsWhoLetStrangersIn(t *testing.T) {
	stranger := func(status int) func(*Question) {
		return heard(evidence.Word{
			Shown: "no key", Attacks: []string{"main"},
			Said: []evidence.Answered{{Standing: evidence.Standing{Status: status, User: "bob"}, Times: 200}},
		})
	}
	for _, c := range []struct {
		name, rule string
		hits       []string
		edit       func(*Question)
		component  reports.Component
	}{
		{"admitted", AllRefused, []string{"A84+2"}, stranger(200), reports.Authorizer},
		{"counted and denied", AllRefused, []string{"D84+2"}, stranger(200), reports.Authorizer},
		{"counted though refused when asked", AllRefused, []string{"D84+2"}, stranger(401), reports.Gateway},
		{"an error of the gateway's own", AllRefused, []string{"F84+2"}, stranger(200), reports.Gateway},
		{"booked", Untouched, []string{"D84+2"}, stranger(200), reports.Authorizer},
		{"booked though refused when asked", Untouched, []string{"D84+2"}, stranger(401), reports.Gateway},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			for i := range entries {
				entries[i].Identity = ""
			}
			q := question(entries)
			q.Subject = Subject{}
			c.edit(&q)
			if f := ruleNamed(t, c.rule).Judge(q, entries); f.Verdict != reports.Fail || f.Component != c.component {
				t.Errorf("%s, blames %q: %s; want a fail that blames %q", f.Verdict, f.Component, f.Reason, c.component)
			}
		})
	}
}

// burstPast are hits that leave at once: so many are admitted although the quota is
// less, and answered later.
func burstPast(admitted, denied int) (hits []string) {
	for range admitted {
		hits = append(hits, "A10+20")
	}
	for range denied {
		hits = append(hits, "D31+1")
	}
	return hits
}

func TestTheLimiterIsCrossExamined(t *testing.T) {
	counted := func(remaining uint64) func(*Question) {
		return func(q *Question) {
			q.Subject.Limits[0].ID, q.Subject.Limits[0].Scope = "limit.requests__1", "llm-d/route"
			c := live(q.Subject.Limits[0], q.Subject.Limits[0].Quota, remaining)
			q.Hearing = &evidence.Hearing{Words: []evidence.Word{said("alice", 200, "requests")}, Counters: &evidence.CounterBook{At: began.Add(sec), Counters: []evidence.LiveCounter{c}}}
		}
	}
	foreign := func(q *Question) {
		c := q.Hearing.Counters.Counters[0]
		c.Limit.Name, c.Limit.Conditions = "few", []string{`descriptors[0]["limit.few__1"] == "1"`}
		q.Hearing.Counters.Counters = append(q.Hearing.Counters.Counters, c)
	}
	apart := func(q *Question) {
		q.Subject.Limits[0].Scope = "llm-d/route"
		q.Before.Limiter.Namespaces = map[string]map[string]int64{"alice": {"llm-d/other": 1}}
		q.After.Limiter.Namespaces = map[string]map[string]int64{"alice": {"llm-d/other": 4, "llm-d/route": 0}}
	}
	admitsMore := func(e *evidence.Examination) { e.Together.Admitted++ }
	for _, c := range []struct {
		name, rule string
		hits       []string
		edit       func(*Question)
		component  reports.Component
		reason     string
	}{
		{
			"it breaks the limit itself", NoOverrun,
			[]string{"A84+2", "A90+2", "A95+2", "D99+1"},
			both(counted(0), examined(func(e *evidence.Examination) { e.InTurn.Admitted, e.InTurn.Before = 3, 3 })), reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3); asked directly about a fresh caller, the limiter admitted 3 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"keeping it acquits nobody", NoOverrun,
			[]string{"A84+2", "A90+2", "A95+2", "D99+1"},
			both(counted(0), examined()), reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3); asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"many got past at once", NoOverrun, burstPast(10, 5), both(counted(0), examined()), reports.Gateway,
			"window 1, opened at 10ms, admitted 10 of 2 hits; none of them left after the answer at 30ms that used up the quota; asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"many got past a limiter that races", NoOverrun, burstPast(10, 5), both(counted(0), examined(admitsMore)), reports.Limiter,
			"window 1, opened at 10ms, admitted 10 of 2 hits; the limiter answered all 10 (its authorized_calls +10); asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 3 of 62 at once",
		},
		{
			"many got past a limiter that lost their counter", NoOverrun, burstPast(10, 5), both(counted(1), examined()), reports.Limiter,
			"window 1, opened at 10ms, admitted 10 of 2 hits; the limiter answered all 10 (its authorized_calls +10); asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"some of many left after the quota was answered", NoOverrun, append(burstPast(9, 0), "A31+20"), both(counted(0), examined()), reports.Limiter,
			"window 1, opened at 10ms, admitted 10 of 2 hits; the limiter answered all 10 (its authorized_calls +10); asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"counted under a limit that does not apply", NoUnderrun,
			[]string{"A84+2", "D90+2"},
			both(both(counted(0), foreign), examined()), reports.Gateway,
			`1 hit was denied too early, at 90ms, when at most 1 of 2 hits can have been counted; /counters shows the caller under "few", which does not apply to it; asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once, and counted it under requests alone`,
		},
		{
			"counted under that limit by the limiter itself", NoUnderrun,
			[]string{"A84+2", "D90+2"},
			both(both(counted(0), foreign), examined(func(e *evidence.Examination) {
				e.Counters = append(e.Counters, e.Counters[0])
			})), reports.Limiter,
			"1 hit was denied too early, at 90ms, when at most 1 of 2 hits can have been counted; the limiter said no (its limited_calls +1); asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"counted under it for another request of the case", NoUnderrun,
			[]string{"A84+2", "D90+2"},
			both(both(counted(0), foreign), both(examined(), func(q *Question) {
				w := said("alice", 200, "few")
				w.Due.Limits = []string{"few"}
				q.Hearing.Words = append(q.Hearing.Words, w)
			})), reports.Limiter,
			"1 hit was denied too early, at 90ms, when at most 1 of 2 hits can have been counted; the limiter said no (its limited_calls +1); asked directly about a fresh caller, the limiter admitted 2 of 5 calls in turn and 2 of 62 at once",
		},
		{
			"decided in another namespace", NoOverrun,
			[]string{"A84+2", "A90+2", "A95+2"},
			apart, reports.Gateway,
			`window 1, opened at 84ms, admitted 3 of 2 hits; the limiter decided 3 hits of the caller in its namespace "llm-d/other", and none in "llm-d/route", which has the limits`,
		},
		{
			"decided in its own namespace too", NoOverrun,
			[]string{"A84+2", "A90+2", "A95+2"},
			both(apart, func(q *Question) {
				q.After.Limiter.Namespaces["alice"]["llm-d/route"] = 3
			}), reports.Limiter,
			"window 1, opened at 84ms, admitted 3 of 2 hits; the limiter answered all 3 (its authorized_calls +3)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			q := question(entries, limitOf(2, 10*sec))
			q.Attacks[0].OneAtATime = false
			c.edit(&q)
			f := ruleNamed(t, c.rule).Judge(q, entries)
			if f.Verdict != reports.Fail || f.Component != c.component || f.Reason != c.reason {
				t.Errorf("%s, blames %q: %s\nwant fail, %q: %s", f.Verdict, f.Component, f.Reason, c.component, c.reason)
			}
		})
	}
}

func TestALimitThatWasNotAskedFor(t *testing.T) {
	entries := ledger(t, "A84+2", "A90+2", "D95+1")
	of := func(edit func(*Question)) reports.Finding {
		few, many := named("requests", 2, 10*sec), named("more", 50, 10*sec)
		q := question(entries, few, many)
		q.Counters = &evidence.CounterBook{At: began.Add(sec), Counters: []evidence.LiveCounter{live(few, 2, 0)}}
		edit(&q)
		return ruleNamed(t, CountersTell).Judge(q, entries)
	}
	for name, c := range map[string]struct {
		edit func(*Question)
		want reports.Component
	}{
		"the limiter counts when it is asked":       {examined(), reports.Gateway},
		"the limiter was not asked":                 {func(*Question) {}, reports.Limiter},
		"the limiter does not count either":         {examined(func(e *evidence.Examination) { e.Counters = e.Counters[:1] }), reports.Limiter},
		"no other limit of the call was counted":    {both(examined(), func(q *Question) { q.Counters.Counters = nil }), reports.Limiter},
		"the limits were edited meanwhile":          {both(examined(), func(q *Question) { q.After.Limiter.InForce = []evidence.LimitInForce{{Namespace: "x"}} }), reports.Limiter},
		"another process had answered in the midst": {both(examined(), func(q *Question) { q.Want.Change = &Change{What: "a restart"} }), reports.Limiter},
	} {
		t.Run(name, func(t *testing.T) {
			if f := of(c.edit); f.Verdict != reports.Fail || f.Component != c.want {
				t.Errorf("%s, blames %q: %s; want a fail that blames %q", f.Verdict, f.Component, f.Reason, c.want)
			}
		})
	}
}

// Whatever components say, the verdicts stand.
func TestAHearingChangesNoVerdict(t *testing.T) {
	blamed := map[reports.Component]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawConditions(t)
		q, entries := c.trialOf()
		// Some systems are broken: a cause is asked for only of those.
		for i := range entries {
			if entries[i].Outcome == evidence.Denied && rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
				entries[i].Outcome, entries[i].Status, entries[i].From = evidence.Admitted, 200, evidence.FromBackend
			}
		}
		q.Rules = slices.Concat(neverAccused, judgedToo, []string{AllRefused, Untouched, AnswerForm, CountersTell})
		q.Want.Statuses = []int{401}
		before := Judge(q, entries)
		q.Hearing = drawHearing(t, q)
		for i, f := range Judge(q, entries) {
			if f.Verdict != before[i].Verdict || f.Rule != before[i].Rule || f.Subject != before[i].Subject || f.Limit != before[i].Limit {
				t.Fatalf("%s was %s: %s\nand with %+v it is %s: %s", f.Rule, before[i].Verdict, before[i].Reason, q.Hearing, f.Verdict, f.Reason)
			}
			if f.Verdict == reports.Fail && f.Component != before[i].Component {
				blamed[f.Component]++
			}
		}
	})
	if len(blamed) == 0 {
		t.Error("no hearing changed whom a finding blames: the property says nothing about it")
	}
	t.Log(blamed)
}

func drawHearing(t *rapid.T, q Question) *evidence.Hearing {
	standing := rapid.Custom(func(t *rapid.T) evidence.Standing {
		return evidence.Standing{
			Status: rapid.SampledFrom([]int{200, 200, 401, 403, 0}).Draw(t, "status"),
			User:   rapid.SampledFrom([]string{"alice", "mallory", "", "\x00"}).Draw(t, "user"),
			Limits: rapid.SampledFrom([][]string{nil, {"limit-0"}, {"limit-0", "limit-1"}}).Draw(t, "limits"),
		}
	})
	h := &evidence.Hearing{At: began.Add(time.Hour)}
	for i := range rapid.IntRange(0, 3).Draw(t, "words") {
		due := standing.Draw(t, "due")
		h.Words = append(h.Words, evidence.Word{
			Caller: rapid.SampledFrom([]string{q.Subject.Identity, "premium/mallory", ""}).Draw(t, "caller"), Shown: "the key",
			Attacks: []string{fmt.Sprintf("attack-%d", i)}, Due: rapid.SampledFrom([]*evidence.Standing{&due, nil}).Draw(t, "known"),
			Said: []evidence.Answered{{Standing: standing.Draw(t, "said"), Times: 3}},
		})
	}
	h.Counters = &evidence.CounterBook{At: began.Add(sec)}
	e := &evidence.Examination{Caller: "fresh", Quota: int64(rapid.IntRange(-1, 12).Draw(t, "quota"))}
	asked := int(e.Quota)
	e.InTurn = evidence.Asked{Calls: asked + 3, Admitted: asked, Before: asked}
	e.Together = evidence.Asked{Calls: asked + 60, Admitted: asked + rapid.IntRange(0, 1).Draw(t, "more")}
	for _, l := range q.Subject.Limits {
		c := live(l, l.Quota, uint64(max(0, l.Quota-e.Quota)))
		h.Counters.Counters = append(h.Counters.Counters, c)
		c.Values = []string{e.Caller}
		e.Counters = append(e.Counters, c)
	}
	h.Examined = e
	return h
}
