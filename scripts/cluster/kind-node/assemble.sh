#!/bin/sh
# assemble.sh ROOT FILES PROGRAMS VERSION: makes a node of kind of a Debian tree at ROOT, as images/base/Dockerfile of kind
# does it: FILES is the folder beside that, PROGRAMS that of Kubernetes' programs, one binary with many names.
set -eu
root=$1 files=$2 programs=$3 version=$4
cp -r --no-preserve=mode,ownership "$files/." "$root/"
chmod 755 "$root"/usr/local/bin/* "$root/kind" "$root/kind/bin" "$root"/kind/bin/*
chroot "$root" sh -euc '
  find /lib/systemd/system/sysinit.target.wants/ -name systemd-tmpfiles-setup.service -delete
  rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/*
  rm -f /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/*
  rm -f /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl*
  echo ReadKMsg=no >>/etc/systemd/journald.conf
  ln -sf /lib/systemd/systemd /sbin/init
  ln -sf /usr/bin/containerd /usr/bin/ctr /usr/bin/containerd-shim-runc-v2 /usr/local/bin/
  mkdir -p /opt/cni /etc/kubernetes/manifests /etc/cni/net.d /kind/preload
  ln -sfn /usr/lib/cni /opt/cni/bin
  systemctl enable kubelet.service containerd.service undo-mount-hacks.service
  systemctl mask systemd-binfmt.service
  ctr oci spec |
    jq ".hooks.createContainer[.hooks.createContainer | length] |= . + {\"path\": \"/kind/bin/mount-product-files.sh\"}" |
    jq "del(.process.rlimits)" >/etc/containerd/cri-base.json'
# A machine may not let its processes lower their own scores.
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' "$root/etc/containerd/config.toml"
cp "$programs/kubernetes" "$root/usr/bin/"
for program in kubeadm kubelet kubectl; do ln -sf kubernetes "$root/usr/bin/$program"; done
echo "$version" >"$root/kind/version"

# Instead of kind's own network plugin, which is an image: containerd writes the configuration as soon as it is told the
# node's range of addresses, and the provider adds the routes between nodes.
rm -f "$root"/etc/cni/net.d/*
cat >"$root/etc/containerd/cni.template" <<'JSON'
{"cniVersion": "0.4.0", "name": "kind", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "ranges": [[{"subnet": "{{.PodCIDR}}"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
cat >>"$root/etc/containerd/config.toml" <<'TOML'

[plugins."io.containerd.grpc.v1.cri".cni]
  conf_template = "/etc/containerd/cni.template"
TOML
mkdir -p "$root/etc/systemd/system/containerd.service.d"
cat >"$root/etc/systemd/system/containerd.service.d/preload.conf" <<'UNIT'
[Service]
TimeoutStartSec=infinity
ExecStartPost=/bin/sh -c "for archive in /kind/preload/*.tar; do ctr -n k8s.io images import $$archive; done"
UNIT
