package main

import (
	"fmt"
	"log"
	"os"
)

const (
	// conflist has kindnetd's own name: kind and its users look for it.
	conflist = "/etc/cni/net.d/10-kindnet.conflist"
	ptp      = `{
 "cniVersion": "0.3.1",
 "name": "kindnet",
 "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam-state",
    "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": %q}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
 ]
}
`
)

// configureCNI gives this node's pods addresses of podCIDR. containerd watches the
// folder, so the file is replaced, never rewritten.
func configureCNI(podCIDR string) error {
	want := fmt.Sprintf(ptp, podCIDR)
	if have, err := os.ReadFile(conflist); err == nil && string(have) == want {
		return nil
	}
	if err := os.WriteFile(conflist+".tmp", []byte(want), 0o644); err != nil {
		return err
	}
	if err := os.Rename(conflist+".tmp", conflist); err != nil {
		return err
	}
	log.Printf("wrote %s for %s", conflist, podCIDR)
	return nil
}
