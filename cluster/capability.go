package cluster

import (
	"context"
	"io"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// IdentityIssuer puts identities in force that no counter has seen.
type IdentityIssuer interface {
	// Issue applies a Secret's manifest to a variant and returns once the
	// authorizer knows the key, without spending the identity's quota.
	Issue(ctx context.Context, variant string, identity tier.Identity, secret []byte) error
}

// SecretEditor changes the Secrets of identities and waits for nobody to notice:
// how long that takes is what a spec wants to see.
type SecretEditor interface {
	// PutSecret makes a Secret of the manifest, in the place of the one of the
	// same namespace and name if there is one.
	PutSecret(ctx context.Context, variant string, secret []byte) error
	// DeleteSecret deletes the Secret of the manifest's namespace and name,
	// which must be there.
	DeleteSecret(ctx context.Context, variant string, secret []byte) error
}

// Restarter stops and starts one component.
type Restarter interface {
	Restart(ctx context.Context, component string) error
}

// Stopper tells a component to stop, as a rolling update does.
type Stopper interface {
	// Stop sends the component SIGTERM and returns at once: when it ends is what a
	// spec wants to see. That end is no Death; Restart starts it anew.
	Stop(ctx context.Context, component string) error
}

// PolicyEditor puts another policy in force in a variant that is up.
type PolicyEditor interface {
	// Apply gives the variant's components what the policy, one made from the
	// variant's own manifests, means and returns
	// once they have it. Counters go on as the limiter keeps them (cases.md
	// G8); identities that were issued stay known; Variant.Dir stays as it was.
	Apply(ctx context.Context, variant string, set *policy.Set) error
}

// Replacement is a way to put other content into a limits file.
type Replacement string

// The ways: as the kubelet switches a ConfigMap's link, another file renamed
// over the file, and writing into the file itself (sut.md 2.9).
const (
	Switched    Replacement = "a switched link"
	RenamedOver Replacement = "a file renamed over it"
	InPlace     Replacement = "writing in place"
)

// LimitsFileEditor changes the limiter's limits file alone and waits for nobody
// to notice: whether the limiter does is what a spec wants to see.
type LimitsFileEditor interface {
	// ReplaceLimits puts the policy's limits into the file of a variant.
	ReplaceLimits(ctx context.Context, variant string, set *policy.Set, how Replacement) error
}

// MisplacedStarter starts what cannot serve, beside a variant that is up.
type MisplacedStarter interface {
	// StartOnTakenPort starts one more limiter like the variant's, on a gRPC port
	// that somebody else holds, watches what it shows, and ends it. The error
	// wraps errors.ErrUnsupported where components are no processes.
	StartOnTakenPort(ctx context.Context, variant string) (Misplaced, error)
}

// Misplaced is what a limiter without its gRPC port showed.
type Misplaced struct {
	// Ended says that it ended by itself, and How, such as "exit status 1".
	Ended bool
	How   string
	// Status is the last HTTP status of its /status, 0 without an answer.
	Status int
	// Serves says that a gRPC call was answered all the same.
	Serves bool
	// Watched is how long it was watched.
	Watched time.Duration
}

// LimiterLister lists the limiters of a variant as they are now. Where a system
// has it, Variant.Limiters were those at the start.
type LimiterLister interface {
	// Limiters are the base URLs of each limiter's HTTP API, one a replica. They
	// stay valid until the replica is gone.
	Limiters(ctx context.Context, variant string) ([]string, error)
}

// Scaler sets how many replicas a component has.
type Scaler interface {
	// Scale returns once exactly that many replicas are ready and no other is
	// left.
	Scale(ctx context.Context, component string, replicas int) error
	// Replicas is how many are asked for now.
	Replicas(ctx context.Context, component string) (int, error)
}

// Pauser holds a component still, as a busy machine or a debugger does.
type Pauser interface {
	// Pause stops the component's processes, lets them go on after d, and returns
	// then. They go on whatever becomes of ctx. The error wraps
	// errors.ErrUnsupported where a component cannot be held.
	Pause(ctx context.Context, component string, d time.Duration) error
}

// ClockStepper sets a component's wall clock.
type ClockStepper interface {
	// StepClock moves the component's wall clock by so much from what it shows now.
	// The error wraps errors.ErrUnsupported where a component has no clock of its
	// own.
	StepClock(ctx context.Context, component string, by time.Duration) error
}

// Killer ends replicas of a component without waiting.
type Killer interface {
	// Kill deletes a component's replicas and returns at once: when others serve
	// is what a spec wants to see. Their end is no Death.
	Kill(ctx context.Context, component string) error
	// Ready returns once the component has as many ready replicas as it is asked
	// to have.
	Ready(ctx context.Context, component string) error
}

// Interferer puts network faults between components and those that call them.
type Interferer interface {
	// Interfere has every call of a variant's gateway to a component meet the fault
	// until mend is called, or until another fault takes its place. A component
	// of a variant with a gateway of its own is named "llmd@faults", also where
	// variants share it: for others nothing changes. The error wraps
	// errors.ErrUnsupported where nothing stands before the component.
	Interfere(ctx context.Context, component string, fault NetworkFault) (mend func(context.Context) error, err error)
}

// NetworkFault is what happens to calls of a component on their way.
type NetworkFault struct {
	// Cut has them all fail, those on open connections too.
	Cut bool
	// Delay is how much later their answers arrive, give or take Jitter.
	Delay, Jitter time.Duration
	// Loss is the share of segments that are lost either way and come late for that:
	// by interference.Retransmit at least.
	Loss float64
}

// ScrapeBreaker has Prometheus miss scrapes.
type ScrapeBreaker interface {
	// BreakScrapes has every scrape of a variant's limiters fail, once one of each
	// has, until mend is called; mend returns when they are scraped again. The
	// error wraps errors.ErrUnsupported where nobody scrapes them.
	BreakScrapes(ctx context.Context, variant string) (mend func(context.Context) error, err error)
}

// PolicyPutter puts a policy before the system and waits for nobody: what the
// system makes of it, and when, is what a spec wants to see.
type PolicyPutter interface {
	PutPolicy(ctx context.Context, variant string, set *policy.Set) error
}

// FilterConfigPusher puts any text in the place of the gateway filter's
// configuration.
type FilterConfigPusher interface {
	// PushFilterConfig returns once the variant's gateway has taken notice of the
	// text, whatever it made of it.
	PushFilterConfig(ctx context.Context, variant string, config []byte) error
}

// PolicyObserver tells what a system says of a policy, which proves nothing
// about what is in force (sut.md 0.1).
type PolicyObserver interface {
	PolicyState(ctx context.Context, variant string) (PolicyState, error)
}

// PolicyState is what the objects of a variant's rate limits say.
type PolicyState struct {
	// Exists says that there is a policy at all.
	Exists bool
	// Current says that status.observedGeneration equals metadata.generation of
	// every policy. The conditions carry none of their own (vectors of the
	// cluster, timeline).
	Current bool
	// Accepted and Enforced are the conditions, true where every policy has them.
	Accepted, Enforced bool
	// Programmed says that the Gateway's listener is; the Gateway itself never is
	// on kind.
	Programmed bool
	// Reasons are the conditions that are not True, for people.
	Reasons []string
}

// Diagnoser collects what a cluster knows of a span of time.
type Diagnoser interface {
	// Diagnose writes logs, events and custom resources since a time into a
	// folder, without keys.
	Diagnose(ctx context.Context, since time.Time, dir string) error
}

// WorkerStarter starts attackers inside the system's own network.
type WorkerStarter interface {
	// StartWorkers starts n workers, who obey those that know the token, and
	// returns their base URLs in the order of their index; stop ends them and
	// removes what was made for them.
	StartWorkers(ctx context.Context, n int, token string) (urls []string, stop func(context.Context) error, err error)
}

// PolicySource is a provider that knows the policies in force by itself.
type PolicySource interface {
	// Policies writes the manifests that are in force, keys included, into a
	// folder that is there. An error that wraps errors.ErrUnsupported says that
	// the options name no place to look in: the user must give the manifests.
	Policies(ctx context.Context, options Options, dir string) error
}

// Describer is a provider that can say what Up would do.
type Describer interface {
	// Describe prints the plan and starts nothing.
	Describe(ctx context.Context, options Options, w io.Writer) error
}

// StatusTeller is a provider whose stacks have steps.
type StatusTeller interface {
	// Status prints how far each step is.
	Status(ctx context.Context, options Options, w io.Writer) error
}

// Remover is a provider whose stacks outlive the process that brought them up.
type Remover interface {
	// Remove takes back what an Up that is no more has left, and nothing else. The
	// options are those of that Up.
	Remove(ctx context.Context, options Options) error
}
