import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { SimSiamRun } from '../../api/run.ts';
import { openStore } from '../../storage/open-store.ts';
import { RecipeMismatchError } from '../../trainer/checkpoint/errors.ts';
import { lookAtRunRecord } from '../../trainer/checkpoint/run-record.ts';
import type { Stage } from '../../trainer/telemetry/run-event.ts';
import { UsageError } from '../errors.ts';
import { linearFiles, pretrainFilePattern } from './torch-files.ts';

/**
 * The run as it starts or goes on. Scripts of the original are started again with `--resume` after an interruption: where
 * the store has this run already, it goes on there, to the step and bit for bit, and the file isn't needed.
 * @throws RecipeMismatchError; UsageError where files of another run would be overwritten
 */
export async function startOf(run: SimSiamRun, stage: Stage, folder: string): Promise<SimSiamRun> {
  const store = await openStore(run.spec.storage);
  const { resumeFrom, ...rest } = run.spec[stage];
  if (resumeFrom !== undefined) {
    const own = { ...run, spec: { ...run.spec, [stage]: rest } };
    if (await isThere(() => lookAtRunRecord(store, own))) {
      process.stderr.write(
        `${run.spec.storage.uri} has this run: it goes on there, --resume ${resumeFrom} isn't read\n`,
      );
      return own;
    }
  }
  const start = await lookAtRunRecord(store, run);
  if (start.kind === 'new') await refuseForeignFiles(stage, folder, resumeFrom);
  return run;
}

async function isThere(look: () => ReturnType<typeof lookAtRunRecord>): Promise<boolean> {
  try {
    return (await look()).kind !== 'new';
  } catch (thrown) {
    if (thrown instanceof RecipeMismatchError) return false;
    throw thrown;
  }
}

/** The original overwrites what another run has left; that may be weeks of computing. */
async function refuseForeignFiles(stage: Stage, folder: string, resumeFrom: string | undefined): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const own = resumeFrom !== undefined && resolve(dirname(resumeFrom)) === resolve(folder) ? basename(resumeFrom) : '';
  const isForeign = (name: string): boolean =>
    stage === 'pretrain'
      ? pretrainFilePattern.test(name) && name > own
      : Object.values<string>(linearFiles).includes(name) && own === '';
  const foreign = names.filter(isForeign).toSorted((a, b) => (a < b ? -1 : 1))[0];
  if (foreign === undefined) return;
  throw new UsageError(
    `${join(folder, foreign)} is of another run and would be overwritten: write elsewhere with --output, ` +
      'go on from it with --resume, or move it away',
  );
}
