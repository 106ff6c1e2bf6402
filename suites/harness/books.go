package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

const (
	// bookPatience bounds the reading of one book.
	bookPatience = 5 * time.Second
	// scrapePatience bounds the wait for a scrape after the last hit: some
	// intervals, then the case says that Prometheus is behind.
	scrapePatience = 15 * time.Second
	// modelsLimit bounds the list of models, which comes from the system under
	// test.
	modelsLimit = 1 << 20
)

// open reads the books before the case's first hit on this variant.
func (b *Bed) open(ctx context.Context) {
	s := b.run.spec
	if _, done := s.before[b.variant.Name]; done {
		return
	}
	s.before[b.variant.Name] = b.snapshot(ctx, nil, time.Time{})
}

// close reads the books after the case's last hit, once for all questions that
// are asked until the next.
func (b *Bed) close(ctx context.Context) evidence.Snapshot {
	s := b.run.spec
	if after, done := s.after[b.variant.Name]; done {
		return after
	}
	b.must(b.tell(Event{Kind: CaseReads, Text: "the books of " + b.variant.Name}))
	var attacks, ids []string
	for name, plan := range s.attacks {
		if plan.variant == b.variant.Name {
			attacks = append(attacks, name)
		}
	}
	entries, err := b.entriesOf(attacks)
	b.must(err)
	for _, entry := range entries {
		ids = append(ids, entry.Hit)
	}
	after := b.snapshot(ctx, ids, s.last)
	s.after[b.variant.Name] = after
	return after
}

// snapshot reads every book that the variant has. A book that cannot be read
// is named with its reason and stays out: it is never taken for zero.
func (b *Bed) snapshot(ctx context.Context, ids []string, scrapedAfter time.Time) evidence.Snapshot {
	snapshot := evidence.Snapshot{At: time.Now(), Missing: map[string]string{}}
	books := []struct {
		name     string
		patience time.Duration
		read     func(context.Context) error
	}{
		{"prometheus", scrapePatience, func(ctx context.Context) (err error) {
			snapshot.Prometheus, err = b.prometheusBook(ctx, scrapedAfter)
			return err
		}},
		{"limiter", bookPatience, func(ctx context.Context) (err error) {
			snapshot.Limiter, err = b.limiterBook(ctx)
			return err
		}},
		{"backend", bookPatience, func(ctx context.Context) (err error) {
			snapshot.Backend, err = b.backendBook(ctx, ids)
			return err
		}},
		{"gateway", bookPatience, func(ctx context.Context) (err error) {
			snapshot.Gateway, err = b.gatewayBook(ctx)
			return err
		}},
	}
	if scrapedAfter.IsZero() {
		// Whoever else calls, and is in the limiter's book between two snapshots, is
		// in the gateway's too: it is read before the one and after the other.
		slices.Reverse(books)
	}
	for _, book := range books {
		bounded, cancel := context.WithTimeout(ctx, book.patience)
		if err := book.read(bounded); err != nil {
			snapshot.Missing[book.name] = err.Error()
		}
		cancel()
	}
	return snapshot
}

func (b *Bed) limiterBook(ctx context.Context) (*evidence.LimiterBook, error) {
	limiters, err := b.limiters(ctx)
	if err != nil {
		return nil, err
	}
	if len(limiters) == 0 {
		return nil, fmt.Errorf("the limiter's HTTP API is not reachable")
	}
	var sum metrics.Tally
	book := evidence.LimiterBook{Scopes: b.counted()}
	for _, base := range limiters {
		instance, err := b.run.reader.Instance(ctx, base)
		if err != nil {
			return nil, err
		}
		tally, err := b.counting().Limiter(ctx, base, b.variant.UserLabel)
		if err != nil {
			return nil, err
		}
		sum = sum.Plus(tally)
		book.Instances = append(book.Instances, instance)
	}
	limits, err := b.limitsInForce(ctx, limiters[0])
	if err != nil {
		return nil, err
	}
	book.InForce = limits
	b.fill(&book, sum)
	return &book, nil
}

// scopes are the limiter's namespaces of the bed's policy and of that which the
// variant was brought up with: limits that an edit takes away shall not be
// overlooked.
func (b *Bed) scopes() []string {
	var scopes []string
	for _, set := range []*policy.Set{b.set, b.run.sets[b.variant.Name]} {
		if set == nil {
			continue
		}
		for _, limit := range set.LimitadorLimits() {
			scopes = append(scopes, limit.Namespace)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// counted are the scopes whose calls the books hold: the policy's where others may
// have routes behind the same limiter, else nil for all, so that none is overlooked
// that went where it should not.
func (b *Bed) counted() []string {
	if !b.run.session.Stack.Shared {
		return nil
	}
	return b.scopes()
}

// counting reads what is counted.
func (b *Bed) counting() *metrics.Reader { return b.run.reader.Within(b.counted()...) }

// limitsInForce reads the limits of every scope that the policy has or had.
func (b *Bed) limitsInForce(ctx context.Context, base string) ([]evidence.LimitInForce, error) {
	var limits []evidence.LimitInForce
	for _, scope := range b.scopes() {
		inForce, err := b.run.reader.Limits(ctx, base, scope)
		if err != nil {
			return nil, err
		}
		for _, limit := range inForce {
			limits = append(limits, evidence.LimitInForce(limit))
		}
	}
	return limits, nil
}

func (b *Bed) prometheusBook(ctx context.Context, after time.Time) (*evidence.LimiterBook, error) {
	if b.run.session.Stack.Prometheus == "" {
		return nil, fmt.Errorf("the stack has no Prometheus")
	}
	instances := b.variant.PrometheusInstances
	if lister, err := cluster.As[cluster.InstanceLister](b.run.system); err == nil && len(instances) > 0 {
		if instances, err = lister.Instances(ctx, b.variant.Name); err != nil {
			return nil, err
		}
	}
	reader, err := b.counting().Prometheus(b.run.session.Stack.Prometheus, b.variant.UserLabel, instances...)
	if err != nil {
		return nil, err
	}
	scrape, err := reader.After(ctx, after)
	if err != nil {
		return nil, err
	}
	book := &evidence.LimiterBook{Scraped: scrape.Began, Scopes: b.counted()}
	b.fill(book, scrape.Tally)
	return book, nil
}

// fill writes a tally into a book. The calls by which the harness itself has
// examined the limiter are nobody's hits, and stay out.
func (b *Bed) fill(book *evidence.LimiterBook, tally metrics.Tally) {
	calls := func(c metrics.Calls) evidence.Calls {
		return evidence.Calls{Authorized: c.Authorized, Limited: c.Limited, Hits: c.Hits}
	}
	book.Unlabelled, book.Total, book.Refusals = calls(tally.Unlabelled), calls(tally.Total), tally.Refusals
	book.Namespaces = tally.Namespaces
	var examiners map[string]bool
	if b.run.spec != nil {
		examiners = b.run.spec.examiners
	}
	if tally.Users != nil {
		book.Users = make(map[string]evidence.Calls, len(tally.Users))
	}
	for user, of := range tally.Users {
		if examiners[user] {
			book.Total.Authorized -= of.Authorized
			book.Total.Limited -= of.Limited
			book.Total.Hits -= of.Hits
			continue
		}
		book.Users[user] = calls(of)
	}
}

func (b *Bed) gatewayBook(ctx context.Context) (*evidence.GatewayBook, error) {
	if b.variant.GatewayStats == "" {
		return nil, fmt.Errorf("the gateway's statistics are not reachable")
	}
	gateways, err := b.gateways(ctx)
	if err != nil {
		return nil, err
	}
	sum := &evidence.GatewayBook{}
	for _, address := range gateways {
		g, err := b.run.reader.Gateway(ctx, address)
		if err != nil {
			return nil, err
		}
		sum.Hits += g.Hits
		sum.Misses += g.Misses
		sum.Allowed += g.Allowed
		sum.Denied += g.Denied
		sum.Errors += g.Errors
	}
	return sum, nil
}

func (b *Bed) backendBook(ctx context.Context, ids []string) (*evidence.BackendBook, error) {
	if b.variant.Journal != "" {
		journal, err := b.run.reader.Journal(ctx, b.variant.Journal, ids)
		if err != nil {
			return nil, err
		}
		hits := journal.Hits
		if hits == nil {
			hits = map[string]int{}
		}
		return &evidence.BackendBook{Served: journal.Served, Hits: hits}, nil
	}
	if b.variant.Backend == "" {
		return nil, fmt.Errorf("the model server is not reachable")
	}
	served, err := b.run.reader.ModelServer(ctx, b.variant.Backend)
	if err != nil {
		return nil, err
	}
	return &evidence.BackendBook{Served: served}, nil
}

// models are the names that the model server serves; without an answer, the
// name that llm-d's simulator example uses (sut.md 5.1).
func (b *Bed) models(ctx context.Context) []string {
	fallback := []string{"random"}
	if b.variant.Backend == "" {
		return fallback
	}
	ctx, cancel := context.WithTimeout(ctx, bookPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.variant.Backend+"/v1/models", nil)
	if err != nil {
		return fallback
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fallback
	}
	defer response.Body.Close()
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, modelsLimit)).Decode(&list); err != nil || len(list.Data) == 0 {
		return fallback
	}
	var names []string
	for _, served := range list.Data {
		names = append(names, served.ID)
	}
	return names
}
