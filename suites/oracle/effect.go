package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// Change is something that a case changed while it fired. Times are on the
// ledger's clock.
type Change struct {
	// What says what was changed, such as "the key was deleted".
	What string `json:"what"`
	// Asked is when the system under test was told, Done when that had been
	// accepted: in between nobody can say which state holds.
	Asked time.Duration `json:"asked"`
	Done  time.Duration `json:"done"`
	// Budget is how long after Done the old state may still show.
	Budget time.Duration `json:"budget"`
	// Until and Then are how hits end in the old state and in the new one.
	Until []evidence.Outcome `json:"until"`
	Then  []evidence.Outcome `json:"then"`
	// Owner is who has to take the change in.
	Owner reports.Component `json:"owner"`
}

// judgeTakesEffect looks for the moment from which only the new state shows.
// The old one must not outlive the budget, the new one not come before it was
// asked for, and once it has shown the old one must not come back.
func judgeTakesEffect(t *trial) reports.Finding {
	change := t.q.Want.Change
	if change == nil {
		return doubt("the question names no change")
	}
	v := t.watchChange(change)
	switch {
	case len(v.early) > 0:
		return blame(cause{change.Owner, t.answered(v.early[0]), "the new state showed before it was asked for"}, v.early,
			"%s: %s answered as if so before it was", change.What, hitsWere(len(v.early)))
	case len(v.late) > 0:
		e := &t.entries[v.late[len(v.late)-1]-1]
		return blame(t.withholds(change, v.late, "the change is not in force within its budget"), v.late,
			"%s: %s still answered as before more than %s later, the last one sent %s later",
			change.What, hitsWere(len(v.late)), at(change.Budget), at(e.Sent-change.Done))
	case len(v.back) > 0:
		return blame(t.withholds(change, v.back, "the old state came back"), v.back,
			"%s: %s answered as before after the change had shown", change.What, hitsWere(len(v.back)))
	case len(v.strange) > 0:
		f := doubt("%s: %s answered neither as before nor as after; %s", change.What, hitsWere(len(v.strange)), t.ended(v.strange[0]))
		f.Evidence.Entries = first(v.strange)
		return f
	case v.before == 0:
		return doubt("%s: no hit was answered before it, so that the change was not seen", change.What)
	case v.after == 0:
		return doubt("%s: no hit was sent more than %s after it", change.What, at(change.Budget))
	}
	return passSaying("%s: the old state last showed %s after it", change.What, at(max(0, v.lastOld-change.Done)))
}

// withholds blames the owner of the change for hits that show the old state,
// unless that is being admitted and the limiter said yes to them.
func (t *trial) withholds(change *Change, hits []int, conclusion string) cause {
	m, why := t.limiterMoved()
	if change.Owner == reports.Gateway && why == "" && m.Authorized >= int64(len(hits)) && t.entries[hits[0]-1].Outcome == evidence.Admitted {
		return cause{
			reports.Limiter, fmt.Sprintf("the limiter answered them (its authorized_calls +%d)", m.Authorized),
			"the gateway asked, and the limiter said yes",
		}
	}
	return cause{change.Owner, t.answered(hits[0]), conclusion}
}

// ended is "entry 3 was lost", or how it was answered.
func (t *trial) ended(number int) string {
	if t.entries[number-1].Outcome == evidence.Lost {
		return fmt.Sprintf("entry %d was lost", number)
	}
	return t.answered(number)
}

// observation are the hits around a change, by what they say of it.
type observation struct {
	early, late, back, strange []int
	// before and after count the hits that must show the old and the new state.
	before, after int
	// lastOld is when the last hit left that showed the old state.
	lastOld time.Duration
}

func (t *trial) watchChange(change *Change) observation {
	var o observation
	// shown is when an answer first showed the new state.
	shown := time.Duration(1<<63 - 1)
	for _, i := range t.mine {
		if e := &t.entries[i]; slices.Contains(change.Then, e.Outcome) {
			shown = min(shown, e.Received)
		}
	}
	for _, i := range t.mine {
		e := &t.entries[i]
		isOld, isNew := slices.Contains(change.Until, e.Outcome), slices.Contains(change.Then, e.Outcome)
		switch {
		case e.Received < change.Asked:
			o.before++
		case e.Sent > change.Done+change.Budget:
			o.after++
		}
		if isOld {
			o.lastOld = max(o.lastOld, e.Sent)
		}
		switch {
		case !isOld && !isNew:
			o.strange = append(o.strange, i+1)
		case isNew && e.Received < change.Asked:
			o.early = append(o.early, i+1)
		case isOld && e.Sent > change.Done+change.Budget:
			o.late = append(o.late, i+1)
		case isOld && e.Sent > shown:
			o.back = append(o.back, i+1)
		}
	}
	return o
}
