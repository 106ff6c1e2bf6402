package kuadrant

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/google/go-containerregistry/pkg/name"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Options are what a plan is made of.
type Options struct {
	// Versions names a set of the versions file, "" is Current.
	Versions string
	// Small lowers the CPU that the operators request, so that all of it fits
	// into two cores.
	Small bool
	// Preloaded says that images were put into the nodes: nothing is pulled that
	// is there.
	Preloaded bool
	// OpenShift leaves out what the platform has and adds what it needs.
	OpenShift bool
	// LimiterImage replaces Limitador's, "" leaves what the set says.
	LimiterImage string
	// RegistryMirror is a host that images are pulled from instead of their own.
	RegistryMirror string
	// Policies are all manifests of the user's policies, in any order.
	Policies []*unstructured.Unstructured
	// Variants are further policies beside them, each a step of its own.
	Variants []Variant
	// Pieces nil is Network.
	Pieces Pieces
}

// Variant is a policy beside the user's: its own Gateway, route and policies in
// namespaces of their own.
type Variant struct {
	Name    string
	Objects []*unstructured.Unstructured
}

var variantName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

func (o Options) check() error {
	var errs []error
	if len(o.Policies) == 0 {
		errs = append(errs, errors.New("there are no policies to install"))
	}
	if o.LimiterImage != "" {
		if _, err := name.ParseReference(o.LimiterImage); err != nil {
			errs = append(errs, fmt.Errorf("limiter image: %w", err))
		}
	}
	if o.RegistryMirror != "" {
		if _, err := mirrorHost(o.RegistryMirror); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, checkObjects("the policies", o.Policies))
	seen := map[string]bool{}
	for _, variant := range o.Variants {
		switch {
		case !variantName.MatchString(variant.Name):
			errs = append(errs, fmt.Errorf("variant %q: a name has lower-case letters, digits and - only", variant.Name))
		case seen[variant.Name]:
			errs = append(errs, fmt.Errorf("variant %s is there twice", variant.Name))
		case len(variant.Objects) == 0:
			errs = append(errs, fmt.Errorf("variant %s has no objects", variant.Name))
		}
		seen[variant.Name] = true
		errs = append(errs, checkObjects("variant "+variant.Name, variant.Objects))
	}
	return errors.Join(errs...)
}

// checkObjects refuses objects that cannot be placed: kubectl would put one
// without a namespace where its user happens to be.
func checkObjects(whose string, objects []*unstructured.Unstructured) error {
	var errs []error
	for _, object := range objects {
		if object.GetKind() == "" || object.GetAPIVersion() == "" || object.GetName() == "" {
			errs = append(errs, fmt.Errorf("%s: object %q of kind %q: apiVersion, kind and name are needed", whose, object.GetName(), object.GetKind()))
			continue
		}
		if object.GetNamespace() == "" && !clusterWide[object.GetKind()] {
			errs = append(errs, fmt.Errorf("%s: %s %s has no namespace: say one in the manifest", whose, object.GetKind(), object.GetName()))
		}
	}
	return errors.Join(errs...)
}

// clusterWide are kinds without a namespace that come beside policies.
var clusterWide = map[string]bool{
	"Namespace": true, "GatewayClass": true, "CustomResourceDefinition": true, "ClusterRole": true, "ClusterRoleBinding": true,
	"ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true,
}
