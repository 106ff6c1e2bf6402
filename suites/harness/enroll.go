package harness

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// Enroll issues an identity in a tier that no counter has seen, and returns
// once the authorizer knows its key. Where the provider issues none, it is one of
// the policy's own.
func (b *Bed) Enroll(ctx context.Context, tierName string) tier.Identity {
	ginkgoHelper()
	if _, err := cluster.As[cluster.IdentityIssuer](b.run.system); err != nil {
		return b.borrow(ctx, tierName)
	}
	user, key, err := b.newcomer()
	b.must(err)
	identity, secret, err := b.set.Mint(tierName, user, key)
	if err != nil {
		b.NotJudged("no fresh identity can be made in tier %s: %v", tierName, err)
	}
	b.issue(ctx, identity, secret)
	return identity
}

// Newcomers are a fresh identity of each tier of Tiers whose first hit begins its
// windows: none where none can be issued, or where windows begin by the clock.
func (b *Bed) Newcomers(ctx context.Context) []tier.Identity {
	ginkgoHelper()
	if _, err := cluster.As[cluster.IdentityIssuer](b.run.system); err != nil || b.model() != oracle.FirstHit {
		return nil
	}
	var fresh []tier.Identity
	for _, t := range b.limitedTiers() {
		fresh = append(fresh, b.Enroll(ctx, t.Name))
	}
	return fresh
}

// EnrollNamed issues identities in a tier whose names begin alike and end as
// given, however oddly.
func (b *Bed) EnrollNamed(ctx context.Context, tierName string, endings ...string) []tier.Identity {
	ginkgoHelper()
	base, _, err := b.newcomer()
	b.must(err)
	var named []tier.Identity
	for _, ending := range endings {
		_, key, err := b.newcomer()
		b.must(err)
		identity, secret, err := b.set.Mint(tierName, base+ending, key)
		if err != nil {
			b.NotJudged("no caller can be named %q: %v", base+ending, err)
		}
		b.issue(ctx, identity, secret)
		named = append(named, identity)
	}
	return named
}

// EnrollBoth issues an identity that is in two tiers at once.
func (b *Bed) EnrollBoth(ctx context.Context, one, other string) tier.Identity {
	ginkgoHelper()
	user, key, err := b.newcomer()
	b.must(err)
	identity, secret, err := b.set.MintBoth(one, other, user, key)
	if err != nil {
		b.NotJudged("%v", err)
	}
	b.issue(ctx, identity, secret)
	return identity
}

// Alias issues a second key for an identity.
func (b *Bed) Alias(ctx context.Context, who tier.Identity) tier.Identity {
	ginkgoHelper()
	_, key, err := b.newcomer()
	b.must(err)
	alias, secret, err := b.set.MintAlias(who, key)
	if err != nil {
		b.NotJudged("%s cannot have a second key: %v", who, err)
	}
	b.issue(ctx, alias, secret)
	return alias
}

// enrolAbreast is how many Secrets of a crowd are put before one key is waited
// for.
const enrolAbreast = 25

// KeyBudget is how long a change of a Secret may take to be in force. A real
// authorizer takes some 0.2 s where it watches the Secret.
const KeyBudget = 2 * time.Second

// EnrollCrowd issues many identities in a tier. An authorizer that watches Secrets
// takes them in as they come: once it knows the last of some, those before are
// waited for no more than a budget. Whom it refuses after that, it refuses wrongly.
func (b *Bed) EnrollCrowd(ctx context.Context, tierName string, many int) []tier.Identity {
	ginkgoHelper()
	base, _, err := b.newcomer()
	b.must(err)
	put := b.secretEditor()
	crowd := make([]tier.Identity, many)
	for i := range crowd {
		_, key, err := b.newcomer()
		b.must(err)
		identity, secret, err := b.set.Mint(tierName, fmt.Sprintf("%s-%d", base, i+1), key)
		if err != nil {
			b.NotJudged("no fresh identity can be made in tier %s: %v", tierName, err)
		}
		if crowd[i] = identity; i%enrolAbreast == enrolAbreast-1 || i == many-1 {
			b.issue(ctx, identity, secret)
			continue
		}
		b.must(put.PutSecret(ctx, b.variant.Name, secret))
	}
	b.Wait(ctx, b.run.spec.ledger.Since()+KeyBudget, "the keys of a crowd")
	return crowd
}

// EnrollOutsider issues a key whose bearer belongs to no tier in a given way.
func (b *Bed) EnrollOutsider(ctx context.Context, how policy.Outsider) tier.Identity {
	ginkgoHelper()
	user, key, err := b.newcomer()
	b.must(err)
	identity, secret, err := b.set.MintOutsider(how, user, key)
	if err != nil {
		b.NotJudged("no caller outside of all tiers can be made: %v", err)
	}
	b.issue(ctx, identity, secret)
	return identity
}

func (b *Bed) issue(ctx context.Context, identity tier.Identity, secret []byte) {
	ginkgoHelper()
	issuer, err := cluster.As[cluster.IdentityIssuer](b.run.system)
	if err != nil {
		b.NotJudged("provider %s issues no identities: %v", b.run.session.Stack.Provider, err)
	}
	if err := issuer.Issue(ctx, b.variant.Name, identity, secret); err != nil {
		b.must(fmt.Errorf("enrol %s: %w", identity, err))
	}
}

// newcomer names a caller after the case, so that every metric and every log
// line of the system under test leads back to it.
func (b *Bed) newcomer() (user string, key tier.Key, err error) {
	random := make([]byte, 20)
	if _, err := rand.Read(random); err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	user = fmt.Sprintf("%s-%s", strings.ToLower(b.run.spec.name), hex.EncodeToString(random[:3]))
	return user, tier.Key("fg_" + hex.EncodeToString(random[3:])), nil
}
