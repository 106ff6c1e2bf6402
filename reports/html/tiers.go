package html

import (
	"strings"

	"github.com/floodgate-dev/floodgate/reports"
)

type tiersView struct {
	Tiers      []tierView
	MoreTiers  int
	Identities []identityView
	LeftOut    int
}

type tierView struct {
	reports.TierRow
	Promises []promise
}

type identityView struct {
	reports.IdentityRow
	User     string
	Promises []promise
}

// promise is a limit in two columns.
type promise struct{ Limit, Window string }

func viewTiers(p *page) any {
	var view tiersView
	tiers, more := head(p.Record.TierRows(), p.size.rows)
	view.MoreTiers = more
	for _, row := range tiers {
		view.Tiers = append(view.Tiers, tierView{row, promises(row.Limits)})
	}
	rows, leftOut := head(p.Record.IdentityRows(), p.size.rows)
	view.LeftOut = leftOut
	for _, row := range rows {
		user := row.Name
		if user == "" {
			user = "(nobody)"
		}
		view.Identities = append(view.Identities, identityView{row, user, promises(row.Limits)})
	}
	if len(view.Tiers) == 0 {
		return nil
	}
	return view
}

func promises(limits []string) []promise {
	shown := make([]promise, len(limits))
	for i, text := range limits {
		limit, window, _ := strings.Cut(text, " / ")
		shown[i] = promise{limit, window}
	}
	return shown
}
