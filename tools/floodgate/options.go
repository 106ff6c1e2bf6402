package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/floodgate-dev/floodgate/cluster/double"
	"github.com/floodgate-dev/floodgate/cluster/local"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
	"github.com/floodgate-dev/floodgate/fixtures/seed"
	"github.com/floodgate-dev/floodgate/fixtures/standin/limitador"
	"github.com/floodgate-dev/floodgate/suites/attack"
	"github.com/floodgate-dev/floodgate/suites/catalogue"
	"github.com/floodgate-dev/floodgate/suites/conformance"
	"github.com/floodgate-dev/floodgate/suites/harness"
	"github.com/floodgate-dev/floodgate/suites/oracle"
)

// seedPolicies stands for the manifests that are built into the program.
const seedPolicies = "seed"

// leashFlag makes a run end with its standard input.
const leashFlag = "until-eof"

// options are what a user asks of a run, as text.
type options struct {
	provider, policies, request, lane, out string
	cases, faults, manners, ports          []string
	declare                                []string
	as                                     string
	labelFilter                            string
	limitador, llmd, prometheus            string
	windowModel, countsBy                  string
	protocol                               string
	seed                                   int64
	processes, trials, multitude           int
	trial                                  string
	dryRun, keep, leashed                  bool
	gapBudget, scrapeInterval              time.Duration
	maxDoubt                               string
	standIns                               standInFlags
	kubernetes                             kubernetesFlags
}

// register declares the flags; each can also stand in floodgate.yaml or the
// environment, see configure.
func (o *options) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.lane, "lane", string(catalogue.Smoke), "smoke, seed (waits for the policy's real windows), full, random (policies and schedules drawn from --seed) or release")
	flags.StringSliceVar(&o.cases, "case", nil, "only these cases, such as B02 (repeatable)")
	flags.StringVar(&o.labelFilter, "label-filter", "", "Ginkgo label filter that narrows the lane, such as 'rule:window'")
	flags.StringVar(&o.out, "out", "out", "folder for the runs' folders")
	flags.IntVar(&o.processes, "processes", 4, "spec processes side by side")
	flags.IntVar(&o.multitude, "multitude", harness.DefaultMultitude, "how many callers the cases about thousands of counters have, 1000 to 100000")
	flags.IntVar(&o.trials, "trials", defaultTrials, "how many policies lane random draws, 1 to 1000; each takes up to 10 s")
	flags.StringVar(&o.trial, "trial", "", "a trial of lane random that a run has left behind, instead of drawing any")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would run, start nothing")
	flags.BoolVar(&o.keep, "keep", false, "keep the stack up afterwards, until Ctrl-C; on kind: leave the cluster for the next run")
	flags.DurationVar(&o.gapBudget, "gap-budget", defaultGapBudget, "how long after a policy says Enforced its first 429 may be seen without a warning")
	flags.StringSliceVar(&o.declare, "declare", nil, "a known weakness of the system under test that this run takes as given, beside those that the provider declares; \"none\" drops these (repeatable; see floodgate weaknesses)")
	flags.StringVar(&o.maxDoubt, "max-doubt", "5%", "how many of the judged cases may be inconclusive in a run that passes, 0 to 50 %")
	flags.BoolVar(&o.leashed, leashFlag, false, "end with the standard input")
	// For floodgate selftest, which starts many.
	_ = flags.MarkHidden(leashFlag)
	flags.StringVar(&o.protocol, "protocol", string(attack.HTTP1), "what hits speak where a case does not say it: http/1.1, or h2c (HTTP/2 without TLS)")
	flags.StringVar(&o.windowModel, "window-model", string(oracle.FirstHit), "how the limiter is declared to count: first-hit, epoch (windows end by the clock) or sliding")
	o.registerStack(flags)
	o.kubernetes.registerLoad(flags)
}

// registerStack declares the flags of every command that brings a stack up.
func (o *options) registerStack(flags *pflag.FlagSet) {
	flags.StringVar(&o.provider, "provider", "local", "how the stack comes to be: local, kind, existing, or double (stand-ins in one process, for tests)")
	flags.StringVar(&o.policies, "policies", seedPolicies, "folder of Kuadrant and Gateway API manifests, or \"seed\" for the built-in ones, or \"cluster\" for those in force on an existing one")
	flags.StringVar(&o.request, "request", "", requestUsage)
	flags.StringSliceVar(&o.faults, "fault", nil, "COMPONENT:NAME, a defect that a stand-in shows (repeatable; see floodgate standin NAME --list-faults)")
	flags.StringVar(&o.as, "as", "", "a release of Kuadrant whose recorded defects the stand-ins show, such as kuadrant-1.5.2; see floodgate defects")
	flags.StringSliceVar(&o.manners, "manner", nil, "COMPONENT:NAME, a way in which a stand-in is unusual and right (repeatable; see floodgate standin NAME --list-manners)")
	flags.StringVar(&o.limitador, "limitador", "", "a real limitador-server instead of the stand-in")
	flags.StringVar(&o.llmd, "llmd", "", "a real llm-d-inference-sim instead of the stand-in")
	flags.StringVar(&o.prometheus, "prometheus", "", "a prometheus program, or \"none\"; otherwise the one on PATH, or one that is built once")
	flags.DurationVar(&o.scrapeInterval, "scrape-interval", time.Second, "how often a Prometheus that is started here scrapes; verdicts wait for the scrape after the last hit")
	flags.StringSliceVar(&o.ports, "port", nil, "COMPONENT=PORT on 127.0.0.1 instead of a free one, such as gateway=8000 (repeatable)")
	flags.StringVar(&o.countsBy, "standin-window-model", limitador.FirstHit, "how the stand-in for the limiter counts; declare the same by --window-model, or see it found")
	o.standIns.register(flags)
	flags.Int64Var(&o.seed, "seed", 0, "makes order and random faults repeatable; 0 draws one")
	o.kubernetes.register(flags)
}

// plan checks everything that a user asked for before anything starts, and
// says all that is wrong at once.
func (o *options) plan(ctx context.Context) (*plan, error) {
	p, wrong := o.stackPlan(ctx)
	lane := catalogue.Lane(o.lane)
	filter, err := o.filter(lane)
	if err != nil {
		wrong = append(wrong, err)
	}
	if o.processes < 1 || o.processes > 64 {
		wrong = append(wrong, fmt.Errorf("--processes %d: want 1 to 64", o.processes))
	}
	if o.multitude < 1000 || o.multitude > 100_000 {
		wrong = append(wrong, fmt.Errorf("--multitude %d: want 1000 to 100000", o.multitude))
	}
	if o.trials < 1 || o.trials > mostTrials {
		wrong = append(wrong, fmt.Errorf("--trials %d: want 1 to %d", o.trials, mostTrials))
	}
	if p.trial, err = readTrial(o.trial, lane, p.set); err != nil {
		wrong = append(wrong, fmt.Errorf("--trial: %w", err))
	}
	if o.gapBudget <= 0 {
		wrong = append(wrong, fmt.Errorf("--gap-budget %s: must be above 0", o.gapBudget))
	}
	if err := checkDeclared(o.declare); err != nil {
		wrong = append(wrong, err)
	}
	maxDoubt, err := parseShare(o.maxDoubt)
	if err != nil {
		wrong = append(wrong, fmt.Errorf("--max-doubt: %w", err))
	}
	p.windowModel, err = oracle.ParseWindowModel(o.windowModel)
	if err != nil {
		wrong = append(wrong, fmt.Errorf("--window-model: %w", err))
	}
	p.protocol = attack.Protocol(o.protocol)
	if p.protocol != attack.HTTP1 && p.protocol != attack.H2C {
		wrong = append(wrong, fmt.Errorf("--protocol %q: want %s or %s", o.protocol, attack.HTTP1, attack.H2C))
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	p.declare, p.trials, p.multitude = o.declare, o.trials, o.multitude
	p.gapBudget, p.maxDoubt = o.gapBudget, maxDoubt
	p.lane, p.filter, p.keep = lane, filter, o.keep && o.provider != providerKind
	p.kubernetes.Keep = o.keep && o.provider == providerKind
	p.whole = len(o.cases) == 0 && o.labelFilter == ""
	p.specs, err = previewSpecs(ctx, filter)
	if err != nil {
		return nil, err
	}
	p.absent, err = absentCases(lane, o.cases, o.labelFilter != "")
	if err != nil {
		return nil, err
	}
	if len(p.specs) == 0 {
		return nil, nothingToRun(filter, p.absent)
	}
	p.processes = min(o.processes, len(p.specs))
	p.variants = conformance.Variants(p.specs)
	p.out = o.out
	return p, p.affordable()
}

// stackPlan checks what concerns the stack alone.
func (o *options) stackPlan(ctx context.Context) (*plan, []error) {
	p := &plan{standInLimiter: o.bringsStandInLimiter(), policies: o.policies, request: o.request, seed: o.seed, programs: map[string]string{}, words: o.kubernetes.words(o.provider), workers: o.kubernetes.workers, from: o.kubernetes.from}
	var wrong []error
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	var err error
	p.provider, err = harness.Provider(o.provider)
	note(err)
	var asked []error
	p.kubernetes, asked = o.kubernetes.options(o.provider)
	wrong = append(wrong, asked...)
	if len(asked) == 0 {
		p.set, err = p.readPolicies(ctx)
		note(err)
	}
	p.faults, err = parseNamed("fault", o.faults, componentFaults())
	note(err)
	note(p.behaveAs(o.as, o.provider, map[string]string{"limitador": o.limitador, "llmd": o.llmd}))
	p.manners, err = parseNamed("manner", o.manners, componentManners())
	note(err)
	if p.scrapeInterval = o.scrapeInterval; p.scrapeInterval < time.Second || p.scrapeInterval%time.Second != 0 {
		note(fmt.Errorf("--scrape-interval %s: want whole seconds", o.scrapeInterval))
	}
	if len(p.manners) > 0 && o.provider != (&local.Provider{}).Name() && o.provider != double.New().Name() {
		note(fmt.Errorf("--manner: provider %s starts stand-ins as they are; use provider local", o.provider))
	}
	p.ports, err = parsePorts(o.ports)
	note(err)
	p.countsBy, err = o.standInModel()
	note(err)
	for name, path := range map[string]string{"limitador": o.limitador, "llmd": o.llmd, "prometheus": o.prometheus} {
		if path == "" {
			continue
		}
		if name == prometheusComponent && path == local.NoPrometheus {
			p.programs[name] = path
			if _, faulty := p.faults[name]; faulty {
				note(fmt.Errorf("--fault %s: without a Prometheus nothing scrapes: leave out --prometheus none", name))
			}
			continue
		}
		p.programs[name], err = executable(path)
		if err != nil {
			note(fmt.Errorf("--%s: %w", name, err))
		}
		if _, both := p.faults[name]; both && name != prometheusComponent {
			note(fmt.Errorf("--fault %s: a real component shows no named faults; leave out --%s", name, name))
		}
	}
	if _, faulty := p.faults[prometheusComponent]; faulty && o.provider != "local" {
		note(fmt.Errorf("--fault %s: only provider local tells Prometheus what to scrape", prometheusComponent))
	}
	p.standIns = o.standIns
	note(o.standIns.check(o))
	if p.seed == 0 {
		p.seed = rand.Int64N(1_000_000) + 1
	}
	return p, wrong
}

// standInModel is the window model that the stand-in for the limiter is given,
// "" if it counts as the real one does.
func (o *options) standInModel() (string, error) {
	switch {
	case !slices.Contains(limitador.WindowModels(), o.countsBy):
		return "", fmt.Errorf("--standin-window-model %q: want one of %s", o.countsBy, strings.Join(limitador.WindowModels(), ", "))
	case o.countsBy == limitador.FirstHit:
		return "", nil
	case !o.bringsStandInLimiter():
		return "", fmt.Errorf("--standin-window-model %s: only the stand-in of providers local and double can be told how to count; say by --window-model how yours does", o.countsBy)
	}
	return o.countsBy, nil
}

// bringsStandInLimiter is true where the limiter is a stand-in that is started
// with arguments of ours.
func (o *options) bringsStandInLimiter() bool {
	return o.limitador == "" && o.bringsStandIns()
}

// bringsStandIns is true where what is not given is a stand-in that is started with
// arguments of ours.
func (o *options) bringsStandIns() bool { return o.provider == "local" || o.provider == "double" }

func (o *options) filter(lane catalogue.Lane) (string, error) {
	filter, err := lane.Filter()
	if err != nil {
		return "", fmt.Errorf("--lane: %w", err)
	}
	if len(o.cases) > 0 {
		// A case that is asked for by name runs whatever its lane, but not
		// twice: real windows only if the lane says so.
		var any []string
		for _, id := range o.cases {
			if _, err := catalogue.Find(id); err != nil {
				return "", fmt.Errorf("--case: %w; see floodgate cases", err)
			}
			any = append(any, "case:"+id)
		}
		filter = "(" + strings.Join(any, " || ") + ")"
		if lane != catalogue.Seed && lane != catalogue.Release {
			filter += " && !lane:seed"
		} else {
			filter += " && lane:seed"
		}
	}
	if lane == catalogue.Smoke && len(o.cases) == 0 {
		for _, fault := range o.faults {
			if id := catalogue.FoundBeyondSmoke(fault); id != "" {
				filter += " || (case:" + id + " && !lane:seed)"
			}
		}
	}
	if o.labelFilter != "" {
		filter = "(" + filter + ") && (" + o.labelFilter + ")"
	}
	return filter, nil
}

// readPolicies reads a folder of manifests. "seed" always means the built-in
// ones; a folder of that name is "./seed".
func readPolicies(name string) (*policy.Set, error) {
	if name == seedPolicies {
		return policy.ReadFS(seed.FS, seedPolicies)
	}
	set, err := policy.Read(name)
	if err != nil {
		return nil, fmt.Errorf("--policies: %w", err)
	}
	return set, nil
}

// parseNamed reads COMPONENT:NAME of what stand-ins can be told to do.
func parseNamed(flag string, texts []string, components map[string][]string) (map[string][]string, error) {
	named := map[string][]string{}
	for _, text := range texts {
		component, name, ok := strings.Cut(text, ":")
		if !ok {
			return nil, fmt.Errorf("--%s %q: want COMPONENT:NAME, such as limitador:%s", flag, text, components["limitador"][0])
		}
		known, ok := components[component]
		if !ok {
			return nil, fmt.Errorf("--%s %q: component %q is no stand-in: want one of %s", flag, text, component, strings.Join(faultyComponents(), ", "))
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--%s %q: %s has no such %s: want one of %s", flag, text, component, flag, strings.Join(known, ", "))
		}
		named[component] = append(named[component], name)
	}
	return named, nil
}

func parsePorts(texts []string) (map[string]int, error) {
	known := []string{"authorino", "gateway", "gateway-admin", "journal", "limitador", "limitador-http", "llmd", "prometheus"}
	ports, owners := map[string]int{}, map[int]string{}
	for _, text := range texts {
		component, number, ok := strings.Cut(text, "=")
		port, err := strconv.Atoi(number)
		if !ok || err != nil || port < 1 || port > 65535 || !slices.Contains(known, component) {
			return nil, fmt.Errorf("--port %q: want COMPONENT=PORT with one of %s and 1 to 65535", text, strings.Join(known, ", "))
		}
		if other, taken := owners[port]; taken && other != component {
			return nil, fmt.Errorf("--port %q: %s has this port already", text, other)
		}
		ports[component], owners[port] = port, component
	}
	return ports, nil
}

// parseShare reads a part of a whole in percent. More than half of a run in
// doubt is no run to build on.
func parseShare(text string) (float64, error) {
	const most = 50
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(percent >= 0 && percent <= most) {
		return 0, fmt.Errorf("%q: want 0 to %d percent of the judged cases, such as 5%%", text, most)
	}
	return percent / 100, nil
}

func executable(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return "", err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s is no executable file", absolute)
	}
	return absolute, nil
}

// makeRunDir makes a new folder for a run: two runs of one second do not share
// one.
func makeRunDir(out, run string) (shown, absolute string, err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", "", fmt.Errorf("--out: %w", err)
	}
	for n := 1; ; n++ {
		name := run
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		shown = filepath.Join(out, name)
		absolute, err = filepath.Abs(shown)
		if err == nil {
			err = os.Mkdir(absolute, 0o755)
		}
		if err == nil {
			return shown, absolute, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", "", fmt.Errorf("--out: %w", err)
		}
	}
}

func faultyComponents() []string { return slices.Sorted(maps.Keys(componentFaults())) }
