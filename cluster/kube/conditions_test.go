package kube

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestConditionOfNow(t *testing.T) {
	object := func(text string) *unstructured.Unstructured {
		objects, err := Decode([]byte("apiVersion: kuadrant.io/v1\nkind: RateLimitPolicy\nmetadata: {name: p, generation: 2}\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		// As the API server's answers are read: whole numbers are int64.
		raw, err := objects[0].MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		answer := &unstructured.Unstructured{}
		if err := answer.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	for _, kase := range []struct{ name, status, missing string }{
		{"enforced now", "status: {observedGeneration: 2, conditions: [{type: Enforced, status: 'True'}]}", ""},
		{"enforced before", "status: {observedGeneration: 1, conditions: [{type: Enforced, status: 'True'}]}", "has seen change 1, the last is 2"},
		{"not seen yet", "spec: {}", "has seen change 0, the last is 2"},
		{"no generation", "status: {conditions: [{type: Enforced, status: 'True'}]}", "has seen change 0"},
		{"not enforced", "status: {observedGeneration: 2, conditions: [{type: Enforced, status: 'False', reason: Unknown, message: waiting}]}", "Enforced is False: Unknown: waiting"},
		{"condition of before", "status: {observedGeneration: 2, conditions: [{type: Enforced, status: 'True', observedGeneration: 1}]}", "Enforced is of change 1"},
		{"no such condition", "status: {observedGeneration: 2, conditions: [{type: Accepted, status: 'True'}]}", "no condition Enforced"},
	} {
		o := object(kase.status)
		err := observed(o, true)
		if err == nil {
			err = conditionIs(o, "Enforced", "True")
		}
		if kase.missing == "" && err != nil || kase.missing != "" && (err == nil || !strings.Contains(err.Error(), kase.missing)) {
			t.Errorf("%s: %v, want %q", kase.name, err, kase.missing)
		}
	}
	if err := observed(object("spec: {}"), false); err != nil {
		t.Errorf("a status without generation: %v", err)
	}
}

func TestHeldBy(t *testing.T) {
	objects, err := Decode([]byte(`
apiVersion: v1
kind: Namespace
metadata: {name: n, finalizers: [example.com/a]}
status: {conditions: [{type: NamespaceFinalizersRemaining, status: "True", message: "b has c"}, {type: NamespaceDeletionDiscoveryFailure, status: "False", message: fine}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := HeldBy(objects[0]); got != "finalizers example.com/a; b has c" {
		t.Errorf("held by %q", got)
	}
}
