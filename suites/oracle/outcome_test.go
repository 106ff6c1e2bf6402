package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

func noJournal(q *Question) { q.After.Backend = &evidence.BackendBook{} }

func unlimited(q *Question) { q.Subject.Limits = nil }

func orDenied(q *Question) { q.Want.OrDenied = true }

func misses(n int64) func(*Question) { return func(q *Question) { q.After.Gateway.Misses = n } }

func TestAllAdmitted(t *testing.T) {
	for _, c := range []bookCase{
		{name: "all", hits: []string{"A1+1", "A3+1"}, want: want{verdict: reports.Pass}},
		{name: "denied", hits: []string{"A1+1", "D3+1"}, want: want{reports.Fail, reports.Limiter, "1 of 2 hits were denied; the limiter said no"}},
		{name: "refused", hits: []string{"A1+1", "R3+1"}, want: want{reports.Fail, reports.Authorizer, "entry 2 was answered 401 by the gateway"}},
		{name: "failed at the gateway", hits: []string{"F3+1"}, want: want{reports.Fail, reports.Gateway, "1 of 1 hit failed; entry 1 was answered 503 by the gateway"}},
		{name: "failed behind the gateway", hits: []string{"F3+1"}, edit: func(q *Question) { q.After.Backend.Hits["hit-0"] = 1 }, want: want{reports.Fail, reports.Model, "entry 1 was answered 503 by the gateway"}},
		{name: "429 by the model", hits: []string{"B3+1"}, want: want{reports.Fail, reports.Model, "entry 1 was answered 429 by the backend"}},
		{name: "401 by the model", hits: []string{"M3+1"}, want: want{reports.Fail, reports.Model, "entry 1 was answered 401 by the backend"}},
		{name: "lost", hits: []string{"A1+1", "L3+1"}, want: want{reason: "1 of 2 hits were lost"}},
	} {
		c.run(t, AllAdmitted)
	}
}

func TestAllRefused(t *testing.T) {
	refused := []string{"R1+1", "R3+1"}
	reached := func(q *Question) { q.After.Backend.Hits["hit-0"] = 1 }
	for _, c := range []bookCase{
		{name: "all", hits: refused, want: want{verdict: reports.Pass}},
		{name: "admitted by the authorizer", hits: []string{"R1+1", "A3+1"}, want: want{reports.Fail, reports.Authorizer, "1 of 2 hits were let through"}},
		{name: "admitted past the action set", hits: []string{"A3+1"}, edit: misses(1), want: want{reports.Fail, reports.Gateway, "the gateway's misses +1"}},
		{name: "admitted by failure mode", hits: []string{"A3+1"}, edit: gatewayErrors(1), want: want{reports.Fail, reports.Gateway, "the gateway's errors +1"}},
		{name: "admitted, nobody knows why", hits: []string{"A3+1"}, edit: func(q *Question) { q.After.Gateway = nil }, want: want{reports.Fail, reports.Unattributed, "the gateway book was not read"}},
		{name: "refused by the model alone", hits: []string{"R1+1", "M3+1"}, want: want{reports.Fail, reports.Authorizer, "1 of 2 hits were let through"}},
		{name: "another status", hits: []string{"R1+1", "F3+1"}, want: want{reports.Fail, reports.Gateway, "1 of 2 hits were not refused with one of [401 403]"}},
		{name: "the authorizer's own error", hits: []string{"R1+1", "F3+1"}, edit: func(q *Question) { q.After.Gateway.Denied = 2 }, want: want{reports.Fail, reports.Authorizer, "its denied +2 and errors +0"}},
		{name: "the authorizer was not heard", hits: []string{"R1+1", "F3+1"}, edit: gatewayErrors(1), want: want{reports.Fail, reports.Authorizer, "its errors +1"}},
		{name: "the declared status", hits: []string{"D1+1"}, edit: func(q *Question) { q.Want.Statuses = []int{429} }, want: want{verdict: reports.Pass}},
		{name: "denied by a limit that is asked first", hits: []string{"R1+1", "D3+1"}, edit: orDenied, want: want{verdict: reports.Pass}},
		{name: "denied where authentication comes first", hits: []string{"R1+1", "D3+1"}, want: want{reports.Fail, reports.Gateway, "1 of 2 hits were not refused with one of [401 403]"}},
		{name: "let in before a limit that is asked first", hits: []string{"A1+1", "D3+1"}, edit: orDenied, want: want{reports.Fail, reports.Authorizer, "1 of 2 hits were let through"}},
		{name: "an error beside a limit that is asked first", hits: []string{"R1+1", "F3+1"}, edit: orDenied, want: want{reports.Fail, reports.Gateway, "1 of 2 hits were not refused"}},
		{name: "reached the model", hits: refused, edit: reached, want: want{reports.Fail, reports.Gateway, "reached the model all the same"}},
		{name: "reached the model, by totals", hits: refused, edit: func(q *Question) { noJournal(q); q.After.Backend.Served = 1 }, want: want{reports.Fail, reports.Gateway, "the model served 1 where 0 were admitted"}},
		{name: "no journal, others beside", hits: refused, edit: both(noJournal, crowded), want: want{verdict: reports.Pass, reason: "judged by the answers alone"}},
		{name: "lost", hits: []string{"R1+1", "L3+1"}, want: want{reason: "1 of 2 hits were lost"}},
	} {
		c.run(t, AllRefused)
	}
	t.Run("answers of unknown origin without a journal", func(t *testing.T) {
		entries := ledger(t, refused...)
		entries[1].From = ""
		q := question(entries, limitOf(2, 10*sec))
		both(noJournal, crowded)(&q)
		want{reason: "whether 1 hit reached the model is not known"}.check(t, ruleNamed(t, AllRefused).Judge(q, entries))
	})
}

func TestServed(t *testing.T) {
	for _, c := range []bookCase{
		{name: "served and denied", hits: []string{"A1+1", "A3+1", "D5+1"}, want: want{verdict: reports.Pass}},
		{name: "refused", hits: []string{"A1+1", "R3+1"}, want: want{reports.Fail, reports.Authorizer, "1 of 2 hits were refused although the key is valid; entry 2 was answered 401 by the gateway"}},
		{name: "429 by the model", hits: []string{"A1+1", "B3+1"}, want: want{reports.Fail, reports.Model, "entry 2 was answered 429 by the backend"}},
		{name: "401 by the model", hits: []string{"A1+1", "M3+1"}, want: want{reports.Fail, reports.Model, "1 of 2 hits were failed by the model; entry 2 was answered 401 by the backend"}},
		{name: "failed at the gateway", hits: []string{"A1+1", "F3+1"}, want: want{reason: "may not have heard the authorizer in time"}},
		{name: "lost", hits: []string{"A1+1", "L3+1"}, want: want{reason: "1 of 2 hits were lost"}},
	} {
		c.run(t, Served)
	}
}

func TestNeverFree(t *testing.T) {
	for _, c := range []bookCase{
		{name: "refused", hits: []string{"R1+1"}, want: want{verdict: reports.Pass}},
		{name: "limited", want: want{verdict: reports.Pass}},
		{name: "beyond the quota", hits: []string{"A1+1", "A3+1", "A5+1"}, want: want{reports.Fail, reports.Limiter, "admitted 3 of 2"}},
		{name: "within the quota", hits: []string{"A1+1"}, want: want{reason: "which the quota of 2 may allow"}},
		{name: "limited by tokens alone", edit: both(unlimited, tokensToo), want: want{reason: "which a limit on tokens may allow"}},
		{name: "no limit and never asked", hits: []string{"A1+1"}, edit: both(unlimited, booked(0, 0)), want: want{reports.Fail, reports.Gateway, "the limiter was never asked"}},
		{name: "no limit but let in", hits: []string{"R1+1", "A3+1"}, edit: unlimited, want: want{reports.Fail, reports.Authorizer, "1 of 2 hits were admitted, though no limit applies"}},
		{name: "limited by nothing declared", edit: unlimited, want: want{reason: "by a limit that the policy does not declare"}},
		{name: "no telling answer", hits: []string{"L1+1"}, want: want{reason: "none of 1 hit got a telling answer"}},
		{name: "unknown model", edit: func(q *Question) { q.Model = "" }, want: want{reason: "window model"}},
	} {
		c.run(t, NeverFree)
	}
}

func TestAnswerForm(t *testing.T) {
	body, long := "Too Many Requests\n", string(make([]byte, 600))
	form := Want{
		Statuses: []int{429}, Body: &body, Headers: map[string]string{"Content-Type": "text/plain", "Date": ""},
		NoHeaders: []string{"X-RateLimit-*", "x-envoy-upstream-service-time"},
	}
	good := func() *evidence.Answer {
		return &evidence.Answer{Body: body, Header: map[string][]string{"content-type": {"text/plain"}, "Date": {"now"}}}
	}
	judged := func(edit func(*evidence.Entry), f Want) reports.Finding {
		entries := ledger(t, full...)
		entries[2].Answer = good()
		if edit != nil {
			edit(&entries[2])
		}
		q := question(entries, limitOf(2, 10*sec))
		q.Want = f
		return ruleNamed(t, AnswerForm).Judge(q, entries)
	}
	gateway := func(reason string) want {
		return want{reports.Fail, reports.Gateway, "1 of 1 answer does not have the declared form; entry 3 " + reason}
	}
	for name, c := range map[string]struct {
		edit func(*evidence.Entry)
		form *Want
		want want
	}{
		"as declared":      {want: want{verdict: reports.Pass}},
		"another status":   {edit: func(e *evidence.Entry) { e.Status = 503 }, want: gateway("has status 503, want one of [429]")},
		"header absent":    {edit: func(e *evidence.Entry) { delete(e.Answer.Header, "Date") }, want: gateway("has no header Date")},
		"header differs":   {edit: func(e *evidence.Entry) { e.Answer.Header["content-type"] = []string{"a\nb"} }, want: gateway(`has Content-Type: ["a\nb"], want "text/plain"`)},
		"forbidden prefix": {edit: func(e *evidence.Entry) { e.Answer.Header["x-ratelimit-limit"] = []string{"2"} }, want: gateway(`has the header "x-ratelimit-limit"`)},
		"forbidden name": {edit: func(e *evidence.Entry) {
			e.Answer.Header["X-Envoy-Upstream-Service-Time"] = nil
		}, want: gateway(`has the header "X-Envoy-Upstream-Service-Time"`)},
		"a denial where a limit is asked first": {
			edit: func(e *evidence.Entry) { e.Status, e.Answer.Header = 429, nil },
			form: &Want{Statuses: []int{401}, OrDenied: true, Headers: map[string]string{"Www-Authenticate": ""}},
			want: want{reason: "the ledger kept no answer whose form could be judged"},
		},
		"another body": {edit: func(e *evidence.Entry) { e.Answer.Body = "no" }, want: gateway(`has the body "no"`)},
		"the model's answer": {
			edit: func(e *evidence.Entry) { e.Answer.Body, e.From = "no", evidence.FromBackend },
			want: want{reports.Fail, reports.Model, "has the body"},
		},
		"no answer kept":   {edit: func(e *evidence.Entry) { e.Answer = nil }, want: want{reason: "kept no answer"}},
		"nothing declared": {form: &Want{}, want: want{reason: "declares no form"}},
		"body too long":    {form: &Want{Body: &long}, want: want{reason: "600 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := form
			if c.form != nil {
				f = *c.form
			}
			c.want.check(t, judged(c.edit, f))
		})
	}
}

// What the model refuses was counted by the limiter: nobody else is accused of it.
func TestTheModelsOwnRefusalsCount(t *testing.T) {
	for _, rule := range []string{NoUnderrun, InOrder, NoOverrun, Reconciled, BackendAgrees} {
		bookCase{name: rule, hits: []string{"M1+1", "A3+1", "D5+1"}, want: want{verdict: reports.Pass}}.run(t, rule)
	}
}
