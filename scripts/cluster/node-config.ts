import { join } from 'node:path';
import { nodeCgroup } from './cgroups.ts';
import { network, type Node, paths } from './layout.ts';

/** The image whose one process keeps a pod's namespaces. */
export const pauseImage = 'registry.k8s.io/pause:3.10';

/** The files that a node's daemons are configured by, in its folder. */
export function nodeConfig({ name, pods, folder }: Node): Readonly<Record<string, string>> {
  return {
    'containerd.toml': containerdConfig(folder),
    'cni/10-pods.conflist': JSON.stringify({
      cniVersion: '0.4.0',
      name: 'pods',
      plugins: [
        {
          type: 'ptp',
          ipMasq: false,
          mtu: 1500,
          ipam: {
            type: 'host-local',
            dataDir: '/run/cni-ipam',
            ranges: [[{ subnet: pods }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    }),
    'kubelet.yaml': `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: ${nodeCgroup(name)}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication:
  anonymous: { enabled: false }
  webhook: { enabled: true }
  x509: { clientCAFile: ${join(paths.certificates, 'ca.crt')} }
authorization: { mode: Webhook }
clusterDNS: [${network.controlPlane}]
clusterDomain: cluster.local
resolvConf: ${join(paths.configs, 'resolv.conf')}
failSwapOn: false
# The machine's disk is not the cluster's to judge.
imageGCHighThresholdPercent: 100
evictionHard: { nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", memory.available: "100Mi" }
nodeStatusUpdateFrequency: 4s
nodeLeaseDurationSeconds: 8
syncFrequency: 10s
`,
    'kube-proxy.yaml': `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: { kubeconfig: ${join(paths.configs, 'kube-proxy.conf')} }
clusterCIDR: ${network.pods}
conntrack: { maxPerCore: 0 }
hostnameOverride: ${name}
`,
  };
}

/** A containerd that keeps its files in a folder. */
export function containerdConfig(folder: string): string {
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  enable_selinux = false
  # Without CAP_SYS_RESOURCE, as in many virtual machines, scores can't be lowered.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(folder, 'cni')}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;
}
