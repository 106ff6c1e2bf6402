#!/usr/bin/env bash
# Shows that a cluster which is there is judged as one that was made: with rights,
# with reading alone, and by plain URLs; and the cases that scale, restart and edit.
# usage: test-existing.sh FLOODGATE
# NODE_IMAGE is the image of the cluster's nodes. bin/floodgate-pod must be there. One
# kind cluster is made, named $CLUSTER (fg-existing); a container engine must run.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 FLOODGATE" >&2; exit 2; }
floodgate=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${NODE_IMAGE:?names the image of the nodes: make node-image builds one}"
cluster=${CLUSTER:-fg-existing}
policies=$PWD/tools/floodgate/testdata/short
work=$(mktemp -d)
trap '"$floodgate" down --out "$work/out" >"$work/down.log" 2>&1 || cat "$work/down.log"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $1"; tail -n 40 "$2" | sed 's/^/        | /'; exit 1; }

# passes NAME LEAST ARGS...: the run passes, having judged at least so many cases.
passes() {
	local name=$1 least=$2 log=$work/$1.log judged
	shift 2
	"$floodgate" run --provider existing --out "$work/$name" --seed 41 "$@" >"$log" 2>&1 </dev/null || fail "$name: exit code $?" "$log"
	judged=$(sed -nE 's/^PASS ([0-9]+) cases?.*/\1/p' "$log")
	[ "${judged:-0}" -ge "$least" ] || fail "$name: ${judged:-no} cases were judged, want $least" "$log"
	say "$name: $(grep '^PASS' "$log")"
}

"$floodgate" up --provider kind --stack standin --cluster "$cluster" --node-image "$NODE_IMAGE" --policies "$policies" \
	--out "$work/out" >"$work/up.log" 2>&1 </dev/null || fail 'up' "$work/up.log"
say "a stack of stand-ins is up"
kubeconfig=$work/out/stack/kubeconfig

passes rights 21 --kubeconfig "$kubeconfig"

objects() {
	docker exec "$cluster-control-plane" kubectl --kubeconfig /etc/kubernetes/admin.conf get -A --no-headers \
		namespaces,secrets,configmaps,services,deployments,gateways,httproutes,authpolicies,ratelimitpolicies \
		-o custom-columns=K:.kind,S:.metadata.namespace,N:.metadata.name,V:.metadata.generation,U:.metadata.uid | sort
}
objects >"$work/before"
passes read-only 12 --kubeconfig "$kubeconfig" --read-only
objects >"$work/after"
diff "$work/before" "$work/after" >"$work/changed" || fail 'reading alone has changed the cluster' "$work/changed"

url() { grep -A40 '"policy": {' "$work/out/stack/up.json" | grep -m1 "\"$1\": *" | sed 's/[^:]*: *"\([^"]*\)".*/\1/'; }
limiter=$(grep -A40 '"policy": {' "$work/out/stack/up.json" | grep -m1 -A1 '"limiters"' | grep -o 'http[^"]*')
prometheus=$(grep -oE '"prometheus": *"http[^"]*' "$work/out/stack/up.json" | grep -o 'http.*')
KUBECONFIG='' passes urls 12 --policies "$policies" --gateway-url "$(url gateway)" --limiter-url "$limiter" \
	--gateway-stats-url "$(url gatewayStats)" --prometheus-url "$prometheus" --backend-url "$(url backend)" --journal-url "$(url journal)"

"$floodgate" down --out "$work/out" >"$work/down.log" 2>&1 </dev/null || fail 'down' "$work/down.log"
say "the stack is down"

# Edits and replicas take longer than the windows above last: the built-in policy.
passes cases 6 --provider kind --stack standin --cluster "$cluster" --node-image "$NODE_IMAGE" \
	--case P01 --case P02 --case P04 --case S01 --case S08 --case S09

keys=$(awk '/^ *api_key:/ {print $2}' "$policies/30-keys.yaml" | paste -sd '|')
[ -n "$keys" ]
found=$(grep -rlaE "$keys|fg_[0-9a-f]{12,}|client-key-data|token: *[A-Za-z0-9]" "$work"/{rights,read-only,urls,cases} "$work"/*.log || true)
[ -z "$found" ] || { say "FAILED: a key, token or kubeconfig is in $found"; exit 1; }
say "no key, token or kubeconfig is in what the runs left"
