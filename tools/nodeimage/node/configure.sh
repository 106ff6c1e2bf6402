#!/bin/bash
# Runs in the node's root filesystem (chroot): what kind's base image does to Debian's
# systemd and containerd.
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_OFFLINE=1

for n in kubelet kubeadm kubectl; do ln -sf hyperkube "/usr/bin/$n"; done
# kind's units name /usr/local/bin.
for n in containerd ctr containerd-shim-runc-v2; do ln -sf "/usr/bin/$n" "/usr/local/bin/$n"; done
mkdir -p /opt/cni /etc/cni/net.d /etc/kubernetes/manifests
ln -sfn /usr/lib/cni /opt/cni/bin
ln -sf /lib/systemd/systemd /sbin/init

# A node starts nothing but what kind starts.
rm -f /lib/systemd/system/containerd.service
rm -f /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
	/lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/sockets.target.wants/*udev* \
	/lib/systemd/system/sockets.target.wants/*initctl* /lib/systemd/system/basic.target.wants/*
echo 'ReadKMsg=no' >>/etc/systemd/journald.conf
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service

# Every container gets kind's hook that hides the host's product name, and no limits of
# this build's process.
ctr oci spec |
	jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' \
		>/etc/containerd/cri-base.json
