package local

import (
	"slices"
	"strings"
)

// PrometheusFault is a mistake on the way from the limiters to Prometheus: in
// what it is told to scrape, not in Prometheus, which is always the real one.
type PrometheusFault struct{ Name, About string }

const (
	dropsUserLabel    = "drops-user-label"
	dropsLimitedCalls = "drops-limited-calls"
	limiterUnscraped  = "limiter-unscraped"
	wrongTarget       = "wrong-target"
)

// PrometheusFaults lists them.
func PrometheusFaults() []PrometheusFault {
	return []PrometheusFault{
		{dropsUserLabel, "relabelling takes the label user off every sample"},
		{dropsLimitedCalls, "relabelling drops limited_calls"},
		{limiterUnscraped, "the last limiter is no target"},
		{wrongTarget, "two limiters are scraped under each other's name"},
	}
}

// relabel is one of Prometheus' metric_relabel_configs.
type relabel struct {
	SourceLabels []string `yaml:"source_labels,flow,omitempty"`
	Regex        string   `yaml:"regex"`
	Action       string   `yaml:"action"`
}

// spoilScrapes makes the named mistakes in a job, and returns the instances that
// it still scrapes.
func spoilScrapes(job *scrapeJob, instances []string, faults []string) []string {
	if slices.Contains(faults, dropsUserLabel) {
		job.MetricRelabels = append(job.MetricRelabels, relabel{Regex: "user", Action: "labeldrop"})
	}
	if slices.Contains(faults, dropsLimitedCalls) {
		job.MetricRelabels = append(job.MetricRelabels, relabel{SourceLabels: []string{"__name__"}, Regex: "limited_calls.*", Action: "drop"})
	}
	if last := len(job.StaticConfigs) - 1; last > 0 && slices.Contains(faults, wrongTarget) {
		a, b := &job.StaticConfigs[0], &job.StaticConfigs[last]
		a.Labels["instance"], b.Labels["instance"] = strings.Join(a.Targets, ","), strings.Join(b.Targets, ",")
		a.Targets, b.Targets = b.Targets, a.Targets
	}
	if last := len(job.StaticConfigs) - 1; last >= 0 && slices.Contains(faults, limiterUnscraped) {
		job.StaticConfigs, instances = job.StaticConfigs[:last], instances[:len(instances)-1]
	}
	return instances
}
