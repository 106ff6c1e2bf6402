package reports

import "slices"

// TierRow sums the callers of one tier that met one variant of the policy.
type TierRow struct {
	IdentityTally
	Variant    string
	Identities int
	Limits     []string
	Verdict    Verdict
}

// Label is the tier's name, with the variant where it is not the user's policy.
func (t TierRow) Label() string {
	label := t.Tier
	if label == "" {
		label = "(no tier)"
	}
	if t.Variant != MainVariant {
		label += " on " + t.Variant
	}
	return label
}

// TierRows sums IdentityRows by tier and variant: the policy's tiers first, in
// its order, then the rest as it comes.
func (r *Record) TierRows() []TierRow {
	type key struct{ tier, variant string }
	index := make(map[key]int)
	var rows []TierRow
	row := func(k key) *TierRow {
		at, known := index[k]
		if !known {
			at = len(rows)
			index[k] = at
			rows = append(rows, TierRow{IdentityTally: IdentityTally{Tier: k.tier}, Variant: k.variant, Verdict: NotJudged})
		}
		return &rows[at]
	}
	for _, t := range r.Tiers {
		row(key{t.Name, MainVariant}).Limits = r.tierLimits(t.Name)
	}
	for _, identity := range r.IdentityRows() {
		sum := row(key{identity.Tier, identity.Variant})
		sum.add(identity.IdentityTally)
		sum.Identities++
		sum.Verdict = worstJudged(sum.Verdict, identity.Verdict)
		for _, limit := range identity.Limits {
			if !slices.Contains(sum.Limits, limit) {
				sum.Limits = append(sum.Limits, limit)
			}
		}
	}
	return rows
}

// worstJudged is Worst, but of nothing that was judged it is NotJudged.
func worstJudged(a, b Verdict) Verdict {
	if a == NotJudged && b == NotJudged {
		return NotJudged
	}
	return Worst(a, b)
}
