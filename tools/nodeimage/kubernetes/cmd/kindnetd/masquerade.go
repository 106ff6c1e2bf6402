package main

import (
	"context"
	"fmt"
	"os/exec"
)

// masquerade gives the node's address to what pods send out of the pod network.
func masquerade(ctx context.Context, podSubnet string) error {
	rule := []string{
		"POSTROUTING", "-s", podSubnet, "!", "-d", podSubnet,
		"-m", "comment", "--comment", "kindnet masquerade", "-j", "MASQUERADE",
	}
	if iptables(ctx, "-C", rule) == nil {
		return nil
	}
	return iptables(ctx, "-A", rule)
}

func iptables(ctx context.Context, verb string, rule []string) error {
	args := append([]string{"-w", "-t", "nat", verb}, rule...)
	if out, err := exec.CommandContext(ctx, "iptables", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("iptables %s: %w: %s", verb, err, out)
	}
	return nil
}
