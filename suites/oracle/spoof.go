package oracle

import (
	"fmt"
	"maps"
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
)

// judgeSpoofIgnored looks for a value that the client sent in a rate-limit
// header of its own (cases.md H10).
func judgeSpoofIgnored(t *trial) reports.Finding {
	if len(t.q.Want.Spoofed) == 0 {
		return doubt("the question names no header that the client sent")
	}
	kept, back, said := 0, []int(nil), ""
	for _, i := range t.mine {
		e := &t.entries[i]
		if e.Answer == nil {
			continue
		}
		kept++
		for _, name := range slices.Sorted(maps.Keys(t.q.Want.Spoofed)) {
			values, _ := header(e.Answer.Header, name)
			if !slices.Contains(values, t.q.Want.Spoofed[name]) {
				continue
			}
			back = append(back, i+1)
			if said == "" {
				said = fmt.Sprintf("entry %d has %s: %.100q", i+1, name, values)
			}
			break
		}
	}
	switch {
	case kept == 0:
		return doubt("no answer was kept whose headers could be judged")
	case len(back) > 0:
		return blame(cause{reports.Gateway, said, "the gateway hands on what the client says about its own limits"}, back,
			"%d of %s carry a rate-limit header as the client sent it", len(back), count(kept, "answer"))
	}
	return passSaying("none of %s carries what the client sent", count(kept, "answer"))
}
