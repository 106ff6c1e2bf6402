#!/usr/bin/env bash
# parts/rootfs.sh ARCHIVE: Debian's part of the node, as a zstd archive.
# DEBIAN_MIRROR replaces the mirror that this machine's own package sources name.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/versions.sh"
archive=$1
root=$(mktemp -d "$(dirname "$archive")/rootfs.XXXXXX")
chmod 755 "$root"
trap 'rm -rf --one-file-system "$root"' EXIT

packages=systemd,conntrack,iptables,nftables,iproute2,ethtool,util-linux,mount,kmod,libseccomp2,e2fsprogs
packages+=,ca-certificates,jq,procps,containerd,runc,containernetworking-plugins

# own_mirror prints the first Debian archive of this machine's apt sources, old style
# or deb822, with or without options.
own_mirror() {
	cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		awk '/^(URIs:|deb )/ {for (i = 2; i <= NF; i++) if ($i ~ "^https?://.*/debian/?$") {print $i; exit}}'
}
mirror=${DEBIAN_MIRROR:-$(own_mirror || true)}

# In a mount namespace of its own: what debootstrap mounts is gone with it, even killed.
unshare --mount debootstrap --variant=minbase --include="$packages" \
	"$DEBIAN_RELEASE" "$root" "${mirror:-http://deb.debian.org/debian}"

# This machine's name, mirror and resolver stay here.
rm -rf "$root"/etc/{apt/sources.list,resolv.conf,hostname} "$root"/var/cache/apt/archives/*.deb \
	"$root"/var/lib/apt/lists/* "$root"/var/log/{apt,bootstrap.log} \
	"$root"/usr/share/{doc,man,locale,info}/*
tar -C "$root" --numeric-owner -c . | zstd -q -T0 -o "$archive"
