package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// visitEvery is how often somebody calls.
const visitEvery = 25 * time.Millisecond

// The ports below those that the kernel gives out, of which no other run has one
// but by choice.
const (
	lowestPort  = 15_000
	highestPort = 32_000
)

// visitedPort is a port where the gateway of a run that others call can listen.
func visitedPort() int {
	for {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if free, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = free.Close()
			return port
		}
	}
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
