package crew

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

const (
	// maxPlan bounds a plan's JSON, whose bodies may be large.
	maxPlan = 64 << 20
	// maxPlans bounds the shares that a worker holds, those included that have
	// ended and were not yet taken away.
	maxPlans = 256
	// readyPatience bounds how long a share takes until its first hit could
	// leave: a burst opens its connections first.
	readyPatience = 20 * time.Second
	// orphanAfter ends a share whose ledger nobody reads: nobody would know what
	// it fires.
	orphanAfter = 15 * time.Second
	// beat is how often a ledger that does not grow shows that it is alive.
	beat = time.Second
)

// errOrphan ends a share that nobody reads.
var errOrphan = errors.New("nobody read the ledger")

// server carries out shares of attacks for whoever knows the token.
type server struct {
	ctx   context.Context // shares outlive the request that brings them
	token string
	// epoch and wall make the worker's clock: its wall clock at the start, and
	// monotonic since.
	epoch time.Time
	wall  int64

	mu    sync.Mutex
	tasks map[string]*task
	// done waits for the shares under way.
	done sync.WaitGroup
}

// task is a share under way.
type task struct {
	scroll *scroll
	cancel context.CancelCauseFunc
	// began is the worker's clock at 0 of the share's ledger.
	began int64
	// ready is closed when the first hit could leave, ended when the share has.
	ready, ended chan struct{}
	failure      error

	mu      sync.Mutex
	started chan time.Duration
	told    bool
	readers int
	orphan  *time.Timer
}

func newServer(ctx context.Context, token string) *server {
	epoch := time.Now()
	return &server{ctx: ctx, token: token, epoch: epoch, wall: epoch.UnixNano(), tasks: map[string]*task{}}
}

// clock is the worker's clock at t, in nanoseconds.
func (s *server) clock(t time.Time) int64 { return s.wall + int64(t.Sub(s.epoch)) }

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /clock", s.serveClock)
	mux.HandleFunc("POST /plan", s.servePlan)
	mux.HandleFunc("POST /start", s.serveStart)
	mux.HandleFunc("GET /ledger", s.serveLedger)
	mux.HandleFunc("POST /stop", s.serveStop)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+s.token)) != 1 {
			http.Error(w, "the bearer token is not this worker's", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *server) serveClock(w http.ResponseWriter, _ *http.Request) {
	answer(w, reading{Now: s.clock(time.Now())})
}

// servePlan answers when the share is ready to begin.
func (s *server) servePlan(w http.ResponseWriter, r *http.Request) {
	var p plan
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPlan)).Decode(&p); err != nil {
		// What the decoder says may quote the plan, which holds a key.
		http.Error(w, "the plan is no JSON of a plan", http.StatusBadRequest)
		return
	}
	t, err := s.begin(p) //nolint:contextcheck // the share outlives the request that brought it
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	patience := time.NewTimer(readyPatience)
	defer patience.Stop()
	select {
	case <-t.ready:
		answer(w, planned{Began: t.began})
		return
	case <-t.ended:
		err = t.failure
		if err == nil {
			err = errors.New("the share ended before it began")
		}
	case <-patience.C:
		err = fmt.Errorf("not ready after %v", readyPatience)
	case <-r.Context().Done():
		err = context.Cause(r.Context())
	}
	s.drop(p.ID, err)
	http.Error(w, err.Error(), http.StatusUnprocessableEntity)
}

// begin carries a share out as far as it goes without the time of its start.
func (s *server) begin(p plan) (*task, error) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	t := &task{
		scroll: newScroll(), cancel: cancel, ready: make(chan struct{}), ended: make(chan struct{}),
		started: make(chan time.Duration, 1),
	}
	a, err := p.attack(t.await)
	if err != nil {
		cancel(err)
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tasks[p.ID] != nil:
		err = fmt.Errorf("plan %s is here already", p.ID)
	case len(s.tasks) >= maxPlans:
		err = fmt.Errorf("%d plans are here already: stop those that have ended", len(s.tasks))
	}
	if err != nil {
		cancel(err)
		return nil, err
	}
	ledger, err := evidence.Stream(t.scroll, evidence.Header{Case: p.Case})
	if err != nil {
		cancel(err)
		return nil, err
	}
	t.began = s.clock(ledger.Header().Began)
	t.orphan = time.AfterFunc(orphanAfter, func() { cancel(errOrphan) })
	s.tasks[p.ID] = t
	s.done.Go(func() { t.carryOut(ctx, a, ledger) })
	return t, nil
}

func (t *task) carryOut(ctx context.Context, a attack.Attack, ledger *evidence.Ledger) {
	report, err := attack.Fire(ctx, a, ledger, nil)
	err = errors.Join(err, ledger.Close())
	t.failure = err
	e := end{Fired: report.Fired}
	if err != nil {
		e.Error = err.Error()
	}
	t.scroll.finish(e)
	t.orphan.Stop()
	t.cancel(nil)
	close(t.ended)
}

// await says that the share is ready and waits for the time of its start.
func (t *task) await(ctx context.Context) (time.Duration, error) {
	close(t.ready)
	select {
	case at := <-t.started:
		return at, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// serveStart refuses a time that has gone by: the worker would begin late.
func (s *server) serveStart(w http.ResponseWriter, r *http.Request) {
	var told start
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPlan)).Decode(&told); err != nil {
		http.Error(w, "the start is no JSON of a start", http.StatusBadRequest)
		return
	}
	t := s.task(told.Plan)
	if t == nil {
		http.Error(w, "no such plan", http.StatusNotFound)
		return
	}
	if late := s.clock(time.Now()) - told.At; late > 0 {
		http.Error(w, fmt.Sprintf("the start was told %v too late", time.Duration(late)), http.StatusPreconditionFailed)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told {
		http.Error(w, "the start was told already", http.StatusConflict)
		return
	}
	t.told = true
	t.started <- time.Duration(told.At - t.began)
	w.WriteHeader(http.StatusNoContent)
}

// serveLedger streams the share's entries from the byte "from" on, as they are
// written, until the share has ended.
func (s *server) serveLedger(w http.ResponseWriter, r *http.Request) {
	t := s.task(r.FormValue("plan"))
	from, err := strconv.Atoi(r.FormValue("from"))
	if t == nil || err != nil || from < 0 {
		http.Error(w, "no such plan or place", http.StatusNotFound)
		return
	}
	t.attend(1)
	defer t.attend(-1)
	flusher := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/jsonl")
	for r.Context().Err() == nil {
		waiting, cancel := context.WithTimeout(r.Context(), beat)
		lines, ended := t.scroll.from(waiting, from)
		cancel()
		from += len(lines)
		if len(lines) == 0 && !ended {
			lines = []byte("\n")
		}
		if _, err := w.Write(lines); err != nil || flusher.Flush() != nil || ended {
			return
		}
	}
}

// attend counts who reads the ledger.
func (t *task) attend(change int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readers += change; t.readers > 0 {
		t.orphan.Stop()
		return
	}
	select {
	case <-t.ended:
	default:
		t.orphan.Reset(orphanAfter)
	}
}

// serveStop ends a share, if it has not ended, and with "drop" forgets it.
func (s *server) serveStop(w http.ResponseWriter, r *http.Request) {
	id, stopped := r.FormValue("plan"), errors.New("stopped")
	if r.FormValue("drop") != "" {
		s.drop(id, stopped)
	} else if t := s.task(id); t != nil {
		t.cancel(stopped)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) task(id string) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks[id]
}

func (s *server) drop(id string, why error) {
	s.mu.Lock()
	t := s.tasks[id]
	delete(s.tasks, id)
	s.mu.Unlock()
	if t != nil {
		t.cancel(why)
	}
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	// Who asked may have gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(value)
}
