package kuadrant

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/install"
)

// MirrorImage is an image's name at a mirror: the registry is the mirror's,
// repository, tag and digest stay. Short names are docker.io's, so that
// "busybox" becomes "HOST/library/busybox". HOST may end in a path.
func MirrorImage(host, image string) (string, error) {
	host, err := mirrorHost(host)
	if err != nil {
		return "", err
	}
	return mirrored(host, image)
}

// Mirror returns objects whose images are those of a mirror: of containers,
// init and ephemeral containers wherever they are, a Limitador's, and operators'
// variables RELATED_IMAGE_*. The objects given stay as they are.
func Mirror(host string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	host, err := mirrorHost(host)
	if err != nil {
		return nil, err
	}
	copies := make([]*unstructured.Unstructured, 0, len(objects))
	for _, object := range objects {
		object = object.DeepCopy()
		if err := mirrorObject(host, object); err != nil {
			return nil, fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
		}
		copies = append(copies, object)
	}
	return copies, nil
}

func mirrorHost(host string) (string, error) {
	host = strings.TrimSuffix(host, "/")
	registry, path, _ := strings.Cut(host, "/")
	_, err := name.NewRegistry(registry, name.StrictValidation)
	if err == nil && path != "" {
		_, err = name.NewRepository(host+"/x", name.StrictValidation)
	}
	if registry == "" || strings.Contains(host, "://") || err != nil {
		return "", fmt.Errorf("registry mirror %q is not HOST, HOST:PORT or HOST/PATH", host)
	}
	return host, nil
}

func mirrored(host, image string) (string, error) {
	reference, err := name.ParseReference(image)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", image, err)
	}
	repository := host + "/" + reference.Context().RepositoryStr()
	// A reference with tag and digest is known by its digest alone: what follows
	// the repository is taken from the text.
	text, digest, pinned := strings.Cut(image, "@")
	tag := text[strings.LastIndex(text, "/")+1:]
	if _, after, tagged := strings.Cut(tag, ":"); tagged {
		repository += ":" + after
	} else if !pinned {
		repository += ":" + reference.Identifier()
	}
	if pinned {
		repository += "@" + digest
	}
	return repository, nil
}

func mirrorObject(host string, object *unstructured.Unstructured) error {
	if object.GroupVersionKind().Group == "limitador.kuadrant.io" {
		image, there, _ := unstructured.NestedString(object.Object, "spec", "image")
		if there && image != "" {
			renamed, err := mirrored(host, image)
			if err != nil {
				return err
			}
			return unstructured.SetNestedField(object.Object, renamed, "spec", "image")
		}
		return nil
	}
	return mirrorContainers(host, object.Object)
}

// mirrorContainers looks for lists of containers at any depth: Pods and all that
// has a template of one.
func mirrorContainers(host string, content map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(content)) {
		switch value := content[key].(type) {
		case map[string]any:
			if err := mirrorContainers(host, value); err != nil {
				return err
			}
		case []any:
			containers := key == "containers" || key == "initContainers" || key == "ephemeralContainers"
			for _, item := range value {
				inner, ok := item.(map[string]any)
				if !ok {
					continue
				}
				if containers {
					if err := mirrorContainer(host, inner); err != nil {
						return fmt.Errorf("container %v: %w", inner["name"], err)
					}
				} else if err := mirrorContainers(host, inner); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func mirrorContainer(host string, container map[string]any) error {
	if image, ok := container["image"].(string); ok && image != "" {
		renamed, err := mirrored(host, image)
		if err != nil {
			return err
		}
		container["image"] = renamed
	}
	env, _ := container["env"].([]any)
	for _, item := range env {
		variable, _ := item.(map[string]any)
		called, _ := variable["name"].(string)
		image, _ := variable["value"].(string)
		if !strings.HasPrefix(called, "RELATED_IMAGE_") || image == "" {
			continue
		}
		renamed, err := mirrored(host, image)
		if err != nil {
			return fmt.Errorf("%s: %w", called, err)
		}
		variable["value"] = renamed
	}
	return nil
}

// mirrorValues returns a chart's values with the images of a mirror: keys
// "image" that are a name, "hub" that are what a name begins with, and
// "imageRegistry" that are a registry.
func mirrorValues(host string, values map[string]any) (map[string]any, error) {
	renamed, err := mirrorValue(host, "", values)
	if err != nil {
		return nil, err
	}
	all, _ := renamed.(map[string]any)
	return all, nil
}

func mirrorValue(host, key string, value any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(value))
		for inner := range value {
			renamed, err := mirrorValue(host, inner, value[inner])
			if err != nil {
				return nil, err
			}
			all[inner] = renamed
		}
		return all, nil
	case []any:
		all := make([]any, len(value))
		for i := range value {
			renamed, err := mirrorValue(host, "", value[i])
			if err != nil {
				return nil, err
			}
			all[i] = renamed
		}
		return all, nil
	case string:
		switch key {
		case "image":
			return mirrored(host, value)
		case "hub":
			// A whole name, so that docker.io/istio is no image of the library.
			whole, err := mirrored(host, value+"/x")
			return strings.TrimSuffix(whole, "/x:latest"), err
		case "imageRegistry":
			return host, nil
		}
	}
	return value, nil
}

// imagesIn are the images that a chart's values name as a whole, or by hub, name
// and tag.
func imagesIn(value any) []string {
	var images []string
	switch value := value.(type) {
	case map[string]any:
		hub, _ := value["hub"].(string)
		called, _ := value["name"].(string)
		tag, _ := value["tag"].(string)
		if hub != "" && called != "" && tag != "" {
			images = append(images, hub+"/"+called+":"+tag)
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if image, ok := value[key].(string); ok && key == "image" {
				images = append(images, image)
				continue
			}
			images = append(images, imagesIn(value[key])...)
		}
	case []any:
		for _, item := range value {
			images = append(images, imagesIn(item)...)
		}
	}
	return images
}

// mirror renames the images that the steps name in objects and values. Charts
// come from where they were, or from a bundle.
func (p *planning) mirror(steps []install.Step) []install.Step {
	if p.RegistryMirror == "" {
		return steps
	}
	host, err := mirrorHost(p.RegistryMirror)
	if err != nil {
		p.errs = append(p.errs, err)
		return steps
	}
	for i := range steps {
		step := &steps[i]
		if step.Objects, err = Mirror(host, step.Objects); err != nil {
			p.errs = append(p.errs, fmt.Errorf("step %s: %w", step.Name, err))
		}
		for j := range step.Charts {
			chart := &step.Charts[j]
			if len(chart.Values) == 0 {
				continue
			}
			if chart.Values, err = mirrorValues(host, chart.Values); err != nil {
				p.errs = append(p.errs, fmt.Errorf("chart %s: %w", chart.Name, err))
			}
		}
	}
	return steps
}
