package standin

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

//go:embed manifests/*.yaml
var manifests embed.FS

// render makes the objects of a manifest, marked as stand-ins of ours.
func render(manifest string, values any) ([]*unstructured.Unstructured, error) {
	t, err := template.ParseFS(manifests, "manifests/"+manifest)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, values); err != nil {
		return nil, err
	}
	objects, err := kube.Decode(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifest, err)
	}
	for _, o := range objects {
		standIn(o)
	}
	return objects, nil
}

// containerOf is a container of a Deployment by its name.
func containerOf(deployment *unstructured.Unstructured, name string) map[string]any {
	spec, _ := deployment.Object["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	pod, _ := template["spec"].(map[string]any)
	containers, _ := pod["containers"].([]any)
	for _, c := range mappings(containers) {
		if c["name"] == name {
			return c
		}
	}
	return nil
}

func setImage(deployment *unstructured.Unstructured, container, image string) {
	containerOf(deployment, container)["image"] = image
}

func addArguments(deployment *unstructured.Unstructured, container string, arguments []any) {
	c := containerOf(deployment, container)
	given, _ := c["args"].([]any)
	c["args"] = append(given, arguments...)
}
