package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// visitedPort is where the gateway of a run that others call listens: below the
// ports that the kernel gives out, so that no other run has it.
const visitedPort = 18471

// visitEvery is how often somebody calls.
const visitEvery = 25 * time.Millisecond

func visitedIf(visited bool) int {
	if visited {
		return visitedPort
	}
	return 0
}

// visit has the seed's callers call a gateway in turn until the returned function
// is called. Before it is up, nobody answers them.
func visit(ctx context.Context, port int) (leave func(), err error) {
	set, err := readPolicies(seedPolicies)
	if err != nil {
		return nil, err
	}
	request := set.Request()
	var credentials []string
	for _, identity := range set.Identities() {
		credentials = append(credentials, identity.Credential.Name+" "+identity.Key.Reveal())
	}
	ctx, cancel := context.WithCancel(ctx)
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{}}
	var visiting sync.WaitGroup
	visiting.Go(func() {
		defer client.CloseIdleConnections()
		tick := time.NewTicker(visitEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			hit, err := http.NewRequestWithContext(ctx, request.Method, fmt.Sprintf("http://127.0.0.1:%d%s", port, request.Path), strings.NewReader(`{"model":"random","prompt":"hello","max_tokens":2}`))
			if err != nil {
				return
			}
			hit.Host = request.Host
			hit.Header.Set("Content-Type", request.ContentType)
			hit.Header.Set("Authorization", credentials[n%len(credentials)])
			if answer, err := client.Do(hit); err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
		}
	})
	return func() {
		cancel()
		visiting.Wait()
	}, nil
}
