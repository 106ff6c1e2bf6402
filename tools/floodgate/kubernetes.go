package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kind"
)

// The names of the providers, where the command line tells them apart.
const (
	providerKind     = "kind"
	providerExisting = "existing"
)

// kubernetesFlags are what a user asks of the providers on Kubernetes, as text.
type kubernetesFlags struct {
	asked cluster.KubernetesOptions
	// patience are STEP=DURATION.
	patience []string
	from     string
	workers  int
}

// register declares the flags of every command that brings a stack up.
func (k *kubernetesFlags) register(flags *pflag.FlagSet) {
	o := &k.asked
	flags.StringVar(&o.Plan, "stack", "", "on kind: kuadrant (the real thing, the default) or standin (stand-ins as pods, no registry needed); on existing: kuadrant, standin, or none (the default)")
	flags.StringVar(&o.Versions, "versions", "current", "which set of pinned versions stack kuadrant installs: current or seed")
	flags.StringVar(&o.Name, "cluster", kind.DefaultName, "kind: name of the cluster, which is reused if it is there")
	flags.StringVar(&o.NodeImage, "node-image", "", "kind: image of the nodes instead of kind's own, which is pinned by digest")
	flags.IntVar(&o.Nodes, "nodes", 1, "kind: number of nodes, the first being the control plane")
	flags.StringSliceVar(&o.Load, "load", nil, "kind: image of the container engine, or archive of images, put into the nodes first (repeatable)")
	flags.BoolVar(&o.Small, "small", false, "stack kuadrant: have operators ask for less CPU, for small machines")
	flags.BoolVar(&o.OpenShift, "openshift", false, "stack kuadrant: what differs on OpenShift")
	flags.StringVar(&o.LimiterImage, "limitador-image", "", "stack kuadrant: another image of Limitador")
	flags.StringVar(&o.Bundle, "bundle", "", "install from this archive and from nothing else: floodgate bundle create makes one")
	flags.StringVar(&o.RegistryMirror, "registry-mirror", "", "HOST that all images are pulled from")
	flags.StringSliceVar(&k.patience, "step-timeout", nil, "STEP=DURATION, how long a step of the installation may take (repeatable; up --dry-run lists the steps)")
	flags.StringVar(&o.PodProgram, "pod-program", "", "our pods' program for linux, otherwise floodgate-pod beside this one")
	flags.StringVar(&o.Image, "pod-image", "", "image of our own pods in a registry, for clusters that images cannot be loaded into")
	k.registerExisting(flags)
}

// registerExisting declares the flags that lead to a system that is there.
func (k *kubernetesFlags) registerExisting(flags *pflag.FlagSet) {
	o := &k.asked
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "existing: kubeconfig of the cluster, otherwise as kubectl finds it")
	flags.StringVar(&o.Context, "context", "", "existing: context of the kubeconfig")
	flags.BoolVar(&o.ReadOnly, "read-only", false, "existing: change nothing in the cluster")
	flags.StringVar(&o.GatewayName, "gateway-name", "", "existing: NAMESPACE/NAME of the Gateway, if there are several")
	flags.StringVar(&o.KuadrantNamespace, "kuadrant-namespace", "", "existing: namespace of the Kuadrant object, otherwise looked for")
	flags.StringVar(&o.Gateway, "gateway-url", "", "existing: URL that attacks are fired at; with it no kubeconfig is needed")
	flags.StringVar(&o.GatewayStats, "gateway-stats-url", "", "existing: URL of the gateway's counters, such as http://HOST:15020/stats/prometheus")
	flags.StringSliceVar(&o.LimiterAdmin, "limiter-url", nil, "existing: URL of a limiter's HTTP API, such as http://HOST:8080 (repeatable)")
	flags.StringVar(&o.Prometheus, "prometheus-url", "", "existing: URL of Prometheus")
	flags.StringVar(&o.Backend, "backend-url", "", "existing: URL of the model server")
	flags.StringVar(&o.Journal, "journal-url", "", "existing: URL of a journal in front of the model server")
	flags.StringVar(&o.Authorizer, "authorizer-addr", "", "existing: HOST:PORT of the authorizer's gRPC")
	flags.StringVar(&o.UserLabel, "user-label", "", "existing: label of the limiter's metrics that names the caller, otherwise read from the policies")
}

// registerLoad declares the flags of commands that fire attacks.
func (k *kubernetesFlags) registerLoad(flags *pflag.FlagSet) {
	flags.IntVar(&k.workers, "workers", 0, "fire from this many processes, or pods with --from cluster; 0 is this process alone")
	flags.StringVar(&k.from, "from", "here", "where attacks are fired from: here, or cluster (pods of a Job)")
}

// options checks what was asked and returns all that is wrong.
func (k *kubernetesFlags) options(provider string) (cluster.KubernetesOptions, []error) {
	o := k.asked
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	plans := map[string][]string{
		providerKind:     {cluster.PlanKuadrant, cluster.PlanStandIn},
		providerExisting: {cluster.PlanNone, cluster.PlanKuadrant, cluster.PlanStandIn},
	}[provider]
	switch {
	case plans == nil:
		if o.Plan != "" {
			complain("--stack %s: provider %s brings up a stack of its own; it is for %s and %s", o.Plan, provider, providerKind, providerExisting)
		}
	case o.Plan == "":
		o.Plan = plans[0]
	case !slices.Contains(plans, o.Plan):
		complain("--stack %q: want one of %s", o.Plan, strings.Join(plans, ", "))
	}
	o.Patience = map[string]time.Duration{}
	for _, text := range k.patience {
		step, duration, ok := strings.Cut(text, "=")
		patience, err := time.ParseDuration(duration)
		if !ok || step == "" || err != nil || patience <= 0 {
			complain("--step-timeout %q: want STEP=DURATION, such as istiod=5m", text)
			continue
		}
		o.Patience[step] = patience
	}
	urls := map[string]string{
		"gateway-url": o.Gateway, "gateway-stats-url": o.GatewayStats, "prometheus-url": o.Prometheus,
		"backend-url": o.Backend, "journal-url": o.Journal,
	}
	for i, text := range o.LimiterAdmin {
		urls[fmt.Sprintf("limiter-url (%d)", i+1)] = text
	}
	for flag, text := range urls {
		if text == "" {
			continue
		}
		parsed, err := url.Parse(text)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil {
			complain("--%s: want http://HOST:PORT or https://HOST, without a user", flag)
		}
	}
	if o.Authorizer != "" {
		if _, _, err := net.SplitHostPort(o.Authorizer); err != nil {
			complain("--authorizer-addr %q: want HOST:PORT", o.Authorizer)
		}
	}
	for flag, path := range map[string]string{"kubeconfig": o.Kubeconfig, "bundle": o.Bundle, "pod-program": o.PodProgram} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			complain("--%s: %w", flag, err)
		}
	}
	if ns, name, ok := strings.Cut(o.GatewayName, "/"); o.GatewayName != "" && (!ok || ns == "" || name == "") {
		complain("--gateway-name %q: want NAMESPACE/NAME", o.GatewayName)
	}
	if k.workers < 0 || k.workers > maxWorkers {
		complain("--workers %d: want 0 to %d", k.workers, maxWorkers)
	}
	switch {
	case k.from != "" && k.from != fromHere && k.from != fromCluster:
		complain("--from %q: want %s or %s", k.from, fromHere, fromCluster)
	case k.from == fromCluster && plans == nil:
		complain("--from cluster: provider %s is no cluster", provider)
	}
	return o, wrong
}

// Where attacks are fired from.
const (
	fromHere    = "here"
	fromCluster = "cluster"
)

// maxWorkers bounds how many fire at once.
const maxWorkers = 32

// words are the flags that repeat what was asked of the cluster.
func (k *kubernetesFlags) words(provider string) []string {
	if provider != providerKind && provider != providerExisting {
		return nil
	}
	o := k.asked
	var words []string
	add := func(flag, value string) {
		if value != "" {
			words = append(words, "--"+flag, value)
		}
	}
	add("stack", o.Plan)
	if o.Name != kind.DefaultName {
		add("cluster", o.Name)
	}
	add("node-image", o.NodeImage)
	if o.Nodes > 1 {
		add("nodes", fmt.Sprint(o.Nodes))
	}
	add("kubeconfig", o.Kubeconfig)
	add("context", o.Context)
	add("gateway-name", o.GatewayName)
	add("kuadrant-namespace", o.KuadrantNamespace)
	add("gateway-url", o.Gateway)
	add("gateway-stats-url", o.GatewayStats)
	for _, base := range o.LimiterAdmin {
		add("limiter-url", base)
	}
	add("prometheus-url", o.Prometheus)
	add("backend-url", o.Backend)
	add("journal-url", o.Journal)
	add("authorizer-addr", o.Authorizer)
	add("user-label", o.UserLabel)
	if o.ReadOnly {
		words = append(words, "--read-only")
	}
	if k.from == fromCluster {
		add("from", k.from)
	}
	if k.workers > 0 {
		add("workers", fmt.Sprint(k.workers))
	}
	return words
}
