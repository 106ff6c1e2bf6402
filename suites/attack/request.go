package attack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// request is what all hits of an attack have in common.
type request struct {
	method string
	url    *url.URL
	host   string
	header http.Header
	bodies [][]byte
	// hold is how long the end of a body stays behind.
	hold time.Duration
	// prefix and a hit's sequence number make the hit's id.
	prefix string
}

// newRequest is a's request; its ids are unique because a ledger's attacks have
// different names and ledgers begin at different times.
func newRequest(a Attack, ledger evidence.Header) (*request, error) {
	target, err := url.Parse(strings.TrimSuffix(a.Target.URL, "/") + a.Target.Path)
	if err != nil {
		return nil, fmt.Errorf("attack %q: target: %w", a.Name, err)
	}
	header := http.Header{}
	for name, values := range a.Header {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", "Floodgate")
	}
	if len(a.Target.Bodies) > 0 && header.Get("Content-Type") == "" {
		header.Set("Content-Type", a.Target.ContentType)
	}
	if !a.Anonymous {
		if err := present(a, header, target); err != nil {
			return nil, err
		}
		for _, other := range a.Also {
			if err := present(Attack{Name: a.Name, As: other}, header, target); err != nil {
				return nil, err
			}
		}
	}
	prefix := IDPrefix(ledger, a.Name)
	if a.Share != nil {
		prefix = a.Share.IDPrefix
	}
	return &request{
		method: a.Target.Method, url: target, host: a.Target.Host, header: header, bodies: a.Target.Bodies, hold: a.Target.HoldEnd, prefix: prefix,
	}, nil
}

// IDPrefix begins the ids of the hits of a ledger's attack; a hit's sequence
// number ends them.
func IDPrefix(ledger evidence.Header, attack string) string {
	began := strconv.FormatInt(ledger.Began.UnixMicro(), 36)
	return strings.Map(idRune, ledger.Case) + "-" + began + "." + attack + "."
}

// idRune keeps what may stand in a hit's id.
func idRune(r rune) rune {
	if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
		return r
	}
	return '-'
}

// present puts the credential where the policy wants it (sut.md 4).
func present(a Attack, header http.Header, target *url.URL) error {
	credential, value := a.As.Credential, a.As.Key.Reveal()
	if credential.Place == tier.AuthorizationHeader {
		value = credential.Name + " " + value
	}
	if a.Forged != nil {
		value = *a.Forged
	}
	switch credential.Place {
	case tier.AuthorizationHeader:
		header.Add("Authorization", value)
	case tier.CustomHeader:
		header.Add(credential.Name, value)
	case tier.Cookie:
		header.Add("Cookie", credential.Name+"="+value)
	case tier.QueryString:
		query := url.QueryEscape(credential.Name) + "=" + url.QueryEscape(value)
		if target.RawQuery != "" {
			query = target.RawQuery + "&" + query
		}
		target.RawQuery = query
	default:
		return fmt.Errorf("attack %q: As: %s has a credential at %q: want %s, %s, %s or %s", a.Name, a.As, credential.Place,
			tier.AuthorizationHeader, tier.CustomHeader, tier.QueryString, tier.Cookie)
	}
	return nil
}

// id is the id of hit seq.
func (r *request) id(seq uint64) string {
	var buf [128]byte
	return string(strconv.AppendUint(append(buf[:0], r.prefix...), seq, 10))
}

// hit is a request of its own for hit seq. The transport may still be reading
// it when its answer is there, so nothing of it is ever used twice.
//
// It cannot be replayed: net/http sends a request again when a reused
// connection turns out to be dead, if it has no body or can get it anew.
func (r *request) hit(ctx context.Context, id string, seq uint64) *http.Request {
	hit := (&http.Request{
		Method: r.method, URL: r.url, Host: r.host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: maps.Clone(r.header),
	}).WithContext(ctx)
	hit.Header[evidence.HitHeader] = []string{id}
	switch {
	case len(r.bodies) > 0 && r.hold > 0:
		body := r.bodies[seq%uint64(len(r.bodies))]
		hit.Body, hit.ContentLength = io.NopCloser(&heldBody{ctx: ctx, left: body, hold: r.hold}), -1
	case len(r.bodies) > 0:
		body := r.bodies[seq%uint64(len(r.bodies))]
		// net/http knows this combination of types and sends header and body in
		// one write.
		hit.Body, hit.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	case r.method == http.MethodPost || r.method == http.MethodPut || r.method == http.MethodPatch:
		// Not replayed, being not idempotent by net/http's rules.
	default:
		hit.Body = once{}
	}
	return hit
}

// once is an empty body of unknown length, which looks to net/http as if it
// could be read only once. Nothing of it shows on an HTTP/1.1 connection.
type once struct{}

func (once) Read([]byte) (int, error) { return 0, io.EOF }
func (once) Close() error             { return nil }
