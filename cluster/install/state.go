package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

const (
	// Namespace is where what belongs to nobody's namespace is.
	Namespace = "floodgate-system"
	// ConfigMap holds the state of an installation, in Namespace.
	ConfigMap = "floodgate-install"

	stateKey = "state.json"
	// madeBy marks a Namespace that was made for an installation: it is written
	// in the same call that makes it, so that no kill comes between.
	madeBy       = "floodgate.dev/made-by"
	madeByUp     = "up"
	managedBy    = "app.kubernetes.io/managed-by"
	managedByUs  = "floodgate"
	savePatience = 10 * time.Second
)

// State is where a step stands.
type State string

// The states of a step, in the order in which it passes through them.
const (
	Pending  State = "pending"
	Applying State = "applying"
	Applied  State = "applied"
	Ready    State = "ready"
	Failed   State = "failed"
)

// state is what is known of an installation, for the next process.
type state struct {
	Plan     string            `json:"plan"`
	Versions map[string]string `json:"versions,omitempty"`
	Started  time.Time         `json:"started"`
	Steps    []*stepState      `json:"steps"`
	// Down is the order of the plan's steps in which they are taken back.
	Down []string `json:"down,omitempty"`
}

type stepState struct {
	Name  string    `json:"name"`
	State State     `json:"state"`
	Since time.Time `json:"since"`
	Error string    `json:"error,omitempty"`
	// Made are the objects that were not there before, in the order in which they
	// were made; Releases the charts'; Undo how to take patches back.
	Made     []made    `json:"made,omitempty"`
	Releases []release `json:"releases,omitempty"`
	Undo     []undo    `json:"undo,omitempty"`
}

// made is an object that was made, or is about to be: then it has no UID.
type made struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	UID        string `json:"uid,omitempty"`
	// Release is the chart's release that made it, "" if we did.
	Release string `json:"release,omitempty"`
}

// release is a chart that was installed, or is about to be: then it has no
// digest.
type release struct {
	Release    string `json:"release"`
	Namespace  string `json:"namespace"`
	Repository string `json:"repository,omitempty"`
	Name       string `json:"name"`
	Version    string `json:"version,omitempty"`
	Digest     string `json:"digest,omitempty"`
}

// undo is a merge patch that takes a patch back.
type undo struct {
	made
	Merge map[string]any `json:"merge"`
}

func (m made) object() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(m.APIVersion)
	object.SetKind(m.Kind)
	object.SetNamespace(m.Namespace)
	object.SetName(m.Name)
	return object
}

func madeOf(object *unstructured.Unstructured) made {
	return made{APIVersion: object.GetAPIVersion(), Kind: object.GetKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
}

// identity tells objects apart, whatever version of their API names them.
func identity(object *unstructured.Unstructured) string {
	return object.GroupVersionKind().GroupKind().String() + " " + object.GetNamespace() + "/" + object.GetName()
}

func (m made) is(object *unstructured.Unstructured) bool {
	return identity(m.object()) == identity(object)
}

func (s *state) step(name string) *stepState {
	for _, step := range s.Steps {
		if step.Name == name {
			return step
		}
	}
	step := &stepState{Name: name, State: Pending, Since: time.Now().UTC()}
	s.Steps = append(s.Steps, step)
	return step
}

// ours tells whether an installation made an object or is about to.
func (s *state) ours(object *unstructured.Unstructured) *made {
	for _, step := range s.Steps {
		for i := range step.Made {
			if step.Made[i].is(object) {
				return &step.Made[i]
			}
		}
	}
	return nil
}

func (s *stepState) become(now State, err error) {
	s.State, s.Since, s.Error = now, time.Now().UTC(), ""
	if err != nil {
		s.Error = (&kube.Redactor{}).Text(err.Error())
	}
}

// backwards are the names of the steps in the order in which they are taken
// back.
func (s *state) backwards() []string {
	names := slices.Clone(s.Down)
	for _, step := range slices.Backward(s.Steps) {
		if !slices.Contains(names, step.Name) {
			names = append(names, step.Name)
		}
	}
	return names
}

// book is the state in the cluster. Whoever writes it must have read the last
// one.
type book struct {
	cluster *kube.Cluster
	// home is the namespace of the state.
	home   string
	config *corev1.ConfigMap
	state  state
}

// read finds the state of an installation, nil if there is none.
func read(ctx context.Context, c *kube.Cluster, home string) (*book, error) {
	config, err := c.Client.CoreV1().ConfigMaps(home).Get(ctx, ConfigMap, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no installation is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the installation: %w", err)
	}
	b := &book{cluster: c, home: home, config: config}
	if err := json.Unmarshal([]byte(config.Data[stateKey]), &b.state); err != nil {
		return nil, fmt.Errorf("ConfigMap %s/%s does not hold the state of an installation (%w): look at it, and delete it if nothing is installed", home, ConfigMap, err)
	}
	return b, nil
}

// begin finds the state of an installation of the plan, or makes the first.
func begin(ctx context.Context, c *kube.Cluster, home string, plan Plan) (*book, error) {
	if err := ensureNamespace(ctx, c, home); err != nil {
		return nil, err
	}
	b, err := read(ctx, c, home)
	if err != nil {
		return nil, err
	}
	if b != nil {
		if err := plan.sameAs(&b.state); err != nil {
			return nil, err
		}
	} else {
		b = &book{cluster: c, home: home, state: state{Plan: plan.Name, Versions: plan.Versions, Started: time.Now().UTC()}}
	}
	for _, step := range plan.Steps {
		b.state.step(step.Name)
	}
	b.state.Down = plan.Down
	return b, b.save(ctx)
}

// save writes the state. That somebody else has written it since is an error:
// two installations at a time would take each other's records away.
func (b *book) save(ctx context.Context) error {
	text, err := json.Marshal(b.state)
	if err != nil {
		return fmt.Errorf("the state of the installation: %w", err)
	}
	maps := b.cluster.Client.CoreV1().ConfigMaps(b.home)
	write := func(ctx context.Context) (*corev1.ConfigMap, error) {
		if b.config == nil {
			return maps.Create(ctx, &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: ConfigMap, Namespace: b.home, Labels: map[string]string{managedBy: managedByUs}},
				Data:       map[string]string{stateKey: string(text)},
			}, metav1.CreateOptions{FieldManager: kube.FieldManager})
		}
		next := b.config.DeepCopy()
		next.Data = map[string]string{stateKey: string(text)}
		return maps.Update(ctx, next, metav1.UpdateOptions{FieldManager: kube.FieldManager})
	}
	err = patiently(ctx, savePatience, func(ctx context.Context) error {
		written, err := write(ctx)
		if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
			// An earlier try of ours may have arrived though its answer did not.
			now, again := maps.Get(ctx, ConfigMap, metav1.GetOptions{})
			if again != nil || now.Data[stateKey] != string(text) {
				return errElsewhere
			}
			written, err = now, nil
		}
		if err == nil {
			b.config = written
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("write the state of the installation: %w", err)
	}
	return nil
}

var errElsewhere = errors.New("another floodgate changes this installation at the same time: let it end, then run this again")

// ensureNamespace makes the namespace of the state. One that is being deleted
// is waited for.
func ensureNamespace(ctx context.Context, c *kube.Cluster, home string) error {
	spaces := c.Client.CoreV1().Namespaces()
	err := patiently(ctx, 2*time.Minute, func(ctx context.Context) error {
		found, err := spaces.Get(ctx, home, metav1.GetOptions{})
		if err == nil && found.DeletionTimestamp != nil {
			return errEnding
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		_, err = spaces.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: home, Labels: map[string]string{managedBy: managedByUs}, Annotations: map[string]string{madeBy: madeByUp},
		}}, metav1.CreateOptions{FieldManager: kube.FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("make namespace %s: %w", home, err)
	}
	return nil
}

// errEnding passes: what is being deleted will be gone.
var errEnding = errors.New("it is still being deleted")

// patiently repeats a call that failed for a reason that passes.
func patiently(ctx context.Context, patience time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done after %s", patience))
	defer cancel()
	var final error
	err := kube.Until(ctx, interval, func(ctx context.Context) error {
		err := call(ctx)
		if err != nil && !passing(err) {
			final = err
			return nil
		}
		return err
	})
	if final != nil {
		return final
	}
	return err
}

// passing tells whether an error of the API server may not come again: it is
// busy, starts, or calls a webhook whose pod is not there yet.
func passing(err error) bool {
	if errors.Is(err, errEnding) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return true
	}
	if apierrors.IsInternalError(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsConflict(err) {
		return true
	}
	var network net.Error
	return errors.As(err, &network)
}

// Installed tells whether a plan is installed in the cluster, or was begun.
func Installed(ctx context.Context, c *kube.Cluster) (bool, error) {
	b, err := read(ctx, c, Namespace)
	return b != nil, err
}
