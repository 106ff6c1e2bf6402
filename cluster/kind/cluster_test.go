package kind

import (
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/envfuncs"
	"sigs.k8s.io/e2e-framework/pkg/types"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == GuardCommand {
		os.Exit(Guard(os.Args[2:], os.Stdin, os.Stderr))
	}
	os.Exit(m.Run())
}

// nodeImage is the image that clusters of tests are made from.
func nodeImage(t *testing.T) string {
	t.Helper()
	image := os.Getenv("FLOODGATE_TEST_NODE_IMAGE")
	if image == "" {
		t.Skip("SKIPPED: needs a container engine and a node image: set FLOODGATE_TEST_NODE_IMAGE")
	}
	return image
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		nodes int
		want  []string
	}{
		{"floodgate", 1, nil},
		{"a.b-c", 9, nil},
		{"Floodgate", 1, []string{`cluster name "Floodgate"`}},
		{"-a", 1, []string{`cluster name "-a"`}},
		{strings.Repeat("a", 51), 1, []string{"1 to 50"}},
		{"x;rm", 10, []string{`cluster name "x;rm"`, "10 nodes"}},
		{"a", -1, []string{"-1 nodes"}},
	} {
		c := NewCluster(filepath.Join(t.TempDir(), "kubeconfig"), nil)
		c.WithName(test.name).WithOpts(Nodes(test.nodes))
		err := c.Check()
		if (err == nil) != (test.want == nil) {
			t.Errorf("%q, %d nodes: %v", test.name, test.nodes, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q, %d nodes: %v does not name %s", test.name, test.nodes, err, want)
			}
		}
	}
}

func TestLoggerHandsPlainLinesOn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := &logger{&out}
	log.V(0).Infof(" • Preparing nodes %s  ...\n", "📦")
	log.V(1).Info("chatter")
	log.Warn("first\nsecond")
	if got, want := out.String(), "kind: Preparing nodes 📦  ...\nkind: first\nkind: second\n"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestClusterIsUsedAgainAndDeletedByItsMakerAlone(t *testing.T) {
	image := nodeImage(t)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	// Another run's cluster, left by a kill, must not be taken for this one's.
	name := "floodgate-test-" + strings.ToLower(rand.Text()[:8])
	maker := NewCluster(kubeconfig, t.Output())
	t.Cleanup(func() {
		maker.made = true
		if err := maker.Destroy(t.Context()); err != nil {
			t.Error(err)
		}
	})
	config := envconf.New()
	ctx, err := envfuncs.CreateClusterWithOpts(maker, name, NodeImage(image))(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if !maker.Made() || config.KubeconfigFile() != kubeconfig {
		t.Errorf("made %t, kubeconfig %q", maker.Made(), config.KubeconfigFile())
	}
	if found, ok := envfuncs.GetClusterFromContext(ctx, name); !ok || found != types.E2EClusterProvider(maker) {
		t.Error("the cluster is not in the context")
	}

	guest := NewCluster(filepath.Join(t.TempDir(), "guest"), t.Output())
	guest.WithName(name)
	if _, err := guest.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if guest.Made() {
		t.Error("a cluster that was there counts as made")
	}
	if err := guest.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if there, err := guest.Exists(); err != nil || !there {
		t.Fatalf("after a guest's Destroy: there %t, %v", there, err)
	}
	if info, err := os.Stat(guest.GetKubeconfig()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the guest's kubeconfig: %v, %v", info, err)
	}

	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spares, err := startGuard(executable, name, kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	spares.spare()
	if there, err := guest.Exists(); err != nil || !there {
		t.Fatalf("after a guard that was told to spare it: there %t, %v", there, err)
	}
	orphaned, err := startGuard(executable, name, kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if err := orphaned.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := waitFor(orphaned.cmd, time.Minute); err != nil {
		t.Error(err)
	}
	if there, err := guest.Exists(); err != nil || there {
		t.Errorf("after the maker's end: there %t, %v", there, err)
	}
}

func waitFor(cmd *exec.Cmd, patience time.Duration) error {
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait()
}
