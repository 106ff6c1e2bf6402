#!/usr/bin/env bash
# Holds what the suite says of a recorded release to exactly what was recorded:
# runs lane full on stand-ins that behave as it did, and compares.
# usage: as.sh FLOODGATE OUT [RELEASE]
set -u
floodgate=$1 out=$2 release=${3:-kuadrant-1.5.2}
runs=$out/as/$release-$(date +%s)
mkdir -p "$runs"
"$floodgate" run --as "$release" --lane full --seed 41 --prometheus none --out "$runs" >"$runs/log" 2>&1 </dev/null
code=$?
tail -n 1 "$runs/log"
[ $code -eq 1 ] || { echo "FAILED: exit code $code, want 1: see $runs/log"; exit 1; }
"$floodgate" defects --as "$release" "$runs"/*/
