#!/usr/bin/env bash
# build.sh builds a kind node image from Debian packages and Go modules, where no
# registry serves kindest/node. README.md says what in it is a stand-in.
#
#   build.sh [--tag TAG] [--cache DIR]   build, load or find it; its tag on standard output
#   build.sh --print-tag                 only the tag
#   build.sh --print-tag-if-built        the tag; nothing and exit code 1 without the image
#
# --tag gives the image one more name, and that name is printed. One line for each step,
# with seconds, goes to standard error.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/versions.sh"

cache='' alias='' mode=build
while [ $# -gt 0 ]; do
	case $1 in
	--tag | --cache)
		[ $# -ge 2 ] || { echo "build.sh: $1 wants a value" >&2; exit 2; }
		if [ "$1" = --tag ]; then alias=$2; else cache=$2; fi
		shift
		;;
	--print-tag | --print-tag-if-built) mode=${1#--} ;;
	-h | --help)
		sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
		exit
		;;
	*) echo "build.sh: unknown argument $1, see --help" >&2; exit 2 ;;
	esac
	shift
done

say() { printf 'nodeimage: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
command -v go >/dev/null || fail 'go is missing: apt-get install golang, or https://go.dev/dl'

# key PATH...: the content of the builder's own files, with what is not in them.
# A folder counts with all its files. Documentation and the check are no part of the image.
platform="$(cd "$here/kubernetes" && go env GOVERSION GOARCH | tr '\n' ' ')"
key() {
	(cd "$here" && printf '%s\n' "$platform" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
		sha256sum | cut -c 1-12
}
whole=$(key build.sh versions.sh parts node kubernetes coredns)
tag=floodgate.dev/node:$KUBERNETES_VERSION-$whole
built() { docker image inspect "$tag" >/dev/null 2>&1; }

case $mode in
print-tag)
	printf '%s\n' "$tag"
	exit
	;;
print-tag-if-built)
	built || exit 1
	printf '%s\n' "$tag"
	exit
	;;
esac

# finish prints the name; the image is whole as soon as it has its tag.
finish() {
	if [ -n "$alias" ]; then docker tag "$tag" "$alias"; fi
	printf '%s\n' "${alias:-$tag}"
	exit 0
}

command -v docker >/dev/null || fail 'docker is missing: apt-get install --no-install-recommends docker.io iptables'
engine=$(docker info --format '{{.ServerVersion}}' 2>&1) || fail "the container engine does not answer, start dockerd: $engine"
if built; then
	say "$tag is there"
	finish
fi

missing=()
for p in debootstrap zstd; do command -v "$p" >/dev/null || missing+=("$p"); done
for p in flock unshare; do command -v "$p" >/dev/null || missing+=(util-linux); done
[ ${#missing[@]} -eq 0 ] || fail "missing: apt-get install --no-install-recommends ${missing[*]}"

[ -n "$cache" ] || cache=${XDG_CACHE_HOME:-${HOME:?where is the cache? set HOME or use --cache}/.cache}/floodgate/nodeimage
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/lock"
if ! flock -n 9; then
	say "another builder is at work, waiting for it ($cache/lock)"
	flock 9
fi
if built; then finish; fi
# Under the lock nobody else has a work folder: these were left by killed builders.
rm -rf --one-file-system "$cache"/work.*
work=$(mktemp -d "$cache/work.XXXXXX")
chmod 755 "$work"
# An image without its tag is found by nobody: a builder that ends early takes it along.
untagged=''
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
	rm -rf --one-file-system "$work"
	[ -z "$untagged" ] || docker image rm "$untagged" >/dev/null
}
trap cleanup EXIT

# step NAME COMMAND...: one line with its seconds; what it printed is shown where it failed.
step() {
	local name=$1 began=$SECONDS
	shift
	if ! "$@" >"$work/output" 2>"$work/log"; then
		tail -n 40 "$work/log" >&2 || true
		fail "$name failed after $((SECONDS - began)) s"
	fi
	say "$name: $((SECONDS - began)) s"
}

# shellcheck disable=SC2317 # step calls it
load_archive() {
	local id
	id=$(zstd -dcq "$archive" | docker load | grep -o 'sha256:[0-9a-f]\{64\}') && docker tag "$id" "$tag"
}
archive=$cache/node-$whole.tar.zst
if [ -f "$archive" ]; then
	if (step "load $(basename "$archive")" load_archive); then finish; fi
	say "$archive cannot be loaded and is built again"
	rm -f "$archive"
fi

[ "$(id -u)" -eq 0 ] || fail 'must be built by root: debootstrap makes device files and changes its root'

# part NAME SCRIPT PATH...: $cache/NAME-KEY made by SCRIPT, unless it is there. A part
# counts only once it is whole: it is made in the work folder and renamed.
part() {
	local name=$1 script=$2
	shift 2
	made=$cache/$name-$(key "$script" "$@")
	case $name in rootfs) made+=.tar.zst ;; esac
	if [ -e "$made" ]; then
		say "$name: cached"
		return
	fi
	case $name in rootfs) ;; *) mkdir "$work/$name" ;; esac
	step "$name" "$here/$script" "$work/$name"
	mv "$work/$name" "$made"
}

part rootfs parts/rootfs.sh versions.sh
rootfs=$made
mkdir "$work/programs" "$work/node"
part kubernetes parts/kubernetes.sh parts/go.sh kubernetes
ln -s "$made"/* "$work/programs/"
part coredns parts/coredns.sh parts/go.sh coredns
ln -s "$made"/* "$work/programs/"

step 'node image' "$here/parts/node.sh" "$rootfs" "$work/programs" "$whole" "$work/node"
id=$(tail -n 1 "$work/output")
untagged=$id

# shellcheck disable=SC2317 # step calls it
save_archive() {
	docker save "$id" | zstd -q -T0 -o "$work/archive" && mv "$work/archive" "$archive"
}
step "archive $(basename "$archive")" save_archive
docker tag "$id" "$tag"
untagged=''
finish
