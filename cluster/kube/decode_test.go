package kube_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		about, text string
		want        []string
		wrong       string
	}{
		{"documents, with empty ones between", "---\n# nothing\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: x}\n---\n\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n", []string{"Secret x/a", "Namespace b"}, ""},
		{"a list", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n"}},{"apiVersion":"v1","kind":"Node","metadata":{"name":"b"}}]}`, []string{"ConfigMap n/a", "Node b"}, ""},
		{"nothing", "", nil, ""},
		{"no kind", "apiVersion: v1\nmetadata: {name: a}\n", nil, "document 1: apiVersion and kind"},
		{"no YAML", "a: b\n---\n\t:\n", nil, "document"},
	} {
		objects, err := kube.Decode([]byte(test.text))
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%s: error %v, want %q", test.about, err, test.wrong)
			}
			continue
		}
		var got []string
		for _, o := range objects {
			got = append(got, kube.Name(o))
		}
		if err != nil || strings.Join(got, ", ") != strings.Join(test.want, ", ") {
			t.Errorf("%s: got %q, %v", test.about, got, err)
		}
	}
}

func TestDecodeKeepsWholeNumbersWhole(t *testing.T) {
	t.Parallel()
	objects, err := kube.Decode([]byte("apiVersion: v1\nkind: X\nspec: {replicas: 3, share: 0.5}\n"))
	if err != nil || len(objects) != 1 {
		t.Fatal(objects, err)
	}
	if n, ok, err := unstructured.NestedInt64(objects[0].Object, "spec", "replicas"); n != 3 || !ok || err != nil {
		t.Errorf("replicas are %d, %t, %v", n, ok, err)
	}
	if f, ok, err := unstructured.NestedFloat64(objects[0].Object, "spec", "share"); f != 0.5 || !ok || err != nil {
		t.Errorf("the share is %v, %t, %v", f, ok, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: Secret\n"))
	f.Add([]byte(`{"kind":"List","apiVersion":"v1","items":[1,null,{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		objects, err := kube.Decode(text)
		if err != nil && objects != nil {
			t.Errorf("objects beside the error %v", err)
		}
		for _, o := range objects {
			if o.GetKind() == "" {
				t.Error("an object without a kind")
			}
		}
	})
}
