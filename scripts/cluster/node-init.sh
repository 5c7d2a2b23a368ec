#!/bin/sh
# The first process of a node: node-init.sh NAME ADDRESS FOLDER CGROUP PROGRAMS. It makes the node's view of the
# file system and runs its daemons; when it ends, all that runs on the node ends with it.
set -eu
name=$1 address=$2 folder=$3 cgroup=$4 programs=$5
hostname "$name"
for controller in cpu cpuacct cpuset memory pids; do echo 0 >"/sys/fs/cgroup/$controller$cgroup/daemons/cgroup.procs"; done
mount --make-rshared /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir /run/lock

containerd --config "$folder/containerd.toml" >"$folder/containerd.log" 2>&1 &
"$programs/kube-proxy" --config "$folder/kube-proxy.yaml" >"$folder/kube-proxy.log" 2>&1 &
until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done
exec "$programs/kubelet" --config "$folder/kubelet.yaml" --kubeconfig "$folder/kubelet.conf" --node-ip "$address" \
  --hostname-override "$name" --root-dir "$folder/kubelet" >"$folder/kubelet.log" 2>&1
