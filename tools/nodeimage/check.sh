#!/usr/bin/env bash
# check.sh makes a throw-away kind cluster of the node image, waits until it is ready,
# runs a pod that asks the API server by its DNS name, and deletes the cluster.
#
#   check.sh [--image TAG] [--kind BINARY]
#
# The image is build.sh's unless one is given, kind is built from its module unless a
# program is given. On a host that lacks capabilities put .ci/docker first in PATH.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/versions.sh"

image='' kind=(go run "sigs.k8s.io/kind@$KIND_VERSION")
while [ $# -gt 0 ]; do
	case $1 in
	--image | --kind)
		[ $# -ge 2 ] || { echo "check.sh: $1 wants a value" >&2; exit 2; }
		if [ "$1" = --image ]; then image=$2; else kind=("$2"); fi
		shift
		;;
	-h | --help)
		sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
		exit
		;;
	*) echo "check.sh: unknown argument $1, see --help" >&2; exit 2 ;;
	esac
	shift
done
[ -n "$image" ] || image=$("$here/build.sh" --print-tag)
docker image inspect "$image" >/dev/null 2>&1 || { echo "check.sh: no image $image, run $here/build.sh" >&2; exit 1; }

work=$(mktemp -d)
cluster=nodeimage-check-$$
cleanup() {
	"${kind[@]}" delete cluster --name "$cluster" --kubeconfig "$work/kubeconfig" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

began=$SECONDS
say() { printf 'check: %s: %d s\n' "$1" $((SECONDS - began)); began=$SECONDS; }
"${kind[@]}" version >/dev/null
say 'kind'
if ! "${kind[@]}" create cluster --name "$cluster" --image "$image" --kubeconfig "$work/kubeconfig" --wait 180s >"$work/log" 2>&1; then
	tail -n 30 "$work/log" >&2
	# Bit 24 is CAP_SYS_RESOURCE; without it Docker refuses kind's --privileged.
	bounding=$(awk '/^CapBnd:/ {print $2}' /proc/self/status)
	if ! ((16#$bounding >> 24 & 1)); then
		echo 'check.sh: this host does not grant CAP_SYS_RESOURCE: put .ci/docker first in PATH' >&2
	fi
	exit 1
fi
say 'cluster ready'

# The node's own kubectl: this machine needs none.
kubectl() { docker exec -i "$cluster-control-plane" kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
# The image is one inside the node; its kubectl sits beside the API server.
kubectl apply -f - >/dev/null <<POD
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: kube-system}
spec:
  restartPolicy: OnFailure
  tolerations: [{operator: Exists}]
  containers:
    - name: check
      image: registry.k8s.io/kube-apiserver:$KUBERNETES_VERSION
      imagePullPolicy: Never
      command: [kubectl, get, --raw, /readyz]
      # In place of the Service's address: the name must be resolved.
      env: [{name: KUBERNETES_SERVICE_HOST, value: kubernetes.default.svc}]
POD
if ! kubectl -n kube-system wait --for=jsonpath='{.status.phase}'=Succeeded pod/check --timeout=120s >/dev/null; then
	kubectl -n kube-system describe pod check >&2 || true
	kubectl -n kube-system logs check >&2 || true
	echo 'check.sh: the pod did not succeed' >&2
	exit 1
fi
answer=$(kubectl -n kube-system logs check)
[ "$answer" = ok ] || { echo "check.sh: the API server answered the pod with '$answer', not with ok" >&2; exit 1; }
say 'a pod reached the API server by name'
"${kind[@]}" delete cluster --name "$cluster" --kubeconfig "$work/kubeconfig" --quiet
say 'deleted'
