#!/bin/sh
# prepared-images.sh CONFIG ARCHIVE…: imports images into the root folder of a containerd that is named in CONFIG, without
# a node around it.
set -eu
config=$1
shift
mount -t tmpfs -o mode=755 tmpfs /run
containerd --config "$config" &
until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done
for archive in "$@"; do ctr --namespace k8s.io images import "$archive"; done
kill $!
wait
