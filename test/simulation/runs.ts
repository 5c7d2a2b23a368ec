import type { RunObject } from '../../operator/kube/objects.ts';
import { simSiamRunSchema, type SimSiamRunInput } from '../../api/run.ts';
import type { ApiServer } from './model/api-server.ts';
import type { Cluster } from './model/cluster.ts';

type SpecInput = SimSiamRunInput['spec'];

export const namespace = 'research';
export const runName = 'digits';
const ref = { kind: 'SimSiamRun', namespace, name: runName };

/** Creates the run as a user would; the API server fills in the defaults. */
export function createRun(server: ApiServer, spec: Partial<SpecInput>, name = runName): void {
  const {
    apiVersion,
    kind,
    spec: whole,
  } = simSiamRunSchema.parse({
    apiVersion: 'simsiam.dev/v1alpha1',
    kind: 'SimSiamRun',
    metadata: { name },
    spec: {
      workers: 2,
      data: { train: 's3://bucket/train.tar', val: 's3://bucket/val.tar' },
      storage: { uri: `s3://bucket/runs/${name}` },
      ...spec,
    },
  } satisfies SimSiamRunInput);
  server.create<RunObject>({ apiVersion, kind, metadata: { name, namespace }, spec: whole });
}

export function findRun({ server }: Cluster): RunObject | undefined {
  return server.find<RunObject>(ref);
}

/** Changes fields of the spec, as `kubectl patch --type=merge`; a run that is gone stays so. */
export function editRun(cluster: Cluster, spec: object): void {
  if (findRun(cluster) !== undefined) cluster.server.patch(ref, { spec });
}

/** As a client that isn't the operator. */
export function writeStatus(cluster: Cluster, status: object): void {
  if (findRun(cluster) !== undefined) cluster.server.patch(ref, { status }, 'status');
}

export function deleteRun(cluster: Cluster, propagationPolicy: 'Background' | 'Foreground'): void {
  if (findRun(cluster) !== undefined) cluster.server.delete(ref, { propagationPolicy });
}

export function holds(cluster: Cluster, type: string): boolean {
  const conditions = findRun(cluster)?.status?.conditions ?? [];
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}
