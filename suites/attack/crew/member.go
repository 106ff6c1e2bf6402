package crew

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// callPatience bounds a call to a worker that does not wait for hits.
	callPatience = 5 * time.Second
	// againAfter is how long after a broken stream it is taken up again.
	againAfter = 100 * time.Millisecond
	// maxComplaint bounds what is kept of a worker's complaint.
	maxComplaint = 500
)

// errForgotten says that a worker does not know the plan it was given: it is
// not the process that it was.
// errTooLate says that the worker has not begun, because the time to begin had
// gone by.
var errTooLate = errors.New("it was told too late")

var errForgotten = errors.New("it does not know the plan any more: it was started anew")

// member is one worker of a crew.
type member struct {
	name, url, token string
	client           *http.Client
	clock            clock
}

func (m *member) do(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode for %s: %w", path, err)
		}
		content = bytes.NewReader(encoded)
	}
	target := strings.TrimSuffix(m.url, "/") + path
	if query != nil {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+m.token)
	response, err := m.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxComplaint))
	err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(text))
	if response.StatusCode == http.StatusNotFound {
		err = errors.Join(errForgotten, err)
	}
	if response.StatusCode == http.StatusPreconditionFailed {
		err = fmt.Errorf("%w: %w", errTooLate, err)
	}
	return nil, err
}

// call makes one call and reads its answer into result, if that is not nil.
func (m *member) call(ctx context.Context, method, path string, query url.Values, body, result any) error {
	response, err := m.do(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if result == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	// Read to the end, so that the connection serves the next exchange.
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, result)
}

// compare adds what some exchanges say to what is known of the worker's clock.
func (m *member) compare(ctx context.Context, times int, ours func() time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	e, err := compare(ctx, times, ours, func(ctx context.Context) (time.Duration, error) {
		var now reading
		err := m.call(ctx, http.MethodGet, "/clock", nil, nil, &now)
		return time.Duration(now.Now), err
	})
	if err == nil {
		m.clock.add(e)
	}
	return err
}

// plan returns when the worker is ready to begin its share.
func (m *member) plan(ctx context.Context, p plan) (planned, error) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience+callPatience)
	defer cancel()
	var ready planned
	return ready, m.call(ctx, http.MethodPost, "/plan", nil, p, &ready)
}

func (m *member) start(ctx context.Context, id string, at time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	return m.call(ctx, http.MethodPost, "/start", nil, start{Plan: id, At: int64(at)}, nil)
}

// stop ends a share, and with drop has the worker forget it.
func (m *member) stop(ctx context.Context, id string, drop bool) error {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	query := url.Values{"plan": {id}}
	if drop {
		query.Set("drop", "1")
	}
	return m.call(ctx, http.MethodPost, "/stop", query, nil, nil)
}

// follow reads the share's ledger line by line until its end. A stream that
// breaks is taken up where it broke: the ledger is the worker's, no hit is
// fired again. The error says that the worker is gone, which it is when it says
// nothing for as long as silence, or is each's own.
func (m *member) follow(ctx context.Context, id string, silence time.Duration, each func(line []byte) error) (end, error) {
	from, heard := 0, time.Now()
	for {
		last, read, err := m.read(ctx, id, silence, &from, each)
		if last != nil {
			return *last, nil
		}
		if read {
			heard = time.Now()
		}
		var own *entryError
		switch {
		case errors.As(err, &own), errors.Is(err, errForgotten):
			return end{}, err
		case ctx.Err() != nil:
			return end{}, context.Cause(ctx)
		case time.Since(heard) > silence:
			return end{}, fmt.Errorf("nothing heard of it for %v: %w", silence, err)
		}
		pause := time.NewTimer(againAfter)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// entryError is what each made of a line: no fault of the connection.
type entryError struct{ err error }

func (e *entryError) Error() string { return e.err.Error() }
func (e *entryError) Unwrap() error { return e.err }

// read is one connection's part of follow: the end, if it came, and whether
// anything did.
func (m *member) read(ctx context.Context, id string, silence time.Duration, from *int, each func(line []byte) error) (last *end, heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var silent atomic.Bool
	watch := time.AfterFunc(silence, func() { silent.Store(true); cancel() })
	defer watch.Stop()
	response, err := m.do(ctx, http.MethodGet, "/ledger", url.Values{"plan": {id}, "from": {strconv.Itoa(*from)}}, nil)
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	for lines := bufio.NewReader(response.Body); ; {
		line, err := lines.ReadBytes('\n')
		if silent.Load() {
			return nil, heard, errors.New("the stream fell silent")
		}
		if err != nil {
			return nil, heard, err
		}
		watch.Reset(silence)
		heard = true
		if len(line) == 1 {
			continue // a beat, which is no part of the ledger
		}
		*from += len(line)
		var mark struct {
			APIVersion string `json:"apiVersion"`
			End        *end   `json:"end"`
		}
		if err := json.Unmarshal(line, &mark); err != nil {
			return nil, heard, &entryError{fmt.Errorf("its ledger has a line that is no JSON: %w", err)}
		}
		switch {
		case mark.End != nil:
			return mark.End, true, nil
		case mark.APIVersion != "":
		default:
			if err := each(line); err != nil {
				return nil, heard, &entryError{err}
			}
		}
	}
}
