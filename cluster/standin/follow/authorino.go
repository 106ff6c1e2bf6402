package follow

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/floodgate-dev/floodgate/cluster/kube"
	"github.com/floodgate-dev/floodgate/fixtures/standin/authorino"
)

// Authorino runs the authorizer's stand-in in a pod until ctx ends: it serves
// the AuthConfigs and Secrets of the cluster, of all namespaces. Its arguments
// are the stand-in's own, without those for folders. Keys go to a private folder
// below TMPDIR alone, which in the pod is memory.
func Authorino(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	dir, err := os.MkdirTemp("", "authorino-")
	if err != nil {
		return fail(stderr, err)
	}
	defer os.RemoveAll(dir)
	cluster, err := kube.InCluster()
	if err != nil {
		return fail(stderr, err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	configDir, secretDir := filepath.Join(dir, "authconfigs"), filepath.Join(dir, "secrets")
	for _, f := range []struct {
		dir    string
		of     watched
		wanted func(*unstructured.Unstructured) bool
	}{
		{configDir, watched{cluster.Dynamic, "", authConfigs}, anyObject},
		{secretDir, watched{cluster.Dynamic, "", secrets}, mayHoldKey},
	} {
		if err := os.Mkdir(f.dir, 0o700); err != nil {
			return fail(stderr, err)
		}
		m := &mirror{dir: f.dir, log: log, wanted: f.wanted}
		if err := f.of.run(ctx, m.put, m.drop); err != nil {
			return fail(stderr, err)
		}
	}
	return authorino.Main(ctx, append([]string{
		"--bind", "0.0.0.0", "--authconfigs", configDir, "--secrets", secretDir,
	}, args...), stdin, stdout, stderr)
}

func anyObject(*unstructured.Unstructured) bool { return true }

// mayHoldKey tells whether a Secret could be an API key: those are found by
// labels (sut.md 3.6b), and Kubernetes' own have types of their own.
func mayHoldKey(secret *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(secret.Object, "type")
	return len(secret.GetLabels()) > 0 && (kind == "" || kind == "Opaque")
}

func fail(stderr io.Writer, err error) int {
	// If not even the error can be told, the exit code still is.
	_, _ = fmt.Fprintln(stderr, err)
	return 1
}
