package local

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

const (
	// changePatience is how long a change may take to be in force: the
	// slowest one measured on a real authorizer took 0.2 s, on a real limiter
	// 3 ms.
	changePatience = 10 * time.Second
	// faultyPatience is how long it is waited for a component that was told
	// to be wrong, and may never do what it should.
	faultyPatience = 500 * time.Millisecond
)

// attached is a stack that some process brought up, known by its description
// and its private folder.
type attached struct {
	up     cluster.Stack
	reader *metrics.Reader
	// do carries an order out: here, or in the process that brought the stack up.
	do func(ctx context.Context, asked order) error
	// died is closed by Down and never delivers: only the process that brought
	// the stack up sees components end.
	died chan cluster.Death
	once sync.Once

	mu sync.Mutex
	// sets are the variants' policies, as far as they were needed.
	sets map[string]*policy.Set
}

func newAttached(up cluster.Stack, reader *metrics.Reader) *attached {
	a := &attached{up: up, reader: reader, died: make(chan cluster.Death), sets: map[string]*policy.Set{}}
	a.do = a.send
	return a
}

// Attach finds the stack that another process brought up.
func (p *Provider) Attach(_ context.Context, up cluster.Stack) (cluster.System, error) {
	if up.Provider != p.Name() {
		return nil, fmt.Errorf("attach: the stack is provider %q's, not %q's", up.Provider, p.Name())
	}
	if _, err := os.Stat(up.State); err != nil {
		return nil, fmt.Errorf("attach: the stack is down, its private folder is gone: %w", err)
	}
	return newAttached(up, metrics.NewReader(nil)), nil
}

// Stack says what is up and where.
func (a *attached) Stack() cluster.Stack { return a.up }

// Died is silent; see the field.
func (a *attached) Died() <-chan cluster.Death { return a.died }

// Down leaves the stack to the process that brought it up.
func (a *attached) Down(context.Context) error {
	a.once.Do(func() {
		a.reader.Close()
		close(a.died)
	})
	return nil
}

// set is the policy that a variant was brought up with, or that Apply gave it.
// Reading one takes some 20 ms, so it is read once.
func (a *attached) set(v cluster.Variant) (*policy.Set, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if set, ok := a.sets[v.Name]; ok {
		return set, nil
	}
	set, err := policy.Read(v.Dir)
	if err != nil {
		return nil, err
	}
	a.sets[v.Name] = set
	return set, nil
}

// await repeats a question until the answer is nil. A component with faults is
// not waited for long, and what it fails to do is the suite's to find.
func (a *attached) await(ctx context.Context, component, variant string, question func(context.Context) error) error {
	name := componentName(component, variant)
	faulty := slices.ContainsFunc(a.up.Components, func(c cluster.Component) bool {
		return c.Name == name && len(c.Faults) > 0
	})
	patience := changePatience
	if faulty {
		patience = faultyPatience
	}
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not in force after %s", patience))
	defer cancel()
	err := probe.Until(bounded, question)
	if err != nil && faulty && ctx.Err() == nil {
		return nil
	}
	return err
}

// limiterModeOf is the failure mode of a variant that is up; the operator's own
// is the same whether it is asked for or not.
func limiterModeOf(v cluster.Variant) string {
	if v.Services == nil {
		return ""
	}
	return v.Services.LimiterFailureMode
}

func (a *attached) variant(name string) (cluster.Variant, variantFiles, error) {
	v, ok := a.up.Variants[name]
	if !ok {
		return v, variantFiles{}, fmt.Errorf("variant %q: there is none of that name in the stack", name)
	}
	files, err := filesOf(a.up.State, name, limiterModeOf(v))
	return v, files, err
}
