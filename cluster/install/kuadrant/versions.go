package kuadrant

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-containerregistry/pkg/name"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// The sets of the versions file (sut.md 6).
const (
	// Current is the newest that is packaged, and the default.
	Current = "current"
	// Seed is what the demo installed in July 2025.
	Seed = "seed"
)

//go:embed versions.yaml
var versionsFile []byte

// Set is everything that is pinned together.
type Set struct {
	Name      string     `json:"name"`
	Charts    []Chart    `json:"charts"`
	Manifests []Manifest `json:"manifests"`
	// Images are all that the set pulls, by tag or digest.
	Images []string `json:"images"`
	// Operators are the Deployments of kuadrant-operator's chart.
	Operators []Operator `json:"operators"`
	// InferencePool is the apiVersion of that kind.
	InferencePool string `json:"inferencePool"`
	// LimiterImage replaces the operator's own Limitador, "" leaves it.
	LimiterImage string `json:"limiterImage,omitempty"`
	// Without are kinds of policies that this kuadrant-operator does not know.
	Without []string `json:"without,omitempty"`
}

// Chart is a Helm chart in a version.
type Chart struct {
	// Name is the part of the plan that it is for, such as "istiod".
	Name string `json:"name"`
	// Repository is an https:// or oci:// URL, Chart the name in it.
	Repository string         `json:"repository"`
	Chart      string         `json:"chart"`
	Version    string         `json:"version"`
	Values     map[string]any `json:"values,omitempty"`
}

// Manifest is a file of objects.
type Manifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"url"`
	// SHA256 is the file's in hex, "" if nobody has noted it.
	SHA256 string `json:"sha256"`
	// CRDs are the definitions that must be served once it is applied.
	CRDs []string `json:"crds"`
}

// Operator is a Deployment of kuadrant-operator's chart: its container is named
// "manager" (vectors of the cluster, operators-deployments.yaml).
type Operator struct {
	Deployment string `json:"deployment"`
	Image      string `json:"image"`
	// CPU is what it requests by the chart.
	CPU string `json:"cpu"`
	// Related are variables that name images which the operator has others pull.
	Related map[string]string `json:"related,omitempty"`
}

// Versions is a named set of the versions file; "" is Current.
func Versions(set string) (Set, error) {
	if set == "" {
		set = Current
	}
	sets, err := readVersions(versionsFile)
	if err != nil {
		return Set{}, err
	}
	var known []string
	for _, one := range sets {
		if one.Name == set {
			return one, nil
		}
		known = append(known, one.Name)
	}
	return Set{}, fmt.Errorf("there are no versions %q, there are %s", set, strings.Join(known, ", "))
}

// readVersions reads a versions file and checks that its sets are complete.
func readVersions(text []byte) ([]Set, error) {
	var file struct {
		Sets []Set `json:"sets"`
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, fmt.Errorf("the versions file: %w", err)
	}
	var errs []error
	seen := map[string]bool{}
	for _, set := range file.Sets {
		if set.Name == "" || seen[set.Name] {
			errs = append(errs, fmt.Errorf("the versions file: set %q: it has no name of its own", set.Name))
		}
		seen[set.Name] = true
		if err := set.check(); err != nil {
			errs = append(errs, fmt.Errorf("the versions file: set %s: %w", set.Name, err))
		}
	}
	return file.Sets, errors.Join(errs...)
}

// The parts that every set has.
const (
	istioBase        = "istio-base"
	istiod           = "istiod"
	prometheus       = "prometheus"
	kuadrantOperator = "kuadrant-operator"
	llmdInfra        = "llm-d-infra"
	inferencePool    = "inference-pool"
	modelService     = "model-service"

	gatewayAPI         = "gateway-api"
	inferenceExtension = "inference-extension"
)

var (
	chartParts    = []string{istioBase, istiod, prometheus, kuadrantOperator, llmdInfra, inferencePool, modelService}
	manifestParts = []string{gatewayAPI, inferenceExtension}
)

func (s Set) check() error {
	var errs []error
	var charts, manifests []string
	for _, chart := range s.Charts {
		charts = append(charts, chart.Name)
		if chart.Chart == "" {
			errs = append(errs, fmt.Errorf("chart %s has no name in its repository", chart.Name))
		}
		if !strings.HasPrefix(chart.Repository, "https://") && !strings.HasPrefix(chart.Repository, "oci://") {
			errs = append(errs, fmt.Errorf("chart %s: repository %q is neither https:// nor oci://", chart.Name, chart.Repository))
		}
		errs = append(errs, checkVersion("chart "+chart.Name, chart.Version))
	}
	for _, manifest := range s.Manifests {
		manifests = append(manifests, manifest.Name)
		if !strings.HasPrefix(manifest.URL, "https://") {
			errs = append(errs, fmt.Errorf("manifest %s: %q is not https://", manifest.Name, manifest.URL))
		}
		if manifest.SHA256 != "" && !isDigest(manifest.SHA256) {
			errs = append(errs, fmt.Errorf("manifest %s: %q is no SHA-256 in hex", manifest.Name, manifest.SHA256))
		}
		if len(manifest.CRDs) == 0 {
			errs = append(errs, fmt.Errorf("manifest %s: the definitions that it has are not named", manifest.Name))
		}
		errs = append(errs, checkVersion("manifest "+manifest.Name, manifest.Version))
	}
	errs = append(errs, sameParts("charts", charts, chartParts), sameParts("manifests", manifests, manifestParts))
	errs = append(errs, s.checkImages()...)
	if group, version, ok := strings.Cut(s.InferencePool, "/"); !ok || group == "" || version == "" {
		errs = append(errs, fmt.Errorf("inferencePool %q is no group/version", s.InferencePool))
	}
	if len(s.Operators) == 0 {
		errs = append(errs, errors.New("there are no operators"))
	}
	return errors.Join(errs...)
}

// checkImages tells whether images are names, and whether those that operators
// and charts name are in the list.
func (s Set) checkImages() []error {
	var errs []error
	for _, image := range s.Images {
		if _, err := name.ParseReference(image, name.StrictValidation); err != nil {
			errs = append(errs, fmt.Errorf("image %q: %w", image, err))
		}
	}
	named := map[string]string{}
	for _, operator := range s.Operators {
		if operator.Deployment == "" {
			errs = append(errs, fmt.Errorf("the operator of image %s has no Deployment", operator.Image))
		}
		if _, err := resource.ParseQuantity(operator.CPU); err != nil {
			errs = append(errs, fmt.Errorf("operator %s: cpu %q: %w", operator.Deployment, operator.CPU, err))
		}
		named[operator.Image] = "operator " + operator.Deployment
		for variable, image := range operator.Related {
			named[image] = "operator " + operator.Deployment + ", " + variable
		}
	}
	if s.LimiterImage != "" {
		named[s.LimiterImage] = "limiterImage"
	}
	for _, chart := range s.Charts {
		for _, image := range imagesIn(chart.Values) {
			named[image] = "chart " + chart.Name
		}
	}
	for _, image := range slices.Sorted(maps.Keys(named)) {
		if !slices.Contains(s.Images, image) {
			errs = append(errs, fmt.Errorf("image %q of %s is not among the images", image, named[image]))
		}
	}
	return errs
}

func checkVersion(what, version string) error {
	if version == "" {
		return fmt.Errorf("%s has no version", what)
	}
	// Not strict: the demo's Istio is 1.27-alpha.<commit>.
	if _, err := semver.NewVersion(version); err != nil {
		return fmt.Errorf("%s: version %q: %w", what, version, err)
	}
	return nil
}

func sameParts(what string, have, want []string) error {
	have, want = slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want))
	if slices.Equal(have, want) {
		return nil
	}
	return fmt.Errorf("its %s are %s, they must be %s", what, strings.Join(have, ", "), strings.Join(want, ", "))
}

func isDigest(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

func (s Set) chart(part string) Chart {
	for _, chart := range s.Charts {
		if chart.Name == part {
			return chart
		}
	}
	return Chart{}
}

func (s Set) manifest(part string) Manifest {
	for _, manifest := range s.Manifests {
		if manifest.Name == part {
			return manifest
		}
	}
	return Manifest{}
}

// pins are the versions of all parts by their names.
func (s Set) pins() map[string]string {
	pins := map[string]string{"set": s.Name}
	for _, chart := range s.Charts {
		pins[chart.Name] = chart.Version
	}
	for _, manifest := range s.Manifests {
		pins[manifest.Name] = manifest.Version
	}
	return pins
}

func (s Set) lacks(kind string) bool { return slices.Contains(s.Without, kind) }
