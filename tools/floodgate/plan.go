package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/policy/wasmconfig"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/fixtures/tier"
	"github.com/floodgate-dev/floodgate/reports"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/conformance"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// twinWindow is the longest window of the shortened policy: long enough to
// probe its edges on a busy machine, short enough for a pull request.
const twinWindow = 10 * time.Second

// headersWindow is the longest window where rate-limit headers are judged: its
// rest must still tell 0 from the second by which a header may be off.
const headersWindow = 5 * time.Second

// briefWindow is the window whose end is raced for, many times in a row.
const briefWindow = time.Second

// errNoVariant is why a variant of the user's policy cannot be made: the cases
// that need it are not judged.
var errNoVariant = errors.New("this policy has no such variant")

// plan is a run that has been checked and can start.
type plan struct {
	// out is where the run's folder is made.
	out string
	// dir is the run's folder, shownDir the same as the user named it.
	dir, shownDir string
	// private holds the variants' manifests, and with them keys.
	private string

	provider cluster.Provider
	policies string
	// request is the call that was asked for, or "". chosen is true if the manifests
	// are written anew, with the one that is taken.
	request string
	chosen  bool
	set     *policy.Set
	// found is the private folder of the policies that a cluster has in force.
	found string
	// notes say what of these could not be read.
	notes   []string
	faults  map[string][]string
	manners map[string][]string
	// as is the release that the stand-ins behave as, "" for none; asFaults are
	// the faults that come of it, which are among all.
	as       string
	asFaults map[string][]string
	// scrapeInterval is that of a Prometheus that is started.
	scrapeInterval time.Duration
	programs       map[string]string
	ports          map[string]int
	// kubernetes is what is asked of a cluster, words the flags that repeat it.
	kubernetes cluster.KubernetesOptions
	words      []string
	workers    int
	from       string
	// windowModel is how the limiter is declared to count, countsBy how its
	// stand-in does, "" if as the real one does. standInLimiter is true where
	// that stand-in takes arguments.
	windowModel    oracle.WindowModel
	countsBy       string
	standInLimiter bool
	standIns       standInFlags
	// protocol is what attacks speak that do not say it themselves.
	protocol attack.Protocol
	seed     int64
	lane     catalogue.Lane
	filter   string
	// trials is how many random trials are drawn, trial the file of the one that
	// is fired instead.
	trials int
	trial  string
	// multitude is how many callers there are where thousands are meant.
	multitude int
	processes int
	// given says that cases take turns with the policy's own identities, and
	// patience how long each may take then, 0 being as long as ever.
	given    bool
	patience time.Duration
	keep     bool
	// declare are the weaknesses that the user declares.
	declare []string
	// gapBudget is how much of a gap between Enforced and the first 429 passes
	// without a warning.
	gapBudget time.Duration
	// maxDoubt is the part of the judged cases that may be in doubt.
	maxDoubt float64
	// whole is true if the lane was not narrowed to some cases.
	whole bool
	specs []conformance.Spec
	// absent are the cases of the lane that no spec proves.
	absent   []reports.Case
	variants []string
	specsOf  []cluster.VariantSpec
}

// writeVariants writes the manifests of every variant that the specs need. The
// user's own are used where they lie.
func (p *plan) writeVariants() error {
	dirs := map[string]string{}
	for _, variant := range append([]string{harness.Policy}, p.variants...) {
		if dirs[variant] != "" {
			continue
		}
		dir, err := p.writeVariant(variant)
		if errors.Is(err, errNoVariant) {
			continue
		}
		if err != nil {
			return fmt.Errorf("variant %s of the policy: %w", variant, err)
		}
		dirs[variant] = dir
		p.specsOf = append(p.specsOf, variantSpec(variant, dir))
	}
	return nil
}

// retries is how often more a gateway that tries again sends a hit.
const retries = 2

// variantSpec is what a variant needs of its components besides its policy.
func variantSpec(variant, dir string) cluster.VariantSpec {
	spec := cluster.VariantSpec{Name: variant, Dir: dir}
	switch variant {
	case harness.Headers:
		spec.RateLimitHeaders, spec.LimitNames = true, true
	case harness.Several:
		spec.RateLimitHeaders = true
	case harness.Edits:
		spec.Scalable = true
	case harness.Epoch:
		spec.WindowModel = limitador.Epoch
	case harness.Faults:
		spec.Interfered = true
	case harness.Strict:
		spec.Interfered, spec.LimiterFailureMode = true, wasmconfig.Deny
		spec.ModelFailures = []string{"rate_limit"}
	case harness.Retrying:
		spec.GatewayRetries, spec.ModelFailures = retries, []string{"server_error"}
	}
	return spec
}

func (p *plan) writeVariant(variant string) (string, error) {
	dir := filepath.Join(p.private, variant)
	set := p.set
	switch variant {
	case harness.Policy:
		switch {
		case p.chosen:
		case p.policies == seedPolicies:
			return dir, os.CopyFS(dir, seed.FS)
		case p.policies == clusterPolicies:
			return p.found, nil
		default:
			return filepath.Abs(p.policies)
		}
	case harness.Twin, harness.Epoch:
		if variant == harness.Epoch && !p.standInLimiter {
			return "", fmt.Errorf("%w: only the stand-in for the limiter can be told how to count", errNoVariant)
		}
		scaled, err := set.Scaled(twinWindow)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errNoVariant, err)
		}
		set = scaled
	case harness.Open:
		set = set.WithoutRateLimits()
	case harness.Edits, harness.Stopping:
	case harness.Headers:
		scaled, err := set.Scaled(headersWindow)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errNoVariant, err)
		}
		set = withShapes(scaled)
	case harness.Brief:
		brief, err := set.WithOneRate(1, briefWindow)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errNoVariant, err)
		}
		set = brief
	case harness.Tightened, harness.Restarts, harness.Faults, harness.Strict, harness.Retrying:
	default:
		made, err := remade(set, variant)
		if err != nil {
			return "", err
		}
		set = made
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, set.Write(dir)
}

func (p *plan) clusterOptions(progress io.Writer) cluster.Options {
	return cluster.Options{
		RunDir: p.dir, StateDir: p.private, Variants: p.specsOf, Faults: p.faults, Manners: p.manners, ScrapeInterval: p.scrapeInterval, Programs: p.programs,
		Limiters: p.standIns.limiters, Gateways: p.standIns.gateways, PrometheusSkew: p.standIns.prometheusSkew,
		Ports: p.ports, WindowModel: p.countsBy, Seed: p.seed, Progress: progress, Kubernetes: p.kubernetes,
	}
}

// again is the command that repeats the run, without its cases.
func (p *plan) again() string {
	words := []string{"floodgate", "run", "--provider", p.provider.Name()}
	if p.policies != seedPolicies {
		words = append(words, "--policies", p.policies)
	}
	if p.request != "" {
		words = append(words, "--request", "'"+p.request+"'")
	}
	for _, component := range slices.Sorted(maps.Keys(p.faults)) {
		for _, fault := range p.faults[component] {
			if slices.Contains(p.asFaults[component], fault) {
				continue
			}
			words = append(words, "--fault", component+":"+fault)
		}
	}
	for _, component := range slices.Sorted(maps.Keys(p.manners)) {
		for _, manner := range p.manners[component] {
			words = append(words, "--manner", component+":"+manner)
		}
	}
	for _, component := range slices.Sorted(maps.Keys(p.programs)) {
		words = append(words, "--"+component, p.programs[component])
	}
	if p.as != "" {
		words = append(words, "--as", p.as)
	}
	for _, name := range p.declare {
		words = append(words, "--declare", name)
	}
	if p.scrapeInterval > time.Second {
		words = append(words, "--scrape-interval", p.scrapeInterval.String())
	}
	if p.windowModel != "" && p.windowModel != oracle.FirstHit {
		words = append(words, "--window-model", string(p.windowModel))
	}
	if p.countsBy != "" {
		words = append(words, "--standin-window-model", p.countsBy)
	}
	words = append(words, p.standIns.words()...)
	if p.protocol == attack.H2C {
		words = append(words, "--protocol", string(p.protocol))
	}
	if p.multitude != 0 && p.multitude != harness.DefaultMultitude {
		words = append(words, "--multitude", strconv.Itoa(p.multitude))
	}
	words = append(words, p.words...)
	return strings.Join(append(words, "--seed", fmt.Sprint(p.seed)), " ")
}

// longestWindow is how long the longest wait of the planned specs lasts.
func (p *plan) longestWindow() time.Duration {
	var longest time.Duration
	for _, t := range p.set.Tiers() {
		if binding, ok := tier.Binding(t.Limits); ok {
			longest = max(longest, binding.Window)
		}
	}
	wait := time.Duration(0)
	for _, spec := range p.specs {
		switch {
		case spec.Lane == catalogue.Seed:
			return longest
		case slices.Contains(spec.Variants, harness.Twin), slices.Contains(spec.Variants, harness.Epoch):
			wait = min(longest, twinWindow)
		}
	}
	return wait
}

// longestWait is how long a spec may wait for a real window: past it, nobody
// watches a run any more.
const longestWait = 15 * time.Minute

// affordable refuses a plan that would wait longer than specs do.
func (p *plan) affordable() error {
	if window := p.longestWindow(); window > longestWait {
		return fmt.Errorf("--lane %s would wait %s for the policy's longest window, and specs wait %s at most: lane smoke proves windows on shortened ones",
			p.lane, window, longestWait)
	}
	return nil
}

// planned names the cases' files that the run must leave.
func (p *plan) planned() []string {
	var names []string
	for _, spec := range p.specs {
		names = append(names, harness.FileName(spec.ID, spec.Lane))
	}
	return names
}

// estimate is about how long the run takes: the longest wait, and a second or
// two for each case that runs alone or behind another.
func (p *plan) estimate() time.Duration {
	const perCase = 2 * time.Second
	serial := 0
	for _, spec := range p.specs {
		if spec.Serial {
			serial++
		}
	}
	parallel := (len(p.specs) - serial + p.processes - 1) / p.processes
	return p.longestWindow() + time.Duration(serial+parallel)*perCase
}

// describe is what --dry-run prints.
func (p *plan) describe(w io.Writer) error {
	fmt.Fprintf(w, "would run %d cases of lane %s on provider %s, about %s, seed %d\n\npolicy %s\n",
		len(p.specs), p.lane, p.provider.Name(), p.estimate().Round(time.Second), p.seed, p.policies)
	if err := p.set.WriteTable(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "case\tlane\tvariant\truns\twhat")
	for _, spec := range p.specs {
		how := "side by side"
		if spec.Serial {
			how = "alone"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", spec.ID, spec.Lane, strings.Join(spec.Variants, ","), how, spec.Text)
	}
	if err := table.Flush(); err != nil || len(p.absent) == 0 {
		return err
	}
	fmt.Fprintf(w, "\n%d cases are not judged\n", len(p.absent))
	for _, c := range p.absent {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.ID, c.Lane, c.Reason)
	}
	return table.Flush()
}
