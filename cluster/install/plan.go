// Package install brings a system under test up on Kubernetes, step by step:
// plans are data, a Runner carries them out, continues where one was cut off,
// says where it stands, and takes back exactly what it made.
package install

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// Plan is what is installed, in order.
type Plan struct {
	// Name is what --plan says.
	Name string
	// Versions are what the plan pins, such as "istio" to "1.29.1". A plan with
	// other versions is another plan: none is upgraded in place.
	Versions map[string]string
	Steps    []Step
	// Down are the names of the steps in the order in which they are taken back;
	// empty means the reverse.
	Down []string
}

// Step is one part of a plan.
type Step struct {
	// Name is unique in the plan and keys the configuration of its patience.
	Name string
	// About says what it does, in one line.
	About string
	// Charts come first, then Objects in order by server-side apply, then
	// Patches, which wait for the object that they change.
	Charts  []Chart
	Objects []*unstructured.Unstructured
	Patches []Patch
	// Ready are asked in order, again and again, until all are satisfied.
	Ready []Condition
	// Patience bounds the whole step.
	Patience time.Duration
	// Collect says where to look when it fails.
	Collect []Scope
}

// Chart is a Helm chart in a version.
type Chart struct {
	Release, Namespace string
	// Repository is an https:// or oci:// URL, or a folder; Name and Version the
	// chart's.
	Repository, Name, Version string
	Values                    map[string]any
}

// Patch is a merge into an object that something else makes.
type Patch struct {
	Object *unstructured.Unstructured
	Merge  map[string]any
}

// Condition is how a step is known to be ready.
type Condition struct {
	// What is awaited, for people: "Deployment llm-d/ms-sim is available".
	What string
	// Check returns nil when it is so, else what is missing.
	Check func(ctx context.Context, c *kube.Cluster) error
}

// Scope is where to look for the cause of a failure.
type Scope = kube.Scope

// Charts installs charts. Helm's library is far too heavy for every run to build
// it, so that this is a program of its own.
type Charts interface {
	// Render returns the objects that a chart makes, CRDs included.
	Render(ctx context.Context, chart Chart) ([]*unstructured.Unstructured, error)
	// Install installs or upgrades a release and does not wait for its pods.
	Install(ctx context.Context, chart Chart) error
	// Uninstall removes a release; one that is not there is no error.
	Uninstall(ctx context.Context, chart Chart) error
}
