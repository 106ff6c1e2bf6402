package oracle

import (
	"hash/maphash"
	"math/bits"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// partBits is how many bits the number of ids has that are looked at together: the
// table of so many stays in a processor's nearest cache.
const partBits = 12

// hashed is an entry by its number and the hash of its id.
type hashed struct{ hash, entry uint32 }

// firstRepeat is the index of the first entry whose id an earlier one has, -1 if
// there is none. A map of a million ids would be most of what a judgement takes in
// memory, and in one table of them each look would wait for memory: the ids are
// parted by their hashes, and each part has a small table of its own.
func firstRepeat(entries []evidence.Entry) int {
	seed, hashes := maphash.MakeSeed(), make([]uint32, len(entries))
	partedBy := max(0, bits.Len(uint(len(entries)))-partBits)
	ends := make([]int, 1<<partedBy+1)
	part := func(hash uint32) int { return int(uint64(hash) << partedBy >> 32) }
	for i := range entries {
		hashes[i] = uint32(maphash.String(seed, entries[i].Hit))
		ends[part(hashes[i])+1]++
	}
	largest := 0
	for i, size := range ends[1:] {
		largest = max(largest, size)
		ends[i+1] += ends[i]
	}
	parted := make([]hashed, len(entries))
	for i, hash := range hashes {
		at := &ends[part(hash)]
		parted[*at] = hashed{hash, uint32(i)}
		*at++
	}
	first, begin := -1, 0
	// slots hold a place in the part, 0 being free.
	slots := make([]uint32, 1<<bits.Len(uint(2*largest)))
	for _, end := range ends[:len(ends)-1] {
		clear(slots)
		if i := repeatIn(parted[begin:end], entries, slots); i >= 0 && (first < 0 || i < first) {
			first = i
		}
		begin = end
	}
	return first
}

// repeatIn is firstRepeat of some of the entries, in their order. There are more slots
// than entries, a power of two, and all are free.
func repeatIn(part []hashed, entries []evidence.Entry, slots []uint32) int {
	mask := uint32(len(slots) - 1)
	for i, one := range part {
		slot := one.hash & mask
		for ; slots[slot] != 0; slot = (slot + 1) & mask {
			other := part[slots[slot]-1]
			if other.hash == one.hash && entries[other.entry].Hit == entries[one.entry].Hit {
				return int(one.entry)
			}
		}
		slots[slot] = uint32(i + 1)
	}
	return -1
}
