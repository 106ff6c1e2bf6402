package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack/crew"
)

// Bed is what a spec lies on: one variant of the policy, in force on a stack
// that is up. Beds of one process share the case under way.
type Bed struct {
	run     *run
	variant cluster.Variant
	set     *policy.Set
}

// run is what all beds of a process share.
type run struct {
	dir     string
	session Session
	system  cluster.System
	reader  *metrics.Reader
	sets    map[string]*policy.Set
	events  *events
	// crew fires this run's attacks, nil where this process does.
	crew *crew.Crew
	// spec is the case under way, nil between specs.
	spec *spec
	// truthful is how many true words in a row each authorizer, by its address, has
	// said in hearings.
	truthful map[string]int
}

// OpenBed attaches to the run of a folder and returns its bed for the user's
// policy. attach finds the provider's system again in this process.
func OpenBed(ctx context.Context, runDir string, attach func(context.Context, cluster.Stack) (cluster.System, error)) (*Bed, error) {
	session, err := ReadSession(runDir)
	if err != nil {
		return nil, err
	}
	system, err := attach(ctx, session.Stack)
	if err != nil {
		return nil, fmt.Errorf("attach to the stack: %w", err)
	}
	return NewBed(runDir, session, system)
}

// NewBed is OpenBed where the system is at hand.
func NewBed(runDir string, session Session, system cluster.System) (*Bed, error) {
	sets := map[string]*policy.Set{}
	for name, variant := range session.Stack.Variants {
		set, err := policy.Read(variant.Dir)
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", name, err)
		}
		sets[name] = set
	}
	workers, err := session.Workers.crew()
	if err != nil {
		return nil, err
	}
	events, err := openEvents(runDir)
	if err != nil {
		return nil, err
	}
	bed := &Bed{run: &run{
		dir: runDir, session: session, system: system,
		reader: metrics.NewReader(nil), sets: sets, events: events, crew: workers, truthful: map[string]int{},
	}}
	return bed.on(Policy)
}

// On is the same bed over another variant of the policy. A variant that the
// stack does not have skips the spec.
func (b *Bed) On(variant string) *Bed {
	other, err := b.on(variant)
	if err != nil {
		b.NotJudged("%v", err)
	}
	return other
}

func (b *Bed) on(variant string) (*Bed, error) {
	v, ok := b.run.session.Stack.Variants[variant]
	if !ok {
		return nil, fmt.Errorf("the stack has no variant %q", variant)
	}
	return &Bed{run: b.run, variant: v, set: b.run.sets[variant]}, nil
}

// Close ends what the bed opened; the stack stays up.
func (b *Bed) Close() error {
	b.run.reader.Close()
	if b.run.crew != nil {
		b.run.crew.Close()
	}
	return errors.Join(b.run.events.close(), b.run.system.Down(context.Background()))
}

// Set is the policy in force on this bed.
func (b *Bed) Set() *policy.Set { return b.set }

// Tiers are the tiers that limit hits and that have callers, by ascending
// quota, as far as a case can spend their quota. A policy without one skips
// the spec.
func (b *Bed) Tiers() []tier.Tier {
	limited := b.limitedTiers()
	if len(limited) == 0 {
		for _, t := range b.set.Tiers() {
			if why := b.set.Untold(t.Name); why != nil {
				b.NotJudged("no tier can be judged: %v", why)
			}
		}
		b.NotJudged("no tier has callers and a request limit of 1 to %d hits", maxQuota)
	}
	return limited
}

func (b *Bed) limitedTiers() []tier.Tier {
	populated := map[string]bool{}
	for _, identity := range b.set.Identities() {
		populated[identity.Tier] = true
	}
	var limited []tier.Tier
	for _, t := range b.set.Tiers() {
		if binding, ok := tier.Binding(t.Limits); ok && populated[t.Name] && b.set.Untold(t.Name) == nil && binding.Quota > 0 && binding.Quota <= maxQuota {
			limited = append(limited, t)
		}
	}
	return limited
}

// Smallest is the tier of the smallest quota.
func (b *Bed) Smallest() tier.Tier { return b.Tiers()[0] }

// Largest is the tier of the largest quota, if there are two tiers.
func (b *Bed) Largest() tier.Tier {
	return b.tierAt(max(1, len(b.Tiers())-1), "the policy has one limited tier only")
}

// Middle are the tiers between the smallest and the largest.
func (b *Bed) Middle() []tier.Tier {
	tiers := b.Tiers()
	if len(tiers) < 3 {
		b.NotJudged("the policy has no tier between its smallest and its largest quota")
	}
	return tiers[1 : len(tiers)-1]
}

func (b *Bed) tierAt(i int, missing string) tier.Tier {
	tiers := b.Tiers()
	if i >= len(tiers) {
		b.NotJudged("%s", missing)
	}
	return tiers[i]
}

// Anyone is the name of some tier that has callers, limited or not.
func (b *Bed) Anyone() string {
	identities := b.set.Identities()
	if len(identities) == 0 {
		b.NotJudged("the policy has no identity")
	}
	return identities[0].Tier
}

// MoreThanAnyQuota is how many hits no limit of the policy can explain.
func (b *Bed) MoreThanAnyQuota() int {
	most := int64(0)
	for _, t := range b.set.Tiers() {
		for _, limit := range t.Limits {
			if limit.Unit == tier.Hits {
				most = max(most, limit.Quota)
			}
		}
	}
	return int(min(most+10, maxHits))
}

// LimitsOfPolicy are what the limiter must show for this policy.
func (b *Bed) LimitsOfPolicy() []evidence.LimitInForce {
	var limits []evidence.LimitInForce
	for _, l := range b.set.LimitadorLimits() {
		limits = append(limits, evidence.LimitInForce{
			Namespace: l.Namespace, MaxValue: l.MaxValue, Seconds: l.Seconds, Name: l.Name,
			Conditions: l.Conditions, Variables: l.Variables,
		})
	}
	return limits
}

// LimitsFor are the limits that the policy puts on an identity's request. ok is
// false where it does not route it, or turns the identity away.
func (b *Bed) LimitsFor(who tier.Identity, request policy.Request) (limits []tier.Limit, ok bool) {
	if !b.set.Routed(request) {
		return nil, false
	}
	limits, err := b.set.LimitsFor(who, request)
	return limits, err == nil
}

// LimitsOn are the limits that the policy puts on an identity's requests to
// another path. ok is false where the policy does not route the path, or turns
// the identity away there.
func (b *Bed) LimitsOn(who tier.Identity, method, path string) (limits []tier.Limit, ok bool) {
	request := b.set.Request()
	request.Method, request.Path = method, path
	return b.LimitsFor(who, request)
}
