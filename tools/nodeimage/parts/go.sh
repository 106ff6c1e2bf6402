# How Go programs of the node are built; sourced. Nothing of the caller's workspace, of
# this repository's commit or of this machine's paths gets into a program.
# shellcheck shell=bash
export GOOS=linux CGO_ENABLED=0 GOWORK=off GOFLAGS='-mod=readonly -trimpath -buildvcs=false'
