package crew

import (
	"github.com/floodgate-dev/floodgate/suites/attack"
)

// share is what one worker of an attack does.
type share struct {
	// worker is the index of who does it.
	worker int
	hits   int
	pacer  attack.Pacer
	// first and every are the attack.Share's.
	first, every uint64
}

// split shares an attack's hits out: hit n goes to worker n mod the number of
// workers that take part, so that the sum is exact and the first workers get
// the remainder. A Rate is divided evenly and its shares alternate; Callers are
// divided; hits that leave Together are released at the agreed time. Workers
// who would have no hit or no caller take no part, so OneAtATime is worker 0's
// alone.
func split(hits int, pacer attack.Pacer, workers int) []share {
	active := min(workers, hits)
	callers, closed := pacer.(attack.Callers)
	if closed {
		active = min(active, int(callers))
	}
	shares := make([]share, active)
	for i := range shares {
		shares[i] = share{
			worker: i, hits: portion(hits, active, i), pacer: pacer,
			first: uint64(i), every: uint64(active),
		}
		if closed {
			shares[i].pacer = attack.Callers(portion(int(callers), active, i))
		}
		if rate, ok := pacer.(attack.Rate); ok {
			shares[i].pacer = rate / attack.Rate(active)
		}
	}
	return shares
}

// portion is the ith of n parts of a whole number.
func portion(whole, n, i int) int {
	part := whole / n
	if i < whole%n {
		part++
	}
	return part
}
