package catalogue

import "slices"

// beyondSmoke names the case that finds a stand-in's fault where lane smoke
// has none: defects that take a restart, an edit, a header or a body to show.
var beyondSmoke = map[string]string{
	// Rare and small ones.
	"authorino:caches-deleted-keys":         "A05",
	"gateway:misses-encoded-path":           "I16",
	"limitador:counters-off-by-one":         "S11",
	"limitador:expiry-race-200us":           "W10",
	"limitador:fails-open-1-per-mille":      "B12",
	"limitador:remaining-header-off-by-one": "H02",
	"limitador:window-1-percent-short":      "W03",

	// Those that boundaries, windows, identities and routes are about.
	"authorino:user-id-per-key":          "I02",
	"authorino:rotation-renames":         "A07",
	"authorino:forgets-after-300-keys":   "I13",
	"limitador:counts-3ms-late":          "B14",
	"limitador:windows-slide":            "W04",
	"gateway:takes-policies-late":        "P15",
	"limitador:one-is-two":               "B05",
	"gateway:late-authorizer-passes":     "A09",
	"gateway:impatient":                  "F08",
	"gateway:streams-ride-along":         "C09",
	"gateway:counter-per-address":        "I03",
	"gateway:counter-per-host":           "I06",
	"gateway:last-limit-wins":            "I08",
	"gateway:one-scope":                  "I05",
	"limitador:counters-by-name":         "I12",
	"limitador:evicts-after-500-users":   "I13",
	"limitador:odd-values-collide":       "I07",
	"limitador:case-folded":              "I07",
	"limitador:quota-32-bits":            "B07",
	"limitador:refused-call-counts":      "I08",
	"limitador:unconditional-per-user":   "B10",
	"limitador:unused-quota-accumulates": "W07",
	"limitador:zero-is-unlimited":        "B06",

	"authorino:duplicate-key-loses-winner": "A05",
	"authorino:group-substring":            "I09",
	"authorino:stale-tier":                 "I11",
	"authorino:startup-401":                "A08",
	"authorino:unlabelled-unwatched":       "A06",
	"gateway:abandoned-hit-served":         "C07",
	"gateway:adds-ratelimit-headers":       "H01",
	"gateway:asks-again":                   "F10",
	"gateway:asks-late-again":              "F09",
	"gateway:bad-push-opens":               "P17",
	"gateway:body-predicate-ignored":       "T17",
	"gateway:counter-per-gateway":          "S07",
	"gateway:denies-unheard":               "F01",
	"gateway:errors-untold":                "F03",
	"gateway:counts-every-key":             "A10",
	"gateway:denied-stream-stays-open":     "H09",
	"gateway:echoes-ratelimit-headers":     "H10",
	"gateway:host-case-sensitive":          "I16",
	"gateway:keeps-first-policy":           "P10",
	"gateway:label-failure-passes":         "I17",
	"gateway:misses-options-and-head":      "H08",
	"gateway:misses-queries":               "I16",
	"gateway:misses-long-bodies":           "I16",
	"gateway:spares-loopback":              "I16",
	"gateway:misses-path-variants":         "I16",
	"gateway:old-connections-keep-policy":  "P16",
	"gateway:passes-unheard":               "F02",
	"gateway:second-token-check-late":      "T10",
	"gateway:stays-open":                   "F05",
	"gateway:request-predicates-hold":      "K08",
	"gateway:retries-count":                "F12",
	"gateway:retry-after-zero":             "H07",
	"gateway:strangers-starve-limiter":     "A04",
	"gateway:token-answer-hangs":           "T15",
	"gateway:unevaluable-passes":           "I17",
	"gateway:unknown-admits":               "F06",
	"limitador:added-limits-ignored":       "P05",
	"limitador:bad-entry-disables-all":     "P08",
	"limitador:counters-show-old-max":      "P02",
	"limitador:evicts-after-1500-users":    "K04",
	"limitador:every-50th-window-short":    "W15",
	"limitador:every-50th-window-stays":    "W15",
	"limitador:fifth-window-leaks":         "C10",
	"limitador:windows-drift":              "C10",
	"limitador:edit-keeps-window":          "P04",
	"limitador:edit-resets-counters":       "P02",
	"limitador:edit-wipes-neighbours":      "P11",
	"limitador:expiry-race":                "W10",
	"limitador:ghost-counters":             "P06",
	"limitador:first-window-only":          "K07",
	"limitador:headers-name-one":           "H05",
	"limitador:in-place-read-empty":        "S14",
	"limitador:last-limit-wipes-all":       "P14",
	"limitador:limit-name-wrong":           "M06",
	"limitador:moved-limits-stay":          "P12",
	"limitador:no-domain-admits":           "F06",
	"limitador:page-help-repeated":         "M17",
	"limitador:page-labels-permuted":       "M17",
	"limitador:page-late":                  "M08",
	"limitador:page-slash-escaped":         "M17",
	"limitador:page-slow":                  "M14",
	"limitador:page-type-missing":          "M17",
	"limitador:refused-call-opens-window":  "W14",
	"limitador:reload-opens":               "P07",
	"limitador:remaining-wraps":            "P03",
	"limitador:rename-unnoticed":           "S14",
	"limitador:reset-header-whole":         "H04",
	"limitador:reset-header-zero":          "H03",
	"limitador:series-per-call":            "M14",
	"limitador:series-vanish":              "M08",
	"limitador:sigterm-lingers":            "S13",
	"limitador:cost-per-limit":             "K11",
	"limitador:denials-extend-window":      "W03",
	"limitador:status-before-grpc":         "S12",
	"limitador:user-label-lost":            "M05",
	"prometheus:limiter-unscraped":         "M09",
	"prometheus:wrong-target":              "M09",
	"limitador:step-back-frees":            "K01",
}

// FoundBeyondSmoke is the case outside of lane smoke that finds a fault, named
// COMPONENT:NAME; "" where lane smoke finds it.
func FoundBeyondSmoke(fault string) string { return beyondSmoke[fault] }

// FaultsBeyondSmoke are the faults that lane smoke does not find.
func FaultsBeyondSmoke() []string {
	faults := make([]string, 0, len(beyondSmoke))
	for fault := range beyondSmoke {
		faults = append(faults, fault)
	}
	slices.Sort(faults)
	return faults
}
