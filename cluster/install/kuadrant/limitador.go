package kuadrant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/floodgate-dev/floodgate/cluster/install"
	"github.com/floodgate-dev/floodgate/cluster/kube"
)

// demoVerbosity is what the demo sets: it has Limitador log its decisions.
const demoVerbosity = 3

// limitador merges the user's settings into the object that the operator made.
func (p *planning) limitador() install.Step {
	namespace := p.at.kuadrant
	target := object(limitadorKind, namespace, "limitador", nil)
	spec := map[string]any{"verbosity": int64(demoVerbosity)}
	if len(p.shares.limitadors) > 0 {
		settings, _, _ := unstructured.NestedMap(p.shares.limitadors[0].Object, "spec")
		for field, value := range settings {
			spec[field] = runtime.DeepCopyJSONValue(value)
		}
	}
	image := p.limiterImage(spec)
	delete(spec, "image")
	delete(spec, "version")
	step := install.Step{
		Name: stepLimitador, About: "Limitador's settings; its image is the operator's own",
		Ready:    []install.Condition{install.StatusCondition(target, "Ready", "True")},
		Patience: 5 * time.Minute,
		Collect: []install.Scope{
			{Namespace: namespace, Selector: limiterPods, Kinds: []schema.GroupVersionKind{limitadorKind}},
			{Namespace: namespace, Selector: "app=limitador-operator"},
		},
	}
	if image != "" {
		step.About = "Limitador's settings and image " + image
		// An empty version would be taken as one (sut.md 1.6): null removes it.
		spec["image"], spec["version"] = image, nil
		step.Ready = append(step.Ready, runs(namespace, "limitador-limitador", "limitador", image))
	}
	step.Patches = []install.Patch{{Object: target, Merge: map[string]any{"spec": spec}}}
	step.Ready = append(step.Ready, install.DeploymentAvailable(namespace, "limitador-limitador"))
	return step
}

// limiterImage is what Limitador is to run, "" meaning what the operator runs by
// itself: the image that was asked for, one of the user's manifest that is no
// other version of the set's own, or the set's. What the set pins is not
// replaced by another version of the same because a manifest was written for it.
func (p *planning) limiterImage(spec map[string]any) string {
	image := p.LimiterImage
	if image == "" {
		image, _ = spec["image"].(string)
		if p.pinned(image) {
			image = ""
		}
	}
	if image == "" {
		image = p.set.LimiterImage
	}
	if image == "" || p.RegistryMirror == "" {
		return image
	}
	renamed, err := MirrorImage(p.RegistryMirror, image)
	if err != nil {
		p.errs = append(p.errs, fmt.Errorf("limitador: %w", err))
	}
	return renamed
}

// pinned tells whether an image is of a repository that an operator of the set
// names.
func (p *planning) pinned(image string) bool {
	asked, err := name.ParseReference(image)
	if err != nil {
		return false
	}
	for _, operator := range p.set.Operators {
		for _, related := range operator.Related {
			own, err := name.ParseReference(related)
			if err == nil && own.Context().String() == asked.Context().String() {
				return true
			}
		}
	}
	return false
}

// runs waits until a Deployment's container has an image: the operator changes
// it some time after the object that asks for it, and until then the old one is
// available.
func runs(namespace, deployment, container, image string) install.Condition {
	target := object(deploymentKind, namespace, deployment, nil)
	return install.Condition{
		What: fmt.Sprintf("container %s of %s has image %s", container, kube.Name(target), image),
		Check: func(ctx context.Context, c *kube.Cluster) error {
			found, err := c.Get(ctx, target)
			if err != nil {
				return err
			}
			containers, _, _ := unstructured.NestedSlice(found.Object, "spec", "template", "spec", "containers")
			for _, item := range containers {
				if one, _ := item.(map[string]any); one["name"] == container {
					if one["image"] == image {
						return nil
					}
					return fmt.Errorf("it is %v", one["image"])
				}
			}
			return errors.New("there is no such container")
		},
	}
}
