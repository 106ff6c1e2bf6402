package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// carry carries one step out.
func (r *Runner) carry(ctx context.Context, b *book, step Step) error {
	patience := r.patience(step)
	inStep, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not ready after %s", patience))
	defer cancel()
	record := b.state.step(step.Name)
	// A step that is ready is so again when its conditions say it.
	if record.State != Ready {
		record.become(Applying, nil)
	}
	s := &carrying{Runner: r, book: b, step: step, record: record}
	for _, chart := range step.Charts {
		if err := s.chart(inStep, chart); err != nil {
			return s.blame(inStep, fmt.Sprintf("chart %s %s in %s", chart.Name, chart.Version, chart.Namespace), err)
		}
	}
	if object, err := s.objects(inStep); err != nil {
		return s.blame(inStep, object, err)
	}
	for _, patch := range step.Patches {
		if err := s.patch(inStep, patch); err != nil {
			return s.blame(inStep, "a patch of "+kube.Name(patch.Object), err)
		}
	}
	if record.State != Ready {
		record.become(Applied, nil)
	}
	if err := b.save(inStep); err != nil {
		return s.blame(inStep, "", err)
	}
	if err := s.ready(inStep); err != nil {
		return err
	}
	if record.State == Ready {
		return nil
	}
	record.become(Ready, nil)
	if err := b.save(inStep); err != nil {
		return s.blame(inStep, "", err)
	}
	return nil
}

// carrying is a step that is being carried out.
type carrying struct {
	*Runner
	book   *book
	step   Step
	record *stepState
}

// absent tells whether an object is not there. One that is being deleted is
// waited for: what is applied to it would go with it.
func (s *carrying) absent(ctx context.Context, object *unstructured.Unstructured) (bool, error) {
	absent := false
	err := patiently(ctx, s.patience(s.step), func(ctx context.Context) error {
		found, err := s.Cluster.Get(ctx, object)
		if kube.Missing(err) {
			absent = true
			return nil
		}
		if err == nil && found.GetDeletionTimestamp() != nil {
			return fmt.Errorf("%w, held by %s", errEnding, kube.HeldBy(found))
		}
		return err
	})
	return absent, err
}

// intend writes down which of the objects are not there, before they are made.
func (s *carrying) intend(ctx context.Context, objects []*unstructured.Unstructured, release string) error {
	for _, object := range objects {
		absent, err := s.absent(ctx, object)
		if err != nil {
			return fmt.Errorf("look for %s: %w", kube.Name(object), err)
		}
		known := s.book.state.ours(object)
		switch {
		case absent && known == nil:
			m := madeOf(object)
			m.Release = release
			s.record.Made = append(s.record.Made, m)
		case absent:
			known.UID = ""
		}
	}
	return s.book.save(ctx)
}

// identified notes the UIDs of what was made. They are saved with the next
// state.
func (s *carrying) identified(ctx context.Context) error {
	for i := range s.record.Made {
		m := &s.record.Made[i]
		if m.UID != "" {
			continue
		}
		found, err := s.Cluster.Get(ctx, m.object())
		if kube.Missing(err) {
			// A chart's hook that is gone again, or that has yet to come.
			continue
		}
		if err != nil {
			return fmt.Errorf("look for %s: %w", kube.Name(m.object()), err)
		}
		m.UID = string(found.GetUID())
	}
	return nil
}

// objects applies the step's objects. The name that it returns is of the one
// that failed.
func (s *carrying) objects(ctx context.Context) (string, error) {
	if err := s.intend(ctx, s.step.Objects, ""); err != nil {
		return "", err
	}
	var definitions []*unstructured.Unstructured
	for _, object := range s.step.Objects {
		// A custom resource may come with its definition.
		for _, definition := range definitions {
			if defines(definition, object) {
				if err := established(ctx, s.Cluster, definition); err != nil {
					return kube.Name(definition), err
				}
			}
		}
		if err := s.apply(ctx, object); err != nil {
			return kube.Name(object), err
		}
		if object.GetKind() == crdKind {
			definitions = append(definitions, object)
		}
	}
	// All at a time: the API server establishes them side by side.
	for _, definition := range definitions {
		if err := established(ctx, s.Cluster, definition); err != nil {
			return kube.Name(definition), err
		}
	}
	return "", s.identified(ctx)
}

const crdKind = "CustomResourceDefinition"

// defines tells whether an object is a custom resource of a definition.
func defines(definition, object *unstructured.Unstructured) bool {
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
	return object.GroupVersionKind().GroupKind() == schema.GroupKind{Group: group, Kind: kind}
}

func established(ctx context.Context, c *kube.Cluster, definition *unstructured.Unstructured) error {
	check := kube.CRDEstablished(definition.GetName())
	return kube.Until(ctx, interval, func(ctx context.Context) error { return check(ctx, c) })
}

// errNoKind is a kind that the API server does not know.
var errNoKind = errors.New("the API server does not know this kind, its CustomResourceDefinition is missing")

func (s *carrying) apply(ctx context.Context, object *unstructured.Unstructured) error {
	var since time.Time
	var final error
	err := kube.Until(ctx, interval, func(ctx context.Context) error {
		err := s.Cluster.Apply(ctx, object)
		switch {
		case err == nil:
			return nil
		case kube.Missing(err):
			// The kind, or the namespace.
			if since.IsZero() {
				since = time.Now()
			}
			if time.Since(since) < kindPatience {
				return err
			}
			if meta.IsNoMatchError(err) {
				err = fmt.Errorf("%w: %w", errNoKind, err)
			}
		case passing(err):
			return err
		}
		final = err
		return nil
	})
	if final != nil {
		return final
	}
	return err
}

func (s *carrying) patch(ctx context.Context, patch Patch) error {
	var found *unstructured.Unstructured
	err := kube.Until(ctx, interval, func(ctx context.Context) (err error) {
		found, err = s.Cluster.Get(ctx, patch.Object)
		return err
	})
	if err != nil {
		return err
	}
	if s.book.state.ours(found) == nil {
		s.remember(found, patch.Merge)
		if err := s.book.save(ctx); err != nil {
			return err
		}
	}
	return patiently(ctx, s.patience(s.step), func(ctx context.Context) error {
		return s.Cluster.Merge(ctx, patch.Object, patch.Merge)
	})
}

// remember writes down how to take a patch back. What was there before the
// first patch counts, not what an earlier run left.
func (s *carrying) remember(found *unstructured.Unstructured, merge map[string]any) {
	back := inverse(found.Object, merge)
	for i := range s.record.Undo {
		known := &s.record.Undo[i]
		if !known.is(found) {
			continue
		}
		if known.UID == string(found.GetUID()) {
			known.Merge = keepFirst(known.Merge, back)
			return
		}
		// Made anew by whoever makes it.
		known.UID, known.Merge = string(found.GetUID()), back
		return
	}
	m := madeOf(found)
	m.UID = string(found.GetUID())
	s.record.Undo = append(s.record.Undo, undo{made: m, Merge: back})
}

// chart installs a chart, if it is not there as it should be.
func (s *carrying) chart(ctx context.Context, chart Chart) error {
	rendered, err := s.Charts.Render(ctx, chart)
	if err != nil {
		return fmt.Errorf("render it: %w", err)
	}
	revisions, deployed, err := s.revisions(ctx, chart)
	if err != nil {
		return err
	}
	digest, err := digestOf(chart)
	if err != nil {
		return err
	}
	known := s.release(chart)
	if known == nil && revisions == 0 {
		s.record.Releases = append(s.record.Releases, release{
			Release: chart.Release, Namespace: chart.Namespace, Repository: chart.Repository, Name: chart.Name, Version: chart.Version,
		})
		known = s.release(chart)
	}
	space := &unstructured.Unstructured{}
	space.SetAPIVersion("v1")
	space.SetKind("Namespace")
	space.SetName(chart.Namespace)
	if err := s.intend(ctx, append([]*unstructured.Unstructured{space}, withNamespace(rendered, chart.Namespace)...), chart.Release); err != nil {
		return err
	}
	if known == nil || known.Digest != digest || !deployed {
		if err := s.Charts.Install(ctx, chart); err != nil {
			return fmt.Errorf("install it: %w", err)
		}
	}
	if known != nil {
		known.Digest, known.Version = digest, chart.Version
	}
	return s.identified(ctx)
}

func (s *carrying) release(chart Chart) *release {
	for i := range s.record.Releases {
		if s.record.Releases[i].Release == chart.Release && s.record.Releases[i].Namespace == chart.Namespace {
			return &s.record.Releases[i]
		}
	}
	return nil
}

// revisions counts what Helm keeps of a release, and says whether one of it is
// deployed (Helm's storage: a Secret a revision with labels owner, name, status).
func (s *carrying) revisions(ctx context.Context, chart Chart) (int, bool, error) {
	list, err := s.Cluster.Client.CoreV1().Secrets(chart.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "owner=helm,name=" + chart.Release})
	if err != nil {
		return 0, false, fmt.Errorf("look for release %s/%s: %w", chart.Namespace, chart.Release, err)
	}
	deployed := false
	for _, secret := range list.Items {
		deployed = deployed || secret.Labels["status"] == "deployed"
	}
	return len(list.Items), deployed, nil
}

// digestOf tells a chart's versions and values apart. Values may hold secrets.
func digestOf(chart Chart) (string, error) {
	text, err := json.Marshal(chart)
	if err != nil {
		return "", fmt.Errorf("values: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// clusterWide are kinds that charts have and that have no namespace.
var clusterWide = map[string]bool{
	"CustomResourceDefinition": true, "Namespace": true, "ClusterRole": true, "ClusterRoleBinding": true, "PriorityClass": true,
	"MutatingWebhookConfiguration": true, "ValidatingWebhookConfiguration": true, "ValidatingAdmissionPolicy": true,
	"ValidatingAdmissionPolicyBinding": true, "GatewayClass": true, "StorageClass": true, "PersistentVolume": true, "APIService": true,
	"IngressClass": true, "ClusterIssuer": true, "SecurityContextConstraints": true, "RuntimeClass": true, "CSIDriver": true,
}

// withNamespace gives rendered objects the release's namespace where they have
// none, as installing them does.
func withNamespace(objects []*unstructured.Unstructured, namespace string) []*unstructured.Unstructured {
	placed := make([]*unstructured.Unstructured, 0, len(objects))
	for _, object := range objects {
		if object.GetName() == "" {
			continue
		}
		if object.GetNamespace() == "" && !clusterWide[object.GetKind()] {
			object = object.DeepCopy()
			object.SetNamespace(namespace)
		}
		placed = append(placed, object)
	}
	return placed
}
