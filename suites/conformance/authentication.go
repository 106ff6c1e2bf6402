package conformance

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

var _ = Describe("A stranger", Label("rule:all-refused"), func() {
	It("without a key is refused and counted nowhere", Serial, Case("A01"), func(ctx SpecContext) {
		needKeys()
		hits := bed.Fire(ctx, attack.Attack{Anonymous: true, Hits: 20, Pacer: attack.OneAtATime, KeepAnswers: true})

		Expect(judgeRefused(ctx, bed, hits, unauthenticated(), oracle.AllRefused, oracle.AnswerForm, oracle.Untouched)).To(Hold())
	})

	It("with a key that cannot be right is refused, whatever its form", Serial, Case("A02"), func(ctx SpecContext) {
		needKeys()
		alice := bed.Enroll(ctx, bed.Smallest().Name)

		var hits harness.Hits
		for _, forged := range forgeries(alice) {
			hits = hits.And(bed.Fire(ctx, attack.Attack{As: stranger(alice), Forged: &forged, Hits: 3, Pacer: attack.OneAtATime, KeepAnswers: true}))
		}

		Expect(judgeRefused(ctx, bed, hits, unauthenticated(), oracle.AllRefused, oracle.AnswerForm, oracle.Untouched)).To(Hold())
	})

	It("with a key but without an admitted group is refused and spends nothing", Serial, Case("A03"), func(ctx SpecContext) {
		if !bed.Set().Refuses(policy.MissingGroup) {
			bed.NotJudged("the policy turns no caller away for its group")
		}
		outsider := bed.EnrollOutsider(ctx, policy.MissingGroup)

		hits := bed.Fire(ctx, attack.Attack{As: outsider, Hits: 10, Pacer: attack.OneAtATime})

		Expect(judgeRefused(ctx, bed, hits, oracle.Want{Statuses: []int{403}}, oracle.AllRefused, oracle.Untouched)).To(Hold())
	})

	It("moves no counter of the limiter with a flood", Serial, Case("M11"), func(ctx SpecContext) {
		needKeys()
		needAuthFirst()
		hits := bed.Fire(ctx, attack.Attack{Anonymous: true, Hits: 50, Pacer: attack.Together})

		Expect(bed.JudgeHits(ctx, hits, oracle.Want{Statuses: []int{401}}, oracle.AllRefused, oracle.Untouched)).To(Hold())
	})

	It("takes nothing from a caller with a key, however many there are", Case("A04"), func(ctx SpecContext) {
		needKeys()
		needAuthFirst()
		alice := bed.Enroll(ctx, bed.Middle()[0].Name)
		flood := attack.Attack{Name: "flood", Anonymous: true, Hits: strangers, Pacer: attack.Rate(strangers)}

		hits := bed.Fire(ctx, flood, pastQuota(alice, manyDenied))

		all := bed.JudgeHits(ctx, hits.In(flood.Name), oracle.Want{Statuses: []int{401}}, oracle.AllRefused)
		Expect(append(all, bed.Judge(ctx, alice, boundary...)...)).To(Hold())
	})
})

var _ = Describe("A caller", Label("rule:one-identity"), func() {
	It("with two keys is refused, or is the first", Case("A10"), func(ctx SpecContext) {
		var all harness.Judgement
		for _, place := range secondPlaces() {
			alice, bob := bed.Enroll(ctx, bed.Smallest().Name), bed.Enroll(ctx, bed.Smallest().Name)
			second := bob
			if place.Place != "" {
				second.Credential = place
			}
			twice := pastQuota(alice, 2)
			twice.Also = []tier.Identity{second}

			hits := bed.Fire(ctx, twice)

			all = append(all, bed.JudgeHits(ctx, hits, oracle.Want{Callers: []string{alice.Name, bob.Name}}, oracle.OneIdentity)...)
		}
		Expect(all).To(Hold())
	})
})

// secondPlaces are where a second key is carried: in the place of the first once
// more, and where the policy looks for none.
func secondPlaces() []tier.Credential {
	places := []tier.Credential{{}}
	if bed.Set().CredentialForms() == 1 {
		places = append(places, tier.Credential{Place: tier.QueryString, Name: "floodgate_key"}, tier.Credential{Place: tier.CustomHeader, Name: "X-Floodgate-Key"})
	}
	return places
}

// strangers is how many hits without a key come in a second.
const strangers = 500

// unauthenticated is the form of a 401 as Authorino gives it (sut.md 4).
func unauthenticated() oracle.Want {
	return oracle.Want{Statuses: []int{401}, Headers: map[string]string{"Www-Authenticate": ""}}
}

// needKeys skips the spec where the policy lets callers without a key in.
func needKeys() {
	if !bed.Set().RefusesStrangers() {
		bed.NotJudged("the policy lets callers without a key in")
	}
}

// stranger presents credentials where alice does, and is not alice.
func stranger(alice tier.Identity) tier.Identity {
	return tier.Identity{Credential: alice.Credential}
}

// forgeries are credentials that cannot be right: unknown, without a key, with
// alice's key under another scheme, in another case, cut short, with another end or
// with more behind it, and far too long.
func forgeries(alice tier.Identity) []string {
	long, key := strings.Repeat("k", 8<<10), alice.Key.Reveal()
	if alice.Credential.Place != tier.AuthorizationHeader {
		return append(nearly(key), "no-such-key", "Bearer "+key, long)
	}
	prefix := alice.Credential.Name
	if bed.Set().CredentialForms() > 1 {
		// Another scheme or another case may be somebody's right form.
		return []string{prefix + " no-such-key", prefix, prefix + " " + long}
	}
	forged := []string{prefix + " no-such-key", prefix, "Basic " + key, swapCase(prefix) + " " + key, prefix + " " + long}
	for _, wrong := range nearly(key) {
		forged = append(forged, prefix+" "+wrong)
	}
	return slices.DeleteFunc(forged, func(text string) bool { return text == prefix+" "+key })
}

// nearly are texts that are nearly a key, and nobody's key.
func nearly(key string) []string {
	wrong := []string{key + "x", key + ",x", swapCase(key)}
	if last := len(key) - 1; last > 0 {
		other := "0"
		if key[last:] == other {
			other = "1"
		}
		wrong = append(wrong, key[:last], key[:last]+other)
	}
	known := append(bed.Set().Identities(), bed.Set().Outsiders()...)
	return slices.DeleteFunc(wrong, func(text string) bool {
		return text == key || slices.ContainsFunc(known, func(who tier.Identity) bool { return who.Key.Reveal() == text })
	})
}

// swapCase turns the case of a scheme or key: Authorino compares both exactly
// (sut.md 4).
func swapCase(prefix string) string {
	if lower := strings.ToLower(prefix); lower != prefix {
		return lower
	}
	return strings.ToUpper(prefix)
}
