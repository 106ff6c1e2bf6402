package crew

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// plan is one worker's share of an attack as it is sent to it. It holds the
// key: it is never written down.
type plan struct {
	// ID tells the worker's plans apart.
	ID   string `json:"id"`
	Name string `json:"name"`
	Case string `json:"case"`
	// First, Every and IDPrefix are the attack.Share's.
	First    uint64 `json:"first"`
	Every    uint64 `json:"every"`
	IDPrefix string `json:"idPrefix"`

	Hits     int     `json:"hits"`
	Callers  int     `json:"callers,omitempty"`
	Rate     float64 `json:"rate,omitempty"`
	Together bool    `json:"together,omitempty"`

	As        tier.Identity `json:"as"`
	Key       string        `json:"key,omitempty"`
	Anonymous bool          `json:"anonymous,omitempty"`
	Forged    *string       `json:"forged,omitempty"`
	Header    http.Header   `json:"header,omitempty"`
	Target    attack.Target `json:"target"`

	Timeout     time.Duration   `json:"timeout,omitempty"`
	KeepAnswers bool            `json:"keepAnswers,omitempty"`
	Protocol    attack.Protocol `json:"protocol,omitempty"`
	NoKeepAlive bool            `json:"noKeepAlive,omitempty"`
	Connections int             `json:"connections,omitempty"`
	From        string          `json:"from,omitempty"`
	GiveUpEvery int             `json:"giveUpEvery,omitempty"`
}

// planOf is one share of an attack, whose hits' ids begin with prefix.
func planOf(a attack.Attack, s share, id, caseID, prefix string) (plan, error) {
	p := plan{
		ID: id, Name: a.Name, Case: caseID, First: s.first, Every: s.every, IDPrefix: prefix, Hits: s.hits,
		As: a.As, Key: a.As.Key.Reveal(), Anonymous: a.Anonymous, Forged: a.Forged, Header: a.Header, Target: a.Target,
		Timeout: a.Timeout, KeepAnswers: a.KeepAnswers, Protocol: a.Protocol, NoKeepAlive: a.NoKeepAlive,
		From:        a.From,
		GiveUpEvery: a.GiveUpEvery,
	}
	if a.Connections > 0 {
		// A cap holds for the whole attack. Each worker needs one at least.
		p.Connections = max(1, portion(a.Connections, int(s.every), s.worker))
	}
	switch pacer := s.pacer.(type) {
	case attack.Callers:
		p.Callers = int(pacer)
	case attack.Rate:
		p.Rate = float64(pacer)
	default:
		if s.pacer != attack.Together {
			return p, fmt.Errorf("attack %q: pacer %T cannot be shared by workers", a.Name, s.pacer)
		}
		p.Together = true
	}
	return p, nil
}

// attack is the share as this process carries it out.
func (p plan) attack(await func(context.Context) (time.Duration, error)) (attack.Attack, error) {
	a := attack.Attack{
		Name: p.Name, As: p.As, Hits: p.Hits, Target: p.Target, Anonymous: p.Anonymous, Forged: p.Forged, Header: p.Header,
		Timeout: p.Timeout, KeepAnswers: p.KeepAnswers, Protocol: p.Protocol, NoKeepAlive: p.NoKeepAlive, Connections: p.Connections,
		From:        p.From,
		Share:       &attack.Share{First: p.First, Every: p.Every, IDPrefix: p.IDPrefix, Await: await},
		GiveUpEvery: p.GiveUpEvery,
	}
	a.As.Key = tier.Key(p.Key)
	switch {
	case p.ID == "":
		return a, errors.New("the plan has no id")
	case p.Together:
		a.Pacer = attack.Together
	case p.Rate > 0:
		a.Pacer = attack.Rate(p.Rate)
	default:
		a.Pacer = attack.Callers(p.Callers)
	}
	return a, nil
}

// planned is a worker's answer to a plan that it is ready to carry out.
type planned struct {
	// Began is the worker's clock at 0 of the share's ledger.
	Began int64 `json:"began"`
}

// start tells the worker when the whole attack begins, on the worker's clock.
type start struct {
	Plan string `json:"plan"`
	At   int64  `json:"at"`
}

// reading is the worker's clock.
type reading struct {
	Now int64 `json:"now"`
}

// end is the last line of a share's ledger.
type end struct {
	Fired int `json:"fired"`
	// Error is why fewer hits were fired than planned, or "".
	Error string `json:"error,omitempty"`
}
