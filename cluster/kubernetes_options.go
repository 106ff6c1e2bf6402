package cluster

import "time"

// KubernetesOptions are what the providers on Kubernetes are asked.
type KubernetesOptions struct {
	// Kubeconfig and Context name a cluster that exists; "" is what kubectl takes.
	Kubeconfig, Context string

	// Name is the kind cluster's, NodeImage its nodes' image, "" being kind's own
	// by digest, and Nodes their number.
	Name, NodeImage string
	Nodes           int
	// Load are images of the container engine, or archives of images, that are
	// put into every node before anything is installed.
	Load []string
	// Keep leaves a kind cluster that the run made.
	Keep bool

	// Plan is what is installed: PlanKuadrant, PlanStandIn or PlanNone.
	Plan string
	// Versions names a set of the versions file.
	Versions string
	// Small lowers the CPU that operators ask for, OpenShift changes what differs
	// there.
	Small, OpenShift bool
	// LimiterImage replaces the limiter's image, "" leaves it.
	LimiterImage string
	// Bundle is an archive to install from and from nothing else; RegistryMirror
	// a host that images are pulled from instead of their own.
	Bundle, RegistryMirror string
	// Patience overrides how long a step may take, by its name.
	Patience map[string]time.Duration
	// PodProgram is our pods' program for linux, "" to look for it.
	PodProgram string
	// Image is the name of the image of our own pods in a registry, for clusters
	// that images cannot be loaded into.
	Image string

	// ReadOnly changes nothing in the cluster.
	ReadOnly bool
	// GatewayName is the Gateway to judge, namespace/name, "" if there is one.
	GatewayName string
	// KuadrantNamespace is where the Kuadrant object is, "" to look for it.
	KuadrantNamespace string
	// Gateway, LimiterAdmin and Prometheus are URLs to use instead of what the
	// cluster's objects say, or without any Kubernetes; GatewayStats and Journal
	// likewise, Authorizer is host:port.
	Gateway, GatewayStats, Prometheus, Backend, Journal, Authorizer string
	LimiterAdmin                                                    []string
	// UserLabel is the label of the limiter's metrics that names the caller.
	UserLabel string
}

// The plans.
const (
	PlanKuadrant = "kuadrant"
	PlanStandIn  = "standin"
	PlanNone     = "none"
)
