package selftest

// Variant is a correct system that is unusual in one way: whoever accuses it is
// wrong.
type Variant struct {
	Name, About string
	// Provider brings it up, "" for stand-ins in one process.
	Provider string
	// Prometheus makes it stand-ins in processes of their own with a Prometheus.
	Prometheus bool
	// Manners are COMPONENT:NAME, what the stand-ins do their own way.
	Manners []string
	// Cases run instead of lane smoke.
	Cases []string
	// Policies names whose policy is in force: "" for the seed's, SmallQuotas or
	// LargeQuotas for the seed's with other quotas, OtherPolicy for one of another
	// form.
	Policies string
	// Args are further arguments of floodgate run.
	Args []string
	// Visited has the seed's own callers, of whom the run knows nothing, call its
	// gateway meanwhile.
	Visited bool
	// Busy keeps every core busy meanwhile.
	Busy bool
}

// The policies of variants.
const (
	SmallQuotas = "small-quotas"
	LargeQuotas = "large-quotas"
	OtherPolicy = "other"
)
