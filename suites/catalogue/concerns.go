package catalogue

import (
	"slices"

	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// Concern says what it takes to have found a fault: one of the rules that the
// fault breaks must fail, and blame the component that has the fault. Whatever
// else fails under it is no proof that it was found.
type Concern struct {
	// Blame is the component that a finding must name. Where a limiter is not
	// heard it is the gateway, which lets the hit pass: no account outside of the
	// limiter tells an answer that came too late from one that was not waited for.
	Blame reports.Component
	// Rules are the rules that the fault breaks.
	Rules []string
	// Cases run instead of lane smoke where that would take minutes, such as with
	// a second lost on every hit.
	Cases []string
	// Beyond is the case outside of lane smoke that finds the fault, "" where lane
	// smoke does.
	Beyond string
	// Provider brings the stack up where stand-ins in one process cannot show the
	// fault; Prometheus says that a Prometheus is needed.
	Provider   string
	Prometheus bool
	// Alone says that the fault's case aims at instants, which it misses while
	// other runs keep the machine busy.
	Alone bool
	// Multitude is how many callers its case has instead of as many as ever: fewer
	// show it too.
	Multitude int
	// Long says that its case waits for minutes: it is begun before others, and is no
	// part of a pair.
	Long bool
	// Unshown says why no case of this build can show the fault; such a fault is
	// told as not tried, and is not counted.
	Unshown string
}

// The rules that kinds of faults break.
var (
	admitsTooMany = []string{oracle.NoOverrun, oracle.InOrder, oracle.NoEarlyReset}
	admitsTooFew  = []string{oracle.NoUnderrun, oracle.InOrder}
	endsTooEarly  = []string{oracle.NoEarlyReset, oracle.NoOverrun}
	endsTooLate   = []string{oracle.Resets, oracle.NoUnderrun}
	miscounts     = []string{oracle.Reconciled, oracle.PrometheusAgrees}
	notAsked      = []string{oracle.NoOverrun, oracle.InOrder, oracle.NoEarlyReset, oracle.Reconciled, oracle.GatewayAgrees, oracle.Metered, oracle.NeverFree, oracle.NoBypass}
	letsIn        = []string{oracle.AllRefused, oracle.Untouched}
	mistakes      = []string{oracle.NoOverrun, oracle.NoUnderrun, oracle.InOrder, oracle.Reconciled, oracle.NoEarlyReset}
	turnsAway     = []string{oracle.Served, oracle.StaysKnown}
)

func blames(component reports.Component, rules ...string) Concern {
	return Concern{Blame: component, Rules: rules}
}

// scraped is what it takes to have found a fault on the way to Prometheus.
func scraped(rules ...string) Concern {
	return Concern{Blame: reports.Prometheus, Rules: rules, Prometheus: true}
}

// unheard are the cases of a fault that costs every hit a deadline.
func unheard(component reports.Component, rules ...string) Concern {
	return Concern{Blame: component, Rules: rules, Cases: []string{"B01", "I15"}}
}

// concerns has every named fault; a test keeps it complete.
var concerns = map[string]Concern{
	"limitador:off-by-one-high":              blames(reports.Limiter, admitsTooMany...),
	"limitador:off-by-one-low":               blames(reports.Limiter, admitsTooFew...),
	"limitador:never-limits":                 blames(reports.Limiter, admitsTooMany...),
	"limitador:always-limits":                blames(reports.Limiter, admitsTooFew...),
	"limitador:shared-counter-per-tier":      blames(reports.Limiter, admitsTooFew...),
	"limitador:unshared-replicas":            blames(reports.Limiter, admitsTooMany...),
	"limitador:tier-gets-lowest":             blames(reports.Limiter, admitsTooFew...),
	"limitador:tier-gets-highest":            blames(reports.Limiter, admitsTooMany...),
	"limitador:one-user-unlimited":           blames(reports.Limiter, admitsTooMany...),
	"limitador:window-half":                  blames(reports.Limiter, endsTooEarly...),
	"limitador:window-double":                blames(reports.Limiter, endsTooLate...),
	"limitador:window-never-resets":          blames(reports.Limiter, endsTooLate...),
	"limitador:window-10-percent-short":      blames(reports.Limiter, endsTooEarly...),
	"limitador:window-10-percent-long":       blames(reports.Limiter, endsTooLate...),
	"limitador:denials-extend-window":        blames(reports.Limiter, endsTooLate...),
	"limitador:first-hit-uncounted":          blames(reports.Limiter, admitsTooMany...),
	"limitador:reset-wipes-everybody":        blames(reports.Limiter, endsTooEarly...),
	"limitador:evicts-after-3-users":         blames(reports.Limiter, admitsTooMany...),
	"limitador:race-4ms":                     blames(reports.Limiter, oracle.NoOverrun),
	"limitador:race-20ms":                    blames(reports.Limiter, oracle.NoOverrun),
	"limitador:denies-2-percent":             blames(reports.Limiter, admitsTooFew...),
	"limitador:fails-open-3-percent":         blames(reports.Limiter, admitsTooMany...),
	"limitador:authorized-metric-doubled":    blames(reports.Limiter, miscounts...),
	"limitador:limited-metric-missing":       blames(reports.Limiter, miscounts...),
	"limitador:denied-counted-as-authorized": blames(reports.Limiter, miscounts...),
	"limitador:user-label-swapped":           blames(reports.Limiter, miscounts...),
	"limitador:late":                         unheard(reports.Gateway, notAsked...),
	"limitador:unknown-answer":               blames(reports.Gateway, notAsked...),
	"limitador:reset-header-zero":            blames(reports.Limiter, oracle.ResetTold),
	"limitador:counters-show-old-max":        blames(reports.Limiter, oracle.CountersTell),
	"limitador:remaining-wraps":              blames(reports.Limiter, oracle.CountersTell),
	"limitador:expiry-race":                  {Blame: reports.Limiter, Rules: []string{oracle.ExpiryRaces}, Alone: true},
	"limitador:refused-call-opens-window":    blames(reports.Limiter, oracle.RefusalsOpenNothing),
	"limitador:cache-zero":                   blames(reports.Limiter, admitsTooMany...),
	"limitador:status-before-grpc":           {Blame: reports.Limiter, Rules: []string{oracle.ReadyMeansServing}, Provider: "local"},
	"limitador:rename-unnoticed":             blames(reports.Limiter, oracle.LimitsInForce, oracle.TakesEffect),
	"limitador:in-place-read-empty":          blames(reports.Limiter, oracle.LimitsInForce, oracle.NoOverrun),
	"limitador:sigterm-lingers":              blames(reports.Limiter, oracle.StoppedIsSilent),
	"limitador:edit-resets-counters":         blames(reports.Limiter, oracle.KeepsCounters, oracle.NoOverrun),
	"limitador:edit-keeps-window":            blames(reports.Limiter, oracle.StartsAnew),
	"limitador:ghost-counters":               blames(reports.Limiter, oracle.LimitsGone, oracle.StartsAnew),
	"limitador:edit-wipes-neighbours":        blames(reports.Limiter, oracle.AllDenied),
	"limitador:bad-entry-disables-all":       blames(reports.Limiter, oracle.AllDenied, oracle.LimitsInForce),
	"limitador:added-limits-ignored":         blames(reports.Limiter, oracle.NoOverrun, oracle.InOrder),
	"limitador:reload-opens":                 blames(reports.Limiter, oracle.AllDenied),
	"gateway:bad-push-opens":                 blames(reports.Gateway, oracle.AllDenied, oracle.NoOverrun, oracle.Reconciled),
	"gateway:keeps-first-policy":             blames(reports.Gateway, oracle.NoOverrun, oracle.InOrder),
	"limitador:unused-quota-accumulates":     blames(reports.Limiter, admitsTooMany...),
	"limitador:zero-is-unlimited":            blames(reports.Limiter, oracle.NoOverrun, oracle.AllDenied),
	"limitador:quota-32-bits":                blames(reports.Limiter, oracle.NoUnderrun, oracle.AllAdmitted, oracle.CountersTell),
	"limitador:unconditional-per-user":       blames(reports.Limiter, admitsTooMany...),
	"limitador:refused-call-counts":          blames(reports.Limiter, oracle.CountersTell, oracle.NoUnderrun),
	"limitador:window-minute-at-most":        blames(reports.Limiter, oracle.WindowTold),
	"limitador:case-folded":                  blames(reports.Limiter, oracle.NoUnderrun, oracle.InOrder),
	"limitador:odd-values-collide":           blames(reports.Limiter, oracle.OwnQuota, oracle.NoUnderrun, oracle.InOrder),
	"limitador:evicts-after-500-users":       blames(reports.Limiter, oracle.OwnQuota, oracle.CountersTell, oracle.NoOverrun),
	"limitador:counters-by-name":             blames(reports.Limiter, admitsTooFew...),
	"limitador:counts-late":                  blames(reports.Limiter, oracle.CountedAtOnce, oracle.NoOverrun, oracle.InOrder, oracle.NoEarlyReset),
	"limitador:fails-open-1-per-mille":       blames(reports.Limiter, admitsTooMany...),
	"limitador:expiry-race-200us":            {Blame: reports.Limiter, Rules: []string{oracle.ExpiryRaces}, Alone: true},
	"limitador:window-1-percent-short":       blames(reports.Limiter, endsTooEarly...),
	"limitador:counts-3ms-late":              blames(reports.Limiter, oracle.CountedAtOnce),
	"limitador:windows-slide":                blames(reports.Limiter, oracle.BorderBurst),
	"limitador:one-is-two":                   blames(reports.Limiter, admitsTooMany...),
	"limitador:off-by-one-over-10":           blames(reports.Limiter, admitsTooMany...),
	"limitador:key-truncated":                blames(reports.Limiter, admitsTooFew...),
	"limitador:late-every-50th":              blames(reports.Gateway, notAsked...),
	"limitador:limited-label-swapped":        blames(reports.Limiter, miscounts...),
	"limitador:counters-off-by-one":          blames(reports.Limiter, oracle.CountersTell),
	"limitador:remaining-header-off-by-one":  blames(reports.Limiter, oracle.RemainingTold),
	"limitador:limits-misstated":             blames(reports.Limiter, oracle.LimitsInForce),
	"limitador:missing-key-fails":            blames(reports.Gateway, notAsked...),
	"limitador:page-help-repeated":           blames(reports.Limiter, oracle.WellFormed),
	"limitador:page-type-missing":            blames(reports.Limiter, oracle.WellFormed),
	"limitador:page-labels-permuted":         blames(reports.Limiter, oracle.WellFormed),
	"limitador:page-slash-escaped":           blames(reports.Limiter, oracle.WellFormed),
	"limitador:page-late":                    blames(reports.Limiter, oracle.Reconciled, oracle.NeverBackwards, oracle.CountsAcross),
	"limitador:counters-reset-themselves":    blames(reports.Limiter, oracle.NeverBackwards, oracle.CountsAcross, oracle.Reconciled),
	"limitador:series-vanish":                blames(reports.Limiter, oracle.NeverBackwards, oracle.CountsAcross, oracle.Reconciled),
	"limitador:user-label-lost":              blames(reports.Limiter, oracle.NamesCallers, oracle.Reconciled),
	"limitador:limit-name-wrong":             blames(reports.Limiter, oracle.NamesLimit),
	"limitador:first-window-only":            blames(reports.Limiter, oracle.EachBinds, oracle.NoOverrun),
	"limitador:reset-header-whole":           blames(reports.Limiter, oracle.ResetKept, oracle.ResetTold),
	"limitador:headers-name-one":             blames(reports.Limiter, oracle.RemainingTold),
	"limitador:series-per-call":              {Blame: reports.Limiter, Rules: []string{oracle.SeriesBounded}, Multitude: 2000},
	"limitador:page-slow":                    {Blame: reports.Limiter, Rules: []string{oracle.SeriesBounded}, Multitude: 2000},
	"limitador:moved-limits-stay":            {Blame: reports.Limiter, Rules: []string{oracle.LimitsGone, oracle.LimitsInForce}, Long: true},
	"limitador:last-limit-wipes-all":         blames(reports.Limiter, oracle.AllDenied),
	"limitador:windows-drift":                {Blame: reports.Limiter, Rules: []string{oracle.KeepsPace}, Long: true},
	"limitador:fifth-window-leaks":           {Blame: reports.Limiter, Rules: []string{oracle.KeepsPace}, Long: true},
	"limitador:evicts-after-1500-users":      {Blame: reports.Limiter, Rules: []string{oracle.OwnQuota}, Multitude: 2000},
	"limitador:every-50th-window-short":      blames(reports.Limiter, oracle.OwnQuota, oracle.NoEarlyReset),
	"limitador:every-50th-window-stays":      blames(reports.Limiter, oracle.OwnQuota, oracle.Resets),
	"limitador:idle-counters-lost":           {Blame: reports.Limiter, Rules: admitsTooMany, Long: true},
	"limitador:window-32-bits":               blames(reports.Limiter, oracle.WindowTold),
	"limitador:reload-restarts-windows":      blames(reports.Limiter, oracle.WindowTold),
	"limitador:no-domain-admits":             blames(reports.Limiter, oracle.UndecidedUncounted, oracle.UnheardIsTold),

	"authorino:stale-tier":                      blames(reports.Authorizer, oracle.MovedTier),
	"authorino:unlabelled-unwatched":            blames(reports.Authorizer, oracle.TakesEffect),
	"authorino:duplicate-key-loses-winner":      blames(reports.Authorizer, turnsAway...),
	"authorino:startup-401":                     blames(reports.Authorizer, turnsAway...),
	"authorino:accepts-any-key":                 blames(reports.Authorizer, letsIn...),
	"authorino:accepts-missing-key":             blames(reports.Authorizer, letsIn...),
	"authorino:accepts-case-insensitive-prefix": blames(reports.Authorizer, letsIn...),
	"authorino:ignores-group-rule":              blames(reports.Authorizer, letsIn...),
	"authorino:group-substring":                 blames(reports.Authorizer, letsIn...),
	"authorino:wrong-user-id":                   blames(reports.Authorizer, mistakes...),
	"authorino:trusts-x-userid-header":          blames(reports.Authorizer, mistakes...),
	"authorino:late":                            {Blame: reports.Authorizer, Rules: []string{oracle.AllRefused, oracle.Served}, Cases: []string{"A01"}},
	"authorino:down":                            blames(reports.Authorizer, oracle.Served, oracle.AllRefused),
	"authorino:refuses-2-percent":               blames(reports.Authorizer, turnsAway...),
	"authorino:403-for-missing-key":             blames(reports.Authorizer, oracle.AllRefused, oracle.AnswerForm),
	"authorino:500-on-long-key":                 blames(reports.Authorizer, oracle.AllRefused),
	"authorino:forgets-after-300-keys":          blames(reports.Authorizer, oracle.Served),
	"authorino:rotation-renames":                blames(reports.Authorizer, admitsTooMany...),
	"authorino:user-id-per-key":                 blames(reports.Authorizer, admitsTooMany...),
	"authorino:cost-per-key":                    {Blame: reports.Authorizer, Rules: []string{oracle.KeysCostNothing}, Cases: []string{"C03"}},
	"authorino:mixes-identities":                blames(reports.Authorizer, mistakes...),
	"authorino:caches-deleted-keys":             blames(reports.Authorizer, oracle.TakesEffect, oracle.AllRefused),
	"authorino:accepts-longer-key":              blames(reports.Authorizer, letsIn...),
	"authorino:accepts-shorter-key":             blames(reports.Authorizer, letsIn...),
	"authorino:accepts-key-in-any-case":         blames(reports.Authorizer, letsIn...),
	"authorino:wrong-groups":                    blames(reports.Authorizer, mistakes...),
	"authorino:401-for-forbidden":               blames(reports.Authorizer, oracle.AllRefused, oracle.AnswerForm),
	"authorino:401-without-challenge":           blames(reports.Authorizer, oracle.AnswerForm),

	"gateway:counter-per-address":                       blames(reports.Gateway, admitsTooMany...),
	"gateway:counter-per-host":                          blames(reports.Gateway, admitsTooMany...),
	"gateway:one-scope":                                 blames(reports.Gateway, oracle.NoUnderrun, oracle.InOrder, oracle.NoOverrun, oracle.CountersTell),
	"gateway:last-limit-wins":                           blames(reports.Gateway, oracle.NoOverrun, oracle.InOrder, oracle.CountersTell),
	"gateway:predicates-ignored":                        blames(reports.Gateway, oracle.NoUnderrun, oracle.InOrder, oracle.CountersTell),
	"gateway:misses-options-and-head":                   blames(reports.Gateway, oracle.NoBypass, oracle.AllRefused, oracle.NoOverrun),
	"gateway:caller-of-connection":                      blames(reports.Gateway, oracle.AllRefused, oracle.NoUnderrun, oracle.OwnQuota),
	"gateway:misses-queries":                            blames(reports.Gateway, oracle.NoBypass),
	"gateway:misses-long-bodies":                        blames(reports.Gateway, oracle.NoBypass),
	"gateway:spares-loopback":                           blames(reports.Gateway, oracle.NoBypass),
	"gateway:denied-stream-stays-open":                  blames(reports.Gateway, oracle.AnswerForm),
	"gateway:retry-after-zero":                          blames(reports.Gateway, oracle.RetryAfterHonest),
	"gateway:echoes-ratelimit-headers":                  blames(reports.Gateway, oracle.SpoofIgnored),
	"gateway:counts-every-key":                          blames(reports.Gateway, oracle.OneIdentity),
	"gateway:abandoned-hit-served":                      blames(reports.Gateway, oracle.AbortsCounted),
	"gateway:counts-at-end":                             blames(reports.Gateway, oracle.CountedAtStart, oracle.NoOverrun, oracle.InOrder, oracle.Overshoot),
	"gateway:strangers-starve-limiter":                  blames(reports.Gateway, notAsked...),
	"gateway:request-predicates-hold":                   blames(reports.Gateway, oracle.OnlyMatching),
	"gateway:fails-open-3-percent":                      blames(reports.Gateway, notAsked...),
	"gateway:denial-as-503":                             blames(reports.Gateway, oracle.DenialsAre429),
	"gateway:denied-reaches-backend":                    blames(reports.Gateway, oracle.BackendAgrees),
	"gateway:counter-per-model":                         blames(reports.Gateway, mistakes...),
	"gateway:limiter-skipped-for-one-user":              blames(reports.Gateway, notAsked...),
	"gateway:misses-path-variants":                      blames(reports.Gateway, notAsked...),
	"gateway:host-case-sensitive":                       blames(reports.Gateway, notAsked...),
	"gateway:unevaluable-passes":                        blames(reports.Gateway, notAsked...),
	"gateway:label-failure-passes":                      blames(reports.Gateway, notAsked...),
	"gateway:body-predicate-ignored":                    blames(reports.Gateway, notAsked...),
	"gateway:retries-backend":                           blames(reports.Gateway, oracle.BackendAgrees),
	"gateway:counts-twice":                              blames(reports.Gateway, oracle.NoUnderrun, oracle.InOrder, oracle.Reconciled),
	"gateway:limits-before-auth":                        blames(reports.Gateway, oracle.Untouched),
	"gateway:late-authorizer-passes":                    blames(reports.Gateway, letsIn...),
	"gateway:takes-policies-late":                       blames(reports.Gateway, oracle.LimitsInTime),
	"gateway:impatient":                                 blames(reports.Gateway, notAsked...),
	"gateway:streams-ride-along":                        blames(reports.Gateway, notAsked...),
	"gateway:auth-fails-open":                           blames(reports.Gateway, letsIn...),
	"gateway:trusts-x-userid":                           blames(reports.Gateway, mistakes...),
	"gateway:stats-missing-denied":                      blames(reports.Gateway, oracle.GatewayAgrees),
	"gateway:denies-2-percent":                          blames(reports.Gateway, admitsTooFew...),
	"gateway:drops-denial-body":                         blames(reports.Gateway, oracle.AnswerForm),
	"gateway:adds-ratelimit-headers":                    blames(reports.Gateway, oracle.AnswerForm),
	"gateway:token-answer-hangs":                        blames(reports.Gateway, oracle.AnswersEnd),
	"gateway:second-token-check-late":                   blames(reports.Gateway, oracle.TokensSpent),
	"gateway:old-connections-keep-policy":               blames(reports.Gateway, oracle.TakesEffect),
	"gateway:late-limiter":                              unheard(reports.Gateway, notAsked...),
	"gateway:limiter-skipped-on-every-100th-connection": blames(reports.Gateway, notAsked...),
	"gateway:denied-reaches-backend-after-100":          blames(reports.Gateway, oracle.BackendAgrees),
	"gateway:forwards-every-20th-twice":                 blames(reports.Gateway, oracle.BackendAgrees),
	"gateway:stats-lose-every-10th-hit":                 blames(reports.Gateway, oracle.GatewayAgrees),
	"gateway:misses-encoded-path":                       blames(reports.Gateway, notAsked...),
	"gateway:denial-as-200":                             blames(reports.Gateway, notAsked...),
	"gateway:ignores-every-50th-denial":                 blames(reports.Gateway, notAsked...),
	"gateway:asks-once-per-connection":                  blames(reports.Gateway, notAsked...),
	"gateway:repeats-denials":                           blames(reports.Gateway, oracle.Reconciled),
	"gateway:every-50th-denial-as-503":                  blames(reports.Gateway, oracle.DenialsAre429),

	"gateway:denies-unheard":      blames(reports.Gateway, oracle.UnheardIsTold),
	"gateway:passes-unheard":      blames(reports.Gateway, oracle.UnheardIsTold, oracle.AllRefused),
	"gateway:errors-untold":       blames(reports.Gateway, oracle.UnheardIsTold),
	"gateway:stays-open":          blames(reports.Gateway, oracle.LimitsAgain),
	"gateway:asks-again":          blames(reports.Gateway, oracle.FailuresSpend, oracle.Reconciled),
	"gateway:unknown-admits":      blames(reports.Gateway, oracle.UnheardIsTold),
	"gateway:asks-late-again":     blames(reports.Gateway, oracle.NoUnderrun),
	"gateway:retries-count":       blames(reports.Gateway, oracle.RetriesSpendOnce),
	"gateway:counter-per-gateway": blames(reports.Gateway, oracle.CountsOn, oracle.NoOverrun, oracle.InOrder),
	"limitador:step-back-frees":   blames(reports.Limiter, oracle.ClockSteps),
	"limitador:cost-per-limit":    blames(reports.Limiter, oracle.HeardAtAnySize),

	"llmd:random-429":         blames(reports.Model, oracle.Served),
	"llmd:random-500":         blames(reports.Model, oracle.Served),
	"llmd:random-401":         blames(reports.Model, oracle.Served, oracle.AllAdmitted),
	"llmd:random-404":         blames(reports.Model, oracle.Served, oracle.AllAdmitted),
	"llmd:hangs-up-2-percent": blames(reports.Model, oracle.Served, oracle.AllAdmitted),

	"prometheus:drops-user-label":    scraped(oracle.PrometheusAgrees, oracle.NamesCallers),
	"prometheus:drops-limited-calls": scraped(oracle.PrometheusAgrees),
	"prometheus:limiter-unscraped":   scraped(oracle.EveryLimiterScraped),
	"prometheus:wrong-target":        scraped(oracle.PrometheusAgrees, oracle.EveryLimiterScraped),
}

// ConcernOf is what it takes to have found a fault, named COMPONENT:NAME.
func ConcernOf(fault string) (concern Concern, ok bool) {
	concern, ok = concerns[fault]
	concern.Beyond = FoundBeyondSmoke(fault)
	return concern, ok
}

// Concerned are all faults of which it is said what finds them.
func Concerned() []string {
	faults := make([]string, 0, len(concerns))
	for fault := range concerns {
		faults = append(faults, fault)
	}
	slices.Sort(faults)
	return faults
}
