package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/metrics"
	"github.com/floodgate-dev/floodgate/cluster/probe"
)

const (
	prometheus = "prometheus"
	// prometheusClock is what stands before it where its clock is to be another.
	prometheusClock = "prometheus-clock"
	skewStandIn     = "skew"
	// prometheusFile is its configuration in the private folder.
	prometheusFile = "prometheus.yml"
	// NoPrometheus, given as its program, runs the stack without.
	NoPrometheus = "none"
	// scrapeInterval is short, because a verdict waits for the scrape after
	// the last hit.
	scrapeInterval = time.Second
)

// scrapeConfig is a Prometheus configuration, as far as it is needed.
type scrapeConfig struct {
	Global struct {
		ScrapeInterval string `yaml:"scrape_interval"`
		ScrapeTimeout  string `yaml:"scrape_timeout"`
	} `yaml:"global"`
	ScrapeConfigs []scrapeJob `yaml:"scrape_configs"`
}

type scrapeJob struct {
	JobName        string         `yaml:"job_name"`
	StaticConfigs  []staticTarget `yaml:"static_configs"`
	MetricRelabels []relabel      `yaml:"metric_relabel_configs,omitempty"`
}

type staticTarget struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels"`
}

// startPrometheus starts a Prometheus that scrapes all limiters.
func (u *upping) startPrometheus(ctx context.Context, program string) error {
	var config scrapeConfig
	interval := cmp.Or(u.options.ScrapeInterval, scrapeInterval).String()
	config.Global.ScrapeInterval, config.Global.ScrapeTimeout = interval, interval
	job := scrapeJob{JobName: limiter}
	var instances []string
	for _, v := range u.variants {
		job.StaticConfigs = append(job.StaticConfigs, staticTarget{v.up.PrometheusInstances, map[string]string{"variant": v.name}})
		instances = append(instances, v.up.PrometheusInstances...)
	}
	instances = spoilScrapes(&job, instances, u.options.Faults[prometheus])
	config.ScrapeConfigs = []scrapeJob{job}
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	file := filepath.Join(u.state, prometheusFile)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}

	p := part{
		name: prometheus, program: program, version: prometheusVersionOf(ctx, program),
		ports: []string{prometheusPort}, fixed: true, stop: terminate, faults: u.options.Faults[prometheus],
	}
	p.args = func(ports map[string]int) []string {
		return []string{
			"--config.file=" + file,
			"--storage.tsdb.path=" + filepath.Join(u.state, "prometheus"),
			"--storage.tsdb.retention.time=1d",
			"--web.listen-address=" + hostPort(ports[prometheusPort]),
			"--log.level=warn",
			// By default nothing is scraped for the first five seconds.
			"--scrape.discovery-reload-interval=100ms",
		}
	}
	p.ready = func(ctx context.Context, ports map[string]int) error {
		base := baseURL(ports[prometheusPort])
		if err := probe.Answers(ctx, base+"/-/ready"); err != nil {
			return err
		}
		source, err := u.reader.Prometheus(base, "", instances...)
		if err != nil {
			return err
		}
		if len(p.faults) > 0 {
			// A scrape that is configured wrongly need not bring anything.
			return nil
		}
		// A first scrape of every limiter proves more than a list of targets.
		if _, err = source.Last(ctx); errors.Is(err, metrics.ErrOwnTimes) {
			// They were scraped. What cannot be read off them is for the cases to say.
			return nil
		}
		return err
	}
	p.waiting = func(ports map[string]int) string {
		return fmt.Sprintf("%s/-/ready and a first scrape of %s", baseURL(ports[prometheusPort]), strings.Join(instances, ", "))
	}
	r, err := u.stack.up(ctx, p)
	if err != nil {
		return err
	}
	u.prometheus = baseURL(r.ports[prometheusPort])
	if u.options.PrometheusSkew == 0 {
		return nil
	}
	return u.startSkew(ctx)
}

// startSkew puts a stand-in for another clock before Prometheus.
func (u *upping) startSkew(ctx context.Context) error {
	p := part{name: prometheusClock, standIn: skewStandIn, ports: []string{prometheusClock}, stop: terminate}
	upstream := u.prometheus
	p.args = func(ports map[string]int) []string {
		return []string{"--upstream", upstream, "--by", u.options.PrometheusSkew.String(), "--listen", hostPort(ports[prometheusClock])}
	}
	p.ready = func(ctx context.Context, ports map[string]int) error {
		return probe.Answers(ctx, baseURL(ports[prometheusClock])+"/-/ready")
	}
	p.waiting = func(ports map[string]int) string { return baseURL(ports[prometheusClock]) + "/-/ready" }
	r, err := u.stack.up(ctx, p)
	if err != nil {
		return err
	}
	u.prometheus = baseURL(r.ports[prometheusClock])
	return nil
}

// prometheusProgram finds Prometheus: given, on PATH, in the user's cache, or
// built into it. "" means to do without.
func (u *upping) prometheusProgram(ctx context.Context) (string, error) {
	given, ok := u.options.Programs[prometheus]
	switch {
	case given == NoPrometheus:
		return "", nil
	case ok && given != "":
		return given, nil
	}
	program, err := Prometheus(ctx, u.stack.say)
	if err != nil {
		return "", &cluster.StartError{
			Component: prometheus, Cause: err,
			Next: "install Go from https://go.dev/dl, or name a Prometheus, or do without (\"" + NoPrometheus + "\"): its book is then missing",
		}
	}
	return program, nil
}
