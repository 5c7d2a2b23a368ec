import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubernetesVersion } from '../tools/kubernetes.ts';
import { apiServer, clusterFolder, network, paths } from './layout.ts';
import { inside, must, startProcess, until } from './system.ts';

/** The programs that a cluster is made of. */
export interface Programs {
  /** The folder of Kubernetes' own. */
  readonly kubernetes: string;
  readonly coredns: string;
}

const kubeadmConfig = join(paths.configs, 'kubeadm.yaml');

/** Certificates and kubeconfigs, made by kubeadm. */
export async function makeCertificates({ kubernetes }: Programs): Promise<void> {
  await writeFile(kubeadmConfig, kubeadmYaml);
  const kubeadm = (...args: readonly string[]) => must(join(kubernetes, 'kubeadm'), ...args, '--config', kubeadmConfig);
  await kubeadm('init', 'phase', 'certs', 'all');
  for (const part of ['super-admin', 'controller-manager', 'scheduler']) {
    await kubeadm('init', 'phase', 'kubeconfig', part, '--kubeconfig-dir', paths.configs);
  }
  for (const user of ['system:kube-proxy', 'coredns']) {
    const config = await kubeadm('kubeconfig', 'user', '--client-name', user);
    await writeFile(join(paths.configs, `${user.replace('system:', '')}.conf`), config, { mode: 0o600 });
  }
  await must('cp', join(paths.configs, 'super-admin.conf'), paths.kubeconfig);
}

/** What a kubelet talks to the API server with. */
export async function makeNodeConfig({ kubernetes }: Programs, node: string, folder: string): Promise<void> {
  const phase = ['init', 'phase', 'kubeconfig', 'kubelet', '--node-name', node, '--kubeconfig-dir', folder];
  await must(join(kubernetes, 'kubeadm'), ...phase, '--config', kubeadmConfig);
}

/** Starts etcd, the API server, the controllers and the scheduler. */
export async function startControlPlane(programs: Programs): Promise<void> {
  await startEtcd(programs);
  await startApiServer(programs);
  const bindLocally = ['--leader-elect=false', '--bind-address=127.0.0.1'];
  const start = (name: string, ...args: readonly string[]) =>
    startProcess(name, inside(network.namespace, join(programs.kubernetes, name), ...args));
  const kubectl = kubectlOf(programs);
  // The others give up on an API server that takes its time.
  await until('the API server', 180_000, () => kubectl('get', '--raw', '/readyz').then(Boolean, () => false));
  await start('kube-controller-manager', ...bindLocally, ...configured('controller-manager'), ...controllerFlags);
  await start('kube-scheduler', ...bindLocally, ...configured('scheduler'));
  // Without it the API server itself may not read logs from kubelets for half a minute.
  const admins = ['kubeadm:cluster-admins', '--clusterrole=cluster-admin', '--group=kubeadm:cluster-admins'];
  await kubectl('create', 'clusterrolebinding', ...admins);
}

async function startEtcd({ kubernetes }: Programs): Promise<void> {
  const client = 'http://127.0.0.1:2379';
  await startProcess(
    'etcd',
    inside(
      network.namespace,
      join(kubernetes, 'etcd'),
      ...['--data-dir', join(clusterFolder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', 'http://127.0.0.1:2380'],
    ),
  );
}

export async function startApiServer({ kubernetes }: Programs): Promise<void> {
  await startProcess(
    'kube-apiserver',
    inside(network.namespace, join(kubernetes, 'kube-apiserver'), ...apiServerFlags),
  );
}

/** Cluster DNS, beside the control plane; kubelets tell pods its address. */
export async function startDns(programs: Programs): Promise<void> {
  const kubectl = kubectlOf(programs);
  const resources = '--resource=services,endpoints,pods,namespaces,endpointslices.discovery.k8s.io';
  await kubectl('create', 'clusterrole', 'coredns', '--verb=list,watch', resources);
  await kubectl('create', 'clusterrolebinding', 'coredns', '--clusterrole=coredns', '--user=coredns');
  const mayList = () => kubectl('auth', 'can-i', 'list', 'endpointslices.discovery.k8s.io', '--as=coredns');
  // A first list that is refused costs it seconds.
  await until('rights of the DNS', 60_000, () => mayList().then(Boolean, () => false));
  const corefile = join(paths.configs, 'Corefile');
  await writeFile(corefile, corefileText);
  await startProcess('coredns', inside(network.namespace, programs.coredns, '-conf', corefile));
}

export function kubectlOf({ kubernetes }: Pick<Programs, 'kubernetes'>) {
  return (...args: readonly string[]) => must(join(kubernetes, 'kubectl'), '--kubeconfig', paths.kubeconfig, ...args);
}

const certificate = (name: string) => join(paths.certificates, name);

const configured = (part: string) =>
  ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    (flag) => `--${flag}=${join(paths.configs, `${part}.conf`)}`,
  );

const apiServerFlags = [
  `--advertise-address=${network.controlPlane}`,
  '--secure-port=6443',
  '--allow-privileged=true',
  // No kube-proxy runs beside it: webhooks are called at the addresses of their pods.
  '--enable-aggregator-routing=true',
  '--authorization-mode=Node,RBAC',
  '--enable-admission-plugins=NodeRestriction',
  '--etcd-servers=http://127.0.0.1:2379',
  `--service-cluster-ip-range=${network.services}`,
  '--kubelet-preferred-address-types=InternalIP',
  '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
  `--client-ca-file=${certificate('ca.crt')}`,
  `--tls-cert-file=${certificate('apiserver.crt')}`,
  `--tls-private-key-file=${certificate('apiserver.key')}`,
  `--kubelet-client-certificate=${certificate('apiserver-kubelet-client.crt')}`,
  `--kubelet-client-key=${certificate('apiserver-kubelet-client.key')}`,
  `--service-account-key-file=${certificate('sa.pub')}`,
  `--service-account-signing-key-file=${certificate('sa.key')}`,
  `--proxy-client-cert-file=${certificate('front-proxy-client.crt')}`,
  `--proxy-client-key-file=${certificate('front-proxy-client.key')}`,
  `--requestheader-client-ca-file=${certificate('front-proxy-ca.crt')}`,
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-username-headers=X-Remote-User',
];

/** A node that vanishes is noticed within ten seconds, not within the usual forty. */
const controllerFlags = [
  '--node-monitor-period=1s',
  '--node-monitor-grace-period=10s',
  '--use-service-account-credentials=true',
  '--allocate-node-cidrs=false',
  `--service-cluster-ip-range=${network.services}`,
  `--client-ca-file=${certificate('ca.crt')}`,
  `--root-ca-file=${certificate('ca.crt')}`,
  `--cluster-signing-cert-file=${certificate('ca.crt')}`,
  `--cluster-signing-key-file=${certificate('ca.key')}`,
  `--requestheader-client-ca-file=${certificate('front-proxy-ca.crt')}`,
  `--service-account-private-key-file=${certificate('sa.key')}`,
];

const kubeadmYaml = `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: ${network.controlPlane}, bindPort: 6443 }
nodeRegistration: { name: control-plane }
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: simsiam
kubernetesVersion: v${kubernetesVersion}
certificatesDir: ${paths.certificates}
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: ${apiServer.replace('https://', '')}
networking: { serviceSubnet: ${network.services}, podSubnet: ${network.pods}, dnsDomain: cluster.local }
`;

/** Whatever isn't the cluster's doesn't exist: there is no way out. */
const corefileText = `cluster.local in-addr.arpa {
  bind ${network.controlPlane}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${join(paths.configs, 'coredns.conf')}
    pods verified
    ttl 0
  }
}
. {
  bind ${network.controlPlane}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
