package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Journal is what the backend served.
type Journal struct {
	// Served counts the requests served since the start.
	Served int64
	// Hits are how often each id that was asked for was served, 0 included.
	Hits map[string]int
	// Forgotten counts ids that the journal has dropped to bound its memory:
	// above 0, an id with 0 hits may have been served all the same.
	Forgotten int64
}

// Journal asks the journal at address how often each of the hit ids was
// served.
func (r *Reader) Journal(ctx context.Context, address string, ids []string) (Journal, error) {
	if ids == nil {
		ids = []string{}
	}
	question, err := encode(ids)
	if err != nil {
		return Journal{}, fmt.Errorf("ask %s: %w", address, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, question)
	if err != nil {
		return Journal{}, fmt.Errorf("ask %s: %w", address, err)
	}
	request.Header.Set("Content-Type", "application/json")
	body, err := r.do(request)
	if err != nil {
		return Journal{}, err
	}
	answer, err := decodeJournal(body)
	if err != nil {
		return Journal{}, fmt.Errorf("read %s: %w", address, err)
	}
	asked := make(map[string]int, len(ids))
	for _, id := range ids {
		asked[id] = answer.Hits[id]
	}
	answer.Hits = asked
	return answer, nil
}

// decodeJournal reads a journal's answer: served is required, counts are not
// negative.
func decodeJournal(body []byte) (Journal, error) {
	var answer struct {
		Served    *int64         `json:"served"`
		Hits      map[string]int `json:"hits"`
		Forgotten int64          `json:"forgotten"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Journal{}, fmt.Errorf("%w in %s", err, quote(body))
	}
	if answer.Served == nil {
		return Journal{}, errors.New("no \"served\" in the answer: this is no journal")
	}
	if *answer.Served < 0 {
		return Journal{}, fmt.Errorf("served is %d, which is no count", *answer.Served)
	}
	for id, n := range answer.Hits {
		if n < 0 {
			return Journal{}, fmt.Errorf("hit %q was served %d times, which is no count", id, n)
		}
	}
	return Journal{*answer.Served, answer.Hits, answer.Forgotten}, nil
}

// requestSuccess is the model server's own count; the simulator of the seed's
// date (v0.3.0) does not have it (sut.md 5.3).
const requestSuccess = "vllm:request_success_total"

// ModelServer reads from a model server's metrics page how many requests it
// served: the account of a backend that keeps no journal.
func (r *Reader) ModelServer(ctx context.Context, base string) (int64, error) {
	address := join(base, "/metrics")
	page, err := r.get(ctx, address)
	if err != nil {
		return 0, err
	}
	samples, err := Parse(page, requestSuccess)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", address, err)
	}
	if len(samples) == 0 {
		return 0, fmt.Errorf("read %s: no %s there: this model server does not count what it served", address, requestSuccess)
	}
	var served int64
	for _, sample := range samples {
		if served, err = sample.addTo(served); err != nil {
			return 0, fmt.Errorf("read %s: %w", address, err)
		}
	}
	return served, nil
}
