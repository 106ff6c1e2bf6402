package oracle

import (
	"strings"

	"github.com/floodgate-dev/floodgate/reports/evidence"
)

// others tells whether the books show callers that the ledger knows nothing of: the
// gateway saw more hits than were fired. It may have counted wrong: on a stack of
// the run's own the limiter must have booked calls on others too, if it names
// callers. That alone shows nobody, for hits may be booked on the wrong caller.
func (t *trial) others() bool {
	g, unread := t.gatewayMoved()
	if unread == "" && g.Hits+g.Misses <= int64(t.whole.sent) {
		return false
	}
	before, after := t.q.Before.Limiter, t.q.After.Limiter
	named := before != nil && after != nil && after.Users != nil
	if unread == "" && (t.q.Shared || !named) {
		return true
	}
	return named && strangersMoved(before.Users, after.Users, t.namesOfCallers())
}

// namesOfCallers are those whose hits the ledger holds.
func (t *trial) namesOfCallers() map[string]bool {
	names := map[string]bool{}
	for i := range t.entries {
		_, name, _ := strings.Cut(t.entries[i].Identity, "/")
		names[name] = true
	}
	return names
}

func strangersMoved(before, after map[string]evidence.Calls, ours map[string]bool) bool {
	for name, calls := range after {
		if was := before[name]; !ours[name] && (calls.Authorized > was.Authorized || calls.Limited > was.Limited) {
			return true
		}
	}
	return false
}
