package oracle

import (
	"slices"
	"strings"
)

// KnowsRemedy says whether the reason of a doubt is one whose remedy is known.
func KnowsRemedy(reason string) bool {
	return slices.ContainsFunc(remedies, func(r struct{ phrase, change string }) bool { return strings.Contains(reason, r.phrase) })
}
