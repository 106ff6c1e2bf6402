package main

import (
	"bytes"
	"strings"

	"helm.sh/helm/v4/pkg/postrenderer"
	"sigs.k8s.io/yaml"
)

// images are names of images and what is said instead.
type images map[string]string

// renderer changes what charts render, nil for nothing to change.
func (i images) renderer() postrenderer.PostRenderer {
	if len(i) == 0 {
		return nil
	}
	return i
}

// Run is Helm's post-renderer. An image is not only where pods have it: operators
// get it in custom resources, in arguments (--reloader=IMAGE) and in variables.
func (i images) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	objects, err := decode(rendered.String())
	if err != nil {
		return nil, err
	}
	changed := &bytes.Buffer{}
	for _, object := range objects {
		text, err := yaml.Marshal(i.replace(object.Object))
		if err != nil {
			return nil, err
		}
		changed.WriteString("---\n")
		changed.Write(text)
	}
	return changed, nil
}

func (i images) replace(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = i.replace(inner)
		}
	case []any:
		for at, inner := range v {
			v[at] = i.replace(inner)
		}
	case string:
		before, last := "", v
		if at := strings.LastIndexByte(v, '='); at >= 0 && strings.HasPrefix(v, "-") {
			before, last = v[:at+1], v[at+1:]
		}
		if instead, ok := i[last]; ok {
			return before + instead
		}
	}
	return value
}
