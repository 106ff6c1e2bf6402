#!/usr/bin/env bash
# parts/node.sh ROOTFS_ARCHIVE PROGRAMS LABELLED_KEY WORK: the node image; prints its id.
# PROGRAMS holds all programs, WORK is an empty folder. Only import, run, exec and commit
# are asked of the container engine: no build, no --privileged.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/versions.sh"
rootfs_archive=$1 programs=$2 key=$3 work=$4

rootfs=$work/rootfs
mkdir -p "$rootfs"
zstd -dcq "$rootfs_archive" | tar -C "$rootfs" --numeric-owner -xp

kind=$(cd "$here/kubernetes" && go mod download -json "sigs.k8s.io/kind@$KIND_VERSION" |
	sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')
[ -n "$kind" ] || { echo "node.sh: module sigs.k8s.io/kind@$KIND_VERSION has no folder" >&2; exit 1; }
sandbox=$(sed -n 's/^ *sandbox_image = "\(.*\)"$/\1/p' "$kind/images/base/files/etc/containerd/config.toml")

"$here/parts/layer.sh" "$rootfs" "$programs" "$work/layer"
ln -s "$programs/hyperkube" "$work/kubeadm"
"$here/parts/images.sh" "$work/layer" "$work/kubeadm" "$sandbox" "$work/images.tar" >&2

# The module cache is read-only; a node's files are not.
cp -r --no-preserve=mode,ownership "$kind/images/base/files/." "$rootfs/"
mv "$rootfs/usr/local/bin/entrypoint" "$rootfs/usr/local/bin/entrypoint-kind"
cp --no-preserve=mode "$here/node/entrypoint" "$rootfs/usr/local/bin/entrypoint"
cp --no-preserve=mode "$programs/crictl" "$rootfs/usr/local/bin/crictl"
cp --no-preserve=mode "$programs/hyperkube" "$rootfs/usr/bin/hyperkube"
mkdir -p "$rootfs/kind/manifests"
cp --no-preserve=mode "$here"/node/manifests/*.yaml "$rootfs/kind/manifests/"
printf %s "$KUBERNETES_VERSION" >"$rootfs/kind/version"
chmod 755 "$rootfs/kind" "$rootfs/kind/bin" "$rootfs"/kind/bin/* "$rootfs"/usr/local/bin/* "$rootfs/usr/bin/hyperkube"
chroot "$rootfs" /bin/bash -s <"$here/node/configure.sh" >&2

base='' container=''
cleanup() {
	local code=$?
	[ -z "$container" ] || docker rm -f -v "$container" >/dev/null || true
	# A whole image stands on its base; without one the base is of no use.
	[ $code -eq 0 ] || [ -z "$base" ] || docker image rm "$base" >/dev/null
}
trap cleanup EXIT
base=$(tar -C "$rootfs" --numeric-owner -c . | docker import -)
# As kind does it: the images are in the node's containerd before the node starts.
# They stay packed; that needs no right that a plain container lacks. The container ends
# by itself should this script be killed.
# A builder that is killed leaves a container that goes away after its hour.
container=$(docker run -d --rm --network none --stop-signal SIGRTMIN+3 --entrypoint sleep "$base" 3600)
docker exec "$container" bash -c '
	set -euo pipefail
	nohup containerd >/tmp/containerd.log 2>&1 &
	echo $! >/tmp/containerd.pid
	for _ in $(seq 150); do
		ctr version >/dev/null 2>&1 && exit 0
		sleep .2
	done
	cat /tmp/containerd.log
	exit 1' >&2
docker exec -i "$container" ctr --namespace=k8s.io images import --all-platforms --no-unpack --digests - <"$work/images.tar" >&2
docker exec "$container" bash -c '
	pid=$(cat /tmp/containerd.pid)
	kill "$pid"
	for _ in $(seq 150); do [ -e "/proc/$pid/exe" ] || break; sleep .2; done
	rm -rf /tmp/containerd.* /run/containerd' >&2
docker commit \
	--change 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' \
	--change 'CMD []' \
	--change 'ENV container=docker' \
	--change "LABEL floodgate.dev/key=$key" \
	--change "LABEL floodgate.dev/kubernetes=$KUBERNETES_VERSION" \
	--change "LABEL floodgate.dev/coredns=$COREDNS_VERSION" \
	--change "LABEL floodgate.dev/stand-ins=\"$STAND_INS\"" \
	"$container"
