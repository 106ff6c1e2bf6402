package harness

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"slices"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// DefaultMultitude is how many callers there are where thousands are meant: more
// than a limiter's cache is likely to be made for, and as many as one machine can
// enrol and fire as while a window lasts.
const DefaultMultitude = 10_000

// Multitude is how many callers a case about thousands of them has.
func (b *Bed) Multitude() int { return cmp.Or(b.run.session.Multitude, DefaultMultitude) }

// FireInTurn has everybody of a crowd fire so many hits at once, and so many of the
// crowd side by side.
func (b *Bed) FireInTurn(ctx context.Context, abreast, each int, crowd []tier.Identity) Hits {
	ginkgoHelper()
	var names []string
	bodies := b.Bodies(ctx)
	for some := range slices.Chunk(crowd, abreast) {
		attacks := make([]attack.Attack, len(some))
		for i, who := range some {
			attacks[i] = attack.Attack{As: who, Hits: each, Pacer: attack.Together, Target: attack.Target{Bodies: bodies}}
		}
		names = append(names, b.fire(ctx, attacks)...)
	}
	return b.fired(names)
}

// Bodies are the bodies of the policy's request, one for each model that is
// served.
func (b *Bed) Bodies(ctx context.Context) [][]byte {
	ginkgoHelper()
	return b.bodies(ctx, b.set.Request().Path)
}

// OtherAddress is another address of this machine from which the bed's gateway
// can be reached. ok is false unless the gateway is on the loopback, of which a
// machine may have several addresses.
func (b *Bed) OtherAddress() (address string, ok bool) {
	const second = "127.0.0.2"
	gateway, err := url.Parse(b.variant.Gateway)
	if err != nil || gateway.Hostname() != "127.0.0.1" {
		return "", false
	}
	probe, err := net.Listen("tcp", net.JoinHostPort(second, "0"))
	if err != nil {
		return "", false
	}
	return second, probe.Close() == nil
}

// fired tells whether an attack fired some of these hits.
func (h Hits) fired() func(name string, _ attackPlan) bool {
	names := make(map[string]bool, len(h.attacks))
	for _, name := range h.attacks {
		names[name] = true
	}
	return func(name string, _ attackPlan) bool { return names[name] }
}
