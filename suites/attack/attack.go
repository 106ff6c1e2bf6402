// Package attack fires hits and writes them down: a plan in, a ledger out. It
// is the measured path and the one importer of vegeta's attacker.
//
// Vegeta decides when a hit leaves and which worker carries it. What a hit is,
// when exactly it was sent and received, and how it ended is settled in the
// package's own http.RoundTripper, in the worker's goroutine, so that a hit's
// sequence number, id, times and entry cannot come apart and nothing has to be
// remembered until the end of the attack.
package attack

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
)

// DefaultTimeout is how long a hit waits for the whole of its answer unless the
// attack says otherwise.
const DefaultTimeout = 10 * time.Second

// Attack is a plan: who fires how many hits at what, and when each leaves.
type Attack struct {
	// Name tells the attack from the others of its ledger; "" lets the ledger
	// choose one. It is part of each hit's id: letters, digits, - and _.
	Name string
	// As is who fires.
	As tier.Identity
	// Hits is exactly how many hits leave.
	Hits  int
	Pacer Pacer
	// Target is what is hit.
	Target Target

	// Anonymous sends no credential at all.
	Anonymous bool
	// Forged, if not nil, is sent where As carries its key: the whole value of
	// the header, query parameter or cookie, so that a wrong scheme, an empty
	// or a huge key can be tried. What stands behind its scheme counts as a secret
	// like As.Key: it may be nearly one.
	Forged *string
	// Also are callers whose credentials each hit carries behind As's own, in
	// headers or parameters of their own.
	Also []tier.Identity
	// Header is added to each hit, such as a header that claims another user.
	Header http.Header

	// Timeout bounds the wait for the whole of an answer; 0 is DefaultTimeout.
	Timeout time.Duration
	// KeepAnswers keeps the form of each answer in the ledger.
	KeepAnswers bool
	// Protocol is HTTP1 unless said otherwise.
	Protocol Protocol
	// NoKeepAlive opens a connection for each hit.
	NoKeepAlive bool
	// Connections caps the open connections of HTTP1; 0 is one for each hit in
	// flight. Above the cap a hit waits for a connection after it was sent.
	Connections int
	// Line is what the attack's connections are shared with; nil shares them with
	// no other attack.
	Line *Line
	// From is the address of this machine that connections are opened from, such
	// as "127.0.0.2"; "" leaves it to the system.
	From string

	// GiveUpEvery makes the caller leave before the answer at every so-manieth
	// hit: at once after the hit was sent, or 1 to 3 ms later, in turn. 0 is
	// never. A hit that was answered by then is an entry like others.
	GiveUpEvery int

	// Share makes the attack one worker's part of a larger one; nil is the whole.
	Share *Share

	// Transport replaces the network, for a system under test in this process.
	// Pacing then uses the runtime's timers, so that a virtual clock drives it.
	// A transport must not retry.
	Transport http.RoundTripper
}

// Target is the request that a hit makes.
type Target struct {
	// URL is the gateway's base URL, such as "http://127.0.0.1:8080".
	URL string
	// Method is POST unless said otherwise.
	Method string
	// Host replaces the Host header where the gateway routes by hostname.
	Host string
	// Path is appended to URL as it stands, odd forms included.
	Path string
	// AbsoluteForm names the whole URL, with Host in it, in the request line, as
	// a client does that talks to a proxy (HTTP1 only).
	AbsoluteForm bool
	// Bodies are sent in turn: hit n sends Bodies[n mod len(Bodies)].
	Bodies [][]byte
	// HoldEnd is how long the end of each body stays behind. Such a body has no
	// length that is told ahead.
	HoldEnd time.Duration
	// ContentType is application/json unless said otherwise; it is sent only
	// with a body.
	ContentType string
}

// Protocol is the version of HTTP that hits speak.
type Protocol string

// The protocols.
const (
	// HTTP1 is HTTP/1.1.
	HTTP1 Protocol = "http/1.1"
	// H2C is HTTP/2 with prior knowledge and without TLS.
	H2C Protocol = "h2c"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

// Check says what of the attack cannot be carried out, field by field.
func (a Attack) Check() error {
	_, err := a.withDefaults()
	return err
}

// withDefaults is the attack with nothing left open, or an error that names
// every field that is wrong.
func (a Attack) withDefaults() (Attack, error) {
	if a.Timeout == 0 {
		a.Timeout = DefaultTimeout
	}
	if a.Protocol == "" {
		a.Protocol = HTTP1
	}
	if a.Target.Method == "" {
		a.Target.Method = http.MethodPost
	}
	if a.Target.ContentType == "" {
		a.Target.ContentType = "application/json"
	}

	var wrong []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	refuse(!nameForm.MatchString(a.Name), "Name %q: want at most 64 letters, digits, - and _", a.Name)
	refuse(a.Hits < 1, "Hits %d: want at least 1", a.Hits)
	refuse(a.Timeout < 0, "Timeout %v: want more than 0", a.Timeout)
	refuse(a.GiveUpEvery < 0, "GiveUpEvery %d: want 0 (never) or more", a.GiveUpEvery)
	refuse(a.Target.HoldEnd < 0 || a.Target.HoldEnd >= a.Timeout, "Target.HoldEnd %v: want less than the timeout of %v", a.Target.HoldEnd, a.Timeout)
	refuse(a.Connections < 0, "Connections %d: want 0 (no cap) or more", a.Connections)
	refuse(a.From != "" && net.ParseIP(a.From) == nil, "From %q: want an IP address", a.From)
	refuse(a.Protocol != HTTP1 && a.Protocol != H2C, "Protocol %q: want %s or %s", a.Protocol, HTTP1, H2C)
	refuse(a.Protocol == H2C && a.NoKeepAlive, "NoKeepAlive: %s has no such thing", H2C)
	refuse(a.Protocol == H2C && a.Target.AbsoluteForm, "Target.AbsoluteForm: %s has no such thing", H2C)
	refuse(!a.Anonymous && a.Forged == nil && a.As.Key == "", "As: %s has no key; set Anonymous to fire without one", a.As)
	refuse(a.Anonymous && a.Forged != nil, "Anonymous and Forged exclude each other")
	if a.Pacer == nil {
		wrong = append(wrong, errors.New("Pacer: want OneAtATime, Callers, Rate or Together"))
	} else if err := a.Pacer.check(); err != nil {
		wrong = append(wrong, err)
	}
	wrong = append(wrong, a.Target.check()...)
	wrong = append(wrong, a.Share.check()...)
	// net/http takes these for a licence to replay a POST.
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		for given := range a.Header {
			refuse(textproto.CanonicalMIMEHeaderKey(given) == name, "Header %s: hits are never replayed", name)
		}
	}
	if len(wrong) > 0 {
		return a, fmt.Errorf("attack %q: %w", a.Name, errors.Join(wrong...))
	}
	return a, nil
}

func (t Target) check() (wrong []error) {
	if u, err := url.Parse(t.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		wrong = append(wrong, fmt.Errorf("Target.URL %q: want http://host:port", t.URL))
	}
	if t.Path != "" && !strings.HasPrefix(t.Path, "/") {
		wrong = append(wrong, fmt.Errorf("Target.Path %q: want it to begin with /", t.Path))
	}
	// Without a body net/http would frame or replay these as it sees fit.
	if t.Method == http.MethodTrace || t.Method == http.MethodConnect {
		wrong = append(wrong, fmt.Errorf("Target.Method %s is not supported", t.Method))
	}
	return wrong
}
