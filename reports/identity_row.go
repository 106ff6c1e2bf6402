package reports

import "slices"

// IdentityRow is one caller's line of the tier table.
type IdentityRow struct {
	IdentityTally
	// Variant is the policy that the caller met.
	Variant string
	// Limits are those that held for the caller, as "10 hits / 2m"; none if
	// the record does not tell.
	Limits []string
	// Verdict is the worst of the findings that name the caller; without one,
	// its case's, and without a case there is none.
	Verdict Verdict
}

// IdentityRows are the record's identities in its order.
func (r *Record) IdentityRows() []IdentityRow {
	cases := make(map[string]*Case)
	findings := make(map[string][]caseFinding)
	for i := range r.Cases {
		kase := &r.Cases[i]
		cases[kase.ID] = kase
		for j := range kase.Findings {
			subject := kase.Findings[j].Subject
			findings[subject] = append(findings[subject], caseFinding{kase.ID, &kase.Findings[j]})
		}
	}
	rows := make([]IdentityRow, len(r.Identities))
	for i, tally := range r.Identities {
		rows[i] = r.identityRow(tally, cases[tally.Case], findings[tally.Subject()])
	}
	return rows
}

type caseFinding struct {
	caseID string
	*Finding
}

func (r *Record) identityRow(tally IdentityTally, kase *Case, findings []caseFinding) IdentityRow {
	row := IdentityRow{IdentityTally: tally, Variant: MainVariant, Verdict: NotJudged}
	if kase != nil {
		row.Verdict = kase.Verdict
		if kase.Variant != "" {
			row.Variant = kase.Variant
		}
	}
	var verdicts []Verdict
	for _, finding := range findings {
		if tally.Case != "" && finding.caseID != tally.Case {
			continue
		}
		verdicts = append(verdicts, finding.Verdict)
		if limit := ShortLimit(finding.Limit); limit != "" && !slices.Contains(row.Limits, limit) {
			row.Limits = append(row.Limits, limit)
		}
	}
	if len(verdicts) > 0 {
		row.Verdict = Worst(verdicts...)
	}
	if row.Variant == MainVariant {
		row.Limits = r.tierLimits(tally.Tier)
	}
	return row
}

func (r *Record) tierLimits(name string) []string {
	var limits []string
	for _, t := range r.Tiers {
		if t.Name != name {
			continue
		}
		for _, limit := range t.Limits {
			limits = append(limits, ShortLimit(limit.String()))
		}
	}
	return limits
}
