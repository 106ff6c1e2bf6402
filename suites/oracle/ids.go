package oracle

import (
	"hash/maphash"
	"math/bits"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// hitIDs finds ids that repeat, in a table of entries' numbers: a map of a
// million ids would be most of what a judgement takes in memory.
type hitIDs struct {
	entries []evidence.Entry
	// slots hold the number of an entry, 0 being free, below a part of its id's hash:
	// ids whose hashes differ need not be looked up. There are at least twice as many
	// as entries, and a power of two.
	slots []uint64
	seed  maphash.Seed
}

func newHitIDs(entries []evidence.Entry) *hitIDs {
	return &hitIDs{entries: entries, slots: make([]uint64, 1<<bits.Len(uint(2*len(entries)))), seed: maphash.MakeSeed()}
}

// add takes the id of entry i; it reports false if an earlier one has it.
func (ids *hitIDs) add(i int) bool {
	const number = 1<<32 - 1
	mask, hash := uint64(len(ids.slots)-1), maphash.String(ids.seed, ids.entries[i].Hit)
	for slot := hash & mask; ; slot = (slot + 1) & mask {
		switch taken := ids.slots[slot]; {
		case taken == 0:
			ids.slots[slot] = hash&^number | uint64(i+1)
			return true
		case taken&^number == hash&^number && ids.entries[taken&number-1].Hit == ids.entries[i].Hit:
			return false
		}
	}
}
