package standin

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// managedByLabel with managedByUs marks what is ours, standInLabel what
	// stands in for something, journalLabel the journal before a model server.
	managedByLabel = "app.kubernetes.io/managed-by"
	managedByUs    = "floodgate"
	standInLabel   = "floodgate.dev/stand-in"
	journalLabel   = "floodgate.dev/journal"
)

func newObject(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// ours marks an object as made by us.
func ours(o *unstructured.Unstructured) *unstructured.Unstructured {
	return labelled(o, managedByLabel, managedByUs)
}

// standIn marks an object as a part of a stand-in.
func standIn(o *unstructured.Unstructured) *unstructured.Unstructured {
	return labelled(ours(o), standInLabel, "true")
}

func labelled(o *unstructured.Unstructured, name, value string) *unstructured.Unstructured {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[name] = value
	o.SetLabels(labels)
	return o
}
