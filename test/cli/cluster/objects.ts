import { parseManifest } from '../../../api/manifest.ts';
import type { SimSiamRunStatus } from '../../../api/run.ts';
import type { Pod, RunObject } from '../../../operator/kube/objects.ts';

/** Noon of some day, in ms since 1970. */
export const noon = Date.UTC(2026, 10, 1, 12);

export const before = (seconds: number): string => new Date(noon - seconds * 1000).toISOString();

export function runObject(status?: SimSiamRunStatus): RunObject {
  const manifest = {
    ...{ apiVersion: 'simsiam.dev/v1alpha1', kind: 'SimSiamRun' },
    metadata: { name: 'birds', namespace: 'lab', uid: 'u1', creationTimestamp: before(3600) },
    spec: {
      ...{
        workers: 2,
        gpusPerWorker: 4,
        data: { train: 's3://d/t', val: 's3://d/v' },
        storage: { uri: 's3://r/birds' },
      },
      ...{ pretrain: { epochs: 100, dim: 2048 }, linear: { epochs: 90 } },
    },
  };
  const run = parseManifest(JSON.stringify(manifest), 'birds') as unknown as RunObject;
  return { ...run, ...(status && { status }) };
}

export interface PodFacts {
  readonly index: number;
  readonly stage?: 'pretrain' | 'linear';
  readonly createdBefore?: number;
  readonly status?: NonNullable<Pod['status']>;
  readonly failures?: number;
}

export function pod({ index, stage = 'pretrain', createdBefore = 60, status, failures }: PodFacts): Pod {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      name: `birds-${stage}-${index}-${createdBefore}`,
      creationTimestamp: before(createdBefore),
      labels: { 'simsiam.dev/stage': stage, 'batch.kubernetes.io/job-completion-index': String(index) },
      ...(failures && { annotations: { 'batch.kubernetes.io/job-index-failure-count': String(failures) } }),
    },
    ...(status && { status }),
  };
}

type ContainerState = NonNullable<NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state']>;

export function containerState(state: ContainerState): NonNullable<Pod['status']> {
  return {
    containerStatuses: [{ name: 'trainer', image: '', imageID: '', ready: true, restartCount: 0, state }],
  };
}

export const running = containerState({ running: { startedAt: before(50) } });
