package harness

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
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
