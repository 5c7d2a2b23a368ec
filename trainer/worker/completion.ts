import { recipeHash } from '../../api/recipe.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { openStore } from '../../storage/open-store.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { CheckpointDamagedError } from '../checkpoint/errors.ts';
import type { JsonObject } from '../checkpoint/json.ts';
import { jsonOf } from '../checkpoint/manifest.ts';
import { readChecked, readManifest } from '../checkpoint/reader.ts';
import { committedCheckpoints } from '../checkpoint/register.ts';
import { lookAtRunRecord } from '../checkpoint/run-record.ts';
import type { Stage } from '../launch/messages.ts';

/**
 * Whether the store has all that the stages are for, so that a worker that comes late has nothing to do. False where it
 * can't be told: the ranks will find out.
 * @throws the storage errors
 */
export async function isComplete(run: SimSiamRun, stages: readonly Stage[]): Promise<boolean> {
  const store = await openStore(run.spec.storage);
  const start = await lookAtRunRecord(store, run);
  if (start.kind === 'complete') return true;
  if (stages.includes('linear') || run.spec.linear.epochs === 0) return false;
  return await hasFinishedPretraining(store, run);
}

async function hasFinishedPretraining(store: ObjectStore, run: SimSiamRun): Promise<boolean> {
  const newest = (await committedCheckpoints(store, 'pretrain')).at(-1);
  if (!newest) return false;
  try {
    const manifest = await readManifest(store, newest);
    if (manifest.recipeHash !== recipeHash(run)) return false;
    const bytes = await readChecked(store, `${newest.key}/state.json`, manifest.files['state.json']);
    const { totalSteps } = jsonOf(bytes) as JsonObject;
    return typeof totalSteps === 'number' && manifest.step >= totalSteps;
  } catch (thrown) {
    if (thrown instanceof CheckpointDamagedError) return false;
    throw thrown;
  }
}
