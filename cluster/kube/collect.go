package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Scope is where to look for the cause of a failure.
type Scope struct {
	Namespace string
	// Selector is of pods; "" means all.
	Selector string
	// Kinds are custom resources to keep beside pods and events. Secrets are
	// never kept.
	Kinds []schema.GroupVersionKind
}

// Collect writes what the scopes have seen since a time into a folder: for each
// namespace the pods, their logs (NAME.CONTAINER.log, and .previous.log of the
// container before), events.txt and the custom resources as YAML. No key is
// among it. What cannot be read does not keep the rest from being written; the
// error names it.
func (c *Cluster) Collect(ctx context.Context, scopes []Scope, since time.Time, dir string) error {
	var namespaces []string
	for _, scope := range scopes {
		if !slices.Contains(namespaces, scope.Namespace) {
			namespaces = append(namespaces, scope.Namespace)
		}
	}
	k := &collection{cluster: c, since: since, keys: c.RedactorOf(ctx, namespaces...)}
	for _, namespace := range namespaces {
		k.note(k.events(ctx, namespace, filepath.Join(dir, namespace)))
	}
	for _, scope := range scopes {
		folder := filepath.Join(dir, scope.Namespace)
		k.note(k.pods(ctx, scope, folder))
		for _, kind := range scope.Kinds {
			if kind.Kind != "Secret" {
				k.note(k.kind(ctx, kind, scope.Namespace, folder))
			}
		}
	}
	if err := errors.Join(k.errs...); err != nil {
		return fmt.Errorf("collect what the cluster knows: %w", err)
	}
	return nil
}

type collection struct {
	cluster *Cluster
	since   time.Time
	keys    *Redactor
	errs    []error
}

func (k *collection) note(err error) {
	if err != nil {
		k.errs = append(k.errs, err)
	}
}

func (k *collection) write(dir, name, text string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(name)), []byte(k.keys.Text(text)), 0o600)
}

func (k *collection) events(ctx context.Context, namespace, dir string) error {
	list, err := k.cluster.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list events of %s: %w", namespace, err)
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return seenAt(&a).Compare(seenAt(&b)) })
	var b strings.Builder
	for _, event := range list.Items {
		if at := seenAt(&event); !at.Before(k.since.Truncate(time.Second)) {
			fmt.Fprintf(&b, "%s %s %s %s/%s x%d: %s\n", at.UTC().Format(time.RFC3339), event.Type, event.Reason,
				event.InvolvedObject.Kind, event.InvolvedObject.Name, max(event.Count, 1), plain(event.Message))
		}
	}
	return k.write(dir, "events.txt", b.String())
}

func (k *collection) pods(ctx context.Context, scope Scope, dir string) error {
	if err := k.objects(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, scope, dir); err != nil {
		return err
	}
	list, err := k.cluster.Client.CoreV1().Pods(scope.Namespace).List(ctx, listOptions(scope.Selector))
	if err != nil {
		return fmt.Errorf("list pods of %s: %w", scope.Namespace, err)
	}
	for i := range list.Items {
		pod := &list.Items[i]
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if status.State.Running != nil || status.State.Terminated != nil {
				k.note(k.log(ctx, pod, status.Name, false, dir))
			}
			if status.LastTerminationState.Terminated != nil {
				k.note(k.log(ctx, pod, status.Name, true, dir))
			}
		}
	}
	return nil
}

func (k *collection) log(ctx context.Context, pod *corev1.Pod, container string, previous bool, dir string) error {
	text, err := k.cluster.logSince(ctx, pod, container, previous, k.since)
	name := pod.Name + "." + container
	if previous {
		name += ".previous"
	}
	if text == "" {
		return err
	}
	return errors.Join(err, k.write(dir, name+".log", text))
}

func (k *collection) kind(ctx context.Context, kind schema.GroupVersionKind, namespace, dir string) error {
	return k.objects(ctx, kind, Scope{Namespace: namespace}, dir)
}

func (k *collection) objects(ctx context.Context, kind schema.GroupVersionKind, scope Scope, dir string) error {
	list, err := k.cluster.List(ctx, kind, scope.Namespace, scope.Selector)
	if err != nil || len(list) == 0 {
		return err
	}
	var b strings.Builder
	for i := range list {
		text, err := k.keys.YAML(&list[i])
		if err != nil {
			return err
		}
		b.WriteString("---\n" + text)
	}
	name := strings.ToLower(kind.Kind)
	if kind.Group != "" {
		name += "." + kind.Group
	}
	// Two scopes of a namespace must not write over each other's pods.
	if scope.Selector != "" {
		name += "." + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
				return r
			}
			return '_'
		}, scope.Selector)
	}
	return k.write(dir, name+".yaml", b.String())
}

// YAML is an object as it may be shown, see Object.
func (r *Redactor) YAML(object *unstructured.Unstructured) (string, error) {
	text, err := yaml.Marshal(r.Object(object).Object)
	if err != nil {
		return "", fmt.Errorf("%s: %w", Name(object), err)
	}
	return string(text), nil
}
