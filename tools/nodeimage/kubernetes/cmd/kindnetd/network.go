package main

import (
	"context"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// network is the pod network seen from one node.
type network struct {
	nodes             typedcorev1.NodeInterface
	hostIP, podSubnet string
}

// reconcile brings CNI, routes and masquerading to what the cluster's nodes are now.
func (n network) reconcile(ctx context.Context) error {
	nodes, err := n.nodes.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range nodes.Items {
		node := &nodes.Items[i]
		ip := internalIP(node)
		if ip == "" || node.Spec.PodCIDR == "" {
			continue
		}
		if ip == n.hostIP {
			err = configureCNI(node.Spec.PodCIDR)
		} else {
			err = routeTo(node.Spec.PodCIDR, ip)
		}
		if err != nil {
			return fmt.Errorf("node %s: %w", node.Name, err)
		}
	}
	return masquerade(ctx, n.podSubnet)
}

func internalIP(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

func routeTo(podCIDR, nodeIP string) error {
	_, destination, err := net.ParseCIDR(podCIDR)
	if err != nil {
		return err
	}
	if err := netlink.RouteReplace(&netlink.Route{Dst: destination, Gw: net.ParseIP(nodeIP)}); err != nil {
		return fmt.Errorf("route to %s via %s: %w", destination, nodeIP, err)
	}
	return nil
}
