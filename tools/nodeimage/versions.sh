# What the node image is made of; sourced. Versions of Go modules are in the go.mod files.
# shellcheck shell=bash
# shellcheck disable=SC2034 # for those who source this

# KIND_VERSION is the module whose images/base/files are the node's units and scripts.
KIND_VERSION=v0.33.0
DEBIAN_RELEASE=bookworm

# KUBERNETES_VERSION is what kubernetes/go.mod asks for: one place says it.
KUBERNETES_VERSION=$(awk '$1 == "k8s.io/kubernetes" {print $2; exit}' "$(dirname "${BASH_SOURCE[0]}")/kubernetes/go.mod")
COREDNS_VERSION=$(awk '$2 == "github.com/coredns/coredns" {print $3; exit}' "$(dirname "${BASH_SOURCE[0]}")/coredns/go.mod")

# STAND_INS are the node's parts that are not upstream's programs: see README.md.
STAND_INS='kindnetd crictl pause storage-class image-tags'
