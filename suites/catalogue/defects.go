package catalogue

// Defect is one known way in which the real components are wrong, with the case
// that finds it. Most are shown by a fault of a stand-in; those that the stand-ins
// show of themselves, because they are upstream's design, by what a run declares.
type Defect struct {
	// Number is the defect's in sut.md section 7, 0 for one that has none there.
	Number int
	// Title is what a caller or an operator notices.
	Title string
	// Upstream is the issue, or how else the defect is known; Versions are those
	// that are known to have it.
	Upstream, Versions string
	// Case finds it.
	Case string
	// Fault is COMPONENT:NAME of the stand-in that behaves so, "" where it always
	// does.
	Fault string
	// Arguments are those of a run that shows it, beside its case and fault.
	Arguments string
	// Weakness is the declaration that accepts it, "" where none does.
	Weakness string
	// Note says what else must be known.
	Note string
}

// Shows is the command that shows the defect.
func (d Defect) Shows() string {
	command := "floodgate run --case " + d.Case
	if d.Fault != "" {
		command += " --fault " + d.Fault
	}
	if d.Arguments != "" {
		command += " " + d.Arguments
	}
	return command
}

const (
	measured     = "measured; no issue known"
	limitador24  = "limitador up to 2.4"
	authorino26  = "authorino 0.26.2"
	wasmShim14   = "wasm-shim 0.14.1"
	shimAndMain  = "wasm-shim 0.14.1 and main"
	everyRelease = "every known one, by design"
)

// Defects lists the known defects by number, then those without.
func Defects() []Defect {
	return []Defect{
		{
			Number: 2, Title: "of several token limits only one is checked before the model is called", Upstream: "limitador#513",
			Versions: wasmShim14 + "; mended after by wasm-shim#369", Case: "T10", Fault: "gateway:second-token-check-late",
		},
		{
			Number: 4, Title: "/counters says that some 1.8e19 hits are left after a quota was lowered or overshot", Upstream: "limitador#522, #524",
			Versions: limitador24, Case: "P03", Fault: "limitador:remaining-wraps",
		},
		{
			Number: 5, Title: "where memory is reported as 0 no limit with a counter per user is enforced", Upstream: "limitador#466",
			Versions: limitador24, Case: "B01", Fault: "limitador:cache-zero",
		},
		{
			Number: 8, Title: "a policy is Enforced although its predicate fails: nobody is limited", Upstream: "kuadrant-operator#1510",
			Versions: "kuadrant-operator 1.x", Case: "I17", Fault: "gateway:unevaluable-passes",
		},
		{
			Number: 10, Title: "while the limiter is down everybody is unlimited", Upstream: "kuadrant-operator#866, #1031",
			Versions: everyRelease, Case: "S01", Arguments: "--declare none,fresh-counters", Weakness: "fail-open",
		},
		{
			Number: 11, Title: "where nobody answers for the limiter hits pass, whatever the failure mode says", Upstream: "wasm-shim#123",
			Versions: "as reported there", Case: "F02", Fault: "gateway:passes-unheard",
		},
		{
			Number: 19, Title: "of two limits that differ in their quota alone one is dropped without a word", Upstream: "limitador#64",
			Versions: everyRelease, Case: "B01", Arguments: "--policies suites/catalogue/testdata/duplicate-limits",
			Note: "the stand-in drops the later one, as the real limiter does",
		},
		{
			Number: 21, Title: "authorized_hits has no HELP line", Upstream: "limitador, prometheus_metrics.rs",
			Versions: limitador24, Case: "M17", Arguments: "--declare none", Weakness: "help-missing",
		},
		{
			Number: 23, Title: "a metric label that cannot be evaluated takes the limit away with it", Upstream: measured,
			Versions: wasmShim14, Case: "I17", Fault: "gateway:label-failure-passes",
		},
		{
			Number: 24, Title: "who is moved to another tier keeps the old one", Upstream: measured,
			Versions: authorino26, Case: "I11", Fault: "authorino:stale-tier",
		},
		{
			Number: 25, Title: "a key whose Secret lacks the managed-by label is not seen", Upstream: "kuadrant-operator#72, models-as-a-service#23",
			Versions: everyRelease, Case: "A06", Fault: "authorino:unlabelled-unwatched",
		},
		{
			Number: 26, Title: "an authorizer's answer takes longer the more keys it knows", Upstream: "read in its code; no issue known",
			Versions: authorino26, Case: "C03", Fault: "authorino:cost-per-key",
			Note: "the stand-in takes 20 ms a key, which 50 keys show; the real one compares them one by one, which for a thousand is microseconds, and this case lets that pass",
		},
		{
			Number: 30, Title: "a condition that fails takes the call down: the limiter is not heard", Upstream: "read in limitador",
			Versions: limitador24, Case: "B01", Fault: "limitador:missing-key-fails",
		},
		{
			Number: 33, Title: "a Host in capitals passes without key and limit", Upstream: measured,
			Versions: wasmShim14 + "; main refuses it", Case: "I16", Fault: "gateway:host-case-sensitive",
		},
		{
			Number: 34, Title: "a limit that reads the model in the body is never enforced", Upstream: measured,
			Versions: shimAndMain, Case: "T17", Fault: "gateway:body-predicate-ignored",
		},
		{
			Number: 35, Title: "an answer without usage does not end for 300 s where another token limit follows", Upstream: measured,
			Versions: shimAndMain, Case: "T15", Fault: "gateway:token-answer-hangs",
		},
		{
			Number: 36, Title: "connections that are open obey the old policy for up to half a minute", Upstream: measured,
			Versions: wasmShim14, Case: "P16", Fault: "gateway:old-connections-keep-policy",
		},
		{
			Number: 37, Title: "who lacks what a predicate reads is not limited", Upstream: measured + "; kuadrant-operator#1510",
			Versions: wasmShim14, Case: "I17", Fault: "gateway:unevaluable-passes",
		},
		{
			Number: 38, Title: "now and then a window's end admits one more than the quota", Upstream: "limitador#199 (review)",
			Versions: limitador24, Case: "W10", Fault: "limitador:expiry-race", Weakness: "expiry-race",
			Note: "the fault shows it far more often than the real 2 in 1,250 races, which are what a declaration accepts",
		},
		{
			Number: 40, Title: "X-RateLimit-Reset is 0 on the first hit of a window", Upstream: measured,
			Versions: limitador24 + ", memory storage", Case: "H03", Fault: "limitador:reset-header-zero", Weakness: "reset-header-zero",
		},
		{
			Number: 41, Title: "a limits file that is written in place can be loaded empty", Upstream: measured,
			Versions: limitador24, Case: "S14", Fault: "limitador:in-place-read-empty",
		},
		{
			Number: 41, Title: "a limits file that another is renamed over is never loaded again", Upstream: measured,
			Versions: limitador24, Case: "S14", Fault: "limitador:rename-unnoticed",
		},
		{
			Number: 43, Title: "/status says ok although no gRPC is served", Upstream: measured,
			Versions: limitador24, Case: "S12", Fault: "limitador:status-before-grpc", Weakness: "ready-without-grpc",
		},
		{
			Number: 44, Title: "a limiter that was told to stop admits for up to 30 s more", Upstream: measured,
			Versions: limitador24, Case: "S13", Fault: "limitador:sigterm-lingers", Weakness: "stop-lingers",
		},
		{
			Number: 45, Title: "a call costs more the more limits its namespace has, until it passes unheard", Upstream: "limitador#180",
			Versions: limitador24, Case: "K11", Fault: "limitador:cost-per-limit",
		},
		{
			Number: 46, Title: "a key that was deleted or rotated stays valid where the managed-by label is missing", Upstream: measured,
			Versions: authorino26, Case: "A05", Fault: "authorino:unlabelled-unwatched",
		},
		{
			Number: 48, Title: "another spelling of the path misses a policy for the exact one", Upstream: measured,
			Versions: wasmShim14, Case: "I16", Fault: "gateway:misses-path-variants",
		},
		{
			Title: "after an edit /counters shows the old quota", Upstream: measured,
			Versions: limitador24, Case: "P02", Fault: "limitador:counters-show-old-max",
		},
		{
			Title: "a call that one limit refuses opens the window of another, in half of the calls", Upstream: measured,
			Versions: limitador24, Case: "W14", Fault: "limitador:refused-call-opens-window", Weakness: "refusals-open-windows",
		},
		{
			Title: "of two Secrets with one key, deleting the later one makes the key invalid", Upstream: measured,
			Versions: authorino26, Case: "A05", Fault: "authorino:duplicate-key-loses-winner",
		},
		{
			Title: "after its start the authorizer calls valid keys invalid for a moment, while ready", Upstream: measured,
			Versions: authorino26, Case: "A08", Fault: "authorino:startup-401",
		},
		{
			Title: "a limiter that is started anew has counted nothing", Upstream: "kuadrant-operator#1306",
			Versions: everyRelease + ", memory storage", Case: "S01", Arguments: "--declare none,fail-open", Weakness: "fresh-counters",
		},
	}
}
