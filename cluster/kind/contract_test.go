package kind

import (
	"os"
	"testing"

	"github.com/floodgate-dev/floodgate/cluster"
	"github.com/floodgate-dev/floodgate/cluster/providertest"
)

// TestRealContract uses the kind cluster of FLOODGATE_TEST_CLUSTER, which stays, and
// our pods' program of FLOODGATE_TEST_POD_PROGRAM.
func TestRealContract(t *testing.T) {
	name, program := os.Getenv("FLOODGATE_TEST_CLUSTER"), os.Getenv("FLOODGATE_TEST_POD_PROGRAM")
	if name == "" || program == "" {
		t.Skip("SKIPPED: needs a Kubernetes cluster by kind: set FLOODGATE_TEST_CLUSTER and FLOODGATE_TEST_POD_PROGRAM")
	}
	providertest.Run(t, providertest.Contract{
		New:        func(*testing.T) cluster.Provider { return &Provider{} },
		Kubernetes: cluster.KubernetesOptions{Name: name, Plan: cluster.PlanStandIn, PodProgram: program, Nodes: 1},
		Slow:       true,
	})
}
