package oracle

import (
	"slices"
	"strings"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// What to change, by what stood against a verdict.
const (
	giveTime = "the machine was too slow for this: leave it a core (--processes 1), or run the case alone"
	runAlone = "run the case alone (--case, --processes 1), so that the books hold its calls only"
	readBook = "make the book readable: its address and rights must be as floodgate doctor says"
	lookWhy  = "see logs/ and the gateway for why nobody answered, then run the case again"
	mendSpec = "the case asks what it does not say: mend its spec, no system under test can"
	otherSet = "the policy puts this to no test: use one with another quota or window, or take the case out of the run"
	untried  = "nothing to judge was fired or came back: see what the hits got in the ledger, mend that, and run the case again"
	mendPage = "the page came and is no book: mend what writes it, or what it comes through"
	steady   = "leave the system alone while the case runs: something restarted or was replaced under it"
	straddle = "the evidence lies on the edge of a window: run the case again, on a quieter machine if it happens twice"
	slower   = "the change or its effect came too late to be seen: look at the component's log, then run the case again"
	together = "others draw on one of the caller's limits, so that no case has its counter to itself: run the case on a copy of the policies without that limit"
	alien    = "the policy got a route's namespace of the limiter while the case ran, and others count there too: run the case on a stack of its own"
	foreign  = "others call this system too, and are not the run's to stop: run the case while nobody else calls it, or on a stack of its own"
	behind   = "see that Prometheus scrapes the limiter (its /targets page) more often than the case waits, then run it again"
)

// remedies tell for each cause of a doubt what to change; the first phrase that
// the reason contains decides. A doubt that none of them knows is the evidence's
// own, which another run on a quieter machine may not have.
var remedies = []struct{ phrase, change string }{
	{"book went backwards", steady},
	{"processes changed", steady},
	{"counters went backwards", steady},
	{"the same processes answer as before", steady},
	{"read for other namespaces", alien},
	{"generator lagged", giveTime},
	{"answers were slow", giveTime},
	{"may not have heard the authorizer in time", giveTime},
	{"planned one at a time", giveTime},
	{"Prometheus' sample was taken", behind},
	{"sample from before the first snapshot", behind},
	{"no scrape", behind},
	{"tells users apart and Prometheus' does not", "give the limiter's metrics and Prometheus' the same user label"},
	{"others ran beside", runAlone},
	{"others that ran beside", runAlone},
	{"others draw on the same counter", together},
	{"carry times of their own", "have Prometheus give the limiter's samples the times of its scrapes (honor_timestamps: false)"},
	{"exposition text", mendPage},
	{"which is no count", mendPage},
	{"counts more than", mendPage},
	{"is past 2^53", mendPage},
	{"book was not read", readBook},
	{"errors were not read", readBook},
	{"could not be read", readBook},
	{"/limits could be read", readBook},
	{"needs a limiter whose HTTP API", readBook},
	{"needs limiters that share a store", "run it against one limiter, or against several with one store"},
	{"could not be asked without the gateway", readBook},
	{"lost", lookWhy},
	{"without an answer", lookWhy},
	{"has no answer that tells", lookWhy},
	{"under way for too long", giveTime},
	{"may have been live", "wait until the caller's windows have ended and run the case again, or let the run issue callers of its own"},
	{"not answered to the end", lookWhy},
	{"the question names no", mendSpec},
	{"the question does not say", mendSpec},
	{"the question declares no", mendSpec},
	{"was not planned", mendSpec},
	{"are planned under the name", mendSpec},
	{"is unknown: this build", mendSpec},
	{"window model", "declare a window model that this build judges"},
	{"a ledger keeps fewer", mendSpec},
	{"outlasts the window", otherSet},
	{"no limit that", otherSet},
	{"one limit applies", otherSet},
	{"quota of 0 has no window", otherSet},
	{"may allow", otherSet},
	{"both tiers allow", otherSet},
	{"cannot be told from the other", otherSet},
	{"is not raised", otherSet},
	{"is what it was", otherSet},
	{"one limiter only", "run it where the limiter has replicas"},
	{"was asked about the subject", "fire more hits, so that every limiter is asked"},
	{"a limit on tokens applies too", otherSet},
	{"policy does not declare", "lint the policy: a limit is in force that it does not declare for this caller"},
	{"expiry race", straddle},
	{"under way when window", straddle},
	{"may have ended", straddle},
	{"no window was", straddle},
	{"certainly", straddle},
	{"took longer than the window", straddle},
	{"fits neither tier", straddle},
	{"did not show it", slower},
	{"no longer was looked", slower},
	{"end was not seen", slower},
	{"change was not seen", slower},
	{"limits again was not seen", slower},
	{"open was not seen", slower},
	{"meanwhile", slower},
	{"after it", slower},
	{"before it", slower},
	{"too few were fired", slower},
	{"was not taken after all", "run it again: the port that was to be taken was free"},
	{"no limiter was started", "run it where components are processes (--provider local)"},
	{"which page was read", mendSpec},
	{"no scrape was missed", behind},
	{"did not come back", behind},
	{"which was the subject's first", untried},
	{"what Prometheus scrapes", mendSpec},
	{"which limiters there are", mendSpec},
	{"has no samples", untried},
	{"the last scrape of", behind},
	{"tells no user apart", "give the limiter's metrics a label that names the caller"},
	{"names nobody on calls", "give the limiter's metrics a label that names the caller, as a TelemetryPolicy does"},
	{"name no caller", "give the limiter's metrics a label that names the caller"},
	{"name no limit", "start the limiter with --limit-name-in-labels"},
	{"was counted, so no label", untried},
	{"whether the limiter restarted meanwhile", steady},
	{"no process was read twice", steady},
	{"only roughly tells", runAlone},
	{"nobody fired on after the quota", mendSpec},
	{"leaves nothing to keep", otherSet},
	{"missed the end of the window", straddle},
	{"what became of the others is not known", lookWhy},
	{"burst at its border", straddle},
	{"no telling answer", lookWhy},
	{"tell nothing of the pace", untried},
	{"only one hit was fired", untried},
	{"not every call need have reached", runAlone},
	{"/counters shows no counter", readBook},
	{"none wrongly denied", slower},
	{"fired at the new counter", slower},
	{"neither as before nor as after", "see in the ledger what these hits got: an answer of another kind hides the change"},
	{"kept no answer", "have the ledger keep answers: the case fires hits whose heads and bodies it does not keep"},
	{"no answer was kept", "have the ledger keep answers: the case fires hits whose heads and bodies it does not keep"},
	{"given up is not known", readBook},
	{"longer than a window", giveTime},
	{"none was denied: the quota", untried},
	{"the slow hit was not admitted", lookWhy},
	{"while the slow one was under way", giveTime},
	{"hits were fired under", untried},
	{"without a telling answer", lookWhy},
	{"limits are asked about", mendSpec},
	{"counter may not be the subject's alone", runAlone},
	{"neither admitted nor denied", lookWhy},
	{"nothing was told apart", untried},
	{"tells no callers apart", "give the limiter's metrics a label that names the caller"},
	{"neither refused nor counted", lookWhy},
	{"makes no curve", mendSpec},
	{"no denial was kept", "have the ledger keep answers: the case fires hits whose heads and bodies it does not keep"},
	{"several limits apply, and", otherSet},
	{"too short for a header", otherSet},
	{"none has a place in a window", straddle},
	{"what it told of and what it did", giveTime},
	{"begins with its first hit", "declare the window model first-hit, if it is the limiter's"},
	{"order cannot be judged", giveTime},
	{"reached the model is not known", "give the model server a journal (its book of hits), then run it again"},
	{"aimed at an expiry", giveTime},
	{"only roughly tell", runAlone},
	{"turned away with status", "see in the ledger and the gateway's log who answered with that status"},
	{"cannot be told", readBook},
	{"do not tell for each", runAlone},
	{"left", "the attack was cut short: see logs/specs.log, and run the case again"},
	{"entry", untried},
	{"no hit", untried},
	{"none of", untried},
	{"none denied", otherSet},
}

// otherwise is the remedy of a doubt whose cause no phrase names.
const otherwise = "read the reason beside the ledger, then run the case alone on a quiet machine (--case, --processes 1)"

// remedy says what to change so that a doubt can be told, "" of a verdict.
func (t *trial) remedy(f reports.Finding) string {
	if f.Verdict != reports.Inconclusive {
		return ""
	}
	if f.Remedy != "" {
		return f.Remedy
	}
	for _, r := range remedies {
		if !strings.Contains(f.Reason, r.phrase) {
			continue
		}
		return t.remedyFor(r.change, f.Reason)
	}
	return otherwise
}

// remedyFor is the change that helps the subject, on this stack.
func (t *trial) remedyFor(change, reason string) string {
	own := func(l tier.Limit) bool { return !t.sharedLimit(l) }
	switch {
	case change == mendPage:
		if _, what, found := strings.Cut(reason, " read: "); found {
			return change + ": " + strings.Trim(what, `"`)
		}
	case change != straddle && change != runAlone:
	case !slices.ContainsFunc(t.limits, t.sharedLimit):
		if change == runAlone && t.q.Shared {
			return foreign
		}
	case t.q.Shared || t.q.Alone || !slices.ContainsFunc(t.limits, own):
		// Neither time nor quiet tells whose hits are in the window.
		return together
	default:
		return runAlone
	}
	return change
}
