package harness

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/status"

	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// wordRounds is how often the authorizer is asked about a caller: a mistake that
	// it makes in 5 % of its answers is met in all but 4 of 100,000 hearings.
	wordRounds = 200
	// believedAfter true words in a row the authorizer is asked in believedRounds
	// only: what it gets wrong now and then it would have got wrong among them, and
	// what it always gets wrong about a caller shows at once. A system whose limits
	// are all broken has hundreds of hearings.
	believedAfter  = 2000
	believedRounds = 20
	// wordPatience bounds a hearing of the authorizer, wordTimeout one call.
	wordPatience = 3 * time.Second
	wordTimeout  = 500 * time.Millisecond
	// mostForms bounds how many callers it is asked about.
	mostForms = 12
	// enoughStrays is after how many wrong words, or failed calls, no more are
	// needed.
	enoughStrays = 3
	// companions are asked about at the same time.
	companions = 3
	// longestUser bounds a name that the authorizer makes up.
	longestUser = 512
)

// contested tells whether a finding failed in a way for which several components
// can be to blame.
func contested(f reports.Finding) bool {
	blamed := []reports.Component{reports.Limiter, reports.Gateway, reports.Unattributed}
	// That the authorizer lets strangers in is told from the gateway's counters, which
	// say nothing of a gateway that does not obey it.
	letsIn := f.Rule == oracle.AllRefused && f.Component == reports.Authorizer
	return f.Verdict == reports.Fail && (letsIn || slices.Contains(blamed, f.Component))
}

// againstLimiter tells whether a finding blames the limiter, or nobody.
func againstLimiter(f reports.Finding) bool {
	return f.Verdict == reports.Fail && (f.Component == reports.Limiter || f.Component == reports.Unattributed)
}

// hear asks the components about the callers of a question.
func (b *Bed) hear(ctx context.Context, q oracle.Question) *evidence.Hearing {
	h := &evidence.Hearing{}
	if err := b.hearAuthorizer(ctx, q, h); err != nil {
		h.Unheard = err.Error()
	}
	if q.Counters == nil && q.Subject.Name != "" {
		h.Counters = about(b.counters(ctx), q.Subject.Name)
	}
	h.At = time.Now()
	return h
}

// form is one way in which a caller of the case presented itself.
type form struct {
	evidence.Word
	shown probe.Shown
	host  string
}

func (b *Bed) hearAuthorizer(ctx context.Context, q oracle.Question, h *evidence.Hearing) error {
	if b.variant.Authorizer == "" {
		return fmt.Errorf("the authorizer cannot be reached")
	}
	forms := b.forms(q)
	h.Left = max(0, len(forms)-mostForms)
	forms = forms[:min(len(forms), mostForms)]
	if len(forms) == 0 {
		return fmt.Errorf("no caller has presented itself in a way that could be repeated")
	}
	authorizer, err := probe.DialAuthorizer(b.variant.Authorizer)
	if err != nil {
		return fmt.Errorf("the authorizer cannot be reached")
	}
	defer func() { _ = authorizer.Close() }()
	bounded, cancel := context.WithTimeout(ctx, wordPatience)
	defer cancel()
	others := b.others(forms[0])
	rounds := wordRounds
	if b.run.truthful[b.variant.Authorizer] >= believedAfter {
		rounds = believedRounds
	}
	for range rounds {
		if bounded.Err() != nil || !slices.ContainsFunc(forms, (*form).open) {
			break
		}
		b.round(bounded, authorizer, forms, others)
	}
	for _, f := range forms {
		h.Words = append(h.Words, f.Word)
	}
	b.run.truthful[b.variant.Authorizer] = truthful(b.run.truthful[b.variant.Authorizer], h.Words)
	return nil
}

// truthful is how many true words in a row there are after some more. Strangers are
// due nothing that could be true or not.
func truthful(before int, words []evidence.Word) int {
	for _, w := range words {
		if w.Failed > 0 || strays(w) > 0 {
			return 0
		}
		for _, said := range w.Said {
			if w.Due != nil {
				before += said.Times
			}
		}
	}
	return before
}

// open tells whether more words about a caller are worth having.
func (f *form) open() bool { return strays(f.Word) < enoughStrays && f.Failed < enoughStrays }

// strays is how many of the authorizer's answers about a caller with a key differ
// from what it is due.
func strays(w evidence.Word) int {
	n := 0
	for _, said := range w.Said {
		if w.Due != nil && w.Due.Differs(said.Standing) {
			n += said.Times
		}
	}
	return n
}

// round asks about every caller and about another one, all at once: what mixes
// callers up does so when they come together.
func (b *Bed) round(ctx context.Context, authorizer *probe.Authorizer, forms []*form, others []probe.Shown) {
	var asking errgroup.Group
	for _, other := range others {
		asking.Go(func() error {
			bounded, cancel := context.WithTimeout(ctx, wordTimeout)
			defer cancel()
			// What it says of that one is nobody's business here.
			_, _ = authorizer.Ask(bounded, forms[0].host, other)
			return nil
		})
	}
	for _, f := range forms {
		if !f.open() {
			continue
		}
		asking.Go(func() error {
			bounded, cancel := context.WithTimeout(ctx, wordTimeout)
			defer cancel()
			word, err := authorizer.Ask(bounded, f.host, f.shown)
			switch {
			case err != nil && ctx.Err() != nil:
				// The hearing is over.
			case err != nil:
				f.Failed++
				if f.Failure == "" {
					f.Failure = status.Code(err).String()
				}
			default:
				f.note(b.standing(f, word))
			}
			return nil
		})
	}
	_ = asking.Wait()
}

func (f *form) note(said evidence.Standing) {
	for i := range f.Said {
		if f.Said[i].Equal(said) {
			f.Said[i].Times++
			return
		}
	}
	if len(f.Said) < mostForms {
		f.Said = append(f.Said, evidence.Answered{Standing: said, Times: 1})
	}
}

// standing is what the gateway's filter makes of the authorizer's word.
func (b *Bed) standing(f *form, word probe.Word) evidence.Standing {
	s := evidence.Standing{Status: word.Status}
	if word.Status != http.StatusOK {
		return s
	}
	name, limits := b.set.Said(f.shown.Request, word.Auth)
	s.User, s.Limits = f.fit(name), namesOf(limits)
	return s
}

// fit is a name that the authorizer gave as it may be written down: without what
// was shown to it.
func (f *form) fit(name string) string {
	for part := range strings.FieldsSeq(f.shown.Value) {
		if part != f.shown.Credential.Name {
			name = strings.ReplaceAll(name, part, "[redacted]")
		}
	}
	return strings.ToValidUTF8(name[:min(len(name), longestUser)], "")
}

func namesOf(limits []tier.Limit) []string {
	names := make([]string, len(limits))
	for i, l := range limits {
		names[i] = l.Name
	}
	slices.Sort(names)
	return names
}

// others are a few more callers with keys: those of the policy, and of the case.
func (b *Bed) others(than *form) []probe.Shown {
	s, known := b.run.spec, b.set.Identities()
	for _, name := range slices.SortedFunc(maps.Keys(s.attacks), compareNames) {
		if plan := s.attacks[name]; plan.identity != "" && plan.variant == b.variant.Name {
			known = append(known, plan.fired.As)
		}
	}
	var others []probe.Shown
	for _, identity := range known {
		if identity.Key != "" && identity.String() != than.Caller && len(others) < companions {
			others = append(others, probe.ShownBy(identity, than.shown.Request))
		}
	}
	return others
}

// forms are the ways in which callers of the case presented themselves on this bed,
// those of the question first.
func (b *Bed) forms(q oracle.Question) []*form {
	var own, others []*form
	s := b.run.spec
	names := slices.SortedFunc(maps.Keys(s.attacks), compareNames)
	owner := map[tier.Key]string{}
	for _, name := range names {
		owner[s.attacks[name].fired.As.Key] = s.attacks[name].identity
	}
	for _, name := range names {
		plan := s.attacks[name]
		if plan.variant != b.variant.Name || len(plan.fired.Also) > 0 {
			continue
		}
		if plan.identity != "" && owner[plan.fired.As.Key] != plan.identity {
			continue // the key's owner has become somebody else meanwhile
		}
		f, ok := b.formOf(plan)
		if !ok {
			continue
		}
		into := &others
		if slices.ContainsFunc(q.Attacks, func(a oracle.Attack) bool { return a.Name == name }) {
			into = &own
		}
		same := func(g *form) bool {
			return g.Caller == f.Caller && g.Shown == f.Shown && g.host == f.host && g.shown.Value == f.shown.Value
		}
		if i := slices.IndexFunc(*into, same); i >= 0 {
			(*into)[i].Attacks = append((*into)[i].Attacks, name)
			continue
		}
		f.Attacks = []string{name}
		*into = append(*into, f)
	}
	return append(own, others...)
}

// formOf is how an attack presented its caller. ok is false where the gateway asks
// no authorizer.
func (b *Bed) formOf(plan attackPlan) (f *form, ok bool) {
	a := plan.fired
	request := policy.Request{
		Method: a.Target.Method, Host: a.Target.Host, Path: a.Target.Path, ContentType: a.Target.ContentType, Headers: map[string]string{},
	}
	for name := range a.Header {
		request.Headers[name] = a.Header.Get(name)
	}
	f = &form{shown: probe.Shown{Request: request}}
	if f.host, ok = b.set.AuthHost(request); !ok {
		return nil, false
	}
	switch {
	case a.Anonymous:
		f.Shown = "no key"
	case a.Forged != nil:
		f.Shown = "a forged key"
		f.shown.Credential, f.shown.Value = a.As.Credential, *a.Forged
	default:
		f.Caller, f.Shown = plan.identity, "the key"
		f.shown = probe.ShownBy(a.As, request)
		if f.Due = b.due(a.As, request); f.Due != nil {
			// As what the authorizer says is cut, or a long name was another's.
			f.Due.User = f.fit(f.Due.User)
		}
	}
	own := b.set.Request().Headers
	var more []string
	for _, name := range slices.Sorted(maps.Keys(request.Headers)) {
		if _, policys := own[name]; !policys {
			more = append(more, name)
		}
	}
	if len(more) > 0 {
		f.Shown += " and the client's " + strings.Join(more, ", ")
	}
	if request.Path != b.set.Request().Path {
		f.Shown += " on " + request.Path
	}
	return f, true
}

// due is what the policy makes of an identity's request; nil of who is to be
// refused.
func (b *Bed) due(who tier.Identity, request policy.Request) *evidence.Standing {
	if who.Tier == policy.OutsiderTier {
		return nil
	}
	due := &evidence.Standing{Status: http.StatusOK}
	if b.set.UserExpression() != "" {
		due.User = who.Name
	}
	limits, err := b.set.LimitsFor(who, request)
	if err != nil {
		due.LimitsUnknown = true
		return due
	}
	due.Limits = namesOf(limits)
	return due
}

// attackOf keeps of an attack what its caller presented. It lives in memory alone:
// it holds the key.
func attackOf(a attack.Attack) attack.Attack {
	return attack.Attack{As: a.As, Anonymous: a.Anonymous, Forged: a.Forged, Also: a.Also, Header: a.Header, Target: attack.Target{
		Method: a.Target.Method, Host: a.Target.Host, Path: a.Target.Path, ContentType: a.Target.ContentType,
	}}
}
