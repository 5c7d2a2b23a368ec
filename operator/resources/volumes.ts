import { dirname } from 'node:path';
import type { SimSiamRun, SimSiamRunSpec } from '../../api/run.ts';
import { workerPaths, type WorkerStage } from '../../api/worker.ts';
import type { RunObject } from '../kube/objects.ts';
import { childNames } from './names.ts';
import type { PodSpec } from './pod-spec.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type Mount = NonNullable<PodSpec['containers'][number]['volumeMounts']>[number];

/** Names of the operator's own volumes. */
export const volumeNames = {
  run: 'simsiam-run',
  token: 'simsiam-token',
  caBundle: 'simsiam-ca',
  scratch: 'simsiam-scratch',
  sharedMemory: 'simsiam-shm',
} as const;

/** MiB of shared memory: NCCL moves what doesn't go over NVLink through it. It counts as memory of the pod. */
export function sharedMemoryMiB({ gpusPerWorker }: SimSiamRunSpec): number {
  return gpusPerWorker > 0 ? 1024 * gpusPerWorker : 64;
}

export function buildVolumes({ metadata }: RunObject, stage: WorkerStage, { spec }: SimSiamRun): Volume[] {
  const { name, uid = '' } = metadata;
  const { caBundleSecretRef } = spec.storage;
  const caBundle = {
    name: volumeNames.caBundle,
    secret: { secretName: caBundleSecretRef?.name ?? '', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
  };
  return [
    { name: volumeNames.run, configMap: { name: childNames.stage(name, stage) } },
    { name: volumeNames.token, secret: { secretName: childNames.token(name, uid) } },
    ...(caBundleSecretRef === undefined ? [] : [caBundle]),
    { name: volumeNames.scratch, emptyDir: {} },
    { name: volumeNames.sharedMemory, emptyDir: { medium: 'Memory', sizeLimit: `${sharedMemoryMiB(spec)}Mi` } },
    ...((spec.podTemplate?.volumes ?? []) as unknown as Volume[]),
  ];
}

export function buildVolumeMounts({ spec }: SimSiamRun): Mount[] {
  const readOnly = (name: string, file: string): Mount => ({ name, mountPath: dirname(file), readOnly: true });
  return [
    readOnly(volumeNames.run, workerPaths.runFile),
    readOnly(volumeNames.token, workerPaths.tokenFile),
    ...(spec.storage.caBundleSecretRef === undefined ? [] : [readOnly(volumeNames.caBundle, workerPaths.caBundle)]),
    { name: volumeNames.scratch, mountPath: workerPaths.scratch },
    { name: volumeNames.sharedMemory, mountPath: '/dev/shm' },
    ...((spec.podTemplate?.volumeMounts ?? []) as unknown as Mount[]),
  ];
}
