package timeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
)

// limitOf is the limit that the worst finding on the subject is about. Where
// no finding names one, it is the one that a fast caller of the subject's tier
// meets first, if the case ran on the user's policy as it is.
func limitOf(r *reports.Record, kase *reports.Case, subject string) *Limit {
	for _, verdict := range []reports.Verdict{reports.Fail, reports.Inconclusive, reports.Pass} {
		for _, finding := range kase.Findings {
			if finding.Subject != subject || finding.Verdict != verdict {
				continue
			}
			if limit := parseLimit(finding.Limit); limit != nil {
				return limit
			}
		}
	}
	if kase.Variant != "" && kase.Variant != reports.MainVariant {
		return nil
	}
	for _, t := range r.Tiers {
		if !strings.HasPrefix(subject, t.Name+"/") {
			continue
		}
		if binding, ok := tier.Binding(t.Limits); ok {
			return parseLimit(binding.String())
		}
	}
	return nil
}

// parseLimit reads "10 hits / 2m0s"; nil for anything else, tokens included:
// a ledger does not show what a hit cost.
func parseLimit(text string) *Limit {
	var quota int64
	var unit, window string
	if n, err := fmt.Sscanf(text, "%d %s / %s", &quota, &unit, &window); err != nil || n != 3 {
		return nil
	}
	length, err := time.ParseDuration(window)
	if err != nil || length <= 0 || quota < 0 || tier.Unit(unit) != tier.Hits {
		return nil
	}
	return &Limit{Quota: quota, Window: length, Text: reports.ShortLimit(text)}
}

// verdictOf is the worst finding on the subject, or its case's verdict where
// no finding names the subject.
func verdictOf(kase *reports.Case, subject string) reports.Verdict {
	var verdicts []reports.Verdict
	for _, finding := range kase.Findings {
		if finding.Subject == subject {
			verdicts = append(verdicts, finding.Verdict)
		}
	}
	if len(verdicts) == 0 {
		return kase.Verdict
	}
	return reports.Worst(verdicts...)
}
