// Command kindnetd is a stand-in for kind's kindnetd: it configures CNI for this node's
// pods, keeps one route to each other node's pods, and masquerades what pods send out
// of the pod network. It knows no NetworkPolicy and no IPv6.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// again is how long an unchanged network is left alone: a node that joins is
	// reached after this.
	again = 10 * time.Second
	// retry follows a failure: at a node's start the API server may not answer yet.
	retry = time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatalf("kindnetd (stand-in): %v", err)
	}
}

// run keeps the network until ctx ends. kind's manifest sets the environment.
func run(ctx context.Context) error {
	client, err := connect(os.Getenv("CONTROL_PLANE_ENDPOINT"))
	if err != nil {
		return err
	}
	n := network{nodes: client.CoreV1().Nodes(), hostIP: os.Getenv("HOST_IP"), podSubnet: os.Getenv("POD_SUBNET")}
	if n.hostIP == "" || n.podSubnet == "" {
		return fmt.Errorf("HOST_IP and POD_SUBNET must be set, have %q and %q", n.hostIP, n.podSubnet)
	}
	for {
		wait := again
		if err := n.reconcile(ctx); err != nil {
			log.Print(err)
			wait = retry
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// connect reaches the API server as this pod does; an endpoint replaces the Service's
// address, which needs kube-proxy first.
func connect(endpoint string) (*kubernetes.Clientset, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	if endpoint != "" {
		config.Host = "https://" + endpoint
	}
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}
