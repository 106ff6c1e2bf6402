package oracle

import "github.com/floodgate-dev/floodgate/fixtures/tier"

// outOfReach tells whether a limit on which others draw too had certainly more than
// spare left, whoever drew on it: the limiter has not booked as many calls since it
// began, and the case has not fired as many. On a stack that was there before the run
// a store may remember more than the limiter's process has booked.
func (t *trial) outOfReach(limit tier.Limit, spare int64) bool {
	before, after := t.q.Before.Limiter, t.q.After.Limiter
	if limit.Unit != tier.Hits || !t.sharedLimit(limit) || t.q.Shared || before == nil || after == nil || !sameSet(before.Instances, after.Instances) {
		return false
	}
	return limit.Quota-after.Total.Authorized-int64(t.whole.sent) > spare
}

// inReach are the subject's limits without those of everybody that are out of reach:
// those that can have denied it.
func (t *trial) inReach() (limits []tier.Limit) {
	for _, l := range t.q.Subject.Limits {
		if !t.outOfReach(l, 0) {
			limits = append(limits, l)
		}
	}
	return limits
}
