package follow

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/policy/authconfig"
)

const keys = `
{apiVersion: v1, kind: Secret, type: Opaque, metadata: {name: alice, namespace: llm-d, labels: {app: llm-d-gateway}}, data: {api_key: YQ==}}
---
{apiVersion: v1, kind: Secret, type: Opaque, metadata: {name: unlabelled, namespace: llm-d}, data: {api_key: Yg==}}
---
{apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata: {name: tls, namespace: llm-d, labels: {app: llm-d-gateway}}}`

// files are the texts in a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // deleted meanwhile
		}
		found = append(found, string(text))
	}
	return found
}

// The folder follows what is made, changed, and deleted, and holds nothing but
// what could be an API key.
func TestFolderFollowsSecrets(t *testing.T) {
	var there []runtime.Object
	for _, o := range objects(t, keys) {
		there = append(there, o)
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{secrets: "SecretList"}, there...)
	m := &mirror{dir: t.TempDir(), log: slog.New(slog.DiscardHandler), wanted: mayHoldKey}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := (watched{client, "", secrets}).run(ctx, m.put, m.drop); err != nil {
		t.Fatal(err)
	}
	if got := files(t, m.dir); len(got) != 1 || !strings.Contains(got[0], `"alice"`) {
		t.Fatalf("the folder holds %q at start, want alice alone", got)
	}
	until := func(what string, holds func([]string) bool) {
		t.Helper()
		bounded, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := kube.Until(bounded, 5*time.Millisecond, func(context.Context) error {
			if got := files(t, m.dir); !holds(got) {
				return &notYet{got}
			}
			return nil
		}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	in := client.Resource(secrets).Namespace("llm-d")
	alice, err := in.Get(ctx, "alice", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(alice.Object, "Yw==", "data", "api_key"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Update(ctx, alice, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	until("a rotated key", func(got []string) bool { return len(got) == 1 && strings.Contains(got[0], "Yw==") })
	alice.SetLabels(nil)
	if _, err := in.Update(ctx, alice, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	until("a key whose labels are gone", func(got []string) bool { return len(got) == 0 })
	alice.SetLabels(map[string]string{"app": "llm-d-gateway"})
	if _, err := in.Update(ctx, alice, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	until("a key that is back", func(got []string) bool { return len(got) == 1 })
	if err := in.Delete(ctx, "alice", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until("a deleted key", func(got []string) bool { return len(got) == 0 })
	left, err := os.ReadDir(m.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

type notYet struct{ files []string }

func (n *notYet) Error() string { return strings.Join(n.files, "\n") }

// The authorizer refuses whatever it does not know, and the API server adds much.
func TestAuthorizerReadsWhatTheServerShows(t *testing.T) {
	m := &mirror{dir: t.TempDir(), log: slog.New(slog.DiscardHandler), wanted: anyObject}
	shown := recorded(t, "authconfig.yaml")[0]
	if shown.GetUID() == "" || shown.Object["status"] == nil {
		t.Fatal("the recorded AuthConfig is not as a server shows it")
	}
	m.put(shown)
	text := files(t, m.dir)
	if len(text) != 1 {
		t.Fatalf("%d files, want 1", len(text))
	}
	configs, err := authconfig.Decode("mirrored", strings.NewReader(text[0]))
	if err != nil {
		t.Fatal(err)
	}
	if len(configs) != 1 || configs[0].Metadata.Name != shown.GetName() || len(configs[0].Spec.Authentication) != 1 || len(configs[0].Spec.Authorization) != 1 {
		t.Errorf("it says %+v", configs)
	}
}
