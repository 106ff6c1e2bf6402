package existing

import (
	"os"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
)

// TestRealContract installs the stack of stand-ins into the cluster of
// FLOODGATE_TEST_KUBECONFIG, on whose nodes the image FLOODGATE_TEST_POD_IMAGE is.
func TestRealContract(t *testing.T) {
	kubeconfig, image := os.Getenv("FLOODGATE_TEST_KUBECONFIG"), os.Getenv("FLOODGATE_TEST_POD_IMAGE")
	if kubeconfig == "" || image == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster with our image: set FLOODGATE_TEST_KUBECONFIG and FLOODGATE_TEST_POD_IMAGE")
	}
	providertest.Run(t, providertest.Contract{
		New:        func(*testing.T) cluster.Provider { return &Provider{} },
		Kubernetes: cluster.KubernetesOptions{Kubeconfig: kubeconfig, Plan: cluster.PlanStandIn, Image: image},
		Slow:       true,
	})
}
