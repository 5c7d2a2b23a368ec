#!/bin/sh
# prepared-images.sh CONFIG ARCHIVE…: imports images into the root folder of a containerd that is named in CONFIG, without
# a node around it.
set -eu
config=$1
shift
mount -t tmpfs -o mode=755 tmpfs /run
containerd --config "$config" >"$(dirname "$config")/containerd.log" 2>&1 &
# Also when an import fails: what still holds the output would be waited for.
trap "kill $!; wait" EXIT
until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done
for archive in "$@"; do ctr --namespace k8s.io images import "$archive"; done
