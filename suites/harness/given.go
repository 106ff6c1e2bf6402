package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

const (
	// givenDir is the folder of the run's claims on given identities.
	givenDir  = "given"
	givenLock = "lock"
	// claimPoll is how often a lock is tried that another case holds.
	claimPoll = 100 * time.Millisecond
	// LongestGivenWait bounds the wait for a given identity's window: past it,
	// nobody watches a run any more, and the case is not judged.
	LongestGivenWait = 15 * time.Minute
	// expiryMargin is added to what /counters says is left of a window, which is in
	// whole seconds, cut.
	expiryMargin = time.Second
)

// given are the case's claims where the provider issues no identities: those of
// the policy itself are used, each once a case. Cases that use them run one at a
// time, whatever process they are of, so that two never wait for each other; and
// what bounds their number is the identities' windows anyway.
type given struct {
	lock  *os.File
	taken map[string]bool
}

// borrow is an identity of the policy in a tier whose counters are known to be
// empty. It waits until they are, and says so.
func (b *Bed) borrow(ctx context.Context, tierName string) tier.Identity {
	ginkgoHelper()
	if why := b.set.Untold(tierName); why != nil {
		b.NotJudged("tier %s cannot be judged: %v", tierName, why)
	}
	candidates := slices.DeleteFunc(b.set.Identities(), func(i tier.Identity) bool { return i.Tier != tierName || i.Key == "" })
	s := b.run.spec
	if s.given == nil {
		claims, err := b.claim(ctx)
		b.must(err)
		s.given = claims
		ginkgo.DeferCleanup(claims.release)
	}
	free := slices.DeleteFunc(slices.Clone(candidates), func(i tier.Identity) bool { return s.given.taken[b.claimOf(i)] })
	if len(free) == 0 {
		b.NotJudged("provider %s issues no identities, and the case needs more of tier %s than the policy has (%d)",
			b.run.session.Stack.Provider, tierName, len(candidates))
	}
	chosen, left, read := b.soonest(ctx, free)
	if left > LongestGivenWait {
		b.NotJudged("provider %s issues no identities, and the counters of %s live on for %s: a case waits %s at most",
			b.run.session.Stack.Provider, chosen, left.Round(time.Second), LongestGivenWait)
	}
	for left > 0 {
		b.Wait(ctx, s.ledger.Since()+left, fmt.Sprintf("the counters of %s to expire", chosen))
		if !read {
			break
		}
		// A denied hit opens no window, but somebody else's may have.
		left, read = b.liveFor(ctx, chosen)
	}
	s.given.taken[b.claimOf(chosen)] = true
	b.must(b.used(chosen))
	ginkgo.DeferCleanup(func() error { return b.used(chosen) })
	// Nobody of this run uses it until the case ends. What was waited for and not
	// read proves nothing: others may hold the key.
	chosen.Fresh = read
	return chosen
}

// GivenPatience is how long a case may take where no identities are issued: in
// the worst case every identity has a window open when it begins, and it opens
// one that others must wait for while it goes on.
func GivenPatience(longest time.Duration) time.Duration {
	return patience + 2*min(longest+expiryMargin, LongestGivenWait)
}

// AwaitUnused waits until no counter of an identity's limits lives any more, its
// own or one that everybody shares, as far as the limiters show it, and says
// whether that was seen. Who was issued for the case has none of its own; who was
// borrowed may have some of limits that are not its tier's.
func (b *Bed) AwaitUnused(ctx context.Context, who tier.Identity) bool {
	ginkgoHelper()
	shared := slices.ContainsFunc(who.Limits, tier.Limit.Shared)
	if _, err := cluster.As[cluster.IdentityIssuer](b.run.system); err == nil && !shared {
		return true
	}
	left, read := b.liveFor(ctx, who)
	if left > LongestGivenWait {
		b.NotJudged("a counter of %s lives on for %s: a case waits %s at most", who, left.Round(time.Second), LongestGivenWait)
	}
	for left > 0 && read {
		b.Wait(ctx, b.run.spec.ledger.Since()+left, fmt.Sprintf("a counter of %s to expire", who))
		left, read = b.liveFor(ctx, who)
	}
	return read
}

// claim takes the run's lock on given identities.
func (b *Bed) claim(ctx context.Context) (*given, error) {
	dir := filepath.Join(b.run.dir, givenDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("claim the given identities: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, givenLock), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("claim the given identities: %w", err)
	}
	told := false
	tick := time.NewTicker(claimPoll)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &given{lock: file, taken: map[string]bool{}}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("claim the given identities: %w", err), file.Close())
		}
		if !told {
			told = true
			if err := b.tell(Event{Kind: CaseWaits, Text: "another case that uses the given identities"}); err != nil {
				return nil, errors.Join(err, file.Close())
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another case that uses the given identities: %w", context.Cause(ctx)), file.Close())
		case <-tick.C:
		}
	}
}

// release lets other cases use the given identities; a process that ends does so
// too.
func (g *given) release() error { return g.lock.Close() }

// claimOf names an identity's claims: in another variant it has other counters.
func (b *Bed) claimOf(who tier.Identity) string {
	sum := sha256.Sum256([]byte(b.variant.Name + "\x00" + who.String()))
	return hex.EncodeToString(sum[:8])
}

// used notes that an identity was used now.
func (b *Bed) used(who tier.Identity) error {
	path := filepath.Join(b.run.dir, givenDir, b.claimOf(who))
	if err := os.WriteFile(path, []byte(who.String()+"\n"), 0o644); err != nil {
		return fmt.Errorf("note the use of %s: %w", who, err)
	}
	return nil
}

// soonest is the identity whose counters are empty first, and how long that
// still takes. read says that every limiter's counters were read.
func (b *Bed) soonest(ctx context.Context, free []tier.Identity) (chosen tier.Identity, left time.Duration, read bool) {
	left = math.MaxInt64
	for _, one := range free {
		if wait, was := b.liveFor(ctx, one); wait < left {
			chosen, left, read = one, wait, was
		}
	}
	return chosen, left, read
}

// liveFor is how long the identity's counters live on, as the limiters show them.
// Where these cannot be read it is the longest window of its limits, from its
// last use in this run, or from the run's beginning.
func (b *Bed) liveFor(ctx context.Context, who tier.Identity) (left time.Duration, read bool) {
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	if limiters, err := b.limiters(ctx); err == nil && len(limiters) > 0 {
		if left, err := b.liveOn(ctx, limiters, who); err == nil {
			return left, true
		}
	}
	window := time.Duration(0)
	for _, limit := range who.Limits {
		window = max(window, limit.Window)
	}
	last := time.Time{}
	for _, path := range []string{filepath.Join(b.run.dir, sessionFile), filepath.Join(b.run.dir, givenDir, b.claimOf(who))} {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return max(0, time.Until(last.Add(window+expiryMargin))), false
}

func (b *Bed) liveOn(ctx context.Context, limiters []string, who tier.Identity) (left time.Duration, err error) {
	scopes := map[string]bool{}
	for _, limit := range who.Limits {
		scopes[limit.Scope] = true
	}
	for _, base := range limiters {
		for scope := range scopes {
			counters, err := b.run.reader.Counters(ctx, base, scope)
			if err != nil {
				return 0, err
			}
			left = max(left, expiry(counters, who))
		}
	}
	return left, nil
}

// expiry is when the last of the counters that count an identity ends, 0 if there
// is none: those of its limits that carry its name, or that carry nobody's.
func expiry(counters []metrics.Counter, who tier.Identity) time.Duration {
	left := time.Duration(0)
	for _, c := range counters {
		concerns := slices.ContainsFunc(who.Limits, func(l tier.Limit) bool {
			return l.Scope == c.Limit.Namespace && slices.ContainsFunc(c.Limit.Conditions, func(text string) bool { return strings.Contains(text, l.ID) })
		})
		names := len(c.SetVariables) == 0
		for _, value := range c.SetVariables {
			names = names || value == who.Name
		}
		if concerns && names {
			left = max(left, time.Duration(c.ExpiresIn)*time.Second+expiryMargin)
		}
	}
	return left
}

// limiters are the base URLs of the variant's limiters as they are now.
func (b *Bed) limiters(ctx context.Context) ([]string, error) {
	lister, err := cluster.As[cluster.LimiterLister](b.run.system)
	if err != nil {
		return b.variant.Limiters, nil //nolint:nilerr // those at the start are all that is known
	}
	return lister.Limiters(ctx, b.variant.Name)
}

// gateways are the URLs of the counters of the variant's gateways as they are
// now.
func (b *Bed) gateways(ctx context.Context) ([]string, error) {
	lister, err := cluster.As[cluster.GatewayLister](b.run.system)
	if err != nil || b.variant.GatewayStats == "" {
		return []string{b.variant.GatewayStats}, nil //nolint:nilerr // that of the start is all that is known
	}
	return lister.GatewayStats(ctx, b.variant.Name)
}
