package html

import (
	"fmt"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/reports/evidence"
)

type booksView struct {
	// Whole has a row per quantity of the whole run, Identities a row per
	// caller; each has a cell for client, limiter, gateway, backend, Prometheus.
	Whole      []bookRow
	Identities []bookRow
	LeftOut    int
}

type bookRow struct {
	Name, Detail string
	Cells        []bookCell
}

func viewBooks(p *page) any {
	if len(p.Record.Identities) == 0 && p.Record.Books == (reports.Books{}) {
		return nil
	}
	view := booksView{Whole: wholeRows(p.Record.Total(), p.Record.Books)}
	rows, leftOut := head(p.Record.IdentityRows(), p.size.rows)
	view.LeftOut = leftOut
	for _, row := range rows {
		view.Identities = append(view.Identities, identityBooks(row))
	}
	return view
}

func authorized(c evidence.Calls) int64 { return c.Authorized }
func limited(c evidence.Calls) int64    { return c.Limited }
func called(c evidence.Calls) int64     { return c.Authorized + c.Limited }

// wholeRows puts the run's totals side by side. Their differences are shown
// and not alarming: a run also has hits that owe the limiter no call, such as
// those of a route without a policy.
func wholeRows(t reports.IdentityTally, b reports.Books) []bookRow {
	unknown := t.Failed + t.Lost
	asked := span{t.Sent - t.Refused - unknown, t.Sent - t.Refused}
	admitted := span{t.Admitted, t.Admitted + unknown}
	denied := span{t.Denied, t.Denied + unknown}
	arrived := span{t.Sent - t.Lost, t.Sent}
	turnedAway := span{t.Denied + t.Refused, t.Denied + t.Refused + unknown}
	client := func(n int) bookCell { return bookCell{Text: fmt.Sprint(n)} }
	return []bookRow{
		{"hits", "limiter: its calls; gateway: hits and misses", []bookCell{
			client(t.Sent), asked.calls(b.Limiter, called),
			arrived.gateway(b.Gateway, func(g evidence.GatewayBook) int64 { return g.Hits + g.Misses }),
			none(), asked.calls(b.Prometheus, called),
		}},
		{"admitted", "limiter: authorized_calls; backend: served", []bookCell{
			client(t.Admitted), admitted.calls(b.Limiter, authorized), none(),
			admitted.backend(b.Backend), admitted.calls(b.Prometheus, authorized),
		}},
		{"denied", "limiter: limited_calls; gateway: 401 and 403 too", []bookCell{
			client(t.Denied), denied.calls(b.Limiter, limited),
			turnedAway.gateway(b.Gateway, func(g evidence.GatewayBook) int64 { return g.Denied }),
			none(), denied.calls(b.Prometheus, limited),
		}},
		{"errors", "client: failed or lost; gateway: actions that failed", []bookCell{
			client(unknown), none(),
			span{}.gateway(b.Gateway, func(g evidence.GatewayBook) int64 { return g.Errors }),
			none(), none(),
		}},
	}
}

// openVariant has no rate-limit policy: its hits owe the limiter no call.
const openVariant = "open"

// identityBooks is "admitted / denied" in each book.
func identityBooks(row reports.IdentityRow) bookRow {
	unknown := row.Failed + row.Lost
	admitted := span{row.Admitted, row.Admitted + unknown}
	denied := span{row.Denied, row.Denied + unknown}
	calls := func(book *evidence.Calls) bookCell {
		cell := pair(admitted.calls(book, authorized), denied.calls(book, limited))
		if row.Variant == openVariant {
			cell.Delta = ""
		}
		return cell.marked()
	}
	name := row.Subject()
	if name == "" {
		name = "(nobody)"
	}
	return bookRow{name, row.Case, []bookCell{
		{Text: fmt.Sprintf("%d / %d", row.Admitted, row.Denied)},
		calls(row.Books.Limiter), none(), admitted.backend(row.Books.Backend).marked(), calls(row.Books.Prometheus),
	}}
}
