package timeline

import (
	"cmp"
	"container/heap"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// disorder is how many entries a ledger's line may be away from its place in
// the order of answers: more than any attack has hits in flight.
const disorder = 4096

// order yields entries by when their answers came; entries of one moment stay
// in the order of the ledger. It holds at most disorder entries.
type order struct {
	held  byReceived
	yield func(evidence.Entry)
}

func (o *order) add(e evidence.Entry) {
	e.Answer = nil
	heap.Push(&o.held, e)
	if len(o.held) > disorder {
		o.next()
	}
}

func (o *order) flush() {
	for len(o.held) > 0 {
		o.next()
	}
}

func (o *order) next() {
	if e, ok := heap.Pop(&o.held).(evidence.Entry); ok {
		o.yield(e)
	}
}

type byReceived []evidence.Entry

func (b byReceived) Len() int      { return len(b) }
func (b byReceived) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b byReceived) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(b[i].Received, b[j].Received), cmp.Compare(b[i].Number, b[j].Number)) < 0
}

func (b *byReceived) Push(x any) {
	if e, ok := x.(evidence.Entry); ok {
		*b = append(*b, e)
	}
}

func (b *byReceived) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}
