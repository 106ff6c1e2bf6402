package conformance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

const (
	// probeRate and probes keep hits coming from before a change until well
	// after its budget: 4 s in all.
	probeRate = 25
	probes    = 100
)

var _ = Describe("A key", Label("rule:takes-effect"), func() {
	It("opens nothing once it was deleted, and what shares it goes on", Case("A05"), func(ctx SpecContext) {
		watched, unwatched := enrolWatched(ctx, true), enrolWatched(ctx, false)
		changes := []harness.Change{bed.DeleteSecret(bed.SecretOf(watched, true)), bed.DeleteSecret(bed.SecretOf(unwatched, false))}
		attacks := []attack.Attack{probing(watched, "watched"), probing(unwatched, "unwatched")}
		shared, copied, shareable := enrolTwice(ctx)
		if shareable {
			changes, attacks = append(changes, bed.DeleteSecret(copied)), append(attacks, probing(shared, "shared"))
		}

		hits, asked, done := bed.FireWhile(ctx, harness.Both(changes...), attacks...)

		all := bed.JudgeHits(ctx, hits.In("watched"), gone("the key was deleted", asked, done), oracle.TakesEffect)
		all = append(all, bed.JudgeHits(ctx, hits.In("unwatched"), gone("the key of a Secret without Authorino's label was deleted", asked, done), oracle.TakesEffect)...)
		if shareable {
			all = append(all, bed.Judge(ctx, shared, underLoad...)...)
		}
		Expect(all).To(Hold())
	})

	It("opens within its budget after it was created", Case("A06"), func(ctx SpecContext) {
		watched, secret := bed.Recruit(bed.Smallest().Name)
		unwatched, _ := bed.Recruit(bed.Smallest().Name)
		created := harness.Both(bed.PutSecret(secret), bed.PutSecret(bed.SecretOf(unwatched, false)))

		hits, asked, done := bed.FireWhile(ctx, created, probing(watched, "watched"), probing(unwatched, "unwatched"))

		all := bed.JudgeHits(ctx, hits.In("watched"), come("the key was created", asked, done), oracle.TakesEffect)
		all = append(all, bed.JudgeHits(ctx, hits.In("unwatched"), come("the key was created in a Secret without Authorino's label", asked, done), oracle.TakesEffect)...)
		Expect(all).To(Hold())
	})

	It("hands its counters on when it is rotated", Case("A07"), func(ctx SpecContext) {
		var all harness.Judgement
		for _, watched := range []bool{true, false} {
			alice := enrolWatched(ctx, watched)
			rotated := bed.Rekeyed(alice)
			before, after, what := probing(alice, "before"), probing(rotated, "after"), "the key was rotated"
			if !watched {
				before.Name, after.Name = before.Name+"-unwatched", after.Name+"-unwatched"
				what = "the key of a Secret without Authorino's label was rotated"
			}

			hits, asked, done := bed.FireWhile(ctx, bed.PutSecret(bed.SecretOf(rotated, watched)), before, after)

			all = append(all, bed.JudgeHits(ctx, hits.In(before.Name), gone(what+" away", asked, done), oracle.TakesEffect)...)
			all = append(all, bed.JudgeHits(ctx, hits.In(after.Name), come(what+" in", asked, done), oracle.TakesEffect)...)
			all = append(all, bed.Judge(ctx, alice, oracle.NoOverrun, oracle.NoUnderrun, oracle.Reconciled)...)
		}
		Expect(all).To(Hold())
	})
})

// underLoad are the rules of an identity that fires on while others change.
var underLoad = []string{oracle.NoOverrun, oracle.NoUnderrun, oracle.DenialsAre429, oracle.Served, oracle.Reconciled}

// probing fires evenly, before a change and until after its budget.
func probing(who tier.Identity, name string) attack.Attack {
	return attack.Attack{Name: name, As: who, Hits: probes, Pacer: attack.Rate(probeRate)}
}

// enrolWatched enrols a caller whose Secret has Authorino's label, or has lost
// it: a Secret that never had it may not be known at all, which is another case.
func enrolWatched(ctx SpecContext, watched bool) tier.Identity {
	GinkgoHelper()
	alice := bed.Enroll(ctx, bed.Smallest().Name)
	if !watched {
		bed.Admit(ctx, alice, bed.SecretOf(alice, false))
	}
	return alice
}

// enrolTwice enrols a caller with two Secrets of one key. ok is false where the
// policy tells callers apart by the Secret's name.
func enrolTwice(ctx SpecContext) (who tier.Identity, second []byte, ok bool) {
	GinkgoHelper()
	who = bed.Enroll(ctx, bed.Smallest().Name)
	_, second, err := bed.Set().MintAlias(who, who.Key)
	if err != nil {
		return who, nil, false
	}
	bed.Admit(ctx, who, second)
	return who, second, true
}

// known and unknown are how hits end with a key that is in force and with one
// that is not.
func known() []evidence.Outcome   { return []evidence.Outcome{evidence.Admitted, evidence.Denied} }
func unknown() []evidence.Outcome { return []evidence.Outcome{evidence.Refused} }

func gone(what string, asked, done time.Duration) oracle.Want {
	return keyChange(what, asked, done, known(), unknown())
}

func come(what string, asked, done time.Duration) oracle.Want {
	return keyChange(what, asked, done, unknown(), known())
}

func keyChange(what string, asked, done time.Duration, until, then []evidence.Outcome) oracle.Want {
	return oracle.Want{Change: &oracle.Change{
		What: what, Asked: asked, Done: done, Budget: harness.KeyBudget, Until: until, Then: then, Owner: reports.Authorizer,
	}}
}
