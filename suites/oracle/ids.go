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
	// slots hold the number of an entry, 0 being free, and above its bits a part of
	// its id's hash: of those that differ no entry need be looked up. There are at
	// least twice as many as entries, and a power of two.
	slots []uint32
	// number are the bits of a slot that hold it.
	number uint32
	seed   maphash.Seed
}

func newHitIDs(entries []evidence.Entry) *hitIDs {
	return &hitIDs{
		entries: entries, slots: make([]uint32, 1<<bits.Len(uint(2*len(entries)))),
		number: 1<<bits.Len32(uint32(len(entries))) - 1, seed: maphash.MakeSeed(),
	}
}

// add takes the id of entry i; it reports false if an earlier one has it.
func (ids *hitIDs) add(i int) bool {
	mask, hash := uint64(len(ids.slots)-1), maphash.String(ids.seed, ids.entries[i].Hit)
	mark := uint32(hash>>32) &^ ids.number
	for slot := hash & mask; ; slot = (slot + 1) & mask {
		switch taken := ids.slots[slot]; {
		case taken == 0:
			ids.slots[slot] = mark | uint32(i+1)
			return true
		case taken&^ids.number == mark && ids.entries[taken&ids.number-1].Hit == ids.entries[i].Hit:
			return false
		}
	}
}
