// Package standin is the plan of a system under test whose components are
// stand-ins in pods: the names, Services, ports, Secrets, policies and routes are
// those of a real installation, and no image but our own is needed.
package standin

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// MainVariant is the variant that holds all manifests of the user's policy.
const MainVariant = "policy"

// The namespaces of a plan's own.
const (
	kuadrantNamespace   = "kuadrant-system"
	monitoringNamespace = "llm-d-monitoring"
	operatorDeployment  = "kuadrant-operator-controller-manager"
)

// The steps, after which come those of the variants, by their names.
const (
	StepNamespaces = "namespaces"
	StepCRDs       = "crds"
	StepOperator   = "operator"
	StepModel      = "model"
	StepMonitoring = "monitoring"
)

// Options say what a plan installs.
type Options struct {
	// Image is that of our pods, PrometheusImage that of a Prometheus without an
	// operator, "" for none. Both have to be on the nodes.
	Image, PrometheusImage string
	// Variants are those of the policy; MainVariant must be among them.
	Variants []Variant
	// Faults are those that components show: limitador, authorino, gateway, llmd.
	Faults map[string][]string
	// Seed is that of the faults that strike at random, 0 for their own.
	Seed int64
}

// Variant is a variant of the policy: its objects, in their namespaces.
type Variant struct {
	Name    string
	Objects []*unstructured.Unstructured
}

// patience is how long steps may take. Times are of a machine with two busy
// cores; images are not pulled.
const (
	shortPatience = time.Minute
	longPatience  = 3 * time.Minute
)

// Plan is the plan. Its error names an object or option that it cannot do.
func Plan(o Options) (install.Plan, error) {
	policy, err := o.check()
	if err != nil {
		return install.Plan{}, fmt.Errorf("stand-in plan: %w", err)
	}
	operator, err := operatorStep(o, policy)
	if err != nil {
		return install.Plan{}, fmt.Errorf("stand-in plan: %w", err)
	}
	model, wanted, err := models(o, policy)
	if err != nil {
		return install.Plan{}, fmt.Errorf("stand-in plan: %w", err)
	}
	steps := []install.Step{
		o.namespaceStep(), crdStep(), operator,
		modelStep(model, wanted),
	}
	if o.PrometheusImage != "" {
		step, err := monitoringStep(o)
		if err != nil {
			return install.Plan{}, fmt.Errorf("stand-in plan: %w", err)
		}
		steps = append(steps, step)
	}
	var variants []string
	for _, v := range o.Variants {
		variants = append(variants, v.Name)
		steps = append(steps, variantStep(v))
	}
	down := append(slices.Collect(backwards(variants)), StepModel)
	if o.PrometheusImage != "" {
		down = append(down, StepMonitoring)
	}
	down = append(down, StepOperator, StepCRDs, StepNamespaces)
	return install.Plan{
		Name:  "standin",
		Steps: steps, Down: down,
	}, nil
}

func backwards(names []string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, name := range slices.Backward(names) {
			if !yield(name) {
				return
			}
		}
	}
}

// check returns the objects of the user's policy.
func (o Options) check() ([]*unstructured.Unstructured, error) {
	if o.Image == "" {
		return nil, errors.New("an image for the pods is needed")
	}
	for _, component := range slices.Sorted(maps.Keys(o.Faults)) {
		if !slices.Contains([]string{"limitador", "authorino", "gateway", "llmd"}, component) {
			return nil, fmt.Errorf("faults of %q: only limitador, authorino, gateway and llmd show faults", component)
		}
	}
	if o.Seed < 0 {
		return nil, fmt.Errorf("seed %d: want 0 or more", o.Seed)
	}
	var policy []*unstructured.Unstructured
	reserved := []string{StepNamespaces, StepCRDs, StepOperator, StepModel, StepMonitoring}
	for i, v := range o.Variants {
		if slices.Contains(reserved, v.Name) {
			return nil, fmt.Errorf("variant %q has the name of a step", v.Name)
		}
		if v.Name == MainVariant {
			policy = v.Objects
			if i != 0 {
				return nil, fmt.Errorf("variant %q must come first: the others need its objects", v.Name)
			}
		}
	}
	if len(policy) == 0 {
		return nil, fmt.Errorf("no variant %q with objects is there", MainVariant)
	}
	return policy, nil
}

// namespaceStep makes the namespaces of all objects first, so that they go last.
func (o Options) namespaceStep() install.Step {
	wanted := map[string]*unstructured.Unstructured{kuadrantNamespace: nil}
	if o.PrometheusImage != "" {
		wanted[monitoringNamespace] = nil
	}
	for _, v := range o.Variants {
		for _, object := range v.Objects {
			switch {
			case object.GetKind() == "Namespace":
				wanted[object.GetName()] = object
			case object.GetNamespace() != "" && wanted[object.GetNamespace()] == nil:
				wanted[object.GetNamespace()] = nil
			}
		}
	}
	step := install.Step{Name: StepNamespaces, About: "namespaces of all objects", Patience: shortPatience}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		namespace := newObject("v1", "Namespace", "", name)
		if given := wanted[name]; given != nil {
			namespace = given.DeepCopy()
		}
		step.Objects = append(step.Objects, ours(namespace))
	}
	return step
}

func crdStep() install.Step {
	step := install.Step{Name: StepCRDs, About: "custom resources, reduced to what the suite needs", Patience: shortPatience}
	for _, c := range customs() {
		step.Objects = append(step.Objects, standIn(c.definition()))
		step.Ready = append(step.Ready, install.CRDEstablished(c.name()))
	}
	return step
}

// operatorStep is the operators' stand-in and the classes of the Gateways.
func operatorStep(o Options, policy []*unstructured.Unstructured) (install.Step, error) {
	objects, err := render("operator.yaml", nil)
	if err != nil {
		return install.Step{}, err
	}
	arguments := []any{"--image", o.Image}
	for _, component := range []string{"limitador", "authorino", "gateway"} {
		for _, fault := range o.Faults[component] {
			arguments = append(arguments, "--fault", component+":"+fault)
		}
	}
	if o.Seed != 0 {
		arguments = append(arguments, "--fault-seed", fmt.Sprint(o.Seed))
	}
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			setImage(object, "manager", o.Image)
			addArguments(object, "manager", arguments)
		}
	}
	for _, name := range classes(policy) {
		class := newObject("gateway.networking.k8s.io/v1", "GatewayClass", "", name)
		class.Object["spec"] = map[string]any{"controllerName": "istio.io/gateway-controller"}
		if !contains(policy, class) {
			objects = append(objects, standIn(class))
		}
	}
	return install.Step{
		Name: StepOperator, About: "stand-in of the operators and of istiod", Objects: objects, Patience: longPatience,
		Ready:   []install.Condition{install.DeploymentAvailable(kuadrantNamespace, operatorDeployment)},
		Collect: []install.Scope{{Namespace: kuadrantNamespace}},
	}, nil
}

// classes are the GatewayClasses of the Gateways.
func classes(policy []*unstructured.Unstructured) []string {
	names := map[string]bool{}
	for _, o := range policy {
		if o.GetKind() == "Gateway" {
			if name, _, _ := unstructured.NestedString(o.Object, "spec", "gatewayClassName"); name != "" {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func modelStep(objects []*unstructured.Unstructured, wanted []backend) install.Step {
	step := install.Step{Name: StepModel, About: "stand-in of the model server, with a journal before it", Objects: objects, Patience: longPatience}
	namespaces := map[string]bool{}
	for _, b := range wanted {
		step.Ready = append(step.Ready, install.DeploymentAvailable(b.namespace, b.name), install.ServiceHasEndpoints(b.namespace, b.name))
		namespaces[b.namespace] = true
	}
	step.Collect = scopes(namespaces)
	return step
}

func monitoringStep(o Options) (install.Step, error) {
	objects, err := render("monitoring.yaml", nil)
	if err != nil {
		return install.Step{}, err
	}
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			setImage(object, "prometheus", o.PrometheusImage)
			setImage(object, "targets", o.Image)
		}
	}
	return install.Step{
		Name: StepMonitoring, About: "Prometheus, without an operator", Objects: objects, Patience: longPatience,
		Ready:   []install.Condition{install.DeploymentAvailable(monitoringNamespace, "prometheus")},
		Collect: []install.Scope{{Namespace: monitoringNamespace}},
	}, nil
}

// rank is the order in which objects of a variant are applied: keys before what
// selects them, Gateways before what targets them. Kuadrant comes after
// Limitador so that it goes first: it would make Limitador anew.
func rank(o *unstructured.Unstructured) int {
	order := []string{"Secret", "ReferenceGrant", "Limitador", "Authorino", "Kuadrant", "DestinationRule", "Gateway", "HTTPRoute", "GRPCRoute", "AuthPolicy"}
	if i := slices.Index(order, o.GetKind()); i >= 0 {
		return i
	}
	return len(order)
}

func variantStep(v Variant) install.Step {
	step := install.Step{Name: v.Name, About: "variant " + v.Name + " of the policy", Patience: longPatience}
	for _, o := range v.Objects {
		if o.GetKind() != "Namespace" {
			step.Objects = append(step.Objects, ours(o.DeepCopy()))
		}
	}
	namespaces := map[string]bool{}
	if v.Name == MainVariant {
		step.About = "the policy: keys, Kuadrant, Gateway, routes and policies"
		namespaces[kuadrantNamespace] = true
		// Without a Kuadrant object nobody enforces anything; many a policy's folder
		// has none.
		if !slices.ContainsFunc(step.Objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Kuadrant" }) {
			kuadrant := newObject("kuadrant.io/v1beta1", "Kuadrant", kuadrantNamespace, "kuadrant")
			kuadrant.Object["spec"] = map[string]any{}
			step.Objects = append(step.Objects, ours(kuadrant))
		}
	}
	slices.SortStableFunc(step.Objects, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	var enforced []install.Condition
	for _, o := range step.Objects {
		switch o.GetKind() {
		case "Kuadrant":
			step.Ready = append(step.Ready,
				install.DeploymentAvailable(o.GetNamespace(), "limitador-limitador"), install.DeploymentAvailable(o.GetNamespace(), "authorino"))
			namespaces[o.GetNamespace()] = true
		case "Gateway":
			step.Ready = append(step.Ready,
				install.DeploymentAvailable(o.GetNamespace(), o.GetName()+"-istio"), install.ListenerProgrammed(o.GetNamespace(), o.GetName()))
			namespaces[o.GetNamespace()] = true
		case "AuthPolicy", "RateLimitPolicy", "TokenRateLimitPolicy":
			enforced = append(enforced, install.PolicyEnforced(o))
		}
	}
	step.Ready = append(step.Ready, enforced...)
	step.Collect = scopes(namespaces)
	return step
}

func scopes(namespaces map[string]bool) []install.Scope {
	var found []install.Scope
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		found = append(found, install.Scope{Namespace: namespace})
	}
	return found
}
