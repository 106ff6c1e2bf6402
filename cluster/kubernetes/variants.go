package kubernetes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy"
)

const (
	// MainVariant is the user's own policy, which stays where it is.
	MainVariant = "policy"
	// RunLabel names the run that made an object, managedByLabel says that it is
	// one of ours.
	RunLabel       = "floodgate.dev/run"
	managedByLabel = "app.kubernetes.io/managed-by"
	managedByUs    = "floodgate"

	variantsFolder = "variants"
)

// VariantFiles is a variant of the policy as the cluster has it, or is to have it.
type VariantFiles struct {
	// Dir holds the manifests in force, with keys; Set is what they say.
	Dir string
	Set *policy.Set
	// Make has Open put the variant's Gateways, routes and policies into the
	// cluster, and Down remove them. It is false where an installation did.
	Make bool
	// RateLimitHeaders is what the variant needs of the limiter.
	RateLimitHeaders bool
}

// Variants reads a run's variants and writes those that are moved beside the
// user's policy into the private folder. All but the user's are to be made.
func Variants(state string, specs []cluster.VariantSpec) (map[string]VariantFiles, error) {
	found := map[string]VariantFiles{}
	for _, spec := range specs {
		set, err := policy.Read(spec.Dir)
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", spec.Name, err)
		}
		files := VariantFiles{Dir: spec.Dir, Set: set, RateLimitHeaders: spec.RateLimitHeaders}
		if spec.Name != MainVariant {
			files.Dir, files.Make = filepath.Join(state, variantsFolder, filepath.Base(spec.Name)), true
			if files.Set, err = set.Beside(spec.Name); err != nil {
				return nil, fmt.Errorf("variant %s: %w", spec.Name, err)
			}
			if err := files.Set.Write(files.Dir); err != nil {
				return nil, fmt.Errorf("variant %s: %w", spec.Name, err)
			}
		}
		found[spec.Name] = files
	}
	return found, nil
}

// PrivateFolder makes a folder below parent, "" being the system's for temporary
// files, that only its owner can read.
func PrivateFolder(parent string) (string, error) {
	if parent != "" {
		if err := os.MkdirAll(parent, 0o700); err != nil {
			return "", fmt.Errorf("make the folder of the private state: %w", err)
		}
	}
	dir, err := os.MkdirTemp(parent, "floodgate-")
	if err != nil {
		return "", fmt.Errorf("make a private folder: %w", err)
	}
	return dir, nil
}

// VariantObjects are the objects that a variant has of its own, in the order in
// which they can be applied: the namespaces first.
func VariantObjects(files VariantFiles) ([]*unstructured.Unstructured, error) {
	text, err := files.Set.Text(policy.Routing, policy.Callers, policy.RateLimit)
	if err != nil {
		return nil, err
	}
	objects, err := kube.Decode(text)
	if err != nil {
		return nil, err
	}
	var namespaces []*unstructured.Unstructured
	seen := map[string]bool{}
	for _, o := range objects {
		// A grant lies in a namespace that is there.
		if name := o.GetNamespace(); !seen[name] && o.GetKind() != "ReferenceGrant" {
			seen[name] = true
			namespace := Resource{"v1", "Namespace", "", name}.object()
			namespaces = append(namespaces, namespace)
		}
	}
	all := append(namespaces, objects...)
	for _, o := range all {
		labels := o.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[managedByLabel] = managedByUs
		o.SetLabels(labels)
	}
	return all, nil
}

// make puts a variant's objects into the cluster.
func (s *System) make(ctx context.Context, name string, files VariantFiles) error {
	objects, err := VariantObjects(files)
	if err != nil {
		return fmt.Errorf("variant %s: %w", name, err)
	}
	for _, o := range objects {
		if o.GetKind() == "Namespace" {
			if err := s.own(ctx, o.GetName()); err != nil {
				return fmt.Errorf("variant %s: %w", name, err)
			}
		}
		s.label(o)
		if err := s.changes.note(ctx, o, nil); err != nil {
			return fmt.Errorf("variant %s: %w", name, err)
		}
		if err := s.cluster.Apply(ctx, o); err != nil {
			if kube.Missing(err) && o.GetKind() == "DestinationRule" {
				continue
			}
			return fmt.Errorf("variant %s: %w", name, err)
		}
	}
	return nil
}

// own refuses a namespace that is somebody else's: a variant's are removed with
// all that is in them.
func (s *System) own(ctx context.Context, name string) error {
	namespace, err := s.cluster.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	switch {
	case kube.Missing(err):
		return nil
	case err != nil:
		return fmt.Errorf("read Namespace %s: %w", name, err)
	case namespace.Labels[RunLabel] == s.state.Run:
		return nil
	case namespace.Status.Phase == corev1.NamespaceTerminating:
		return fmt.Errorf("the namespace %s is being deleted: wait for its end", name)
	}
	return fmt.Errorf("the namespace %s is there already, and not of this run: delete it, or let the run that made it end (%s=%q)",
		name, RunLabel, namespace.Labels[RunLabel])
}

// label marks an object as this run's.
func (s *System) label(o *unstructured.Unstructured) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[managedByLabel], labels[RunLabel] = managedByUs, s.state.Run
	o.SetLabels(labels)
}
