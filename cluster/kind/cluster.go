// Package kind is the provider of clusters on this machine's container engine,
// over kind's Go library: no kind program is needed and nothing is installed.
package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/conf"
	"sigs.k8s.io/e2e-framework/pkg/types"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
	"sigs.k8s.io/kind/pkg/exec"
)

const (
	// DefaultName is the cluster's name unless another is asked for.
	DefaultName = "floodgate"
	// readyPatience bounds the wait for the nodes to be Ready: 19 to 83 s were
	// measured for one node and for three.
	readyPatience = 4 * time.Minute
	// maxNodes is more than any case here needs.
	maxNodes = 9
)

// Cluster is e2e-framework's cluster provider: a kind cluster of a name, which
// is used if it is there and made if it is not. Only one that it made is
// deleted.
type Cluster struct {
	name, image string
	nodes       int
	kubeconfig  string
	made        bool
	kind        *cluster.Provider
	log         *logger
}

var _ types.E2EClusterProviderWithImageLoader = (*Cluster)(nil)

// NewCluster is a cluster of the default name with one node, whose kubeconfig
// will be the given file. What kind does goes to progress.
func NewCluster(kubeconfig string, progress io.Writer) *Cluster {
	log := &logger{progress}
	c := &Cluster{kubeconfig: kubeconfig, log: log, kind: cluster.NewProvider(cluster.ProviderWithLogger(log), detected())}
	c.SetDefaults()
	return c
}

// detected is the container engine as kind finds it. Where there is none, kind's
// own error says so on first use.
func detected() cluster.ProviderOption {
	option, err := cluster.DetectNodeProvider()
	if err != nil {
		return cluster.ProviderWithDocker()
	}
	return option
}

// SetDefaults gives what is not set its default.
func (c *Cluster) SetDefaults() types.E2EClusterProvider {
	if c.name == "" {
		c.name = DefaultName
	}
	if c.nodes == 0 {
		c.nodes = 1
	}
	return c
}

// WithName chooses the cluster's name.
func (c *Cluster) WithName(name string) types.E2EClusterProvider {
	c.name = name
	return c
}

// WithVersion chooses the node image by its tag of kindest/node.
func (c *Cluster) WithVersion(version string) types.E2EClusterProvider {
	c.image = "kindest/node:" + version
	return c
}

// WithPath has no meaning here: there is no program.
func (c *Cluster) WithPath(string) types.E2EClusterProvider { return c }

// WithOpts applies options of this package.
func (c *Cluster) WithOpts(opts ...types.ClusterOpts) types.E2EClusterProvider {
	for _, o := range opts {
		o(c)
	}
	return c
}

// NodeImage is an option: the nodes' image, "" for kind's own by digest.
func NodeImage(image string) types.ClusterOpts {
	return func(p types.E2EClusterProvider) {
		if c, ok := p.(*Cluster); ok && image != "" {
			c.image = image
		}
	}
}

// Nodes is an option: one control plane and n-1 workers.
func Nodes(n int) types.ClusterOpts {
	return func(p types.E2EClusterProvider) {
		if c, ok := p.(*Cluster); ok && n != 0 {
			c.nodes = n
		}
	}
}

// takenMeanwhile is in kind's error where there are nodes of the name already
// (kind v0.33 pkg/cluster/internal/create).
const takenMeanwhile = "already exist for a cluster with the name"

// clusterName is what kind accepts and what fits a node's host name.
var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?$`)

// Check returns all that is wrong with the cluster's options.
func (c *Cluster) Check() error {
	var wrong []error
	if !clusterName.MatchString(c.name) {
		wrong = append(wrong, fmt.Errorf("cluster name %q: want 1 to 50 lower-case letters, digits, dots and dashes", c.name))
	}
	if c.nodes < 1 || c.nodes > maxNodes {
		wrong = append(wrong, fmt.Errorf("%d nodes: want 1 to %d", c.nodes, maxNodes))
	}
	return errors.Join(wrong...)
}

// Exists tells whether a cluster of this name is there.
func (c *Cluster) Exists() (bool, error) {
	names, err := c.kind.List()
	if err != nil {
		return false, fmt.Errorf("list kind clusters: %w", reason(err))
	}
	return slices.Contains(names, c.name), nil
}

// Made tells whether this cluster was made here, or taken over by Adopt.
func (c *Cluster) Made() bool { return c.made }

// Adopt takes over a cluster that an earlier process of ours made and could not
// delete.
func (c *Cluster) Adopt() { c.made = true }

// Create makes the cluster, or uses the one of its name, and returns the path of
// its kubeconfig. What was begun when it fails is deleted.
func (c *Cluster) Create(ctx context.Context, _ ...string) (string, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	there, err := c.Exists()
	if err != nil {
		return "", err
	}
	if there {
		return c.kubeconfig, c.export()
	}
	c.made = true
	config := &v1alpha4.Cluster{Nodes: []v1alpha4.Node{{Role: v1alpha4.ControlPlaneRole}}}
	for range c.nodes - 1 {
		config.Nodes = append(config.Nodes, v1alpha4.Node{Role: v1alpha4.WorkerRole})
	}
	return c.kubeconfig, c.create(ctx, cluster.CreateWithV1Alpha4Config(config))
}

// CreateWithConfig is Create with a kind configuration of the user's own.
func (c *Cluster) CreateWithConfig(ctx context.Context, file string) (string, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	there, err := c.Exists()
	if err != nil {
		return "", err
	}
	if there {
		return "", fmt.Errorf("cluster %s is there already: a configuration cannot change it", c.name)
	}
	c.made = true
	return c.kubeconfig, c.create(ctx, cluster.CreateWithConfigFile(file))
}

// abandonPause is the time between two deletions of nodes that kind is still
// making.
const abandonPause = time.Second

// create runs kind, whose library cannot be cancelled, but gives up when the
// nodes are gone that it works on.
func (c *Cluster) create(ctx context.Context, config cluster.CreateOption) error {
	options := []cluster.CreateOption{
		config, cluster.CreateWithKubeconfigPath(c.kubeconfig), cluster.CreateWithWaitForReady(readyPatience),
		cluster.CreateWithDisplayUsage(false), cluster.CreateWithDisplaySalutation(false),
	}
	if c.image != "" {
		options = append(options, cluster.CreateWithNodeImage(c.image))
	}
	done := make(chan error, 1)
	go func() { done <- c.kind.Create(c.name, options...) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = errors.Join(context.Cause(ctx), c.abandon(done))
	}
	if err == nil && ctx.Err() == nil {
		return nil
	}
	if err != nil && strings.Contains(err.Error(), takenMeanwhile) {
		// Somebody else made one of this name since the last look: it is theirs.
		c.made = false
	}
	err = fmt.Errorf("make kind cluster %s: %w", c.name, reason(err))
	return errors.Join(err, c.Destroy(context.WithoutCancel(ctx)))
}

// abandon deletes nodes until kind has given up on them.
func (c *Cluster) abandon(done <-chan error) error {
	pause := time.NewTicker(abandonPause)
	defer pause.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-pause.C:
			// Whether it worked is seen by kind's own end.
			_ = c.kind.Delete(c.name, c.kubeconfig)
		}
	}
}

func (c *Cluster) export() error {
	text, err := c.kind.KubeConfig(c.name, false)
	if err != nil {
		return fmt.Errorf("read the kubeconfig of kind cluster %s: %w", c.name, reason(err))
	}
	if err := os.MkdirAll(filepath.Dir(c.kubeconfig), 0o700); err != nil {
		return fmt.Errorf("keep the kubeconfig of kind cluster %s: %w", c.name, err)
	}
	if err := os.WriteFile(c.kubeconfig, []byte(text), 0o600); err != nil {
		return fmt.Errorf("keep the kubeconfig of kind cluster %s: %w", c.name, err)
	}
	return nil
}

// GetKubeconfig is the path of the kubeconfig.
func (c *Cluster) GetKubeconfig() string { return c.kubeconfig }

// GenerateKubeconfig writes the kubeconfig again and returns its path.
func (c *Cluster) GenerateKubeconfig(...string) (string, error) { return c.kubeconfig, c.export() }

// GetKubectlContext is the name of the kubeconfig's context.
func (c *Cluster) GetKubectlContext() string { return "kind-" + c.name }

// ExportLogs writes the nodes' logs into a folder.
func (c *Cluster) ExportLogs(_ context.Context, dest string) error {
	return c.kind.CollectLogs(c.name, dest)
}

// Destroy deletes the cluster if it was made here, and returns when no node of
// it is left.
func (c *Cluster) Destroy(context.Context) error {
	if !c.made {
		return nil
	}
	if err := c.kind.Delete(c.name, c.kubeconfig); err != nil {
		return fmt.Errorf("delete kind cluster %s: %w", c.name, reason(err))
	}
	return nil
}

// WaitForControlPlane returns at once: Create has waited.
func (c *Cluster) WaitForControlPlane(context.Context, klient.Client) error { return nil }

// KubernetesRestConfig is the connection's configuration, nil without a cluster.
func (c *Cluster) KubernetesRestConfig() *rest.Config {
	config, err := conf.New(c.kubeconfig)
	if err != nil {
		return nil
	}
	return config
}

// LoadImage puts an image of the container engine into every node.
func (c *Cluster) LoadImage(ctx context.Context, image string, _ ...string) error {
	archive, err := os.CreateTemp("", "floodgate-image-*.tar")
	if err != nil {
		return fmt.Errorf("load image %s: %w", image, err)
	}
	defer os.Remove(archive.Name())
	if err := archive.Close(); err != nil {
		return fmt.Errorf("load image %s: %w", image, err)
	}
	if err := exec.CommandContext(ctx, "docker", "save", "-o", archive.Name(), image).Run(); err != nil {
		return fmt.Errorf("load image %s: save it from the container engine: %w", image, reason(err))
	}
	return c.LoadImageArchive(ctx, archive.Name())
}

// LoadImageArchive puts the images of an archive, as docker save writes it, into
// every node.
func (c *Cluster) LoadImageArchive(ctx context.Context, path string, _ ...string) error {
	nodes, err := c.kind.ListInternalNodes(c.name)
	if err != nil {
		return fmt.Errorf("list the nodes of kind cluster %s: %w", c.name, reason(err))
	}
	for _, node := range nodes {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		archive, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("load images into %s: %w", node, err)
		}
		err = nodeutils.LoadImageArchive(node, archive)
		if err = errors.Join(err, archive.Close()); err != nil {
			return fmt.Errorf("load the images of %s into %s: %w", path, node, reason(err))
		}
	}
	return nil
}

// HasImage tells whether every node has an image of a name.
func (c *Cluster) HasImage(name string) (bool, error) {
	nodes, err := c.kind.ListInternalNodes(c.name)
	if err != nil {
		return false, fmt.Errorf("list the nodes of kind cluster %s: %w", c.name, reason(err))
	}
	for _, node := range nodes {
		if _, err := nodeutils.ImageID(node, name); err != nil {
			return false, nil //nolint:nilerr // kind tells absence by an error
		}
	}
	return len(nodes) > 0, nil
}

// reason adds what a command of the container engine printed, which kind's
// errors keep to themselves.
func reason(err error) error {
	if err == nil {
		return nil
	}
	if run := exec.RunErrorForError(err); run != nil {
		if text := strings.TrimSpace(string(run.Output)); text != "" {
			return fmt.Errorf("%w\n%s", err, text)
		}
	}
	return err
}
