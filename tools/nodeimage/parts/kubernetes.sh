#!/usr/bin/env bash
# parts/kubernetes.sh FOLDER: Kubernetes, etcd and the small programs beside them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/versions.sh"
. "$here/parts/go.sh"
out=$1
cd "$here/kubernetes"

IFS=. read -r major minor _ <<<"${KUBERNETES_VERSION#v}"
# The commit and the date are not in a module; kubeadm wants them set.
flags=''
for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	flags+=" -X $p.gitVersion=$KUBERNETES_VERSION -X $p.gitMajor=$major -X $p.gitMinor=$minor"
	flags+=" -X $p.gitTreeState=clean -X $p.gitCommit=0000000000000000000000000000000000000000"
	flags+=" -X $p.buildDate=2026-01-01T00:00:00Z"
done
go build -ldflags "-s -w$flags" -o "$out/hyperkube" ./cmd/hyperkube
for p in etcd kindnetd crictl pause; do
	go build -ldflags '-s -w' -o "$out/$p" "./cmd/$p"
done
