import { join } from 'node:path';

/** Where a machine's test cluster keeps its files; there is one cluster a machine. */
export const clusterFolder = '/var/lib/simsiam-cluster';

export const paths = {
  certificates: join(clusterFolder, 'pki'),
  /** Kubeconfigs of the control plane's own parts. */
  configs: join(clusterFolder, 'conf'),
  logs: join(clusterFolder, 'logs'),
  processes: join(clusterFolder, 'processes'),
  /** For people and tests. */
  kubeconfig: join(clusterFolder, 'kubeconfig'),
  /** What kubelets change of the machine's settings, as it was before. */
  sysctls: join(clusterFolder, 'sysctls.conf'),
} as const;

/**
 * The cluster has networks of its own. The control plane's namespace is the router: nodes hang on its bridge, and the
 * machine reaches all of it through one pair of interfaces, with two routes that go when they go.
 */
export const network = {
  namespace: 'simsiam',
  bridge: 'nodes',
  interface: 'simsiam0',
  /** The machine as pods see it: servers outside the cluster listen here. */
  machine: '172.30.1.1',
  uplink: '172.30.1.2',
  controlPlane: '172.30.0.1',
  nodes: '172.30.0.0/24',
  pods: '10.244.0.0/16',
  services: '10.96.0.0/16',
} as const;

export const apiServer = `https://${network.controlPlane}:6443`;

/** A node by its number, from 1. */
export function node(number: number) {
  const name = `node${number}`;
  return {
    name,
    namespace: `${network.namespace}-${name}`,
    address: `172.30.0.${10 + number}`,
    pods: `10.244.${number}.0/24`,
    folder: join(clusterFolder, name),
  };
}

export type Node = ReturnType<typeof node>;
