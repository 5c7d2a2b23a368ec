import { basename } from 'node:path';
import type { SimSiamRun } from '../../api/run.ts';
import { type WorkerStage, workerPaths } from '../../api/worker.ts';
import type { ConfigMap, RunObject } from '../kube/objects.ts';
import { childMetadata } from './child-metadata.ts';
import { childNames } from './names.ts';

const file = basename(workerPaths.runFile);

/** The ConfigMap that tells a stage's workers what to do: the frozen, resolved run. It never changes. */
export function buildStageConfig(run: RunObject, stage: WorkerStage, frozen: SimSiamRun): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMetadata(run, childNames.stage(run.metadata.name, stage), stage),
    immutable: true,
    data: { [file]: `${JSON.stringify(frozen, null, 2)}\n` },
  };
}

/** The run that a ConfigMap holds; undefined if somebody has made another thing of it. */
export function frozenRunOf({ data }: ConfigMap): SimSiamRun | undefined {
  try {
    const run = JSON.parse(data?.[file] ?? '') as Partial<SimSiamRun> | null;
    return run?.spec === undefined ? undefined : (run as SimSiamRun);
  } catch {
    return undefined;
  }
}
