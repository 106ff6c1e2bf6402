#!/usr/bin/env bash
# parts/layer.sh ROOTFS PROGRAMS FOLDER: the one layer that all images inside the node
# share: the control plane's programs, and iptables, nft and conntrack for kube-proxy
# and kindnetd.
set -euo pipefail
rootfs=$1 programs=$2 layer=$3

mkdir -p "$layer"/usr/{bin,sbin,lib,lib64,local/bin} "$layer"/{tmp,etc/ssl/certs,var,run,proc,sys,dev}
chmod 1777 "$layer/tmp"
for d in bin sbin lib lib64; do ln -s "usr/$d" "$layer/$d"; done

packages='libc6 iptables libxtables12 libip4tc2 libip6tc2 libnftnl11 libmnl0 libnfnetlink0 libnetfilter-conntrack3
conntrack nftables libnftables1 libjansson4 libedit2 libbsd0 libmd0 libtinfo6 libgmp10 netbase'
base=$(realpath "$rootfs")
for p in $packages; do
	# A library's list carries its architecture.
	list=$(find "$rootfs/var/lib/dpkg/info" -name "$p.list" -o -name "$p:*.list" | head -n 1)
	[ -n "$list" ] || { echo "layer.sh: package $p is not in the root filesystem" >&2; exit 1; }
	while read -r f; do
		case $f in /usr/share/* | */gconv/* | */systemd/*) continue ;; esac
		from=$rootfs$f
		[ -f "$from" ] || [ -L "$from" ] || continue
		[ -d "$from" ] && continue
		# /lib is a link to /usr/lib: files go where they really are.
		folder=$(realpath "$(dirname "$from")")
		mkdir -p "$layer${folder#"$base"}"
		cp -a "$from" "$layer${folder#"$base"}/"
	done <"$list"
done
for t in iptables ip6tables; do
	for x in '' -save -restore; do ln -sf xtables-nft-multi "$layer/usr/sbin/$t$x"; done
done

cp "$programs"/{hyperkube,etcd,coredns,kindnetd,pause} "$layer/usr/local/bin/"
for n in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubectl; do
	ln -s hyperkube "$layer/usr/local/bin/$n"
done
printf 'root:x:0:0:root:/root:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$layer/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$layer/etc/group"
printf 'hosts: files dns\n' >"$layer/etc/nsswitch.conf"
cp "$rootfs/etc/ssl/certs/ca-certificates.crt" "$layer/etc/ssl/certs/"
