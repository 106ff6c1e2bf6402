package selftest

// Variants are correct systems that are unusual in one way each.
func Variants() []Variant {
	return []Variant{
		{Name: "as-recorded", About: "the stand-ins as the real components were recorded"},
		{Name: "slow", About: "limiter, authorizer, gateway and model take their time", Manners: []string{
			"limitador:slow", "authorino:slow", "gateway:slow", "llmd:slow",
		}},
		{Name: "jittered", About: "limiter, authorizer and gateway take now more, now less time", Manners: []string{
			"limitador:jittered", "authorino:jittered", "gateway:jittered",
		}},
		{Name: "loaded", About: "every core is kept busy by others", Busy: true},
		{Name: "loaded-and-jittered", About: "every core is kept busy, and the limiter takes now more, now less time", Busy: true, Manners: []string{
			"limitador:jittered", "gateway:jittered",
		}},
		{Name: "visited", About: "others call the same gateway meanwhile", Visited: true},
		{Name: "small-quotas", About: "quotas of 1, 2 and 3", Policies: SmallQuotas},
		{Name: "large-quotas", About: "quotas four times as large", Policies: LargeQuotas},
		{Name: "other-policy", About: "a policy of another form, with other names and windows", Policies: OtherPolicy},
		{Name: "headers", About: "the limiter sends rate-limit headers", Manners: []string{"limitador:headers"}},
		{Name: "metrics-of-fork", About: "the limiter's metrics are named as the wasm-shim demo's", Manners: []string{"limitador:metrics-of-fork"}},
		{Name: "metrics-of-fork-besides", About: "calls without a user beside the same calls with one", Manners: []string{"limitador:metrics-of-fork-besides"}},
		{Name: "metrics-shuffled", About: "/metrics in another order at every scrape, as the real server's", Manners: []string{"limitador:metrics-shuffled"}},
		{
			Name: "metrics-besides", About: "the limiter's page has families of others besides, some with names that begin alike", Prometheus: true,
			Manners: []string{"limitador:metrics-besides"}, Cases: []string{"M01", "M02", "M05", "M17"},
		},
		{
			Name: "metrics-timed", About: "the limiter's samples carry times of their own, which Prometheus keeps", Prometheus: true,
			Manners: []string{"limitador:metrics-timed"}, Cases: []string{"M02", "M17"},
		},
		{Name: "closing-connections", About: "the gateway closes the connection after every answer", Manners: []string{"gateway:closes-connections"}},
		{
			Name: "decorated-answers", About: "the gateway adds headers of other filters, and closes a connection after a few hits",
			Manners: []string{"gateway:decorated-answers", "gateway:few-per-connection"}, Cases: []string{"A01", "B02", "C01", "H01", "H02", "H06", "H07", "H09", "M04"},
		},
		{Name: "resetting-connections", About: "1 % of the hits lose their connection before they are counted", Manners: []string{"gateway:resets-connections"}},
		{Name: "epoch-windows", About: "windows end by the clock, and are declared to", Args: []string{
			"--window-model", "epoch", "--standin-window-model", "epoch",
		}},
		{Name: "sliding-windows", About: "windows slide, and are declared to", Args: []string{
			"--window-model", "sliding", "--standin-window-model", "sliding",
		}},
		{Name: "restarts", About: "limiters and authorizers are restarted and stopped, and said to be", Provider: "local", Cases: []string{"A08", "S13"}},
		{Name: "edits", About: "policies and keys are edited under load", Cases: []string{"A05", "A06", "I11", "P02", "P03", "P04", "P16", "S14"}},
		{
			Name: "shared-limiters", About: "two limiters over one store, each with books of its own, and a Prometheus that scrapes both", Prometheus: true,
			Cases: []string{"B04", "C01", "C05", "H02", "M01", "M02", "M08", "M09", "P03", "S09", "W02", "W14"},
			Args:  []string{"--standin-limiters", "2"},
		},
		{
			Name: "several-gateways", About: "two gateways before one limiter, every hit at another one than the last",
			Manners: []string{"gateway:closes-connections"}, Args: []string{"--standin-gateways", "2"},
		},
		{
			Name: "several-of-each", About: "three gateways before three limiters over one store, edited and restarted",
			Cases: []string{"A05", "C04", "P02", "P16", "S01", "S07", "S08", "S14"},
			Args:  []string{"--standin-gateways", "3", "--standin-limiters", "3"},
		},
		{
			Name: "http2", About: "callers speak HTTP/2, and the gateway nothing else",
			Manners: []string{"gateway:http2-only"}, Args: []string{"--protocol", "h2c"},
		},
		{Name: "processes", About: "the stand-ins are processes of their own", Provider: "local"},
		{Name: "prometheus", About: "a Prometheus scrapes the limiters", Prometheus: true},
		{
			Name: "prometheus-ahead", About: "the clock of a Prometheus is 30 seconds ahead", Prometheus: true,
			Cases: []string{"M01", "M02", "M07", "M08", "M09", "M10"}, Args: []string{"--standin-prometheus-skew", "30s"},
		},
		{
			Name: "prometheus-behind", About: "the clock of a Prometheus is 30 seconds behind", Prometheus: true,
			Cases: []string{"M01", "M02", "M07", "M08", "M09", "M10"}, Args: []string{"--standin-prometheus-skew", "-30s"},
		},
		{Name: "prometheus-slow", About: "a Prometheus scrapes the limiters every 5 seconds only", Prometheus: true, Args: []string{"--scrape-interval", "5s"}},
	}
}
