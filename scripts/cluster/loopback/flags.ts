import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the programs of a control plane keep their things and listen on loopback. */
export interface Places {
  readonly folder: string;
  readonly etcd: number;
  readonly etcdPeers: number;
  readonly apiServer: number;
  readonly controllers: number;
  readonly scheduler: number;
  readonly kwok: number;
}

const loopback = '127.0.0.1';

export function etcdFlags({ folder, etcd, etcdPeers }: Places): string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://${loopback}:${etcd}`,
    `--advertise-client-urls=http://${loopback}:${etcd}`,
    `--listen-peer-urls=http://${loopback}:${etcdPeers}`,
    '--unsafe-no-fsync', // nothing here outlives its machine
    '--quota-backend-bytes=8589934592',
    '--log-level=warn',
  ];
}

/**
 * With a certificate of its own, users by token, and RBAC. No node will run its pods.
 *
 * @param audited the user whose requests are written down
 */
export function apiServerFlags({ folder, etcd, apiServer }: Places, audited?: string): string[] {
  const pki = join(folder, 'pki');
  return [
    ...(audited === undefined ? [] : auditFlags(folder, audited)),
    `--etcd-servers=http://${loopback}:${etcd}`,
    `--bind-address=${loopback}`,
    `--advertise-address=${loopback}`,
    `--secure-port=${apiServer}`,
    `--cert-dir=${pki}`,
    `--token-auth-file=${join(pki, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(pki, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(pki, 'sa.key')}`,
    '--service-cluster-ip-range=10.97.0.0/16',
    '--endpoint-reconciler-type=none',
    // Without service accounts no pod needs one; fake nodes are ready from the start, and nobody would say so.
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    '--max-requests-inflight=3000',
    '--max-mutating-requests-inflight=1000',
  ];
}

/** Where the requests of the audited user are, one JSON a line. */
export const auditFile = (folder: string): string => join(folder, 'logs/audit.jsonl');

function auditFlags(folder: string, user: string): string[] {
  const policy = join(folder, 'audit-policy.json');
  const rules = [{ level: 'Metadata', users: [user] }, { level: 'None' }];
  const omitStages = ['RequestReceived', 'ResponseStarted'];
  writeFileSync(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages, rules }));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${auditFile(folder)}`, '--audit-log-mode=blocking'];
}

export function controllerManagerFlags({ folder, controllers }: Places, kubeconfig: string): string[] {
  const pki = join(folder, 'pki');
  return [
    `--kubeconfig=${kubeconfig}`,
    `--bind-address=${loopback}`,
    `--secure-port=${controllers}`,
    '--leader-elect=false',
    `--service-account-private-key-file=${join(pki, 'sa.key')}`,
    `--root-ca-file=${join(pki, 'apiserver.crt')}`,
    '--use-service-account-credentials=false',
    '--concurrent-job-syncs=20',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--controllers=*,-ttl,-node-ipam-controller,-cloud-node-lifecycle-controller,-node-lifecycle-controller',
  ];
}

export function schedulerFlags({ folder, scheduler }: Places, kubeconfig: string): string[] {
  const config = join(folder, 'scheduler.json');
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      leaderElection: { leaderElect: false },
      clientConnection: { kubeconfig, qps: 1000, burst: 2000 },
    }),
  );
  return [`--config=${config}`, `--bind-address=${loopback}`, `--secure-port=${scheduler}`];
}
