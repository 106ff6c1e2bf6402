#!/usr/bin/env bash
# Shows on clusters of its own what unit tests cannot: what is cut off goes on, what
# is taken down leaves nothing, why steps fail, and that no key stays behind.
# usage: test-kind.sh FLOODGATE
# NODE_IMAGE is the image of the clusters' nodes. bin/floodgate-pod and
# bin/floodgate-charts must be there. Two clusters are made, named $CLUSTER (fg-test)
# and $CLUSTER-guest; a container engine must run.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 FLOODGATE" >&2; exit 2; }
floodgate=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${NODE_IMAGE:?names the image of the nodes: make node-image builds one}"
made=${CLUSTER:-fg-test} guest=${CLUSTER:-fg-test}-guest

work=$(mktemp -d)
lane=main lanes=()
say() { printf '%4d s  %-5s %s\n' "$SECONDS" "$lane" "$*"; }
fail() {
	say "FAILED: $1"
	[ -z "${2:-}" ] || sed 's/^/        | /' <(tail -n 40 "$2")
	exit 1
}
nodes() { docker ps -aq --filter "label=io.x-k8s.kind.cluster=$1"; }
# ours PATTERN: processes of this script's, told by its folder in their arguments.
ours() { pgrep -f "$work.*${1:-}" || true; }

cleanup() {
	local code=$? pids
	trap - EXIT INT TERM
	set +e
	# Lanes first, so that nothing is started any more.
	for pid in "${lanes[@]}"; do kill -KILL -- "-$pid" 2>/dev/null; done
	pids=$(ours)
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	for cluster in "$made" "$guest"; do
		nodes "$cluster" | xargs -r docker rm -f -v >/dev/null 2>&1
	done
	[ $code -eq 0 ] && say "all of it holds" || say "FAILED, exit code $code"
	rm -rf "$work"
	exit $code
}
for cluster in "$made" "$guest"; do
	[ -z "$(nodes "$cluster")" ] || { echo "a kind cluster $cluster is there already: delete it, or name another by CLUSTER" >&2; exit 2; }
done
trap cleanup EXIT
trap 'exit 130' INT TERM

# start LOG COMMAND...: a process group of its own, as a terminal makes one, so that
# Ctrl-C can be sent to it. Its id is in $pid.
start() {
	local log=$1
	shift
	# Before it starts: lines of an earlier one must not count.
	: >"$log"
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
}

# ended SECONDS: waits for $pid; its exit code is in $code.
ended() {
	local until=$((SECONDS + $1))
	while kill -0 "$pid" 2>/dev/null; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
	code=0
	wait "$pid" || code=$?
	# The shell would report each process that was killed.
} 2>/dev/null

# cut SIGNAL LINE LOG COMMAND...: sends the signal as soon as the log has the line.
cut() {
	local signal=$1 line=$2 log=$3
	shift 3
	start "$log" "$@"
	until grep -qE "$line" "$log"; do
		kill -0 "$pid" 2>/dev/null || fail "ended before it said '$line'" "$log"
		sleep 0.02
	done
	# A terminal's Ctrl-C reaches the whole group.
	if [ "$signal" = INT ]; then kill -INT -- "-$pid"; else kill "-$signal" "$pid"; fi
	ended 90 || fail "still there 90 s after SIG$signal" "$log"
}

until_gone() {
	local what=$1 patience=$2 until=$((SECONDS + $2))
	shift 2
	while [ -n "$("$@")" ]; do
		[ $SECONDS -lt $until ] || fail "$what still there after $patience s: $("$@" | tr '\n' ' ')"
		sleep 0.2
	done
}

# leaks FOLDER...: no kubeconfig, key or token may be there. The seed's keys are
# known, those that are minted have a prefix.
leaks() {
	local found
	found=$(grep -rlaE "$keys|fg_[0-9a-f]{12,}|client-key-data|client-certificate-data|token: *[A-Za-z0-9]" "$@" 2>/dev/null | head -n 5 || true)
	[ -z "$found" ] || fail "a key, token or kubeconfig is in $found: $(grep -aoE "$keys|fg_[0-9a-f]{3}|client-[a-z]*-data|token: *..." $found | sort | uniq -c | head -n 5)"
}
keys=$(awk '/^ *api_key:/ {print $2}' fixtures/seed/30-keys.yaml | paste -sd '|')
[ -n "$keys" ]

# private FOLDER: nothing of a run may be left where temporary folders are.
private() {
	local left
	left=$(find "$1" -mindepth 1 | head -n 5)
	[ -z "$left" ] || fail "left behind in the folder for temporary files: $left"
}

# status OUT: all steps are ready.
status() {
	local text
	text=$("$floodgate" status --out "$1") || fail "status: $text"
	awk '/^STEP/ {rows = 1; next} rows && $2 != "ready" {bad = 1} rows {n++} END {exit !(n > 3 && !bad)}' <<<"$text" || fail "status: $text"
}

# serves OUT KEY: two requests of a free user pass, the third does not.
serves() {
	local url codes=''
	url=$(grep -o '"gateway": *"[^"]*"' "$1/stack/up.json" | head -n 1 | cut_quotes)
	for _ in 1 2 3; do
		codes+=$(curl -s -o /dev/null -m 10 -w '%{http_code} ' -H "Authorization: APIKEY $2" -H 'Content-Type: application/json' \
			-d '{"model":"random","prompt":"a","max_tokens":1}' "$url/v1/completions" || true)
	done
	[ "$codes" = '200 200 429 ' ] || fail "key of $2 got '$codes' through $url, want 200 200 429"
}
cut_quotes() { sed 's/.*: *"\(.*\)"/\1/'; }

up_args() { args=(up --foreground --provider kind --stack standin --cluster "$1" --node-image "$NODE_IMAGE" --out "$2"); }

# cut_at_each_step SIGNAL OUT: up is ended right after each step, and goes on each time.
cut_at_each_step() {
	local signal=$1 out=$2 k=0 n=1 log=$2.log
	while [ $k -lt "$n" ]; do
		k=$((k + 1))
		cut "$signal" "^\[$k/[0-9]+\] .*: ready" "$log" "$floodgate" "${args[@]}"
		n=$(grep -oE "^\[$k/[0-9]+\]" "$log" | grep -oE '[0-9]+' | tail -n 1)
		say "up, SIG$signal after step $(grep -E "^\[$k/" "$log" | tail -n 1 | cut_step)"
	done
	[ "$n" -gt 3 ] || fail "only $n steps were seen" "$log"
}
cut_step() { sed 's/: ready.*//'; }

# goes_on OUT KEY: up, as a user calls it, ends in a stack that works.
goes_on() {
	local out=$1
	start "$out.log" "$floodgate" up "${args[@]:2}"
	ended 240 || fail 'up has not ended' "$out.log"
	[ $code -eq 0 ] || fail "up: exit code $code" "$out.log"
	status "$out"
	serves "$out" "$2"
	say "up again: every step is ready, and limits are kept"
}

down() {
	local out=$1
	start "$out.down.log" "$floodgate" down --out "$out"
	# API servers may keep a definition for minutes.
	ended 420 || fail 'down has not ended' "$out.down.log"
	[ $code -eq 0 ] || fail "down: exit code $code" "$out.down.log"
}

# A cluster that floodgate makes.
made_lane() {
	local out=$work/made/out tmp=$work/made/tmp
	lane=made
	mkdir -p "$out" "$tmp"
	export TMPDIR=$tmp
	up_args "$made" "$out"
	cut KILL 'Starting control-plane' "$out.log" "$floodgate" "${args[@]}"
	say "up, SIGKILL while the cluster is made"
	cut_at_each_step KILL "$out"
	goes_on "$out" freeuser1_key
	pid=$(grep -oE '"pid": *[0-9]+' "$out/stack/up.json" | grep -oE '[0-9]+')
	kill -KILL "$pid"
	down "$out"
	[ -z "$(nodes "$made")" ] || fail 'a node is there after down'
	down "$out"
	leaks "$out" "$out".*log
	private "$tmp"
	say "down after SIGKILL of the keeper, twice: no container, no key is left"

	local run=(run --provider kind --stack standin --cluster "$made" --node-image "$NODE_IMAGE" --seed 41 --out)
	cut INT 'Preparing nodes' "$work/made/a.log" "$floodgate" "${run[@]}" "$work/made/a"
	[ $code -eq 4 ] || fail "run, Ctrl-C: exit code $code, want 4" "$work/made/a.log"
	until_gone 'nodes' 1 nodes "$made"
	until_gone 'processes' 5 ours made/a
	private "$tmp"
	say "run, Ctrl-C while the cluster is made: nothing is left"

	cut KILL '^ *\[2/[0-9]+\] .*: ready' "$work/made/b.log" "$floodgate" "${run[@]}" "$work/made/b"
	until_gone 'nodes' 60 nodes "$made"
	until_gone 'processes' 30 ours made/b
	say "run, SIGKILL while it installs: the guard has deleted the cluster"

	cut INT "$third_case" "$work/made/c.log" "$floodgate" "${run[@]}" "$work/made/c"
	[ $code -ne 0 ] || fail "run, Ctrl-C in the midst of cases: exit code 0" "$work/made/c.log"
	until_gone 'nodes' 1 nodes "$made"
	until_gone 'processes' 5 ours made/c
	# With this run goes what the killed one has left.
	private "$tmp"
	leaks "$work"/made/[abc] "$work"/made/[abc].log
	say "run, Ctrl-C in the midst of cases: nothing is left"
}
# The line of the third case that has ended; steps' lines have no capitals there.
third_case='^ *\[ *3/[0-9]+\] [A-Z]{3}'

# All objects of a cluster but those that come and go by themselves. So do IPAddresses:
# the API server writes one before its Service, and where a Ctrl-C cuts the creation
# off in between, it takes the address back by itself, a minute later. The Services are
# compared.
objects() {
	local kubectl=(docker exec "$guest-control-plane" kubectl --kubeconfig /etc/kubernetes/admin.conf) kinds
	kinds=$("${kubectl[@]}" api-resources --verbs=list -o name | grep -vE '^(events|leases|componentstatuses|endpoints|ipaddresses)(\.|$)' | paste -sd ,)
	"${kubectl[@]}" get "$kinds" -A --no-headers -o custom-columns=K:.kind,S:.metadata.namespace,N:.metadata.name | sort
}
unchanged() {
	local after
	[ -n "$(nodes "$guest")" ] || fail 'down has deleted a cluster that it did not make'
	objects >"$work/guest/after"
	after=$(diff "$work/guest/before" "$work/guest/after") || fail "down left the cluster changed: $after"
}

# A cluster that somebody else made.
guest_lane() {
	local out=$work/guest/out tmp=$work/guest/tmp kubeconfig=$work/guest/kubeconfig
	lane=guest
	mkdir -p "$out" "$tmp"
	export TMPDIR=$tmp
	"$work/kind" create cluster --name "$guest" --image "$NODE_IMAGE" --kubeconfig "$kubeconfig" --wait 4m >"$work/guest/kind.log" 2>&1 ||
		fail 'kind create cluster' "$work/guest/kind.log"
	objects >"$work/guest/before"
	[ "$(wc -l <"$work/guest/before")" -gt 50 ] || fail 'the cluster seems empty' "$work/guest/before"
	say "a cluster of somebody else's, $(wc -l <"$work/guest/before") objects"

	up_args "$guest" "$out"
	cut_at_each_step INT "$out"
	goes_on "$out" freeuser2_key
	down "$out"
	unchanged
	say "down: the cluster is as it was"

	start "$out.log" "$floodgate" "${args[@]}" --step-timeout operator=1ms
	ended 120 || fail 'up has not ended' "$out.log"
	[ $code -eq 4 ] && grep -q 'operator' "$out.log" || fail "up that cannot be: exit code $code, want 4" "$out.log"
	down "$out"
	unchanged
	say "down after an up that failed: the cluster is as it was"

	cut KILL '^\[3/[0-9]+\] .*: ready' "$out.log" "$floodgate" "${args[@]}"
	down "$out"
	down "$out"
	unchanged
	leaks "$out" "$out".*log
	private "$tmp"
	until_gone 'processes' 5 ours guest/out
	say "down after SIGKILL, twice: the cluster is as it was, no key is left"

	go_tests "$kubeconfig"
}

# go_tests KUBECONFIG: the images of our pods are in the nodes since the first up.
go_tests() {
	local images began
	images=$(docker exec "$guest-control-plane" ctr -n k8s.io images ls -q)
	unset TMPDIR
	export FLOODGATE_TEST_KUBECONFIG=$1
	FLOODGATE_TEST_POD_IMAGE=$(grep -m1 '^floodgate.dev/pod:' <<<"$images") || fail "our image is not in the node: $images"
	FLOODGATE_TEST_PROMETHEUS_IMAGE=$(grep -m1 '^floodgate.dev/prometheus:' <<<"$images" || true)
	export FLOODGATE_TEST_POD_IMAGE FLOODGATE_TEST_PROMETHEUS_IMAGE
	export FLOODGATE_TEST_CLUSTER=$guest FLOODGATE_TEST_POD_PROGRAM=$PWD/bin/floodgate-pod
	# Of those that install something, one at a time: a cluster holds one installation.
	local log=$work/guest/test.log
	for what in './cluster/kube ./cluster/crew ./cluster/kubernetes ./cluster/bundle' './suites/attack/crew -run=Job' './cluster/install -run=TestReal -parallel=12' \
		'./cluster/install/standin -run=TestReal' './cluster/kind -run=TestReal'; do
		began=$SECONDS
		# shellcheck disable=SC2086
		go test -count=1 -timeout 6m -v $what >"$log" 2>&1 || { grep -E '^ *(--- FAIL|FAIL|panic)|_test.go' "$log" | tail -n 40 >"$log.short"; fail "go test $what" "$log.short"; }
		! grep -q 'SKIPPED: needs a Kubernetes' "$log" || fail "go test $what has skipped what needs a cluster" "$log"
		say "go test $what: $(grep -c '^--- PASS' "$log") tests, $((SECONDS - began)) s"
	done
}

go build -o "$work/kind" sigs.k8s.io/kind
say "kind's own program is built"
# Process groups of their own, which cleanup can end.
set -m
made_lane &
lanes=($!)
guest_lane &
lanes+=($!)
set +m
failed=0
for _ in "${lanes[@]}"; do
	wait -n || { failed=1; break; }
done
exit $failed
