package operator

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

//go:embed manifests/*.yaml
var manifests embed.FS

// standInLabel marks everything that the stand-in makes.
const standInLabel = "floodgate.dev/stand-in"

// names are what the templates of manifests need. All of them have been accepted
// by the API server as names.
type names struct {
	Namespace, Name string
	// Class is a GatewayClass, Kuadrant the namespace of the Kuadrant object.
	Class, Kuadrant string
	// Config is a filter's configuration as a JSON string.
	Config string
}

// render makes the objects of a manifest, owned and marked.
func render(manifest string, n names, owner *unstructured.Unstructured, controller bool) ([]*unstructured.Unstructured, error) {
	t, err := template.New(manifest).Option("missingkey=error").ParseFS(manifests, "manifests/"+manifest)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, n); err != nil {
		return nil, err
	}
	objects, err := kube.Decode(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifest, err)
	}
	for i, o := range objects {
		// As the API server's answers are read: whole numbers are int64.
		if objects[i], err = reread(o); err != nil {
			return nil, fmt.Errorf("%s: %w", manifest, err)
		}
		mark(objects[i])
		own(objects[i], owner, controller)
	}
	return objects, nil
}

func reread(o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	text, err := o.MarshalJSON()
	if err != nil {
		return nil, err
	}
	read := &unstructured.Unstructured{}
	return read, read.UnmarshalJSON(text)
}

// plain is a value as objects hold it.
func plain(value any) (any, error) {
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Value", "value": value})
	if err != nil {
		return nil, err
	}
	holder := &unstructured.Unstructured{}
	if err := holder.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	return holder.Object["value"], nil
}

func mark(o *unstructured.Unstructured) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[standInLabel] = "true"
	o.SetLabels(labels)
}

// own makes an object go with its owner.
func own(o, owner *unstructured.Unstructured, controller bool) {
	if owner == nil {
		return
	}
	ref := metav1.OwnerReference{APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID()}
	if controller {
		ref.Controller, ref.BlockOwnerDeletion = &controller, &controller
	}
	o.SetOwnerReferences([]metav1.OwnerReference{ref})
}

// container is the only container of a Deployment.
func container(deployment *unstructured.Unstructured) map[string]any {
	return list(deployment.Object, "spec", "template", "spec", "containers")[0]
}
