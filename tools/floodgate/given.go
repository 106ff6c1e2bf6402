package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/suites/harness"
)

// adapt fits the run to what the system can do, and says so: what it lacks, and
// how cases take turns where no identities are issued.
func (p *plan) adapt(system cluster.System, show *progress) {
	if teller, err := cluster.As[cluster.CapabilityTeller](system); err == nil {
		for _, line := range missing(teller.Capabilities()) {
			show.line("  missing   %s", line)
		}
	}
	_, err := cluster.As[cluster.IdentityIssuer](system)
	if err == nil {
		return
	}
	window := p.longestLimit()
	p.processes, p.given = 1, true
	if os.Getenv(harness.EnvCasePatience) == "" {
		p.patience = harness.GivenPatience(window)
	}
	show.line("given identities: none can be issued, so cases take turns with the policy's %d, in one process, and wait until their windows of up to %s have ended",
		len(p.set.Identities()), window)
}

// longestLimit is the longest window of any limit of the policy.
func (p *plan) longestLimit() (longest time.Duration) {
	for _, t := range p.set.Tiers() {
		for _, limit := range t.Limits {
			longest = max(longest, limit.Window)
		}
	}
	return longest
}

// missing lists what a system cannot do, by reason.
func missing(list []cluster.Capability) []string {
	var reasons []string
	names := map[string][]string{}
	for _, one := range list {
		if one.Has {
			continue
		}
		if !slices.Contains(reasons, one.Why) {
			reasons = append(reasons, one.Why)
		}
		names[one.Why] = append(names[one.Why], one.Name)
	}
	lines := make([]string, len(reasons))
	for i, why := range reasons {
		lines[i] = strings.Join(names[why], ", ") + ": " + why
	}
	return lines
}
