#!/usr/bin/env bash
# parts/coredns.sh FOLDER: CoreDNS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/parts/go.sh"
out=$1
cd "$here/coredns"
go build -ldflags '-s -w -X github.com/coredns/coredns/coremain.GitCommit=module' -o "$out/coredns" .
