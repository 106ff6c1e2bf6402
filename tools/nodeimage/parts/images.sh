#!/usr/bin/env bash
# parts/images.sh LAYER KUBEADM SANDBOX ARCHIVE: the images inside the node, as `docker
# save` would write them. They are written by hand, so this machine's container engine
# never holds an image of ours under upstream's name. SANDBOX is containerd's pause image.
set -euo pipefail
layer=$1 kubeadm=$2 sandbox=$3 archive=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/versions.sh"
work=$(mktemp -d "$(dirname "$archive")/images.XXXXXX")
trap 'rm -rf "$work"' EXIT

tar -C "$layer" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$work/layer.tar" .
layer_digest=$(sha256sum <"$work/layer.tar" | cut -d ' ' -f 1)
arch=$(go env GOARCH)
manifest=()

# image NAME ENTRYPOINT: one image of the layer; no entrypoint where the pod names its
# command, as kubeadm's do.
image() {
	local entrypoint=${2:+[\"$2\"]} config digest
	config=$(printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["%s"],"Entrypoint":%s,"Labels":{"floodgate.dev/stand-in":"true"}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"floodgate tools/nodeimage"}]}' \
		"$arch" 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "${entrypoint:-null}" "$layer_digest")
	digest=$(printf %s "$config" | sha256sum | cut -d ' ' -f 1)
	printf %s "$config" >"$work/$digest.json"
	manifest+=("{\"Config\":\"$digest.json\",\"RepoTags\":[\"$1\"],\"Layers\":[\"layer.tar\"]}")
}

names=$("$kubeadm" config images list --kubernetes-version "$KUBERNETES_VERSION")
for name in $(printf '%s\n' "$names" "$sandbox" | sort -u); do
	case $name in
	*/coredns:*) image "$name" /usr/local/bin/coredns ;;
	*/pause:*) image "$name" /usr/local/bin/pause ;;
	*) image "$name" '' ;;
	esac
done
image floodgate.dev/kindnetd:stand-in /usr/local/bin/kindnetd

(IFS=, && printf '[%s]' "${manifest[*]}") >"$work/manifest.json"
tar -C "$work" -cf "$archive" .
