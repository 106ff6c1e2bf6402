package oracle

import (
	"testing"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Whom nobody vouched for and the limiter never heard of, the gateway let pass;
// a caller with an identity, or one that was counted, the authorizer.
func TestWhoLetStrangersIn(t *testing.T) {
	for name, c := range map[string]struct {
		identity string
		calls    int64
		want     reports.Component
	}{
		"nobody, not counted":      {"", 0, reports.Gateway},
		"nobody, counted":          {"", 2, reports.Authorizer},
		"a caller, not counted":    {"outsider/eve", 0, reports.Authorizer},
		"a caller who was counted": {"outsider/eve", 2, reports.Authorizer},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, "A1+1", "A3+1")
			q := question(entries, limitOf(2, 10*sec))
			q.Subject, q.Alone = Subject{}, true
			for i := range entries {
				entries[i].Identity = c.identity
			}
			q.After.Limiter.Total.Authorized = q.Before.Limiter.Total.Authorized + c.calls
			q.After.Limiter.Total.Hits = q.Before.Limiter.Total.Hits + c.calls
			q.After.Limiter.Total.Limited = q.Before.Limiter.Total.Limited
			want{reports.Fail, c.want, "2 of 2 hits were let through"}.check(t, ruleNamed(t, AllRefused).Judge(q, entries))
		})
	}
}

// Of answers in a wrong form one tells whose they are that did not come through
// the model.
func TestADenialTellsWhoGivesAnswersTheirForm(t *testing.T) {
	header := &evidence.Answer{Header: map[string][]string{"X-RateLimit-Limit": {"100"}}}
	for name, c := range map[string]struct {
		hits []string
		want want
	}{
		"admitted alone": {[]string{"A1+1"}, want{reports.Fail, reports.Unattributed, "entry 1 has the header"}},
		"denied too":     {[]string{"A1+1", "D3+1"}, want{reports.Fail, reports.Gateway, "entry 2 has the header"}},
		"refused too":    {[]string{"A1+1", "R3+1", "D5+1"}, want{reports.Fail, reports.Authorizer, "entry 2 has the header"}},
	} {
		t.Run(name, func(t *testing.T) {
			entries := ledger(t, c.hits...)
			for i := range entries {
				entries[i].Answer = header
			}
			q := question(entries, limitOf(2, 10*sec))
			q.Want = Want{NoHeaders: []string{"X-RateLimit-*"}}
			c.want.check(t, ruleNamed(t, AnswerForm).Judge(q, entries))
		})
	}
}

// A 401 that came from behind the gateway is the model's own.
func TestWhoRefusesAValidKey(t *testing.T) {
	for from, component := range map[string]reports.Component{
		evidence.FromGateway: reports.Authorizer, evidence.FromBackend: reports.Model,
	} {
		for _, rule := range []string{Served, AllAdmitted} {
			entries := ledger(t, "A1+1", "R3+1")
			entries[1].From = from
			q := question(entries, limitOf(2, 10*sec))
			want{reports.Fail, component, "1 of 2 hits were "}.check(t, ruleNamed(t, rule).Judge(q, entries))
		}
	}
}
