package attack_test

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/floodgate-dev/floodgate/reports/evidence"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// unreliable answers the first request of each connection and hangs up on the
// second one, after it has read it: what makes net/http send a request again.
type unreliable struct {
	url  string
	mu   sync.Mutex
	seen map[string]int
	all  int
}

func serveUnreliably(t *testing.T) *unreliable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &unreliable{url: "http://" + listener.Addr().String(), seen: map[string]int{}}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { u.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	return u
}

func (u *unreliable) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for served := range 2 {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		u.mu.Lock()
		u.seen[request.Header.Get(evidence.HitHeader)]++
		u.all++
		u.mu.Unlock()
		if served == 0 {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

// requests is how many requests were on the wire, in all and of each hit.
func (u *unreliable) requests() (all int, hits map[string]int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all, maps.Clone(u.seen)
}

func TestTheUnreliableServerProvokesReplays(t *testing.T) {
	u := serveUnreliably(t)
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 10 {
		response, err := client.Get(u.url)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	if all, _ := u.requests(); all <= 10 {
		t.Errorf("net/http made %d requests of 10: the server does not provoke it", all)
	}
}

func TestNoHitIsReplayed(t *testing.T) {
	body := [][]byte{[]byte(`{"model":"random"}`)}
	for _, tc := range []struct {
		method string
		bodies [][]byte
	}{
		{http.MethodPost, body},
		{http.MethodPost, nil},
		{http.MethodGet, nil},
		{http.MethodGet, body},
		{http.MethodHead, nil},
		{http.MethodOptions, nil},
		{http.MethodPut, body},
		{http.MethodDelete, nil},
	} {
		t.Run(tc.method+" "+strings.Repeat("with body", len(tc.bodies)), func(t *testing.T) {
			const hits = 30
			u := serveUnreliably(t)
			a := at(u.url, hits, attack.OneAtATime)
			a.Target.Method, a.Target.Bodies = tc.method, tc.bodies
			report, entries := fire(t, a)

			all, each := u.requests()
			if all != hits {
				t.Errorf("%d requests on the wire for %d hits", all, hits)
			}
			for _, e := range entries {
				if each[e.Hit] != 1 {
					t.Errorf("hit %d was on the wire %d times", e.Seq, each[e.Hit])
				}
				if lost := e.Seq%2 == 1; lost != (e.Outcome == evidence.Lost) {
					t.Errorf("hit %d is %s", e.Seq, e.Outcome)
				}
			}
			if report.Outcomes[evidence.Lost] != hits/2 {
				t.Errorf("outcomes %v", report.Outcomes)
			}
		})
	}
}
