import { simSiamRunSchema, type SimSiamRunInput } from '../../api/run.ts';
import type { RunObject } from '../../operator/kube/objects.ts';

type SpecInput = Partial<SimSiamRunInput['spec']>;

/** A run as the API server gives it: defaults filled in. */
export function runOf(spec: SpecInput = {}, parts: Partial<RunObject> = {}): RunObject {
  const parsed = simSiamRunSchema.parse({
    apiVersion: 'simsiam.dev/v1alpha1',
    kind: 'SimSiamRun',
    metadata: { name: 'digits' },
    spec: {
      workers: 2,
      gpusPerWorker: 0,
      data: { train: 's3://bucket/train.tar', val: 's3://bucket/val.tar' },
      storage: { uri: 's3://bucket/runs/digits' },
      ...spec,
    },
  } satisfies SimSiamRunInput);
  const { apiVersion, kind } = parsed;
  return {
    apiVersion,
    kind,
    metadata: { name: 'digits', namespace: 'research', uid: '0a1b2c3d-run', resourceVersion: '7', generation: 1 },
    spec: parsed.spec,
    ...parts,
  };
}
